"""Exposure to each counterparty through time on the engine's paths: expected, potential, and its price.

Potential future exposure is a quantile of what would be lost at a date; expected positive exposure its mean
over time; the credit valuation adjustment what the other side's chance of failing costs, undiscounted.
Collateral is that of the agreement, as it was a margin period before (Gregory, "The xVA challenge", chapters
on exposure and margin). With wrong-way risk the chance of failing moves with the coin: hazard at a price S is
today's times (S0 / S) to the power of ``falls_with_coin``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from math import ceil, exp, log, sqrt

from headframe.counterparty import HOUSE, CollateralTerms
from headframe.numerics import Array, Places, Singles, np
from headframe.risk.columns import walked_by_name
from headframe.risk.distribution import beside
from headframe.risk.engine import Engine, abreast
from headframe.risk.kernels import exposures
from headframe.units import Wrong

QUANTILES = (0.95, 0.975, 0.99)
MARGIN_DAYS = 10
"""From the last collateral delivered to the close-out of a failed counterparty's trades."""
STEP_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Facing:
    """One netting set's other side: collateral of today, its chance of failing in a year, how it moves."""

    name: str
    held_usd: float
    posted_usd: float
    default_year: float
    falls_with_coin: float
    loss_given_default: float = HOUSE.loss_given_default
    terms: CollateralTerms | None = None
    """Whose calendar says when collateral is back; none: on the day the last trade ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One date of a profile, in USD: expected exposure, its 95, 97.5 and 99 % quantiles and their errors."""

    days: int
    expected: float
    quantiles: tuple[float, float, float]
    quantiles_se: tuple[float, float, float]
    bare_expected: float
    bare_quantiles: tuple[float, float, float]
    """The same as if no collateral moved."""
    bare_quantiles_se: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A counterparty through time; ``margin_period`` is the exposure of the first ten days alone."""

    name: str
    instants: tuple[Instant, ...]
    margin_period: Instant
    epe_usd: float
    epe_se: float
    cva_usd: float
    cva_se: float
    cva_wrong_way_usd: float
    cva_wrong_way_se: float

    def peak(self, place: int) -> Instant:
        """When a quantile is greatest; ``place`` is that of ``QUANTILES``."""
        return max(self.instants, key=lambda one: one.quantiles[place])


def dates(last: int) -> tuple[int, ...]:
    """The days of a profile: weekly, with the end of the margin period besides."""
    return tuple(sorted({*range(STEP_DAYS, last + 1, STEP_DAYS), min(MARGIN_DAYS, last)}))


def marked_on(last: int) -> frozenset[int]:
    """The days a profile reads marks on: its dates, and each a margin period before."""
    return frozenset(day - back for day in dates(last) for back in (0, MARGIN_DAYS) if day >= back)


def profiles(
    engine: Engine,
    facing: Sequence[Facing],
    *,
    paths: int,
    seed: int,
    faces: Sequence[int] | None = None,
) -> tuple[Profile, ...]:
    """A profile for each of the engine's netting sets, ``facing`` in their order.

    Where a side's trades do not net, each is a set of its own, and ``faces`` says which of ``facing`` each
    set is of, rising from 0. The engine has marks on the days of ``marked_on`` at least.
    """
    sides = list(range(len(engine.sets)) if faces is None else faces)
    rising = all(later - one in {0, 1} for one, later in pairwise(sides))
    if (
        len(sides) != len(engine.sets)
        or not rising
        or sorted(set(sides)) != list(range(len(facing)))
    ):
        raise Wrong(
            f"{len(engine.sets)} netting sets face {len(set(sides))} sides, not {len(facing)}"
        )
    if not 100 <= paths <= 1_000_000:
        raise Wrong(f"a profile takes 100 to 1,000,000 paths, was {paths:,}")
    last = engine.calendar.days
    days = dates(last)
    bare, secured, prices = _walked(
        engine, facing, sides, np.array(days, dtype=np.int64), paths, seed
    )
    ranks = [_ranks(share, paths) for share in QUANTILES]
    weekly = prices[[place for place, day in enumerate(days) if day % STEP_DAYS == 0]]
    hazards = {falls: weekly**-falls for falls in {one.falls_with_coin for one in facing}}
    return tuple(
        _profile(one, days, bare[place], secured[place], hazards[one.falls_with_coin], ranks)
        for place, one in enumerate(facing)
    )


def _walked(
    engine: Engine,
    facing: Sequence[Facing],
    sides: Sequence[int],
    days: Places,
    paths: int,
    seed: int,
) -> tuple[Singles, Singles, Array]:
    """Exposures bare and secured (sides, times, paths), and the price over today's (times, paths)."""
    shape = (len(facing), len(days), paths)
    bare, secured = np.empty(shape, np.float32), np.empty(shape, np.float32)
    ratios = np.empty((len(days), paths))
    opening = np.array([[one.held_usd, one.posted_usd] for one in facing]).reshape(-1, 2)
    length, faces = engine.calendar.days + 1, np.array(sides, dtype=np.int64)
    returned = _returned(engine, facing, sides)
    block = abreast()
    for first in range(0, paths, block):
        width = min(block, paths - first)
        walked = np.empty((length, 4, width))
        engine.paths(seed, first, walked)
        short = engine.shortfall(seed, first, walked)
        part = (
            np.empty((*shape[:2], width), np.float32),
            np.empty((*shape[:2], width), np.float32),
        )
        exposures(
            walked, days, MARGIN_DAYS, engine.sets, faces, engine.notional, opening, returned,
            engine.grid, engine.tables, engine.hashed, engine.calendar.bucket, short, *part,
        )  # fmt: skip
        bare[:, :, first : first + width], secured[:, :, first : first + width] = part
        prices = walked_by_name(walked).price_usd
        ratios[:, first : first + width] = prices[days] / prices[0]
    return bare, secured, ratios


def _returned(engine: Engine, facing: Sequence[Facing], sides: Sequence[int]) -> Places:
    """Return for each side the day on which all collateral is back once its last trade has ended."""
    start, out = engine.calendar.edges[0], np.zeros(len(facing), dtype=np.int64)
    ends = engine.last_days()
    for place, one in enumerate(facing):
        ended = max(int(end) for end, side in zip(ends, sides, strict=True) if side == place)
        if one.terms is not None:
            due = one.terms.returned(start + timedelta(days=ended))
            ended = max(ended, (due - start.date()).days)
        out[place] = ended
    return out


def _profile(
    one: Facing,
    days: Sequence[int],
    bare: Singles,
    secured: Singles,
    hazards: Array,
    ranks: Sequence[tuple[int, int, int]],
) -> Profile:
    rows = [_instant(day, secured[place], bare[place], ranks) for place, day in enumerate(days)]
    weekly = [place for place, day in enumerate(days) if day % STEP_DAYS == 0]
    kept = secured[weekly]
    epe, epe_se = _adding(kept, [1.0 / len(weekly)] * len(weekly))
    cva, cva_se = _adding(kept, _failing(one, len(weekly)))
    wrong, wrong_se = _adding(kept, _failing_on_paths(one, hazards))
    return Profile(
        name=one.name,
        instants=tuple(rows[place] for place in weekly),
        margin_period=next(row for row in rows if row.days == min(MARGIN_DAYS, days[-1])),
        epe_usd=epe,
        epe_se=epe_se,
        cva_usd=cva,
        cva_se=cva_se,
        cva_wrong_way_usd=wrong,
        cva_wrong_way_se=wrong_se,
    )


def _instant(
    day: int, secured: Singles, bare: Singles, ranks: Sequence[tuple[int, int, int]]
) -> Instant:
    quantiles, errors = _quantiles(secured, ranks)
    bare_quantiles, bare_errors = _quantiles(bare, ranks)
    return Instant(
        days=day,
        expected=_mean(secured),
        quantiles=quantiles,
        quantiles_se=errors,
        bare_expected=_mean(bare),
        bare_quantiles=bare_quantiles,
        bare_quantiles_se=bare_errors,
    )


def _failing(one: Facing, weeks: int) -> list[float]:
    """Loss given default times the chance of failing in each week."""
    weekly = -log(1.0 - one.default_year) * (STEP_DAYS / 365.0)
    return [
        one.loss_given_default * (exp(-weekly * week) - exp(-weekly * (week + 1)))
        for week in range(weeks)
    ]


def _failing_on_paths(one: Facing, hazards: Array) -> list[Array]:
    """The same where the chance moves with each path's price."""
    yearly = -log(1.0 - one.default_year)
    summed, alive = np.zeros(hazards.shape[1]), np.ones(hazards.shape[1])
    found: list[Array] = []
    for row in hazards:
        summed = summed + yearly * row * (STEP_DAYS / 365.0)
        left = np.exp(-summed)
        found.append(one.loss_given_default * (alive - left))
        alive = left
    return found


def _adding(exposed: Singles, weights: Sequence[float] | Sequence[Array]) -> tuple[float, float]:
    """What exposures add up to so weighed: the mean over the paths, and its standard error."""
    total = np.zeros(exposed.shape[1])
    for weight, row in zip(weights, exposed, strict=True):
        total += weight * row.astype(np.float64)
    return float(total.mean()), float(total.std(ddof=1)) / sqrt(len(total))


def _mean(row: Singles) -> float:
    return float(row.mean(dtype=np.float64))


def _ranks(share: float, paths: int) -> tuple[int, int, int]:
    """The place of a quantile in order, between those that tell its error."""
    low, high = beside(share, paths)
    return low, ceil(share * paths) - 1, high


def _quantiles(
    row: Singles, ranks: Sequence[tuple[int, int, int]]
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Three quantiles and their standard errors."""
    order = np.partition(row, sorted({rank for one in ranks for rank in one}))
    (a, b, c) = (float(order[place]) for _, place, _ in ranks)
    (d, e, f) = (0.5 * float(order[high] - order[low]) for low, _, high in ranks)
    return (a, b, c), (d, e, f)
