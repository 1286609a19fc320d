"""Option chains for the demo: the sample's surface at another price, listed strike by strike."""

from datetime import datetime
from math import ceil, exp, floor, sqrt

from headframe.market import ForwardQuote, OptionQuote, Snapshot
from headframe.pricing import Surface
from headframe.units import parse_expiry, year_fraction

_EXPIRIES = (
    "30-OCT-26", "27-NOV-26", "25-DEC-26", "29-JAN-27", "26-MAR-27", "25-JUN-27", "24-SEP-27",
)  # fmt: skip
_TICK = 0.0001
"""Prices of options settled in coin move by this many coins."""
_WIDTH = 2.5
"""Strikes are listed this many standard deviations to either side of the forward."""
_STRIKES = 24
_OPEN_INTEREST = 40_000.0
"""Coins of options open in each expiry."""
_HALF_SPREAD = 0.02
"""A quote is this share of the mark to either side, one tick at least."""


def listed_chain(surface: Surface, *, spot: float, as_of: datetime, source: str) -> Snapshot:
    """Return the chain that a venue would list with a surface's volatilities at another price.

    Volatilities and carry are those of the same time to expiry and moneyness. Bids and asks stand on
    whole ticks; an option worth less than a tick has no bid.
    """
    moved = surface.at_spot(spot, as_of)
    expiries = [one for one in map(parse_expiry, _EXPIRIES) if one > as_of]
    return Snapshot(
        as_of=as_of,
        coin="BTC",
        index=spot,
        source=source,
        forwards=tuple(
            ForwardQuote(
                expiry=one,
                price=round(moved.forward(year_fraction(as_of, one)), 2),
                open_interest=None,
            )
            for one in expiries
        ),
        options=tuple(quote for one in expiries for quote in _listed(moved, one)),
        spot_move_10m=0.0,
    )


def _listed(surface: Surface, expiry: datetime) -> list[OptionQuote]:
    """Return puts and calls of every listed strike of an expiry."""
    strikes = _strikes(surface, year_fraction(surface.as_of, expiry))
    interest = round(_OPEN_INTEREST / (2 * len(strikes)), 1)
    return [
        _quote(surface, expiry, one, is_call, interest)
        for one in strikes
        for is_call in (True, False)
    ]


def _strikes(surface: Surface, years: float) -> list[float]:
    """Return the listed strikes of an expiry: whole thousands, further apart where the range is wider."""
    width = _WIDTH * surface.vol_at(years, 0.0) * sqrt(years)
    low, high = (surface.forward(years) * exp(side * width) for side in (-1.0, 1.0))
    step = 1_000.0 * max(ceil((high - low) / _STRIKES / 1_000.0), 1)
    return [step * one for one in range(ceil(low / step), floor(high / step) + 1)]


def _quote(
    surface: Surface, expiry: datetime, strike: float, is_call: bool, interest: float
) -> OptionQuote:
    years = year_fraction(surface.as_of, expiry)
    value = surface.value(1.0 if is_call else -1.0, years, strike) / surface.forward(years)
    half = max(_HALF_SPREAD * value, _TICK)
    bid = floor((value - half) / _TICK)
    return OptionQuote(
        expiry=expiry,
        strike=strike,
        is_call=is_call,
        bid=round(bid * _TICK, 4) if bid > 0 else None,
        ask=round(ceil((value + half) / _TICK) * _TICK, 4),
        mark=round(value, 6),
        vol=round(surface.vol(years, strike), 4),
        open_interest=interest,
    )
