"""Coins by month with their uncertainty: what the hedge is sized on."""

from dataclasses import dataclass
from datetime import datetime

from headframe.chain import HASHES_PER_DIFFICULTY, Retarget, subsidy_satoshi
from headframe.mining.difficulty import DifficultyModel
from headframe.mining.kernels import simulate_coins
from headframe.mining.operation import Operation
from headframe.numerics import Array, np, quantiles, sorted_columns
from headframe.units import Month, Wrong, months_from

SHARES = (0.10, 0.50, 0.90)
MODEL_VERSION = "production/1: drift and AR(1) noise of log difficulty, log-normal fees"


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A quantity's 10 % chance of less, median, 10 % chance of more, and mean."""

    p10: float
    p50: float
    p90: float
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthForecast:
    """One month: coins alone and summed from the start, with what drives them."""

    month: Month
    coins: Band
    cumulative: Band
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
class Forecast:
    """A production forecast: its months, the state it started from and the model it used."""

    as_of: datetime
    start_height: int
    start_at: datetime
    start_difficulty: float
    difficulty_model: DifficultyModel
    fee_share_median: float
    pool_fee: float
    paths: int
    seed: int
    version: str
    months: tuple[MonthForecast, ...]

    def of(self, month: Month) -> MonthForecast:
        """The forecast of one month; Wrong outside the horizon."""
        for row in self.months:
            if row.month == month:
                return row
        raise Wrong(f"{month} lies outside the forecast's horizon")


@dataclass(frozen=True, slots=True)
class Paths:
    """Simulated coins and mean difficulty, both (paths, months)."""

    coins: Array
    difficulty: Array


def simulate(
    operation: Operation,
    months: tuple[Month, ...],
    *,
    last: Retarget,
    model: DifficultyModel,
    paths: int,
    seed: int,
) -> Paths:
    """Joint paths of coins and difficulty for consecutive months after the last retarget."""
    if not 1 <= paths <= 5_000_000 or not 1 <= len(months) <= 60:
        raise Wrong(f"a forecast takes 1 to 5,000,000 paths and 1 to 60 months, was {paths}")
    edges = [(month.start - last.at).total_seconds() for month in (*months, months[-1].plus(1))]
    if edges[0] < 0.0:
        raise Wrong(
            f"the forecast starts {months[0]}, before the last retarget of {last.at:%Y-%m-%d}"
        )
    fees = operation.fees
    coins, difficulty = np.empty((paths, len(months))), np.empty((paths, len(months)))
    simulate_coins(
        seed,
        last.difficulty,
        float(last.height),
        np.array(edges),
        np.array([operation.hashrate_hs(month) for month in months]),
        np.array([model.drift, model.innovation_sd, model.memory, model.last_deviation]),
        np.array([fees.share_median, fees.log_sd, fees.persistence]),
        operation.pool_fee,
        coins,
        difficulty,
    )
    return Paths(coins, difficulty)


def forecast(
    operation: Operation,
    first: Month,
    *,
    as_of: datetime,
    last: Retarget,
    model: DifficultyModel,
    months: int = 12,
    paths: int = 20_000,
    seed: int = 1,
) -> Forecast:
    """The forecast of so many months from ``first``."""
    span = months_from(first, months)
    drawn = simulate(operation, span, last=last, model=model, paths=paths, seed=seed)
    alone = _bands(drawn.coins)
    summed = _bands(np.cumsum(drawn.coins, axis=1))
    difficulty = _bands(drawn.difficulty)
    rows = tuple(
        MonthForecast(
            month=month,
            coins=alone[index],
            cumulative=summed[index],
            flat_difficulty_coins=flat_coins(operation, month, last),
            hashrate_hs=operation.hashrate_hs(month),
            difficulty=difficulty[index],
            power_usd=operation.power_cost_usd(month),
            fixed_usd=operation.costs.fixed_usd_month,
            debt_usd=operation.costs.debt_service_usd_month,
            capex_usd=operation.costs.capex_usd.get(month, 0.0),
            depreciation_usd=operation.costs.depreciation_usd_month,
        )
        for index, month in enumerate(span)
    )
    return Forecast(
        as_of=as_of,
        start_height=last.height,
        start_at=last.at,
        start_difficulty=last.difficulty,
        difficulty_model=model,
        fee_share_median=operation.fees.share_median,
        pool_fee=operation.pool_fee,
        paths=paths,
        seed=seed,
        version=MODEL_VERSION,
        months=rows,
    )


def flat_coins(operation: Operation, month: Month, last: Retarget) -> float:
    """The spreadsheet's habit, for comparison: coins if difficulty stayed where it is."""
    hashes = operation.hashrate_hs(month) * month.days * 86_400.0
    reward = subsidy_satoshi(last.height) / 1e8 * (1.0 + operation.fees.share_median)
    return hashes / (last.difficulty * HASHES_PER_DIFFICULTY) * reward * (1.0 - operation.pool_fee)


def _bands(values: Array) -> list[Band]:
    found = quantiles(sorted_columns(values), SHARES)
    mean = values.mean(axis=0)
    return [
        Band(
            p10=float(found[0, column]),
            p50=float(found[1, column]),
            p90=float(found[2, column]),
            mean=float(mean[column]),
        )
        for column in range(values.shape[1])
    ]
