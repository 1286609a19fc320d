"""The street's protocol from outside: every side of Block RFQ, classic blocks, the lit book, keys and sockets."""

import asyncio
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from headframe.desk.clock import VirtualClock
from headframe.market import sample_market
from headframe.paper import Exchange, Fees, PacedClock, StreetMemory, StreetServer, World
from headframe.paper.rpc import RpcError
from headframe.paper.session import Session
from headframe.pricing import surface_of
from waiting import LIMIT, until_async

FEES = Fees(option_coins=0.0003, option_cap_share=0.125, future_share=0.0005, forward_spread=0.0004)
PUT, CALL, FUTURE = "BTC-25DEC26-70000-P", "BTC-25DEC26-88000-C", "BTC-25DEC26"
LEGS = [
    {"instrument_name": PUT, "amount": 50.0, "direction": "buy"},
    {"instrument_name": CALL, "amount": 50.0, "direction": "sell"},
]
RATIOS = [
    {"instrument_name": PUT, "ratio": 1, "direction": "buy"},
    {"instrument_name": CALL, "ratio": 1, "direction": "sell"},
]
DEALERS = [f"M{number}" for number in range(1, 6)]
KEYS: list[tuple[str, str, str | None]] = [
    ("me", "secret", None),
    ("other", "secret", None),
    *((name.lower(), "secret", name) for name in DEALERS),
]


class Venue:
    """An exchange without a network, on a clock that jumps, and its callers by name."""

    def __init__(self, path: Path | None = None, vol: float = 0.0) -> None:
        market = sample_market()
        self.clock = VirtualClock(market.as_of)
        self.world = World(self.clock, market, surface_of(market), FEES, 7, vol)
        self.exchange = Exchange(self.world, StreetMemory(path), KEYS)
        self.heard: dict[str, list[Any]] = {}
        self.sessions = {one.client_id: self._session(one) for one in self.exchange.accounts.all()}

    def _session(self, account: Any) -> Session:
        heard = self.heard[account.client_id] = []

        async def send(text: str) -> None:
            heard.append(json.loads(text))

        session = Session(send=send, account=account, scope=account.scopes)
        self.exchange.sessions.open.add(session)
        return session

    def call(self, who: str, method: str, **params: Any) -> Any:
        async def run() -> Any:
            found = await self.exchange.call(self.sessions[who], method, params)
            await self.exchange.settle()
            await self.clock.wait_until(self.clock.now())
            return found

        return asyncio.run(run())

    def refused(self, who: str, method: str, **params: Any) -> int:
        with pytest.raises(RpcError) as error:
            self.call(who, method, **params)
        return error.value.code

    def wait(self, seconds: float) -> None:
        asyncio.run(self.clock.wait_until(self.clock.now() + timedelta(seconds=seconds)))

    def ask(self, **changes: Any) -> int:
        """A request to the dealers with keys of their own."""
        made = self.call(
            "me", "private/create_block_rfq", **({"legs": LEGS, "makers": DEALERS} | changes)
        )
        return int(made["block_rfq_id"])

    def quote(self, who: str, rfq: int, put: float, **changes: Any) -> Any:
        """A dealer sells the collar: the put at a price, the call at 0.03."""
        legs = [RATIOS[0] | {"price": put}, RATIOS[1] | {"price": 0.03}]
        terms = {"block_rfq_id": rfq, "direction": "sell", "amount": 50.0, "legs": legs}
        return self.call(who, "private/add_block_rfq_quote", **(terms | changes))

    def accept(self, rfq: int, price: float, **changes: Any) -> Any:
        terms = {
            "block_rfq_id": rfq, "direction": "buy", "price": price, "amount": 50.0, "legs": RATIOS,
            "time_in_force": "fill_or_kill",
        }  # fmt: skip
        return self.call("me", "private/accept_block_rfq", **(terms | changes))

    def seen(self, rfq: int, who: str = "me") -> Any:
        return self.call(who, "private/get_block_rfqs", block_rfq_id=rfq)["block_rfqs"][0]


@pytest.fixture
def venue() -> Venue:
    return Venue()


# ---- Block RFQ ------------------------------------------------------------------


def test_a_taker_and_a_dealer_deal_and_both_hold_it(venue: Venue) -> None:
    rfq = venue.ask(label="mine")
    made = venue.quote("m1", rfq, 0.035, label="q1")
    assert made["quote_state"] == "open"
    assert made["price"] == pytest.approx(0.005)
    assert venue.seen(rfq)["asks"] == [], "blind for five seconds"
    with pytest.raises(RpcError, match="not_fully_filled"):
        venue.accept(rfq, 0.01)
    venue.wait(5)
    (level,) = venue.seen(rfq)["asks"]
    assert level["makers"] == ["M1"]
    block = venue.accept(rfq, 0.01)["block_trades"][0]
    assert [trade["price"] for trade in block["trades"]] == [0.035, 0.03]
    assert venue.seen(rfq)["state"] == "filled"
    assert venue.seen(rfq)["trades"][0] == {
        "direction": "buy", "price": pytest.approx(0.005), "amount": 50.0, "maker": "M1",
    }  # fmt: skip
    mine = {p["instrument_name"]: p["size"] for p in venue.call("me", "private/get_positions")}
    theirs = {p["instrument_name"]: p["size"] for p in venue.call("m1", "private/get_positions")}
    assert mine == {PUT: 50.0, CALL: -50.0}
    assert theirs == {PUT: -50.0, CALL: 50.0}
    cash = venue.call("me", "private/get_account_summary", currency="BTC")["balance"]
    assert cash == pytest.approx(100.0 - 50 * 0.005 - 2 * 50 * 0.0003)
    assert venue.call("me", "private/get_block_trade", id=block["id"])["trades"] == block["trades"]
    assert venue.call("me", "private/get_block_trades", block_rfq_id=rfq) == [block]
    assert venue.call("other", "private/get_block_trades", block_rfq_id=rfq) == []
    tape = venue.call("other", "public/get_block_rfq_trades", currency="BTC")["block_rfqs"]
    assert tape[0]["trades"] == [
        {"direction": "buy", "price": pytest.approx(0.005), "amount": 50.0}
    ]
    quote = venue.call("m1", "private/get_block_rfq_quotes", block_rfq_id=rfq)[0]
    assert (quote["quote_state"], quote["filled_amount"]) == ("filled", 50.0)


def test_any_part_quotes_add_up_and_each_is_paid_its_own_price(venue: Venue) -> None:
    rfq = venue.ask()
    venue.quote("m1", rfq, 0.035, amount=25.0)
    venue.quote("m2", rfq, 0.035, amount=25.0)
    venue.quote("m3", rfq, 0.036, amount=50.0)
    venue.wait(6)
    first, second = venue.seen(rfq)["asks"]
    assert (first["makers"], first["amount"]) == (["M1", "M2"], 50.0)
    assert second["makers"] == ["M3"]
    done = venue.accept(rfq, 0.01)
    assert len(done["block_trades"]) == 2
    assert {trade["maker"] for trade in venue.seen(rfq)["trades"]} == {"M1", "M2"}
    rfq = venue.ask()
    venue.quote("m1", rfq, 0.035, amount=25.0)
    venue.quote("m3", rfq, 0.036, amount=40.0)
    venue.wait(6)
    venue.accept(rfq, 0.01)
    prices = sorted((t["price"], t["amount"]) for t in venue.seen(rfq)["trades"])
    assert prices == [(pytest.approx(0.005), 25.0), (pytest.approx(0.006), 25.0)]


def test_all_or_none_comes_first_at_its_price_and_never_in_part(venue: Venue) -> None:
    rfq = venue.ask()
    venue.quote("m1", rfq, 0.035)
    venue.quote("m2", rfq, 0.035, execution_instruction="all_or_none")
    venue.wait(6)
    venue.accept(rfq, 0.005)
    assert venue.seen(rfq)["trades"][0]["maker"] == "M2"
    rfq = venue.ask()
    venue.quote("m1", rfq, 0.034, amount=25.0)
    venue.quote("m2", rfq, 0.035, execution_instruction="all_or_none")
    venue.wait(6)
    venue.accept(rfq, 0.005)
    assert [t["maker"] for t in venue.seen(rfq)["trades"]] == ["M2"]
    assert venue.refused("m1", "private/add_block_rfq_quote", block_rfq_id=rfq) == 11044
    rfq = venue.ask()
    with pytest.raises(RpcError, match="invalid_amount"):
        venue.quote("m1", rfq, 0.034, amount=25.0, execution_instruction="all_or_none")


def test_a_resting_price_is_met_later_and_replaced_and_taken_back(venue: Venue) -> None:
    rfq = venue.ask()
    made = venue.accept(rfq, 0.004, time_in_force="good_til_cancelled")
    assert made == {
        "block_trades": [],
        "trade_trigger": {"state": "untriggered", "price": 0.004, "direction": "buy"},
    }
    venue.accept(rfq, 0.006, time_in_force="good_til_cancelled")
    assert venue.seen(rfq)["trade_trigger"]["price"] == 0.006
    assert "trade_trigger" not in venue.seen(rfq, "m1")
    venue.quote("m1", rfq, 0.037)
    assert venue.seen(rfq)["state"] == "open"
    venue.quote("m2", rfq, 0.0355)
    filled = venue.seen(rfq)
    assert filled["state"] == "filled"
    assert filled["trade_trigger"]["state"] == "triggered"
    assert filled["trades"][0]["price"] == pytest.approx(0.0055)
    rfq = venue.ask()
    venue.accept(rfq, 0.006, time_in_force="good_til_cancelled")
    assert (
        venue.call("me", "private/cancel_block_rfq_trigger", block_rfq_id=rfq)["trade_trigger"][
            "cancel_reason"
        ]
        == "user_request"
    )
    venue.quote("m1", rfq, 0.034)
    assert venue.seen(rfq)["state"] == "open"
    assert venue.refused("me", "private/cancel_block_rfq_trigger", block_rfq_id=rfq) == 11044


def test_what_each_side_may_see(venue: Venue) -> None:
    for who in ("me", "m1", "m2"):
        venue.call(who, "private/subscribe", channels=["block_rfq.taker.any"])
    for who in ("m1", "m2"):
        channels = ["block_rfq.maker.BTC", "block_rfq.maker.quotes.BTC", "block_rfq.trades.any"]
        venue.call(who, "private/subscribe", channels=channels)
    rfq = venue.ask(disclosed=False, label="secret plan")
    shown = venue.heard["m1"][-1]["params"]
    assert shown["channel"] == "block_rfq.maker.BTC"
    assert shown["data"]["role"] == "maker"
    assert not {"taker", "label", "makers", "app_name"} & set(shown["data"])
    assert not shown["data"].get("bids")
    venue.quote("m1", rfq, 0.035)
    assert not [m for m in venue.heard["m2"] if "quotes" in m["params"]["channel"]]
    mine = [m for m in venue.heard["m1"] if m["params"]["channel"] == "block_rfq.maker.quotes.BTC"]
    assert isinstance(mine[-1]["params"]["data"], list)
    venue.wait(6)
    assert venue.seen(rfq)["asks"][0]["makers"] == ["ANONYMOUS"]
    assert venue.refused("other", "private/get_block_rfqs", block_rfq_id=rfq) == 11029
    venue.accept(rfq, 0.01)
    tape = [m for m in venue.heard["m2"] if m["params"]["channel"] == "block_rfq.trades.any"]
    assert tape
    assert "maker" not in json.dumps(tape[-1])
    with pytest.raises(RpcError, match="invalid_arguments"):
        venue.ask(disclosed=False, makers=DEALERS[:4])
    shown = venue.seen(venue.ask(), "m1")
    assert shown["taker"] == "me"


def test_a_dealer_edits_withdraws_and_is_held_to_limits(venue: Venue) -> None:
    rfq = venue.ask()
    quote = venue.quote("m1", rfq, 0.035, label="a")
    legs = [RATIOS[0] | {"price": 0.034}, RATIOS[1] | {"price": 0.03}]
    terms = {"direction": "sell", "amount": 50.0, "legs": legs}
    edited = venue.call("m1", "private/edit_block_rfq_quote", block_rfq_id=rfq, label="a", **terms)
    assert (edited["price"], edited["replaced"]) == (pytest.approx(0.004), True)
    buy = {"direction": "buy"}
    with pytest.raises(RpcError, match="quote_crossed"):
        venue.quote("m1", rfq, 0.034, **buy)
    venue.quote("m1", rfq, 0.033, **buy)
    done = venue.call(
        "m1", "private/cancel_block_rfq_quote", block_rfq_quote_id=quote["block_rfq_quote_id"]
    )
    assert done["quote_state"] == "cancelled"
    assert venue.refused("m2", "private/cancel_block_rfq_quote", block_rfq_quote_id=2) == 11044
    assert venue.call("m1", "private/cancel_all_block_rfq_quotes") == 1
    for number in range(10):
        venue.quote("m1", rfq, 0.04 + number / 1000)
    with pytest.raises(RpcError) as error:
        venue.quote("m1", rfq, 0.06)
    assert error.value.code == 13906
    assert venue.refused("me", "private/add_block_rfq_quote", block_rfq_id=rfq) == 13021
    assert venue.refused("m1", "private/create_block_rfq", legs="x") == -32602


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": 24.0}, 10021), ({"amount": 51.0}, 10021), ({"direction": "up"}, -32602), ({"legs": []}, -32602), ({"expires_at": 1}, -32602),
        ({"legs": [RATIOS[0] | {"price": 0.03505}, RATIOS[1] | {"price": 0.03}]}, 10043), ({"legs": [RATIOS[0] | {"price": 0.035}]}, -32602),
        ({"legs": [RATIOS[0] | {"price": -1.0}, RATIOS[1] | {"price": 0.03}]}, 10043), ({"execution_instruction": "some"}, -32602), ({"block_rfq_id": 9}, 11029),
        ({"amount": float("nan")}, -32602), ({"label": "x" * 65}, -32602),
    ],
)  # fmt: skip
def test_bad_quotes_are_refused(venue: Venue, changes: Any, code: int) -> None:
    rfq = venue.ask()
    with pytest.raises(RpcError) as error:
        venue.quote("m1", rfq, 0.035, **changes)
    assert error.value.code == code
    assert venue.call("m1", "private/get_block_rfq_quotes") == []


def test_a_hedge_leg_travels_with_options_only(venue: Venue) -> None:
    hedge = {
        "instrument_name": "BTC-PERPETUAL", "direction": "sell", "price": 77000.0, "amount": 100_000,
    }  # fmt: skip
    rfq = venue.ask(hedge=json.dumps(hedge))
    assert venue.seen(rfq)["hedge"] == hedge
    venue.quote("m1", rfq, 0.035)
    venue.wait(6)
    assert venue.refused("me", "private/accept_block_rfq", block_rfq_id=rfq) == -32602
    block = venue.accept(rfq, 0.01, hedge=hedge)["block_trades"][0]
    assert [one["instrument_name"] for one in block["trades"]] == [PUT, CALL, "BTC-PERPETUAL"]
    assert block["trades"][2]["block_trade_leg_count"] == 3
    assert block["trades"][2]["direction"] == "sell"
    future = [{"instrument_name": FUTURE, "amount": 200_000.0, "direction": "buy"}]
    assert venue.refused("me", "private/create_block_rfq", legs=future, hedge=hedge) == 11029
    wrong = hedge | {"instrument_name": PUT}
    assert venue.refused("me", "private/create_block_rfq", legs=LEGS, hedge=wrong) == 11029


def test_allocations_are_kept_and_shared_out(venue: Venue) -> None:
    parts = [{"user_id": 1000, "amount": 30.0}, {"user_id": 7, "amount": 20.0}]
    rfq = venue.ask(trade_allocations=parts)
    venue.quote("m1", rfq, 0.035)
    venue.wait(6)
    trade = venue.accept(rfq, 0.01)["block_trades"][0]["trades"][0]
    assert trade["trade_allocations"] == parts
    wrong = [{"user_id": 1000, "amount": 30.0}]
    assert (
        venue.refused("me", "private/create_block_rfq", legs=LEGS, trade_allocations=wrong)
        == -32602
    )


def test_requests_end_and_are_listed_by_page(venue: Venue) -> None:
    ids = [venue.ask() for _ in range(5)]
    venue.call("me", "private/cancel_block_rfq", block_rfq_id=ids[0])
    page = venue.call("me", "private/get_block_rfqs", count=2)
    assert [one["block_rfq_id"] for one in page["block_rfqs"]] == [5, 4]
    rest = venue.call("me", "private/get_block_rfqs", count=9, continuation=page["continuation"])
    assert [one["block_rfq_id"] for one in rest["block_rfqs"]] == [3, 2, 1]
    assert rest["continuation"] is None
    closed = venue.call("me", "private/get_block_rfqs", state="closed")["block_rfqs"]
    assert [one["block_rfq_id"] for one in closed] == [1]
    makers = venue.call("m1", "private/get_block_rfqs", role="taker")["block_rfqs"]
    assert makers == []
    for _ in range(6):
        venue.ask()
    assert venue.refused("me", "private/create_block_rfq", legs=LEGS) == 13907
    venue.wait(301)
    assert venue.seen(5)["state"] == "expired"
    info = venue.call("me", "private/get_block_rfq_user_info")
    assert info["users"][0]["taker_rating"] == 0.0
    assert venue.call("m1", "private/get_block_rfq_user_info")["parent"]["is_maker"]
    legs = venue.call("m1", "private/get_leg_prices", legs=LEGS, price=0.004)["legs"]
    assert legs[0]["price"] - legs[1]["price"] == pytest.approx(0.004)


# ---- classic blocks -------------------------------------------------------------


def test_a_classic_block_is_signed_by_one_and_executed_once_by_the_other(
    venue: Venue, tmp_path: Path
) -> None:
    stamp = venue.world.now_ms()
    trades = [{"instrument_name": PUT, "price": 0.05, "amount": 50.0, "direction": "buy"}]
    terms = {"timestamp": stamp, "nonce": "n", "trades": trades}
    given = venue.call("me", "private/verify_block_trade", role="maker", **terms)
    assert given["expires_at"] == stamp + 300_000
    word = {"counterparty_signature": given["signature"]}
    wrong = terms | {"trades": [trades[0] | {"price": 0.04}]}
    assert (
        venue.refused("other", "private/execute_block_trade", role="taker", **wrong, **word)
        == 11029
    )
    assert (
        venue.refused("other", "private/execute_block_trade", role="maker", **terms, **word)
        == 11029
    )
    block = venue.call("other", "private/execute_block_trade", role="taker", **terms, **word)
    assert block["trades"][0]["direction"] == "sell", "a taker of what the maker buys"
    assert (
        venue.refused("other", "private/execute_block_trade", role="taker", **terms, **word)
        == 11029
    )
    assert venue.call("me", "private/get_position", instrument_name=PUT)["size"] == 50.0
    assert venue.call("other", "private/get_position", instrument_name=PUT)["size"] == -50.0
    assert venue.call("other", "private/get_block_trades")[0]["id"] == block["id"]
    assert venue.call("me", "private/simulate_block_trade", role="maker", **terms)
    again = terms | {"nonce": "m"}
    given = venue.call("me", "private/verify_block_trade", role="maker", **again)["signature"]
    venue.call("me", "private/invalidate_block_trade_signature", signature=given)
    word = {"counterparty_signature": given}
    assert (
        venue.refused("other", "private/execute_block_trade", role="taker", **again, **word)
        == 11029
    )
    small = terms | {"trades": [trades[0] | {"amount": 10.0}]}
    assert venue.refused("me", "private/verify_block_trade", role="maker", **small) == 10021
    late = terms | {"timestamp": stamp - 400_000}
    assert venue.refused("me", "private/verify_block_trade", role="maker", **late) == -32602


# ---- the lit book ----------------------------------------------------------------


def test_an_order_walks_the_depth_and_what_it_took_is_gone(venue: Venue) -> None:
    book = venue.call("me", "public/get_order_book", instrument_name=FUTURE)
    (best, size), (second, more) = book["asks"][:2]
    done = venue.call(
        "me", "private/buy", instrument_name=FUTURE, amount=size + 10.0, price=second, type="limit"
    )
    assert [trade["price"] for trade in done["trades"]] == [best, second]
    assert done["order"]["order_state"] == "filled"
    book = venue.call("me", "public/get_order_book", instrument_name=FUTURE)
    assert book["asks"][0] == [second, more - 10.0]
    held = venue.call("me", "private/get_positions", kind="future")[0]
    assert held["size"] == size + 10.0
    closed = venue.call("me", "private/close_position", instrument_name=FUTURE, type="market")
    assert closed["order"]["filled_amount"] > 0.0


def test_orders_rest_meet_and_are_taken_back(venue: Venue) -> None:
    book = venue.call("me", "public/get_order_book", instrument_name=FUTURE)
    inside = book["asks"][0][0] - 2.5
    terms = {"instrument_name": FUTURE, "amount": 500.0, "price": inside}
    resting = venue.call("me", "private/sell", **terms, label="r", post_only=True)["order"]
    assert resting["order_state"] == "open"
    assert venue.call("other", "public/get_order_book", instrument_name=FUTURE)["asks"][0] == [
        inside, 500.0,
    ]  # fmt: skip
    bought = venue.call("other", "private/buy", **(terms | {"amount": 200.0}))
    assert bought["trades"][0]["liquidity"] == "T"
    state = venue.call("me", "private/get_order_state", order_id=resting["order_id"])
    assert state["filled_amount"] == 200.0
    trades = venue.call("me", "private/get_user_trades_by_instrument", instrument_name=FUTURE)
    assert trades["trades"][0]["liquidity"] == "M"
    assert venue.call("me", "private/get_open_orders_by_label", label="r")
    assert venue.refused("other", "private/cancel", order_id=resting["order_id"]) == 10004
    edited = venue.call(
        "me", "private/edit", order_id=resting["order_id"], amount=400.0, price=inside + 5.0
    )
    assert edited["order"]["replaced"]
    assert venue.call("me", "private/cancel_all_by_instrument", instrument_name=FUTURE) == 1
    assert venue.refused("me", "private/cancel", order_id=resting["order_id"]) == 11044
    assert venue.refused("me", "private/sell", **(terms | {"price": 1.0}), post_only=True) == 10043
    cheap = terms | {"price": 100.0}
    assert venue.refused("me", "private/sell", **cheap, post_only=True) == 11054
    assert venue.refused("me", "private/sell", **(terms | {"amount": 7.0})) == 10021
    big = terms | {"amount": 9e8, "time_in_force": "fill_or_kill", "price": 200_000.0}
    killed = venue.call("me", "private/buy", **big)
    assert (killed["trades"], killed["order"]["order_state"]) == ([], "cancelled")
    assert venue.refused("me", "private/buy", **terms, reduce_only=True) == 11029


def test_when_the_market_comes_to_a_resting_order_it_is_filled() -> None:
    venue = Venue(vol=0.8)
    venue.call(
        "me", "private/subscribe", channels=["user.orders.any.any.raw", "user.trades.any.any.raw"]
    )
    mark = venue.call("me", "public/ticker", instrument_name="BTC-PERPETUAL")["mark_price"]
    for gap in (-30.0, 30.0):
        price = round((mark + gap) / 2.5) * 2.5
        side = "buy" if gap < 0 else "sell"
        venue.call(
            "me", f"private/{side}", instrument_name="BTC-PERPETUAL", amount=100.0, price=price
        )
    for _ in range(40):
        venue.wait(30)
        asyncio.run(venue.exchange.tick())
    states = {one["order_state"] for one in venue.call(
        "me", "private/get_order_history_by_instrument", instrument_name="BTC-PERPETUAL"
    )}  # fmt: skip
    assert "filled" in states
    heard = [m["params"]["channel"] for m in venue.heard["me"]]
    assert "user.trades.any.any.raw" in heard


# ---- what it shows ----------------------------------------------------------------


def test_public_data_is_consistent(venue: Venue) -> None:
    rows = venue.call("me", "public/get_instruments", currency="BTC", kind="option")
    assert {row["kind"] for row in rows} == {"option"}
    row = next(one for one in rows if one["instrument_name"] == PUT)
    assert (row["block_trade_min_trade_amount"], row["strike"]) == (25.0, 70_000.0)
    assert row["option_type"] == "put"
    assert venue.call("me", "public/get_instruments", currency="ETH") == []
    assert len(venue.call("me", "public/get_instruments")) > len(rows)
    tick = venue.call("me", "public/ticker", instrument_name=PUT)
    assert tick["best_bid_price"] < tick["mark_price"] < tick["best_ask_price"]
    assert -1.0 < tick["greeks"]["delta"] < 0.0
    assert isinstance(tick["underlying_index"], str)
    call = venue.call("me", "public/ticker", instrument_name="BTC-25DEC26-70000-C")
    assert call["greeks"]["delta"] - tick["greeks"]["delta"] == pytest.approx(1.0, abs=2e-5)
    forward = tick["underlying_price"]
    parity = (call["mark_price"] - tick["mark_price"]) * forward
    assert parity == pytest.approx(forward - 70_000.0, abs=2e-4 * forward)
    summary = venue.call("me", "public/get_book_summary_by_currency", currency="BTC")
    assert len(summary) == len(venue.call("me", "public/get_instruments", currency="BTC"))
    assert venue.refused("me", "public/ticker", instrument_name="BTC-1JAN20-1-C") == 10020
    assert venue.refused("me", "public/get_instruments", currency="XX") == -32602
    assert venue.call("me", "public/get_expirations", currency="BTC", kind="any")["btc"]["future"]
    for method in (
        "get_time", "status", "get_currencies", "get_index_price_names", "test", "get_combos",
        "get_delivery_prices", "get_last_trades_by_currency",
    ):  # fmt: skip
        venue.call("me", f"public/{method}")


def test_the_index_walks_by_its_seed_alone() -> None:
    one, two = Venue(vol=0.5), Venue(vol=0.5)
    one.wait(3600)
    for _ in range(60):
        two.wait(60)
    assert one.world.index() == two.world.index() != Venue().world.index()
    step = [0.0] * 2000
    last = one.world.index()
    for number in range(len(step)):
        one.wait(10)
        now = one.world.index()
        step[number], last = now / last - 1.0, now
    yearly = (sum(x * x for x in step) / len(step) * 3_153_600) ** 0.5
    assert yearly == pytest.approx(0.5, rel=0.08)


def test_margin_and_the_simulated_portfolio_add_up(venue: Venue) -> None:
    asked = venue.call("me", "private/get_margins", instrument_name=CALL, amount=50.0, price=0.03)
    assert asked["buy"] == 0.0 < asked["sell"]
    before = venue.call("me", "private/get_account_summary", currency="BTC")["initial_margin"]
    trial = venue.call(
        "me", "private/simulate_portfolio", currency="BTC", simulated_positions={CALL: -50.0}
    )
    assert trial["initial_margin"] == pytest.approx(before + asked["sell"])
    assert venue.call("me", "private/get_positions") == []
    assert venue.call("me", "private/get_account_summaries")["summaries"][0]["currency"] == "BTC"
    assert venue.refused("me", "private/get_account_summary", currency="DOGE") == -32602


def test_at_the_settlement_nothing_trades(venue: Venue) -> None:
    venue.exchange.settling = True
    assert venue.refused("me", "private/create_block_rfq", legs=LEGS) == 10041
    venue.call("me", "private/get_block_rfqs")
    venue.exchange.settling = False
    venue.ask()


# ---- keys, scopes, sockets ----------------------------------------------------------


def signed(stamp: int, nonce: str, data: str = "") -> str:
    text = f"{stamp}\n{nonce}\n{data}".encode()
    return hmac.new(b"secret", text, sha256).hexdigest()


def test_grants_signatures_scopes_and_tokens(venue: Venue) -> None:
    bare = Session()

    def auth(**params: Any) -> Any:
        return asyncio.run(venue.exchange.call(bare, "public/auth", params))

    stamp = venue.world.now_ms()
    terms = {"grant_type": "client_signature", "client_id": "me", "timestamp": stamp, "nonce": "a"}
    tokens = auth(**terms, signature=signed(stamp, "a"))
    assert tokens["token_type"] == "bearer"
    for change, words in (
        ({"signature": signed(stamp, "a")}, "nonce was used"),
        ({"signature": signed(stamp, "b")}, "does not match"),
        (
            {"signature": signed(stamp - 70_000, "c"), "timestamp": stamp - 70_000, "nonce": "c"},
            "minute",
        ),
        ({"signature": "é", "nonce": "d"}, "does not match"),
    ):
        with pytest.raises(RpcError) as error:
            auth(**(terms | change))
        assert error.value.code == 13004
        assert words in error.value.reason
    fresh = auth(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert fresh["access_token"] != tokens["access_token"]
    call = venue.exchange.call
    read = auth(
        grant_type="client_credentials", client_id="me", client_secret="secret",
        scope="block_rfq:read account:read wallet:read_write session:x",
    )  # fmt: skip
    assert read["scope"] == "block_rfq:read account:read wallet:read session:x"
    params = {"legs": LEGS, "access_token": read["access_token"]}
    with pytest.raises(RpcError) as error:
        asyncio.run(call(Session(), "private/create_block_rfq", params))
    assert error.value.code == 13021
    venue.clock._now += timedelta(seconds=901)
    with pytest.raises(RpcError) as error:
        asyncio.run(
            call(Session(), "private/get_positions", {"access_token": fresh["access_token"]})
        )
    assert error.value.code == 13009


def served(work: Callable[[StreetServer], Any], *, keys: Any = KEYS, path: Any = None) -> Any:
    """Run blocking work in a thread against a server on a clock like ours."""

    async def run() -> Any:
        market = sample_market()
        clock = PacedClock(market.as_of, 20.0)
        world = World(clock, market, surface_of(market), FEES, 7, 0.4)
        exchange = Exchange(world, StreetMemory(path), list(keys), welcomes=not keys)
        exchange.accounts.wall_ms = lambda: int(time.time() * 1000)
        async with StreetServer(exchange) as server:
            found = await asyncio.to_thread(work, server)
        clock.end()
        return found

    return asyncio.run(run())


def http_call(
    server: StreetServer, method: str, path: str, body: str = "", headers: Any = None
) -> tuple[int, Any]:
    host, _, port = server.address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=LIMIT)
    connection.request(method, path, body or None, headers or {})
    reply = connection.getresponse()
    text = reply.read()
    connection.close()
    return reply.status, json.loads(text)


def test_http_in_the_three_forms_clients_use() -> None:
    def work(server: StreetServer) -> None:
        status, got = http_call(server, "GET", "/api/v2/public/get_index_price?index_name=btc_usd")
        assert (status, got["result"]["index_price"] > 1.0) == (200, True)
        frame = json.dumps({"jsonrpc": "2.0", "id": 5, "method": "public/get_time", "params": {}})
        for path in ("/api/v2", "/api/v2/", "/api/v2/public/get_time"):
            status, got = http_call(server, "POST", path, frame)
            assert (status, got["id"]) == (200, 5)
        status, got = http_call(server, "POST", "/api/v2/public/get_time", '{"params": {}}')
        assert (status, got["error"]["code"]) == (400, 11050)
        assert http_call(server, "POST", "/api/v2", "x" * 40_000)[0] == 413
        assert http_call(server, "GET", "/elsewhere")[0] == 404
        status, got = http_call(server, "GET", "/api/v2/private/get_positions")
        assert (status, got["error"]["code"]) == (401, 13009)
        status, got = http_call(
            server,
            "GET",
            "/api/v2/public/auth?grant_type=client_credentials&client_id=me&client_secret=secret",
        )
        token = got["result"]["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        status, got = http_call(server, "GET", "/api/v2/private/get_positions", headers=bearer)
        assert got["result"] == []
        legs = (
            json.dumps([leg | {"amount": 25} for leg in LEGS]).replace(" ", "").replace('"', "%22")
        )
        status, got = http_call(
            server, "GET", f"/api/v2/private/create_block_rfq?legs={legs}", headers=bearer
        )
        assert got["result"]["state"] == "created"
        status, got = http_call(
            server,
            "GET",
            "/api/v2/private/create_block_rfq?legs=[{'instrument_name':'x'}]".replace("'", "%27"),
            headers=bearer,
        )
        assert got["error"]["code"] == -32602, "a Python repr is no JSON"

    served(work)


def test_an_http_request_signed_in_its_header_whatever_the_order_of_its_fields() -> None:
    def work(server: StreetServer) -> None:
        uri, stamp = "/api/v2/private/get_positions?kind=any", int(time.time() * 1000)
        for place, form in enumerate(
            ("id=me,ts={t},sig={s},nonce={n}", "id=me,ts={t},nonce={n},sig={s}")
        ):
            text = f"{stamp}\nn{place}\nGET\n{uri}\n\n".encode()
            sig = hmac.new(b"secret", text, sha256).hexdigest()
            head = "deri-hmac-sha256 " + form.format(t=stamp, s=sig, n=f"n{place}")
            assert http_call(server, "GET", uri, headers={"Authorization": head})[0] == 200
            status, got = http_call(server, "GET", uri, headers={"Authorization": head})
            assert (status, got["error"]["code"]) == (401, 13004)
        for bad in ("Basic x", "deri-hmac-sha256 id=me", "deri-hmac-sha256 ts=x", "Bearer none"):
            assert http_call(server, "GET", uri, headers={"Authorization": bad})[0] == 401

    served(work)


def test_any_key_is_welcome_where_none_was_named_and_keeps_its_first_secret() -> None:
    def work(server: StreetServer) -> None:
        form = "/api/v2/public/auth?grant_type=client_credentials&client_id={}&client_secret={}"
        assert http_call(server, "GET", form.format("me", "one"))[0] == 200
        assert http_call(server, "GET", form.format("me", "one"))[0] == 200
        assert http_call(server, "GET", form.format("me", "two"))[0] == 401
        _, got = http_call(server, "GET", form.format("maker7", "x"))
        bearer = {"Authorization": f"Bearer {got['result']['access_token']}"}
        _, got = http_call(server, "GET", "/api/v2/private/get_block_rfq_makers", headers=bearer)
        assert "MAKER7" in got["result"]

    served(work, keys=())


def socket_talk(work: Callable[[Any, StreetServer], Any]) -> Any:
    def threaded(server: StreetServer) -> Any:
        async def run() -> Any:
            async with connect(server.url) as socket:
                return await work(socket, server)

        return asyncio.run(run())

    return served(threaded)


async def ask(socket: Any, method: str, **params: Any) -> Any:
    await socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    while True:
        reply = json.loads(await asyncio.wait_for(socket.recv(), LIMIT))
        if reply.get("id") == 1:
            return reply


SIGN_IN = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret"}


def test_over_a_socket_quotes_come_as_they_are_made() -> None:
    async def work(socket: Any, server: StreetServer) -> None:
        del server
        assert (await ask(socket, "public/auth", **SIGN_IN))["result"]["sid"]
        await ask(socket, "private/subscribe", channels=["block_rfq.taker.BTC", "nothing.here"])
        made = (await ask(socket, "private/create_block_rfq", legs=LEGS, makers=["amber"]))[
            "result"
        ]
        assert made["expiration_timestamp"] - made["creation_timestamp"] == 300_000
        while True:
            heard = json.loads(await asyncio.wait_for(socket.recv(), LIMIT))
            data = heard["params"]["data"]
            if data["asks"]:
                break
        assert data["asks"][0]["makers"] == ["amber"]
        assert data["asks"][0]["last_update_timestamp"] >= made["creation_timestamp"] + 4_000
        refused = await ask(socket, "public/subscribe", channels=["user.orders.any.any.raw"])
        assert refused["error"]["code"] == 13009

    socket_talk(work)


def test_a_silent_client_is_closed_with_4000_and_its_orders_are_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work(socket: Any, server: StreetServer) -> None:
        await ask(socket, "public/auth", **SIGN_IN)
        assert (await ask(socket, "public/set_heartbeat", interval=9))["error"]["code"] == -32602
        await ask(socket, "private/enable_cancel_on_disconnect")
        await ask(socket, "private/buy", instrument_name="BTC-PERPETUAL", amount=100, price=10_000)
        (session,) = server.exchange.sessions.open
        session.heartbeat = 0.2  # shorter than the venue allows, so that a test need not wait
        await ask(socket, "public/test")
        with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012 - beats come before the end
            while True:
                heard = json.loads(await asyncio.wait_for(socket.recv(), LIMIT))
                assert heard["method"] == "heartbeat"
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "heartbeat close")
        await until_async(
            lambda: (
                [one["order_state"] for one in server.exchange.lit.orders.values()] == ["cancelled"]
            ),
            "the order to be cancelled",
        )

    socket_talk(work)


def test_logging_out_ends_the_session_and_its_tokens() -> None:
    async def work(socket: Any, server: StreetServer) -> None:
        del server
        await ask(socket, "public/auth", **SIGN_IN)
        await ask(socket, "private/logout")
        with pytest.raises(ConnectionClosed):
            await socket.recv()

    socket_talk(work)


def test_threads_of_clients_at_once_each_hear_their_own() -> None:
    def work(server: StreetServer) -> None:
        answers: list[int] = []

        def one(number: int) -> None:
            for turn in range(20):
                frame = {"id": number * 100 + turn, "method": "public/get_time", "params": {}}
                _, got = http_call(server, "POST", "/api/v2", json.dumps(frame))
                answers.append(got["id"])

        threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == sorted(n * 100 + t for n in range(8) for t in range(20))

    served(work)


JUNK: list[Any] = [
    None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**30, "", "x" * 300, "１２", "\ud800", "\0", [], [[]], [None], {}, {"a": 1}, [{}], "[]", "{", "null",
    PUT, "BTC-PERPETUAL", "buy", LEGS, json.dumps(LEGS), 1, "1", 25.0, "block_rfq.taker.any", ["block_rfq.maker.quotes.XX"], ["ticker.x.raw", "book."],
]  # fmt: skip
NAMES = (
    "legs", "makers", "label", "disclosed", "hedge", "trade_allocations", "block_rfq_id", "direction", "price", "amount", "time_in_force", "count", "continuation",
    "role", "state", "currency", "kind", "instrument_name", "index_name", "offset", "depth", "grant_type", "client_id", "client_secret", "signature", "timestamp",
    "nonce", "channels", "interval", "scope", "trades", "counterparty_signature", "order_id", "type", "post_only", "reduce_only", "simulated_positions",
    "add_positions", "execution_instruction", "expires_at", "block_rfq_quote_id", "id", "extended", "access_token", "refresh_token", "contracts", "expired",
)  # fmt: skip


def test_whatever_is_said_every_method_answers_by_the_venues_table(venue: Venue) -> None:
    import random

    from headframe.paper.rpc import Params

    draw = random.Random(3)
    venue.quote("m1", venue.ask(), 0.035)
    methods = [*venue.exchange._methods, *venue.exchange._guarded]
    assert len(methods) > 70

    async def talk(who: str) -> None:
        session = venue.sessions[who]
        for turn in range(2_000):
            method = methods[turn % len(methods)]
            whole_chain = method.startswith("public/get_book_summary_by")
            if method == "private/logout" or (whole_chain and turn > 8 * len(methods)):
                continue  # a chain has a thousand prices to answer with
            params = {name: draw.choice(JUNK) for name in draw.sample(NAMES, draw.randrange(9))}
            with suppress(RpcError):
                json.dumps(await venue.exchange.call(session, method, params))
            session.account = next(
                one for one in venue.exchange.accounts.all() if one.client_id == who
            )
            session.scope = session.account.scopes
            session.closed = False

    for who in ("me", "m1"):
        asyncio.run(talk(who))
    assert Params({"a": "7"}).whole("a") == 7


def test_a_fault_of_our_own_is_an_answer_and_the_session_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def work(socket: Any, server: StreetServer) -> None:
        def broken(*_: Any) -> None:
            raise KeyError("planted")

        server.exchange._methods["public/status"] = broken
        assert (await ask(socket, "public/status"))["error"]["code"] == -32603
        assert (await ask(socket, "public/test"))["result"]

    socket_talk(work)
    assert "planted" in capsys.readouterr().err


COLLAR = [
    {"instrument_name": PUT, "amount": 1.0, "direction": "buy"},
    {"instrument_name": CALL, "amount": 1.0, "direction": "sell"},
]


def test_a_combination_is_made_once_whoever_names_its_legs_and_how() -> None:
    venue = Venue()
    made = venue.call("me", "private/create_combo", trades=COLLAR)
    assert made["id"] == "BTC-RR-25DEC26-70000_88000"
    assert made["legs"] == [
        {"instrument_name": CALL, "amount": 1},
        {"instrument_name": PUT, "amount": -1},
    ]
    turned = [
        {**one, "amount": 2.5, "direction": "sell" if one["direction"] == "buy" else "buy"}
        for one in COLLAR[::-1]
    ]
    assert venue.call("other", "private/create_combo", trades=turned) == made
    assert venue.call("me", "public/get_combo_ids", currency="BTC") == [made["id"]]
    assert venue.call("me", "public/get_combo_details", combo_id=made["id"]) == made
    assert venue.call("me", "public/get_combos", currency="BTC") == [made]
    assert venue.call("me", "public/get_combos", currency="ETH") == []
    (row,) = venue.call("me", "public/get_instruments", currency="BTC", kind="option_combo")
    assert row["instrument_name"] == made["id"]
    plain = venue.call("me", "public/get_instruments", currency="BTC")
    assert made["id"] not in {one["instrument_name"] for one in plain}
    for bad in (
        COLLAR[:1],
        [COLLAR[0], COLLAR[0]],
        [COLLAR[0], {"instrument_name": FUTURE, "amount": 10.0, "direction": "sell"}],
        [COLLAR[0], {**COLLAR[1], "amount": 0.05}],
        [COLLAR[0], {**COLLAR[1], "instrument_name": made["id"]}],
    ):
        with pytest.raises(RpcError):
            venue.call("me", "private/create_combo", trades=bad)


def test_a_combination_is_dealt_whole_at_a_net_price_and_becomes_its_legs(tmp_path: Path) -> None:
    venue = Venue(tmp_path / "street.jsonl")
    name = venue.call("me", "private/create_combo", trades=COLLAR)["id"]
    book = venue.call("me", "public/get_order_book", instrument_name=name, depth=5)
    bid, ask = book["best_bid_price"], book["best_ask_price"]
    assert bid < book["mark_price"] < ask
    legs = {
        one: venue.call("me", "public/get_order_book", instrument_name=one) for one in (PUT, CALL)
    }
    spread = sum(one["best_ask_price"] - one["best_bid_price"] for one in legs.values())
    assert ask - bid < spread, "dealt together they cost less than apart"
    done = venue.call(
        "me", "private/sell", instrument_name=name, amount=0.3, type="limit", price=bid,
        time_in_force="fill_or_kill", label="mine",
    )  # fmt: skip
    assert done["order"]["order_state"] == "filled"
    (trade,) = done["trades"]
    by_name = {leg["instrument_name"]: leg for leg in trade["legs"]}
    assert by_name[PUT]["direction"] == "buy"
    assert by_name[CALL]["direction"] == "sell"
    assert by_name[CALL]["price"] - by_name[PUT]["price"] == pytest.approx(bid, abs=1e-9)
    assert trade["fee"] == pytest.approx(sum(leg["fee"] for leg in trade["legs"]))
    shown = venue.call("me", "private/get_user_trades_by_instrument", instrument_name=PUT, count=10)
    assert [one["combo_id"] for one in shown["trades"]] == [name]
    assert [one["label"] for one in shown["trades"]] == ["mine"]
    shown = venue.call("me", "private/get_user_trades_by_currency", currency="BTC", count=10)
    assert sorted(one["instrument_name"] for one in shown["trades"]) == [PUT, CALL], "not thrice"

    def sizes(one: Venue) -> dict[str, float]:
        rows = one.call("me", "private/get_positions", currency="any")
        return {row["instrument_name"]: row["size"] for row in rows}

    assert sizes(venue) == {PUT: 0.3, CALL: -0.3}
    again = Venue(tmp_path / "street.jsonl")
    assert sizes(again) == {PUT: 0.3, CALL: -0.3}
    assert again.call("me", "public/get_combo_ids", currency="any") == [name]
    with pytest.raises(RpcError, match="invalid_amount"):
        again.call("me", "private/sell", instrument_name=name, amount=0.05, type="limit", price=bid)
    killed = again.call(
        "me", "private/sell", instrument_name=name, amount=10_000.0, type="limit", price=bid,
        time_in_force="fill_or_kill",
    )  # fmt: skip
    assert killed["trades"] == []
    assert sizes(again) == {PUT: 0.3, CALL: -0.3}
