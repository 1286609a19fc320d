"""What a price per coin can be, by prices that are known: cents, thousands and other currencies stand out.

Within a month of a known price it is between half and twice it. The further away the nearest known price
is, the wider the bound: Bitcoin has moved by a factor of four in half a year and of ten in two years.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from headframe.units import Wrong

FACTORS: tuple[tuple[int, int], ...] = ((30, 2), (180, 4), (730, 10))
"""Days to the nearest known price, and how far from it a price may be."""
FARTHEST = 1_000
RATES: dict[str, tuple[Decimal, Decimal]] = {
    "EUR": (Decimal("0.5"), Decimal("2.5")),
    "GBP": (Decimal("0.7"), Decimal(3)),
    "CAD": (Decimal("0.35"), Decimal("1.4")),
    "USDC": (Decimal("0.3"), Decimal("1.2")),
    "USDT": (Decimal("0.3"), Decimal("1.2")),
}
"""Dollars for one unit: half the least and twice the most of half a century; stablecoins, once depegged."""


@dataclass(frozen=True, slots=True, order=True)
class KnownPrice:
    """A price in USD per coin that is on record: of which day, and where it is from."""

    day: date
    usd: Decimal
    source: str


def price_refusal(day: date, usd: Decimal, known: Iterable[KnownPrice]) -> str:
    """Return why a day's price cannot be one, by the nearest known; empty where it can, or none is known."""
    rows = sorted((abs((one.day - day).days), one) for one in known)
    near = [one for off, one in rows if off == rows[0][0]]
    if not near:
        return ""
    factor = next((times for days, times in FACTORS if rows[0][0] <= days), FARTHEST)
    if any(one.usd / factor <= usd <= one.usd * factor for one in near):
        return ""
    one = near[0]
    low, high = _plain(one.usd / factor), _plain(one.usd * factor)
    known_as = f"{_plain(one.usd)} of {one.day} by {one.source}, and {factor} times off it at most"
    return f"expected {low} to {high} USD per coin ({known_as}), got {_plain(usd)}"


def _plain(usd: Decimal) -> str:
    """Return a price in digits: cents from a dollar on, more below."""
    return f"{usd:,.2f}" if usd >= 1 else f"{usd:.6f}"


def check_rate(currency: str, usd: Decimal) -> None:
    """Raise Wrong for a rate that the currency never had."""
    low, high = RATES.get(currency, (Decimal(0), Decimal("Infinity")))
    if not low <= usd <= high:
        raise Wrong(
            f"{currency}: expected {low} to {high} USD for one {currency} (its past, doubled), "
            f"got {usd}; fix: give dollars for one unit, not cents and not units for one dollar"
        )
