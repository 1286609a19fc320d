"""What moved the worth of a position: time, price, volatility, carry, and what of it nothing explains."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from headframe.book import Position
from headframe.instrument import Instrument, Kind
from headframe.pricing import Greeks, Surface, black76_greeks
from headframe.risk.marks import Units, slope_at_expiry
from headframe.units import year_fraction

_BUMP = 1e-3
_LEAST_YEARS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Parts of a change of worth in USD; they add up to it with ``unexplained`` in.

    Time is the same market a while later; delta and gamma are first and second order in the price; vega each
    option's change of volatility at its strike; carry what forwards moved beside the price.
    """

    time: float = 0.0
    delta: float = 0.0
    gamma: float = 0.0
    vega: float = 0.0
    carry: float = 0.0
    unexplained: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return float(sum(getattr(self, one.name) for one in fields(self)))

    def plus(self, other: "Moved") -> "Moved":
        """Two positions together."""
        return Moved(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        )


def explain(
    position: Position, before: Surface, began: datetime, after: Surface, ended: datetime
) -> Moved:
    """What became of a position that was held unchanged from one market to another."""
    return explained((position,), before, began, after, ended)[0]


def explained(
    positions: Iterable[Position],
    before: Surface,
    began: datetime,
    after: Surface,
    ended: datetime,
) -> tuple[Moved, ...]:
    """The same of every position; what an instrument did is worked out once for all that hold it."""
    aged = before.at_spot(before.spot, ended)
    step, move = _BUMP * aged.spot, after.spot - aged.spot
    markets = (
        Units(before, began),
        Units(aged, ended),
        Units(aged.at_spot(aged.spot + step, ended), ended),
        Units(aged.at_spot(aged.spot - step, ended), ended),
        Units(after, ended),
    )
    moved = before.at_spot(after.spot, ended)
    known: dict[Instrument, tuple[float, float]] = {}
    found: list[Moved] = []
    for position in positions:
        worth = [0.0] * len(markets)
        vega = carry = 0.0
        for leg in position.trade.legs:
            one, amount, weighed = leg.instrument, float(position.amount(leg)), 0.0
            if not one.is_option:
                entry = float(position.entry(leg))
                weighed = amount / entry if one.amount_in_usd else amount * entry
            worths = [units.worth(one, amount, weighed) for units in markets]
            slope = slope_at_expiry(one, aged, ended)
            if slope is not None:  # a bump would reach over the strike
                turn = amount * slope * step
                worths[2:4] = worths[1] + turn, worths[1] - turn
            worth = [sum(pair) for pair in zip(worth, worths, strict=True)]
            turned = known.get(one)
            if turned is None:
                turned = known[one] = _vega_and_carry(one, moved, after, ended)
            vega, carry = vega + amount * turned[0], carry + amount * turned[1]
        start, here, up, down, end = worth
        delta = (up - down) / (2.0 * step) * move
        gamma = 0.5 * (up - 2.0 * here + down) / (step * step) * move * move
        rest = end - here - delta - gamma - vega - carry
        parts = (here - start, delta, gamma, vega, carry, rest)
        found.append(Moved(**dict(zip(_PARTS, parts, strict=True))))
    return tuple(found)


_PARTS = tuple(one.name for one in fields(Moved))


def _vega_and_carry(
    one: Instrument, moved: Surface, after: Surface, at: datetime
) -> tuple[float, float]:
    """What volatility and forward changed beside the price, to first order, of one unit of an instrument."""
    years = max(year_fraction(at, one.expiry), _LEAST_YEARS)
    was, now = moved.forward(years), after.forward(years)
    if one.strike is None:
        if one.amount_in_usd:
            return 0.0, (1.0 / was - 1.0 / now) * after.spot
        return 0.0, now - was
    strike = float(one.strike)
    sign = 1.0 if one.kind is Kind.CALL else -1.0
    vol = moved.vol(years, strike)
    greeks = Greeks(*black76_greeks(sign, was, strike, vol, years, 1.0))
    scale = after.spot / was if one.inverse else 1.0
    slope = greeks.delta - (greeks.price / was if one.inverse else 0.0)
    vega = greeks.vega * (after.vol(years, strike) - vol) * scale
    return vega, slope * (now - was) * scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One trade over a period, in USD: market moves of what was on, what was delivered or closed, new, fees.

    ``delivered`` is what deliveries, settlements and closings brought against the worth of what they took
    away; ``dealt`` the whole of a trade that was dealt in the period, fees apart; ``revalued`` what coins
    that the trade brought, premium coins among them, gained with the price since they came.
    """

    trade: str
    moved: Moved
    delivered: float
    dealt: float
    fees: float
    revalued: float = 0.0

    @property
    def total(self) -> float:
        """The trade's profit over the period: the change of its P&L."""
        return self.moved.total + self.delivered + self.dealt + self.fees + self.revalued


def added_days(trade: str, days: Sequence[Explained], revalued_usd: float) -> Explained:
    """Return a trade's days as one period; ``revalued_usd`` is what the coins it brought gained since."""
    moved = Moved()
    for one in days:
        moved = moved.plus(one.moved)
    return Explained(
        trade=trade,
        moved=moved,
        delivered=sum(one.delivered for one in days),
        dealt=sum(one.dealt for one in days),
        fees=sum(one.fees for one in days),
        revalued=revalued_usd,
    )


def explained_trade(
    trade: str,
    moved: Moved,
    *,
    flows: float,
    worth_before: float | None,
    worth_after: float,
    fees: float,
) -> Explained:
    """A trade's period in USD: ``worth_before`` is None where it was dealt in it.

    What it brought and is worth, less what it was worth, is what the market moved, what deliveries and
    closings brought besides, and fees.
    """
    if worth_before is None:
        dealt = flows + worth_after - fees
        return Explained(trade=trade, moved=Moved(), delivered=0.0, dealt=dealt, fees=fees)
    delivered = flows + worth_after - worth_before - moved.total - fees
    return Explained(trade=trade, moved=moved, delivered=delivered, dealt=0.0, fees=fees)
