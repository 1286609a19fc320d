"""Positions added up by instrument, so that a book of thousands costs what its instruments cost.

The value of a holding is linear in what is held: of options in the amount, of futures and forwards in the
amount and in the amount over (or times) its entry. Sums of those two by instrument value a whole book as
its positions one by one, but for the order of additions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from headframe.book import MarginTerms, Position
from headframe.instrument import Instrument
from headframe.pricing import Surface
from headframe.risk.marks import Units
from headframe.risk.rules import RULE_SETS, VenueMargin
from headframe.units import NO_EXPIRY, Month


@dataclass(frozen=True, slots=True)
class Netted:
    """Rows of instrument, amount, and amount over entry (USD contracts) or times entry (others)."""

    rows: tuple[tuple[Instrument, float, float], ...]
    future_coins: float
    """Coins of trades in futures: what a venue's margin on futures is counted on."""
    future_months: tuple[tuple[Month, float], ...]
    """The same by the month in which the trade ends."""
    sold_coins: float
    """Coins of trades that give up a rally: what an independent amount is counted on."""

    def value_usd(self, surface: Surface, at: datetime) -> float:
        """Worth in USD at a surface's spot."""
        return self.worth(Units(surface, at))

    def worth(self, units: Units) -> float:
        """The same by units that others use too."""
        return sum(units.worth(one, amount, weighed) for one, amount, weighed in self.rows)

    def unsettled(self, units: Units) -> float:
        """What its futures have moved since they were last settled; options settle when they expire."""
        rows = (row for row in self.rows if not row[0].is_option)
        return sum(units.worth(one, amount, weighed) for one, amount, weighed in rows)


@dataclass(frozen=True, slots=True)
class NettedBook:
    """A book by whom it faces: the venue, and each dealer by name."""

    venue: Netted
    dealers: tuple[tuple[str, Netted], ...]
    rules: tuple[VenueMargin, ...] = RULE_SETS
    """What the venue's margin is counted by."""

    def value_usd(self, surface: Surface, at: datetime) -> float:
        """Worth of all of it."""
        units = Units(surface, at)
        return self.venue.worth(units) + sum(one.worth(units) for _, one in self.dealers)


def contract_month(position: Position) -> Month:
    """Return the contract month of a future: its expiry's, or the last that a perpetual hedges."""
    if position.trade.expiry == NO_EXPIRY:
        return max(month for month, _ in position.remaining)
    return Month.of(position.trade.expiry)


def netted(positions: Iterable[Position]) -> Netted:
    """Positions as one set of rows, instruments in the order they first come."""
    sums: dict[Instrument, list[float]] = {}
    months: dict[Month, float] = {}
    futures, sold = 0.0, 0.0
    for position in positions:
        left = float(position.coins)
        share = left / float(position.trade.size)
        if not position.trade.legs[0].instrument.is_option:
            futures += left
            month = contract_month(position)
            months[month] = months.get(month, 0.0) + left
        if position.trade.sells_upside:
            sold += left
        for leg in position.trade.legs:
            one, amount = leg.instrument, float(leg.amount) * share
            found = sums.setdefault(one, [0.0, 0.0])
            found[0] += amount
            if not one.is_option:
                entry = float(position.entry(leg))
                found[1] += amount / entry if one.amount_in_usd else amount * entry
    rows = tuple((one, amount, weighed) for one, (amount, weighed) in sums.items())
    return Netted(rows, futures, tuple(sorted(months.items())), sold)


def netted_book(
    positions: Iterable[Position], rules: tuple[VenueMargin, ...] = RULE_SETS
) -> NettedBook:
    """A book netted by whom it faces."""
    venue: list[Position] = []
    dealers: dict[str, list[Position]] = {}
    for position in positions:
        if position.trade.margin is MarginTerms.VENUE:
            venue.append(position)
        else:
            dealers.setdefault(position.trade.dealer, []).append(position)
    faced = tuple((name, netted(dealers[name])) for name in sorted(dealers))
    return NettedBook(netted(venue), faced, rules)
