"""Implied volatility: the inverse of Black-76, to the last bits, for every price that has one."""

import math

from headframe.numerics import Array, density, parallel, phi, prange, quantile, scalar
from headframe.pricing.kernels.european import log_ratio, otm_at


@scalar
def _otm_gap(low: float, high: float, x: float, s: float) -> float:
    """What the out-of-the-money value lacks to its bound: a sum, nothing cancels; x = ln(low/high)."""
    h, t = x / s, 0.5 * s
    return low * phi(-h - t) + high * phi(h - t)


@scalar
def implied_deviation(F: float, K: float, value: float) -> float:
    """The s = sigma sqrt(T) at which the undiscounted out-of-the-money option is worth ``value``.

    0 < value < min(F, K). With x = |ln(F/K)| the value has its point of inflexion at s = sqrt(2x)
    (Jaeckel, "Let's be rational", Wilmott (2015) 40-53). Below it Halley's method runs on the
    logarithm of the value in 1/s**2, in which it is nearly straight; above, on the value itself in s;
    near the bound Newton's on the logarithm of what is lacking to it in s**2. Brackets guard each step.
    """
    low, high = min(F, K), max(F, K)
    x = abs(log_ratio(F, K))
    lowest, highest = 1e-12, 80.0 + 2.0 * x
    share = value / low
    if x < 1e-14:
        start = share * 2.5066282746310002 if share < 1e-3 else 2.0 * quantile(0.5 + 0.5 * share)
        branch = 1
    else:
        start = math.sqrt(2.0 * x)
        branch = 0 if value < otm_at(low, high, -x, start) else 1
        if branch == 1:  # Corrado and Miller, Journal of Banking and Finance 20 (1996) 595-603
            middle = value + 0.5 * abs(F - K)
            inside = math.sqrt(max(middle * middle - (F - K) ** 2 / math.pi, 0.0))
            start = max(start, 2.5066282746310002 / (F + K) * (middle + inside))
    if branch == 1 and share > 0.7:
        branch = 2
        start = max(start, 2.0)
    s = min(max(start, 2.0 * lowest), 0.5 * highest)
    gap = low - value
    log_value, log_gap = math.log(value), math.log(gap) if gap > 0.0 else -math.inf
    for _ in range(100):
        lacking = _otm_gap(low, high, -x, s) if branch == 2 else 0.0
        found = otm_at(low, high, -x, s) if branch < 2 else low - lacking
        h, t = -x / s, 0.5 * s
        slope = low * density(h + t)
        above = lacking < gap if branch == 2 else found > value
        if above:
            highest = s
        else:
            lowest = s
        step = -1.0
        bend = (h * h - t * t) / s
        if branch == 0 and found > 0.0 and slope > 0.0:
            rate = slope / found
            in_w = -0.5 * s * s * s * rate
            turn = 0.25 * s**6 * rate * (bend - rate + 3.0 / s)
            off = (math.log(found) - log_value) / in_w
            w = 1.0 / (s * s) - off / max(1.0 - 0.5 * off * turn / in_w, 0.5)
            if w > 0.0:
                step = 1.0 / math.sqrt(w)
        elif branch == 1 and slope > 0.0:
            off = (found - value) / slope
            step = s - off / max(1.0 - 0.5 * off * bend, 0.5)
        elif branch == 2 and lacking > 0.0 and slope > 0.0:
            q = s * s + (math.log(lacking) - log_gap) * 2.0 * s * lacking / slope
            if q > 0.0:
                step = math.sqrt(q)
        # the steps are of third order, near the bound of second: what is left is far below the last bit
        if step > 0.0 and abs(step - s) <= (4e-6 if branch < 2 else 1e-9) * s:
            return step
        if not lowest < step < highest:
            step = math.sqrt(lowest * highest)
        s = step
        if highest - lowest <= 3e-16 * s:
            break
    return s


@parallel
def implied_rows(columns: Array, vols: Array, reasons: Array) -> None:
    """Fill volatilities a year, and 0 or the number of the reason why there is none.

    ``columns`` is (7, rows): kind (+1 call, -1 put), inverse, F, K, price, T, df. Reasons: 1 below
    intrinsic, 2 at or above the bound, 3 no time left, 4 not a price.
    """
    for row in prange(columns.shape[1]):
        kind, F, K = columns[0, row], columns[2, row], columns[3, row]
        T, df = columns[5, row], columns[6, row]
        value = columns[4, row] / df * (F if columns[1, row] != 0.0 else 1.0)
        intrinsic = max(kind * (F - K), 0.0)
        left = value - intrinsic
        vols[row] = math.nan
        reasons[row] = 0.0
        if not (F > 0.0 and K > 0.0 and df > 0.0 and value >= 0.0 and value < math.inf) or not (
            math.inf > F and math.inf > K and math.inf > T
        ):
            reasons[row] = 4.0
        elif left < 0.0:
            reasons[row] = 1.0
        elif left >= min(F, K):
            reasons[row] = 2.0
        elif not T > 0.0:
            reasons[row] = 3.0
        elif left == 0.0:
            vols[row] = 0.0
        else:
            vols[row] = implied_deviation(F, K, left) / math.sqrt(T)
