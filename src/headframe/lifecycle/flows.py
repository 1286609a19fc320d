"""What a hedge pays or receives at a close, exact, and shared out to the months whose coins it hedges."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from headframe.book import Position, TradeLeg
from headframe.instrument import Instrument, payoff
from headframe.lifecycle.settlement_prices import ClosePrices, expires_by, settles_daily
from headframe.units import CURRENCIES, Money, Month, booked


class FlowCause(StrEnum):
    """Why a hedge pays or is paid."""

    PREMIUM = "premium"
    FEE = "fee"
    VARIATION = "variation"
    FUNDING = "funding"
    EXERCISE = "exercise"
    DELIVERY = "delivery"
    UNWIND = "unwind"
    FIXING = "fixing"
    CLOSING = "closing"
    CORRECTION = "correction"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeFlow:
    """One amount of one trade: positive is received.

    ``months`` are shares of the amount by designated month, adding up exactly. ``basis_usd`` is what
    of it the coin's price alone does not explain. A settlement of a leg says its quantity, the price it
    settled at and the price it was settled against before.
    """

    trade: str
    cause: FlowCause
    money: Money
    months: tuple[tuple[Month, Money], ...]
    basis_usd: float = 0.0
    settlement: "LegSettlement | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSettlement:
    """One leg settled at a price: everything needed to compute the amount again.

    ``quantity`` is signed, in coins, or in USD for futures settled in coin; ``entry`` is the last mark or
    the price dealt; ``coins`` are those hedged by month at that close.
    """

    trade: str
    cause: FlowCause
    instrument: Instrument
    quantity: Decimal
    entry: Decimal
    price: Decimal
    amount: Money
    coins: tuple[tuple[Month, Decimal], ...]
    share: Fraction = Fraction(1)
    """The part of the quantity that is looked at."""

    def of_coins(self, remaining: Mapping[Month, Decimal]) -> "LegSettlement":
        """Return the leg of what is left of its coins: a part dealt back since was settled by that deal."""
        held = {month: coins for month, coins in self.coins if coins > 0}
        left = {m: min(coins, remaining.get(m, Decimal(0))) for m, coins in held.items()}
        if left == held:
            return self
        share = Fraction(sum(left.values())) / Fraction(sum(held.values()))
        return replace(
            self,
            share=share,
            coins=tuple((month, coins) for month, coins in left.items() if coins > 0),
        )

    def amount_at(self, price: Decimal) -> Money:
        """Return what the leg would have received at another price."""
        quantity = Fraction(self.quantity) * self.share
        exact = payoff(self.instrument, quantity, Fraction(price), Fraction(self.entry))
        return booked(exact, CURRENCIES[self.instrument.settled_in])


def split(money: Money, weights: Mapping[Month, Decimal]) -> tuple[tuple[Month, Money], ...]:
    """Return an amount shared out by weight in whole smallest units, adding up exactly.

    Largest remainders; the earliest month first on a tie. Weights are not negative, one is positive.
    """
    if len(weights) == 1:
        return ((next(iter(weights)), money),)
    total = sum(weights.values(), Decimal(0))
    assert total > 0, "an amount is shared out by weights that are not all zero"
    sign, whole = (-1, -money.smallest) if money.smallest < 0 else (1, money.smallest)
    months = sorted(month for month, weight in weights.items() if weight > 0)
    exact = {month: Fraction(weights[month]) * whole / Fraction(total) for month in months}
    shares = {month: int(value) for month, value in exact.items()}
    left = whole - sum(shares.values())
    for month in sorted(months, key=lambda m: (shares[m] - exact[m], m))[:left]:
        shares[month] += 1
    return tuple((month, Money(money.currency, sign * shares[month])) for month in months)


def position_flows(
    position: Position,
    prices: ClosePrices,
    at: datetime,
    spot_before: Fraction | None,
) -> tuple[list[HedgeFlow], Position]:
    """Return what one position pays at a close, and the position afterwards.

    Futures at the venue pay variation against their last mark, on the last day against the delivery
    price; everything else pays at its expiry and is only marked before.

    Args:
        position: what is left of a trade.
        prices: the close's prices.
        at: instant of the close.
        spot_before: price of the coin at the last mark, to tell basis from price; None: basis is not asked.
    """
    expired, daily = expires_by(position.trade, at), settles_daily(position.trade)
    if not (expired or daily):
        return [], position
    flows: list[HedgeFlow] = []
    mark = position.last_mark
    for leg in position.trade.legs:
        if not (expired or not leg.instrument.is_option):
            continue
        price = (
            prices.delivery(position.trade.id, leg.instrument)
            if expired
            else prices.future(leg.instrument)
        )
        if not leg.instrument.is_option and daily:
            mark = price
        flows.append(_leg_flow(position, leg, price, spot_before, prices.index))
    after = replace(position, last_mark=mark)
    if expired:
        after = replace(after, remaining=tuple((m, Decimal(0)) for m, _ in position.remaining))
    return flows, after


def _leg_flow(
    position: Position,
    leg: TradeLeg,
    price: Decimal,
    spot_before: Fraction | None,
    index: Decimal | None,
) -> HedgeFlow:
    """Return what one leg receives at a price; an option that expires worthless receives nothing."""
    one, trade = leg.instrument, position.trade
    quantity, entry = position.amount(leg), position.entry(leg)
    exact = payoff(one, Fraction(quantity), Fraction(price), Fraction(entry))
    money = booked(exact, CURRENCIES[one.settled_in])
    cause = FlowCause.EXERCISE if one.is_option else FlowCause.DELIVERY
    basis = 0.0
    if settles_daily(trade) and not one.is_option:
        cause = FlowCause.VARIATION
        if index is not None and spot_before is not None:
            at_spot = payoff(one, Fraction(quantity), Fraction(index), spot_before)
            basis = float((exact - at_spot) * (Fraction(index) if one.inverse else 1))
    coins = tuple((month, left) for month, left in position.remaining if left > 0)
    return HedgeFlow(
        trade=trade.id,
        cause=cause,
        money=money,
        months=split(money, dict(coins)),
        basis_usd=basis,
        settlement=LegSettlement(
            trade=trade.id,
            cause=cause,
            instrument=one,
            quantity=quantity,
            entry=entry,
            price=price,
            amount=money,
            coins=coins,
        ),
    )
