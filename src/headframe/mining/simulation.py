"""Joint paths of coins, difficulty and power cost: the operation and the model made into arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import log, sqrt
from typing import Any

from headframe.chain import Chain, Retarget
from headframe.mining.difficulty import PRICE_LAGS, DifficultyModel, year_phase
from headframe.mining.dispatch import staircase
from headframe.mining.fleet import Batch
from headframe.mining.kernels import lognormal_paths, simulate_coins
from headframe.mining.operation import FeeOutlook, Operation
from headframe.numerics import Array, Places, np
from headframe.units import Month, Wrong, months_from

MOST_PATHS, MOST_BUCKETS = 5_000_000, 1_200
_WEEK = 604_800.0
_BLOCK = 65_536
"""Paths simulated between two words of progress."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PricePaths:
    """USD per coin on every path: (paths or 1, points), from an instant on, evenly spaced."""

    prices: Array
    start: datetime
    step_seconds: float

    def __post_init__(self) -> None:
        if self.prices.ndim != 2 or self.prices.shape[1] < 2 or not self.step_seconds > 0.0:
            raise Wrong("price paths are an array (paths, points) with at least two points")
        if not (np.isfinite(self.prices).all() and (self.prices > 0.0).all()):
            raise Wrong("every price of a path must be a positive number")


def lognormal_prices(
    start_usd: float, vol: float, *, at: datetime, until: datetime, paths: int, seed: int
) -> PricePaths:
    """Driftless log-normal prices by week: what stands in where no scenario engine gives better."""
    if not (0.0 < start_usd < 1e9 and 0.0 <= vol < 5.0):
        raise Wrong(f"no price paths from {start_usd} USD at a volatility of {vol}")
    points = int((until - at).total_seconds() / _WEEK) + 2
    prices = np.empty((paths, points))
    lognormal_paths(seed, start_usd, vol, _WEEK, prices)
    return PricePaths(prices, at, _WEEK)


@dataclass(frozen=True, slots=True)
class Start:
    """Where the paths begin: the chain, its last retarget, and the model of what follows."""

    chain: Chain
    last: Retarget
    model: DifficultyModel
    period: int

    @property
    def period_seconds(self) -> float:
        """The target timespan of a period."""
        return self.period * float(self.chain.spacing_seconds)


def start_of(chain: Chain, history: Sequence[Retarget], model: DifficultyModel) -> Start:
    """The start after a history; a chain that adjusts at every block moves at the history's own step."""
    last = history[-1]
    step = chain.period
    if step == 1 and len(history) > 1:
        step = last.height - history[-2].height
    return Start(chain, last, model, step)


@dataclass(frozen=True, slots=True)
class Paths:
    """Simulated figures, each (paths, buckets): coins by source, USD of power, mean difficulty."""

    subsidy: Array
    fees: Array
    power_usd: Array
    difficulty: Array

    @property
    def coins(self) -> Array:
        """Coins of subsidy and fees together."""
        return self.subsidy + self.fees


@dataclass(frozen=True, slots=True, kw_only=True)
class Risks:
    """Which chances are on: to measure one alone, the others are switched to their expectation."""

    difficulty: bool = True
    price: bool = True
    fees: bool = True
    uptime: bool = True
    delay: bool = True
    luck: bool = True


ALL_RISKS = Risks()
NAMES = ("difficulty", "price", "fees", "uptime", "delay", "luck")


def only(name: str | None) -> Risks:
    """One chance alone, or none."""
    return Risks(**{one: one == name for one in NAMES})


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
    begin = start.last.at
    end = _end(start, edges, periods)
    steps, rewards = start.chain.steps(start.last.height, _blocks(start, end))
    drawn, grid = _prices(prices, begin, risks)
    out = [np.empty((paths, periods or len(edges) - 1)) for _ in range(4)]
    taken: tuple[Any, ...] = (
        start_numbers(start),
        np.array(steps, dtype=np.float64),
        np.array(rewards),
        model_numbers(start.model, risks),
        _known(start.model, prices),
    )
    placed: tuple[Any, ...] = (
        grid,
        *_laid(operation, begin, end, risks),
        _fees(operation.fees, operation.pool.fees_counted, risks),
        _uptime(operation, risks),
        _pool(operation, risks),
        np.array([(edge - begin).total_seconds() for edge in edges])
        if not periods
        else np.zeros(1),
        1 if periods else 0,
    )
    for first in range(0, paths, _BLOCK):
        last = min(first + _BLOCK, paths)
        rows = drawn[first:last] if len(drawn) > 1 else drawn
        _fill((seed, first, *taken, rows, *placed, *(one[first:last] for one in out)))
        if progress is not None:
            progress(last, paths)
    return Paths(*out)


def _end(start: Start, edges: Sequence[datetime], periods: int) -> datetime:
    """When the last bucket ends, or later than any path needs for so many periods."""
    if not periods:
        return edges[-1]
    return start.last.at + timedelta(seconds=periods * start.period_seconds * 1.6)


def _laid(
    operation: Operation, begin: datetime, end: datetime, risks: Risks
) -> tuple[Array | Places, ...]:
    """The fleet over time as the kernel takes it: spans, their months, staircases, late batches."""
    delayed = tuple(b for b in operation.fleet if b.delay_days > 0.0) if risks.delay else ()
    steady = operation if risks.delay else _on_average(operation)
    cuts = _cuts(begin, end, steady)
    stair = staircase(steady, cuts, delayed)
    return (
        np.array([(cut - begin).total_seconds() for cut in cuts]),
        np.array([_months_between(cuts[0], cut) for cut in cuts[:-1]], dtype=np.int64),
        stair.offsets,
        stair.thresholds,
        stair.hashes,
        stair.usd,
        stair.fixed_usd,
        np.array([_late(batch, begin) for batch in delayed]).reshape(-1, 4),
    )


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


def _on_average(operation: Operation) -> Operation:
    """The operation with every uncertain delay replaced by its mean."""
    fleet = tuple(
        batch
        if batch.delay_days == 0.0 or batch.since is None
        else _moved(batch, timedelta(days=round(batch.delay_days)))
        for batch in operation.fleet
    )
    return replace(operation, fleet=tuple(batch for batch in fleet if batch is not None))


def _moved(batch: Batch, by: timedelta) -> Batch | None:
    assert batch.since is not None
    since = batch.since + by
    if batch.until is not None and batch.until <= since:
        return None
    return replace(batch, since=since, delay_days=0.0)


def _cuts(begin: datetime, end: datetime, operation: Operation) -> tuple[datetime, ...]:
    """Every instant between two at which a month turns, the fleet changes or a power block ends."""
    months: list[datetime] = []
    month = Month.of(begin).plus(1)
    while month.start < end:
        months.append(month.start)
        month = month.plus(1)
    ends = [block.until for site in operation.sites for block in site.blocks if block.until]
    changes = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in ends]
    changes += [edge for batch in operation.fleet for edge in batch.edges()]
    return tuple(sorted({begin, end, *months, *(one for one in changes if begin < one < end)}))


def _months_between(first: datetime, at: datetime) -> int:
    return (at.year - first.year) * 12 + at.month - first.month


def _blocks(start: Start, end: datetime) -> int:
    """More blocks than any path can find by then."""
    periods = (end - start.last.at).total_seconds() / start.period_seconds
    return int((periods + 2.0) * start.period * 4.0)


def start_numbers(start: Start) -> Array:
    """The kernel's ``chain``: where the paths begin and how the rule adjusts."""
    chain = start.chain
    adjusts = chain.period > 1
    return np.array(
        [
            start.last.difficulty,
            float(start.last.height),
            float(start.period),
            float(start.period * chain.intervals / chain.period),
            float(chain.spacing_seconds),
            chain.hashes_per_difficulty,
            log(4.0) if adjusts else log(1e6),
            year_phase(start.last.at),
        ]
    )


def model_numbers(model: DifficultyModel, risks: Risks = ALL_RISKS) -> Array:
    """The kernel's ``model``."""
    answer = model.price
    return np.array(
        [
            model.drift,
            model.innovation_sd if risks.difficulty else 0.0,
            model.memory,
            model.last_deviation,
            model.season_cos,
            model.season_sin,
            model.squeeze_used,
            0.0 if answer is None else answer.same,
            0.0 if answer is None else answer.six,
            0.0 if answer is None else answer.seven,
        ]
    )


def _known(model: DifficultyModel, prices: PricePaths | None) -> Array:
    """The price's moves so far: to the present price, then those of the periods before."""
    answer = model.price
    if answer is None or prices is None or answer.last_mean <= 0.0:
        return np.zeros(PRICE_LAGS + 1)
    recent = log(float(prices.prices[0, 0]) / answer.last_mean)
    return np.array([recent, *answer.known, *([0.0] * PRICE_LAGS)][: PRICE_LAGS + 1])


def _prices(prices: PricePaths | None, begin: datetime, risks: Risks) -> tuple[Array, Array]:
    if prices is None:
        return np.empty((0, 0)), np.array([1.0, 0.0])
    grid = np.array([prices.step_seconds, (prices.start - begin).total_seconds()])
    if risks.price:
        return prices.prices, grid
    return np.ascontiguousarray(prices.prices.mean(axis=0, keepdims=True)), grid


def _late(batch: Batch, begin: datetime) -> tuple[float, float, float, float]:
    assert batch.since is not None
    since = datetime(batch.since.year, batch.since.month, batch.since.day, tzinfo=UTC)
    until = 1e300
    if batch.until is not None:
        gone = datetime(batch.until.year, batch.until.month, batch.until.day, tzinfo=UTC)
        until = (gone - begin).total_seconds()
    return (
        (since - begin).total_seconds(),
        batch.ramp_days * 86_400.0,
        batch.delay_days * 86_400.0,
        until,
    )


def _fees(fees: FeeOutlook, counted: float, risks: Risks) -> Array:
    spread = fees.log_sd if risks.fees else 0.0
    return np.array([fees.share_median, spread, fees.persistence, fees.tail, counted])


def _uptime(operation: Operation, risks: Risks) -> Array:
    """Relative spread of the mine's uptime, sites failing each on its own, and its greatest value."""
    weights = {site.name: 0.0 for site in operation.sites}
    for batch in operation.fleet:
        weights[batch.site] += batch.count * batch.machine.hashrate_ths
    total = sum(weights.values())
    if total == 0.0:
        return np.array([0.0, 1.0])
    mean = sum(weights[site.name] * site.uptime for site in operation.sites) / total
    variance = sum((weights[site.name] / total * site.uptime_sd) ** 2 for site in operation.sites)
    if mean == 0.0:
        return np.array([0.0, 1.0])
    return np.array([sqrt(variance) / mean if risks.uptime else 0.0, 1.0 / mean])


def _pool(operation: Operation, risks: Risks) -> Array:
    pool = operation.pool
    lucky = pool.lucky if risks.luck else (False, False)
    return np.array([pool.fee, pool.part_of_pool, float(lucky[0]), float(lucky[1])])


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
        np.zeros(PRICE_LAGS + 1),
        nothing,
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
