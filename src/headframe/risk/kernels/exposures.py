"""What we would lose with each counterparty along paths, with collateral that stops before a default."""

from headframe.numerics import Array, Places, Singles, np, parallel, prange
from headframe.risk.kernels.cash import INDEPENDENT, MINIMUM, THRESHOLD
from headframe.risk.kernels.marks import DX, carried_on, looked_up, placed

WIDTH = 512
HELD, POSTED = 0, 1


@parallel
def exposures(
    walked: Array,
    days: Places,
    margin_days: int,
    sets: Array,
    notional: Array,
    opening: Array,
    grid: Array,
    tables: Singles,
    bare: Singles,
    secured: Singles,
) -> None:
    """Fill (sets, times, paths): our gain alone, and what of it collateral does not cover.

    Collateral follows the worth ``margin_days`` before, when the other side last delivered: what it gave us
    is ours, what we gave it is lost with it. Before so many days have passed it is today's.

    Args:
        walked: (days + 1, 4, paths) as ``price_paths`` filled it.
        days: (times,) on which it is asked. sets: as a hedge's numbers. notional: (sets, days + 1) coins an
            independent amount is counted on. opening: (sets, 2) collateral held and posted today, USD.
        grid, tables: as ``mark_tables`` filled them.
    """
    paths, times, count = walked.shape[2], days.size, sets.shape[0]
    for chunk in prange((paths + WIDTH - 1) // WIDTH):
        first = chunk * WIDTH
        n = min(WIDTH, paths - first)
        last = first + n
        at, within = np.empty((2, n), dtype=np.int64), np.empty((3, n))
        then_at, then_within = np.empty((2, n), dtype=np.int64), np.empty((3, n))
        now, then = np.empty(n), np.empty(n)
        shape = (tables.shape[2], tables.shape[3])
        for time in range(times):
            day = days[time]
            before = day - margin_days
            far = placed(grid, walked[day], first, last, shape, at, within)
            then_far = False
            if before >= 0:
                then_far = placed(grid, walked[before], first, last, shape, then_at, then_within)
            for held in range(count):
                looked_up(tables[held, day], grid[DX], walked[day, 3, first:last], at, within, now)
                if far:
                    carried_on(tables[held, day], grid[DX], at, within, now)
                if before >= 0:
                    basis = walked[before, 3, first:last]
                    looked_up(tables[held, before], grid[DX], basis, then_at, then_within, then)
                    if then_far:
                        carried_on(tables[held, before], grid[DX], then_at, then_within, then)
                threshold, minimum = sets[held, THRESHOLD], max(sets[held, MINIMUM], 0.01)
                for i in range(n):
                    ours, theirs = opening[held, HELD], opening[held, POSTED]
                    if before >= 0:
                        independent = sets[held, INDEPENDENT] * notional[held, before]
                        asked = independent * walked[before, 0, first + i]
                        ours = max(then[i], 0.0) - threshold
                        ours = ours if ours >= minimum else 0.0
                        theirs = max(-then[i], 0.0) + asked - threshold
                        theirs = theirs if theirs >= minimum else 0.0
                    bare[held, time, first + i] = max(now[i], 0.0)
                    secured[held, time, first + i] = max(now[i] - ours + theirs, 0.0)
