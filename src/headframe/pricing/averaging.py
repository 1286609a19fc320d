"""Volatilities of the fixings of an average, one each, read from a surface."""

from collections.abc import Sequence
from itertools import accumulate
from math import log, sqrt

from headframe.pricing.smile import Surface

_LEAST_YEARS = 1e-9
_REACH = 3.2
"""Deviations of the price within which quotes enter the surface: see ``surface_of``."""
_STEPS = 60
_MET = 1e-12
"""Share of a total variance by which the equivalent expiry may miss it."""


def fixing_vols(surface: Surface, years: Sequence[float], strike: float) -> tuple[float, ...]:
    """Return the volatility of each fixing, for an option on their mean struck at ``strike``.

    The surface is read at each fixing's date and at one moneyness for all, strike over the mean of the
    forwards, held within 3.2 deviations of the money: beyond, early fixings would be read where nobody
    quotes. A total variance never falls from one fixing to the next.
    """
    times = [max(t, _LEAST_YEARS) for t in years]
    forward = sum(surface.forward(t) for t in years) / len(years)
    away = log(strike / forward)
    variances = accumulate((_total_variance(surface, t, away) for t in times), max)
    return tuple(sqrt(w / t) for w, t in zip(variances, times, strict=True))


def _total_variance(surface: Surface, years: float, away: float) -> float:
    """Return the surface's total variance at a log-moneyness, held within its quoted reach."""
    reach = _REACH * surface.vol_at(years, 0.0) * sqrt(years)
    return surface.vol_at(years, min(max(away, -reach), reach)) ** 2 * years


def mean_variance(years: Sequence[float], vols: Sequence[float]) -> float:
    """Return the variance of the mean log price of the fixings: two share the earlier one's variance."""
    count = len(years)
    return sum(
        vol * vol * t * (2 * (count - place) + 1)
        for place, (t, vol) in enumerate(zip(years, vols, strict=True), start=1)
    ) / (count * count)


def equivalent_years(surface: Surface, variance: float, moneyness: float, longest: float) -> float:
    """Return the expiry at which the surface's total variance at a log-moneyness is ``variance``.

    ``longest`` is the last fixing: the mean has spread as far as a price does before it. Where the
    surface has less variance than is asked even there, the last fixing itself.
    """

    def gap(t: float) -> float:
        return _total_variance(surface, t, moneyness) - variance

    low, high = 0.0, longest
    below, above = -variance, gap(longest)
    if variance <= 0.0 or above <= 0.0:
        return longest if variance > 0.0 else 0.0
    side = 0
    for _ in range(_STEPS):
        middle = low + (high - low) * below / (below - above)
        here = gap(middle)
        if abs(here) <= _MET * variance:
            return middle
        # Illinois: the end that stays put counts half, so that both ends close in
        if here < 0.0:
            low, below, above, side = middle, here, above * (0.5 if side < 0 else 1.0), -1
        else:
            high, above, below, side = middle, here, below * (0.5 if side > 0 else 1.0), 1
    return 0.5 * (low + high)


def term_vols(points: Sequence[tuple[float, float]], years: Sequence[float]) -> tuple[float, ...]:
    """Return the volatility at each time of a term structure given as (years, volatility) in order.

    Total variance runs in a straight line between points; before the first and after the last the
    volatility stays level.
    """
    found: list[float] = []
    for t in years:
        if t <= points[0][0]:
            found.append(points[0][1])
        elif t >= points[-1][0]:
            found.append(points[-1][1])
        else:
            right = next(place for place, point in enumerate(points) if point[0] >= t)
            (t0, v0), (t1, v1) = points[right - 1], points[right]
            share = (t - t0) / (t1 - t0)
            found.append(sqrt((v0 * v0 * t0 * (1.0 - share) + v1 * v1 * t1 * share) / t))
    return tuple(found)
