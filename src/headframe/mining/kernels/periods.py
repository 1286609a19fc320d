"""Retarget periods of many paths side by side: when each ends, its difficulty, its reward."""

from headframe.numerics import Array, exp, log, normal_pair, np, scalar, sincos_turn

_YEAR = 31_556_952.0
_LAGS = 13

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
    wide = np.uint64(1 if prices.shape[2] > 1 else 0)
    for i in range(seconds.size):
        out[i] = min(max((seconds[i] - start) / step, 0.0), points - 1.0)
    for i in range(seconds.size):
        below = min(int(out[i]), points - 2)
        weight, row = out[i] - below, np.uint64(first + i) * wide
        low = prices[np.uint64(below), 0, row]
        out[i] = low * (1.0 - weight) + prices[np.uint64(below + 1), 0, row] * weight


@scalar
def _before(seconds: Array, end: float) -> bool:
    """Whether any lies before the end."""
    count = 0
    for i in range(seconds.size):
        count += 1 if seconds[i] < end else 0
    return count > 0


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
    bare, limit, blocks = chain[PERIOD] * chain[SPACING], chain[FACTOR_LIMIT], chain[PERIOD]
    memory, innovation, drift = model[MEMORY], model[INNOVATION], model[DRIFT]
    along, across, years = model[COSINE], model[SINE], chain[BEGINS]  # years since 1970
    measured = bare * chain[PERIOD] / chain[INTERVALS]
    moves, room = np.empty((_LAGS, width)), np.empty((5, width))
    for lag in range(1, _LAGS + 1):
        moves[_LAGS - lag] = known_changes[lag]
    if prices.shape[0] > 0:
        for i in range(width):
            spot[i] = prices[0, 0, first + i if prices.shape[2] > 1 else 0]
    height, squeezed = chain[HEIGHT], 0
    while index < periods or (periods == 0 and _before(now, horizon)):
        if _next_step(steps, height) < height + chain[PERIOD]:
            squeezed = 3
        squeeze = model[SQUEEZE] if squeezed > 0 else 0.0
        squeezed = max(squeezed - 1, 0)
        if index % 2 == 0 and index < chances:
            normal_pair(seed, 0, drawn_as, index // 2, shocks[0], shocks[1])
        shock, by_chance = shocks[index % 2], 1.0 if index < chances else 0.0
        for i in range(width):
            deviation[i] = memory * deviation[i] + innovation * (shock[i] * by_chance)
        for i in range(width):
            phase = years + (now[i] + bare) / _YEAR
            sine, cosine = sincos_turn(phase - float(int(phase)))
            change[i] = drift + deviation[i] + (along * cosine + across * sine) + squeeze
        if prices.shape[0] > 0:
            begun = known_changes[0] if index == 0 else 0.0
            _answered(
                first, model, prices, price_grid, bare, index, now, spot, begun, moves, room, change
            )
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
                at = now[i] + (step - height) / blocks * length[i]
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
    begun: float,
    moves: Array,
    room: Array,
    change: Array,
) -> None:
    """Add the answer to the price to each path's change, and keep its last move.

    The move of so many periods ago lies in row (``index`` - lag) modulo 13 of ``moves``; ``begun`` is what
    the first period had moved before the paths begin. ``room`` is five rows to work in.
    """
    width, same, six, thirteen = now.size, model[SAME], model[SIX], model[THIRTEEN]
    when, ahead, behind, early, late = room[0], room[1], room[2], room[3], room[4]
    for i in range(width):
        when[i] = now[i] + 0.5 * bare
    priced(prices, first, price_grid, when, ahead)
    for i in range(width):
        when[i] = now[i] - 0.5 * bare
    priced(prices, first, price_grid, when, behind)
    fresh = when
    early[:], late[:] = 0.0, 0.0
    for i in range(width):
        fresh[i] = log(ahead[i] / (spot[i] if index == 0 else behind[i]))
    if index == 0:
        for i in range(width):
            fresh[i] = begun + fresh[i]
    for lag in range(1, _LAGS + 1):
        row, total = moves[(index - lag) % _LAGS], early if lag < 7 else late
        for i in range(width):
            total[i] += row[i]
    for i in range(width):
        change[i] += same * fresh[i] + six * early[i] + thirteen * late[i]
    moves[index % _LAGS] = fresh
