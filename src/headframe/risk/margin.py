"""Margin: what venues and dealers hold or may call, today and at another price."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from headframe.book import Position
from headframe.counterparty import CollateralTerms, call_amount, support_amount
from headframe.instrument import Instrument, Kind
from headframe.pricing import Surface
from headframe.risk.marks import Units
from headframe.risk.netting import Netted, NettedBook, netted, netted_book
from headframe.risk.portfolio_margin import holdings_of, portfolio_margin
from headframe.risk.rules import RULE_SETS, VenueMargin, rule_set

_STRIDE = 1.25


@dataclass(frozen=True, slots=True)
class Posted:
    """Our collateral with one dealer: dollars as the agreement counts them, and coins."""

    dollars: float = 0.0
    coins: float = 0.0

    def counts(self, terms: CollateralTerms, spot: float) -> float:
        """Return its value in USD under the agreement at a price: coins after their haircut."""
        return self.dollars + terms.coins_usd(self.coins, spot)


NOTHING_POSTED: Mapping[str, Posted] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginState:
    """What is held and what a price would make move, in USD.

    ``collateral_usd`` is what lies with the dealers once ``called_usd`` has moved: the calls of that
    valuation, each at or above its agreement's minimum transfer amount and rounded; below zero is returned.
    """

    initial_usd: float
    variation_usd: float
    collateral_usd: float
    called_usd: float = 0.0

    @property
    def posted_usd(self) -> float:
        """What stays posted while a hedge is on; variation is paid over, never posted ahead."""
        return self.initial_usd + self.collateral_usd

    @property
    def total_usd(self) -> float:
        """Everything that must be found."""
        return self.posted_usd + self.variation_usd


def venue_initial_coins(position_coins: float, rules: VenueMargin) -> float:
    """Initial margin of a future in coins, for a position of so many coins."""
    size = abs(position_coins)
    return (rules.initial + rules.per_coin * size) * size


def _futures_initial(mine: Netted, rules: VenueMargin) -> float:
    """Futures together, or each contract month by its own share where the rules have them."""
    if not rules.months:
        return venue_initial_coins(mine.future_coins, rules)
    size = abs(mine.future_coins)
    by_month = sum(abs(coins) * rules.initial_of(month) for month, coins in mine.future_months)
    return by_month + rules.per_coin * size * size


def sold_option_coins(one: Instrument, forward: float, mark: float, rules: VenueMargin) -> float:
    """Initial margin of one coin's option sold, in coins; ``mark`` is its price in coins."""
    assert one.strike is not None
    put, strike = one.kind is Kind.PUT, float(one.strike)
    away = (forward - strike if put else strike - forward) / forward
    initial = max(rules.option_initial - max(away, 0.0), rules.option_least) + mark
    if put:
        initial = max(initial, rules.option_maintenance * max(1.0, mark) + mark)
    return initial


def venue_margin_coins(mine: Netted, units: Units, rules: VenueMargin) -> float:
    """Initial margin of everything one venue holds, in coins: futures together, options sold each.

    Or all of it together, by the portfolio model of the rules where they have one. What the venue reserves
    for market-maker protection is in it.
    """
    reserved = rules.market_maker_coins
    if rules.portfolio is not None:
        held = holdings_of(mine.rows, units.spot)
        return portfolio_margin(held, units.surface, units.at, rules.portfolio).initial + reserved
    total = _futures_initial(mine, rules) + reserved
    for one, amount, _ in mine.rows:
        if one.is_option and amount < 0.0:
            mark = units.worth(one, 1.0, 0.0) / units.spot
            total -= amount * sold_option_coins(one, units.forward(one), mark, rules)
    return total


def requirement(
    positions: tuple[Position, ...],
    terms: Mapping[str, CollateralTerms],
    surface: Surface,
    at: datetime,
    sets: tuple[VenueMargin, ...] = RULE_SETS,
    *,
    posted: Mapping[str, Posted] = NOTHING_POSTED,
) -> MarginState:
    """Margin due at a surface: the venue's initial margin, futures' losses since the last mark, collateral.

    Bilateral trades of one dealer net; collateral is what its agreement makes move, beside what is
    ``posted`` already.
    """
    return requirement_of(netted_book(positions, sets), terms, surface, at, posted)


def requirement_of(
    book: NettedBook,
    terms: Mapping[str, CollateralTerms],
    surface: Surface,
    at: datetime,
    posted: Mapping[str, Posted] = NOTHING_POSTED,
) -> MarginState:
    """The same of a book that is netted already."""
    rules, _ = rule_set(at.date(), book.rules)
    units = Units(surface, at)
    called = sum(collateral_calls(book, terms, units, posted).values())
    lying = sum(one.counts(terms[dealer], surface.spot) for dealer, one in posted.items())
    return MarginState(
        initial_usd=venue_margin_coins(book.venue, units, rules) * surface.spot,
        variation_usd=-book.venue.unsettled(units),
        collateral_usd=lying + called,
        called_usd=called,
    )


def collateral_calls(
    book: NettedBook,
    terms: Mapping[str, CollateralTerms],
    units: Units,
    posted: Mapping[str, Posted],
) -> dict[str, float]:
    """Return what each dealer calls from us at a valuation in USD; below zero it returns.

    Threshold, minimum transfer amount and rounding are those of ``counterparty.call_amount``, which real
    calls use. A dealer whose trades have ended returns all.
    """
    netted_by = dict(book.dealers)
    return {
        dealer: call_amount(
            terms[dealer],
            _wanted(mine, mine.worth(units), terms[dealer], units.spot)
            if (mine := netted_by.get(dealer)) is not None
            else 0.0,
            posted.get(dealer, Posted()).counts(terms[dealer], units.spot),
        )
        for dealer in sorted({*netted_by, *posted})
    }


def posted_after_calls(
    book: NettedBook,
    terms: Mapping[str, CollateralTerms],
    units: Units,
    posted: Mapping[str, Posted],
) -> dict[str, Posted]:
    """Return what lies with each dealer once the calls of a valuation have been met in dollars."""
    calls = collateral_calls(book, terms, units, posted)
    lying = {dealer: posted.get(dealer, Posted()) for dealer in calls}
    return {
        dealer: replace(one, dollars=one.dollars + calls[dealer]) for dealer, one in lying.items()
    }


def collateral_wanted(
    positions: tuple[Position, ...], terms: CollateralTerms, surface: Surface, at: datetime
) -> float:
    """Dollars one dealer's agreement wants from us: netted loss and independent amount over threshold."""
    mine = netted(positions)
    return _wanted(mine, mine.value_usd(surface, at), terms, surface.spot)


def _wanted(mine: Netted, value: float, terms: CollateralTerms, spot: float) -> float:
    return support_amount(terms, max(-value, 0.0), mine.sold_coins * spot)


def collateral_due_to_us(
    positions: tuple[Position, ...], terms: CollateralTerms, surface: Surface, at: datetime
) -> float:
    """Dollars the dealer owes us as collateral: our netted gain over its threshold."""
    value = netted(positions).value_usd(surface, at)
    return support_amount(terms, max(value, 0.0), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidity:
    """What can meet a call: dollars, undrawn credit, and free coins at the day's price."""

    cash_usd: float
    undrawn_usd: float
    free_coins: float

    def at(self, spot: float) -> float:
        """All of it in USD at a price."""
        return self.cash_usd + self.undrawn_usd + self.free_coins * spot


def cash_out_price(
    book: NettedBook,
    terms: Mapping[str, CollateralTerms],
    surface: Surface,
    at: datetime,
    liquidity: Liquidity,
    *,
    posted: Mapping[str, Posted] = NOTHING_POSTED,
    highest: float = 20.0,
) -> float | None:
    """The price above which calls exceed all liquidity, or None up to ``highest`` times spot.

    Calls are counted from what lies with venue and dealers once today's are met; today's own variation is
    still to be found, so a programme that cannot find it is out of cash at spot.
    """
    if not book.venue.rows and not book.dealers:
        return None
    initial = requirement_of(book, terms, surface, at, posted).initial_usd
    lying = posted_after_calls(book, terms, Units(surface, at), posted)

    def short(ratio: float) -> bool:
        spot = surface.spot * ratio
        then = requirement_of(book, terms, surface.at_spot(spot, at), at, lying)
        called = then.initial_usd - initial + then.variation_usd + then.called_usd
        return called > liquidity.at(spot)

    if short(1.0):
        return surface.spot
    ratio = _STRIDE
    while not short(ratio):
        if ratio >= highest:
            return None
        ratio = min(ratio * _STRIDE, highest)
    low, high = ratio / _STRIDE, ratio
    for _ in range(30):  # a fifth of a billionth of the price
        middle = 0.5 * (low + high)
        low, high = (low, middle) if short(middle) else (middle, high)
    return surface.spot * high
