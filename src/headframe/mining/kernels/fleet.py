"""What runs: the steps of a mine's staircases, batches that ramp, uptime and fees by month."""

import math

from headframe.numerics import Array, Places, exp, lane, normal_rows, np, scalar

_FEE_CAP = 5.0
_FEW = 24
"""Steps of a staircase that are counted one by one."""


@scalar
def below(thresholds: Array, first: int, last: int, x: Array, found: Places) -> None:
    """Fill how many of the sorted thresholds in [first, last) lie below each x."""
    for i in range(x.size):
        found[i] = 0
    if last - first <= _FEW:
        for index in range(first, last):
            threshold = thresholds[index]
            for i in range(x.size):
                found[i] += 1 if threshold < x[i] else 0
        return
    for i in range(x.size):
        low, high = first, last
        while low < high:
            middle = (low + high) // 2
            if thresholds[middle] < x[i]:
                low = middle + 1
            else:
                high = middle
        found[i] = low - first


@lane
def _machine_seconds(now: float, begin: float, ramp: float) -> float:
    """Seconds a batch has run up to an instant, per machine: an even ramp from its beginning."""
    since = max(now - begin, 0.0)
    return since * since / (2.0 * ramp) if since < ramp else since - 0.5 * ramp


@scalar
def fleet_running(
    span: int,
    groups: int,
    stops: bool,
    offsets: Places,
    thresholds: Array,
    hashes: Array,
    usd: Array,
    delayed: Array,
    begins: Array,
    at: Array,
    stop: Array,
    hashprice: Array,
    found: Places,
    part: Array,
    fleet: Array,
    spent: Array,
) -> None:
    """Fill each path's hashrate and USD a second between ``at`` and ``stop``, uptime left aside.

    Without ``stops`` every machine runs, whatever the hashprice. ``found`` and ``part`` are room to work in.
    """
    for i in range(at.size):
        fleet[i], spent[i], part[i] = 0.0, 0.0, 1.0
    for group in range(groups + 1):
        place = span * (groups + 1) + group
        first, last = int(offsets[place]), int(offsets[place + 1])
        most, dearest = hashes[last + place], usd[last + place]
        if most == 0.0 and dearest == 0.0:
            continue
        if group > 0:
            ramp, gone = delayed[group - 1, 1], delayed[group - 1, 3]
            for i in range(at.size):
                ran = _machine_seconds(stop[i], begins[group - 1, i], ramp)
                ran -= _machine_seconds(at[i], begins[group - 1, i], ramp)
                part[i] = ran / (stop[i] - at[i]) if stop[i] > at[i] and at[i] < gone else 0.0
        if stops:
            below(thresholds, first, last, hashprice, found)
            for i in range(at.size):
                fleet[i] += hashes[found[i] + first + place] * part[i]
            for i in range(at.size):
                spent[i] += usd[found[i] + first + place] * part[i]
        else:
            for i in range(at.size):
                fleet[i] += most * part[i]
            for i in range(at.size):
                spent[i] += dearest * part[i]


@scalar
def drawn_months(
    seed: int, first: int, fees: Array, uptime: Array, fee_share: Array, running: Array
) -> None:
    """Fill (months, paths): what fees are of the subsidy, and how much of the fleet runs."""
    months, width = fee_share.shape
    stationary = math.sqrt(max(1.0 - fees[2] * fees[2], 0.0))
    level = np.empty(width)
    normal_rows(seed, 1, first, fee_share)
    for month in range(months):
        for i in range(width):
            step = fee_share[month, i]
            level[i] = step if month == 0 else fees[2] * level[i] + stationary * step
        for i in range(width):
            stretched = level[i] * exp(0.5 * fees[3] * level[i] * level[i])
            fee_share[month, i] = min(fees[0] * exp(fees[1] * stretched), _FEE_CAP) * fees[4]
    normal_rows(seed, 2, first, running)
    for month in range(months):
        for i in range(width):
            running[month, i] = min(max(1.0 + uptime[0] * running[month, i], 0.0), uptime[1])
