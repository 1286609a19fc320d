"""How a price scenario reduces a hedge by the mandate's policy, at what a desk would pay for it.

``at_expiry`` reduces nothing before the expiry. ``monthly`` deals back the hedge of the month's coins in
one block on the month's last day. ``as_sold`` does it each day where the daily size can be dealt, in the
order book at the venue, and monthly for what is dealt with dealers: nobody quotes two coins a day.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from headframe.book import MarginTerms, Position, TradeLeg
from headframe.instrument import cash_flow, payoff
from headframe.lifecycle.day_start import DayStart
from headframe.lifecycle.flows import FlowCause
from headframe.lifecycle.till import Till
from headframe.mandate import Unwind
from headframe.risk import leg_price
from headframe.units import Month

_SATOSHI = Decimal("0.00000001")
_NONE = Decimal(0)


def coins_kept(start: DayStart, position: Position) -> dict[Month, Decimal]:
    """Return the coins still hedged after the day by month, as the policy reduces them."""
    policy = start.unwind
    daily = policy is Unwind.AS_SOLD and position.trade.margin is MarginTerms.VENUE
    monthly = policy is not Unwind.AT_EXPIRY and start.day == start.month.last_day
    if daily and start.sells:
        return _by_days(start, position)
    if monthly:
        return {
            month: _NONE if month <= start.month else coins for month, coins in position.remaining
        }
    return dict(position.remaining)


def _by_days(start: DayStart, position: Position) -> dict[Month, Decimal]:
    """Return coins still hedged where sales run evenly: past months none, this one by days left."""
    dealt = {part.month: part.coins for part in position.trade.designations}
    kept: dict[Month, Decimal] = {}
    for month, coins in position.remaining:
        if month < start.month:
            kept[month] = _NONE
        elif month == start.month:
            share = Decimal(month.days - start.day.day) / month.days
            planned = (dealt[month] * share).quantize(_SATOSHI, rounding=ROUND_HALF_EVEN)
            kept[month] = min(coins, planned)
        else:
            kept[month] = coins
    return kept


def deal_back(
    start: DayStart, position: Position, kept: Mapping[Month, Decimal], till: Till
) -> None:
    """Deal back the hedge of the coins no longer hedged, at mark less the cost of dealing."""
    trade = position.trade
    gone = {month: coins - kept[month] for month, coins in position.remaining}
    closed = sum(gone.values(), _NONE)
    if closed <= 0:
        return
    for leg in trade.legs:
        share = Fraction(leg.amount) * Fraction(closed) / Fraction(trade.size)
        code, venue = leg.instrument.settled_in, trade.margin is MarginTerms.VENUE
        if venue and not leg.instrument.is_option:
            cost = abs(share) * Fraction(repr(start.fees.future_share)) / Fraction(start.spot)
            till.pay(trade.id, FlowCause.FEE, (code, -cost), gone)
            continue
        back = _brings(start, position, leg, share)
        at_spot = payoff(leg.instrument, share, Fraction(start.spot), Fraction(position.entry(leg)))
        till.pay(trade.id, FlowCause.UNWIND, (code, back), gone, at_spot)
        if venue:
            price = leg_price(leg.instrument, start.surface, start.closes_at)
            fee = abs(share) * Fraction(start.fees.option_fee(price))
            till.pay(trade.id, FlowCause.FEE, (code, -fee), gone)


def _brings(start: DayStart, position: Position, leg: TradeLeg, share: Fraction) -> Fraction:
    """Return what dealing a share of a leg back brings: options at bid or ask, forwards at value."""
    price = Fraction(repr(round(leg_price(leg.instrument, start.surface, start.closes_at), 10)))
    if leg.instrument.is_option:
        half = Fraction(repr(0.5 * start.option_spread))
        dealt = price * (1 - half) if share > 0 else price * (1 + half)
        return cash_flow(leg.instrument, -share, dealt)
    half = Fraction(repr(0.5 * start.fees.forward_spread))
    dealt = price * (1 + half) if share < 0 else price * (1 - half)
    return payoff(leg.instrument, share, dealt, Fraction(position.entry(leg)))
