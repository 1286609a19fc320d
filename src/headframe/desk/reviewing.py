"""Reviews: whether one is due, what changed since the last, and the trades that would restore the mandate."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from headframe.codec import to_json
from headframe.counterparty import Standing, score
from headframe.desk import closing, programme, users
from headframe.desk.covenants import covenants
from headframe.desk.designations import residuals_of
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, Json
from headframe.desk.valuation import Valuation, value_now
from headframe.hedge import (
    Baseline,
    ExposureRow,
    Proposal,
    Trigger,
    exposure_rows,
    too_much,
    triggers,
)
from headframe.mandate import Mandate


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The last review's ground and today's, and every reason to hold another."""

    last: Baseline | None
    now: Baseline
    triggers: tuple[Trigger, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review that was held: why, where the months stand, and what was proposed."""

    due: Due
    rows: tuple[ExposureRow, ...]
    proposals: tuple[Proposal, ...]


def due(office: Office) -> Due:
    """Whether a review is due."""
    users.allowed(office, users.Action.READ)
    return due_now(value_now(office), office.mandate(), "")


def due_now(now: Valuation, mandate: Mandate, by: str) -> Due:
    """The same of a book that is valued already."""
    state, on = now.state, now.at.date()
    forecast = state.forecast
    known = state.retargets.get(now.settings.operation.coin, ())
    ground = Baseline(
        at=now.at,
        by=by,
        spot=now.surface.spot,
        expected={} if forecast is None else {row.month: row.coins.p50 for row in forecast.months},
        difficulty=known[-1].difficulty if known else 0.0,
        grades={
            name: score(dossier, on, state.grid).grade
            for name, dossier in sorted(state.dossiers.items())
            if state.standing[name] is Standing.APPROVED
        },
        broken=tuple(f"{one.clause} {one.name}" for one in covenants(now, mandate) if not one.kept),
    )
    return Due(
        last=state.reviewed,
        now=ground,
        triggers=triggers(
            state.reviewed,
            ground,
            mandate.review,
            since=min((one.trade.at for one in now.positions), default=None),
        ),
    )


@serialised
def hold(office: Office) -> Review:
    """Hold a review: keep what it stands on, and propose what would bring every month into its band.

    By who may propose, and all of it or nothing: a review that cannot be finished leaves no proposal.
    Months below their target are planned as ever; of months above their ceiling so much is proposed to be
    closed as is too much. Nothing is dealt: each proposal is approved and dealt like any other.
    """
    person = programme.preparer(office)
    with office.together():
        return _held(office, person)


def _held(office: Office, person: str) -> Review:
    mandate = office.mandate()
    found = due_now(value_now(office), mandate, person)
    made = list(programme.plan(office).proposals)
    now = value_now(office)
    rows: tuple[ExposureRow, ...] = ()
    if now.state.forecast is not None:
        rows = exposure_rows(now.state.forecast, mandate.cover, now.positions, now.at)
    made += [closing.propose(office, trade, coins) for trade, coins in _to_close(now, rows)]
    body: Json = {
        "baseline": to_json(found.now),
        "triggers": [to_json(one) for one in found.triggers],
        "proposals": [one.id for one in made],
    }
    office.record(Draft("reviewed", body), at=office.now())
    return Review(due=found, rows=rows, proposals=tuple(made))


def _to_close(now: Valuation, rows: tuple[ExposureRow, ...]) -> list[tuple[str, Decimal]]:
    """Return what to close: hedges left over after their coins were sold, and cover above its ceiling."""
    found = dict(too_much(rows, now.positions, kept=frozenset(now.state.contracts)))
    for one in residuals_of(now):
        coins = one.state.residual.quantize(_STEP, rounding=ROUND_DOWN)
        if coins > 0:
            found[one.state.trade] = found.get(one.state.trade, Decimal(0)) + coins
    held = {one.trade.id: one.coins for one in now.positions}
    return [(trade, min(coins, held[trade])) for trade, coins in found.items()]


_STEP = Decimal("0.1")
