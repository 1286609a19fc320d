"""Collateral that was called and is still to be delivered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from headframe.units import USD, Money, Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCall:
    """A move of collateral under an agreement: ours to the dealer or its to us; returned where negative."""

    dealer: str
    ours: bool
    usd: Money
    made: date
    due: date

    def __post_init__(self) -> None:
        if self.usd.currency != USD or not self.usd.smallest:
            raise Wrong(f"a call is of dollars, was {self.usd} {self.usd.currency.code}")
        if self.due < self.made:
            raise Wrong(f"a call of {self.made} cannot be due {self.due}")


def pending_usd(calls: Sequence[PendingCall], dealer: str, *, ours: bool) -> Money:
    """What is called and not delivered yet, one way."""
    return Money(
        USD, sum(one.usd.smallest for one in calls if (one.dealer, one.ours) == (dealer, ours))
    )
