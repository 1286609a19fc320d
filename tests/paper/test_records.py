"""The street's own records: each close settled from the fills alone, in the venue's shapes and pages."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from headframe.desk.clock import VirtualClock
from headframe.market import sample_market
from headframe.paper import Exchange, Fees, StreetMemory, World
from headframe.paper.rpc import RpcError
from headframe.paper.session import Session
from headframe.pricing import surface_of

FEES = Fees(option_coins=0.0003, option_cap_share=0.125, future_share=0.0005, forward_spread=0.0004)
FUTURE, PUT = "BTC-30OCT26", "BTC-30OCT26-80000-P"
EXPIRY = date(2026, 10, 30)
LATER = 2**50


class Street:
    """An exchange on a clock that jumps, its index on a course of its own."""

    def __init__(self, vol: float = 0.6) -> None:
        market = sample_market()
        self.clock = VirtualClock(market.as_of)
        self.world = World(self.clock, market, surface_of(market), FEES, 7, vol)
        self.exchange = Exchange(self.world, StreetMemory(None), [("me", "x", None), ("you", "x", None)])  # fmt: skip

    def call(self, method: str, who: str = "me", **params: Any) -> Any:
        account = next(one for one in self.exchange.accounts.all() if one.client_id == who)
        session = Session(account=account, scope=account.scopes)
        return asyncio.run(self.exchange.call(session, method, params))

    def to(self, day: date, hour: int = 9) -> None:
        asyncio.run(self.clock.wait_until(datetime(day.year, day.month, day.day, hour, tzinfo=UTC)))

    def deal(self, side: str, name: str, amount: float) -> list[dict[str, Any]]:
        answer = self.call(f"private/{side}", instrument_name=name, amount=amount, type="market")
        assert answer["order"]["filled_amount"] == amount
        trades: list[dict[str, Any]] = answer["trades"]
        return trades

    def every_page(self, method: str, rows: str, **params: Any) -> list[dict[str, Any]]:
        """Every row, following the continuation to the end."""
        found: list[dict[str, Any]] = []
        more: dict[str, Any] = {}
        while True:
            page = self.call(method, **params, **more)
            found += page[rows]
            if page["continuation"] is None:
                return found
            more = {"continuation": page["continuation"]}

    def settled(self, **params: Any) -> list[dict[str, Any]]:
        method = "private/get_settlement_history_by_currency"
        return self.every_page(method, "settlements", currency="BTC", count=7, **params)


def exact(figure: float) -> Fraction:
    return Fraction(str(figure))


@pytest.fixture
def street() -> Street:
    return Street()


def test_delivery_prices_are_one_of_each_close_and_come_in_pages(street: Street) -> None:
    first = street.call("public/get_delivery_prices", index_name="btc_usd")
    assert first == {"records_total": 0, "data": []}, "no close has passed"
    street.to(EXPIRY)
    pages = [
        street.call("public/get_delivery_prices", index_name="btc_usd", offset=n, count=25)
        for n in (0, 25, 50, 75)
    ]
    days = [date.fromisoformat(row["date"]) for page in pages for row in page["data"]]
    assert days[0] == EXPIRY
    assert len(days) == len(set(days)) == pages[0]["records_total"] == 69
    looks = [
        street.world.index_at(datetime(2026, 10, 30, 7, 30, tzinfo=UTC) + timedelta(minutes=n))
        for n in range(31)
    ]
    assert len(set(looks)) > 10, "the index moves"
    assert pages[0]["data"][0]["delivery_price"] == pytest.approx(sum(looks) / 31, abs=0.005)


def test_a_future_settles_each_day_and_is_delivered_as_its_fills_say(street: Street) -> None:
    fills = [(trade, -1) for trade in street.deal("sell", FUTURE, 500_000.0)]
    street.to(date(2026, 8, 25))
    fills += [(trade, 1) for trade in street.deal("buy", FUTURE, 200_000.0)]
    street.to(date(2026, 9, 1))
    fills += [(trade, 1) for trade in street.deal("buy", FUTURE, 300_000.0)]
    street.to(date(2026, 9, 3))
    fills += [(trade, -1) for trade in street.deal("sell", FUTURE, 100_000.0)]
    street.to(EXPIRY, 12)
    rows = street.settled()[::-1]
    assert [row["type"] for row in rows].count("delivery") == 1
    assert rows[-1]["type"] == "delivery"
    assert rows[-1]["mark_price"] == rows[-1]["index_price"]
    # A second computation, in plain Python: what was paid for, less what the close is worth.
    size, entry, at = Fraction(0), Fraction(0), 0
    for row in rows:
        cost = size / entry if size else Fraction(0)
        for trade, sign in fills:
            if at <= trade["timestamp"] < row["timestamp"]:
                size += sign * exact(trade["amount"])
                cost += sign * exact(trade["amount"]) / exact(trade["price"])
        at, entry = row["timestamp"], exact(row["mark_price"])
        assert row["position"] == size
        assert row["session_profit_loss"] == pytest.approx(float(cost - size / entry), abs=6e-9)
    zero = next(row for row in rows if row["position"] == 0)
    assert zero["session_profit_loss"] != 0, "what was closed in the session is still told"
    assert len([row for row in rows if row["position"] == 0]) == 1
    log = street.every_page(
        "private/get_transaction_log", "logs", currency="BTC", start_timestamp=0, end_timestamp=LATER, count=9
    )[::-1]  # fmt: skip
    assert log[0]["type"] == "deposit"
    balance = Fraction(0)
    for entry_row in log:
        balance += exact(entry_row["change"])
        assert entry_row["balance"] == pytest.approx(float(balance), abs=2e-8)
    held = street.call("private/get_account_summary", currency="BTC")
    assert held["equity"] == pytest.approx(log[-1]["balance"], abs=1e-6)
    assert held["balance"] == pytest.approx(held["equity"], abs=1e-8), "nothing is left open"


def test_an_option_pays_its_value_once_at_its_delivery() -> None:
    street = Street(vol=0.0)
    (bought,) = street.deal("buy", PUT, 0.1)[:1]
    street.to(EXPIRY, 7)
    assert street.settled() == [], "an option settles at its expiry alone"
    street.to(EXPIRY, 9)
    (row,) = street.settled(type="delivery")
    index = exact(street.world.snapshot.index)
    value = max(80_000 - index, Fraction(0)) / index
    assert value > 0
    assert row["mark_price"] == pytest.approx(float(value), abs=6e-10)
    assert row["position"] == 0.1
    gain = Fraction(1, 10) * (exact(row["mark_price"]) - exact(bought["price"]))
    assert row["profit_loss"] == pytest.approx(float(gain), abs=1e-8)
    balance = street.call("private/get_account_summary", currency="BTC")["balance"]
    fee = exact(bought["fee"])
    paid = Fraction(100) - exact(bought["price"]) / 10 - fee + value / 10
    assert balance == pytest.approx(float(paid), abs=1e-8)
    (delivered,) = street.call(
        "private/get_transaction_log", currency="BTC", start_timestamp=0, end_timestamp=LATER, query="delivery"
    )["logs"]  # fmt: skip
    assert delivered["change"] == pytest.approx(float(value / 10), abs=1e-8)
    assert street.call("private/get_settlement_history_by_currency", who="you", currency="BTC")["settlements"] == []  # fmt: skip


def test_the_market_tells_settlement_prices_that_accounts_settled_at(street: Street) -> None:
    street.deal("sell", FUTURE, 100_000.0)
    street.to(date(2026, 9, 2))
    public = street.every_page(
        "public/get_last_settlements_by_instrument", "settlements", instrument_name=FUTURE, type="settlement", count=4
    )  # fmt: skip
    assert [row["timestamp"] for row in public] == sorted((row["timestamp"] for row in public), reverse=True)  # fmt: skip
    mine = {row["timestamp"]: row["mark_price"] for row in street.settled()}
    assert mine == {row["timestamp"]: row["mark_price"] for row in public}
    assert len(mine) == 11
    everything = street.call("public/get_last_settlements_by_currency", currency="BTC", type="settlement", count=1_000)  # fmt: skip
    assert "BTC-PERPETUAL" in {row["instrument_name"] for row in everything["settlements"]}


def test_recent_and_historical_trades_by_time(street: Street) -> None:
    for amount in (10_000.0, 20_000.0, 30_000.0):
        street.deal("sell", FUTURE, amount)
        street.to(street.clock.now().date() + timedelta(days=1))
    span: dict[str, Any] = {
        "currency": "BTC",
        "start_timestamp": 0,
        "end_timestamp": LATER,
        "count": 1_000,
    }
    method = "private/get_user_trades_by_currency_and_time"
    recent = street.call(method, **span)
    whole = street.call(method, **span, historical=True, sorting="asc")
    assert sum(row["amount"] for row in whole["trades"]) == 60_000.0
    assert sum(row["amount"] for row in recent["trades"]) == 30_000.0
    assert whole["has_more"] is False
    assert whole["trades"] == sorted(whole["trades"], key=lambda row: row["timestamp"])
    first_only: dict[str, Any] = {**span, "count": 1}
    first = street.call(method, **first_only, historical=True, sorting="asc")
    assert (first["trades"], first["has_more"]) == (whole["trades"][:1], True)


def test_a_continuation_or_a_kind_that_is_none_is_refused(street: Street) -> None:
    refused: list[dict[str, Any]] = [{"continuation": "x"}, {"type": "apport"}, {"count": 1_001}]
    for bad in refused:
        with pytest.raises(RpcError):
            street.call("private/get_settlement_history_by_currency", currency="BTC", **bad)
    with pytest.raises(RpcError):
        street.call("private/get_settlement_history_by_currency")
