"""The most a mine can have been paid over weeks and months: days that are possible, but not together.

A single day may hold ten times a week's coins (a backlog, a bonus). A sum over 7, 30 and 90 days and over
everything known may hold only a few times what the fleet earns in those days and since the payout before
them, and never more than twice the network's subsidy.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import accumulate

from headframe.mining.production_bounds import (
    BACKLOG_DAYS,
    FIRST_PAYOUT_DAYS,
    LUCKY_BLOCKS,
    MINE_ROOM,
    NETWORK_ROOM,
    PaidAmount,
    ProductionScale,
)
from headframe.units import Month, Wrong

WINDOW_ROOMS: Mapping[int, float] = {7: MINE_ROOM, 30: 4.0, 90: 3.0, 0: 3.0}
"""How many times its planned output a fleet may have been paid, by days; 0 is everything known.

Fees and luck average out over a month; what is left is a fleet larger than its plan.
"""


@dataclass(frozen=True, slots=True)
class _Earned:
    """Coins that the network and the fleet earn, summed from a first day on."""

    first: date
    network: tuple[float, ...]
    fleet: tuple[float, ...]

    def between(self, start: date, end: date) -> tuple[float, float]:
        """Return the coins of network and fleet from a day to another, both with."""
        low, high = max((start - self.first).days, 0), (end - self.first).days + 1
        return self.network[high] - self.network[low], self.fleet[high] - self.fleet[low]


def check_sums(
    scale: ProductionScale, rows: Sequence[PaidAmount], known: Mapping[date, Decimal]
) -> None:
    """Raise Wrong where new rows make the coins of a window of days more than can have been mined.

    Args:
        scale: what bounds the coin's production.
        rows: amounts that are new.
        known: coins that are known already, by day.
    """
    if not rows:
        return
    totals = dict(known)
    for row in rows:
        totals[row.day] = totals.get(row.day, Decimal(0)) + row.coins
    days = sorted(totals)
    sums = list(accumulate((totals[day] for day in days), initial=Decimal(0)))
    earned = _earned(scale, days[0] - timedelta(days=FIRST_PAYOUT_DAYS), days[-1])
    fresh = sorted({row.day for row in rows})
    for place, end in enumerate(days):
        for window, room in WINDOW_ROOMS.items():
            start = end - timedelta(days=window - 1) if window else days[0]
            at = bisect_left(fresh, start)
            if at == len(fresh) or fresh[at] > end or (not window and end != days[-1]):
                continue
            low = bisect_left(days, start)
            before = days[low - 1] if low else start - timedelta(days=FIRST_PAYOUT_DAYS + 1)
            since = min(before + timedelta(days=1), start - timedelta(days=BACKLOG_DAYS))
            bound, words = _bound(scale, earned, (since, end), room)
            total = sums[place + 1] - sums[low]
            if float(total) > bound:
                raise Wrong(_refusal(scale, rows, (start, end), total, f"{bound:,.8g}", words))


def _earned(scale: ProductionScale, first: date, last: date) -> _Earned:
    """Return what network and fleet earn day by day; a day without a plan is bounded by the network alone."""
    planned: dict[Month, float] = {}
    network: list[float] = []
    fleet: list[float] = []
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        at = datetime.combine(day, time(), UTC)
        if scale.operation is not None and Month.of(day) not in planned:
            planned[Month.of(day)] = scale.planned_hs(day)
        hashes = max(planned.get(Month.of(day), 0.0), scale.hashrates.get(day, 0.0))
        whole, coins = scale.network_hs(at), scale.network_coins_a_day(at)
        share = min(hashes / whole, 1.0) if whole and hashes else 1.0
        network.append(coins)
        fleet.append(coins * share)
    return _Earned(
        first, tuple(accumulate(network, initial=0.0)), tuple(accumulate(fleet, initial=0.0))
    )


def _bound(
    scale: ProductionScale, earned: _Earned, span: tuple[date, date], room: float
) -> tuple[float, str]:
    """Return the most coins of a span of days, and the reason in words."""
    since, end = max(span[0], earned.first), span[1]
    network, fleet = earned.between(since, end)
    days = (end - since).days + 1
    share = f"{fleet / network:.4%} of the {network:,.0f} of the whole network"
    if scale.operation is not None and scale.operation.pool.lucky[0]:
        start = datetime.combine(since, time(), UTC)
        blocks = LUCKY_BLOCKS * scale.block_coins(start) * scale.operation.pool.part_of_pool
    else:
        blocks = 0.0
    if scale.operation is None or room * fleet + blocks >= NETWORK_ROOM * network:
        return NETWORK_ROOM * network, (
            f"{NETWORK_ROOM:.0f} times what the whole network mines in {days} days before fees, from {since} "
            "on, the day after the payout before or a week's backlog"
        )
    return room * fleet + blocks, (
        f"{room:.0f} times what the fleet earns in {days} days, {fleet:,.8g}, {share}, from {since} on, the "
        "day after the payout before or a week's backlog"
    )


def _refusal(
    scale: ProductionScale,
    rows: Sequence[PaidAmount],
    span: tuple[date, date],
    total: Decimal,
    bound: str,
    words: str,
) -> str:
    start, end = span
    inside = [row for row in rows if start <= row.day <= end]
    worst = max(inside, key=lambda row: row.coins)
    coin = scale.chain.coin
    return (
        f"{worst.name}: coins: expected at most {bound} {coin} from {start} to {end} together ({words}), got "
        f"{total.normalize():,f} ({worst.coins.normalize():,f} on {worst.day}); fix: check the figures and "
        "their unit; if the fleet is larger than planned, set it in headframe.toml or record its hashrate"
    )
