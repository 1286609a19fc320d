"""What a netting set of legs is worth along paths: exactly, and from tables that cost a lookup.

A table holds, for one day and one volatility level, value and slope over an even grid of the log
price; between nodes a cubic through values and slopes (Hermite), between levels of volatility a
straight line, and what the basis adds to forwards enters by its slope. Beyond the grid the value goes
on in a straight line in the price.
"""

import math

from headframe.numerics import (
    Array,
    Places,
    Singles,
    cumulative,
    exp,
    lane,
    log,
    np,
    parallel,
    prange,
    scalar,
)
from headframe.risk.kernels.paths import KAPPA, THETA, V0

# places of a leg: +1 call, -1 put, 0 forward; 1 where settled in coin; amount, coins or (for a future
# settled in coin) USD; strike or entry, USD; day of expiry; number of the netting set
SIGN, INVERSE, AMOUNT, STRIKE, EXPIRY, SET = 0, 1, 2, 3, 4, 5
# places of the grid: least log price, its step, step of the fourth root of variance from 0
X0, DX, DU = 0, 1, 2


@lane
def _scaled_variance(model: Array, fading: float, v: float) -> float:
    """Mean variance to come at variance v over what it was to be at the start."""
    now = model[THETA] + (v - model[THETA]) * fading
    then = model[THETA] + (model[V0] - model[THETA]) * fading
    return float(max(now / then, 1e-4))


@scalar
def _fading(model: Array, years: float) -> float:
    """How much of today's variance is left in the mean of the years to come."""
    pull = model[KAPPA] * years
    return (1.0 - exp(-pull)) / pull if pull > 1e-8 else 1.0


@scalar
def _column(tenors: Array, years: float) -> tuple[int, float]:
    """The tenor at or below a time, and how far on to the next it lies, 0 to 1."""
    column = 0
    while column < tenors.size - 2 and tenors[column + 1] < years:
        column += 1
    share = (years - tenors[column]) / (tenors[column + 1] - tenors[column])
    return column, min(max(share, 0.0), 1.0)


@lane
def _option(
    sign: float,
    F: float,
    K: float,
    years: float,
    scaled: float,
    low: Array,
    high: Array,
    share: float,
    ys: Array,
) -> tuple[float, float]:
    """Value and delta of an option; today's smile is taken at y = ln(K/F)/sqrt(years).

    ``low`` and ``high`` are the smiles of the tenors about it, straight lines between their nodes;
    ``scaled`` multiplies its variance.
    """
    x, root = log(F / K), math.sqrt(years)
    place = min(max((-x / root - ys[0]) / ys[1], 0.0), low.size - 1.000001)
    node = int(place)
    weight = place - node
    near = low[node] + (low[node + 1] - low[node]) * weight
    far = high[node] + (high[node + 1] - high[node]) * weight
    s = (near + (far - near) * share) * math.sqrt(scaled) * root
    d1 = x / s + 0.5 * s
    up, down = cumulative(sign * d1), cumulative(sign * (d1 - s))
    return max(sign * (F * up - K * down), sign * (F - K), 0.0), sign * up


@lane
def _forward(
    inverse: float, S: float, F: float, K: float, years: float
) -> tuple[float, float, float]:
    """Value of a forward of one coin, or of a coin-settled future of one USD; slopes by ln S and basis."""
    value, slope = F - K, F
    if inverse != 0.0:
        value, slope = (1.0 / K - 1.0 / F) * S, S / K
    swing = S / F * years if inverse != 0.0 else F * years
    return value, slope, swing


@lane
def closing_cost(
    sign: float, inverse: float, S: float, ratio: float, value: float, slope: float, costs: Array
) -> tuple[float, float]:
    """Cost of closing one unit of a leg in USD, and its slope by ln S; ``ratio`` is forward over spot.

    Options: half the spread of their value and the fee, up to its cap. Coin-settled futures of one USD and
    forwards of one coin: half spread of the forward, with the fee of futures.
    """
    listed = inverse != 0.0
    if sign == 0.0:
        if listed:
            return (costs[3] + costs[4]) / ratio, 0.0
        return 3.0 * costs[3] * S * ratio, 3.0 * costs[3] * S * ratio
    cost, rise = costs[0] * value, costs[0] * slope
    if listed:
        if costs[1] * S < costs[2] * value:
            return cost + costs[1] * S, rise + costs[1] * S
        return cost + costs[2] * value, rise + costs[2] * slope
    return cost, rise


@scalar
def leg_value(
    leg: Array,
    S: float,
    v: float,
    b: float,
    day: int,
    model: Array,
    carry: Array,
    smile: Array,
    tenors: Array,
    ys: Array,
) -> float:
    """Exact value in USD of a leg that has days to live, at price S, variance v and basis b."""
    years = (leg[EXPIRY] - day) / 365.0
    F = S * exp(carry[int(leg[EXPIRY])] - carry[day] + b * years)
    if leg[SIGN] == 0.0:
        value, _, _ = _forward(leg[INVERSE], S, F, leg[STRIKE], years)
        return float(leg[AMOUNT] * value)
    column, share = _column(tenors, years)
    scaled = _scaled_variance(model, _fading(model, years), v)
    low, high = smile[column], smile[column + 1]
    value, _ = _option(leg[SIGN], F, leg[STRIKE], years, scaled, low, high, share, ys)
    return float(leg[AMOUNT] * value * (S / F if leg[INVERSE] != 0.0 else 1.0))


@parallel
def mark_tables(
    legs: Array,
    model: Array,
    carry: Array,
    smile: Array,
    tenors: Array,
    ys: Array,
    grid: Array,
    start: float,
    marked: Places,
    alive: Array,
    closing: Places,
    costs: Array,
    tables: Singles,
    closed: Singles,
) -> None:
    """Fill (sets, days + 1, levels, nodes, 3): value, slope by ln S, slope by the basis.

    Legs that expire on a day are settled exactly and stand in no table of it. Days whose ``marked`` is 0 are
    left as they are.

    Args:
        legs to marked: as an engine has them.
        alive: (legs, days + 1) share of each leg that is left after a day.
        closing: (days + 1,) place of a day among those on which legs are closed, -1 where none is.
        costs: (5,) half spread of options, their fee in coins and its cap, half spread and fee of forwards.
        tables: what is left; closed: (sets, closing days, levels, nodes, 3) what closing brings, costs taken
            off.
    """
    days, levels, nodes = tables.shape[1], tables.shape[2], tables.shape[3]
    for day in prange(days):
        if marked[day] == 0:
            continue
        S, values, slopes, swings = (
            np.empty(nodes),
            np.empty(nodes),
            np.empty(nodes),
            np.empty(nodes),
        )
        for node in range(nodes):
            S[node] = start * exp(grid[X0] + node * grid[DX])
        for row in range(legs.shape[0]):
            leg = legs[row]
            if leg[EXPIRY] <= day:
                continue
            years = (leg[EXPIRY] - day) / 365.0
            ratio = exp(carry[int(leg[EXPIRY])] - carry[day])
            sign, inverse, amount, K = leg[SIGN], leg[INVERSE], leg[AMOUNT], leg[STRIKE]
            turned = 1.0 / ratio if inverse != 0.0 else 1.0
            kept, gone = amount * alive[row, day], 0.0
            if closing[day] >= 0:
                gone = amount * (alive[row, day - 1] - alive[row, day])
            column, share = _column(tenors, years)
            low, high = smile[column], smile[column + 1]
            fading = _fading(model, years)
            for level in range(levels):
                if sign == 0.0 and level == 0:
                    for node in range(nodes):
                        values[node], slopes[node], swings[node] = _forward(
                            inverse, S[node], S[node] * ratio, K, years
                        )
                elif sign != 0.0:
                    scaled = _scaled_variance(model, fading, (level * grid[DU]) ** 4)
                    for node in range(nodes):
                        F = S[node] * ratio
                        value, delta = _option(sign, F, K, years, scaled, low, high, share, ys)
                        values[node] = value * turned
                        slopes[node] = delta * F * turned
                        swings[node] = (
                            (delta * F - (value if inverse != 0.0 else 0.0)) * turned * years
                        )
                table = tables[int(leg[SET]), day, level]
                for node in range(nodes):
                    table[node, 0] += kept * values[node]
                    table[node, 1] += kept * slopes[node]
                    table[node, 2] += kept * swings[node]
                if gone != 0.0:
                    dealt = closed[int(leg[SET]), closing[day], level]
                    for node in range(nodes):
                        cost, rise = closing_cost(
                            sign, inverse, S[node], ratio, values[node], slopes[node], costs
                        )
                        dealt[node, 0] += gone * values[node] - abs(gone) * cost
                        dealt[node, 1] += gone * slopes[node] - abs(gone) * rise
                        dealt[node, 2] += gone * swings[node]


@scalar
def placed(
    grid: Array,
    walked: Array,
    first: int,
    last: int,
    shape: tuple[int, int],
    at: Places,
    within: Array,
) -> bool:
    """Fill node and level of paths first to last, and how far within and beyond; True if any is beyond.

    ``walked`` is (4, paths): price, its log over the start's, fourth root of variance, basis.
    """
    levels, nodes = shape
    x0, dx, du = grid[X0], 1.0 / grid[DX], 1.0 / grid[DU]
    farthest = 0.0
    for i in range(last - first):
        up = min(walked[2, first + i] * du, levels - 1.000001)
        along = (walked[1, first + i] - x0) * dx
        held = min(max(along, 0.0), nodes - 1.000001)
        level, node = int(up), int(held)
        at[0, i], at[1, i] = level, node
        within[0, i], within[1, i], within[2, i] = up - level, held - node, along - held
        farthest = max(farthest, abs(along - held))
    return farthest > 0.0


@scalar
def looked_up(
    table: Singles, dx: float, basis: Array, at: Places, within: Array, out: Array
) -> None:
    """Fill a set's value where ``placed`` put each path, from its day's table (levels, nodes, 3)."""
    for i in range(out.size):
        level, node = at[0, i], at[1, i]
        above, t = within[0, i], within[1, i]
        under = 1.0 - above
        a = table[level, node, 0] * under + table[level + 1, node, 0] * above
        c = table[level, node + 1, 0] * under + table[level + 1, node + 1, 0] * above
        da = (table[level, node, 1] * under + table[level + 1, node, 1] * above) * dx
        dc = (table[level, node + 1, 1] * under + table[level + 1, node + 1, 1] * above) * dx
        low = table[level, node, 2] * under + table[level + 1, node, 2] * above
        high = table[level, node + 1, 2] * under + table[level + 1, node + 1, 2] * above
        rest = c - a
        value = a + t * (da + t * (3.0 * rest - 2.0 * da - dc + t * (da + dc - 2.0 * rest)))
        out[i] = value + basis[i] * (low + (high - low) * t)


@scalar
def carried_on(table: Singles, dx: float, at: Places, within: Array, out: Array) -> None:
    """Beyond the grid, add a straight line in the price to the edge's value."""
    for i in range(out.size):
        beyond = within[2, i]
        if beyond != 0.0:
            level, node = at[0, i], at[1, i] + (1 if beyond > 0.0 else 0)
            slope = table[level, node, 1] * (1.0 - within[0, i])
            slope += table[level + 1, node, 1] * within[0, i]
            out[i] += slope * (exp(beyond * dx) - 1.0)


@parallel
def mark_errors(
    walked: Array,
    legs: Array,
    model: Array,
    carry: Array,
    smile: Array,
    tenors: Array,
    ys: Array,
    grid: Array,
    tables: Singles,
    alive: Array,
    worst: Array,
    squares: Array,
) -> None:
    """Fill, per day, the worst difference in USD between table and exact value, and the sum of squares."""
    paths = walked.shape[2]
    for day in prange(tables.shape[1]):
        worst[day], squares[day] = 0.0, 0.0
        total, found = np.zeros(paths), np.empty(paths)
        at, within = np.empty((2, paths), dtype=np.int64), np.empty((3, paths))
        shape = (tables.shape[2], tables.shape[3])
        far = placed(grid, walked[day], 0, paths, shape, at, within)
        for held in range(tables.shape[0]):
            looked_up(tables[held, day], grid[DX], walked[day, 3], at, within, found)
            if far:
                carried_on(tables[held, day], grid[DX], at, within, found)
            total += found
        for i in range(paths):
            S, v, b = walked[day, 0, i], walked[day, 2, i] ** 4, walked[day, 3, i]
            for row in range(legs.shape[0]):
                if legs[row, EXPIRY] > day:
                    exact = leg_value(legs[row], S, v, b, day, model, carry, smile, tenors, ys)
                    total[i] -= alive[row, day] * exact
            worst[day] = max(worst[day], abs(total[i]))
            squares[day] += total[i] * total[i]


@scalar
def settled(legs: Array, held: int, day: int, S: float) -> float:
    """What the legs of a set that expire on a day pay in USD at the settlement price."""
    total = 0.0
    for row in range(legs.shape[0]):
        if legs[row, EXPIRY] != day or legs[row, SET] != held:
            continue
        amount, K, sign = legs[row, AMOUNT], legs[row, STRIKE], legs[row, SIGN]
        if sign != 0.0:
            total += amount * max(sign * (S - K), 0.0)
        elif legs[row, INVERSE] != 0.0:
            total += amount * (S / K - 1.0)
        else:
            total += amount * (S - K)
    return total
