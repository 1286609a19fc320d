"""Exposure at default by the standardised approach (SA-CCR), whole: five asset classes, and coins.

Basel Committee, CRE52 (the framework) and CRE99.1 (its worked examples); the figures of asset classes are
dated data. Coins stand beside commodities as a class of their own: no supervisory figure for them was
found in the text itself, so two sets are kept, the house's own (32 %, option volatility 120 %) and coins
as any other commodity (18 %, 70 %).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import exp, log, sqrt

from headframe.numerics import phi
from headframe.units import Wrong, refuse

ALPHA = 1.4
_FLOOR = 0.05
_BUSINESS_YEAR = 250.0
_BUCKETS = (1.0, 5.0)
_CORRELATED = {(0, 1): 0.7, (1, 2): 0.7, (0, 2): 0.3}


class AssetClass(StrEnum):
    """Where an add-on is reckoned."""

    RATES = "rates"
    FX = "fx"
    CREDIT = "credit"
    EQUITY = "equity"
    COMMODITY = "commodity"
    COINS = "coins"


@dataclass(frozen=True, slots=True)
class Factor:
    """Supervisory factor, correlation with its set's systematic part, and option volatility."""

    factor: float
    correlation: float
    option_vol: float

    def __post_init__(self) -> None:
        for name, value, most in (
            ("factor", self.factor, 1.0),
            ("correlation", self.correlation, 1.0),
            ("option_vol", self.option_vol, 10.0),
        ):
            if not 0.0 <= value <= most:
                refuse(f"{name} lies between 0 and {most:g}, was {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSet:
    """A set of figures with its name and source, in force from a day; sets differ in ``coins`` alone."""

    name: str
    source: str
    since: date
    until: date | None = None
    coins: Factor

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.since:
            refuse(f"{self.name} ends {self.until}, not after it begins {self.since}")

    def of(self, trade: "Exposed") -> Factor:
        """The figures of a trade's class and kind; Wrong where the kind is not known."""
        if trade.asset is AssetClass.COINS:
            return self.coins
        found = _FACTORS.get((trade.asset, trade.kind)) or _FACTORS.get((trade.asset, ""))
        if found is None:
            kinds = ", ".join(sorted(kind for asset, kind in _FACTORS if asset is trade.asset))
            raise Wrong(f"{trade.asset} knows the kinds {kinds}, was {trade.kind[:20]!r}")
        return found


_A = AssetClass
_FACTORS = {
    (_A.RATES, ""): Factor(0.005, 1.0, 0.5),
    (_A.FX, ""): Factor(0.04, 1.0, 0.15),
    (_A.CREDIT, "AAA"): Factor(0.0038, 0.5, 1.0),
    (_A.CREDIT, "AA"): Factor(0.0038, 0.5, 1.0),
    (_A.CREDIT, "A"): Factor(0.0042, 0.5, 1.0),
    (_A.CREDIT, "BBB"): Factor(0.0054, 0.5, 1.0),
    (_A.CREDIT, "BB"): Factor(0.0106, 0.5, 1.0),
    (_A.CREDIT, "B"): Factor(0.016, 0.5, 1.0),
    (_A.CREDIT, "CCC"): Factor(0.06, 0.5, 1.0),
    (_A.CREDIT, "index IG"): Factor(0.0038, 0.8, 0.8),
    (_A.CREDIT, "index SG"): Factor(0.0106, 0.8, 0.8),
    (_A.EQUITY, "single"): Factor(0.32, 0.5, 1.2),
    (_A.EQUITY, "index"): Factor(0.20, 0.8, 0.75),
    (_A.COMMODITY, "electricity"): Factor(0.40, 0.4, 1.5),
    (_A.COMMODITY, ""): Factor(0.18, 0.4, 0.7),
}
"""CRE52.72, table 2, in the version in force from 1 January 2023."""

HOUSE = FactorSet(
    name="house",
    source="SCO60 as summarised, December 2022: an asset class of its own, 32 % and 120 %",
    since=date(2022, 12, 16),
    coins=Factor(0.32, 0.4, 1.2),
)
PLAIN = FactorSet(
    name="CRE52 plain",
    source="CRE52.72: any other commodity, 18 % and 70 %",
    since=date(2017, 1, 1),
    coins=Factor(0.18, 0.4, 0.7),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What an option's delta is made of: price and strike of the underlying, years to exercise."""

    call: bool
    bought: bool
    price: float
    strike: float
    years: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """One trade as SA-CCR sees it.

    ``hedging_set`` is the currency (rates), the pair (FX), or the commodity's set (energy, metals); ``name``
    the reference entity or the type within its set (oil, silver, BTC). ``notional`` is adjusted already for
    prices times units; for rates and credit it is the amount and the supervisory duration is applied here
    from ``start`` and ``end`` in years. ``maturity`` is the years to the end of the trade itself.
    """

    asset: AssetClass
    hedging_set: str
    name: str
    notional: float
    long: bool
    maturity: float
    kind: str = ""
    start: float = 0.0
    end: float = 0.0
    option: Option | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginAgreement:
    """Variation margin: threshold, minimum transfer, net independent collateral, days at risk."""

    threshold: float
    minimum_transfer: float
    independent: float
    risk_days: int


@dataclass(frozen=True, slots=True)
class Ead:
    """Exposure at default: alpha times replacement cost and potential future exposure."""

    replacement: float
    add_on: float
    multiplier: float

    @property
    def future(self) -> float:
        """Potential future exposure."""
        return self.multiplier * self.add_on

    @property
    def value(self) -> float:
        """The exposure at default."""
        return ALPHA * (self.replacement + self.future)


def exposure_at_default(
    trades: Sequence[Exposed],
    *,
    value: float,
    collateral: float = 0.0,
    margin: MarginAgreement | None = None,
    factors: FactorSet = HOUSE,
) -> Ead:
    """A netting set: ``value`` of its trades to us, ``collateral`` held net of posted, after haircuts.

    With a margin agreement the lesser of the margined figure and the figure without it (CRE52.2).
    """
    plain = _ead(trades, value, collateral, max(value - collateral, 0.0), None, factors)
    if margin is None:
        return plain
    called = margin.threshold + margin.minimum_transfer - margin.independent
    cost = max(value - collateral, called, 0.0)
    margined = _ead(trades, value, collateral, cost, margin.risk_days, factors)
    return min(margined, plain, key=lambda one: one.value)


def _ead(
    trades: Sequence[Exposed],
    value: float,
    collateral: float,
    replacement: float,
    days: int | None,
    factors: FactorSet,
) -> Ead:
    total = sum(_add_on(asset, trades, days, factors) for asset in AssetClass)
    return Ead(replacement, total, _multiplier(value - collateral, total))


def _multiplier(excess: float, add_on: float) -> float:
    """What over-collateralisation takes off the add-on, never below its floor (CRE52.23)."""
    if add_on <= 0.0 or excess >= 0.0:
        return 1.0
    return min(1.0, _FLOOR + (1.0 - _FLOOR) * exp(excess / (2.0 * (1.0 - _FLOOR) * add_on)))


def _add_on(
    asset: AssetClass, trades: Sequence[Exposed], days: int | None, factors: FactorSet
) -> float:
    mine = [one for one in trades if one.asset is asset]
    sets: dict[str, list[Exposed]] = {}
    for one in mine:
        sets.setdefault(one.hedging_set, []).append(one)
    if asset is AssetClass.RATES:
        return sum(_rates(rows, days, factors) for rows in sets.values())
    if asset is AssetClass.FX:
        return sum(
            factors.of(rows[0]).factor * abs(sum(_effective(one, days, factors) for one in rows))
            for rows in sets.values()
        )
    if asset in {AssetClass.CREDIT, AssetClass.EQUITY}:  # one set each
        return _correlated(mine, days, factors)
    return sum(_correlated(rows, days, factors) for rows in sets.values())


def _rates(rows: Sequence[Exposed], days: int | None, factors: FactorSet) -> float:
    """A currency's buckets of maturity, correlated (CRE52.57)."""
    sums = [0.0, 0.0, 0.0]
    for one in rows:
        sums[sum(one.end > edge for edge in _BUCKETS)] += _effective(one, days, factors)
    square = sum(part * part for part in sums)
    square += sum(2.0 * rho * sums[a] * sums[b] for (a, b), rho in _CORRELATED.items())
    return factors.of(rows[0]).factor * sqrt(max(square, 0.0))


def _correlated(rows: Sequence[Exposed], days: int | None, factors: FactorSet) -> float:
    """Entities or types with a systematic part in common and one of their own (CRE52.61, 66, 69)."""
    parts: dict[str, tuple[float, float]] = {}
    for one in rows:
        figures = factors.of(one)
        before, _ = parts.get(one.name, (0.0, 0.0))
        add = figures.factor * _effective(one, days, factors)
        parts[one.name] = (before + add, figures.correlation)
    together = sum(rho * part for part, rho in parts.values())
    alone = sum((1.0 - rho * rho) * part * part for part, rho in parts.values())
    return sqrt(together * together + alone)


def _effective(one: Exposed, days: int | None, factors: FactorSet) -> float:
    """Adjusted notional, signed by delta, scaled by the maturity factor."""
    adjusted = one.notional
    if one.asset in {AssetClass.RATES, AssetClass.CREDIT}:
        adjusted *= (exp(-0.05 * one.start) - exp(-0.05 * one.end)) / 0.05
    return adjusted * _delta(one, factors) * _maturity(one.maturity, days)


def _maturity(years: float, days: int | None) -> float:
    if days is not None:
        return 1.5 * sqrt(days / _BUSINESS_YEAR)
    return sqrt(min(max(years, 10.0 / _BUSINESS_YEAR), 1.0))


def _delta(one: Exposed, factors: FactorSet) -> float:
    """Plus or minus one, and the supervisory delta of an option (CRE52.40)."""
    option = one.option
    if option is None:
        return 1.0 if one.long else -1.0
    if min(option.price, option.strike, option.years) <= 0.0:
        raise Wrong("an option's price, strike and years are above zero")
    spread = factors.of(one).option_vol * sqrt(option.years)
    from_strike = log(option.price / option.strike) / spread + 0.5 * spread
    side = 1.0 if option.bought else -1.0
    return side * phi(from_strike) if option.call else -side * phi(-from_strike)
