"""Daily price paths, and what a hedge does against the mine's own sales along them."""

import math

from headframe.numerics import Array, compiled, normals, np, scalar
from headframe.pricing.kernels import black76


@compiled
def spot_path(
    seed: int, stream: int, path: int, start: float, drift: float, sigma: float, out: Array
) -> None:
    """Geometric Brownian motion at the end of each of out.size days; drift and sigma a year."""
    normals(seed, stream, path, out)
    dt = 1.0 / 365.0
    level = math.log(start)
    for day in range(out.size):
        level += (drift - 0.5 * sigma * sigma) * dt + sigma * math.sqrt(dt) * out[day]
        out[day] = math.exp(level)


@compiled
def bridge(
    seed: int, stream: int, start: float, end: float, knee: float, sigma: float, out: Array
) -> None:
    """Fill a path that reaches end after a share ``knee`` of out.size days and averages it from there on.

    The trend is a straight line of the log up to the knee and flat after it. On either side of the knee
    sigma's daily noise is bridged to nothing at both ends, and bent so that the mean price is the trend's.
    """
    spot_path(seed, stream, 0, 1.0, 0.5 * sigma * sigma, sigma, out)
    days = out.size
    turn = min(max(math.floor(knee * days + 0.5), 1), days)
    before = 0.0
    for day in range(days):
        level = math.log(out[day])
        out[day], before = level - before, level  # the day's move
    slope = math.log(end / start) / turn
    _bridged_stretch(math.log(start), slope, out[:turn])
    _bridged_stretch(math.log(end), 0.0, out[turn:])
    out[days - 1] = end


@scalar
def _bridged_stretch(begin: float, slope: float, moves: Array) -> None:
    """Turn moves of the log into prices about a line from ``begin``, with the line's mean and its end."""
    days = moves.size
    drift = moves.sum() / max(days, 1)
    noise, wanted = 0.0, 0.0
    for day in range(days):
        noise += moves[day] - drift
        moves[day] = begin + slope * (day + 1) + noise
        wanted += math.exp(begin + slope * (day + 1))
    bend = 0.0
    for _ in range(60):  # Newton on a sum of exponentials: convex, a handful of steps are enough
        total, rate = 0.0, 0.0
        for day in range(days):
            bow = (day + 1) * (days - 1 - day) / (days * days)
            price = math.exp(moves[day] + bend * bow)
            total, rate = total + price, rate + price * bow
        if rate <= 0.0 or abs(total - wanted) <= 1e-12 * wanted:
            break
        bend -= (total - wanted) / rate
    for day in range(days):
        moves[day] = math.exp(moves[day] + bend * (day + 1) * (days - 1 - day) / (days * days))


@scalar
def hedge_value(
    S: float, F: float, F0: float, K_put: float, K_call: float, sigma: float, T: float
) -> float:
    """USD value per coin of the producer's hedge, premium apart: put bought, call sold, or F0 - F.

    A strike of zero stands for no such leg; with neither the hedge is a short forward from F0. At
    expiry (T = 0) it settles on S.
    """
    at = S if T <= 0.0 else F
    if K_put <= 0.0 and K_call <= 0.0:
        return F0 - at
    value = 0.0
    if K_put > 0.0:
        value += black76(-1.0, at, K_put, sigma, T, 1.0)
    if K_call > 0.0:
        value -= black76(1.0, at, K_call, sigma, T, 1.0)
    return value


@scalar
def closing_cost_usd(
    F: float, K_put: float, K_call: float, sigma: float, T: float, costs: Array
) -> float:
    """USD a coin that closing the hedge costs before its expiry; ``costs`` by the places of DealingCosts.

    The sixth place is 1 if it is listed, 0 if it is a dealer's: no fees, a forward's spread threefold.
    """
    listed = costs[5] != 0.0
    if K_put <= 0.0 and K_call <= 0.0:
        return float(F * (costs[3] + costs[4]) if listed else 3.0 * F * costs[3])
    cost = 0.0
    for sign, strike in ((-1.0, K_put), (1.0, K_call)):
        if strike > 0.0:
            value = black76(sign, F, strike, sigma, T, 1.0)
            cost += costs[0] * value + (min(costs[1] * F, costs[2] * value) if listed else 0.0)
    return float(cost)


@compiled
def hedge_against_sales(
    seed: int,
    S0: float,
    F0: float,
    sigma: float,
    weights: Array,
    closes: Array,
    K_put: float,
    K_call: float,
    basis_sd: float,
    costs: Array,
    actual: Array,
    ideal: Array,
    average: Array,
    dealt: Array,
) -> None:
    """Fill, per path, what the hedge paid, what it should have paid, the average sale and what closing cost.

    The mine sells a share weights[d] of its coins at the end of day d + 1, and a share closes[d] of the hedge
    is closed then at its mark; the rest settles at the end of the last day. Ideal is the payoff each sale
    would need at its own price. The annualised basis of the forward carries independent noise of sd
    ``basis_sd`` a year. Costs of closing are counted apart.
    """
    days = weights.size
    expiry = days / 365.0
    carry = math.log(F0 / S0) / expiry
    spots, noise = np.empty(days), np.empty(days)
    for path in range(actual.size):
        spot_path(seed, 10, path, S0, carry, sigma, spots)
        normals(seed, 11, path, noise)
        paid, due, sold, cost, held = 0.0, 0.0, 0.0, 0.0, 1.0
        for day in range(days):
            weight, gone, spot = weights[day], closes[day], spots[day]
            if weight > 0.0:
                sold += weight * spot
                due += weight * hedge_value(spot, spot, F0, K_put, K_call, sigma, 0.0)
            if gone > 0.0 and day < days - 1:
                left = (days - 1 - day) / 365.0
                forward = spot * math.exp((carry + basis_sd * noise[day]) * left)
                paid += gone * hedge_value(spot, forward, F0, K_put, K_call, sigma, left)
                cost += gone * closing_cost_usd(forward, K_put, K_call, sigma, left, costs)
                held -= gone
        last = spots[days - 1]
        paid += held * hedge_value(last, last, F0, K_put, K_call, sigma, 0.0)
        actual[path] = paid
        ideal[path] = due
        average[path] = sold
        dealt[path] = cost
