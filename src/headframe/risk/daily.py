"""Paths whole, day by day, for who asks: prices, mining and liquidity of the first of a run."""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from headframe.numerics import Array, np
from headframe.risk.columns import walked_by_name
from headframe.risk.engine import Engine, Programme, Room, abreast, prepare
from headframe.risk.hedged import no_hedge
from headframe.units import Wrong

MOST_DAILY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyPaths:
    """Some paths whole: (paths, days + 1) from the first instant on; what flows is (paths, days)."""

    at: tuple[datetime, ...]
    price_usd: Array
    variance: Array
    """A year."""
    basis: Array
    """What the carry of forwards adds to today's, a year."""
    difficulty: Array
    """Mean of the bucket a day lies in: up to seven days of a month."""
    coins: Array
    power_usd: Array
    liquidity_usd: Array
    """Cash, undrawn credit and free coins at the day's price, less margin and collateral."""
    liquidity_unhedged_usd: Array

    def arrays(self) -> dict[str, Array]:
        """Every array by its name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "at"}


def daily_paths(made: Programme, engine: Engine, *, paths: int, seed: int) -> DailyPaths:
    """The first paths of a run of ``engine``, which is ``made`` prepared, with nothing reduced."""
    if not 1 <= paths <= MOST_DAILY:
        raise Wrong(f"whole paths are kept of 1 to {MOST_DAILY:,}, was {paths:,}")
    bare = prepare(replace(made, hedge=no_hedge(), upfront_usd=0.0))
    parts = [
        _part(engine, bare, seed, first, min(abreast(), paths - first))
        for first in range(0, paths, abreast())
    ]
    days = engine.calendar.days
    return DailyPaths(
        at=tuple(made.as_of + timedelta(days=day) for day in range(days + 1)),
        **{name: np.concatenate([one[name] for one in parts], axis=1).T for name in parts[0]},
    )


def _part(engine: Engine, bare: Engine, seed: int, first: int, width: int) -> dict[str, Array]:
    """A block of paths, each array (days, paths) or (days + 1, paths)."""
    calendar, room = engine.calendar, Room.of(engine, width)
    engine.paths(seed, first, room.walked)
    with_hedge = _liquidity(engine, seed, first, room)
    without = _liquidity(bare, seed, first, replace(room, difficulty=np.empty((0, 0))))
    difficulty = np.empty((width, len(calendar.edges) - 1))
    engine.mine.fill(seed, first, room.walked, (room.coins, room.fees, room.power, difficulty))
    room.coins[:] += room.fees
    bucket, share, walked = calendar.bucket, calendar.share[:, None], walked_by_name(room.walked)
    return {
        "price_usd": walked.price_usd,
        "variance": walked.variance_root4**4,
        "basis": walked.carry_stray,
        "difficulty": difficulty.T[bucket],
        "coins": room.coins.T[bucket] * share,
        "power_usd": room.power.T[bucket] * share,
        "liquidity_usd": with_hedge,
        "liquidity_unhedged_usd": without,
    }


def _liquidity(engine: Engine, seed: int, first: int, room: Room) -> Array:
    """Liquidity at every day's end: (days + 1, paths)."""
    days, width = engine.calendar.days, room.walked.shape[2]
    rung = np.arange(-1, days, dtype=np.int64)
    kept = np.zeros((2 * days + 1, width))
    engine.settle(seed, first, room, (rung, kept))
    cash, credit, stock, free, premium = engine.opening
    opened = cash + credit - premium + (stock + free) * walked_by_name(room.walked).price_usd[0]
    return np.concatenate([opened[None], kept[:days]])
