"""Hedge performance against spot: what a coin brought with the hedge and without."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from headframe.book import Flow, FlowKind
from headframe.units import BTC, Money, Month


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthResult:
    """One month of deliveries: coins, dollars of sale and hedge, and cash with and without."""

    month: Month
    mined: float
    sold: float
    spot_usd: float
    hedge_usd: float
    costs_usd: float
    margin_usd: float
    cash_usd: float
    cash_unhedged_usd: float
    premium_usd: float = 0.0
    """Of what hedges brought: premium of the coins delivered."""
    fees_usd: float = 0.0
    """Fees, as a cost."""
    basis_usd: float = 0.0
    """Forwards against spot, time value and spread of what was dealt back."""

    @classmethod
    def empty(cls, month: Month, cash_unhedged_usd: float) -> "MonthResult":
        """A month in which nothing has happened yet."""
        return cls(
            month=month,
            mined=0.0,
            sold=0.0,
            spot_usd=0.0,
            hedge_usd=0.0,
            costs_usd=0.0,
            margin_usd=0.0,
            cash_usd=0.0,
            cash_unhedged_usd=cash_unhedged_usd,
        )

    @property
    def spot_price(self) -> float:
        """Average price of the coins sold, without the hedge."""
        return self.spot_usd / self.sold if self.sold else 0.0

    @property
    def realised_price(self) -> float:
        """What each coin brought with its hedge."""
        return (self.spot_usd + self.hedge_usd) / self.sold if self.sold else 0.0

    @property
    def settled_usd(self) -> float:
        """Of what hedges brought: what the price of the coin alone made them pay."""
        return self.hedge_usd - self.basis_usd - self.premium_usd - self.fees_usd

    @property
    def parts(self) -> tuple[float, float, float, float, float]:
        """The realised price in USD a coin: spot, hedge at spot prices, basis, premium, fees."""
        if not self.sold:
            return 0.0, 0.0, 0.0, 0.0, 0.0
        return (
            self.spot_price,
            self.settled_usd / self.sold,
            self.basis_usd / self.sold,
            self.premium_usd / self.sold,
            self.fees_usd / self.sold,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Deliveries summed over months, and the worst cash balance with and without the hedge."""

    sold: float
    spot_price: float
    realised_price: float
    hedge_usd: float
    cash_usd: float
    cash_unhedged_usd: float
    cash_low_usd: float
    cash_low_unhedged_usd: float


def total(months: tuple[MonthResult, ...]) -> Total:
    """The sum of a programme's months."""
    sold = sum(month.sold for month in months)
    spot = sum(month.spot_usd for month in months)
    hedge = sum(month.hedge_usd for month in months)
    return Total(
        sold=sold,
        spot_price=spot / sold if sold else 0.0,
        realised_price=(spot + hedge) / sold if sold else 0.0,
        hedge_usd=hedge,
        cash_usd=months[-1].cash_usd if months else 0.0,
        cash_unhedged_usd=months[-1].cash_unhedged_usd if months else 0.0,
        cash_low_usd=min((month.cash_usd for month in months), default=0.0),
        cash_low_unhedged_usd=min((month.cash_unhedged_usd for month in months), default=0.0),
    )


def with_flows(
    months: Mapping[Month, MonthResult],
    flows: Sequence[Flow],
    cash_unhedged_usd: float,
    worth: Callable[[Money, datetime], float],
) -> dict[Month, MonthResult]:
    """The months that flows fall into with coins and dollars added, oldest first; sales less their fees.

    ``worth`` is an amount of any currency in USD at an instant. Other coins than bitcoin, mined with it,
    count when they are sold: less cost.
    """
    found: dict[Month, MonthResult] = {}
    bare = cash_unhedged_usd
    for flow in flows:
        month = Month.of(flow.at)
        row = found.get(month) or months.get(month) or MonthResult.empty(month, bare)
        coins, usd = float(flow.coins), worth(flow.cash - flow.fee, flow.at)
        if flow.coins.currency != BTC and flow.coins.smallest:
            # a by-product: what it brings takes from the cost of the coins hedged (IAS 2, paragraph 14)
            row = replace(row, costs_usd=row.costs_usd - usd)
            bare += usd
        elif flow.kind is FlowKind.PAYOUT:
            row = replace(row, mined=round(row.mined + coins, 8))
        elif flow.kind is FlowKind.SALE:
            row = replace(row, sold=round(row.sold + coins, 8), spot_usd=row.spot_usd + usd)
            bare += usd
        elif flow.kind is FlowKind.COST:
            row = replace(row, costs_usd=row.costs_usd + usd)
            bare -= usd
        elif flow.into is not None:
            lost = worth(flow.cash + flow.fee, flow.at) - worth(flow.into, flow.at)
            row = replace(row, costs_usd=row.costs_usd + lost)
            bare -= lost
        elif flow.kind in {FlowKind.CAPITAL, FlowKind.DISTRIBUTION}:
            bare += usd if flow.kind is FlowKind.CAPITAL else -usd
        found[month] = replace(row, cash_unhedged_usd=bare)
    return dict(sorted(found.items()))
