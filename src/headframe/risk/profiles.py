"""Exposure to each counterparty through time on the engine's paths: expected, potential, and its price.

Potential future exposure is a quantile of what would be lost at a date; expected positive exposure its mean
over time; the credit valuation adjustment what the other side's chance of failing costs, undiscounted.
Collateral is that of the agreement, as it was a margin period before (Gregory, "The xVA challenge", chapters
on exposure and margin). With wrong-way risk the chance of failing moves with the coin: hazard at a price S is
today's times (S0 / S) to the power of ``falls_with_coin``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, exp, log

from headframe.counterparty import HOUSE
from headframe.numerics import Array, Places, Singles, np
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One date of a profile, in USD: expected exposure, and its 95, 97.5 and 99 % quantiles."""

    days: int
    expected: float
    quantiles: tuple[float, float, float]
    bare_expected: float
    bare_quantiles: tuple[float, float, float]
    """The same as if no collateral moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A counterparty through time; ``margin_period`` is the exposure of the first ten days alone."""

    name: str
    instants: tuple[Instant, ...]
    margin_period: Instant
    epe_usd: float
    cva_usd: float
    cva_wrong_way_usd: float

    def peak(self, place: int) -> tuple[float, int]:
        """The greatest quantile and its day; ``place`` is that of ``QUANTILES``."""
        worst = max(self.instants, key=lambda one: one.quantiles[place])
        return worst.quantiles[place], worst.days


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
    ranks = [ceil(share * paths) - 1 for share in QUANTILES]
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
            walked, days, MARGIN_DAYS, engine.sets, faces, engine.notional, opening, engine.grid,
            engine.tables, engine.hashed, engine.calendar.bucket, short, *part,
        )  # fmt: skip
        bare[:, :, first : first + width], secured[:, :, first : first + width] = part
        ratios[:, first : first + width] = walked[days, 0] / walked[0, 0]
    return bare, secured, ratios


def _profile(
    one: Facing,
    days: Sequence[int],
    bare: Singles,
    secured: Singles,
    hazards: Array,
    ranks: Sequence[int],
) -> Profile:
    rows = [
        Instant(
            days=day,
            expected=_mean(secured[place]),
            quantiles=_quantiles(secured[place], ranks),
            bare_expected=_mean(bare[place]),
            bare_quantiles=_quantiles(bare[place], ranks),
        )
        for place, day in enumerate(days)
    ]
    weekly = [row for row in rows if row.days % STEP_DAYS == 0]
    kept = [place for place, day in enumerate(days) if day % STEP_DAYS == 0]
    return Profile(
        name=one.name,
        instants=tuple(weekly),
        margin_period=next(row for row in rows if row.days == min(MARGIN_DAYS, days[-1])),
        epe_usd=sum(row.expected for row in weekly) / len(weekly) if weekly else 0.0,
        cva_usd=_steady(one, [row.expected for row in weekly]),
        cva_wrong_way_usd=_adjustment(one, secured[kept], hazards),
    )


def _steady(one: Facing, expected: Sequence[float]) -> float:
    """Loss given default times expected exposure at the chance of failing in each week."""
    weekly = -log(1.0 - one.default_year) * (STEP_DAYS / 365.0)
    chances = (exp(-weekly * week) - exp(-weekly * (week + 1)) for week in range(len(expected)))
    return one.loss_given_default * sum(
        chance * usd for chance, usd in zip(chances, expected, strict=True)
    )


def _adjustment(one: Facing, exposed: Singles, hazards: Array) -> float:
    """Loss given default times exposure at the chance of failing in each week, path by path."""
    yearly = -log(1.0 - one.default_year)
    total, summed = 0.0, np.zeros(hazards.shape[1])
    alive = np.ones(hazards.shape[1])
    for week in range(len(hazards)):
        summed += yearly * hazards[week] * (STEP_DAYS / 365.0)
        left = np.exp(-summed)
        total += float(((alive - left) * exposed[week].astype(np.float64)).mean())
        alive = left
    return one.loss_given_default * total


def _mean(row: Singles) -> float:
    return float(row.mean(dtype=np.float64))


def _quantiles(row: Singles, ranks: Sequence[int]) -> tuple[float, float, float]:
    low, middle, high = np.partition(row, ranks)[ranks].tolist()
    return float(low), float(middle), float(high)
