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
    phi,
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


GAUSS_NODES, GAUSS_WEIGHTS = _gauss_legendre(32)


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
    for index in range(len(GAUSS_NODES)):
        u = top * GAUSS_NODES[index]
        total += GAUSS_WEIGHTS[index] * 2.0 * math.sinh(t * u) * math.exp(h * u - 0.5 * u * u)
    return total * top


@scalar
def otm_value(F: float, K: float, s: float) -> float:
    """Undiscounted value of the out-of-the-money option, s = sigma sqrt(T) > 0."""
    low, high = min(F, K), max(F, K)
    return otm_at(low, high, log_ratio(low, high), s)


@scalar
def otm_at(low: float, high: float, x: float, s: float) -> float:
    """The same of the lower and the higher of forward and strike, x = ln(low/high).

    low phi(d1) (mills(d1) - mills(d2)) by symmetry, with the difference taken by quadrature where
    its terms are close: relative error below 1e-13 whatever the strike.
    """
    h, t = x / s, 0.5 * s
    up, down = h + t, h - t
    if up > 1.0:
        return low * phi(up) - high * phi(down)
    above, below = mills(up), mills(down)
    if below < 0.98 * above:
        return low * density(up) * (above - below)
    return low * density(up) * _mills_gap(h, t)


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
