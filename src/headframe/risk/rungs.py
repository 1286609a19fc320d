"""The cash ladder on the engine's paths: what is free at each date, and the chance that nothing is by then.

On the way up hedges call and cash runs out at a price; on the way down the coins pledged for a loan are worth
too little at a price known beforehand: both chances are of daily closes (a barrier watched all day is crossed
a little more often: Broadie, Glasserman and Kou, Mathematical Finance 7(4) (1997) 325-349).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from headframe.numerics import Array, np
from headframe.risk.distribution import quantile_se
from headframe.risk.engine import Engine, Room, abreast
from headframe.units import Wrong

LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Likely:
    """A chance and its standard error."""

    share: float
    se: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceRung:
    """One date of the ladder: quantiles of what is free, in USD, and what may have happened by then."""

    days: int
    free_usd: tuple[float, ...]
    """At ``LEVELS``."""
    free_se: tuple[float, ...]
    out: Likely
    """Cash, credit and free coins were below nothing on some day so far."""
    broken: Mapping[str, Likely]
    """By name of a covenant: the price closed below its own on some day so far."""
    low_price: float
    """The least close so far, on the worst twentieth of the paths at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceLadder:
    """Every date; and where cash ran out the price it first did (5 %, median, 95 %; none: on no path)."""

    paths: int
    rungs: tuple[ChanceRung, ...]
    out_price: tuple[float, float, float] | None
    cures: tuple[float, ...] = ()
    """Coins to be pledged more at each date's ``low_price``, where there is a loan."""


def chance_ladder(
    engine: Engine,
    days: Sequence[int],
    covenants: Mapping[str, float],
    *,
    paths: int,
    seed: int,
) -> ChanceLadder:
    """The ladder at the ends of some days from now; ``covenants`` are prices below which each is broken."""
    last = engine.calendar.days
    if not days or list(days) != sorted(set(days)) or not 1 <= days[0] <= days[-1] <= last:
        raise Wrong(f"a ladder has days from 1 to {last} in order, was {list(days)[:5]}")
    if not 100 <= paths <= 1_000_000:
        raise Wrong(f"a ladder takes 100 to 1,000,000 paths, was {paths:,}")
    kept, lows = _walked(engine, days, paths, seed)
    count = len(days)
    rungs = tuple(
        ChanceRung(
            days=day,
            free_usd=_quantiles(kept[place], paths),
            free_se=tuple(quantile_se(np.sort(kept[place]), level) for level in LEVELS),
            out=_likely(kept[count + place] < 0.0, paths),
            broken={name: _likely(lows[place] < price, paths) for name, price in covenants.items()},
            low_price=_quantiles(lows[place], paths)[0],
        )
        for place, day in enumerate(days)
    )
    first = kept[2 * count]
    gone = np.sort(first[first > 0.0])
    price = None
    if len(gone):
        ranks = [min(ceil(level * len(gone)), len(gone)) - 1 for level in (0.05, 0.5, 0.95)]
        low, middle, high = (float(gone[max(rank, 0)]) for rank in ranks)
        price = (low, middle, high)
    return ChanceLadder(paths=paths, rungs=rungs, out_price=price)


def _walked(engine: Engine, days: Sequence[int], paths: int, seed: int) -> tuple[Array, Array]:
    """(2 rungs + 1, paths) as the kernel keeps them, and the least close so far at each rung."""
    count, length = len(days), engine.calendar.days + 1
    rung = np.full(length, -1, dtype=np.int64)
    rung[list(days)] = np.arange(count)
    kept, lows = np.empty((2 * count + 1, paths)), np.empty((count, paths))
    block = abreast()
    for first in range(0, paths, block):
        width = min(block, paths - first)
        room = Room.of(engine, width)
        part = np.zeros((2 * count + 1, width))
        engine.paths(seed, first, room.walked)
        engine.settle(seed, first, room, (rung, part))
        kept[:, first : first + width] = part
        least = np.minimum.accumulate(room.walked[:, 0, :], axis=0)
        lows[:, first : first + width] = least[list(days)]
    return kept, lows


def _likely(happened: Array, paths: int) -> Likely:
    share = float(happened.mean())
    return Likely(share, sqrt(share * (1.0 - share) / paths))


def _quantiles(row: Array, paths: int) -> tuple[float, ...]:
    ordered = np.sort(row)
    return tuple(float(ordered[ceil(level * paths) - 1]) for level in LEVELS)
