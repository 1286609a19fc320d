"""Options on the mean of daily fixings, dealt over the counter and settled in dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from headframe.instrument.terms import Kind
from headframe.units import Wrong

MOST_FIXINGS = 732


@dataclass(frozen=True, slots=True, kw_only=True)
class AveragedOption:
    """A put or call on the mean of one fixing a day, at 08:00 UTC from ``first`` to ``last``.

    ``coins`` are bought where positive and sold where negative; it pays USD on the last fixing.
    """

    kind: Kind
    strike: Decimal
    coins: Decimal
    first: date
    last: date

    def __post_init__(self) -> None:
        if self.kind not in {Kind.PUT, Kind.CALL}:
            raise Wrong(f"an option on a mean is a put or a call, was {self.kind}")
        if not (self.strike.is_finite() and 0 < self.strike < 10**12):
            raise Wrong(f"a strike must lie between 0 and 1e12 USD, was {self.strike}")
        if not (self.coins.is_finite() and 0 < abs(self.coins) <= 10**7):
            raise Wrong(f"an option is of some coins, at most 10,000,000, was {self.coins}")
        count = (self.last - self.first).days + 1
        if not 1 <= count <= MOST_FIXINGS:
            raise Wrong(f"fixings are 1 to {MOST_FIXINGS}, from {self.first} to {self.last}")

    @property
    def days(self) -> tuple[date, ...]:
        """The days of its fixings."""
        count = (self.last - self.first).days + 1
        return tuple(self.first + timedelta(days=step) for step in range(count))

    def settle(self, fixings: Mapping[date, Decimal]) -> Fraction:
        """What the holder receives in USD once every fixing is known; paid where it is negative."""
        missing = [day for day in self.days if day not in fixings]
        if missing:
            raise Wrong(f"the fixing of {missing[0]} is missing")
        found = [fixings[day] for day in self.days]
        if any(not (one.is_finite() and one > 0) for one in found):
            raise Wrong("a fixing lies above 0")
        mean = sum((Fraction(one) for one in found), Fraction(0)) / len(found)
        gain = mean - Fraction(self.strike)
        return Fraction(self.coins) * max(gain if self.kind is Kind.CALL else -gain, Fraction(0))
