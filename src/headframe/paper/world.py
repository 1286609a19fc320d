"""The street's market: what is listed, what it is worth now, how the price moves, what the books show."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp, sqrt
from statistics import NormalDist

from headframe.desk.ports import Appointments
from headframe.instrument import Instrument, Kind, parse_instrument
from headframe.market import Snapshot
from headframe.paper.dealers import chance
from headframe.paper.rpc import Json, RpcError
from headframe.pricing import Surface
from headframe.risk import leg_price
from headframe.units import NO_EXPIRY, Wrong

_STEP_SECONDS = 10.0
_YEAR = 31_536_000.0
_FAR = NO_EXPIRY
DEPTH = 10


@dataclass(frozen=True, slots=True)
class Fees:
    """What the street charges."""

    option_coins: float
    option_cap_share: float
    future_share: float
    forward_spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Ticks and least sizes of a kind of instrument, by the venue's own table (support 25944688627229)."""

    tick: float
    block_tick: float
    least: float
    block_least: float


_RULES = {
    "option": Rules(tick=0.0001, block_tick=0.0001, least=0.1, block_least=25.0),
    "option_linear": Rules(tick=5.0, block_tick=5.0, least=0.01, block_least=25.0),
    "future": Rules(tick=2.5, block_tick=0.01, least=10.0, block_least=200_000.0),
    "future_linear": Rules(tick=2.5, block_tick=0.01, least=0.01, block_least=25.0),
    "option_combo": Rules(tick=0.0001, block_tick=0.0001, least=0.1, block_least=25.0),
    "option_combo_linear": Rules(tick=5.0, block_tick=5.0, least=0.01, block_least=25.0),
    "future_combo": Rules(tick=0.5, block_tick=0.01, least=10.0, block_least=200_000.0),
    "future_combo_linear": Rules(tick=0.5, block_tick=0.01, least=0.01, block_least=25.0),
}
_COMBINED_SHARE = 0.7
"""A combination's spread over the sum of its legs': what is dealt together carries less risk."""


@dataclass(frozen=True, slots=True)
class Combined:
    """What a combination is made of: instruments with their signed ratios."""

    legs: tuple[tuple[str, int], ...]
    created_ms: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One listed instrument; the perpetual has terms of a future that never expires.

    A combination has the terms of the leg that expires first.
    """

    name: str
    terms: Instrument
    number: int
    combined: Combined | None = None

    @property
    def legs(self) -> tuple[tuple[str, int], ...]:
        """A combination's legs; none of what is no combination."""
        return () if self.combined is None else self.combined.legs

    @property
    def perpetual(self) -> bool:
        """Whether it never expires."""
        return self.terms.expiry == _FAR

    @property
    def kind(self) -> str:
        """The venue's word for it."""
        word = "option" if self.terms.is_option else "future"
        return f"{word}_combo" if self.legs else word

    @property
    def rules(self) -> Rules:
        """Its ticks and least sizes."""
        return _RULES[self.kind if self.terms.inverse else f"{self.kind}_linear"]


class World:
    """Prices on one clock: the snapshot's surface, at the snapshot's spot or along a course of its own.

    ``vol`` is the yearly volatility of the index; 0 keeps the market as the snapshot shows it. ``premium`` is
    that of perpetuals over the index, as a share.
    """

    def __init__(
        self,
        clock: Appointments,
        snapshot: Snapshot,
        surface: Surface,
        fees: Fees,
        seed: int,
        vol: float = 0.0,
        *,
        premium: float = 0.0,
    ) -> None:
        self.clock = clock
        self.snapshot = snapshot
        self.surface = surface
        self.fees = fees
        self.seed = seed
        self.vol = vol
        self.premium = premium
        self.start = clock.now()
        self._course = [0.0]
        self._at_spot: tuple[float, Surface] = (snapshot.index, surface)
        self.listed = {one.name: one for one in self._listing()}
        self.combos: dict[str, Listed] = {}

    def _listing(self) -> list[Listed]:
        coin = self.snapshot.coin
        future = Instrument(kind=Kind.FUTURE, coin=coin, settled_in=coin, expiry=_FAR)
        found = [Listed(f"{coin}-PERPETUAL", future, 1)]
        names = {f"{coin}-{_day(quote.expiry)}" for quote in self.snapshot.forwards}
        strikes = {(one.expiry, one.strike) for one in self.snapshot.options}
        if not strikes:
            strikes = {
                (quote.expiry, 1_000.0 * step)
                for quote in self.snapshot.forwards
                for step in _steps(quote.price)
            }
        for expiry, strike in strikes:
            words = f"{strike:.10g}".replace(".", "d")
            names |= {f"{coin}-{_day(expiry)}-{words}-{side}" for side in "PC"}
        terms = sorted(
            (parse_instrument(name) for name in names),
            key=lambda one: (one.expiry, one.is_option, one.strike or 0, one.kind),
        )
        return found + [Listed(one.name, one, 2 + place) for place, one in enumerate(terms)]

    def now_ms(self) -> int:
        """The street's instant in milliseconds."""
        return ms(self.clock.now())

    def find(self, name: str) -> Listed:
        """A listed instrument that has not expired; what can be named but is not listed trades too."""
        known = self.listed.get(name)
        if known is None:
            try:
                known = Listed(name, parse_instrument(name), 0)
            except Wrong as error:
                raise RpcError(10020, "invalid_or_unsupported_instrument", str(error)) from error
        coin, now = self.snapshot.coin, self.clock.now()
        if known.terms.coin != coin or known.terms.expiry <= now or known.name != name:
            raise RpcError(10020, "invalid_or_unsupported_instrument", f"{name} does not trade")
        return known

    def find_any(self, name: str) -> Listed:
        """The same, or a combination whose legs have not expired."""
        combined = self.combos.get(name)
        if combined is None:
            return self.find(name)
        if combined.terms.expiry <= self.clock.now():
            raise RpcError(10020, "invalid_or_unsupported_instrument", f"{name} does not trade")
        return combined

    def known(self, name: str) -> Listed:
        """An instrument or a combination by its name, expired or not."""
        found = self.listed.get(name) or self.combos.get(name)
        return found or Listed(name, parse_instrument(name), 0)

    def index(self) -> float:
        """The index now."""
        return self.index_at(self.clock.now())

    def index_at(self, at: datetime) -> float:
        """Return the index at an instant that has passed; the first one before the street began."""
        if self.vol == 0.0:
            return self.snapshot.index
        place = max((at - self.start).total_seconds(), 0.0) / _STEP_SECONDS
        below = int(place)
        while len(self._course) < below + 2:
            self._course.append(self._course[-1] + self._step(len(self._course)))
        share = place - below
        level = self._course[below] * (1.0 - share) + self._course[below + 1] * share
        return round(self.snapshot.index * exp(level), 2)

    def _step(self, number: int) -> float:
        sd = self.vol * sqrt(_STEP_SECONDS / _YEAR)
        drawn = chance(self.seed, "course", number)
        return sd * NormalDist().inv_cdf(min(max(drawn, 1e-12), 1.0 - 1e-12)) - 0.5 * sd * sd

    def _surface(self) -> Surface:
        spot = self.index()
        if self._at_spot[0] != spot:
            self._at_spot = (spot, self.surface.at_spot(spot, self.surface.as_of))
        return self._at_spot[1]

    @property
    def at(self) -> datetime:
        """The instant prices hold for: the snapshot's where the market stands still."""
        return self.clock.now() if self.vol else self.snapshot.as_of

    def price(self, terms: Instrument) -> float:
        """What an instrument is worth now, as it is quoted."""
        if terms.expiry == _FAR:
            return self._perpetual(self.index())
        return leg_price(terms, self._surface(), self.at)

    def future_at(self, terms: Instrument, at: datetime) -> float:
        """Return what a future was worth at an instant that has passed."""
        spot = self.index_at(at)
        if terms.expiry == _FAR:
            return self._perpetual(spot)
        surface = self.surface.at_spot(spot, self.surface.as_of)
        return leg_price(terms, surface, at if self.vol else self.snapshot.as_of)

    def _perpetual(self, index: float) -> float:
        """Return a perpetual's price at an index: the index itself without a premium."""
        return round(index * (1.0 + self.premium), 2) if self.premium else index

    def vol_of(self, terms: Instrument) -> float:
        """The volatility an option is marked at."""
        assert terms.strike is not None
        years = max((terms.expiry - self.at).total_seconds() / _YEAR, 1e-6)
        return self._surface().vol(years, float(terms.strike))

    def forward(self, terms: Instrument) -> float:
        """The forward of an expiry."""
        years = max((terms.expiry - self.at).total_seconds() / _YEAR, 0.0)
        if terms.expiry == _FAR:
            return self.index()
        return float(self._surface().forward(years))

    def net(self, legs: list[Json]) -> float:
        """The worth of a structure: legs with ratio and direction."""
        total = 0.0
        for leg in legs:
            sign = 1 if leg["direction"] == "buy" else -1
            total += sign * int(leg["ratio"]) * self.price(self.find(leg["instrument_name"]).terms)
        return total

    def half_spread(self, legs: list[Json]) -> float:
        """Half the market's bid-ask of the structure: of its futures, or of its options' premiums."""
        return sum(
            float(leg["ratio"]) * self.half_of(self.find(leg["instrument_name"]).terms)
            for leg in legs
        )

    def half_of(self, terms: Instrument) -> float:
        """Half the bid-ask of one instrument."""
        option = terms.kind in {Kind.PUT, Kind.CALL}
        share = 2.0 * self.snapshot.half_spread if option else self.fees.forward_spread
        return 0.5 * share * self.price(terms)

    def mark(self, one: Listed) -> float:
        """What an instrument or a combination is worth now, as it is quoted."""
        if not one.legs:
            return self.price(one.terms)
        return sum(ratio * self.price(self.find(name).terms) for name, ratio in one.legs)

    def _half(self, one: Listed) -> float:
        if not one.legs:
            return self.half_of(one.terms)
        rows = ((abs(ratio), self.find(name).terms) for name, ratio in one.legs)
        return _COMBINED_SHARE * sum(ratio * self.half_of(terms) for ratio, terms in rows)

    def fee(self, terms: Instrument, amount: float, price: float) -> float:
        """What a trade costs, in the settlement currency."""
        if terms.is_option:
            if not terms.inverse:
                return 0.0
            each = min(self.fees.option_coins, self.fees.option_cap_share * price)
            return round(each * amount, 8)
        if terms.amount_in_usd:
            return round(self.fees.future_share * amount / price, 8)
        return 0.0

    def book(self, name: str) -> tuple[list[list[float]], list[list[float]]]:
        """Bids and asks of the lit book: price and amount, best first, thinner near the money's edge.

        Sizes change every ten seconds; between, the same question has the same answer.
        """
        one = self.find_any(name)
        mark, half, tick = self.mark(one), self._half(one), one.rules.tick
        beat = int((self.clock.now() - self.start).total_seconds() / 10.0)
        typical = (8.0 if one.terms.is_option else 3_000.0) * one.rules.least
        sides: list[list[list[float]]] = [[], []]
        for side, sign in ((0, -1), (1, 1)):
            for level in range(DEPTH):
                price = tick_price(mark + sign * half * (1.0 + 0.4 * level), tick, up=sign > 0)
                worthless = price <= 0.0 and not one.legs
                if worthless or (sides[side] and sides[side][-1][0] == price):
                    continue
                drawn = chance(self.seed, "depth", name, beat, side, level)
                size = typical * (1.0 + 0.6 * level) * (0.5 + drawn)
                steps = max(round(size / one.rules.least), 1)
                sides[side].append([price, round(steps * one.rules.least, 8)])
        return sides[0], sides[1]


def _steps(forward: float) -> list[int]:
    """Strikes in thousands of dollars around a forward where nobody lists any."""
    middle = round(forward / 1_000.0)
    return [one for one in range(middle - 40, middle + 61) if one > 0]


def _day(expiry: datetime) -> str:
    return Instrument(kind=Kind.FUTURE, coin="X", settled_in="X", expiry=expiry).name[2:]


def tick_price(price: float, tick: float, *, up: bool) -> float:
    """A price on the tick, rounded away from the mid."""
    steps = price / tick
    whole = -(-steps // 1) if up else steps // 1
    return round(whole * tick, 6)


def on_tick(price: float, tick: float) -> bool:
    """Whether a price is a whole number of ticks."""
    steps = price / tick
    return abs(steps - round(steps)) < 1e-6 * max(1.0, abs(steps))


def ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def instant_of(stamp: int) -> datetime:
    """The instant of a stamp in milliseconds."""
    return datetime.fromtimestamp(stamp / 1000, UTC)


def later(at: datetime, seconds: float) -> datetime:
    """So many seconds after an instant."""
    return at + timedelta(seconds=seconds)
