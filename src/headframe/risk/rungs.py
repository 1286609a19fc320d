"""The cash ladder on the engine's paths: what is free at each date, and the chance that nothing is by then.

On the way up hedges call and cash runs out at a price; on the way down the coins pledged for a loan are worth
too little at a price known beforehand: both chances are of daily closes (a barrier watched all day is crossed
a little more often: Broadie, Glasserman and Kou, Mathematical Finance 7(4) (1997) 325-349).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt

from headframe.numerics import Array, np
from headframe.risk.columns import walked_by_name
from headframe.risk.distribution import quantile_se
from headframe.risk.engine import Engine, Room, abreast
from headframe.units import Wrong

LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)
_OUT = (0.05, 0.50, 0.95)


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
    low_price_se: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChanceLadder:
    """Every date; and where cash ran out the price it first did (5 %, median, 95 %; none: on no path)."""

    paths: int
    rungs: tuple[ChanceRung, ...]
    out_price: tuple[float, float, float] | None
    out_price_se: tuple[float, float, float] | None
    cures: tuple[float, ...] = ()
    """Coins to be pledged more at each date's ``low_price``, where there is a loan."""
    cures_se: tuple[float, ...] = ()

    def cured(self, short: Callable[[float], float]) -> "ChanceLadder":
        """With what cures the covenant, ``short`` being the coins that are short at a price."""
        lows = [(one.low_price, one.low_price_se) for one in self.rungs]
        return replace(
            self,
            cures=tuple(short(price) for price, _ in lows),
            cures_se=tuple(0.5 * (short(price - se) - short(price + se)) for price, se in lows),
        )


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
        _rung(day, kept[place], kept[count + place], lows[place], covenants)
        for place, day in enumerate(days)
    )
    first = kept[2 * count]
    gone = np.sort(first[first > 0.0])
    price = error = None
    if len(gone):
        low, middle, high = (_at(gone, level) for level in _OUT)
        price = (low, middle, high)
        below, about, above = (quantile_se(gone, level) for level in _OUT)
        error = (below, about, above)
    return ChanceLadder(paths=paths, rungs=rungs, out_price=price, out_price_se=error)


def _rung(
    day: int, free: Array, least: Array, lows: Array, covenants: Mapping[str, float]
) -> ChanceRung:
    ordered, prices = np.sort(free), np.sort(lows)
    return ChanceRung(
        days=day,
        free_usd=tuple(_at(ordered, level) for level in LEVELS),
        free_se=tuple(quantile_se(ordered, level) for level in LEVELS),
        out=_below(least, 0.0),
        broken={name: _below(lows, price) for name, price in covenants.items()},
        low_price=_at(prices, LEVELS[0]),
        low_price_se=quantile_se(prices, LEVELS[0]),
    )


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
        least = np.minimum.accumulate(walked_by_name(room.walked).price_usd, axis=0)
        lows[:, first : first + width] = least[list(days)]
    return kept, lows


def _below(row: Array, bound: float) -> Likely:
    """The chance of lying below a bound."""
    share = float((row < bound).mean())
    return Likely(share, sqrt(share * (1.0 - share) / len(row)))


def _at(ordered: Array, level: float) -> float:
    return float(ordered[max(ceil(level * len(ordered)), 1) - 1])
