"""What a run says: quantiles, shortfalls and chances, each with its standard error."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

from headframe.numerics import Array, Singles, column_quantiles, np
from headframe.risk.columns import results_by_name
from headframe.risk.engine import Engine
from headframe.units import Month, Wrong

LEVELS = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)
_TAIL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One figure over the paths: mean with its standard error, and quantiles by ``LEVELS``.

    ``low_mean`` and ``high_mean`` are the means of the worst and the best twentieth; what ends in ``se``
    are standard errors, those of means and of what lies below a mean to the first order of influence
    (Hampel, Journal of the American Statistical Association 69 (1974) 383-393).
    """

    mean: float
    mean_se: float
    quantiles: tuple[float, ...]
    quantiles_se: tuple[float, ...]
    low_mean: float
    low_mean_se: float
    high_mean: float
    high_mean_se: float
    at_risk_se: float
    shortfall_se: float

    def at(self, level: float) -> float:
        """The quantile of one of ``LEVELS``."""
        return self.quantiles[LEVELS.index(level)]

    def se_at(self, level: float) -> float:
        """The standard error of that quantile."""
        return self.quantiles_se[LEVELS.index(level)]

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
    named = results_by_name(results)
    figures = named.figures
    low_bare, low = figures.lowest_liquidity_unhedged_usd, figures.lowest_liquidity_hedged_usd
    return Summary(
        paths=len(results),
        figures={name: spread(column) for name, column in figures._asdict().items()},
        months=tuple(
            MonthSpread(
                month=month,
                coins=spread(named.month_coins[:, place]),
                bare_usd=spread(named.month_unhedged_usd[:, place]),
                hedged_usd=spread(named.month_hedged_usd[:, place]),
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
    tail = max(int(count * _TAIL), 1)
    found = tuple(float(one) for one in column_quantiles(column[:, None], LEVELS)[:, 0])
    errors = tuple(quantile_se(column, level) for level in LEVELS)
    off, worst = column - mean, _tail_influence(column, tail)
    among = np.arange(count) < tail
    share, error = tail / count, errors[LEVELS.index(_TAIL)]
    quantile = (share - among) * error * sqrt(count / (share * max(1.0 - share, 1.0 / count)))
    return Spread(
        mean=mean,
        mean_se=_mean_se(off),
        quantiles=found,
        quantiles_se=errors,
        low_mean=_mean(column[:tail]),
        low_mean_se=_mean_se(worst),
        high_mean=_mean(column[-tail:]),
        high_mean_se=_mean_se(_tail_influence(-column[::-1], tail)),
        at_risk_se=_mean_se(off - quantile),
        shortfall_se=_mean_se(off - worst),
    )


def chance(hits: Sequence[bool]) -> Chance:
    """The share of paths on which something happens."""
    count = len(hits)
    share = sum(hits) / count
    return Chance(share, sqrt(share * (1.0 - share) / count))


def _mean(values: Array) -> float:
    """Added up one after the other: the order, and so the bits, never depend on the machine."""
    return float(np.add.accumulate(values)[-1]) / len(values) if len(values) else 0.0


def _mean_se(influence: Array) -> float:
    """The standard error of a mean of so much by path."""
    count = len(influence)
    return sqrt(_mean((influence - _mean(influence)) ** 2) / max(count - 1, 1))


def _tail_influence(ordered: Array, tail: int) -> Array:
    """What each path adds to the mean of the least ``tail`` of them."""
    edge = float(ordered[tail - 1])
    return np.minimum(ordered - edge, 0.0) * (len(ordered) / tail)


def quantile_se(ordered: Array | Singles, level: float) -> float:
    """Half the distance of the order statistics one binomial deviation to either side: its standard error."""
    low, high = beside(level, len(ordered))
    return 0.5 * float(ordered[high] - ordered[low])


def beside(level: float, count: int) -> tuple[int, int]:
    """The places in order one binomial deviation to either side of a quantile."""
    place, reach = level * (count - 1), sqrt(count * level * (1.0 - level))
    return max(floor(place - reach), 0), min(ceil(place + reach), count - 1)
