"""What a run says: quantiles, shortfalls and chances, each with its standard error."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

from headframe.numerics import Array, Singles, column_quantiles, np
from headframe.risk.engine import Engine
from headframe.units import Month, Wrong

LEVELS = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)
_TAIL = 0.05
_NAMES = (
    "end_price_usd",
    "coins",
    "sales_usd",
    "costs_usd",
    "hedge_usd",
    "lowest_liquidity_unhedged_usd",
    "lowest_liquidity_hedged_usd",
    "liquidity_drawdown_unhedged_usd",
    "liquidity_drawdown_hedged_usd",
    "largest_cumulative_call_usd",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One figure over the paths: mean with its standard error, and quantiles by ``LEVELS``.

    ``low_mean`` and ``high_mean`` are the means of the worst and the best twentieth; ``low_se`` and
    ``high_se`` the standard errors of the 5 % and the 95 % quantile.
    """

    mean: float
    mean_se: float
    quantiles: tuple[float, ...]
    low_mean: float
    high_mean: float
    low_se: float
    high_se: float

    def at(self, level: float) -> float:
        """The quantile of one of ``LEVELS``."""
        return self.quantiles[LEVELS.index(level)]

    @property
    def at_risk(self) -> float:
        """How far the 5 % quantile lies below the mean: cash-flow at risk, where this is a cash flow."""
        return self.mean - self.at(0.05)

    @property
    def shortfall(self) -> float:
        """How far the mean of the worst twentieth lies below the mean: expected shortfall."""
        return self.mean - self.low_mean


@dataclass(frozen=True, slots=True)
class Chance:
    """A probability and its standard error."""

    share: float
    se: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSpread:
    """One month: coins, and cash without and with the hedge."""

    month: Month
    coins: Spread
    bare_usd: Spread
    hedged_usd: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run reduced: figures of the whole horizon by name, and by month."""

    paths: int
    figures: dict[str, Spread]
    months: tuple[MonthSpread, ...]
    out_of_cash_bare: Chance
    out_of_cash: Chance
    below_covenant_bare: Chance
    below_covenant: Chance
    covenant_usd: float


def summary(engine: Engine, results: Singles, *, covenant_usd: float = 0.0) -> Summary:
    """Reduce the results of a run, column by column, in one fixed order."""
    if results.ndim != 2 or results.shape[1] != engine.columns or not len(results):
        raise Wrong(f"results are (paths, {engine.columns}), was {results.shape}")
    count = len(engine.calendar.months)
    base = len(_NAMES)
    low_bare, low = results[:, 5], results[:, 6]
    return Summary(
        paths=len(results),
        figures={name: spread(results[:, place]) for place, name in enumerate(_NAMES)},
        months=tuple(
            MonthSpread(
                month=month,
                coins=spread(results[:, base + place]),
                bare_usd=spread(results[:, base + count + place]),
                hedged_usd=spread(results[:, base + 2 * count + place]),
            )
            for place, month in enumerate(engine.calendar.months)
        ),
        out_of_cash_bare=chance((low_bare < 0.0).tolist()),
        out_of_cash=chance((low < 0.0).tolist()),
        below_covenant_bare=chance((low_bare < covenant_usd).tolist()),
        below_covenant=chance((low < covenant_usd).tolist()),
        covenant_usd=covenant_usd,
    )


def spread(values: Array | Singles) -> Spread:
    """Mean, quantiles and tail means of one figure over its paths."""
    column = np.sort(np.asarray(values, dtype=np.float64))
    count = len(column)
    mean = _mean(column)
    deviation = sqrt(_mean((column - mean) ** 2) * count / max(count - 1, 1))
    tail = max(int(count * _TAIL), 1)
    found = column_quantiles(column[:, None], LEVELS)[:, 0]
    return Spread(
        mean=mean,
        mean_se=deviation / sqrt(count),
        quantiles=tuple(float(one) for one in found),
        low_mean=_mean(column[:tail]),
        high_mean=_mean(column[-tail:]),
        low_se=_quantile_se(column, 0.05),
        high_se=_quantile_se(column, 0.95),
    )


def chance(hits: Sequence[bool]) -> Chance:
    """The share of paths on which something happens."""
    count = len(hits)
    share = sum(hits) / count
    return Chance(share, sqrt(share * (1.0 - share) / count))


def _mean(values: Array) -> float:
    """Added up one after the other: the order, and so the bits, never depend on the machine."""
    return float(np.add.accumulate(values)[-1]) / len(values) if len(values) else 0.0


def _quantile_se(ordered: Array, level: float) -> float:
    """Half the distance of the order statistics one binomial deviation to either side."""
    count = len(ordered)
    reach = sqrt(count * level * (1.0 - level))
    low = max(floor(level * (count - 1) - reach), 0)
    high = min(ceil(level * (count - 1) + reach), count - 1)
    return 0.5 * float(ordered[high] - ordered[low])
