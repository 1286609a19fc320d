"""A mine and its hedge day by day on joint paths: sales, costs, variation, collateral, cash.

Every figure of a path depends on that path's draws alone, and is added up in the order of days.
"""

import math

from headframe.numerics import Array, Places, Singles, np, parallel, prange, scalar
from headframe.risk.kernels.marks import DX, carried_on, looked_up, placed, settled

# places of a netting set: 1 where losses are called daily and gains paid (a venue); initial margin
# as a share of notional and more of it per coin; threshold, minimum transfer, rounding, and
# independent share
VENUE, INITIAL, PER_COIN, THRESHOLD, MINIMUM, ROUNDING, INDEPENDENT = 0, 1, 2, 3, 4, 5, 6
# places of the opening: cash and credit USD, coins to be sold next, coins kept that could be sold,
# and what the hedge costs at once
CASH, LINE, STOCK, KEPT, PREMIUM = 0, 1, 2, 3, 4
# places of a path's results before the months
END, COINS, SALES, COSTS, HEDGE, LOW_BARE, LOW, FALL_BARE, FALL, CALLED = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
)
FIGURES = 10
WIDTH = 256
"""Paths walked together, so that a day's table stays near the processor."""


@parallel
def run_programme(
    walked: Array,
    coins: Array,
    power: Array,
    bucket: Places,
    share: Array,
    sells: Array,
    fixed: Array,
    month: Places,
    opening: Array,
    sets: Array,
    notional: Array,
    legs: Array,
    expires: Places,
    grid: Array,
    tables: Singles,
    closing: Places,
    closed: Singles,
    hashed: Array,
    due: Array,
    short: Array,
    rung: Places,
    rungs: Array,
    out: Array,
) -> None:
    """Fill (10 + 3 months, paths): figures by the places above, then the months.

    Of the months first all coins, then all cash without the hedge, then all cash with it.

    Args:
        walked: (days + 1, 4, paths) as ``price_paths`` filled it; day 0 is today.
        coins, power: (paths, buckets) coins mined and USD of power of each bucket of days.
        bucket: (days,) the bucket of a day, share: (days,) its part of it; sells: (days,) 1 where
            the stock is sold at the day's end; fixed: (days,) USD paid; month: (days,).
        opening, sets: by the places above. notional: (sets, days + 1) coins alive that margin or the
            independent amount is counted on. expires: (days + 1,) 1 where any leg expires.
        legs: as they settle: of what was closed before only the rest. grid, tables, closing, closed: as
            ``mark_tables`` took and filled them.
        hashed, due: (sets, days + 1) coins sold by an index of mining, alive on a day and due on it; short:
            (paths, buckets) how much fewer it pays than was counted on, as a share, or (0, 0).
        rung: (days + 1,) the rung of the cash ladder that ends on a day, -1 where none does; rungs:
            (2 rungs + 1, paths) liquidity at each rung's end, then its least so far, and last the price at
            which it first was below nothing, 0 where it never was; without rows nothing is kept.
    """
    days, paths = walked.shape[0] - 1, walked.shape[2]
    kept_rungs = (rungs.shape[0] - 1) // 2
    count, months = sets.shape[0], (out.shape[0] - FIGURES) // 3
    bare0, kept = opening[CASH] + opening[LINE], opening[KEPT]
    free0 = bare0 + (kept + opening[STOCK]) * walked[0, 0, 0]
    for chunk in prange((paths + WIDTH - 1) // WIDTH):
        first = chunk * WIDTH
        n = min(WIDTH, paths - first)
        last = first + n
        posted, value = np.zeros((count, n)), np.zeros((count, n))
        worth, done, flow, needed = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
        bare, stock = np.zeros(n), np.zeros(n)
        dug, power_usd, month_bare, month_flow = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
        month_coins, varied, called = np.zeros(n), np.zeros(n), np.zeros(n)
        sold, spent, hedge, mined = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
        low, low_bare, fall, fall_bare = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
        peak, peak_bare = np.zeros(n), np.zeros(n)
        bare[:], stock[:] = bare0, opening[STOCK]
        begun = 0.0 - opening[PREMIUM]
        hedge[:], month_flow[:] = begun, begun
        peak[:], peak_bare[:], low[:], low_bare[:] = free0 + begun, free0, free0 + begun, free0
        stray, strays = np.zeros(n), short.size > 0
        at, within, dealt = np.empty((2, n), dtype=np.int64), np.empty((3, n)), np.empty(n)
        shape = (tables.shape[2], tables.shape[3])
        placed(grid, walked[0], first, last, shape, at, within)
        for held in range(count):
            looked_up(tables[held, 0], grid[DX], walked[0, 3, first:last], at, within, value[held])
        for day in range(1, days + 1):
            today = day - 1
            spot, basis = walked[day, 0, first:last], walked[day, 3, first:last]
            if today == 0 or bucket[today] != bucket[today - 1]:
                for i in range(n):
                    dug[i] = coins[first + i, bucket[today]] * share[today]
                    power_usd[i] = power[first + i, bucket[today]] * share[today]
                if strays:
                    for i in range(n):
                        stray[i] = short[first + i, bucket[today]]
            far = placed(grid, walked[day], first, last, shape, at, within)
            flow[:], needed[:] = 0.0, 0.0
            for held in range(count):
                terms, size = sets[held], notional[held, day]
                looked_up(tables[held, day], grid[DX], basis, at, within, worth)
                if far:
                    carried_on(tables[held, day], grid[DX], at, within, worth)
                if expires[day] != 0:
                    for i in range(n):
                        done[i] = settled(legs, held, day, spot[i])
                elif closing[day] >= 0:
                    done[:] = 0.0
                if closing[day] >= 0:
                    looked_up(closed[held, closing[day]], grid[DX], basis, at, within, dealt)
                    if far:
                        carried_on(closed[held, closing[day]], grid[DX], at, within, dealt)
                    done += dealt
                if strays:
                    for i in range(n):
                        worth[i] += hashed[held, day] * spot[i] * stray[i]
                        done[i] += due[held, day] * spot[i] * stray[i]
                if terms[VENUE] != 0.0:
                    _varied(terms, size, spot, worth, done, value[held], flow, varied, needed)
                else:
                    _secured(
                        terms, size, spot, worth, done, value[held], flow, posted[held], needed
                    )
            if expires[day] != 0 or closing[day] >= 0:
                done[:] = 0.0
            sells_now, fixed_usd = sells[today], fixed[today]
            for i in range(n):
                cost = power_usd[i] + fixed_usd
                held_coins = stock[i] + dug[i]
                earned = held_coins * spot[i] * sells_now
                stock[i] = held_coins * (1.0 - sells_now)
                mined[i] += dug[i]
                month_coins[i] += dug[i]
                sold[i] += earned
                spent[i] += cost
                month_bare[i] += earned - cost
                bare[i] += earned - cost
            for i in range(n):
                free = bare[i] + (kept + stock[i]) * spot[i]
                low_bare[i] = min(low_bare[i], free)
                peak_bare[i] = max(peak_bare[i], free)
                fall_bare[i] = max(fall_bare[i], peak_bare[i] - free)
            for i in range(n):
                hedge[i] += flow[i]
                month_flow[i] += flow[i]
                free = bare[i] + (kept + stock[i]) * spot[i] + hedge[i] - needed[i]
                low[i] = min(low[i], free)
                peak[i] = max(peak[i], free)
                fall[i] = max(fall[i], peak[i] - free)
                called[i] = max(called[i], needed[i] - varied[i])
            if kept_rungs > 0:
                _kept(
                    rung[day], kept_rungs, spot, low, bare, stock, kept, hedge, needed, first, rungs
                )
            if day == days or month[day] != month[today]:
                place = FIGURES + month[today]
                for i in range(n):
                    out[place, first + i] = month_coins[i]
                    out[place + months, first + i] = month_bare[i]
                    out[place + 2 * months, first + i] = month_bare[i] + month_flow[i]
                month_coins[:], month_bare[:], month_flow[:] = 0.0, 0.0, 0.0
        for held in range(count):
            if sets[held, VENUE] == 0.0:
                hedge += value[held]
        out[END, first:last], out[COINS, first:last] = walked[days, 0, first:last], mined
        out[SALES, first:last], out[COSTS, first:last], out[HEDGE, first:last] = sold, spent, hedge
        out[LOW_BARE, first:last], out[LOW, first:last] = low_bare, low
        out[FALL_BARE, first:last], out[FALL, first:last] = fall_bare, fall
        out[CALLED, first:last] = called


@scalar
def delivered(wanted: float, minimum: float, unit: float) -> float:
    """Return what lies once ``wanted`` has been called from nothing, as ``counterparty.call_amount`` says."""
    if wanted <= 0.0 or wanted < minimum:
        return 0.0
    return float(wanted if unit == 0.0 else math.ceil(wanted / unit - 1e-9) * unit)


@scalar
def _kept(
    rung: int,
    count: int,
    spot: Array,
    low: Array,
    bare: Array,
    stock: Array,
    kept: float,
    hedge: Array,
    needed: Array,
    first: int,
    rungs: Array,
) -> None:
    """A day of the cash ladder: the price at which nothing was left first, and what a rung ends with."""
    for i in range(spot.size):
        free = bare[i] + (kept + stock[i]) * spot[i] + hedge[i] - needed[i]
        if free < 0.0 and rungs[2 * count, first + i] == 0.0:
            rungs[2 * count, first + i] = spot[i]
        if rung >= 0:
            rungs[rung, first + i] = free
            rungs[count + rung, first + i] = low[i]


@scalar
def _varied(
    terms: Array,
    size: float,
    spot: Array,
    worth: Array,
    done: Array,
    value: Array,
    flow: Array,
    varied: Array,
    needed: Array,
) -> None:
    """A venue's day: the change of value is paid, initial margin held."""
    rate = (terms[INITIAL] + terms[PER_COIN] * size) * size
    for i in range(spot.size):
        moved = worth[i] + done[i] - value[i]
        flow[i] += moved
        varied[i] += moved
        needed[i] += rate * spot[i]
        value[i] = worth[i]


@scalar
def _secured(
    terms: Array,
    size: float,
    spot: Array,
    worth: Array,
    done: Array,
    value: Array,
    flow: Array,
    posted: Array,
    needed: Array,
) -> None:
    """A dealer's day: what expires is paid, collateral moves as ``counterparty.call_amount`` says."""
    share, threshold = terms[INDEPENDENT] * size, terms[THRESHOLD]
    minimum, unit = max(terms[MINIMUM], 0.01), terms[ROUNDING]
    for i in range(spot.size):
        flow[i] += done[i]
        value[i] = worth[i]
        wanted = max(-worth[i], 0.0) + share * spot[i] - threshold
        if wanted <= 0.0:
            posted[i] = 0.0
        elif abs(wanted - posted[i]) >= minimum:
            gap = wanted - posted[i]
            if unit == 0.0:
                posted[i] = wanted
            elif gap > 0.0:
                posted[i] += math.ceil(gap / unit - 1e-9) * unit
            else:
                posted[i] -= math.floor(-gap / unit + 1e-9) * unit
        needed[i] += posted[i]
