"""A snapshot: quotes by instrument at one instant, as they were said."""

from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from headframe.units import NO_EXPIRY, Wrong, is_utc

USUAL_SPREAD = 0.0375
"""Median bid-ask over mid of 15-50-delta BTC options, 22 August 2026: 3.6 to 3.9 %."""
HIGHEST_USD = 1e9
"""No coin price above a thousand million dollars is believed."""


def _price(name: str, value: float | None) -> None:
    if value is not None and not (isfinite(value) and 0.0 <= value <= HIGHEST_USD):
        raise Wrong(f"{name} must be a number between 0 and 1e9, was {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardQuote:
    """The forward price of an expiry in USD per coin, and its open interest in coins."""

    expiry: datetime
    price: float
    open_interest: float | None = None
    volume: float | None = None
    """Coins of futures traded in a day, where known."""

    def __post_init__(self) -> None:
        assert is_utc(self.expiry)
        _price("a forward", self.price)
        if self.price == 0.0:
            raise Wrong("a forward must be above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionQuote:
    """One listed option as quoted: prices in coin per coin, volatility as a fraction a year."""

    expiry: datetime
    strike: float
    is_call: bool
    bid: float | None
    ask: float | None
    mark: float | None
    vol: float | None
    open_interest: float | None
    volume: float | None = None
    """Coins traded in a day, where known."""

    def __post_init__(self) -> None:
        assert is_utc(self.expiry)
        _price("a strike", self.strike)
        for name, value in (("a bid", self.bid), ("an ask", self.ask), ("a mark", self.mark)):
            _price(name, value)
        _price("a volatility", self.vol)

    @property
    def two_sided(self) -> bool:
        """Whether a bid and an ask stand, neither zero."""
        return bool(self.bid and self.ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedSmile:
    """Volatilities of one expiry typed in by delta: pairs of (call delta, volatility).

    A 25-delta put stands at call delta 0.75, at the money (strike equal to forward) at None.
    """

    expiry: datetime
    vols: tuple[tuple[float | None, float], ...]

    def __post_init__(self) -> None:
        for delta, vol in self.vols:
            if not (delta is None or 0.0 < delta < 1.0) or not 0.0 < vol < 10.0:
                raise Wrong(
                    f"a smile needs deltas in 0-1 and volatilities in 0-10, was {delta}, {vol}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything one source said at one instant."""

    as_of: datetime
    coin: str
    index: float
    source: str
    forwards: tuple[ForwardQuote, ...]
    options: tuple[OptionQuote, ...] = ()
    typed: tuple[TypedSmile, ...] = ()
    spread: float | None = None
    """Bid-ask of options near the money as a share of mid: typed in, or the median of the quotes."""
    spot_move_10m: float | None = None
    """Move of the index over the last ten minutes, as a fraction, if known."""
    perpetual: ForwardQuote | None = None
    """The perpetual settled in coin, if quoted: its mark price and open interest, expiry NO_EXPIRY."""

    def __post_init__(self) -> None:
        assert is_utc(self.as_of)
        _price("an index", self.index)
        if self.index == 0.0:
            raise Wrong("an index must be above zero")
        expiries = [forward.expiry for forward in self.forwards]
        if not expiries or expiries != sorted(set(expiries)):
            raise Wrong("a snapshot needs forwards, one an expiry, in order of expiry")

    @property
    def half_spread(self) -> float:
        """Half the bid-ask as a share of mid; 1.875 % where nobody has measured it."""
        return 0.5 * (self.spread if self.spread is not None else USUAL_SPREAD)

    def forward(self, expiry: datetime) -> ForwardQuote | None:
        """The forward quoted for exactly this expiry; the perpetual for NO_EXPIRY."""
        if expiry == NO_EXPIRY:
            return self.perpetual
        return next((quote for quote in self.forwards if quote.expiry == expiry), None)

    def listed_expiry_from(self, day_end: datetime) -> datetime | None:
        """The first listed expiry at or after an instant, or none."""
        return next((quote.expiry for quote in self.forwards if quote.expiry >= day_end), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """One instrument as quoted: prices in its settlement currency, volatilities as fractions a year."""

    name: str
    at: datetime
    bid: float | None
    ask: float | None
    mark: float | None
    mark_vol: float | None
    bid_vol: float | None
    ask_vol: float | None
    underlying: float | None
    index: float
    delta: float | None
