"""Coins mined by day from the production record and from payouts in the books, each coin counted once.

A payout pays for the days after the payout before it, up to and with its own day. So a pool that pays
weekly has seven days in each payout, and an audit compares each payout with the hashrate of its days.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median_low

from headframe.units import Month

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredDays:
    """The days that the coins of one day of pay are for; ``partial`` where the first of them is not known."""

    first: date
    last: date
    coins: Decimal
    partial: bool = False

    @property
    def days(self) -> tuple[date, ...]:
        """Return the days, oldest first."""
        return tuple(self.first + n * _DAY for n in range((self.last - self.first).days + 1))


def production_by_day(
    recorded: Mapping[date, Decimal], paid: Iterable[tuple[date, Decimal]]
) -> dict[date, Decimal]:
    """Return coins by day of the production record and of payouts in the books, each counted once.

    A day that is in the record counts as recorded, whatever the books hold of it. A payout on another day
    counts on its own day with what it holds beyond the recorded days that it pays for, not below nothing:
    those coins are in the record already. The first payout is taken for its own day alone.
    """
    payouts: dict[date, Decimal] = {}
    for day, coins in paid:
        payouts[day] = payouts.get(day, Decimal(0)) + coins
    found = dict(recorded)
    before: date | None = None
    for day in sorted(payouts):
        # the days since the payout before, which the record may hold one by one
        first = day if before is None else before + _DAY
        if day not in recorded:
            inside = (coins for d, coins in recorded.items() if first <= d < day)
            beyond = payouts[day] - sum(inside, Decimal(0))
            if beyond > 0:
                found[day] = beyond
        before = day
    return dict(sorted(found.items()))


def covered_days(
    coins: Mapping[date, Decimal], hashing_from: date | None = None
) -> tuple[CoveredDays, ...]:
    """Return the days that each day of pay covers, oldest first.

    The first covers as many days as payouts usually lie apart (the median), but none before
    ``hashing_from``; with a single payout all days from there on.
    """
    days = sorted(coins)
    if not days:
        return ()
    usual = _usual_gap(days)
    first = days[0] if usual is None else days[0] - (usual - 1) * _DAY
    if usual is None and hashing_from is not None and hashing_from < first:
        first = hashing_from
    partial = usual is None
    if hashing_from is not None and first < hashing_from <= days[0]:
        first, partial = hashing_from, True
    found = [CoveredDays(first=first, last=days[0], coins=coins[days[0]], partial=partial)]
    found += [
        CoveredDays(first=before + _DAY, last=day, coins=coins[day])
        for before, day in pairwise(days)
    ]
    return tuple(found)


def _usual_gap(days: list[date]) -> int | None:
    """Return the median of days between payouts; None of a single one."""
    gaps = [(after - before).days for before, after in pairwise(days)]
    return median_low(gaps) if gaps else None


def coins_of_whole_months(coins: Mapping[date, Decimal]) -> dict[Month, float]:
    """Return coins of the months whose every day is covered by a payout, a payout shared evenly by day.

    The first payout is not counted unless payouts come daily: the days it covers are not known. One that
    covers twice the usual number of days or more may stand beside a day that is missing in the record:
    a month that holds such a gap is not whole.
    """
    usual = _usual_gap(sorted(coins)) or 1
    sums: dict[Month, Decimal] = {}
    counts: dict[Month, int] = {}
    covered = covered_days(coins)
    for one in covered if usual == 1 else covered[1:]:
        days = one.days
        if len(days) > 2 * usual - 1:
            continue
        for day in days:
            month = Month.of(day)
            sums[month] = sums.get(month, Decimal(0)) + one.coins / len(days)
            counts[month] = counts.get(month, 0) + 1
    whole = (month for month, count in counts.items() if count == month.days)
    return {month: float(sums[month]) for month in sorted(whole)}
