"""The natural hedge: how production answers to price, and the share of it that is left to hedge.

When price and difficulty rise together a mine has fewer coins to sell at the higher price, so the
forward sale of least variance is less than all of them: cov(P Q, P) / var(P) over E[Q] (McKinnon,
"Futures markets, buffer stocks, and income stability for primary producers", Journal of Political
Economy 75 (1967) 844-861). Curtailment pulls the other way: a mine that stops when hashprice falls
has fewer coins at the lower price. The regressions are noisy; nothing here is ever a default.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log, sqrt

from headframe.chain import Retarget
from headframe.mining.start import Paths, PricePaths
from headframe.numerics import Array, np
from headframe.units import steady


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalHedge:
    """Beta of log production on log price at a horizon, and the minimum-variance share, with errors."""

    source: str
    months: int
    beta: float
    beta_se: float
    share: float
    share_se: float
    count: int


def natural_hedges(
    drawn: Paths, edges: Sequence[datetime], prices: PricePaths
) -> tuple[NaturalHedge, ...]:
    """Measured on simulated paths, for the coins of each horizon sold at the price of its end."""
    found: list[NaturalHedge] = []
    if len(prices.prices) < 100:
        return ()
    for months in (3, 6, 12):
        if months > drawn.subsidy.shape[1]:
            continue
        coins = drawn.subsidy[:, :months].sum(axis=1) + drawn.fees[:, :months].sum(axis=1)
        place = (edges[months] - prices.start).total_seconds() / prices.step_seconds
        price = prices.prices[:, min(int(place), prices.prices.shape[1] - 1)]
        mean = float(coins.mean())
        if mean <= 0.0 or float(price.std()) == 0.0:
            continue
        # where some paths stand still there is no logarithm: coins over their mean instead
        moved = np.log(coins) if (coins > 0.0).all() else coins / mean
        beta, beta_se = _slope(np.log(price), moved)
        slope, slope_se = _slope(price, price * coins)
        found.append(
            NaturalHedge(
                source="paths",
                months=months,
                beta=beta,
                beta_se=beta_se,
                share=slope / mean,
                share_se=slope_se / mean,
                count=len(coins),
            )
        )
    return tuple(found)


def historical_hedges(
    history: Sequence[Retarget], prices: Sequence[tuple[datetime, float]]
) -> tuple[NaturalHedge, ...]:
    """Measure on history: coins of 3, 6 and 12 months on the price change over them.

    Coins are those of a constant hashrate at a constant reward, over what the difficulty of the
    window's start would bring; the price is that of the window's end over that of its start. Windows
    begin at every retarget and overlap, so errors are those of Newey and West, "A simple, positive
    semi-definite, heteroskedasticity and autocorrelation consistent covariance matrix", Econometrica
    55 (1987) 703-708, with as many lags as a window has retargets.
    """
    found: list[NaturalHedge] = []
    for months in (3, 6, 12):
        ahead = timedelta(days=round(365.25 * months / 12.0))
        moves = _window_moves(history, prices, ahead)
        lags = max(round(ahead.days / 14.0), 1)
        if len(moves) < 3 * lags:
            continue
        table = np.array(moves)
        slope, error = _slope(table[:, 0], table[:, 1], lags)
        found.append(
            NaturalHedge(
                source="history",
                months=months,
                beta=slope,
                beta_se=error,
                share=1.0 + slope,
                share_se=error,
                count=len(moves),
            )
        )
    return tuple(found)


def _window_moves(
    history: Sequence[Retarget], prices: Sequence[tuple[datetime, float]], ahead: timedelta
) -> list[tuple[float, float]]:
    """Log price change and log coins over those at the first difficulty, of the window from each retarget."""
    moves: list[tuple[float, float]] = []
    for place, row in enumerate(history):
        end = row.at + ahead
        if end > history[-1].at:
            break
        before, after = _price_at(prices, row.at), _price_at(prices, end)
        if before is not None and after is not None:
            level = _work_of(history, place, end) * row.difficulty / ahead.total_seconds()
            moves.append((log(after / before), log(level)))
    return moves


def _work_of(history: Sequence[Retarget], place: int, end: datetime) -> float:
    """Seconds over difficulty from a retarget to an instant: in proportion to coins at a constant reward."""
    total = 0.0
    for row, after in pairwise(history[place:]):
        if row.at >= end:
            break
        total += (min(after.at, end) - row.at).total_seconds() / row.difficulty
    return total


def _price_at(prices: Sequence[tuple[datetime, float]], at: datetime) -> float | None:
    """The last price at or before an instant, not older than four days."""
    low, high = 0, len(prices)
    while low < high:
        middle = (low + high) // 2
        if prices[middle][0] <= at:
            low = middle + 1
        else:
            high = middle
    if low == 0 or at - prices[low - 1][0] > timedelta(days=4):
        return None
    return prices[low - 1][1]


def _slope(x: Array, y: Array, lags: int = 0) -> tuple[float, float]:
    """Least-squares slope and its standard error, robust to unequal spread and to so many lags."""
    about = x - x.mean()
    power = float(about @ about)
    slope = float(about @ y) / power
    scores = about * (y - y.mean() - slope * about)
    meat = float(scores @ scores)
    for lag in range(1, lags + 1):
        meat += 2.0 * (1.0 - lag / (lags + 1.0)) * float(scores[lag:] @ scores[:-lag])
    return steady(slope), steady(sqrt(max(meat, 0.0)) / power)
