"""Liquidity at risk: what a short position may have to pay over before it pays off.

Liquidity at risk has one definition: the cumulative variation margin of a short forward that is not
exceeded with a confidence over a horizon, where the price is a Brownian motion at the surface's volatility
of that horizon at the money. The same figure on the paths of a run's own model is its peak variation margin,
and stands beside that model's volatility.
"""

from dataclasses import dataclass
from math import exp, isfinite, log, sqrt

from headframe.numerics import np, phi, quantile
from headframe.pricing import Surface
from headframe.risk.columns import walked_by_name
from headframe.risk.distribution import Spread, spread
from headframe.risk.kernels import price_paths
from headframe.risk.margin import Liquidity
from headframe.risk.price_models import PriceModel, gbm
from headframe.units import Wrong, steady


@dataclass(frozen=True, slots=True)
class LiquidityAtRisk:
    """Liquidity at risk as a share of notional, by two closed forms: watched all the time, not daily."""

    normal: float
    lognormal: float


def opening_of(
    liquidity: Liquidity, *, posted_usd: float, held_usd: float, posted_coins: float
) -> tuple[float, float, float, float]:
    """What a simulation opens with: cash and credit USD, coins to be sold, coins kept.

    Our collateral and margin out today count as ours, for they are posted anew on the paths; dealers'
    collateral here is owed back.
    """
    cash = liquidity.cash_usd + posted_usd - held_usd
    return cash, liquidity.undrawn_usd, 0.0, liquidity.free_coins + posted_coins


def liquidity_at_risk(*, vol: float, days: float, confidence: float) -> LiquidityAtRisk:
    """The call not exceeded with a confidence, watched all the time, without drift of the price.

    Arithmetic Brownian motion by reflection: P(max > L) = 2 (1 - N(L / s)), s = vol sqrt(days/365)
    (the model of Kolb, Gay and Hunter, Financial Analysts Journal 41(4) (1985)). Geometric, with
    a price that is a martingale: P(max > m) = N((-m - s**2/2)/s) + exp(-m) N((-m + s**2/2)/s)
    for the log price (Harrison, Brownian motion and stochastic flow systems (1985), page 14).
    """
    if not (0.0 < vol <= 5.0 and 0.0 < days <= 3_650.0 and 0.5 <= confidence < 1.0):
        raise Wrong(
            "liquidity at risk needs a volatility up to 5, 1 to 3,650 days and a confidence from 0.5 "
            f"to below 1, was {vol:g}, {days:g}, {confidence:g}"
        )
    assert isfinite(vol)
    s, tail = vol * sqrt(days / 365.0), 1.0 - confidence

    def beyond(m: float) -> float:
        return phi((-m - 0.5 * s * s) / s) + exp(-m) * phi((-m + 0.5 * s * s) / s)

    low, high = 0.0, 40.0 * s + log(1.0 / tail)
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if beyond(middle) > tail else (low, middle)
    return LiquidityAtRisk(
        normal=s * quantile(1.0 - 0.5 * tail), lognormal=exp(0.5 * (low + high)) - 1.0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakVariation:
    """Peak cumulative variation margin of a short forward on a model's own paths, as a share of notional.

    ``vol`` is the deviation of the log price over the horizon, a year: what the model makes of it.
    """

    model: str
    vol: float
    share: Spread


def brownian_at(surface: Surface, *, days: int) -> PriceModel:
    """Return the model of liquidity at risk: Brownian motion at the volatility of ``days`` at the money."""
    return gbm(round(surface.vol_at(days / 365.0, 0.0), 6))


def peak_variation(model: PriceModel, *, days: int, paths: int, seed: int) -> PeakVariation:
    """Return the peak variation margin of a short forward on a model's paths."""
    share, vol = _walked(model, days=days, paths=paths, seed=seed)
    return PeakVariation(model=str(model.kind), vol=steady(vol), share=share)


def simulated_call(model: PriceModel, *, days: int, paths: int, seed: int) -> Spread:
    """Largest cumulative call of a short forward at each day's end, as a share of notional."""
    return _walked(model, days=days, paths=paths, seed=seed)[0]


def _walked(model: PriceModel, *, days: int, paths: int, seed: int) -> tuple[Spread, float]:
    """Return the largest calls of a model's paths, and the deviation of its log price a year."""
    if not (1 <= days <= 3_650 and 1 <= paths <= 1_000_000):
        raise Wrong(
            f"a call is simulated over 1 to 3,650 days on up to a million paths, was {days}"
        )
    worst, moved = np.empty(paths), np.empty(paths)
    numbers, (residuals, moments) = model.numbers(1.0), model.drawn_from()
    block = 2_048
    for first in range(0, paths, block):
        width = min(block, paths - first)
        walked = np.empty((days + 1, 4, width))
        price_paths(seed, first, numbers, np.zeros(days), residuals, moments, walked)
        named = walked_by_name(walked)
        worst[first : first + width] = named.price_usd.max(axis=0) - 1.0
        moved[first : first + width] = named.log_move[days]
    return spread(worst), float(moved.std()) * sqrt(365.0 / days)
