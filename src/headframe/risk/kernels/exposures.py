"""What we would lose with each counterparty along paths, with collateral that stops before a default."""

from headframe.numerics import Array, Places, Singles, np, parallel, prange, scalar
from headframe.risk.kernels.cash import INDEPENDENT, MINIMUM, ROUNDING, THRESHOLD, delivered
from headframe.risk.kernels.marks import DX, carried_on, looked_up, placed

WIDTH = 256
HELD, POSTED = 0, 1


@scalar
def strayed(coins: float, spot: Array, bucket: int, first: int, short: Array, out: Array) -> None:
    """Add to the worth of paths from ``first`` on what difficulty makes of coins sold by an index."""
    for i in range(out.size):
        out[i] += coins * spot[first + i] * short[first + i, bucket]


@parallel
def exposures(
    walked: Array,
    days: Places,
    margin_days: int,
    sets: Array,
    faces: Places,
    notional: Array,
    opening: Array,
    returned: Places,
    grid: Array,
    tables: Singles,
    hashed: Array,
    bucket: Places,
    short: Array,
    bare: Singles,
    secured: Singles,
) -> None:
    """Fill (faces, times, paths): our gain alone, and what of it collateral does not cover.

    Collateral follows the worth ``margin_days`` before, when the other side last delivered: what it gave us
    is ours, what we gave it is lost with it. Before so many days have passed it is today's. Once the last
    trade has ended and the agreement's days of delivery have passed, nothing lies on either side. A side
    with several sets nets none of them: each one's gain is claimed alone, collateral follows their sum.

    Args:
        walked: (days + 1, 4, paths) as ``price_paths`` filled it.
        days: (times,) on which it is asked. sets: as a hedge's numbers. faces: (sets,) which side each set
            faces, rising from 0. notional: (sets, days + 1) coins an independent amount is counted on.
        opening: (faces, 2) collateral held and posted today, USD. returned: (faces,) the day on which all is
            back, after the last trade has ended.
        grid, tables: as ``mark_tables`` filled them. hashed, short: as ``run_programme`` takes them; bucket:
            (days,) the bucket of a day.
    """
    paths, times, count = walked.shape[2], days.size, sets.shape[0]
    for chunk in prange((paths + WIDTH - 1) // WIDTH):
        first = chunk * WIDTH
        n = min(WIDTH, paths - first)
        last = first + n
        at, within = np.empty((2, n), dtype=np.int64), np.empty((3, n))
        then_at, then_within = np.empty((2, n), dtype=np.int64), np.empty((3, n))
        now, then = np.empty(n), np.empty(n)
        net, gains, before_net = np.zeros(n), np.zeros(n), np.zeros(n)
        shape = (tables.shape[2], tables.shape[3])
        for time in range(times):
            day = days[time]
            before = day - margin_days
            far = placed(grid, walked[day], first, last, shape, at, within)
            then_far = False
            if before >= 0:
                then_far = placed(grid, walked[before], first, last, shape, then_at, then_within)
            independent, together = 0.0, 0
            for held in range(count):
                face = faces[held]
                looked_up(tables[held, day], grid[DX], walked[day, 3, first:last], at, within, now)
                if far:
                    carried_on(tables[held, day], grid[DX], at, within, now)
                if short.size > 0 and day > 0:
                    strayed(
                        hashed[held, day], walked[day, 0], int(bucket[day - 1]), first, short, now
                    )
                if before >= 0:
                    basis = walked[before, 3, first:last]
                    looked_up(tables[held, before], grid[DX], basis, then_at, then_within, then)
                    if then_far:
                        carried_on(tables[held, before], grid[DX], then_at, then_within, then)
                    if short.size > 0 and before > 0:
                        strayed(
                            hashed[held, before],
                            walked[before, 0],
                            int(bucket[before - 1]),
                            first,
                            short,
                            then,
                        )
                    independent += sets[held, INDEPENDENT] * notional[held, before]
                together += 1
                for i in range(n):
                    net[i] += now[i]
                    gains[i] += max(now[i], 0.0)
                    before_net[i] += then[i]
                if held + 1 < count and faces[held + 1] == face:
                    continue
                threshold, unit = sets[held, THRESHOLD], sets[held, ROUNDING]
                minimum = max(sets[held, MINIMUM], 0.01)
                for i in range(n):
                    ours, theirs = opening[face, HELD], opening[face, POSTED]
                    if before >= 0:
                        asked = independent * walked[before, 0, first + i]
                        ours = delivered(max(before_net[i], 0.0) - threshold, minimum, unit)
                        theirs = max(-before_net[i], 0.0) + asked - threshold
                        theirs = delivered(theirs, minimum, unit)
                    if day >= returned[face]:
                        ours, theirs = 0.0, 0.0
                    claim = net[i] if together == 1 else gains[i]
                    bare[face, time, first + i] = max(claim, 0.0)
                    secured[face, time, first + i] = max(claim - ours + theirs, 0.0)
                    net[i] = gains[i] = before_net[i] = 0.0
                independent, together = 0.0, 0
