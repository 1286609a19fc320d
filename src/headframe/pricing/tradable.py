"""Prices one could deal on: a listed bid and ask, or a typed smile less its half spread."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10

from headframe.market import Snapshot
from headframe.pricing.smile import Surface
from headframe.units import year_fraction

TICK = 0.0001
"""Coins: the tick of coin-settled options in block trades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tradable:
    """Bid and ask of one option in coin per coin, and where they come from."""

    bid: float
    ask: float
    mid: float
    source: str


def option_value(
    surface: Surface, *, is_call: bool, strike: float, expiry: datetime, at: datetime
) -> float:
    """Model value of an option in coin per coin."""
    years = max(year_fraction(at, expiry), 0.0)
    return surface.value(1.0 if is_call else -1.0, years, strike) / surface.forward(years)


def tradable(
    snapshot: Snapshot, surface: Surface, *, is_call: bool, strike: float, expiry: datetime
) -> Tradable | None:
    """The prices an option can be bought and sold at, or None where one side is missing.

    A snapshot with listed quotes is taken at its word; a typed one is quoted around the smile,
    rounded outward to the tick.
    """
    mid = option_value(surface, is_call=is_call, strike=strike, expiry=expiry, at=snapshot.as_of)
    listed = snapshot.forward(expiry) is not None
    if snapshot.options and listed:
        for quote in snapshot.options:
            if (quote.expiry, quote.strike, quote.is_call) == (expiry, strike, is_call):
                if not quote.bid or not quote.ask or quote.bid > quote.ask:
                    return None
                return Tradable(bid=quote.bid, ask=quote.ask, mid=mid, source="listed quote")
        return None
    half = snapshot.half_spread
    if not listed:
        half *= 1.5  # beyond the listed expiries a dealer's quote is wider: half as much again
    bid = floor(mid * (1.0 - half) / TICK + 1e-9) * TICK
    ask = ceil(mid * (1.0 + half) / TICK - 1e-9) * TICK
    source = "smile less half spread" if listed else "extrapolated: OTC estimate"
    return Tradable(bid=round(bid, 6), ask=round(ask, 6), mid=mid, source=source)


def listed_strikes(snapshot: Snapshot, expiry: datetime, forward: float) -> tuple[float, ...]:
    """Strikes one can ask for at an expiry, upwards.

    Listed quotes name theirs; a typed market lists steps of 1,000 USD within 15 % of the forward,
    2,000 within 30 % and 5,000 beyond, scaled for coins of another price.
    """
    named = sorted({quote.strike for quote in snapshot.options if quote.expiry == expiry})
    if named:
        return tuple(named)
    unit = 1_000.0 * 10.0 ** round(log10(forward / 77_000.0))
    strikes: list[float] = []
    strike = ceil(0.3 * forward / (5 * unit)) * 5 * unit
    while strike <= 3.0 * forward:
        strikes.append(strike)
        away = abs(strike / forward - 1.0)
        step = unit if away <= 0.15 else 2 * unit if away <= 0.30 else 5 * unit
        strike = (floor(strike / step + 1e-9) + 1) * step
    return tuple(strikes)
