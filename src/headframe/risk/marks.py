"""What positions are worth at a surface, in dollars."""

from dataclasses import dataclass
from datetime import datetime

from headframe.book import Position, TradeLeg
from headframe.instrument import Instrument, Kind, Structure
from headframe.pricing import Surface, black76_greeks
from headframe.units import year_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A position's worth in USD, its delta in coins, and what it still protects."""

    trade: str
    value_usd: float
    delta_coins: float


def leg_value_usd(
    instrument: Instrument, amount: float, entry: float, surface: Surface, at: datetime
) -> float:
    """Worth in USD of a holding at a surface's spot: coin amounts are valued at spot."""
    years = max(year_fraction(at, instrument.expiry), 0.0)
    forward = surface.forward(years)
    if instrument.is_option:
        assert instrument.strike is not None
        sign = 1.0 if instrument.kind is Kind.CALL else -1.0
        value = amount * surface.value(sign, years, float(instrument.strike))
        return value * surface.spot / forward if instrument.inverse else value
    if instrument.amount_in_usd:
        return amount * (1.0 / entry - 1.0 / forward) * surface.spot
    return amount * (forward - entry)


def option_price(instrument: Instrument, surface: Surface, at: datetime) -> float:
    """Model price of an option in its settlement currency, per coin."""
    value = leg_value_usd(instrument, 1.0, 1.0, surface, at)
    return value / surface.spot if instrument.inverse else value


def leg_price(instrument: Instrument, surface: Surface, at: datetime) -> float:
    """Price of any instrument as it is quoted: forwards in USD, options in their settlement currency."""
    if instrument.is_option:
        return option_price(instrument, surface, at)
    return surface.forward(max(year_fraction(at, instrument.expiry), 0.0))


def structure_greeks(structure: Structure, surface: Surface, at: datetime) -> dict[str, float]:
    """Mid as it is quoted, delta (coins a coin), gamma (per USD), vega and theta (USD) of a structure.

    Greeks are those of the value in USD by Black-76: vega per 1.00 of volatility, theta per year.
    """
    found = dict.fromkeys(("mid", "delta", "gamma", "vega", "theta"), 0.0)
    for leg in structure.legs:
        one = leg.instrument
        found["mid"] += leg.ratio * leg_price(one, surface, at)
        years = max(year_fraction(at, one.expiry), 1e-9)
        forward = surface.forward(years)
        greeks = (0.0, 1.0, 0.0, 0.0, 0.0)
        if one.strike is not None:
            sign = 1.0 if one.kind is Kind.CALL else -1.0
            strike = float(one.strike)
            greeks = black76_greeks(sign, forward, strike, surface.vol(years, strike), years, 1.0)
        for name, figure in zip(("delta", "gamma", "vega", "theta"), greeks[1:], strict=True):
            found[name] += leg.ratio * figure
    return {name: round(figure, 10) for name, figure in found.items()}


def gross_vega_usd(structure: Structure, surface: Surface, at: datetime) -> float:
    """USD a coin that the legs' values move, each its own way, for 1.00 of volatility."""
    return sum(
        abs(structure_greeks(Structure(structure.kind, (leg,)), surface, at)["vega"])
        for leg in structure.legs
    )


def position_value_usd(position: Position, surface: Surface, at: datetime) -> float:
    """Worth of what is left of a trade, since its premium was paid and its futures last settled."""
    return sum(_leg(position, leg, surface, at) for leg in position.trade.legs)


def _leg(position: Position, leg: TradeLeg, surface: Surface, at: datetime) -> float:
    amount = float(position.amount(leg))
    return leg_value_usd(leg.instrument, amount, float(position.entry(leg)), surface, at)


def mark(position: Position, surface: Surface, at: datetime) -> Mark:
    """Value and delta by a move of one basis point each way."""
    spot = surface.spot
    step = 1e-4
    up = position_value_usd(position, surface.at_spot(spot * (1 + step), at), at)
    down = position_value_usd(position, surface.at_spot(spot * (1 - step), at), at)
    return Mark(
        trade=position.trade.id,
        value_usd=position_value_usd(position, surface, at),
        delta_coins=(up - down) / (2.0 * step * spot),
    )
