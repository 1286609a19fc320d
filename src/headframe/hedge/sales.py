"""How coins were sold: each venue of a month against all of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from headframe.units import Month


@dataclass(frozen=True, slots=True)
class SaleFill:
    """Coins sold at a venue, in USD before and of the fee."""

    month: Month
    venue: str
    coins: float
    usd: float
    fee_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """Sales of a month at one venue, in USD: their average price and fee, and against all of the month."""

    month: Month
    venue: str
    fills: int
    coins: float
    price: float
    fee_bp: float
    against_month_bp: float
    """Net price against the average of every venue of the month, in hundredths of a per cent."""


def sold_by_venue(fills: Sequence[SaleFill]) -> tuple[Sold, ...]:
    """Sales by month and venue, oldest first."""
    found: list[Sold] = []
    for month, venue in sorted({(one.month, one.venue) for one in fills}):
        every = [one for one in fills if one.month == month]
        mine = [one for one in every if one.venue == venue]
        usd, coins = sum(one.usd for one in mine), sum(one.coins for one in mine)
        net = _net(every)
        found.append(
            Sold(
                month=month,
                venue=venue or "not said",
                fills=len(mine),
                coins=coins,
                price=usd / coins,
                fee_bp=1e4 * sum(one.fee_usd for one in mine) / usd if usd else 0.0,
                against_month_bp=1e4 * (_net(mine) / net - 1.0) if net else 0.0,
            )
        )
    return tuple(found)


def _net(fills: Sequence[SaleFill]) -> float:
    """Average price after fees."""
    return sum(one.usd - one.fee_usd for one in fills) / sum(one.coins for one in fills)
