"""Hedge effectiveness of every designated trade, on every view of the market the journal has."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from headframe.book import Position, Trade
from headframe.codec import from_json
from headframe.desk import users
from headframe.desk.fold import fold
from headframe.desk.office import Office
from headframe.desk.run_off import delivered, designations_of
from headframe.desk.state import State
from headframe.desk.valuation import Valuation, value_now
from headframe.lifecycle import (
    Delivered,
    Designated,
    FlowCause,
    HedgeView,
    ended_at,
    parts_by_designation,
    series,
)
from headframe.market import Snapshot
from headframe.pricing import Surface, surface_of
from headframe.risk import Relationship, measure_relationship

_NOT_SETTLEMENTS = frozenset({FlowCause.PREMIUM, FlowCause.FEE, FlowCause.FUNDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A trade with what was expected of it when it was proposed, and what became of it."""

    trade: Trade
    for_accounts: bool
    expected_r2: float
    expected_tracking: float
    found: Relationship
    coins_sold: float
    """Designated coins sold so far."""
    ended: datetime | None
    """When the last designated coin was sold; None while the relationship goes on."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A trade that is not measured, and why."""

    trade: str
    reason: str


def measured(office: Office) -> tuple[tuple[Measured, ...], tuple[LeftOut, ...]]:
    """Return every trade against the sales of its designated coins, and those left out with the reason."""
    users.allowed(office, users.Action.READ)
    now = value_now(office)
    views = [*_views(office), _view(now.state, now.surface, now.at)]
    sold = delivered(now.state, now.settings)
    found: list[Measured] = []
    out: list[LeftOut] = []
    for trade in now.state.trades.values():
        one = _measure(now, trade, views, sold)
        if isinstance(one, str):
            out.append(LeftOut(trade.id, one))
        else:
            found.append(one)
    out += [
        LeftOut(name, "a contract on a schedule: each day is fixed at its own price")
        for name, record in now.state.contracts.items()
        if record.held is not None
    ]
    return tuple(found), tuple(out)


@dataclass(frozen=True, slots=True)
class _View:
    """The books at one view of the market: results and positions by trade."""

    at: datetime
    surface: Surface
    paid: dict[str, float]
    positions: dict[str, Position]


def _view(state: State, surface: Surface, at: datetime) -> _View:
    paid: dict[str, float] = {}
    for one in state.results.values():
        if one.cause not in _NOT_SETTLEMENTS:
            paid[one.trade] = paid.get(one.trade, 0.0) + float(one.worth_usd)
    return _View(at, surface, paid, {one.trade.id: one for one in state.positions()})


def _views(office: Office) -> Iterator[_View]:
    """Yield the books at every import of a market and at every close, in order."""
    state, surface = State(), None
    for record in office.journal.read():
        fold(state, [record])
        if record.kind == "market":
            fitted = record.body.get("surface")
            surface = (
                surface_of(from_json(Snapshot, record.body["snapshot"]))
                if fitted is None
                else from_json(Surface, fitted)
            )
            yield _view(state, surface, record.at)
        elif surface is not None and record.kind in {"day", "day_closed"}:
            spot = record.body["spot" if record.kind == "day" else "index"]
            if spot is not None:
                at = _closed_at(record.at, record.body)
                yield _view(state, surface.at_spot(float(spot), at), at)


def _closed_at(recorded: datetime, body: dict[str, object]) -> datetime:
    """Return the instant a close is of: 08:00 UTC of its day, whenever it was recorded."""
    close = body.get("close")
    return recorded if close is None else datetime.fromisoformat(f"{close}T08:00:00+00:00")


def _measure(
    now: Valuation, trade: Trade, views: list[_View], sold: tuple[Delivered, ...]
) -> Measured | str:
    """Return a trade measured from the market it was dealt in, or why it is not."""
    before = [one for one in views if one.at <= trade.at]
    after = [one for one in views if one.at > trade.at]
    if not after:
        return "no market or close since it was dealt"
    begin = before[-1:] or after[:1]
    order = designations_of(now.state)
    kept = [_of_trade(trade, one, sold, order) for one in (*begin, *after)]
    kept[0] = HedgeView(
        at=kept[0].at, surface=kept[0].surface, paid_usd=0.0, position=_whole(trade), sold={}
    )
    if kept[-1].position is None and not kept[-1].coins_sold():
        return "it ended, and none of its designated coins was sold"
    points = series(trade, kept)
    notional = float(trade.size) * kept[0].surface.spot
    found = measure_relationship(trade.id, float(trade.size), points, notional)
    if found is None:
        return "fewer than two views of the market"
    facts = now.state.proposals[trade.proposal].facts
    return Measured(
        trade=trade,
        for_accounts=all(part.hedge_for_accounts for part in trade.designations),
        expected_r2=facts.r2,
        expected_tracking=facts.tracking_error,
        found=found,
        coins_sold=float(kept[-1].coins_sold()),
        ended=ended_at(trade, kept),
    )


def _whole(trade: Trade) -> Position:
    remaining = tuple((part.month, part.coins) for part in trade.designations)
    return Position(trade=trade, remaining=remaining)


def _of_trade(
    trade: Trade,
    view: _View,
    sold: tuple[Delivered, ...],
    order: list[Designated],
) -> HedgeView:
    """Return one trade at one view: what it paid, what is open, and its coins sold by then."""
    parts = parts_by_designation(sold, order, view.at)
    return HedgeView(
        at=view.at,
        surface=view.surface,
        paid_usd=view.paid.get(trade.id, 0.0),
        position=view.positions.get(trade.id),
        sold={month: run.parts for (name, month), run in parts.items() if name == trade.id},
    )
