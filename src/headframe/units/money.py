"""Money as exact integers of the smallest unit, and the one place where a figure is rounded."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from math import isfinite
from types import MappingProxyType

from headframe.units.wrong import Wrong

_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?"
)
_GREATEST = 10**27
"""No ledger amount reaches this many smallest units: 10 million million coins."""


@dataclass(frozen=True, slots=True, order=True)
class Currency:
    """A currency and the number of decimals of its smallest unit."""

    code: str
    decimals: int

    @property
    def scale(self) -> int:
        """Smallest units in one whole."""
        return int(10**self.decimals)

    @property
    def amount_max(self) -> int:
        """Largest amount of one input, in whole units: a million million, fewer where 18 decimals ask."""
        return min(10**12, _GREATEST // self.scale // 10)


BTC = Currency("BTC", 8)
USD = Currency("USD", 2)
USDC = Currency("USDC", 6)
"""The stablecoin in which linear instruments settle."""
CURRENCIES = MappingProxyType(
    {
        currency.code: currency
        for currency in (
            BTC,
            USD,
            Currency("LTC", 8),
            Currency("DOGE", 8),
            Currency("BCH", 8),
            USDC,
            Currency("USDT", 6),
            Currency("EUR", 2),
            Currency("GBP", 2),
            Currency("CAD", 2),
            Currency("ETC", 18),
            Currency("KAS", 8),
            Currency("XMR", 12),
            Currency("ZEC", 8),
        )
    }
)


COINS = frozenset({"BTC", "LTC", "DOGE", "BCH", "ETC", "KAS", "XMR", "ZEC"})
"""Those of the currencies that are mined."""


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: a whole number of the currency's smallest unit."""

    currency: Currency
    smallest: int

    def __post_init__(self) -> None:
        if abs(self.smallest) >= _GREATEST:
            raise Wrong(f"an amount must be below 1e27 smallest units, was {self.smallest:.3e}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.currency, self.smallest + other.smallest)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.currency, self.smallest - other.smallest)

    def __neg__(self) -> "Money":
        return Money(self.currency, -self.smallest)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.smallest < other.smallest

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.smallest <= other.smallest

    def __float__(self) -> float:
        return self.smallest / self.currency.scale

    def __str__(self) -> str:
        whole, part = divmod(abs(self.smallest), self.currency.scale)
        sign = "-" if self.smallest < 0 else ""
        return f"{sign}{whole}.{part:0{self.currency.decimals}d}"

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise Wrong(f"cannot mix {self.currency.code} and {other.currency.code} in one amount")


def booked(amount: Fraction | Decimal | float | str, currency: Currency) -> Money:
    """The amount in whole smallest units, half to even: the only rounding in the house."""
    if isinstance(amount, str):
        amount = parse_decimal(amount)
    if isinstance(amount, float) and not isfinite(amount):
        raise Wrong(f"an amount must be a finite number, was {amount}")
    if isinstance(amount, Decimal) and not amount.is_finite():
        raise Wrong(f"an amount must be a finite number, was {amount}")
    exact = amount if isinstance(amount, Fraction) else Fraction(amount)
    over = exact.denominator
    smallest, rest = divmod(exact.numerator * currency.scale, over)
    if 2 * rest > over or (2 * rest == over and smallest % 2):
        smallest += 1
    if abs(smallest) >= _GREATEST:
        raise Wrong(f"an amount must be below 1e27 smallest units of {currency.code}")
    return Money(currency, smallest)


def parse_decimal(text: str) -> Decimal:
    """A decimal number typed in plain ASCII, of bounded length and exponent."""
    text = text.strip(" ")
    if len(text) > 64 or not _DECIMAL.fullmatch(text):
        raise Wrong(f"expected a plain decimal number, was {text[:40]!r}")
    return Context(prec=80, rounding=ROUND_HALF_EVEN).create_decimal(text)
