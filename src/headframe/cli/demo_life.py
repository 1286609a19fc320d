"""The last part of the demo: ten weeks of recorded life, closed day by day at 08:00 UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from headframe.book import Flow, FlowKind
from headframe.desk import daily_close, designations, flows, money, settlement_prices, workspace
from headframe.desk.office import Office
from headframe.desk.valuation import value_now
from headframe.lifecycle import PriceKind, SettlementPrice, mined_on
from headframe.report import (
    bridge_table,
    closed_days_table,
    current_month_line,
    realised_months_table,
)
from headframe.risk import Course, course_prices
from headframe.units import BTC, USD, Money, booked

LAST = date(2026, 10, 31)
_SOURCE = "invented for the demo"


@dataclass(frozen=True, slots=True)
class Life:
    """What the weeks left behind, as things to show, and their figures."""

    shown: tuple[object, ...]
    closed: int
    reconciles: bool


def live(office: Office) -> Life:
    """Record prices, payouts and sales to the end of October, and close every day on them."""
    office.user = "treasurer"
    prices = _prices(office)
    at = datetime.combine(LAST, datetime.min.time(), UTC) + timedelta(hours=18)
    workspace.advance_clock(office, at)
    settlement_prices.record(office, prices)
    flows.take(office, _coins(office, {one.day: one.price for one in prices}), "coins.csv")
    run = daily_close.close_days(office)
    assert not run.missing, "every day of the demo has its price"
    found = money.performance(office)
    now = value_now(office)
    paid = tuple(one for one in run.closed if one.paid or one.ended)
    shown = (
        "A copy of the workspace lives on: prices, payouts and sales are recorded, each day is closed.",
        "  headframe market deliveries import prices.csv",
        "  headframe coins coins.csv",
        "  headframe close-day",
        f"{len(run.closed)} days closed through {run.through} 08:00 UTC; a hedge paid or ended on:",
        closed_days_table(paid),
        current_month_line(designations.month_so_far(now)),
        realised_months_table([one for one in found.realised if one.sold.smallest]),
        bridge_table(found.bridge),
    )
    return Life(shown, len(run.closed), found.bridge.holds)


def _prices(office: Office) -> list[SettlementPrice]:
    """Return a delivery price of the index for every close, along the bear scenario."""
    state = office.state()
    assert state.market is not None
    first = state.market.as_of.date() + timedelta(days=1)
    walked = course_prices(
        Course.BEAR, start=state.market.index, first=first, last=LAST, seed=state.seed
    )
    return [
        SettlementPrice(
            day=day,
            instrument="btc_usd",
            kind=PriceKind.DELIVERY,
            price=Decimal(repr(round(price, 2))),
            source=_SOURCE,
        )
        for day, price in walked
    ]


def _coins(office: Office, prices: dict[date, Decimal]) -> list[Flow]:
    """Return a payout each morning and its sale at noon, at the price of the close."""
    forecast = office.state().forecast
    assert forecast is not None
    none = Money(USD, 0)
    rows: list[Flow] = []
    for day, price in prices.items():
        if day < forecast.months[0].month.start.date() or day == LAST:
            continue
        coins = booked(mined_on(forecast, Course.BEAR, day), BTC)
        at = datetime.combine(day, datetime.min.time(), UTC)
        cash = booked(Decimal(str(coins)) * price, USD)
        rows.append(_flow(f"payout-{day}", FlowKind.PAYOUT, at + timedelta(hours=1), coins, none))
        rows.append(_flow(f"sale-{day}", FlowKind.SALE, at + timedelta(hours=12), coins, cash))
    return rows


def _flow(name: str, kind: FlowKind, at: datetime, coins: Money, cash: Money) -> Flow:
    return Flow(id=name, kind=kind, at=at, coins=coins, cash=cash, fee=Money(USD, 0), memo="")
