"""Collateral terms of a bilateral agreement, and the amount it makes move.

ISDA Credit Support Annex: Credit Support Amount = exposure + independent amount - threshold, not
below zero (definition quoted in BCBS CRE52 footnote 5).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_UP, Decimal
from enum import StrEnum
from math import ceil, floor, isfinite

from headframe.units import COINS, CURRENCIES, Currency, Money, WorkingDays, Wrong, booked, refuse

_CALENDAR_DAYS = 60
"""How far a working day is looked for: longer than any run of holidays."""


class Agent(StrEnum):
    """Who values the trades, and so whose figure holds; with both, that of the side that calls."""

    US = "us"
    THEM = "them"
    BOTH = "both"


class Trigger(StrEnum):
    """What lets the dealer end the trades: what we can see of ourselves, with its figure."""

    LIQUIDITY_BELOW_USD = "liquidity_below_usd"
    LOAN_TO_VALUE_ABOVE = "loan_to_value_above"
    COIN_BELOW_USD = "coin_below_usd"
    CALL_OVERDUE_DAYS = "call_overdue_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """An additional termination event of the agreement."""

    event: Trigger
    figure: float

    def __post_init__(self) -> None:
        if not (isfinite(self.figure) and self.figure >= 0.0):
            refuse(f"the figure of {self.event} is 0 or above, was {self.figure}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """Another currency that either side may give as collateral, and what is taken off its value."""

    currency: str
    haircut: float

    def __post_init__(self) -> None:
        others = sorted(set(CURRENCIES) - {"USD"} - COINS)
        if self.currency not in others:
            refuse(f"eligible is one of {', '.join(others)}, was {self.currency[:10]!r}")
        if not 0.0 <= self.haircut < 1.0:
            refuse(f"the haircut of {self.currency} lies between 0 and 1, was {self.haircut}")


def _once(what: str, names: list[str]) -> None:
    if len(set(names)) < len(names):
        refuse(f"{what} stands once among the terms")


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralTerms:
    """Threshold, minimum transfer, rounding in USD, and the independent amount on notional sold.

    ``haircut`` is taken off the value of coins given as collateral, where ``coins_eligible``; dollars always
    are, and what is ``eligible`` beside them is for both sides. A call made by
    ``notice`` (UTC) on a working day is delivered ``delivery_days`` working days later, a later one a day
    more; on other days none is made. Terms that say nothing of it call and deliver every day at once.
    ``dispute_usd`` is how far the two sides' figures may lie apart, ``dispute_days`` how long a dispute may
    last (ISDA Credit Support Annex, paragraphs 4 and 5).
    """

    threshold_usd: float
    minimum_transfer_usd: float
    rounding_usd: float
    independent_share: float
    haircut: float
    coins_eligible: bool = False
    weekends: bool = True
    holidays: tuple[date, ...] = ()
    notice: time | None = None
    delivery_days: int = 0
    agent: Agent = Agent.BOTH
    dispute_usd: float = 0.0
    dispute_days: int = 2
    terminations: tuple[Termination, ...] = ()
    eligible: tuple[Eligible, ...] = ()
    premium_days: int = 0
    """Working days from a trade to the value date of its premium and fee."""
    interest_rate: float = 0.0
    """Yearly interest on dollars given as collateral, by either side."""

    def __post_init__(self) -> None:
        for name in ("threshold_usd", "minimum_transfer_usd", "rounding_usd", "dispute_usd"):
            value: float = getattr(self, name)
            if not (isfinite(value) and 0.0 <= value <= 1e10):
                refuse(f"{name} must lie between 0 and 1e10, was {value}")
        for name in ("independent_share", "haircut"):
            share: float = getattr(self, name)
            if not 0.0 <= share < 1.0:
                refuse(f"{name} must lie between 0 and 1, was {share}")
        for name in ("delivery_days", "dispute_days", "premium_days"):
            days: int = getattr(self, name)
            if not 0 <= days <= 30:
                refuse(f"{name} must lie between 0 and 30, was {days}")
        if not 0.0 <= self.interest_rate <= 0.5:
            refuse(f"interest_rate lies between 0 and 0.5 a year, was {self.interest_rate}")
        _once("a termination event", [str(one.event) for one in self.terminations])
        _once("an eligible currency", [one.currency for one in self.eligible])

    def haircut_of(self, currency: str) -> float | None:
        """What is taken off another currency; None where it is not eligible."""
        return next((one.haircut for one in self.eligible if one.currency == currency), None)

    def delivered_in(self, usd: Money, currency: Currency, rate: Decimal) -> Money | None:
        """How much of another currency counts for dollars at a rate, up to its unit; None: not eligible."""
        haircut = self.haircut_of(currency.code)
        if haircut is None:
            return None
        counts = rate * (1 - Decimal(repr(haircut)))
        unit = Decimal(1).scaleb(-currency.decimals)
        return booked((Decimal(str(usd)) / counts).quantize(unit, rounding=ROUND_UP), currency)

    @property
    def days(self) -> WorkingDays:
        """The days on which calls are made and met."""
        return WorkingDays(weekends=self.weekends, holidays=self.holidays)

    def due(self, called: datetime) -> date | None:
        """When a call of an instant is to be met; None on a day on which none is made."""
        day = called.date()
        if not self.days.works(day):
            return None
        late = self.notice is not None and called.time() > self.notice
        return self.days.plus(day, self.delivery_days + (1 if late else 0))

    def returned(self, ended: datetime) -> date:
        """Return when all collateral is back once the last trade has ended: called on the next call day."""
        for days in range(_CALENDAR_DAYS):
            due = self.due(ended + timedelta(days=days))
            if due is not None:
                return due
        raise Wrong(
            f"holidays: expected a working day within {_CALENDAR_DAYS} days of {ended:%Y-%m-%d}"
        )

    def decided(
        self,
        asked_usd: Money,
        ours: Money,
    ) -> tuple[Money, Money | None]:
        """What of a call nobody disputes, and what is owed where the two figures lie within the tolerance.

        ``asked_usd`` is the figure of the side that calls, or of the dealer where it values and we call.
        """
        nothing = Money(ours.currency, 0)
        lesser = min(asked_usd, ours)
        if abs(float(asked_usd - ours)) <= self.dispute_usd:
            binding = ours if self.agent is Agent.US else asked_usd
            return lesser, binding
        enough = float(lesser) >= self.minimum_transfer_usd
        return (lesser if enough else nothing), None

    def coins_usd(self, coins: float, spot: float) -> float:
        """What coins given as collateral count for."""
        return coins * spot * (1.0 - self.haircut)


def support_amount(terms: CollateralTerms, exposure_usd: float, notional_usd: float) -> float:
    """Collateral the side with the negative value owes in all: 0 inside the threshold.

    ``exposure_usd`` is what the secured side would lose; ``notional_usd`` carries the independent
    amount, 0 where none is due.
    """
    wanted = exposure_usd + terms.independent_share * notional_usd - terms.threshold_usd
    return max(wanted, 0.0)


def call_amount(terms: CollateralTerms, wanted_usd: float, held_usd: float) -> float:
    """What moves today: positive is delivered, negative is returned, 0 below the minimum transfer.

    Deliveries are rounded up and returns down to the rounding amount, in favour of the holder;
    collateral no longer owed at all returns whole.
    """
    gap = wanted_usd - held_usd
    if wanted_usd == 0.0:
        return -held_usd
    if abs(gap) < max(terms.minimum_transfer_usd, 0.01):
        return 0.0
    unit = terms.rounding_usd
    if unit == 0.0:
        return gap
    return ceil(gap / unit - 1e-9) * unit if gap > 0.0 else -floor(-gap / unit + 1e-9) * unit
