"""The account at a venue: initial and maintenance margin, open orders, market-maker protection, liquidation.

Deribit. Maintenance under standard rules (support.deribit.com, "Standard margin", before August 2026):
futures 1 % + 0.005 % a coin of position; calls sold 7.5 % and their mark; puts sold 7.5 % of the greater of a
coin and their mark, and their mark; options bought nothing. Under portfolio margin it is 80 % of the risk
matrix, roll and delta, as its sample answers show; open orders and market-maker protection enter initial
margin alone (support.deribit.com, "Portfolio margin"). Market-maker protection reserves 3 % of the maximum
quote quantity of each group for as long as it is set (docs.deribit.com, ``private/set_mmp_config``, as
announced; not seen in an account).

The venue publishes no formula for open orders. Taken is: they ask what all of them filled would add to the
initial margin, nothing where that is less; options to be bought ask their premium besides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headframe.instrument import Instrument, Kind
from headframe.pricing import Surface
from headframe.risk.margin import venue_margin_coins
from headframe.risk.marks import Units
from headframe.risk.netting import Netted
from headframe.risk.portfolio_margin import holdings_of, portfolio_margin
from headframe.risk.rules import VenueMargin

_STRIDE, _LEAST, _MOST = 1.25, 0.01, 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueAccount:
    """Margin at a venue in coins, and the prices at which it would liquidate; None within 1 % to 20 times.

    ``equity`` is what lies there with what its futures have moved since they were last settled; it is
    liquidated where equity falls below ``maintenance``, if nothing is added.
    """

    initial: float
    maintenance: float
    open_orders: float
    market_maker: float
    equity: float
    liquidation_below: float | None
    liquidation_above: float | None

    @property
    def required(self) -> float:
        """Return all initial margin: positions, open orders, market-maker protection."""
        return self.initial + self.open_orders + self.market_maker


def maintenance_coins(mine: Netted, units: Units, rules: VenueMargin) -> float:
    """Return the maintenance margin of everything one venue holds, in coins."""
    if rules.portfolio is not None:
        held = holdings_of(mine.rows, units.spot)
        return portfolio_margin(held, units.surface, units.at, rules.portfolio).maintenance
    total = futures_maintenance_coins(mine, rules)
    for one, amount, _ in mine.rows:
        if one.is_option and amount < 0.0:
            mark = units.worth(one, 1.0, 0.0) / units.spot
            total -= amount * sold_option_maintenance(one, mark, rules)
    return total


def futures_maintenance_coins(mine: Netted, rules: VenueMargin) -> float:
    """Return maintenance of futures in coins; a contract month's share in proportion to its initial one."""
    size = abs(mine.future_coins)
    if not rules.months or rules.initial <= 0.0:
        return (rules.maintenance + rules.per_coin * size) * size
    ratio = rules.maintenance / rules.initial
    shares = sum(abs(coins) * rules.initial_of(month) for month, coins in mine.future_months)
    return ratio * shares + rules.per_coin * size * size


def sold_option_maintenance(one: Instrument, mark: float, rules: VenueMargin) -> float:
    """Return the maintenance margin of one coin's option sold, in coins; ``mark`` is its price in coins."""
    greater = max(1.0, mark) if one.kind is Kind.PUT else 1.0
    return rules.option_maintenance * greater + mark


def open_order_coins(mine: Netted, filled: Netted, units: Units, rules: VenueMargin) -> float:
    """Return what open orders ask in coins: ``filled`` are the positions with all of them filled."""
    asked = venue_margin_coins(filled, units, rules) - venue_margin_coins(mine, units, rules)
    before = {one: amount for one, amount, _ in mine.rows}
    premiums = sum(
        units.worth(one, amount - before.get(one, 0.0), 0.0) / units.spot
        for one, amount, _ in filled.rows
        if one.is_option and amount - before.get(one, 0.0) > 0.0
    )
    return max(asked, 0.0) + premiums


def equity_coins(mine: Netted, units: Units, rules: VenueMargin, posted: float) -> float:
    """Return what lies at the venue in coins: posted, and futures' moves that are not settled yet.

    Under standard rules the mark of options sold is in their margin and options bought count for nothing;
    under portfolio margin options count at their value.
    """
    worth = mine.unsettled(units) if rules.portfolio is None else mine.worth(units)
    return posted + worth / units.spot


def venue_account(
    mine: Netted,
    filled: Netted,
    market: tuple[Surface, datetime],
    rules: VenueMargin,
    *,
    posted_coins: float,
) -> VenueAccount:
    """Return the account of what one venue holds; ``filled`` is the same with every open order filled."""
    surface, at = market
    units = Units(surface, at)

    def spare(ratio: float) -> float:
        moved = Units(surface.at_spot(surface.spot * ratio, at), at)
        equity = equity_coins(mine, moved, rules, posted_coins)
        return equity - maintenance_coins(mine, moved, rules)

    held = bool(mine.rows)
    below, above = (_crossing(spare, up=up) if held else None for up in (False, True))
    return VenueAccount(
        initial=venue_margin_coins(mine, units, rules) - rules.market_maker_coins,
        maintenance=maintenance_coins(mine, units, rules),
        open_orders=open_order_coins(mine, filled, units, rules),
        market_maker=rules.market_maker_coins,
        equity=equity_coins(mine, units, rules, posted_coins),
        liquidation_below=None if below is None else below * surface.spot,
        liquidation_above=None if above is None else above * surface.spot,
    )


def _crossing(spare: Callable[[float], float], *, up: bool) -> float | None:
    """Return the first ratio of the price, one way, at which nothing is spare; 1 where it is so already."""
    if spare(1.0) < 0.0:
        return 1.0
    stride, end = (_STRIDE, _MOST) if up else (1.0 / _STRIDE, _LEAST)
    kept, ratio = 1.0, stride
    while spare(ratio) >= 0.0:
        if ratio == end:
            return None
        kept, ratio = ratio, (min if up else max)(ratio * stride, end)
    for _ in range(40):
        middle = 0.5 * (kept + ratio)
        kept, ratio = (middle, ratio) if spare(middle) >= 0.0 else (kept, middle)
    return ratio
