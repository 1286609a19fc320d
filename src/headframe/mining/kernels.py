"""Coins on simulated difficulty paths over the exact retarget calendar."""

import math

from headframe.numerics import Array, compiled, normals, np, scalar

_PERIOD = 2016.0
_SPAN = 1_209_600.0
_HASHES = 2.0**48 / 65_535.0
_LOG4 = math.log(4.0)
_HALVING = 210_000
_SUBSIDY = 50.0


@scalar
def _subsidy(height: float) -> float:
    return _SUBSIDY / 2.0 ** math.floor(height / _HALVING)


@compiled
def simulate_coins(
    seed: int,
    difficulty: float,
    height: float,
    edges: Array,
    fleet_hs: Array,
    model: Array,
    fees: Array,
    pool_fee: float,
    coins: Array,
    mean_difficulty: Array,
) -> None:
    """Fill coins and mean difficulty, both (paths, months), one difficulty path a row.

    A period whose log change of difficulty is x lasts 2016/2015 times 1,209,600 s / e^x: the
    retarget rule measures 2,015 intervals. Log changes are drift plus AR(1) noise, held within
    the factor 4 of consensus. Coins are hashes / (difficulty x hashes per difficulty) x (subsidy
    + fees) x (1 - pool fee), split at months, retargets and halvings.

    Args:
        seed: of the counter-based draws; row i is path i whatever the number of paths.
        difficulty: at the last retarget, which is time 0.
        height: of that retarget.
        edges: (months + 1,) seconds from the last retarget to the edges of the months.
        fleet_hs: (months,) mean hashes per second after downtime.
        model: drift, sd of the innovation, lag-1 coefficient, last deviation; per retarget.
        fees: median share of the subsidy, sd of its log, monthly persistence.
        pool_fee: share kept by the pool.
        coins: (paths, months), filled.
        mean_difficulty: (paths, months), filled: time-weighted.
    """
    months = fleet_hs.size
    steps = int(edges[months] / (0.6 * _SPAN)) + 8
    shocks = np.empty(steps)
    fee_shocks = np.empty(months)
    fee_share = np.empty(months)
    stationary = math.sqrt(max(1.0 - fees[2] * fees[2], 0.0))
    for path in range(coins.shape[0]):
        normals(seed, 0, path, shocks)
        normals(seed, 1, path, fee_shocks)
        level = 0.0
        for month in range(months):
            step = fee_shocks[month]
            level = step if month == 0 else fees[2] * level + stationary * step
            fee_share[month] = fees[0] * math.exp(fees[1] * level)
            coins[path, month] = 0.0
            mean_difficulty[path, month] = 0.0
        now, now_difficulty, now_height, deviation = 0.0, difficulty, height, model[3]
        month, index = 0, 0
        while month < months:
            shock = shocks[index] if index < steps else 0.0
            deviation = model[2] * deviation + model[1] * shock
            change = min(max(model[0] + deviation, -_LOG4), _LOG4)
            length = _SPAN * _PERIOD / (_PERIOD - 1.0) * math.exp(-change)
            start, end = now, now + length
            at = max(start, edges[0])
            while month < months and at < end:
                stop = min(end, edges[month + 1])
                here = now_height + _PERIOD * (at - start) / length
                halving = (math.floor(here / _HALVING + 1e-9) + 1.0) * _HALVING
                if halving < now_height + _PERIOD:
                    halving_at = start + (halving - now_height) / _PERIOD * length
                    if at < halving_at < stop:
                        stop = halving_at
                blocks = fleet_hs[month] * (stop - at) / (now_difficulty * _HASHES)
                reward = _subsidy(here + 1e-6) * (1.0 + fee_share[month])
                coins[path, month] += blocks * reward * (1.0 - pool_fee)
                mean_difficulty[path, month] += now_difficulty * (stop - at)
                at = stop
                if at >= edges[month + 1]:
                    mean_difficulty[path, month] /= edges[month + 1] - edges[month]
                    month += 1
            now = end
            now_difficulty *= math.exp(change)
            now_height += _PERIOD
            index += 1
