"""A trade as dealt, whole: its legs, whom it faces, and which coins of which months it hedges."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from headframe.instrument import Instrument, StructureKind
from headframe.units import Month, Wrong, shared_out


class MarginTerms(StrEnum):
    """How a trade is margined: daily at the venue, or under the dealer's collateral agreement."""

    VENUE = "venue"
    BILATERAL = "bilateral"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLeg:
    """One leg: signed amount (coins, or USD for futures settled in coin) and price dealt."""

    instrument: Instrument
    amount: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Designation:
    """Which coins a part of a trade hedges, fixed at the moment of trade and never after."""

    month: Month
    coins: Decimal
    words: str
    hedge_for_accounts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A block as booked; every leg or none."""

    id: str
    proposal: str
    rfq: str
    structure: StructureKind
    dealer: str
    margin: MarginTerms
    at: datetime
    size: Decimal
    net_price: Decimal
    price_currency: str
    legs: tuple[TradeLeg, ...]
    designations: tuple[Designation, ...]
    fee: Decimal
    spot: Decimal
    accounts: tuple[tuple[str, Decimal], ...] = ()
    """Coins by account at the venue, where the block was shared out."""

    def __post_init__(self) -> None:
        if not self.legs:
            raise Wrong("a trade has legs")
        if self.size <= 0:
            raise Wrong(f"a trade's size must be positive, was {self.size}")
        total = sum((part.coins for part in self.designations), Decimal(0))
        if total != self.size:
            raise Wrong(f"designations must add up to the size {self.size}, was {total}")

    @property
    def expiry(self) -> datetime:
        """The last expiry of its legs."""
        return max(leg.instrument.expiry for leg in self.legs)

    @property
    def sells_upside(self) -> bool:
        """Whether coins must be delivered, or their gain paid away, on a rally."""
        return not self.structure.keeps_upside


def allocate(size: Decimal, weights: tuple[tuple[Month, Decimal], ...]) -> dict[Month, Decimal]:
    """A block shared out to months by weight, in steps of 0.01 coins, adding up exactly.

    The steps left over go to the largest remainders, the earliest month first on a tie.
    """
    ordered = sorted(weights)
    shares = shared_out(size, [weight for _, weight in ordered], Decimal("0.01"))
    return {month: share for (month, _), share in zip(ordered, shares, strict=True) if share}


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What is left of a trade: coins still hedged by month, and the last mark futures settled at."""

    trade: Trade
    remaining: tuple[tuple[Month, Decimal], ...]
    last_mark: Decimal | None = None

    @property
    def coins(self) -> Decimal:
        """Coins still hedged."""
        return sum((coins for _, coins in self.remaining), Decimal(0))

    def amount(self, leg: TradeLeg) -> Decimal:
        """What is left of one leg's signed amount."""
        return leg.amount * self.coins / self.trade.size

    def entry(self, leg: TradeLeg) -> Decimal:
        """The price a future is next settled against: its last mark, or the price dealt."""
        return leg.price if self.last_mark is None else self.last_mark
