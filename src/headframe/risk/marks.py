"""What positions are worth at a surface, in dollars."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from headframe.book import Position, TradeLeg
from headframe.instrument import Instrument, Kind, Structure
from headframe.pricing import Greeks, Surface, black76_greeks
from headframe.units import year_fraction

_BUMP = 1e-4
_CERTAIN_YEARS = 5e-6
"""Two and a half minutes: a deviation as small as a bump, which would reach over the strike."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A position's worth in USD and its greeks: delta in coins, its change for 1 % of the price (gamma).

    Vega is USD for one point of volatility (0.01) in every option, theta USD of a day that passes at the same
    spot.
    """

    trade: str
    value_usd: float
    delta_coins: float
    gamma_coins: float = 0.0
    vega_usd: float = 0.0
    theta_usd: float = 0.0


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
        greeks = Greeks(0.0, 1.0, 0.0, 0.0, 0.0)
        if one.strike is not None:
            sign = 1.0 if one.kind is Kind.CALL else -1.0
            strike = float(one.strike)
            vol = surface.vol(years, strike)
            greeks = Greeks(*black76_greeks(sign, forward, strike, vol, years, 1.0))
        for name in ("delta", "gamma", "vega", "theta"):
            found[name] += leg.ratio * getattr(greeks, name)
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
    return marks((position,), surface, at)[0]


def marks(positions: Iterable[Position], surface: Surface, at: datetime) -> tuple[Mark, ...]:
    """Every position marked; what an instrument is worth is worked out once for all that hold it."""
    market = _Bumped(surface, at)
    found: list[Mark] = []
    for position in positions:
        share = float(position.coins) / float(position.trade.size)
        value = delta = gamma = vega = theta = 0.0
        for leg in position.trade.legs:
            one = leg.instrument
            amount, weighed = float(leg.amount) * share, 0.0
            if not one.is_option:
                price = float(position.entry(leg))
                weighed = amount / price if one.amount_in_usd else amount * price
            worth, entry = market.unit(one)
            value += amount * worth.value + weighed * entry.value
            delta += amount * worth.delta + weighed * entry.delta
            gamma += amount * worth.gamma + weighed * entry.gamma
            theta += amount * worth.theta + weighed * entry.theta
            vega += amount * market.vega(one)
        found.append(Mark(position.trade.id, value, delta, gamma, vega, theta))
    return tuple(found)


class _Figures(NamedTuple):
    """Worth in USD of one unit, and how it moves: with the spot, by 1 % of it, and over a day."""

    value: float
    delta: float
    gamma: float
    theta: float


class Worth(NamedTuple):
    """USD of one unit, and of one unit of what is weighed by its entry."""

    each: float
    entry: float


def slope_at_expiry(one: Instrument, surface: Surface, at: datetime) -> float | None:
    """Return USD that a unit moves by 1 USD of spot in an option's last minutes; None before them.

    A bump would reach over the strike: this is the payoff's slope on the spot's own side, a half exactly at
    the strike. Gamma there, which is none beside the strike and has no bound at it, is taken as 0.
    """
    years = max(year_fraction(at, one.expiry), 0.0)
    if one.strike is None or years >= _CERTAIN_YEARS:
        return None
    forward, sign = surface.forward(years), 1.0 if one.kind is Kind.CALL else -1.0
    greeks = Greeks(*black76_greeks(sign, forward, float(one.strike), 0.0, 0.0, 1.0))
    return greeks.delta if one.inverse else greeks.delta * forward / surface.spot


class _Bumped:
    """A market, it a basis point up and down, and a day later: what each instrument is worth on them."""

    def __init__(self, surface: Surface, at: datetime) -> None:
        self._step = _BUMP * surface.spot
        self._surface, self._at = surface, at
        later = at + timedelta(days=1)
        self._units = (
            Units(surface, at),
            Units(surface.at_spot(surface.spot + self._step, at), at),
            Units(surface.at_spot(surface.spot - self._step, at), at),
            Units(surface.at_spot(surface.spot, later), later),
        )
        self._known: dict[Instrument, tuple[_Figures, _Figures]] = {}
        self._vegas: dict[Instrument, float] = {}

    def unit(self, one: Instrument) -> tuple[_Figures, _Figures]:
        """Value, delta, gamma and theta of one unit, and of one unit of what is weighed by its entry."""
        found = self._known.get(one)
        if found is None:
            pairs = [units.pair(one) for units in self._units]
            each = self._figures([pair.each for pair in pairs])
            slope = slope_at_expiry(one, self._surface, self._at)
            if slope is not None:
                each = _Figures(each.value, slope, 0.0, each.theta)
            found = self._known[one] = each, self._figures([pair.entry for pair in pairs])
        return found

    def _figures(self, worth: Sequence[float]) -> _Figures:
        now, up, down, later = worth
        per_percent = 0.01 * self._units[0].spot
        return _Figures(
            now,
            (up - down) / (2.0 * self._step),
            (up - 2.0 * now + down) / self._step**2 * per_percent,
            later - now,
        )

    def vega(self, one: Instrument) -> float:
        """USD of one unit for one point of volatility, by Black-76 at the surface's own."""
        found = self._vegas.get(one)
        if found is None:
            found = self._vegas[one] = self._vega(one)
        return found

    def _vega(self, one: Instrument) -> float:
        years = year_fraction(self._at, one.expiry)
        if one.strike is None or years <= 0.0:
            return 0.0
        forward, strike = self._surface.forward(years), float(one.strike)
        vol = self._surface.vol(years, strike)
        vega = 0.01 * Greeks(*black76_greeks(1.0, forward, strike, vol, years, 1.0)).vega
        return vega * self._surface.spot / forward if one.inverse else vega


class Units:
    """What one unit of each instrument is worth on a surface, worked out once."""

    def __init__(self, surface: Surface, at: datetime) -> None:
        self.surface, self.at = surface, at
        self._known: dict[Instrument, Worth] = {}

    @property
    def spot(self) -> float:
        """The surface's spot."""
        return self.surface.spot

    def forward(self, one: Instrument) -> float:
        """The forward of an instrument's expiry."""
        return self.surface.forward(max(year_fraction(self.at, one.expiry), 0.0))

    def worth(self, one: Instrument, amount: float, weighed: float) -> float:
        """USD of an amount; ``weighed`` is the amount over its entry (contracts in USD) or times it."""
        each, entry = self.pair(one)
        return amount * each + weighed * entry

    def pair(self, one: Instrument) -> Worth:
        """USD of one unit, and of one unit of what is weighed by its entry."""
        found = self._known.get(one)
        if found is None:
            found = self._known[one] = self._unit(one)
        return found

    def _unit(self, one: Instrument) -> Worth:
        if one.is_option:
            return Worth(leg_value_usd(one, 1.0, 1.0, self.surface, self.at), 0.0)
        forward = self.forward(one)
        if one.amount_in_usd:
            return Worth(-self.surface.spot / forward, self.surface.spot)
        return Worth(forward, -1.0)
