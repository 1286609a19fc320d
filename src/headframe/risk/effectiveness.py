"""How well one price hedges another: ratio of least variance, R2 and tracking error at a horizon.

Returns over the horizon at which the hedge settles, overlapping so that no day is wasted, with
standard errors that know of the overlap: Newey and West, Econometrica 55 (1987) 703-708, with
Bartlett's weights over twice the horizon.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import log, sqrt

from headframe.numerics import Array, np, quantile
from headframe.units import Wrong, steadied

_LEAST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Effectiveness:
    """A hedge of one unit of the item by ``ratio`` units' worth of the hedge, over ``days``.

    ``low`` and ``high`` bound the ratio with 95 % confidence; ``tracking_error`` is the deviation of
    what is left a year at that ratio, ``tracking_error_one`` at a ratio of 1. ``windows`` are the
    returns used, ``independent`` how many of them do not overlap.
    """

    days: int
    windows: int
    independent: int
    ratio: float
    low: float
    high: float
    r2: float
    tracking_error: float
    tracking_error_one: float
    item_vol: float
    hedge_vol: float
    since: date
    until: date


def effectiveness(
    item: Sequence[tuple[date, float]], hedge: Sequence[tuple[date, float]], *, days: int
) -> Effectiveness:
    """The hedge's effectiveness on the days both have a price."""
    if not 1 <= days <= 366:
        raise Wrong(f"a horizon is 1 to 366 days, was {days}")
    other = dict(hedge)
    both = sorted((day, price, other[day]) for day, price in dict(item).items() if day in other)
    if any(one <= 0.0 or two <= 0.0 for _, one, two in both):
        raise Wrong("every price must be above zero")
    ordinals = {day.toordinal(): place for place, (day, _, _) in enumerate(both)}
    pairs = [
        (ordinals[at - days], place) for at, place in ordinals.items() if at - days in ordinals
    ]
    if len(pairs) < max(_LEAST, 2 * days):
        raise Wrong(
            f"effectiveness over {days} days needs {max(_LEAST, 2 * days)} windows with both prices, "
            f"was {len(pairs)}"
        )
    y = np.array([log(both[b][1] / both[a][1]) for a, b in pairs])
    x = np.array([log(both[b][2] / both[a][2]) for a, b in pairs])
    y, x = y - y.mean(), x - x.mean()
    power = float(x @ x)
    if power <= 0.0:
        raise Wrong("the hedge's price never moves")
    ratio = float(x @ y) / power
    left = y - ratio * x
    error = sqrt(_long_run(left * x, 2 * days)) / power
    z = quantile(0.975)
    year = sqrt(365.0 / days)
    found = Effectiveness(
        days=days,
        windows=len(pairs),
        independent=len(pairs) // days,
        ratio=ratio,
        low=ratio - z * error,
        high=ratio + z * error,
        r2=1.0 - float(left @ left) / float(y @ y) if float(y @ y) > 0.0 else 0.0,
        tracking_error=float(left.std()) * year,
        tracking_error_one=float((y - x).std()) * year,
        item_vol=float(y.std()) * year,
        hedge_vol=float(x.std()) * year,
        since=both[pairs[0][0]][0],
        until=both[pairs[-1][1]][0],
    )
    return steadied(found)


def _long_run(scores: Array, lags: int) -> float:
    """Variance of the sum of correlated scores."""
    total = float(scores @ scores)
    for lag in range(1, min(lags, len(scores) - 1) + 1):
        weight = 1.0 - lag / (lags + 1.0)
        total += 2.0 * weight * float(scores[lag:] @ scores[:-lag])
    return max(total, 0.0)
