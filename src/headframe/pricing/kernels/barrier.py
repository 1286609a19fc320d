"""Single-barrier options watched all the time, with a rebate.

Reiner and Rubinstein, "Breaking down the barriers", Risk 4(8) (1991) 28-35; the six terms A to F as
in Haug, The complete guide to option pricing formulas (2nd edition, 2007), pages 152-153.
"""

import math

from headframe.numerics import Array, compiled, mills, phi, scalar
from headframe.pricing.kernels.european import black76

_ROOT_2PI = 2.5066282746310002
_CERTAIN = 1e-5
"""A deviation of the log spot below which no chance is left that a difference could see."""


@scalar
def _tilted(power: float, z: float) -> float:
    """exp(power) phi(z), where one may be huge and the other nothing."""
    if z < -5.0:
        return math.exp(power - 0.5 * z * z) / _ROOT_2PI * mills(z)
    return math.exp(power) * phi(z)


@scalar
def barrier_value(
    sign: float,
    up: bool,
    enters: bool,
    S: float,
    K: float,
    H: float,
    rebate: float,
    sigma: float,
    T: float,
    b: float,
    r: float,
) -> float:
    """Value of a call (+1) or put (-1) that a touch of H begins (``enters``) or ends.

    S spot, b cost of carry and r rate a year. A knock-out pays its rebate at the touch, a knock-in
    pays it at expiry if there was none. A spot at or beyond the barrier has touched it. NaN where
    a rebate meets a rate so negative that its value at the touch has no bound.
    """
    df, F = math.exp(-r * T), S * math.exp(b * T)
    vanilla = black76(sign, F, K, sigma, T, df)
    if (S >= H) if up else (S <= H):
        return vanilla if enters else rebate
    s = sigma * math.sqrt(T)
    if s <= 0.0:
        return _certain(enters, S, H, rebate, T, b, r, vanilla)
    entering = _entering(sign, up, S, K, H, sigma, T, b, r)
    if enters:
        mu = b / (sigma * sigma) - 0.5
        eta = -1.0 if up else 1.0
        x2, y2 = math.log(S / H) / s + (mu + 1.0) * s, math.log(H / S) / s + (mu + 1.0) * s
        stays = phi(eta * (x2 - s)) - _tilted(2.0 * mu * math.log(H / S), eta * (y2 - s))
        return entering + rebate * df * max(stays, 0.0)
    return max(vanilla - entering, 0.0) + _touched(up, S, H, rebate, sigma, T, b, r)


@scalar
def _certain(
    enters: bool,
    S: float,
    H: float,
    rebate: float,
    T: float,
    b: float,
    r: float,
    vanilla: float,
) -> float:
    """Value without any chance: the spot follows its carry."""
    at = math.log(H / S) / b if b != 0.0 else -1.0
    touches = 0.0 < at <= T
    if enters:
        return vanilla if touches else rebate * math.exp(-r * T)
    return rebate * math.exp(-r * at) if touches else vanilla


@scalar
def _touched(
    up: bool, S: float, H: float, rebate: float, sigma: float, T: float, b: float, r: float
) -> float:
    """Value of a rebate paid when the barrier is touched: the term F."""
    if rebate == 0.0:
        return 0.0
    s, mu = sigma * math.sqrt(T), b / (sigma * sigma) - 0.5
    under = mu * mu + 2.0 * r / (sigma * sigma)
    if under < 0.0:
        return math.nan
    lam = math.sqrt(under)
    eta, away = (-1.0 if up else 1.0), math.log(H / S)
    z = away / s + lam * s
    one = _tilted((mu + lam) * away, eta * z)
    return rebate * (one + _tilted((mu - lam) * away, eta * (z - 2.0 * lam * s)))


@scalar
def _entering(
    sign: float, up: bool, S: float, K: float, H: float, sigma: float, T: float, b: float, r: float
) -> float:
    """Value of the knock-in without its rebate, from the terms A, B, C and D."""
    s, mu = sigma * math.sqrt(T), b / (sigma * sigma) - 0.5
    drift = (mu + 1.0) * s
    spot, strike = S * math.exp((b - r) * T), K * math.exp(-r * T)
    away = math.log(H / S)
    high, low = 2.0 * (mu + 1.0) * away, 2.0 * mu * away
    eta = -1.0 if up else 1.0
    x1, x2 = math.log(S / K) / s + drift, -away / s + drift
    y1, y2 = (2.0 * away + math.log(S / K)) / s + drift, away / s + drift
    A = sign * (spot * phi(sign * x1) - strike * phi(sign * (x1 - s)))
    B = sign * (spot * phi(sign * x2) - strike * phi(sign * (x2 - s)))
    C = sign * (spot * _tilted(high, eta * y1) - strike * _tilted(low, eta * (y1 - s)))
    D = sign * (spot * _tilted(high, eta * y2) - strike * _tilted(low, eta * (y2 - s)))
    if up == (sign > 0.0):
        # the barrier lies on the side that pays
        found = A if (K >= H if up else K <= H) else B - C + D
    else:
        found = C if (K >= H if not up else K <= H) else A - B + D
    return min(max(found, 0.0), max(A, 0.0))


@scalar
def _by_spot(
    sign: float, up: bool, enters: bool, S: float, K: float, H: float, rebate: float, sigma: float,
    T: float, b: float, r: float, price: float,
) -> tuple[float, float]:  # fmt: skip
    """Delta and gamma by the spot: central, or one-sided away from a barrier within the step.

    The step is a twentieth of the deviation at most. Below a deviation of 1e-5 the value is a line on each
    side of the strike's kink: the step stays on the spot's side, and gamma is 0. Exactly at the kink delta
    is the mean of both sides.
    """
    s = sigma * math.sqrt(T)
    certain = s < _CERTAIN
    h = S * (1e-3 if certain else min(1e-3, 0.05 * s))
    if certain:
        kink = abs(S - K * math.exp(-b * T))
        h = min(h, 0.5 * kink) if kink > 1e-12 * S else h
    if H > 0.0 and abs(S - H) <= 3.0 * h:
        h = h if S > H else -h
        one = barrier_value(sign, up, enters, S + h, K, H, rebate, sigma, T, b, r)
        two = barrier_value(sign, up, enters, S + 2.0 * h, K, H, rebate, sigma, T, b, r)
        three = barrier_value(sign, up, enters, S + 3.0 * h, K, H, rebate, sigma, T, b, r)
        delta = (-11.0 * price + 18.0 * one - 9.0 * two + 2.0 * three) / (6.0 * h)
        gamma = (2.0 * price - 5.0 * one + 4.0 * two - three) / (h * h)
        return delta, 0.0 if certain else gamma
    above = barrier_value(sign, up, enters, S + h, K, H, rebate, sigma, T, b, r)
    below = barrier_value(sign, up, enters, S - h, K, H, rebate, sigma, T, b, r)
    gamma = (above - 2.0 * price + below) / (h * h)
    return (above - below) / (2.0 * h), 0.0 if certain else gamma


@compiled
def barrier_figures(columns: Array, out: Array) -> None:
    """Fill (rows, 5): price, delta and gamma per unit of forward, vega, theta.

    ``columns`` is (11, rows) in the order of ``barrier_value``. Greeks are differences that stay on the
    spot's side of the barrier and, where no chance is left, of the strike; theta is one-sided.
    """
    for row in range(columns.shape[1]):
        sign, up, enters = columns[0, row], columns[1, row] != 0.0, columns[2, row] != 0.0
        S, K, H, rebate = columns[3, row], columns[4, row], columns[5, row], columns[6, row]
        sigma, T, b, r = columns[7, row], columns[8, row], columns[9, row], columns[10, row]
        price = barrier_value(sign, up, enters, S, K, H, rebate, sigma, T, b, r)
        # touched: the option is its vanilla or its rebate, wherever the spot goes within the bump
        touched = (S >= H) if up else (S <= H)
        up, H = (True, 0.0) if touched else (up, H)  # pyright: ignore[reportConstantRedefinition]
        delta, gamma = _by_spot(sign, up, enters, S, K, H, rebate, sigma, T, b, r, price)
        fine = min(1e-4, 0.5 * sigma)
        more = barrier_value(sign, up, enters, S, K, H, rebate, sigma + fine, T, b, r)
        less = barrier_value(sign, up, enters, S, K, H, rebate, sigma - fine, T, b, r)
        passed = min(1e-6, 0.5 * T)
        later = barrier_value(sign, up, enters, S, K, H, rebate, sigma, T - passed, b, r)
        carried = math.exp(-b * T)
        out[row, 0] = price
        out[row, 1] = delta * carried
        out[row, 2] = gamma * carried * carried
        out[row, 3] = (more - less) / (2.0 * fine) if fine > 0.0 else 0.0
        out[row, 4] = (later - price) / passed if passed > 0.0 else 0.0
