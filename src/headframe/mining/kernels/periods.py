"""Retarget periods of many paths side by side: when each ends, its difficulty, its reward."""

import math

from headframe.numerics import Array, exp, log, normal_pair, np, scalar, sincos_turn

_YEAR = 31_556_952.0

# places in the arrays of parameters
START, HEIGHT, PERIOD, INTERVALS, SPACING, HASHES, FACTOR_LIMIT, BEGINS = 0, 1, 2, 3, 4, 5, 6, 7
DRIFT, INNOVATION, MEMORY, DEVIATION, COSINE, SINE, SQUEEZE = 0, 1, 2, 3, 4, 5, 6
SAME, SIX, THIRTEEN = 7, 8, 9


@scalar
def _reward(steps: Array, rewards: Array, height: float) -> float:
    """Coins of a block at a height: steps are the heights at which the reward changes."""
    index = 0
    while index < steps.size and height >= steps[index]:
        index += 1
    return float(rewards[index])


@scalar
def _next_step(steps: Array, height: float) -> float:
    for index in range(steps.size):
        if steps[index] > height:
            return float(steps[index])
    return 1e300


@scalar
def priced(prices: Array, first: int, grid: Array, seconds: Array, out: Array) -> None:
    """Fill each path's price at an instant of its own: linear between points, flat outside them."""
    points, step, start = prices.shape[0], grid[0], grid[1]
    wide = 1 if prices.shape[2] > 1 else 0
    for i in range(seconds.size):
        place = min(max((seconds[i] - start) / step, 0.0), points - 1.0)
        below = min(int(place), points - 2)
        weight, row = place - below, (first + i) * wide
        out[i] = prices[below, 0, row] * (1.0 - weight) + prices[below + 1, 0, row] * weight


@scalar
def _grown(rows: Array) -> Array:
    """The same rows with as many empty ones again."""
    more = np.empty((2 * rows.shape[0], rows.shape[1]))
    more[: rows.shape[0]] = rows
    return more


@scalar
def retargets(
    first: int,
    chain: Array,
    steps: Array,
    rewards: Array,
    model: Array,
    known_changes: Array,
    prices: Array,
    price_grid: Array,
    drawn: tuple[int, int, int, int],
    horizon: float,
    periods: int,
) -> tuple[Array, Array, Array, Array, int]:
    """The pieces that retargets and steps of the reward cut the time of some paths into.

    A piece has one difficulty and one reward, and the same blocks on every path. They go on until every path
    is past ``horizon``, or for so many ``periods`` where that is not zero. ``drawn`` are the seed, the number
    the first path is drawn as, how many paths, and how many periods are left to chance. Returns when each
    piece ends (pieces + 1, paths), its difficulty, the length of its period, and (pieces + 1, 3) its reward,
    its period, and 1 where it is the period's last; and how many pieces there are. The row after the last
    repeats it, with its end.
    """
    seed, drawn_as, width, chances = drawn
    index, piece = 0, 0
    ends, difficulties = np.empty((chances, width)), np.empty((chances, width))
    lengths, shared = np.empty((chances, width)), np.empty((chances, 3))
    shocks = np.zeros((2, width))
    now, difficulty = np.zeros(width), np.full(width, chain[START])
    deviation, change = np.full(width, model[DEVIATION]), np.empty(width)
    end, length, spot = np.empty(width), np.empty(width), np.empty(width)
    bare, limit = chain[PERIOD] * chain[SPACING], chain[FACTOR_LIMIT]
    measured = bare * chain[PERIOD] / chain[INTERVALS]
    moves = np.empty((14, width))
    for lag in range(14):
        moves[lag] = known_changes[lag]
    if prices.shape[0] > 0:
        for i in range(width):
            spot[i] = prices[0, 0, first + i if prices.shape[2] > 1 else 0]
    height, squeezed = chain[HEIGHT], 0
    while (periods > 0 and index < periods) or (periods == 0 and now.min() < horizon):
        if _next_step(steps, height) < height + chain[PERIOD]:
            squeezed = 3
        squeeze = model[SQUEEZE] if squeezed > 0 else 0.0
        squeezed = max(squeezed - 1, 0)
        if index % 2 == 0 and index < chances:
            normal_pair(seed, 0, drawn_as, index // 2, shocks[0], shocks[1])
        shock, by_chance = shocks[index % 2], 1.0 if index < chances else 0.0
        for i in range(width):
            deviation[i] = model[MEMORY] * deviation[i] + model[INNOVATION] * (shock[i] * by_chance)
        for i in range(width):
            phase = chain[BEGINS] + (now[i] + bare) / _YEAR
            sine, cosine = sincos_turn(phase - math.floor(phase))
            bent = model[DRIFT] + deviation[i]
            change[i] = bent + (model[COSINE] * cosine + model[SINE] * sine) + squeeze
        if prices.shape[0] > 0:
            _answered(first, model, prices, price_grid, bare, index, now, spot, moves, change)
        for i in range(width):
            change[i] = min(max(change[i], -limit), limit)
            length[i] = measured * exp(-change[i])
            end[i] = now[i] + length[i]
        top, last = height + chain[PERIOD], False
        here = height
        while not last:
            step = _next_step(steps, here + 1e-6)
            last = not step < top
            if piece + 2 > ends.shape[0]:
                ends, difficulties, lengths = _grown(ends), _grown(difficulties), _grown(lengths)
                shared = _grown(shared)
            shared[piece, 0], shared[piece, 1] = _reward(steps, rewards, here + 1e-6), index
            shared[piece, 2] = 1.0 if last else 0.0
            for i in range(width):
                at = now[i] + (step - height) / chain[PERIOD] * length[i]
                ends[piece, i] = end[i] if last else at
                difficulties[piece, i], lengths[piece, i] = difficulty[i], length[i]
            piece, here = piece + 1, step
        for i in range(width):
            now[i] = end[i]
            difficulty[i] *= exp(change[i])
        height, index = top, index + 1
    ends[piece], difficulties[piece] = ends[piece - 1], difficulties[piece - 1]
    lengths[piece], shared[piece] = lengths[piece - 1], shared[piece - 1]
    return ends, difficulties, lengths, shared, piece


@scalar
def _answered(
    first: int,
    model: Array,
    prices: Array,
    price_grid: Array,
    bare: float,
    index: int,
    now: Array,
    spot: Array,
    moves: Array,
    change: Array,
) -> None:
    """Add the answer to the price to each path's change; row 0 of ``moves`` becomes its last move.

    ``moves`` holds 14 rows, that of index 0 the move to the present price and then the latest first.
    """
    width = now.size
    when, ahead, behind = np.empty(width), np.empty(width), np.empty(width)
    for i in range(width):
        when[i] = now[i] + 0.5 * bare
    priced(prices, first, price_grid, when, ahead)
    for i in range(width):
        when[i] = now[i] - 0.5 * bare
    priced(prices, first, price_grid, when, behind)
    fresh, early, late = np.empty(width), np.zeros(width), np.zeros(width)
    for i in range(width):
        fresh[i] = log(ahead[i] / (spot[i] if index == 0 else behind[i]))
    if index == 0:
        for i in range(width):
            fresh[i] = moves[0, i] + fresh[i]
    for lag in range(1, 7):
        for i in range(width):
            early[i] += moves[lag, i]
    for lag in range(7, 14):
        for i in range(width):
            late[i] += moves[lag, i]
    for i in range(width):
        change[i] += model[SAME] * fresh[i] + model[SIX] * early[i] + model[THIRTEEN] * late[i]
    for lag in range(13, 1, -1):
        moves[lag] = moves[lag - 1]
    moves[1] = fresh
