"""Options on the arithmetic average of discrete fixings, by conditioning on their geometric average.

Two moments: Turnbull and Wakeman, Journal of Financial and Quantitative Analysis 26 (1991) 377-389,
in Levy's form for discrete fixings. Conditioning: Curran, "Valuing Asian and portfolio options by
conditioning on the geometric mean price", Management Science 40 (1994) 1705-1711; the lower bound is
Rogers and Shi, Journal of Applied Probability 32 (1995) 1077-1088.

Each fixing has a volatility of its own: fixing i has the total variance w_i = sigma_i**2 t_i, and two
fixings share that of the earlier (Haug, Haug and Margrabe, "Asian pyramid power", in Haug, Derivatives:
models on models (2007), chapter 8).
"""

import math

from headframe.numerics import Array, compiled, np, phi
from headframe.pricing.kernels.european import GAUSS_NODES, GAUSS_WEIGHTS, black76


@compiled
def two_moments(forwards: Array, variances: Array) -> tuple[float, float]:
    """Return the mean of the average of the fixings, and the deviation of the log-normal with its variance.

    ``variances`` are the total variances of the fixings, in the order of time.
    """
    count = forwards.size
    mean, square, later = 0.0, 0.0, 0.0
    for index in range(count - 1, -1, -1):
        F = forwards[index]
        mean += F
        square += F * math.expm1(variances[index]) * (F + 2.0 * later)
        later += F
    return mean / count, math.sqrt(math.log1p(square / (mean * mean)))


@compiled
def average_value(
    sign: float,
    forwards: Array,
    times: Array,
    K: float,
    sigma: Array | float,
    df: float,
    accurate: bool,
) -> float:
    """Value of an option on the mean of the fixings to come, struck at K.

    Args:
        sign: +1 call, -1 put.
        forwards: (fixings,) forward price of each fixing; times: (fixings,) years, rising, from 0.
        K: strike on the mean of these fixings; at or below zero the call is a forward.
        sigma: (fixings,) volatility a year of an option that expires at each fixing, or one for all; where
            the total variance falls from one fixing to a later one, which no price can do, the earlier
            one's is still what the two share.
        df: discount factor of the payment.
        accurate: False matches two moments. True takes, given the geometric average G, the exact
            value where G is above K, and elsewhere the value of the mean's excess over G as a
            log-normal of its conditional moments.
    """
    variances = sigma * sigma * times
    mean, deviation = two_moments(forwards, variances)
    if K <= 0.0:
        return df * max(sign, 0.0) * (mean - K)
    if deviation <= 0.0:
        return df * max(sign * (mean - K), 0.0)
    if not accurate:
        return black76(sign, mean, K, deviation, 1.0, df)
    call = df * _conditioned(forwards, variances, K)
    return call if sign > 0.0 else max(call - df * (mean - K), 0.0)


@compiled
def _conditioned(forwards: Array, variances: Array, K: float) -> float:
    """Undiscounted call: the lower bound, and what the spread about it adds below G = K."""
    count = forwards.size
    loads, together = np.empty(count), np.empty((count, count))
    total, centre = 0.0, 0.0
    for i in range(count):
        loads[i] = 0.0
        for j in range(count):
            loads[i] += variances[min(i, j)] / count
        total += loads[i] / count
        centre += (math.log(forwards[i]) - 0.5 * variances[i]) / count
    width = math.sqrt(total)
    for i in range(count):
        loads[i] /= width
    for i in range(count):
        for j in range(count):
            shared = variances[min(i, j)] - loads[i] * loads[j]
            together[i, j] = math.expm1(shared)
    top = (math.log(K) - centre) / width
    level = np.empty(count)
    edge = _edge(forwards, loads, K, top, level)
    value = -K * phi(-edge)
    for i in range(count):
        value += forwards[i] / count * phi(loads[i] - edge)
    slope = 0.0
    for i in range(count):
        slope += loads[i] * level[i] / count
    spread = _spread(level, together)
    if spread <= 0.0 or top <= edge:
        return value
    low = edge - 12.0 * spread / slope
    for half in range(2):
        start, end = (low, edge) if half == 0 else (edge, top)
        for node in range(len(GAUSS_NODES)):
            x = start + (end - start) * GAUSS_NODES[node]
            mean = 0.0
            for i in range(count):
                level[i] = forwards[i] * math.exp(loads[i] * x - 0.5 * loads[i] * loads[i])
                mean += level[i] / count
            under = math.exp(centre + width * x)
            excess, room = mean - under, K - under
            if excess <= 0.0 or room <= 0.0:
                continue
            s = math.sqrt(math.log1p((_spread(level, together) / excess) ** 2))
            gain = black76(1.0, excess, room, s, 1.0, 1.0) - max(mean - K, 0.0)
            bell = math.exp(-0.5 * x * x) * 0.3989422804014327
            value += (end - start) * GAUSS_WEIGHTS[node] * gain * bell
    return value


@compiled
def _edge(forwards: Array, loads: Array, K: float, top: float, level: Array) -> float:
    """The x at which the mean given the geometric average reaches K: Newton from above, convex."""
    count = forwards.size
    x = top
    for _ in range(60):
        mean, slope = 0.0, 0.0
        for i in range(count):
            level[i] = forwards[i] * math.exp(loads[i] * x - 0.5 * loads[i] * loads[i])
            mean += level[i] / count
            slope += loads[i] * level[i] / count
        step = (mean - K) / slope
        x -= step
        if abs(step) <= 1e-14 * (1.0 + abs(x)):
            break
    return x


@compiled
def _spread(level: Array, together: Array) -> float:
    """Deviation of the mean given the geometric average."""
    count = level.size
    total = 0.0
    for i in range(count):
        row = 0.0
        for j in range(count):
            row += level[j] * together[i, j]
        total += row * level[i]
    return math.sqrt(max(total, 0.0)) / count


@compiled
def average_figures(
    sign: float,
    forwards: Array,
    times: Array,
    K: float,
    sigma: Array,
    df: float,
    years: float,
    out: Array,
) -> None:
    """Fill price, delta and gamma per unit of the last forward, vega, theta, two-moment price.

    All forwards move alike, and so do all volatilities: vega is per 1.00 of each.
    Greeks are central differences (theta one-sided), good to about 1e-6 of themselves. No difference
    reaches over a fixing or, where no chance is left, over the strike: exactly there delta is the mean of
    both sides, and gamma is 0 on each.
    """
    price = average_value(sign, forwards, times, K, sigma, df, True)
    level = forwards[forwards.size - 1]
    mean, deviation = two_moments(forwards, sigma * sigma * times)
    certain = deviation < 1e-5
    step = 1e-3 if certain else min(1e-3, 0.05 * deviation)
    if certain and abs(mean - K) > 1e-12 * mean:
        step = min(step, 0.5 * abs(mean - K) / mean)
    up = average_value(sign, forwards * (1.0 + step), times, K, sigma, df, True)
    down = average_value(sign, forwards * (1.0 - step), times, K, sigma, df, True)
    fine = 1e-4 * max(sigma.max(), 1e-3)
    lowered = np.maximum(sigma - fine, 0.0)
    more = average_value(sign, forwards, times, K, sigma + fine, df, True)
    less = average_value(sign, forwards, times, K, lowered, df, True)
    passed = min(1e-6, 0.5 * years)
    for index in range(times.size):
        if times[index] > 0.0:  # the time that passes ends before the next fixing
            passed = min(passed, 0.5 * times[index])
    sooner = np.empty(times.size)
    for index in range(times.size):
        sooner[index] = max(times[index] - passed, 0.0)
    out[0] = price
    out[1] = (up - down) / (2.0 * step * level)
    out[2] = 0.0 if certain else (up - 2.0 * price + down) / (step * level) ** 2
    out[3] = (more - less) / (fine + min(fine, sigma.max()))
    out[4] = 0.0
    if passed > 0.0:
        later = df ** (1.0 - passed / years)
        out[4] = (average_value(sign, forwards, sooner, K, sigma, later, True) - price) / passed
    out[5] = average_value(sign, forwards, times, K, sigma, df, False)
