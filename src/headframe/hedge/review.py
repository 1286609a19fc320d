"""When a programme is due for a review, and what of its hedges is too much."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from headframe.book import Position
from headframe.hedge.exposure import ExposureRow
from headframe.mandate import ReviewRules
from headframe.units import Month

_GRADES, _STEP = "ABCDE", Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What a review stood on: price, expected coins by month, difficulty, dealers' grades, broken covenants.

    ``grades`` are of the dealers that stood approved.
    """

    at: datetime
    by: str
    spot: float
    expected: Mapping[Month, float]
    difficulty: float
    grades: Mapping[str, str]
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """One reason to review now, with its figures."""

    name: str
    words: str


def triggers(
    before: Baseline | None, now: Baseline, rules: ReviewRules, *, since: datetime | None
) -> tuple[Trigger, ...]:
    """Every reason; none where the last review still stands.

    A programme that was never reviewed is due when its first trade, of ``since``, is old enough.
    """
    if before is None:
        age = 0.0 if since is None else (now.at - since).total_seconds() / 86_400.0
        words = f"never reviewed in {age:.0f} days of trades, at most {rules.days}"
        return (Trigger("calendar", words),) if age >= rules.days else ()
    return (*_moved(before, now, rules), *_fallen(before, now))


def _moved(before: Baseline, now: Baseline, rules: ReviewRules) -> Iterator[Trigger]:
    """Time, price, forecast and difficulty against their bands."""
    age = (now.at - before.at).total_seconds() / 86_400.0
    if age >= rules.days:
        yield Trigger("calendar", f"{age:.0f} days since the last, at most {rules.days}")
    common = [month for month in now.expected if month in before.expected]
    old_coins, new_coins = (sum(one.expected[month] for month in common) for one in (before, now))
    bands: tuple[tuple[str, str, float, float, float], ...] = (
        ("price", "USD", before.spot, now.spot, rules.price_move),
        ("forecast", f"coins of {len(common)} months", old_coins, new_coins, rules.forecast_change),
        ("retarget", "difficulty", before.difficulty, now.difficulty, rules.difficulty_change),
    )
    for name, what, old, new, band in bands:
        if old > 0.0 and new > 0.0 and abs(new / old - 1.0) >= band:
            words = f"{old:,.1f} to {new:,.1f} {what} ({new / old - 1.0:+.1%}), band {band:.0%}"
            yield Trigger(name, words)


def _fallen(before: Baseline, now: Baseline) -> Iterator[Trigger]:
    """Dealers that are worse, and covenants that broke since."""
    for name, grade in sorted(before.grades.items()):
        then = now.grades.get(name)
        if then is None:
            yield Trigger("counterparty", f"{name} stands approved no more")
        elif _GRADES.index(then) > _GRADES.index(grade):
            yield Trigger("counterparty", f"{name} fell from grade {grade} to {then}")
    for name in now.broken:
        if name not in before.broken:
            yield Trigger("covenant", f"{name} is not kept")


def too_much(
    rows: tuple[ExposureRow, ...],
    positions: tuple[Position, ...],
    kept: frozenset[str] = frozenset(),
) -> list[tuple[str, Decimal]]:
    """Trades to close, and how many coins of each, so that no month stands above its ceiling.

    A closing takes a trade's months alike; the trade with most of a month's coins is taken first. What is
    ``kept`` counts and is not closed.
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
            if trade in kept:
                continue
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
    room = whole.quantize(_STEP, rounding=ROUND_DOWN)
    coins = min(wanted.quantize(_STEP, rounding=ROUND_UP), room)
    share = coins / whole
    closed[trade] = closed.get(trade, Decimal(0)) + coins
    for name, held in months.items():
        months[name] = held - held * share
    return here * share
