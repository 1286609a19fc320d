"""The last part of the demo: ten weeks of recorded life, closed day by day at 08:00 UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from headframe.book import Flow, FlowKind
from headframe.cli.demo_chains import listed_chain
from headframe.desk import (
    daily_close,
    designations,
    flows,
    money,
    quotes,
    settlement_prices,
    workspace,
)
from headframe.desk.office import Office
from headframe.desk.valuation import value_now
from headframe.feed import market_from_text, write_chain_csv
from headframe.lifecycle import ClosedDay, PriceKind, SettlementPrice, mined_on
from headframe.market import Snapshot
from headframe.report import (
    bridge_table,
    closed_days_table,
    current_month_line,
    realised_months_table,
)
from headframe.risk import Course, course_prices
from headframe.units import BTC, USD, Money, booked

LAST = date(2026, 10, 31)
_CHAIN_DAYS = (date(2026, 9, 30), date(2026, 10, 30))
_EVENING = time(18)
_SOURCE = "invented for the demo"


@dataclass(frozen=True, slots=True)
class Life:
    """What the weeks left behind, as things to show, and their figures."""

    shown: tuple[object, ...]
    closed: int
    reconciles: bool


def live(office: Office) -> Life:
    """Close every day to the end of October on recorded prices, with a new option chain at month ends."""
    office.user = "treasurer"
    surface, prices = value_now(office).surface, _prices(office)
    coins = _coins(office, {one.day: one.price for one in prices})
    closed: list[ClosedDay] = []
    for day in (*_CHAIN_DAYS, LAST):
        at = datetime.combine(day, _EVENING, UTC)
        workspace.advance_clock(office, at)
        settlement_prices.record(office, [one for one in prices if one.day <= day])
        flows.take(office, [one for one in coins if one.at <= at], "coins.csv")
        run = daily_close.close_days(office)
        assert not run.missing, "every day of the demo has its price"
        closed += run.closed
        if day in _CHAIN_DAYS:
            price = next(float(one.price) for one in prices if one.day == day)
            _import(office, listed_chain(surface, spot=price, as_of=at, source=_SOURCE))
    found = money.performance(office)
    paid = tuple(one for one in closed if one.paid or one.ended)
    shown = (
        "A copy of the workspace lives on: prices, payouts and sales are recorded, each day is closed,",
        "and an option chain is imported at the end of each month. All of it is invented along a fall.",
        "  headframe market deliveries import prices.csv",
        "  headframe coins coins.csv",
        "  headframe close-day",
        *(f"  headframe market import {_chain_file(day)}" for day in _CHAIN_DAYS),
        f"{len(closed)} days closed through {LAST} 08:00 UTC, marked on the chain of {_CHAIN_DAYS[-1]};",
        "a hedge paid or ended on:",
        closed_days_table(paid),
        current_month_line(designations.month_so_far(value_now(office))),
        realised_months_table([one for one in found.realised if one.sold.smallest]),
        bridge_table(found.bridge),
    )
    return Life(shown, len(closed), found.bridge.holds)


def _chain_file(day: date) -> str:
    return f"chain-{day}.csv"


def _import(office: Office, chain: Snapshot) -> None:
    """Write the chain as a file and import that file, as a person would."""
    name = _chain_file(chain.as_of.date())
    office.files.write(name, write_chain_csv(chain))
    quotes.take(office, market_from_text(office.files.text(name), name=name, as_of=None))


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
