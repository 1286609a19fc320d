"""Worth of forwards and European options: names follow the literature.

Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976) 167-179. The
inverse option pays (S - K)+ / S coins; its coin value is Black-76 over the forward (Alexander,
Chen and Imeraj, Mathematical Finance 33 (2023), arXiv 2107.12041). Every kernel takes scalars:
F forward, K strike, sigma volatility a year, T years, df discount factor; sign +1 call, -1 put.
"""

import math

from headframe.numerics import (
    Array,
    compiled,
    density,
    mills,
    parallel,
    phi,
    prange,
    quantile,
    scalar,
)


def _gauss_legendre(count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Nodes and weights on (0, 1), by Newton's method on Legendre polynomials."""
    nodes: list[float] = []
    weights: list[float] = []
    for index in range(count):
        x = math.cos(math.pi * (index + 0.75) / (count + 0.5))
        slope = 1.0
        for _ in range(8):
            below, value = 1.0, x
            for degree in range(2, count + 1):
                below, value = value, ((2 * degree - 1) * x * value - (degree - 1) * below) / degree
            slope = count * (x * value - below) / (x * x - 1.0)
            x -= value / slope
        nodes.append(0.5 * (1.0 + x))
        weights.append(1.0 / ((1.0 - x * x) * slope * slope))
    return tuple(nodes), tuple(weights)


_NODES, _WEIGHTS = _gauss_legendre(32)


@scalar
def log_ratio(F: float, K: float) -> float:
    """ln(F/K), accurate to the last bits where F is close to K."""
    if 0.5 * K < F < 2.0 * K:
        return math.log1p((F - K) / K)
    return math.log(F) - math.log(K)


@scalar
def _mills_gap(h: float, t: float) -> float:
    """mills(h + t) - mills(h - t) without cancellation, for h + t at most about 1.

    mills(z) is the integral over u > 0 of exp(zu - u^2/2), so the gap is the integral of
    2 sinh(tu) exp(hu - u^2/2), positive everywhere; cut where the integrand is below 1e-18.
    """
    a = max(-(h + t), 0.0)
    top = 84.0 / (a + math.sqrt(a * a + 84.0))
    if h + t > 0.0:
        top += 2.0 * (h + t)
    total = 0.0
    for index in range(len(_NODES)):
        u = top * _NODES[index]
        total += _WEIGHTS[index] * 2.0 * math.sinh(t * u) * math.exp(h * u - 0.5 * u * u)
    return total * top


@scalar
def otm_value(F: float, K: float, s: float) -> float:
    """Undiscounted value of the out-of-the-money option, s = sigma sqrt(T) > 0.

    F phi(d1) (mills(d1) - mills(d2)) by symmetry, with the difference taken by quadrature where
    its terms are close: relative error below 1e-13 whatever the strike.
    """
    low, high = min(F, K), max(F, K)
    h = log_ratio(low, high) / s
    t = 0.5 * s
    up, down = h + t, h - t
    if up > 1.0:
        return low * phi(up) - high * phi(down)
    above, below = mills(up), mills(down)
    if below < 0.98 * above:
        if up > -1.0:
            return low * phi(up) - high * phi(down)
        return low * density(up) * (above - below)
    return low * density(up) * _mills_gap(h, t)


@scalar
def _otm_gap(F: float, K: float, s: float) -> float:
    """What the out-of-the-money value lacks to its bound min(F, K): a sum, nothing cancels."""
    low, high = min(F, K), max(F, K)
    h, t = log_ratio(low, high) / s, 0.5 * s
    return low * phi(-h - t) + high * phi(h - t)


@scalar
def implied_deviation(F: float, K: float, value: float) -> float:
    """The s = sigma sqrt(T) at which the undiscounted out-of-the-money option is worth ``value``.

    0 < value < min(F, K). With x = |ln(F/K)| the value has its point of inflexion at s = sqrt(2x)
    (Jaeckel, "Let's be rational", Wilmott (2015) 40-53). Below it Halley's method runs on the
    logarithm of the value in 1/s**2, in which it is nearly straight; above, on the value itself in s;
    near the bound Newton's on the logarithm of what is lacking to it in s**2. Brackets guard each step.
    """
    low = min(F, K)
    x = abs(log_ratio(F, K))
    lowest, highest = 1e-12, 80.0 + 2.0 * x
    share = value / low
    if x < 1e-14:
        start = share * 2.5066282746310002 if share < 1e-3 else 2.0 * quantile(0.5 + 0.5 * share)
        branch = 1
    else:
        start = math.sqrt(2.0 * x)
        branch = 0 if value < otm_value(F, K, start) else 1
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
        found = otm_value(F, K, s) if branch < 2 else low - _otm_gap(F, K, s)
        lacking = _otm_gap(F, K, s) if branch == 2 else 0.0
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


@scalar
def black76(sign: float, F: float, K: float, sigma: float, T: float, df: float) -> float:
    """Value of a European option on a forward, in the quote currency."""
    intrinsic = max(sign * (F - K), 0.0)
    s = sigma * math.sqrt(T)
    if s <= 0.0:
        return df * intrinsic
    return df * (intrinsic + otm_value(F, K, s))


@scalar
def black76_greeks(
    sign: float, F: float, K: float, sigma: float, T: float, df: float
) -> tuple[float, float, float, float, float]:
    """Price, delta and gamma per unit of forward, vega per 1.00 of volatility, theta per year.

    Theta holds the forward and the rate -ln(df)/T: -F phi(d1) sigma df / (2 sqrt(T)) + r price.
    Limits: at zero volatility or time the option is its intrinsic value, delta is a half at the
    strike, and gamma there is infinite.
    """
    price = black76(sign, F, K, sigma, T, df)
    rate = -math.log(df) / T if T > 0.0 else 0.0
    s = sigma * math.sqrt(T)
    x = log_ratio(F, K)
    if s <= 0.0:
        step = 0.5 if x == 0.0 else (1.0 if sign * x > 0.0 else 0.0)
        gamma = math.inf if x == 0.0 else 0.0
        vega = df * F * density(0.0) * math.sqrt(T) if x == 0.0 else 0.0
        return price, sign * df * step, gamma, vega, rate * price
    d1 = x / s + 0.5 * s
    bell = density(d1)
    delta = sign * df * phi(sign * d1)
    gamma = df * bell / (F * s)
    vega = df * F * bell * math.sqrt(T)
    theta = -df * F * bell * sigma / (2.0 * math.sqrt(T)) + rate * price
    return price, delta, gamma, vega, theta


@scalar
def inverse_greeks(
    sign: float, F: float, K: float, sigma: float, T: float, df: float
) -> tuple[float, float, float, float, float]:
    """The same five figures in coin for an option that pays in coin; df discounts coins.

    With the forward held as numeraire the call is N(d1) - K/F N(d2), so delta is K N(d2) / F^2.
    """
    value, _, _, vega, theta = black76_greeks(sign, F, K, sigma, T, df)
    s = sigma * math.sqrt(T)
    x = log_ratio(F, K)
    if s <= 0.0:
        step = 0.5 if x == 0.0 else (1.0 if sign * x > 0.0 else 0.0)
        gamma = math.inf if x == 0.0 else -sign * 2.0 * df * K * step / F**3
        return value / F, sign * df * K * step / F**2, gamma, vega / F, theta / F
    d2 = x / s - 0.5 * s
    tail = phi(sign * d2)
    delta = sign * df * K * tail / F**2
    gamma = df * K * (density(d2) / s - sign * 2.0 * tail) / F**3
    return value / F, delta, gamma, vega / F, theta / F


@scalar
def forward_greeks(
    inverse: bool, F: float, K: float, T: float, df: float
) -> tuple[float, float, float, float, float]:
    """The five figures of a forward bought at K, in the quote currency or, if inverse, in coin."""
    rate = -math.log(df) / T if T > 0.0 else 0.0
    if inverse:
        price = df * (F - K) / F
        return price, df * K / F**2, -2.0 * df * K / F**3, 0.0, rate * price
    price = df * (F - K)
    return price, df, 0.0, 0.0, rate * price


@compiled
def price_rows(columns: Array, out: Array) -> None:
    """Fill out (rows, 5) with the five figures.

    ``columns`` is (7, rows): kind (+1 call, -1 put, 0 forward), inverse, F, K, sigma, T, df.
    """
    for row in range(columns.shape[1]):
        kind, inverse = columns[0, row], columns[1, row] != 0.0
        F, K, sigma = columns[2, row], columns[3, row], columns[4, row]
        T, df = columns[5, row], columns[6, row]
        if kind == 0.0:
            figures = forward_greeks(inverse, F, K, T, df)
        elif inverse:
            figures = inverse_greeks(kind, F, K, sigma, T, df)
        else:
            figures = black76_greeks(kind, F, K, sigma, T, df)
        for column in range(5):
            out[row, column] = figures[column]


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
