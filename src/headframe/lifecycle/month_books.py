"""A month of the mine's own coins in exact integers: mined, sold, proceeds, costs."""

from dataclasses import dataclass, replace

from headframe.lifecycle.performance import MonthResult
from headframe.units import BTC, USD, Money, Month, booked

_NO_COINS, _NO_USD = Money(BTC, 0), Money(USD, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthBooks:
    """Coins and dollars of one month of cash, summed from what was booked."""

    month: Month
    mined: Money = _NO_COINS
    sold: Money = _NO_COINS
    proceeds: Money = _NO_USD
    costs: Money = _NO_USD

    def moved(self, before: MonthResult | None, after: MonthResult) -> "MonthBooks":
        """Return the books with what one event added, in whole satoshi and cents."""
        old = MonthResult.empty(after.month, 0.0) if before is None else before
        return replace(
            self,
            mined=self.mined + booked(after.mined, BTC) - booked(old.mined, BTC),
            sold=self.sold + booked(after.sold, BTC) - booked(old.sold, BTC),
            proceeds=self.proceeds + booked(after.spot_usd, USD) - booked(old.spot_usd, USD),
            costs=self.costs + booked(after.costs_usd, USD) - booked(old.costs_usd, USD),
        )
