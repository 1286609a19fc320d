"""Versions of a trade: other prices of its legs or another fee, and what the difference moves."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from headframe.book.entries import hedge_flow
from headframe.book.ledger import Entry
from headframe.book.trade import Trade, TradeLeg
from headframe.instrument import StructureKind, cash_flow
from headframe.units import CURRENCIES, Wrong, booked


def version(trade: Trade, prices: Mapping[str, Decimal], fee: Decimal | None) -> Trade:
    """The trade with other prices; Wrong where a leg is not there, a price is none, or nothing changes."""
    names = [leg.instrument.name for leg in trade.legs]
    strange = sorted(set(prices) - set(names))
    if strange:
        raise Wrong(f"{trade.id} has no leg {strange[0][:40]!r}; its legs: {', '.join(names)}")
    if any(not 0 < price < 10**9 for price in prices.values()):
        raise Wrong("a price lies above 0")
    if fee is not None and not 0 <= fee < 10**9:
        raise Wrong("a fee is 0 or above")
    legs = tuple(
        replace(leg, price=prices.get(leg.instrument.name, leg.price)) for leg in trade.legs
    )
    pairs = zip(legs, trade.legs, strict=True)
    net = trade.net_price + sum(
        (new.price - old.price) * (Decimal(1) if _firm(trade) else old.amount / trade.size)
        for new, old in pairs
    )
    after = replace(trade, legs=legs, net_price=net, fee=trade.fee if fee is None else fee)
    if after == trade:
        raise Wrong(f"nothing of {trade.id} would change")
    return after


def _firm(trade: Trade) -> bool:
    return trade.structure.is_future or trade.structure is StructureKind.FORWARD


def version_flows(before: Trade, after: Trade) -> Iterator[Entry]:
    """What the new version pays or costs more at once: premium, then fee."""
    name = after.id
    for new, old in zip(after.legs, before.legs, strict=True):
        if not new.instrument.is_option:
            continue
        more = _premium(new) - _premium(old)
        money = booked(more, CURRENCIES[new.instrument.settled_in])
        if money.smallest:
            yield hedge_flow(name, money, "amended")
    legs = after.legs
    code = legs[0].instrument.settled_in
    fee = booked(before.fee - after.fee, CURRENCIES[code])
    if fee.smallest:
        yield hedge_flow(name, fee, "amended fee")


def _premium(leg: TradeLeg) -> Fraction:
    return cash_flow(leg.instrument, Fraction(leg.amount), Fraction(leg.price))
