"""What recorded hashrates should have earned against what the pool paid for the same days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from headframe.chain import Chain, Retarget
from headframe.mining.expected import Expected, expected
from headframe.mining.operation import Operation
from headframe.mining.pool import luck_sd
from headframe.mining.production_days import CoveredDays, covered_days
from headframe.units import Month, Wrong

_LONG_GAP_DAYS = 31


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutMonth:
    """Payouts of a month with the hashrate of the days they pay for; ``luck_sd`` is the pool's."""

    month: Month
    days: int
    hashrate_hs: float
    planned_hs: float
    expected: float
    paid: float
    luck_sd: float
    payouts: int = 0

    @property
    def difference(self) -> float:
        """Paid over expected, less one."""
        return self.paid / self.expected - 1.0 if self.expected > 0.0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutAudit:
    """The months, and what a reader must know of payouts and days that are not compared or only in part."""

    months: tuple[PayoutMonth, ...]
    notes: tuple[str, ...]


def payouts(
    chain: Chain,
    history: Sequence[Retarget],
    operation: Operation,
    *,
    paid: Mapping[date, Decimal],
    hashrates: Mapping[date, float],
    fee_share: float,
) -> PayoutAudit:
    """Return payouts by month, oldest first, each against the hashrate of the days it pays for.

    A payout is compared where every day it covers has a hashrate; it counts in the month of its last day.
    Wrong names the day whose hashrate or place cannot be.
    """
    covered = covered_days(paid, min(hashrates, default=None))
    compared = [one for one in covered if all(day in hashrates for day in one.days)]
    months: dict[Month, list[tuple[CoveredDays, list[Expected]]]] = {}
    for one in compared:
        earned = [_earned(chain, history, operation, day, hashrates, fee_share) for day in one.days]
        months.setdefault(Month.of(one.last), []).append((one, earned))
    return PayoutAudit(
        months=tuple(_month(month, rows, operation) for month, rows in months.items()),
        notes=_notes(covered, compared, hashrates),
    )


def _earned(
    chain: Chain,
    history: Sequence[Retarget],
    operation: Operation,
    day: date,
    hashrates: Mapping[date, float],
    fee_share: float,
) -> Expected:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    try:
        return expected(
            chain,
            history,
            hashrate_hs=hashrates[day],
            start=begin,
            end=begin + timedelta(days=1),
            fee_share=fee_share,
            pool_fee=operation.pool.fee,
        )
    except Wrong as error:
        raise Wrong(f"{day}: {error}") from error


def _month(
    month: Month, rows: Sequence[tuple[CoveredDays, list[Expected]]], operation: Operation
) -> PayoutMonth:
    earned = [one for _, days in rows for one in days]
    blocks = sum(one.blocks for one in earned)
    return PayoutMonth(
        month=month,
        days=len(earned),
        hashrate_hs=sum(one.hashrate_hs for one in earned) / len(earned),
        planned_hs=operation.hashrate_hs(month),
        expected=sum(one.coins for one in earned),
        paid=float(sum((one.coins for one, _ in rows), Decimal(0))),
        luck_sd=luck_sd(blocks / operation.pool.part_of_pool),
        payouts=len(rows),
    )


def _notes(
    covered: Sequence[CoveredDays], compared: Sequence[CoveredDays], hashrates: Mapping[date, float]
) -> tuple[str, ...]:
    """Return what the comparison leaves out or takes for granted."""
    found: list[str] = []
    if compared and compared[0].partial:
        one = compared[0]
        found.append(
            f"the first payout, of {one.last}, is taken to pay for the {len(one.days)} days from {one.first}"
            ", the first with a hashrate: what it paid for earlier days is not known"
        )
    left = [one for one in covered if one not in compared]
    if left:
        coins = sum((one.coins for one in left), Decimal(0))
        found.append(
            f"{len(left)} payouts ({coins.normalize():f} coins) are left out, since days they pay for have "
            f"no hashrate: the first is of {left[0].last}"
        )
    long = [one for one in compared if len(one.days) > _LONG_GAP_DAYS]
    found += [
        f"the payout of {one.last} is taken to pay for {len(one.days)} days: none is recorded between"
        for one in long
    ]
    last = max((one.last for one in covered), default=None)
    unpaid = [day for day in hashrates if last is not None and day > last]
    if unpaid:
        found.append(f"{len(unpaid)} days with a hashrate after the last payout are not paid yet")
    return tuple(found)
