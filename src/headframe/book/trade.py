"""A trade as dealt, whole: its legs, whom it faces, and which coins of which months it hedges."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from headframe.instrument import Instrument, StructureKind
from headframe.units import Month, Wrong


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
        return self.structure is not StructureKind.PROTECTIVE_PUT


def allocate(size: Decimal, weights: tuple[tuple[Month, Decimal], ...]) -> dict[Month, Decimal]:
    """A block shared out to months by weight, in steps of 0.01 coins, adding up exactly.

    Largest remainders (Hamilton's method): each month gets its share rounded down, and the coins
    left over go one step each to the largest remainders, the earliest month first on a tie.
    """
    step = Decimal("0.01")
    total = sum((weight for _, weight in weights), Decimal(0))
    if size <= 0 or total <= 0 or any(weight < 0 for _, weight in weights):
        raise Wrong("a block is shared out by weights of at least zero, not all zero")
    if size % step:
        raise Wrong(f"a block's size is a multiple of 0.01 coins, was {size}")
    exact = {month: size * weight / total for month, weight in weights}
    shares = {month: (value // step) * step for month, value in exact.items()}
    left = int((size - sum(shares.values(), Decimal(0))) / step)
    order = sorted(exact, key=lambda month: (shares[month] - exact[month], month))
    for month in order[:left]:
        shares[month] += step
    return {month: share for month, share in shares.items() if share}


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
