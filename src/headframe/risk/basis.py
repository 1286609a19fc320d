"""Basis risk of a hedge, measured against the mine's own daily sales."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, sqrt

from headframe.mandate import Unwind
from headframe.mining import SalePolicy
from headframe.numerics import Array, np
from headframe.pricing import Surface
from headframe.risk.kernels import hedge_against_sales
from headframe.risk.run_off import NO_COSTS, DealingCosts
from headframe.units import Month, Wrong, steadied, steady

BASIS_SD = 0.012
"""Standard deviation of the annualised basis: a quarter of its range of 0.9 to 5.4 % at three
months over 236 days of 2026 (Deribit futures)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisRisk:
    """How far a hedge strays from what each sale needed: sd over the forward, R2, and mean gap in USD.

    ``ratio`` hedges for each coin would leave the least variance; ``ratio_low`` and ``ratio_high``
    bound it with 95 % confidence over the paths drawn.
    """

    tracking_error: float
    r2: float
    mean_gap_usd: float
    paths: int
    ratio: float
    ratio_low: float
    ratio_high: float
    closing_usd: float = 0.0
    """Mean cost of closing it before its expiry, USD a coin."""


def sale_weights(
    months: tuple[tuple[Month, float], ...], at: datetime, expiry: datetime, policy: SalePolicy
) -> Array:
    """Share of the coins sold at the end of each day from ``at`` to the expiry.

    Coins of a month come evenly over its days and are sold when the policy sells next; a month's
    last sale may fall on the expiry day.
    """
    days = ceil((expiry - at).total_seconds() / 86_400.0)
    total = sum(coins for _, coins in months)
    if days < 1 or total <= 0.0:
        raise Wrong("basis risk needs coins to sell and an expiry that has not passed")
    weights = np.zeros(days)
    for month, coins in months:
        first = ceil((month.start - at).total_seconds() / 86_400.0)
        unsold = 0.0
        for day in range(month.days):
            unsold += coins / total / month.days
            if policy.sells_on((month.start + timedelta(days=day)).date()):
                weights[min(max(first + day, 0), days - 1)] += unsold
                unsold = 0.0
    return weights


def closing_weights(
    months: tuple[tuple[Month, float], ...],
    at: datetime,
    expiry: datetime,
    policy: SalePolicy,
    unwind: Unwind,
) -> Array:
    """Return the share of the hedge that is closed at the end of each day from ``at`` to the expiry.

    What is left on the last day settles. ``monthly`` closes a month's coins at the end of its last day.
    """
    sales = sale_weights(months, at, expiry, policy)
    if unwind is Unwind.AS_SOLD:
        return sales
    closes = np.zeros(len(sales))
    if unwind is Unwind.MONTHLY:
        total = sum(coins for _, coins in months)
        for month, coins in months:
            last = ceil((month.start - at).total_seconds() / 86_400.0) + month.days - 1
            closes[min(max(last, 0), len(closes) - 1)] += coins / total
    return closes


def basis_risk(  # noqa: PLR0913 - by name
    *,
    spot: float,
    forward: float,
    vol: float,
    weights: Array,
    put_strike: float = 0.0,
    call_strike: float = 0.0,
    closes: Array | None = None,
    costs: DealingCosts = NO_COSTS,
    listed: bool = True,
    seed: int,
    paths: int = 4_096,
    basis_sd: float = BASIS_SD,
) -> BasisRisk:
    """Tracking error and R2 between what the hedge pays and what each sale needed.

    ``closes`` is the share closed at the end of each day, none where all of it runs to its expiry; ``listed``
    says whether it pays a venue's fees.
    """
    actual, ideal, average, dealt = (np.empty(paths) for _ in range(4))
    hedge_against_sales(
        seed,
        spot,
        forward,
        vol,
        weights,
        np.zeros(len(weights)) if closes is None else closes,
        put_strike,
        call_strike,
        basis_sd,
        np.append(costs.numbers(), float(listed)),
        actual,
        ideal,
        average,
        dealt,
    )
    gap = actual - ideal
    spread = float(ideal.std() * actual.std())
    together = float(((actual - actual.mean()) * (ideal - ideal.mean())).mean())
    power = float(actual.var())
    ratio = together / power if power > 0.0 else 0.0
    left = float((ideal - ratio * actual).std())
    error = 1.96 * left / sqrt(power * paths) if power > 0.0 else 0.0
    found = BasisRisk(
        tracking_error=float(gap.std()) / forward,
        r2=(together / spread) ** 2 if spread > 0.0 else 0.0,
        mean_gap_usd=float(gap.mean()),
        paths=paths,
        ratio=ratio,
        ratio_low=ratio - error,
        ratio_high=ratio + error,
        closing_usd=float(dealt.mean()),
    )
    return steadied(found)


def averaging_basis(sales: Array, fixings: Array, vol: float | Array) -> tuple[float, float]:
    """Tracking error (of the price) and R2 of a mean of daily fixings against a mean of daily sales.

    Both are weights by day that add up to one; ``vol`` is a volatility a year of every day's move, or
    (days,) of each (``daily_vols``). For a price of small moves the gap of two weighted means is a
    sum of daily moves, each weighed by what of either mean is still to come: exact for a Brownian motion.
    """
    sold, fixed = (np.cumsum(one[::-1])[::-1] for one in (sales, fixings))
    level = float(np.sqrt(np.mean(np.square(vol))))
    power = np.square(vol) / (level * level) if level > 0.0 else 1.0
    gap = float((power * (sold - fixed) ** 2).sum())
    together = float((power * sold * fixed).sum())
    spread = float((power * sold**2).sum()) * float((power * fixed**2).sum())
    r2 = together**2 / spread if spread > 0.0 else 0.0
    return steady(level * sqrt(gap / 365.0)), steady(r2)


def daily_vols(surface: Surface, days: int) -> Array:
    """Return the volatility a year, at the money, of each of the days to come: (days,).

    A day's variance is what the surface's total variance grows by on it, never below zero.
    """
    ends = [surface.vol_at(day / 365.0, 0.0) ** 2 * day for day in range(1, days + 1)]
    grown = np.diff(np.maximum.accumulate(np.array([0.0, *ends])))
    return np.sqrt(grown)
