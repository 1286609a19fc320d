"""Coins, fees and power cost on simulated paths over the exact retarget calendar."""

import math

from headframe.numerics import (
    Array,
    Places,
    exp,
    log,
    normals,
    np,
    parallel,
    poisson,
    prange,
    scalar,
    sincos_turn,
    uniforms,
)

_YEAR = 31_556_952.0
_PHS_DAY = 86_400.0e15
_CHUNK = 64
_FEE_CAP = 5.0

# places in the arrays of parameters
START, HEIGHT, PERIOD, INTERVALS, SPACING, HASHES, FACTOR_LIMIT, BEGINS = 0, 1, 2, 3, 4, 5, 6, 7
DRIFT, INNOVATION, MEMORY, DEVIATION, COSINE, SINE, SQUEEZE = 0, 1, 2, 3, 4, 5, 6
SAME, SIX, THIRTEEN = 7, 8, 9


@scalar
def _lookup(thresholds: Array, first: int, last: int, x: float) -> int:
    """How many of the sorted thresholds in [first, last) lie below x."""
    low, high = first, last
    while low < high:
        middle = (low + high) // 2
        if thresholds[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low - first


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
def _price(prices: Array, path: int, seconds: float, step: float, start: float) -> float:
    """The price of a path at an instant, linear between its points, held flat outside them."""
    row = path if prices.shape[0] > 1 else 0
    place = (seconds - start) / step
    if place <= 0.0:
        return float(prices[row, 0])
    below = int(place)
    if below >= prices.shape[1] - 1:
        return float(prices[row, prices.shape[1] - 1])
    weight = place - below
    return float(prices[row, below] * (1.0 - weight) + prices[row, below + 1] * weight)


@scalar
def _machine_seconds(now: float, begin: float, ramp: float) -> float:
    """Seconds a batch has run up to an instant, per machine: an even ramp from its beginning."""
    since = max(now - begin, 0.0)
    if since < ramp:
        return since * since / (2.0 * ramp)
    return since - 0.5 * ramp


@parallel
def simulate_coins(
    seed: int,
    first_path: int,
    chain: Array,
    steps: Array,
    rewards: Array,
    model: Array,
    known_changes: Array,
    prices: Array,
    price_grid: Array,
    spans: Array,
    span_month: Places,
    offsets: Places,
    thresholds: Array,
    hashes: Array,
    usd: Array,
    fixed_usd: Array,
    delayed: Array,
    fees: Array,
    uptime: Array,
    pool: Array,
    edges: Array,
    by_period: int,
    subsidy_coins: Array,
    fee_coins: Array,
    power_usd: Array,
    mean_difficulty: Array,
) -> None:
    """Fill coins of subsidy and of fees, power cost and mean difficulty, all (paths, buckets).

    A period whose log change of difficulty is x lasts period/intervals times its target timespan
    over e**x: the retarget rule measures so many intervals. x is drift, season, squeeze after a
    halving, the lagged answer to price and AR(1) noise, held within the rule's factor. Coins are
    hashes / (difficulty x hashes per difficulty) x reward, split at buckets, spans of the fleet,
    retargets and reward steps. Where the pool pays by blocks found, a Poisson count takes the place
    of the expected one.

    Args:
        seed: of the counter-based draws; row i is path ``first_path`` + i, whatever the number of
            paths or threads. Rows of ``prices`` are counted from the same path.
        chain: difficulty and height at the last retarget (time 0), blocks a period, intervals
            measured, target spacing in s, hashes per difficulty, greatest log change, year phase.
        steps: heights at which the reward changes; rewards: (steps + 1,) coins of a block.
        model: per retarget: drift, sd of the innovation, lag-1 coefficient, last deviation, cosine
            and sine of the season, squeeze of each of three retargets after a step, answers to the
            price change of this, the last six and the seven periods before.
        known_changes: (14,) log changes of the period-mean price: to the present price, then those
            of the 13 periods before, latest first.
        prices: (paths or 1, points) USD per coin, or (0, 0) for none: everything runs, nothing answers.
        price_grid: seconds between two points, seconds of the first.
        spans: (spans + 1,) seconds at which the fleet changes, from time 0; span_month: (spans,)
            number of the calendar month each lies in, from 0.
        offsets, thresholds, hashes, usd, fixed_usd: the staircases of ``dispatch``.
        delayed: (batches, 4): planned beginning in s, ramp in s, mean delay in s, end in s.
        fees: median share of the subsidy, sd of its log, monthly persistence, tail, share counted.
        uptime: relative sd of a month's uptime, greatest relative uptime.
        pool: fee, our part of it, 1 where subsidy and 1 where fees depend on luck.
        edges: (buckets + 1,) seconds; with ``by_period`` the buckets are retarget periods instead.
        power_usd, mean_difficulty: may be (0, 0) where nobody asks.
    """
    paths, buckets = subsidy_coins.shape
    months = span_month[span_month.size - 1] + 1
    horizon = buckets * chain[PERIOD] * chain[SPACING] * 1.7 if by_period else edges[buckets]
    count = int(horizon / (0.55 * chain[PERIOD] * chain[SPACING])) + 8
    groups = delayed.shape[0]
    stationary = math.sqrt(max(1.0 - fees[2] * fees[2], 0.0))
    priced = False  # whether any price could stop a machine
    for index in range(thresholds.size):
        priced = priced or (prices.shape[0] > 0 and thresholds[index] > 0.0)
    for chunk in prange((paths + _CHUNK - 1) // _CHUNK):
        shocks = np.empty(count)
        monthly = np.empty(months)
        fee_share = np.empty(months)
        running = np.empty(months)
        begins = np.empty(groups)
        moves = np.empty(13)
        for path in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, paths)):
            drawn_as = first_path + path
            normals(seed, 0, drawn_as, shocks)
            normals(seed, 1, drawn_as, monthly)
            level = 0.0
            for month in range(months):
                step = monthly[month]
                level = step if month == 0 else fees[2] * level + stationary * step
                stretched = level * exp(0.5 * fees[3] * level * level)
                fee_share[month] = min(fees[0] * exp(fees[1] * stretched), _FEE_CAP) * fees[4]
            normals(seed, 2, drawn_as, monthly)
            for month in range(months):
                running[month] = min(max(1.0 + uptime[0] * monthly[month], 0.0), uptime[1])
            if groups > 0:
                uniforms(seed, 3, drawn_as, begins)
                for group in range(groups):
                    begins[group] = delayed[group, 0] - delayed[group, 2] * log(begins[group])
            moves[:] = known_changes[1:]
            for bucket in range(buckets):
                subsidy_coins[path, bucket] = 0.0
                fee_coins[path, bucket] = 0.0
                if power_usd.size > 0:
                    power_usd[path, bucket] = 0.0
                if mean_difficulty.size > 0:
                    mean_difficulty[path, bucket] = 0.0
            now, difficulty, height, deviation = 0.0, chain[START], chain[HEIGHT], model[DEVIATION]
            bucket, span, index, drawn, squeezed = 0, 0, 0, 0, 0
            bare = chain[PERIOD] * chain[SPACING]
            while bucket < buckets:
                deviation = model[MEMORY] * deviation
                deviation += model[INNOVATION] * (shocks[index] if index < count else 0.0)
                if _next_step(steps, height) < height + chain[PERIOD]:
                    squeezed = 3
                phase = chain[BEGINS] + (now + bare) / _YEAR
                sine, cosine = sincos_turn(phase - math.floor(phase))
                change = model[DRIFT] + deviation
                change += model[COSINE] * cosine + model[SINE] * sine
                if squeezed > 0:
                    change += model[SQUEEZE]
                    squeezed -= 1
                if prices.shape[0] > 0:
                    ahead = _price(prices, path, now + 0.5 * bare, price_grid[0], price_grid[1])
                    behind = _price(prices, path, now - 0.5 * bare, price_grid[0], price_grid[1])
                    move = log(ahead / behind)
                    if index == 0:
                        first_price = prices[path if prices.shape[0] > 1 else 0, 0]
                        move = known_changes[0] + log(ahead / first_price)
                    early, late = 0.0, 0.0
                    for lag in range(6):
                        early += moves[lag]
                    for lag in range(6, 13):
                        late += moves[lag]
                    change += model[SAME] * move + model[SIX] * early + model[THIRTEEN] * late
                    for lag in range(12, 0, -1):
                        moves[lag] = moves[lag - 1]
                    moves[0] = move
                change = min(max(change, -chain[FACTOR_LIMIT]), chain[FACTOR_LIMIT])
                length = bare * chain[PERIOD] / chain[INTERVALS] * exp(-change)
                end = now + length
                per_hash = _PHS_DAY / (difficulty * chain[HASHES])
                stepping = _next_step(steps, height + 1e-6) < height + chain[PERIOD]
                reward = _reward(steps, rewards, height + 1e-6)
                at = now if by_period else max(now, edges[0])
                bucket_end = end if by_period else edges[bucket + 1]
                while bucket < buckets and at < end:
                    stop = min(end, bucket_end)
                    while span < spans.size - 2 and spans[span + 1] <= at:
                        span += 1
                    if span < spans.size - 2:
                        stop = min(stop, spans[span + 1])
                    if stepping:
                        here = height + chain[PERIOD] * (at - now) / length + 1e-6
                        step_height = _next_step(steps, here)
                        reward = _reward(steps, rewards, here)
                        if step_height < height + chain[PERIOD]:
                            step_at = now + (step_height - height) / chain[PERIOD] * length
                            if at < step_at < stop:
                                stop = step_at
                    month = span_month[span]
                    earned = per_hash * reward * (1.0 + fee_share[month])
                    hashprice = 1e300
                    if priced:
                        hashprice = earned * _price(
                            prices, path, 0.5 * (at + stop), price_grid[0], price_grid[1]
                        )
                    fleet, spent = 0.0, 0.0
                    for group in range(groups + 1):
                        place = span * (groups + 1) + group
                        first, last = int(offsets[place]), int(offsets[place + 1])
                        found = _lookup(thresholds, first, last, hashprice) + first + place
                        part = 1.0
                        if group > 0:
                            ramp = delayed[group - 1, 1]
                            ran = _machine_seconds(stop, begins[group - 1], ramp)
                            ran -= _machine_seconds(at, begins[group - 1], ramp)
                            part = ran / (stop - at) if stop > at else 0.0
                            if at >= delayed[group - 1, 3]:
                                part = 0.0
                        fleet += hashes[found] * part
                        spent += usd[found] * part
                    fleet *= running[month]
                    spent *= running[month]
                    blocks = fleet * (stop - at) / (difficulty * chain[HASHES])
                    found_blocks = blocks
                    if pool[2] + pool[3] > 0.0:
                        mean = blocks / pool[1]
                        found_blocks = poisson(mean, seed, 4, drawn_as, drawn) * pool[1]
                        drawn += 64
                    lucky_subsidy = found_blocks if pool[2] > 0.0 else blocks
                    lucky_fees = found_blocks if pool[3] > 0.0 else blocks
                    kept = reward * (1.0 - pool[0])
                    subsidy_coins[path, bucket] += lucky_subsidy * kept
                    fee_coins[path, bucket] += lucky_fees * kept * fee_share[month]
                    if power_usd.size > 0:
                        power_usd[path, bucket] += (spent + fixed_usd[span]) * (stop - at)
                    if mean_difficulty.size > 0:
                        mean_difficulty[path, bucket] += difficulty * (stop - at)
                    at = stop
                    if at >= bucket_end:
                        if mean_difficulty.size > 0:
                            width = length if by_period else edges[bucket + 1] - edges[bucket]
                            mean_difficulty[path, bucket] /= width
                        bucket += 1
                        if not by_period and bucket < buckets:
                            bucket_end = edges[bucket + 1]
                now = end
                difficulty *= exp(change)
                height += chain[PERIOD]
                index += 1


@parallel
def lognormal_paths(seed: int, start: float, vol: float, seconds: float, out: Array) -> None:
    """Fill (paths, points) with driftless log-normal prices: the first point is the start.

    Every path's expected price is the start: each step multiplies by exp(s z - s**2 / 2).
    """
    paths, points = out.shape
    step = vol * math.sqrt(seconds / 31_536_000.0)
    for chunk in prange((paths + _CHUNK - 1) // _CHUNK):
        row = np.empty(points)
        for path in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, paths)):
            normals(seed, 5, path, row)
            level = 0.0
            out[path, 0] = start
            for point in range(1, points):
                level += step * row[point] - 0.5 * step * step
                out[path, point] = start * exp(level)
