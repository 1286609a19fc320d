"""Worth of contracts on production: on the engine's prices and the forecast's difficulty, together.

Nothing is discounted. The fixed rate that makes a contract worth nothing is the mean index of its
days; in coin each day counts at its own price.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import sqrt

from headframe.chain import Retarget
from headframe.instrument import DifficultySwap, HashpriceForward
from headframe.mining import (
    Batch,
    Machine,
    Operation,
    Pool,
    PoolScheme,
    PricePaths,
    Site,
    Start,
    lay,
)
from headframe.numerics import Array, np
from headframe.pricing import Surface
from headframe.risk.columns import walked_by_name
from headframe.risk.kernels import price_paths
from headframe.risk.price_models import PriceModel
from headframe.units import Wrong

_UNIT = Machine(model="1 PH/s", hashrate_ths=1_000.0, power_w=1.0, source="unit of the index")
_BLOCK = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """A contract's value in USD and the fixed rate that makes it fair, with standard errors."""

    value_usd: float
    value_se: float
    fair: float
    fair_se: float
    paths: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Where the paths begin: chain, mine (for its fees), market, price model, seed and how many."""

    at: datetime
    start: Start
    operation: Operation
    surface: Surface
    model: PriceModel
    seed: int
    paths: int = 20_000

    def __post_init__(self) -> None:
        if not 2 <= self.paths <= 1_000_000:
            raise Wrong(f"a contract is valued on 2 to 1,000,000 paths, was {self.paths}")


def index_paths(outlook: Outlook, first: datetime, days: int) -> tuple[Array, Array]:
    """Hashprice in coins per PH/s and day, and the price of a coin at each day's middle: (paths, days)."""
    before = (first - outlook.at).total_seconds() / 86_400.0
    if before < 0.0 or days < 1:
        raise Wrong(
            f"an index is simulated from {outlook.at:%Y-%m-%d %H:%M} on, was from {first:%Y-%m-%d}"
        )
    reach = int(before) + days + 2
    spot, surface = outlook.surface.spot, outlook.surface
    edges = [first + timedelta(days=day) for day in range(days + 1)]
    grid = PricePaths(np.full((1, 2), spot), outlook.at, 86_400.0)
    mine = lay(_unit_mine(outlook.operation), edges, start=outlook.start, prices=grid)
    curve = np.array([surface.forward(day / 365.0) for day in range(reach + 1)])
    growth = np.diff(np.log(curve)).round(12)
    numbers, drawn = outlook.model.numbers(spot), outlook.model.drawn_from()
    coins, prices = np.empty((outlook.paths, days)), np.empty((outlook.paths, days))
    places = before + np.arange(days) + 0.5
    low = places.astype(np.int64)
    share = places - low
    for at in range(0, outlook.paths, _BLOCK):
        width = min(_BLOCK, outlook.paths - at)
        walked = np.empty((reach + 1, 4, width))
        price_paths(outlook.seed, at, numbers, growth, *drawn, walked)
        fees, nothing = np.empty((width, days)), np.empty((0, 0))
        rows = coins[at : at + width]
        mine.fill(outlook.seed, at, walked, (rows, fees, nothing, nothing))
        rows += fees
        spots = walked_by_name(walked).price_usd.T
        prices[at : at + width] = spots[:, low] * (1.0 - share) + spots[:, low + 1] * share
    return coins, prices


def hashprice_worth(contract: HashpriceForward, outlook: Outlook) -> Worth:
    """A hashprice forward's days still to come, to the seller."""
    days = [day for day in contract.days if _midnight(day) >= outlook.at]
    if not days:
        raise Wrong(
            f"the contract has settled by {outlook.at:%Y-%m-%d}: its last day was {contract.last}"
        )
    coins, prices = index_paths(outlook, _midnight(days[0]), len(days))
    phs, fixed = float(contract.phs), float(contract.fixed)
    if contract.in_coin:
        gains, weights = phs * (fixed - coins) * prices, prices
    else:
        gains, weights = phs * (fixed - coins * prices), np.ones_like(prices)
    value, index, weight = gains.sum(axis=1), (coins * prices).sum(axis=1), weights.sum(axis=1)
    fair = float(index.mean() / weight.mean())
    return Worth(
        value_usd=float(value.mean()),
        value_se=_error(value),
        fair=fair,
        fair_se=_error(index - fair * weight) / float(weight.mean()),
        paths=outlook.paths,
    )


def difficulty_worth(contract: DifficultySwap, outlook: Outlook, past: Sequence[Retarget]) -> Worth:
    """A difficulty swap to its buyer: blocks found so far counted, those to come simulated."""
    begin, end = _midnight(contract.first), _midnight(contract.last) + timedelta(days=1)
    if end <= past[-1].at:
        raise Wrong(f"the swap ended before the last retarget of {past[-1].at:%Y-%m-%d}")
    blocks, levels = _known_blocks(past, outlook.start, begin, end)
    found, lengths = _periods(outlook, end)
    starts = np.cumsum(lengths, axis=1) - lengths
    zero = outlook.start.last.at
    opens, closes = (begin - zero).total_seconds(), (end - zero).total_seconds()
    inside = np.clip(np.minimum(starts + lengths, closes) - np.maximum(starts, opens), 0.0, None)
    count = inside / lengths * outlook.start.period
    mean = (blocks * levels + (count * found).sum(axis=1)) / (blocks + count.sum(axis=1)) / 1e12
    rate = float(contract.usd_per_t)
    return Worth(
        value_usd=rate * (float(mean.mean()) - float(contract.fixed_t)),
        value_se=abs(rate) * _error(mean),
        fair=float(mean.mean()),
        fair_se=_error(mean),
        paths=outlook.paths,
    )


def _periods(outlook: Outlook, end: datetime) -> tuple[Array, Array]:
    """Difficulty and length in seconds of each retarget period to come: (paths, periods)."""
    start, spot = outlook.start, outlook.surface.spot
    periods = int((end - start.last.at).total_seconds() / (0.6 * start.period_seconds)) + 2
    days = int(periods * start.period_seconds * 1.7 / 86_400.0) + 2
    edges = [start.last.at]
    grid = PricePaths(np.full((1, 2), spot), outlook.at, 86_400.0)
    laid = lay(_unit_mine(outlook.operation), edges, start=start, prices=grid, periods=periods)
    curve = np.array([outlook.surface.forward(day / 365.0) for day in range(days + 1)])
    numbers, drawn = outlook.model.numbers(spot), outlook.model.drawn_from()
    steps, rewards = start.chain.steps(start.last.height, start.period * (periods + 1))
    heights = start.last.height + start.period * np.arange(periods)
    reward = np.array([_mean_reward(int(h), start.period, steps, rewards) for h in heights])
    levels, lengths = np.empty((outlook.paths, periods)), np.empty((outlook.paths, periods))
    for at in range(0, outlook.paths, _BLOCK):
        width = min(_BLOCK, outlook.paths - at)
        walked = np.empty((days + 1, 4, width))
        price_paths(outlook.seed, at, numbers, np.diff(np.log(curve)).round(12), *drawn, walked)
        coins, fees, rows = (
            np.empty((width, periods)),
            np.empty((width, periods)),
            levels[at : at + width],
        )
        laid.fill(outlook.seed, at, walked, (coins, fees, np.empty((0, 0)), rows))
        # one PH/s finds 1e15 / (difficulty x hashes) blocks a second, each worth the period's reward
        lengths[at : at + width] = (
            coins * rows * start.chain.hashes_per_difficulty / (1e15 * reward)
        )
    return levels, lengths


def _mean_reward(height: int, period: int, steps: Sequence[int], rewards: Sequence[float]) -> float:
    """Mean reward of a period's blocks."""
    total, at, index = 0.0, height, sum(step <= height for step in steps)
    for step in (*steps[index:], height + period):
        until = min(step, height + period)
        total += rewards[index] * max(until - at, 0)
        at, index = until, index + 1
        if at >= height + period:
            break
    return total / period


def _known_blocks(
    past: Sequence[Retarget], start: Start, begin: datetime, end: datetime
) -> tuple[float, float]:
    """Blocks of the window before the last retarget, even over each period, and their mean difficulty."""
    blocks = total = 0.0
    for one, after in pairwise(past):
        if after.at <= begin or one.at >= end or after.at > start.last.at:
            continue
        inside = (min(after.at, end) - max(one.at, begin)).total_seconds()
        found = (after.height - one.height) * inside / (after.at - one.at).total_seconds()
        blocks += found
        total += found * one.difficulty
    return blocks, total / blocks if blocks else 0.0


def _unit_mine(operation: Operation) -> Operation:
    """One PH/s that never rests, paid the mean of fees and subsidy: what the index pays."""
    site = Site(name="index", uptime=1.0, capacity_mw=1.0, power_usd_mwh=(0.0,) * 12)
    return replace(
        operation,
        sites=(site,),
        fleet=(Batch(site="index", machine=_UNIT, count=1),),
        pool=Pool(scheme=PoolScheme.FPPS, fee=0.0),
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _error(values: Array) -> float:
    return float(values.std(ddof=1)) / sqrt(len(values))
