"""What recorded hashrates should have earned against what the pool paid for the same days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from headframe.chain import Chain, Retarget
from headframe.mining.expected import Expected, expected
from headframe.mining.operation import Operation
from headframe.mining.pool import luck_sd
from headframe.units import Month, Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutMonth:
    """The days of a month that have both a payout and a hashrate; ``luck_sd`` is the pool's."""

    month: Month
    days: int
    hashrate_hs: float
    planned_hs: float
    expected: float
    paid: float
    luck_sd: float

    @property
    def difference(self) -> float:
        """Paid over expected, less one."""
        return self.paid / self.expected - 1.0 if self.expected > 0.0 else 0.0


def payouts(
    chain: Chain,
    history: Sequence[Retarget],
    operation: Operation,
    *,
    paid: Mapping[date, float],
    hashrates: Mapping[date, float],
    fee_share: float,
) -> tuple[PayoutMonth, ...]:
    """Month by month, oldest first; Wrong names the day whose hashrate or place cannot be."""
    months: dict[Month, list[tuple[Expected, float]]] = {}
    for day in sorted(paid.keys() & hashrates.keys()):
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
        try:
            found = expected(
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
        months.setdefault(Month.of(day), []).append((found, paid[day]))
    return tuple(_month(month, rows, operation) for month, rows in months.items())


def _month(
    month: Month, rows: Sequence[tuple[Expected, float]], operation: Operation
) -> PayoutMonth:
    blocks = sum(found.blocks for found, _ in rows)
    return PayoutMonth(
        month=month,
        days=len(rows),
        hashrate_hs=sum(found.hashrate_hs for found, _ in rows) / len(rows),
        planned_hs=operation.hashrate_hs(month),
        expected=sum(found.coins for found, _ in rows),
        paid=sum(paid for _, paid in rows),
        luck_sd=luck_sd(blocks / operation.pool.part_of_pool),
    )
