"""What hedges brought, exact, by trade, designated month and month of the cash."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from headframe.lifecycle.flows import FlowCause, split
from headframe.units import BTC, COINS, USD, Money, Month, booked


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeResult:
    """Amounts of one trade and one cause for one designated month, in one month of cash.

    ``worth_usd`` values them in USD when they moved, coins at the price of that close or fill.
    """

    trade: str
    month: Month
    cash_month: Month
    cause: FlowCause
    coins: Money
    usd: Money
    worth_usd: Money

    @property
    def key(self) -> str:
        """What is added up under it."""
        return f"{self.trade}|{self.month}|{self.cash_month}|{self.cause}"

    def plus(self, other: "HedgeResult") -> "HedgeResult":
        """Return the sum of two amounts of the same key."""
        return replace(
            self,
            coins=self.coins + other.coins,
            usd=self.usd + other.usd,
            worth_usd=self.worth_usd + other.worth_usd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One amount of a trade before it is shared out to months."""

    trade: str
    cause: FlowCause
    money: Money
    months: tuple[tuple[Month, Money], ...]

    @classmethod
    def by_weight(
        cls, trade: str, cause: FlowCause, money: Money, weights: Mapping[Month, Decimal]
    ) -> "Amount":
        """Return an amount shared out by coins of each month."""
        return cls(trade=trade, cause=cause, money=money, months=split(money, weights))


def results_of(amounts: Iterable[Amount], cash_month: Month, price: Fraction) -> list[HedgeResult]:
    """Return amounts as results by month; coins are worth ``price`` USD each, in whole cents.

    Dollars of a stablecoin (USDC) count at par, rounded to the cent.
    """
    found: list[HedgeResult] = []
    for amount in amounts:
        in_usd = amount.money.currency.code not in COINS
        for month, money in amount.months:
            worth = booked(_exact(money) * (1 if in_usd else price), USD)
            found.append(
                HedgeResult(
                    trade=amount.trade,
                    month=month,
                    cash_month=cash_month,
                    cause=amount.cause,
                    coins=Money(BTC, 0) if in_usd else money,
                    usd=worth if in_usd else Money(USD, 0),
                    worth_usd=worth,
                )
            )
    return found


def _exact(money: Money) -> Fraction:
    return Fraction(money.smallest, money.currency.scale)
