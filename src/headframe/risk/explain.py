"""What moved the worth of a position: time, price, volatility, carry, and what of it nothing explains."""

from dataclasses import dataclass, fields
from datetime import datetime

from headframe.book import Position
from headframe.instrument import Kind
from headframe.pricing import Surface, black76_greeks
from headframe.risk.marks import position_value_usd
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
    aged = before.at_spot(before.spot, ended)
    step = _BUMP * aged.spot
    start, here = (
        position_value_usd(position, before, began),
        position_value_usd(position, aged, ended),
    )
    up = position_value_usd(position, aged.at_spot(aged.spot + step, ended), ended)
    down = position_value_usd(position, aged.at_spot(aged.spot - step, ended), ended)
    move = after.spot - aged.spot
    delta = (up - down) / (2.0 * step) * move
    gamma = 0.5 * (up - 2.0 * here + down) / (step * step) * move * move
    moved = before.at_spot(after.spot, ended)
    vega, carry = _vega_and_carry(position, moved, after, ended)
    total = position_value_usd(position, after, ended) - start
    return Moved(
        time=here - start,
        delta=delta,
        gamma=gamma,
        vega=vega,
        carry=carry,
        unexplained=total - (here - start) - delta - gamma - vega - carry,
    )


def _vega_and_carry(
    position: Position, moved: Surface, after: Surface, at: datetime
) -> tuple[float, float]:
    """What volatilities and forwards changed beside the price, to first order."""
    vega, carry = 0.0, 0.0
    for leg in position.trade.legs:
        one, amount = leg.instrument, float(position.amount(leg))
        years = max(year_fraction(at, one.expiry), _LEAST_YEARS)
        was, now = moved.forward(years), after.forward(years)
        if one.strike is None:
            entry = float(position.entry(leg))
            if one.amount_in_usd:
                carry += amount * (1.0 / was - 1.0 / now) * after.spot
            else:
                carry += amount * (now - was)
            assert entry > 0.0
            continue
        strike = float(one.strike)
        sign = 1.0 if one.kind is Kind.CALL else -1.0
        vol = moved.vol(years, strike)
        greeks = black76_greeks(sign, was, strike, vol, years, 1.0)
        scale = after.spot / was if one.inverse else 1.0
        vega += amount * greeks[3] * (after.vol(years, strike) - vol) * scale
        slope = greeks[1] - (greeks[0] / was if one.inverse else 0.0)
        carry += amount * slope * (now - was) * scale
    return vega, carry
