"""Retarget periods of many paths side by side: when each ends, its difficulty, its reward."""

from headframe.numerics import Array, exp, log, normal_pair, normal_rows, np, scalar, sincos_turn

_YEAR = 31_556_952.0
_LAGS = 13

# places in the arrays of parameters
START, HEIGHT, PERIOD, INTERVALS, SPACING, HASHES, FACTOR_LIMIT, BEGINS = 0, 1, 2, 3, 4, 5, 6, 7
DRIFT, INNOVATION, MEMORY, DEVIATION, COSINE, SINE, SQUEEZE = 0, 1, 2, 3, 4, 5, 6
SAME, SIX, THIRTEEN, DRIFT_SPREAD, LOADINGS = 7, 8, 9, 10, 11

# streams of draws of their own: the drift and the answer of each path, price moves that no close covers
_OF_PATH, _OF_MOVES = 6, 7


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
    memory, innovation = model[MEMORY], model[INNOVATION]
    of_path = np.empty(
        (4, width)
    )  # drift, and answers to the price of this, the last six, the seven before
    _own_figures(seed, drawn_as, model, of_path)
    drift, answers = of_path[0], of_path[1:]
    along, across, years = model[COSINE], model[SINE], chain[BEGINS]  # years since 1970
    measured = bare * chain[PERIOD] / chain[INTERVALS]
    moves, room, begun = np.empty((_LAGS, width)), np.empty((5, width)), np.empty(width)
    if prices.shape[0] > 0:
        _begun_moves(seed, drawn_as, known_changes, moves, begun)
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
            change[i] = drift[i] + deviation[i] + (along * cosine + across * sine) + squeeze
        if prices.shape[0] > 0:
            _answered(
                first,
                answers,
                prices,
                price_grid,
                bare,
                index,
                now,
                spot,
                begun,
                moves,
                room,
                change,
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
def _own_figures(seed: int, drawn_as: int, model: Array, out: Array) -> None:
    """Fill (4, paths): each path's drift and its three answers to price, about the estimates.

    The drift strays by its own error, the answers by their covariance: the lower triangle of its
    Cholesky factor, row by row, times three normals.
    """
    width, base = out.shape[1], LOADINGS
    out[0], out[1], out[2], out[3] = model[DRIFT], model[SAME], model[SIX], model[THIRTEEN]
    draws = np.zeros((4, width))
    if model[DRIFT_SPREAD] > 0.0 or model[base] > 0.0:
        normal_rows(seed, _OF_PATH, drawn_as, draws)
    for i in range(width):
        out[0, i] += model[DRIFT_SPREAD] * draws[0, i]
        out[1, i] += model[base] * draws[1, i]
        out[2, i] += model[base + 1] * draws[1, i] + model[base + 2] * draws[2, i]
        out[3, i] += model[base + 3] * draws[1, i] + model[base + 4] * draws[2, i]
        out[3, i] += model[base + 5] * draws[3, i]


@scalar
def _begun_moves(
    seed: int, drawn_as: int, known_changes: Array, moves: Array, begun: Array
) -> None:
    """Fill each path's moves of the price before its first retarget.

    ``known_changes`` (3, 14) are what is expected, what each may stray by, and its group. Those of one
    group above 0 sum to what is expected of them together: the mean of their draws is taken out.
    """
    width, count = begun.size, known_changes.shape[1]
    draws = np.zeros((count, width))
    if known_changes[1].max() > 0.0:
        normal_rows(seed, _OF_MOVES, drawn_as, draws)
    for lag in range(count):
        group, members = known_changes[2, lag], 0.0
        mean = np.zeros(width)
        for other in range(count):
            if group > 0.0 and known_changes[2, other] == group:
                members += 1.0
                for i in range(width):
                    mean[i] += draws[other, i]
        expected, sd = known_changes[0, lag], known_changes[1, lag]
        out = begun if lag == 0 else moves[_LAGS - lag]
        for i in range(width):
            out[i] = expected + sd * (draws[lag, i] - mean[i] / max(members, 1.0))


@scalar
def _answered(
    first: int,
    answers: Array,
    prices: Array,
    price_grid: Array,
    bare: float,
    index: int,
    now: Array,
    spot: Array,
    begun: Array,
    moves: Array,
    room: Array,
    change: Array,
) -> None:
    """Add the answer to the price to each path's change, and keep its last move.

    The move of so many periods ago lies in row (``index`` - lag) modulo 13 of ``moves``; ``begun`` is what
    the first period had moved before the paths begin. ``room`` is five rows to work in; ``answers``
    (3, paths) are each path's own.
    """
    width, same, six, thirteen = now.size, answers[0], answers[1], answers[2]
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
            fresh[i] = begun[i] + fresh[i]
    for lag in range(1, _LAGS + 1):
        row, total = moves[(index - lag) % _LAGS], early if lag < 7 else late
        for i in range(width):
            total[i] += row[i]
    for i in range(width):
        change[i] += same[i] * fresh[i] + six[i] * early[i] + thirteen[i] * late[i]
    moves[index % _LAGS] = fresh
