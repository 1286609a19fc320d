"""When dollars that come by bank are there, and what other currencies count for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from headframe.book.accounts import CASH, COINS_FREE
from headframe.book.ledger import Ledger
from headframe.units import CURRENCIES, USD, Currency, Money, WorkingDays, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """The cash calendar: what comes in after the cut-off (UTC), on a weekend or a holiday is there later.

    ``fx_haircut`` is taken off other currencies where liquidity is counted; a rate older than
    ``fx_days_max`` counts for nothing. Without a bank dollars move on every day at every hour.
    """

    cut_off: time = time(21)
    weekends: bool = False
    holidays: tuple[date, ...] = ()
    fx_haircut: float = 0.02
    fx_days_max: int = 5

    def __post_init__(self) -> None:
        if not 0.0 <= self.fx_haircut < 1.0:
            refuse(f"fx_haircut lies between 0 and 1, was {self.fx_haircut}")
        if not 0 <= self.fx_days_max <= 366:
            refuse(f"fx_days_max lies between 0 and 366, was {self.fx_days_max}")

    @property
    def days(self) -> WorkingDays:
        """The days it works."""
        return WorkingDays(weekends=self.weekends, holidays=self.holidays)

    def counts(self, rate: "FxRate", at: datetime) -> bool:
        """Whether a rate is fresh enough for an instant."""
        return (at - rate.at).days <= self.fx_days_max

    def value_on(self, at: datetime) -> date:
        """The day on which what is sent at an instant is there."""
        day = at.date()
        late = self.days.works(day) and at.time() > self.cut_off
        return self.days.plus(day, 1) if late else self.days.on_or_after(day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """Dollars that are booked and on their way: from whom, and when they are there."""

    source: str
    usd: Money
    there: date

    def __post_init__(self) -> None:
        if self.usd.currency != USD or self.usd.smallest <= 0:
            refuse(f"what is on its way is dollars above zero, was {self.usd}")


def under_way(transit: Sequence[Transit], day: date, source: str | None = None) -> Money:
    """Dollars that are not there on a day, from one side or from all."""
    return Money(
        USD,
        sum(
            one.usd.smallest
            for one in transit
            if one.there > day and source in {None, one.source}
        ),
    )  # fmt: skip


def still(transit: Sequence[Transit], day: date) -> tuple[Transit, ...]:
    """What is not there on a day."""
    return tuple(one for one in transit if one.there > day)


@dataclass(frozen=True, slots=True, kw_only=True)
class FxRate:
    """Dollars for one unit of a currency, and of when."""

    currency: str
    usd: Decimal
    at: datetime

    def __post_init__(self) -> None:
        if self.currency not in CURRENCIES or self.currency == USD.code:
            refuse(f"no rate is kept of {self.currency[:12]!r}")
        if not Decimal("1e-6") <= self.usd <= Decimal("1e6"):
            refuse(f"a rate of {self.currency} lies between 1e-6 and 1e6 USD, was {self.usd}")


def at_hand(ledger: Ledger, currency: Currency) -> Money:
    """What is at hand of a currency: its cash, or a coin's free ones."""
    return ledger.balance(CASH, currency) + ledger.balance(COINS_FREE, currency)


def others_usd(
    ledger: Ledger, rates: Mapping[str, FxRate], at: datetime, bank: Bank | None
) -> float:
    """Other currencies and coins at hand in USD: at the last rate less the haircut, none without it."""
    rules = Bank() if bank is None else bank
    found = 0.0
    for code, rate in rates.items():
        held = float(at_hand(ledger, CURRENCIES[code]))
        if held > 0.0 and rules.counts(rate, at):
            found += held * float(rate.usd) * (1.0 - rules.fx_haircut)
    return found
