"""Coins by month with their uncertainty: what the hedge is sized on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt

from headframe.mining.coverage import difficulty_notes
from headframe.mining.difficulty import DifficultyModel
from headframe.mining.natural import NaturalHedge, natural_hedges
from headframe.mining.operation import Operation
from headframe.mining.simulation import Progress, month_edges, simulate
from headframe.mining.start import NAMES, Paths, PricePaths, Start, only
from headframe.numerics import Array, column_quantiles, density, np, quantile
from headframe.units import Month, Wrong, months_from

SHARES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
MODEL_VERSION = (
    "production/3: pooled drift with its error, season, AR(1) noise and answer to price of log "
    "difficulty on the exact retarget calendar; log-normal fees; curtailment by hashprice"
)
_FEW = 4_000
"""Paths for the shares of the variance: each risk alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A quantity's percentiles, each the chance of less in percent, and its mean."""

    p5: float
    p10: float
    p25: float
    p50: float
    p75: float
    p90: float
    p95: float
    mean: float

    def errors(self, paths: int) -> tuple[float, float, float]:
        """Standard errors of P10, P50 and P90 on so many paths.

        sqrt(p (1 - p) / paths) over the density at the quantile (Stuart and Ord, Kendall's Advanced Theory
        of Statistics I, 6th ed., 10.10), which is taken as a normal one's of the band's own width: that
        between P25 and P75 for the median, and on its own side for P10 and P90.
        """
        far = quantile(0.9)
        middle = 0.5 / density(0.0) * (self.p75 - self.p25) / (2.0 * quantile(0.75))
        side = sqrt(0.1 * 0.9) / density(far) / far
        low, high = side * (self.p50 - self.p10), side * (self.p90 - self.p50)
        root = sqrt(paths)
        return low / root, middle / root, high / root


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthForecast:
    """One month: coins alone and summed from the start, with what drives them."""

    month: Month
    coins: Band
    cumulative: Band
    subsidy_coins: float
    fee_coins: float
    flat_difficulty_coins: float
    hashrate_hs: float
    difficulty: Band
    power_usd: float
    fixed_usd: float
    debt_usd: float
    capex_usd: float
    depreciation_usd: float

    @property
    def cash_need_usd(self) -> float:
        """Cash that leaves: power, fixed costs, debt service and capex."""
        return self.power_usd + self.fixed_usd + self.debt_usd + self.capex_usd

    @property
    def cash_cost_usd(self) -> float:
        """Cash cost of mining: power, which varies with machines run, and fixed costs."""
        return self.power_usd + self.fixed_usd

    @property
    def all_in_usd(self) -> float:
        """Cash cost with depreciation."""
        return self.cash_cost_usd + self.depreciation_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskShare:
    """How much of the variance of the horizon's coins one risk alone makes."""

    risk: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """A production forecast: its months, the state it started from and the model it used."""

    as_of: datetime
    coin: str
    start_height: int
    start_at: datetime
    start_difficulty: float
    difficulty_model: DifficultyModel
    fee_share_median: float
    pool_fee: float
    price_usd: float | None
    paths: int
    seed: int
    version: str
    months: tuple[MonthForecast, ...]
    risks: tuple[RiskShare, ...]
    natural: tuple[NaturalHedge, ...]
    notes: tuple[str, ...] = ()

    def of(self, month: Month) -> MonthForecast:
        """The forecast of one month; Wrong outside the horizon."""
        for row in self.months:
            if row.month == month:
                return row
        raise Wrong(f"{month} lies outside the forecast's horizon")


def forecast(  # noqa: PLR0913 - every input by its name
    operation: Operation,
    first: Month,
    *,
    as_of: datetime,
    start: Start,
    prices: PricePaths | None = None,
    months: int = 12,
    paths: int = 20_000,
    seed: int = 1,
    progress: Progress | None = None,
    notes: tuple[str, ...] | None = None,
) -> Forecast:
    """The forecast of so many months from ``first``; what explains it is added by ``explained``.

    ``notes`` say what its inputs cover; without them only the difficulty history is looked at.
    """
    span = months_from(first, months)
    _possible(operation, span, start)
    edges = month_edges(first, months)
    drawn = simulate(
        operation, edges, start=start, prices=prices, paths=paths, seed=seed, progress=progress
    )
    rows = _rows(operation, span, drawn, start)
    natural = () if prices is None else natural_hedges(drawn, edges, prices)
    return Forecast(
        as_of=as_of,
        coin=start.chain.coin,
        start_height=start.last.height,
        start_at=start.last.at,
        start_difficulty=start.last.difficulty,
        difficulty_model=start.model,
        fee_share_median=operation.fees.share_median,
        pool_fee=operation.pool.fee,
        price_usd=None if prices is None else float(prices.prices[0, 0]),
        paths=paths,
        seed=seed,
        version=MODEL_VERSION,
        months=rows,
        risks=(),
        natural=natural,
        notes=(
            *(difficulty_notes(start, as_of) if notes is None else notes),
            *_notes(operation, span),
        ),
    )


def _possible(operation: Operation, span: tuple[Month, ...], start: Start) -> None:
    """Raises Wrong for a mine larger than the network it is part of."""
    chain = start.chain
    network = start.last.difficulty * chain.hashes_per_difficulty / float(chain.spacing_seconds)
    for month in span:
        ours = operation.hashrate_hs(month)
        if ours > network:
            raise Wrong(
                f"the fleet of {month} makes {ours:.3g} H/s, more than the whole network's {network:.3g} "
                "H/s; check counts and units"
            )


def explained(
    made: Forecast,
    operation: Operation,
    *,
    start: Start,
    prices: PricePaths | None = None,
    measured: tuple[NaturalHedge, ...] = (),
) -> Forecast:
    """A forecast with each risk's share of its variance, and natural hedges measured on history."""
    edges = month_edges(made.months[0].month, len(made.months))
    shares = _shares(operation, edges, start, prices, made.seed)
    return replace(made, risks=shares, natural=(*measured, *made.natural))


def _rows(
    operation: Operation, span: tuple[Month, ...], drawn: Paths, start: Start
) -> tuple[MonthForecast, ...]:
    coins = drawn.coins
    alone, difficulty = bands(coins), bands(drawn.difficulty)
    subsidy, fees = drawn.subsidy.mean(axis=0), drawn.fees.mean(axis=0)
    power = drawn.power_usd.mean(axis=0)
    summed = bands(np.cumsum(coins, axis=1, out=coins))
    costs = operation.costs
    return tuple(
        MonthForecast(
            month=month,
            coins=alone[index],
            cumulative=summed[index],
            subsidy_coins=float(subsidy[index]),
            fee_coins=float(fees[index]),
            flat_difficulty_coins=flat_coins(operation, month, start),
            hashrate_hs=operation.hashrate_hs(month),
            difficulty=difficulty[index],
            power_usd=float(power[index]),
            fixed_usd=costs.fixed_usd_month,
            debt_usd=costs.debt_service_usd_month,
            capex_usd=costs.capex_usd.get(month, 0.0),
            depreciation_usd=costs.depreciation_usd_month,
        )
        for index, month in enumerate(span)
    )


def flat_coins(operation: Operation, month: Month, start: Start) -> float:
    """The spreadsheet's habit, for comparison: coins if difficulty stayed where it is."""
    chain = start.chain
    hashes = operation.hashrate_hs(month) * month.days * 86_400.0
    _, rewards = chain.steps(start.last.height, 1)
    reward = rewards[0] * (1.0 + operation.fees.share_median * operation.pool.fees_counted)
    per_block = start.last.difficulty * chain.hashes_per_difficulty
    return hashes / per_block * reward * (1.0 - operation.pool.fee)


def _shares(
    operation: Operation,
    edges: Sequence[datetime],
    start: Start,
    prices: PricePaths | None,
    seed: int,
) -> tuple[RiskShare, ...]:
    """The variance of log coins over the horizon with one risk on, over that with all of them."""
    few = None
    if prices is not None:
        few = PricePaths(prices.prices[:_FEW], prices.start, prices.step_seconds)
    count = _FEW if few is None or len(few.prices) == 1 else len(few.prices)

    def variance(risk: str | None, *, every: bool = False) -> float:
        risks = only(risk) if not every else only(None).__class__()
        drawn = simulate(
            operation, edges, start=start, prices=few, paths=count, seed=seed, risks=risks
        )
        total = drawn.coins.sum(axis=1)
        return (
            float(np.log(np.maximum(total, 1e-300)).var())
            if (total > 0.0).all()
            else float(total.var())
        )

    whole = variance(None, every=True)
    if whole <= 0.0:
        return ()
    alone = [(name, variance(name) / whole) for name in NAMES]
    kept = [RiskShare(risk=name, share=share) for name, share in alone if share > 1e-9]
    rest = 1.0 - sum(row.share for row in kept)
    return (*kept, RiskShare(risk="together", share=rest))


def _notes(operation: Operation, span: tuple[Month, ...]) -> tuple[str, ...]:
    """What a reader of the forecast must know of the mine."""
    found = [
        f"{batch.count:,} {batch.machine.model} at {batch.site} arrive {batch.since}, after the horizon"
        for batch in operation.fleet
        if batch.since is not None and batch.since >= span[-1].end.date()
    ]
    found += [
        f"{site} draws more than its connection carries in {month}; the rest stands still"
        for month in span
        for site in operation.overloaded(month)
    ]
    found += [
        f"{month}: nothing runs; the month brings no coins"
        for month in span
        if operation.hashrate_hs(month) == 0.0
    ]
    return tuple(found)


def bands(values: Array) -> list[Band]:
    """Percentiles and mean of each column of (paths, columns)."""
    mean = values.mean(axis=0)
    found = column_quantiles(values, SHARES)
    return [
        Band(
            **{
                f"p{share * 100:.0f}": float(found[row, column]) for row, share in enumerate(SHARES)
            },
            mean=float(mean[column]),
        )
        for column in range(values.shape[1])
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketForecast:
    """Coins of one day or of one retarget period, with the middle of when it ends."""

    label: str
    coins: Band
    cumulative: Band
    difficulty: Band


def fine(
    operation: Operation,
    first: Month,
    *,
    start: Start,
    prices: PricePaths | None,
    months: int,
    paths: int,
    seed: int,
    by: str,
) -> tuple[BucketForecast, ...]:
    """The forecast by ``day`` over the same months, or by ``retarget`` period from the last retarget on."""
    edges = month_edges(first, months)
    if by == "day":
        count = (edges[-1] - edges[0]).days
        days = tuple(edges[0] + timedelta(days=number) for number in range(count + 1))
        drawn = simulate(operation, days, start=start, prices=prices, paths=paths, seed=seed)
        labels = [f"{day:%Y-%m-%d}" for day in days[:-1]]
    else:
        periods = int((edges[-1] - start.last.at).total_seconds() / start.period_seconds) + 1
        drawn = simulate(
            operation, edges, start=start, prices=prices, paths=paths, seed=seed, periods=periods
        )
        labels = [
            f"from {start.last.height + number * start.period:,}" for number in range(periods)
        ]
    coins = drawn.coins
    alone = bands(coins)
    difficulty = bands(drawn.difficulty)
    summed = bands(np.cumsum(coins, axis=1, out=coins))
    return tuple(
        BucketForecast(label=label, coins=alone[i], cumulative=summed[i], difficulty=difficulty[i])
        for i, label in enumerate(labels)
    )


def steady_bands(coins: Array, first: Month) -> tuple[tuple[Month, Band, Band], ...]:
    """Each month's coins alone and summed from the first, of (paths, months)."""
    span = months_from(first, coins.shape[1])
    return tuple(zip(span, bands(coins), bands(np.cumsum(coins, axis=1)), strict=True))
