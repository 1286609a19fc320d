"""Coins, fees and power cost on simulated paths over the exact retarget calendar."""

from headframe.mining.kernels.fleet import drawn_months, fleet_running
from headframe.mining.kernels.periods import HASHES, PERIOD, SPACING, priced, retargets
from headframe.numerics import (
    Array,
    Places,
    log,
    lowest_bit,
    np,
    parallel,
    poisson,
    prange,
    scalar,
    uniforms,
)

_PHS_DAY = 86_400.0e15
_LANES = 64
"""Paths walked side by side: as many as a word has bits."""


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
            paths or threads. Paths of ``prices`` are counted from the same.
        chain: difficulty and height at the last retarget (time 0), blocks a period, intervals
            measured, target spacing in s, hashes per difficulty, greatest log change, year phase.
        steps: heights at which the reward changes; rewards: (steps + 1,) coins of a block.
        model: per retarget: drift, sd of the innovation, lag-1 coefficient, last deviation, cosine
            and sine of the season, squeeze of each of three retargets after a step, answers to the
            price change of this, the last six and the seven periods before, spread of the drift
            between paths, and the Cholesky factor of the answers' covariance (6, row by row).
        known_changes: (3, 14) log changes of the period-mean price: to the present price, then those
            of the 13 periods before, latest first; what each may stray by; its group (moves of one
            group above 0 sum to a known total).
        prices: (points, any, paths or 1), of which the first of the second axis is USD per coin; (0, 0, 0)
            for none: everything runs, nothing answers. At least two points, where there are any.
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
    most = buckets * chain[PERIOD] * chain[SPACING] * 1.7
    horizon = float(most if by_period else edges[buckets])
    count = int(horizon / (0.55 * chain[PERIOD] * chain[SPACING])) + 8
    groups = delayed.shape[0]
    stops = False  # whether any price could stop a machine
    for index in range(thresholds.size):
        stops = stops or (prices.shape[0] > 0 and thresholds[index] > 0.0)
    for chunk in prange((paths + _LANES - 1) // _LANES):
        first = chunk * _LANES
        width = min(_LANES, paths - first)
        begins = np.empty((groups, width))
        fee_share, running = np.empty((months, width)), np.empty((months, width))
        drawn_months(seed, first_path + first, fees, uptime, fee_share, running)
        if groups > 0:
            late = np.empty(groups)
            for i in range(width):
                uniforms(seed, 3, first_path + first + i, late)
                for group in range(groups):
                    begins[group, i] = delayed[group, 0] - delayed[group, 2] * log(late[group])
        ends, difficulties, lengths, shared, pieces = retargets(
            first, chain, steps, rewards, model, known_changes, prices, price_grid,
            (seed, first_path + first, width, count), horizon, buckets if by_period else 0,
        )  # fmt: skip
        begin = 0.0 if by_period else max(edges[0], 0.0)
        at, stop = np.full(width, begin), np.empty(width)
        piece, drawn = np.zeros(width, dtype=np.int64), np.zeros(width, dtype=np.int64)
        for i in range(width):
            while piece[i] < pieces and ends[piece[i], i] <= begin:
                piece[i] += 1
        end, difficulty, reward = np.empty(width), np.empty(width), np.empty(width)
        for i in range(width):
            end[i], difficulty[i] = ends[piece[i], i], difficulties[piece[i], i]
            reward[i] = shared[piece[i], 0]
        hashprice, price = np.empty(width), np.empty(width)
        fleet, spent, part = np.empty(width), np.empty(width), np.empty(width)
        found = np.empty(width, dtype=np.int64)
        blocks, sums = np.empty(width), np.zeros((4, width))
        for bucket in range(buckets):
            for i in range(width):
                subsidy_coins[first + i, bucket], fee_coins[first + i, bucket] = 0.0, 0.0
                if power_usd.size > 0:
                    power_usd[first + i, bucket] = 0.0
                if mean_difficulty.size > 0:
                    mean_difficulty[first + i, bucket] = 0.0
        bucket, span = 0, 0
        while bucket < buckets:
            while span < spans.size - 2 and spans[span + 1] <= begin:
                span += 1
            cut = 1e300 if by_period else edges[bucket + 1]
            if span < spans.size - 2:
                cut = min(cut, spans[span + 1])
            month, fixed = span_month[span], fixed_usd[span]
            going = True
            while going:
                for i in range(width):
                    stop[i] = min(end[i], cut)
                if stops:
                    for i in range(width):
                        price[i] = 0.5 * (at[i] + stop[i])
                    priced(prices, first, price_grid, price, hashprice)
                    for i in range(width):
                        per_hash = _PHS_DAY / (difficulty[i] * chain[HASHES])
                        earned = per_hash * reward[i] * (1.0 + fee_share[month, i])
                        hashprice[i] = earned * hashprice[i]
                fleet_running(
                    span, groups, stops, offsets, thresholds, hashes, usd, delayed, begins, at, stop,
                    hashprice, found, part, fleet, spent,
                )  # fmt: skip
                for i in range(width):
                    fleet[i] *= running[month, i]
                    spent[i] *= running[month, i]
                    blocks[i] = fleet[i] * (stop[i] - at[i]) / (difficulty[i] * chain[HASHES])
                if pool[2] + pool[3] > 0.0:
                    for i in range(width):
                        price[i] = blocks[i]
                    for i in range(width):
                        if stop[i] > at[i]:
                            mean = blocks[i] / pool[1]
                            path = first_path + first + i
                            price[i] = poisson(mean, seed, 4, path, drawn[i]) * pool[1]
                            drawn[i] += 64
                lucky_subsidy = price if pool[2] > 0.0 else blocks
                lucky_fees = price if pool[3] > 0.0 else blocks
                for i in range(width):
                    kept = reward[i] * (1.0 - pool[0])
                    sums[0, i] += lucky_subsidy[i] * kept
                    sums[1, i] += lucky_fees[i] * kept * fee_share[month, i]
                for i in range(width):
                    sums[2, i] += (spent[i] + fixed) * (stop[i] - at[i])
                    sums[3, i] += difficulty[i] * (stop[i] - at[i])
                if by_period:
                    _booked(
                        first, piece, shared, lengths, at, stop, end, sums, subsidy_coins, fee_coins,
                        power_usd, mean_difficulty,
                    )  # fmt: skip
                done, still = 0, 0
                for i in range(width):
                    over = stop[i] >= end[i] and piece[i] < pieces
                    done |= (1 if over else 0) << i
                while done != 0:
                    i = lowest_bit(done)
                    done &= done - 1
                    piece[i] += 1
                    end[i], difficulty[i] = ends[piece[i], i], difficulties[piece[i], i]
                    reward[i] = shared[piece[i], 0]
                for i in range(width):
                    at[i] = stop[i]
                    still += 1 if stop[i] < cut and piece[i] < pieces else 0
                going = still > 0
            begin = cut
            if by_period:
                bucket = buckets if piece.min() == pieces else 0
            elif cut >= edges[bucket + 1]:
                for i in range(width):
                    subsidy_coins[first + i, bucket] = sums[0, i]
                    fee_coins[first + i, bucket] = sums[1, i]
                    if power_usd.size > 0:
                        power_usd[first + i, bucket] = sums[2, i]
                    if mean_difficulty.size > 0:
                        wide = edges[bucket + 1] - edges[bucket]
                        mean_difficulty[first + i, bucket] = sums[3, i] / wide
                sums[:] = 0.0
                bucket += 1


@scalar
def _booked(
    first: int,
    piece: Places,
    shared: Array,
    lengths: Array,
    at: Array,
    stop: Array,
    end: Array,
    sums: Array,
    subsidy_coins: Array,
    fee_coins: Array,
    power_usd: Array,
    mean_difficulty: Array,
) -> None:
    """Write down the sums of each path whose period ends, and begin new ones."""
    for i in range(piece.size):
        if not at[i] < stop[i] or stop[i] < end[i] or shared[piece[i], 2] == 0.0:
            continue
        period = int(shared[piece[i], 1])
        subsidy_coins[first + i, period], fee_coins[first + i, period] = sums[0, i], sums[1, i]
        if power_usd.size > 0:
            power_usd[first + i, period] = sums[2, i]
        if mean_difficulty.size > 0:
            mean_difficulty[first + i, period] = sums[3, i] / lengths[piece[i], i]
        for row in range(4):
            sums[row, i] = 0.0
