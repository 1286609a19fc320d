"""Reviews: whether one is due, what changed since the last, and the trades that would restore the mandate."""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from headframe.book import Position
from headframe.codec import to_json
from headframe.counterparty import Standing, score
from headframe.desk import closing, programme, users
from headframe.desk.covenants import covenants
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, Json
from headframe.desk.valuation import Valuation, value_now
from headframe.hedge import Baseline, ExposureRow, Proposal, Trigger, exposure_rows, triggers
from headframe.mandate import Mandate
from headframe.units import Month

_STEP = Decimal("0.1")


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
            name: score(dossier, on).grade
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


def hold(office: Office) -> Review:
    """Hold a review: keep what it stands on, and propose what would bring every month into its band.

    Months below their target are planned as ever; of months above their ceiling so much is proposed to be
    closed as is too much. Nothing is dealt: each proposal is approved and dealt like any other.
    """
    person = users.allowed(office, users.Action.PREPARE)
    mandate = office.mandate()
    found = due_now(value_now(office), mandate, person)
    made = list(programme.plan(office).proposals)
    now = value_now(office)
    rows: tuple[ExposureRow, ...] = ()
    if now.state.forecast is not None:
        rows = exposure_rows(now.state.forecast, mandate.cover, now.positions, now.at)
    made += [
        closing.propose(office, trade, coins) for trade, coins in _too_much(rows, now.positions)
    ]
    body = {
        "baseline": to_json(found.now),
        "triggers": [to_json(one) for one in found.triggers],
        "proposals": [one.id for one in made],
    }
    _keep(office, body)
    return Review(due=found, rows=rows, proposals=tuple(made))


@serialised
def _keep(office: Office, body: Json) -> None:
    office.state()
    office.record(Draft("reviewed", body), at=office.now())


def _too_much(
    rows: tuple[ExposureRow, ...], positions: tuple[Position, ...]
) -> list[tuple[str, Decimal]]:
    """Trades to close, and how many coins of each, so that no month stands above its ceiling.

    A closing takes a trade's months alike; the trade with most of a month's coins is taken first.
    """
    left = {one.trade.id: dict(one.remaining) for one in positions}
    closed: dict[str, Decimal] = {}
    for row in rows:
        if row.band is None:
            continue
        ceiling = Decimal(repr(row.band.ceiling * row.p50))
        over = (
            sum((coins.get(row.month, Decimal(0)) for coins in left.values()), Decimal(0)) - ceiling
        )
        for trade in sorted(left, key=lambda name: -left[name].get(row.month, Decimal(0))):
            if over <= 0:
                break
            over -= _closed_of(left[trade], row.month, over, closed, trade)
    return [(trade, coins) for trade, coins in closed.items() if coins > 0]


def _closed_of(
    months: dict[Month, Decimal],
    month: Month,
    over: Decimal,
    closed: dict[str, Decimal],
    trade: str,
) -> Decimal:
    """Take so much of a month out of a trade, its other months in proportion; what was taken of the month."""
    here, whole = months.get(month, Decimal(0)), sum(months.values(), Decimal(0))
    if here <= 0:
        return Decimal(0)
    wanted = min(over, here) * whole / here
    room = whole.quantize(_STEP, rounding="ROUND_DOWN")
    coins = min(wanted.quantize(_STEP, rounding=ROUND_UP), room)
    share = coins / whole
    closed[trade] = closed.get(trade, Decimal(0)) + coins
    for name, held in months.items():
        months[name] = held - held * share
    return here * share
