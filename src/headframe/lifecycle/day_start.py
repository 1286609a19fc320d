"""What a day of a hedged mine begins with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from headframe.book import (
    Bank,
    HeldContract,
    Ledger,
    PaymentDue,
    PendingCall,
    Position,
    Transit,
)
from headframe.counterparty import CollateralTerms
from headframe.hedge import FeeSchedule
from headframe.lifecycle.funding import FundingDue, FundingRecords
from headframe.lifecycle.performance import MonthResult
from headframe.mandate import Unwind
from headframe.mining import Operation
from headframe.pricing import Surface
from headframe.risk import RULE_SETS, Index, VenueMargin
from headframe.units import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStart:
    """What a day begins with."""

    day: date
    spot: Decimal
    mined: Decimal
    positions: tuple[Position, ...]
    ledger: Ledger
    surface: Surface
    terms: Mapping[str, CollateralTerms]
    operation: Operation
    power_usd: float
    fees: FeeSchedule
    option_spread: float
    unwind: Unwind
    so_far: MonthResult | None
    cash_unhedged_usd: float
    venue: str
    rule_sets: tuple[VenueMargin, ...] = RULE_SETS
    bank: Bank | None = None
    transit: tuple[Transit, ...] = ()
    """Dollars booked on earlier days that may not be there yet."""
    calls: tuple[PendingCall, ...] = ()
    """Collateral that was called on earlier days and is still to be delivered."""
    others: Mapping[tuple[str, bool], float] = field(default_factory=dict[tuple[str, bool], float])
    """What collateral in other currencies counts for in USD, by dealer, ours with it or its with us."""
    spot_before: Decimal | None = None
    """The price of the day before; none on the first."""
    closed_usd: float = 0.0
    """What trades closed since the last day brought, their premium counted in."""
    contracts: tuple[HeldContract, ...] = ()
    """Contracts on a schedule that are on."""
    later: tuple[Position, ...] = ()
    """Positions dealt after this close: they settle nothing at it, and are margined with it."""
    moves_collateral: bool = True
    """Whether collateral moves with the close; where it does not, calls are made and met by people."""
    apart: frozenset[str] = frozenset()
    """Dealers with a margin call that people handle: the close moves nothing of theirs."""
    funding: FundingRecords | None = None
    """Recorded funding rates; None in a price scenario, where a perpetual trades at the index: no funding."""
    payments: tuple[PaymentDue, ...] = ()
    """Premium and fees that settle on a value date to come, or today."""
    dealt_back: tuple[FundingDue, ...] = ()
    """Parts of perpetuals dealt back since the last close."""
    index: Index | None = None
    """What a PH/s is expected to earn; asked for where there is a contract."""

    @property
    def month(self) -> Month:
        """The month the day belongs to."""
        return Month.of(self.day)

    @property
    def closes_at(self) -> datetime:
        """08:00 UTC of the next morning."""
        start = datetime(
            self.day.year, self.day.month, self.day.day, tzinfo=self.month.start.tzinfo
        )
        return start + timedelta(days=1, hours=8)

    def spot_of(self, position: Position) -> Decimal:
        """The price a position was last marked at: of the day before, or of its trade."""
        fresh = position.last_mark is None or self.spot_before is None
        return position.trade.spot if fresh or self.spot_before is None else self.spot_before

    @property
    def pays_costs(self) -> bool:
        """Whether the month's costs are paid today: its last day, or the last before it a bank works."""
        last = self.month.last_day
        return self.day == (last if self.bank is None else self.bank.days.on_or_before(last))

    @property
    def settles_on(self) -> date:
        """When dollars that come in today are there."""
        if self.bank is None:
            return self.closes_at.date()
        return self.bank.value_on(self.closes_at)

    @property
    def sells(self) -> bool:
        """Whether the sale policy sells today."""
        return self.operation.sale_policy.sells_on(self.day)
