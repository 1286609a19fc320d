"""Closing a trade before its coins are sold: what it pays, and which months lose their hedge."""

from decimal import Decimal
from fractions import Fraction

from headframe.book.trade import Position, Trade
from headframe.instrument import cash_flow, payoff
from headframe.units import Month, Wrong, shared_out

_SATOSHI = Decimal("0.00000001")


def released(position: Position, coins: Decimal) -> dict[Month, Decimal]:
    """The coins closed by month, in proportion to what is left of each; Wrong where more than is on."""
    if not 0 < coins <= position.coins:
        raise Wrong(f"{position.trade.id} hedges {position.coins} coins: {coins} cannot be closed")
    if coins == position.coins:
        return {month: left for month, left in position.remaining if left}
    months = [month for month, _ in position.remaining]
    parts = shared_out(coins, [left for _, left in position.remaining], _SATOSHI)
    return {month: part for month, part in zip(months, parts, strict=True) if part}


def closing_flows(position: Position, closing: Trade) -> dict[str, Fraction]:
    """What a closing pays us by currency, fees apart: positive comes in.

    Options are paid for in full at the closing's prices. Futures and forwards pay the difference to the price
    they were last settled at or dealt at, at once and undiscounted, on the amount that was dealt back.
    """
    entries = {leg.instrument: position.entry(leg) for leg in position.trade.legs}
    flows: dict[str, Fraction] = {}
    for leg in closing.legs:
        one, amount, price = leg.instrument, Fraction(leg.amount), Fraction(leg.price)
        if one not in entries:
            raise Wrong(f"{position.trade.id} has no leg {one.name}")
        if one.is_option:
            paid = cash_flow(one, amount, price)
        else:
            paid = payoff(one, -amount, price, Fraction(entries[one]))
        flows[one.settled_in] = flows.get(one.settled_in, Fraction(0)) + paid
    return flows
