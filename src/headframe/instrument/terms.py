"""Terms of forwards, futures, options and structures of legs.

Names follow Deribit: ``BTC-25DEC26`` is a future settled in coin, ``BTC-25DEC26-70000-P`` an
option settled in coin; ``BTC_USD-...`` is settled in dollars, and a bilateral forward ends in
``-FWD``. ``BTC-PERPETUAL`` is a future without expiry settled in coin, ``BTC_USDC-PERPETUAL`` one
settled in USDC. Amounts are coins, except for futures settled in coin, whose amounts are dollars.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from headframe.units import (
    NO_EXPIRY,
    Wrong,
    is_utc,
    parse_decimal,
    parse_expiry,
)

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MOST_LEGS = 20
_PERPETUAL = "PERPETUAL"


class Kind(StrEnum):
    """What the holder may or must do at expiry."""

    FORWARD = "forward"
    FUTURE = "future"
    PUT = "put"
    CALL = "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One instrument: kind, coin, settlement currency, expiry and, for options, the strike in USD."""

    kind: Kind
    coin: str
    settled_in: str
    expiry: datetime
    strike: Decimal | None = None

    def __post_init__(self) -> None:
        assert is_utc(self.expiry)
        if self.is_option != (self.strike is not None):
            raise Wrong(f"a {self.kind} {'needs' if self.is_option else 'has no'} strike")
        if self.strike is not None and not 0 < self.strike < 10**12:
            raise Wrong(f"a strike must lie between 0 and 1e12 USD, was {self.strike}")
        if self.is_perpetual and self.kind is not Kind.FUTURE:
            raise Wrong(f"expiry: expected a day for a {self.kind}; only a future is perpetual")

    @property
    def is_option(self) -> bool:
        """Whether the holder chooses at expiry."""
        return self.kind in {Kind.PUT, Kind.CALL}

    @property
    def is_perpetual(self) -> bool:
        """Whether it has no expiry: its price is held near the index by funding."""
        return self.expiry == NO_EXPIRY

    @property
    def inverse(self) -> bool:
        """Whether gains and losses are paid in the coin itself."""
        return self.settled_in == self.coin

    @property
    def amount_in_usd(self) -> bool:
        """Whether amounts count dollars: futures settled in coin."""
        return self.inverse and self.kind is Kind.FUTURE

    @property
    def name(self) -> str:
        """The instrument's name as the venue writes it; days are not padded."""
        pair = self.coin if self.inverse else f"{self.coin}_{self.settled_in}"
        if self.is_perpetual:
            return f"{pair}-{_PERPETUAL}"
        day = f"{self.expiry.day}{_MONTHS[self.expiry.month - 1]}{self.expiry.year % 100:02d}"
        if self.kind is Kind.FUTURE:
            return f"{pair}-{day}"
        if self.kind is Kind.FORWARD:
            return f"{pair}-{day}-FWD"
        assert self.strike is not None
        strike = format(self.strike.normalize(), "f").replace(".", "d")
        return f"{pair}-{day}-{strike}-{'P' if self.kind is Kind.PUT else 'C'}"


def pair_of(name: str) -> tuple[str, str]:
    """Return the coin and the settlement currency that a venue's name begins with."""
    coin, _, settled = name.partition("-")[0].partition("_")
    if not re.fullmatch(r"[A-Z0-9]{2,10}", coin) or not re.fullmatch(r"[A-Z0-9]{0,10}", settled):
        raise Wrong(f"no instrument is called {name[:40]!r}")
    return coin, settled or coin


def parse_instrument(name: str) -> Instrument:
    """The instrument a venue's name stands for."""
    parts = name.split("-")
    if not name.isascii() or len(name) > 40 or len(parts) not in {2, 3, 4}:
        raise Wrong(f"no instrument is called {name[:40]!r}")
    coin, _, settled = parts[0].partition("_")
    if parts[1:] == [_PERPETUAL]:
        return perpetual_of(*pair_of(name))
    expiry = parse_expiry(parts[1])
    settled = settled or coin
    if len(parts) == 2:
        return Instrument(kind=Kind.FUTURE, coin=coin, settled_in=settled, expiry=expiry)
    if parts[2:] == ["FWD"]:
        return Instrument(kind=Kind.FORWARD, coin=coin, settled_in=settled, expiry=expiry)
    if len(parts) != 4 or parts[3] not in {"P", "C"}:
        raise Wrong(f"no instrument is called {name[:40]!r}")
    return Instrument(
        kind=Kind.PUT if parts[3] == "P" else Kind.CALL,
        coin=coin,
        settled_in=settled,
        expiry=expiry,
        strike=parse_decimal(parts[2].replace("d", ".")),
    )


def perpetual_of(coin: str, settled_in: str = "") -> Instrument:
    """Return the perpetual future of a coin, settled in the coin where no currency is named."""
    return Instrument(kind=Kind.FUTURE, coin=coin, settled_in=settled_in or coin, expiry=NO_EXPIRY)


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a structure: positive ratios are bought, negative ones sold."""

    instrument: Instrument
    ratio: int

    def __post_init__(self) -> None:
        if self.ratio == 0:
            raise Wrong(f"a leg's ratio must not be zero ({self.instrument.name})")


class StructureKind(StrEnum):
    """The hedges a producer chooses from."""

    SHORT_FUTURE = "short_future"
    SHORT_PERPETUAL = "short_perpetual"
    FORWARD = "forward"
    PROTECTIVE_PUT = "protective_put"
    COSTLESS_COLLAR = "costless_collar"
    HASHPRICE_FORWARD = "hashprice_forward"
    AVERAGE_PUT = "average_put"
    AVERAGE_COLLAR = "average_collar"

    @property
    def is_future(self) -> bool:
        """Whether it is a future sold at a venue, which margins it daily: dated or perpetual."""
        return self in {StructureKind.SHORT_FUTURE, StructureKind.SHORT_PERPETUAL}

    @property
    def keeps_upside(self) -> bool:
        """Whether it only floors: nothing is delivered or paid away on a rally."""
        return self in {StructureKind.PROTECTIVE_PUT, StructureKind.AVERAGE_PUT}

    @property
    def on_schedule(self) -> bool:
        """Whether it is a contract that a schedule of days fixes, dealt with a dealer and listed nowhere."""
        return self in {
            StructureKind.HASHPRICE_FORWARD,
            StructureKind.AVERAGE_PUT,
            StructureKind.AVERAGE_COLLAR,
        }


@dataclass(frozen=True, slots=True)
class Structure:
    """Legs traded together or not at all, seen from the producer."""

    kind: StructureKind
    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.legs) <= _MOST_LEGS:
            raise Wrong(f"a structure has 1 to {_MOST_LEGS} legs, was {len(self.legs)}")
        if len({leg.instrument for leg in self.legs}) != len(self.legs):
            raise Wrong("a structure names each instrument once")

    @property
    def expiry(self) -> datetime:
        """The last expiry of its legs."""
        return max(leg.instrument.expiry for leg in self.legs)

    def strike(self, kind: Kind) -> Decimal | None:
        """The strike of its put or call, or none."""
        return next(
            (leg.instrument.strike for leg in self.legs if leg.instrument.kind is kind), None
        )
