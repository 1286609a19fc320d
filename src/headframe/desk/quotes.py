"""The market as the workspace holds it: importing, showing, and what is wrong with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from headframe.codec import to_json
from headframe.desk import users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, NotFound
from headframe.desk.state import State
from headframe.market import Finding, Flaw, Snapshot, findings, frozen
from headframe.pricing import Surface, surface_of
from headframe.units import Wrong, expiry_label, iso

_AGE_WITHOUT_MANDATE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """A snapshot, its surface, and every finding, at the workspace's instant."""

    snapshot: Snapshot
    surface: Surface
    findings: tuple[Finding, ...]
    at: datetime


def surface_in(state: State) -> Surface:
    """The surface of the market in force: the one fitted when it was taken, for ever the same."""
    if state.market is None:
        raise NotFound("no market yet: run headframe market import")
    return state.surface if state.surface is not None else surface_of(state.market)


def same_coin(snapshot: Snapshot, coin: str) -> None:
    """Refuse a market of another coin than the mine's: its prices would be taken for the mine's own."""
    if snapshot.coin != coin:
        raise Wrong(
            f"{snapshot.source} is a market of {snapshot.coin[:10]}, and this workspace mines {coin}"
        )


def market_draft(snapshot: Snapshot, coin: str) -> Draft:
    """The event that takes a market of the mine's coin, with the surface fitted to it."""
    same_coin(snapshot, coin)
    return _draft(snapshot, _fitted(snapshot))


def _draft(snapshot: Snapshot, surface: Surface) -> Draft:
    return Draft("market", {"snapshot": to_json(snapshot), "surface": to_json(surface)})


def _fitted(snapshot: Snapshot) -> Surface:
    try:
        return surface_of(snapshot)
    except Wrong as error:
        raise NotFound(str(error)) from error


def view(snapshot: Snapshot, surface: Surface, state: State, at: datetime) -> MarketView:
    """A snapshot with its surface and findings."""
    age = _AGE_WITHOUT_MANDATE
    if state.mandate is not None:
        age = timedelta(minutes=state.mandate.asking.market_age_minutes_max)
    known = {smile.expiry for smile in surface.smiles}
    missing = tuple(
        Finding(Flaw.MISSING, expiry_label(one.expiry), "no usable volatility: left out")
        for one in snapshot.forwards
        if one.expiry not in known
    )
    found = findings(snapshot, at=at, age_max=age)
    return MarketView(snapshot=snapshot, surface=surface, findings=(*found, *missing), at=at)


def show(office: Office) -> MarketView:
    """The market last imported."""
    snapshot, state = office.market(), office.state()
    return view(snapshot, surface_in(state), state, _present(office, snapshot))


def _present(office: Office, snapshot: Snapshot) -> datetime:
    """The workspace's instant; before there is any, the market's."""
    return snapshot.as_of if office.state().clock is None else office.now()


@serialised
def take(office: Office, snapshot: Snapshot) -> MarketView:
    """Import a snapshot. The paper clock moves on to it; before anybody acted, also back to it."""
    state = office.state()
    if state.users:
        users.allowed(office, users.Action.PREPARE)
    clock = _present(office, snapshot)
    same_coin(snapshot, office.settings().operation.coin)
    if state.market is not None and frozen(state.market, snapshot):
        raise Wrong(
            f"{snapshot.source} repeats every quote of {iso(state.market.as_of)} under the stamp "
            f"{iso(snapshot.as_of)}: a frozen market is not taken"
        )
    untouched = not (
        state.proposals or state.rfqs or state.trades or state.contracts or state.months
    )
    surface = _fitted(snapshot)
    seen = view(snapshot, surface, state, max(clock, snapshot.as_of))
    drafts = [_draft(snapshot, surface)]
    at = max(clock, snapshot.as_of)
    if untouched and snapshot.as_of < clock:
        at = snapshot.as_of
        drafts.insert(0, Draft("rebased", {"to": iso(at)}))
        seen = view(snapshot, surface, state, at)
    office.record(*drafts, at=at)
    return seen
