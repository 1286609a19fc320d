"""Hedging relationships against the sales of their designated coins, from the trade to the last sale.

The hedged item is the sale of the designated coins: what is sold counts at its own price, what is to come
at the forward of its month's middle. Its hypothetical derivative has the terms of the trade and settles at
those prices, at intrinsic value: of options only the risk beyond their strikes is hedged; time value and
premium are costs of hedging (IFRS 9, 6.5.15 and B6.5.5; ASC 815-20-25-82 and 815-30-35-10). The hedge is
what the trade has paid and what is left of it is worth at intrinsic value of its own expiry's forward. The
two differ by the calendar and by the prices achieved: that is the ineffectiveness. A relationship ends with
the last sale of its designated coins; what a hedge does after that belongs to no sale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from headframe.book import Position, Trade
from headframe.instrument import Kind
from headframe.lifecycle.realised import intrinsic_per_coin
from headframe.lifecycle.run_off import Part
from headframe.pricing import Surface
from headframe.risk import leg_value_usd
from headframe.units import Month, year_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeView:
    """A trade at one view of the market: what it paid so far, what is open, and its designated coins sold."""

    at: datetime
    surface: Surface
    paid_usd: float
    """Settlements and closes so far, premium and fees apart, coins at the price when they moved."""
    position: Position | None
    sold: Mapping[Month, Sequence[Part]]

    def item_usd(self, trade: Trade) -> float:
        """Return what the hypothetical derivative is worth: the hedged part of the sales, turned."""
        total = 0.0
        for part in trade.designations:
            sold = self.sold.get(part.month, ())
            total += sum(float(coins * intrinsic_per_coin(trade, price)) for coins, price in sold)
            left = Fraction(part.coins) - sum((coins for coins, _ in sold), Fraction(0))
            years = max(year_fraction(self.at, _middle(part.month)), 0.0)
            forward = Fraction(repr(self.surface.forward(years)))
            total += float(left * intrinsic_per_coin(trade, forward))
        return total

    def hedge_usd(self, trade: Trade) -> float:
        """Return what the trade paid and what is left of it is worth at intrinsic value."""
        if self.position is None:
            return self.paid_usd
        total = self.paid_usd
        for leg in trade.legs:
            one, amount = leg.instrument, float(self.position.amount(leg))
            if one.strike is None:
                entry = float(self.position.entry(leg))
                total += leg_value_usd(one, amount, entry, self.surface, self.at)
                continue
            forward = self.surface.forward(max(year_fraction(self.at, one.expiry), 0.0))
            sign = 1.0 if one.kind is Kind.CALL else -1.0
            total += amount * max(sign * (forward - float(one.strike)), 0.0)
        return total

    def coins_sold(self) -> Fraction:
        """Return designated coins sold."""
        return sum((coins for parts in self.sold.values() for coins, _ in parts), Fraction(0))


def ended_at(trade: Trade, views: Sequence[HedgeView]) -> datetime | None:
    """Return the first view at which every designated coin is sold; None while some are to come."""
    return next((one.at for one in views if one.coins_sold() >= Fraction(trade.size)), None)


def series(trade: Trade, views: Sequence[HedgeView]) -> list[tuple[float, float]]:
    """Return item and hedge in USD at each view up to the end of the relationship, oldest first.

    The item is the sales' side: it falls where the hypothetical derivative gains.
    """
    end = ended_at(trade, views)
    kept = [one for one in views if end is None or one.at <= end]
    return [(-one.item_usd(trade), one.hedge_usd(trade)) for one in kept]


def _middle(month: Month) -> datetime:
    return month.start + timedelta(days=month.days / 2.0)
