"""Joint paths of coins, difficulty and power cost: simulated in blocks, row by row the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from headframe.mining.inputs import (
    fee_numbers,
    known_moves,
    laid,
    model_numbers,
    no_known_moves,
    pool_numbers,
    price_numbers,
    start_numbers,
    uptime_numbers,
)
from headframe.mining.kernels import START, simulate_coins
from headframe.mining.operation import Operation
from headframe.mining.start import ALL_RISKS, Paths, PricePaths, Risks, Start
from headframe.numerics import Array, np
from headframe.units import Month, Wrong, months_from

MOST_PATHS, MOST_BUCKETS = 5_000_000, 1_200
_BLOCK = 4_096
"""Paths simulated between two words of progress."""
Progress = Callable[[int, int], None]


def simulate(  # noqa: PLR0913 - every input by its name
    operation: Operation,
    edges: Sequence[datetime],
    *,
    start: Start,
    prices: PricePaths | None = None,
    paths: int,
    seed: int,
    risks: Risks = ALL_RISKS,
    periods: int = 0,
    progress: Progress | None = None,
) -> Paths:
    """Paths over consecutive buckets, or over so many retarget periods from the last retarget.

    Rows do not depend on how many paths there are nor on the number of threads; ``progress`` is told
    how many of them are done.
    """
    _checked(edges, start.last.at, paths, periods)
    laid_out = lay(operation, edges, start=start, prices=prices, risks=risks, periods=periods)
    drawn, _ = price_numbers(prices, start.last.at, risks)
    out = [np.empty((paths, periods or len(edges) - 1)) for _ in range(4)]
    for first in range(0, paths, _BLOCK):
        last = min(first + _BLOCK, paths)
        rows = drawn[first:last] if len(drawn) > 1 else drawn
        laid_out.fill(seed, first, by_point(rows), tuple(one[first:last] for one in out))
        if progress is not None:
            progress(last, paths)
    return Paths(*out)


@dataclass(frozen=True, slots=True)
class LaidMine:
    """A mine as the kernel takes it: everything but the prices and the draws; it can be sent away."""

    taken: tuple[Any, ...]
    placed: tuple[Any, ...]

    def fill(self, seed: int, first: int, prices: Array, out: tuple[Array, ...]) -> None:
        """Fill subsidy and fee coins, power USD and mean difficulty of paths from ``first`` on.

        ``prices`` are (points, any, paths, one for all, or none), the first of the second axis in USD a coin;
        the last two of ``out`` may be (0, 0).
        """
        _fill((seed, first, *self.taken, prices, *self.placed, *out))

    def stressed(self, difficulty: float, reward: float) -> "LaidMine":
        """The same mine at so many times the difficulty, each block bringing so many times its coins."""
        if not (difficulty > 0.0 and reward >= 0.0):
            raise Wrong(
                f"no mine runs at {difficulty:g} times the difficulty, {reward:g} the reward"
            )
        numbers = self.taken[0].copy()
        numbers[START] *= difficulty
        return LaidMine(
            (numbers, self.taken[1], self.taken[2] * reward, *self.taken[3:]), self.placed
        )


def by_point(prices: Array) -> Array:
    """Prices by path (paths, points) as the kernel reads them: (points, 1, paths)."""
    return np.ascontiguousarray(prices.T)[:, None, :]


def lay(
    operation: Operation,
    edges: Sequence[datetime],
    *,
    start: Start,
    prices: PricePaths | None,
    risks: Risks = ALL_RISKS,
    periods: int = 0,
) -> LaidMine:
    """Lay a mine out over buckets; of ``prices`` only the first price and the grid in time are kept."""
    begin = start.last.at
    end = _end(start, edges, periods)
    steps, rewards = start.chain.steps(start.last.height, _blocks(start, end))
    _, grid = price_numbers(prices, begin, risks)
    taken: tuple[Any, ...] = (
        start_numbers(start),
        np.array(steps, dtype=np.float64),
        np.array(rewards),
        model_numbers(start.model, risks),
        known_moves(start, prices, risks),
    )
    placed: tuple[Any, ...] = (
        grid,
        *laid(operation, begin, end, risks),
        fee_numbers(operation.fees, operation.pool.fees_counted, risks),
        uptime_numbers(operation, risks),
        pool_numbers(operation, risks),
        np.array([(edge - begin).total_seconds() for edge in edges])
        if not periods
        else np.zeros(1),
        1 if periods else 0,
    )
    return LaidMine(taken, placed)


def _end(start: Start, edges: Sequence[datetime], periods: int) -> datetime:
    """When the last bucket ends, or later than any path needs for so many periods."""
    if not periods:
        return edges[-1]
    return start.last.at + timedelta(seconds=periods * start.period_seconds * 1.6)


def _fill(arguments: tuple[Any, ...]) -> None:
    """The kernel, its arguments gathered in its own order."""
    simulate_coins(*arguments)


def _checked(edges: Sequence[datetime], last: datetime, paths: int, periods: int) -> None:
    if not 1 <= paths <= MOST_PATHS:
        raise Wrong(f"a forecast takes 1 to {MOST_PATHS:,} paths, was {paths:,}")
    if not 1 <= (periods or len(edges) - 1) <= MOST_BUCKETS:
        raise Wrong(f"a forecast takes 1 to {MOST_BUCKETS:,} months, days or periods")
    if not periods and edges[0] < last:
        raise Wrong(
            f"the forecast starts {edges[0]:%Y-%m-%d}, before the last retarget of {last:%Y-%m-%d}"
        )


def _blocks(start: Start, end: datetime) -> int:
    """More blocks than any path can find by then."""
    periods = (end - start.last.at).total_seconds() / start.period_seconds
    return int((periods + 2.0) * start.period * 4.0)


def month_edges(first: Month, months: int) -> tuple[datetime, ...]:
    """The edges of so many months in a row."""
    span = months_from(first, months)
    return (*(month.start for month in span), span[-1].end)


def steady(  # noqa: PLR0913 - every input by its name
    start: Start,
    hashrate_hs: float,
    first: Month,
    *,
    months: int,
    fee_share: float,
    pool_fee: float,
    paths: int,
    seed: int,
    progress: Progress | None = None,
) -> Array:
    """Coins by month of a hashrate that never changes, on any chain: (paths, months)."""
    if not 0.0 < hashrate_hs <= 1e24:
        raise Wrong(f"a hashrate must lie above 0 and up to 1000 ZH/s, was {hashrate_hs:g} H/s")
    if not (0.0 <= fee_share <= 10.0 and 0.0 <= pool_fee < 1.0):
        raise Wrong(
            f"fees lie between 0 and 10, a pool fee between 0 and 1, was {fee_share:g}, {pool_fee:g}"
        )
    edges = month_edges(first, months)
    _checked(edges, start.last.at, paths, 0)
    seconds = np.array([(edge - start.last.at).total_seconds() for edge in edges])
    steps, rewards = start.chain.steps(start.last.height, _blocks(start, edges[-1]))
    schedule = (steps, rewards)
    coins = constant_fleet(
        start, hashrate_hs, seconds, schedule, paths=paths, seed=seed, progress=progress
    )
    return coins * ((1.0 + fee_share) * (1.0 - pool_fee))


def constant_fleet(
    start: Start,
    hashrate_hs: float,
    seconds: Array,
    schedule: tuple[Sequence[int], Sequence[float]],
    *,
    paths: int,
    seed: int,
    progress: Progress | None = None,
) -> Array:
    """Coins of subsidy of a constant hashrate between seconds from the last retarget: (paths, buckets).

    ``schedule`` are the heights at which the reward steps, and the rewards.
    """
    shape = (paths, len(seconds) - 1)
    coins, fees, nothing = np.empty(shape), np.empty(shape), np.empty((0, 0))
    taken: tuple[Any, ...] = (
        start_numbers(start),
        np.array(schedule[0], dtype=np.float64),
        np.array(schedule[1]),
        model_numbers(start.model),
        no_known_moves(),
        by_point(nothing),
        np.array([1.0, 0.0]),
        np.array([0.0, seconds[-1]]),
        np.zeros(1, dtype=np.int64),
        np.array([0, 1], dtype=np.int64),
        np.array([-1.0]),
        np.array([0.0, hashrate_hs]),
        np.zeros(2),
        np.zeros(1),
        np.zeros((0, 4)),
        np.array([0.0, 0.0, 0.0, 0.0, 1.0]),
        np.array([0.0, 1.0]),
        np.array([0.0, 1.0, 0.0, 0.0]),
        seconds,
        0,
    )
    for first in range(0, paths, _BLOCK):
        last = min(first + _BLOCK, paths)
        _fill((seed, first, *taken, coins[first:last], fees[first:last], nothing, nothing))
        if progress is not None:
            progress(last, paths)
    return coins
