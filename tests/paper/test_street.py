import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from headframe.desk.clock import VirtualClock
from headframe.market import sample_market
from headframe.paper import Exchange, Fees, StreetMemory, StreetServer, World
from headframe.paper.accounts import Account
from headframe.paper.dealers import HABITS, answer
from headframe.paper.rpc import Params, RpcError
from headframe.pricing import surface_of

FEES = Fees(option_coins=0.0003, option_cap_share=0.125, future_share=0.0005, forward_spread=0.0004)
LEGS = [
    {"instrument_name": "BTC-25DEC26-70000-P", "amount": 50.0, "direction": "buy"},
    {"instrument_name": "BTC-25DEC26-88000-C", "amount": 50.0, "direction": "sell"},
]


class Taker:
    """An exchange on a clock that jumps, and one taker at it."""

    def __init__(self, path: Any = None, seed: Any = 7, keys: Any = ()) -> None:
        market = sample_market()
        world = World(VirtualClock(market.as_of), market, surface_of(market), FEES, seed)
        self.exchange = Exchange(world, StreetMemory(path), [("me", "secret", None), *keys])
        self.street = self.exchange.street
        self.clock: Any = world.clock
        self.account: Account = self.exchange.accounts.all()[0]

    def create(self, params: Any) -> Any:
        return self.street.create(Params(params), self.account)

    def accept(self, params: Any) -> Any:
        return self.street.accept(Params(params), self.account)

    def cancel(self, params: Any) -> Any:
        return self.street.cancel(Params(params), self.account)

    def request(self, number: int) -> Any:
        return self.street.request(number)

    def shown(self, request: Any) -> Any:
        return self.street.shown(request, self.account)


def street(path: Any = None, seed: Any = 7, keys: Any = ()) -> Any:
    return Taker(path, seed, keys)


def wait(one: Any, seconds: Any) -> None:
    asyncio.run(one.clock.wait_until(one.clock.now() + timedelta(seconds=seconds)))


def test_quotes_come_with_time_hidden_for_five_seconds_and_die_at_their_end() -> None:
    one = street()
    made = one.create({"legs": LEGS, "label": "mine"})
    assert made["state"] == "created"
    assert made["bids"] == made["asks"] == []
    assert made["expiration_timestamp"] - made["creation_timestamp"] == 300_000
    wait(one, 4.9)
    assert one.shown(one.request(1))["asks"] == []
    wait(one, 40)
    shown = one.shown(one.request(1))
    assert shown["asks"]
    for bid, ask in zip(shown["bids"], shown["asks"], strict=False):
        assert bid["price"] < ask["price"]
    wait(one, 300)
    assert one.shown(one.request(1))["state"] == "expired"
    assert one.shown(one.request(1))["asks"] == []


def test_the_same_seed_answers_alike_and_habits_show() -> None:
    replies = [
        answer(name, seed=3, number=n, half_spread=1.0) for n in range(400) for name in HABITS
    ]
    assert replies == [
        answer(name, seed=3, number=n, half_spread=1.0) for n in range(400) for name in HABITS
    ]
    kept = [reply for reply in replies if reply is not None]
    silent = 1 - len(kept) / len(replies)
    assert 0.08 < silent < 0.18
    assert any(reply.dawdled for reply in kept)
    assert all(reply.delay > 0 and reply.life > 0 for reply in kept)


def accept(one: Any, **changes: Any) -> Any:
    request = one.request(1)
    params = {
        "block_rfq_id": 1, "direction": "buy", "price": 1.0, "amount": 50.0,
        "legs": request["legs"], "time_in_force": "fill_or_kill",
    }  # fmt: skip
    return one.accept(params | changes)


def test_accepting_fills_the_best_price_whole_or_not_at_all() -> None:
    one = street()
    one.create({"legs": LEGS})
    wait(one, 40)
    best = min(level["price"] for level in one.shown(one.request(1))["asks"])
    with pytest.raises(RpcError, match="not_fully_filled"):
        accept(one, price=best - 0.0001)
    trade = accept(one, price=best + 0.01)["block_trades"][0]
    assert one.request(1)["trades"][0]["price"] == best
    put, call = trade["trades"]
    assert put["direction"] == "buy"
    assert call["direction"] == "sell"
    assert put["price"] - call["price"] == pytest.approx(best, abs=1e-9)
    assert put["fee"] == pytest.approx(50 * min(0.0003, 0.125 * put["price"]))
    with pytest.raises(RpcError, match="not_open_order"):
        accept(one)
    with pytest.raises(RpcError, match="not_open_order"):
        one.cancel({"block_rfq_id": 1})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"direction": "up"}, -32602), ({"price": "x"}, -32602), ({"price": float("nan")}, -32602), ({"amount": 49.0}, -32602),
        ({"legs": []}, -32602), ({"time_in_force": "good_til_day"}, -32602), ({"block_rfq_id": 9}, 11029), ({"block_rfq_id": "x"}, -32602),
    ],
)  # fmt: skip
def test_bad_acceptances_are_refused(change: Any, code: Any) -> None:
    one = street()
    one.create({"legs": LEGS})
    wait(one, 40)
    with pytest.raises(RpcError) as error:
        accept(one, **change)
    assert error.value.code == code
    assert one.request(1)["state"] == "open"


@pytest.mark.parametrize(
    ("legs", "code"),
    [
        ([], -32602), ("x", -32602), ([5], -32602), ([LEGS[0] | {"amount": 24.9}], 10021), ([LEGS[0] | {"amount": "fifty"}], 10021),
        ([LEGS[0] | {"instrument_name": "BTC-25DEC20-70000-P"}], 10020), ([LEGS[0] | {"instrument_name": "x"}], 10020),
        ([LEGS[0] | {"direction": "hold"}], -32602), ([LEGS[0] | {"direction": "sell"}], -32602), ([LEGS[0], LEGS[0]], -32602),
        ([LEGS[0], LEGS[1] | {"amount": 75.0}], 10021), ([{"instrument_name": "BTC-25DEC26", "amount": 199_990.0, "direction": "buy"}], 10021),
        ([LEGS[0], {"instrument_name": "BTC_USD-25DEC26-60000-P", "amount": 50.0, "direction": "buy"}], 11029),
    ],
)  # fmt: skip
def test_bad_requests_are_refused_with_the_venues_codes(legs: Any, code: Any) -> None:
    with pytest.raises(RpcError) as error:
        street().create({"legs": legs})
    assert error.value.code == code


def test_the_street_remembers_over_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "street.jsonl"
    one = street(path)
    one.create({"legs": LEGS, "label": "mine"})
    wait(one, 40)
    accept(one)
    with path.open("a") as file:
        file.write('{"block_rfq_id": 2, "sta')  # a line cut short by a crash
    again = street(path)
    assert again.request(1)["state"] == "filled"
    assert again.request(1)["blocks"] == one.request(1)["blocks"]
    assert again.account.positions["BTC-25DEC26-70000-P"].size == 50.0
    assert again.create({"legs": LEGS})["block_rfq_id"] == 2
    assert street(path).request(2)["state"] == "open"


def test_a_street_that_cannot_write_does_nothing_and_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "street.jsonl"
    one = street(blocked)
    blocked.mkdir()
    create = {"id": 2, "method": "private/create_block_rfq", "params": {"legs": LEGS}}
    replies = talk(AUTH, create, {"id": 3, "method": "private/get_block_rfqs"}, one=one)
    assert replies[1]["error"]["code"] == 11051
    assert replies[2]["result"]["block_rfqs"] == []


def talk(*frames: Any, one: Any = None) -> Any:
    """Send raw frames to a server and return what comes back for each."""

    async def run() -> Any:
        answers, heard = [], []
        async with (
            StreetServer((one or street()).exchange) as server,
            connect(server.url) as socket,
        ):
            for frame in frames:
                await socket.send(frame if isinstance(frame, str) else json.dumps(frame))
                while "method" in (reply := json.loads(await socket.recv())):
                    heard.append(reply)
                answers.append(reply)
        return answers

    return asyncio.run(run())


AUTH = {
    "id": 1,
    "method": "public/auth",
    "params": {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret"},
}


def test_the_envelope_is_the_venues() -> None:
    (reply,) = talk({"jsonrpc": "2.0", "id": 7, "method": "public/get_time", "params": {}})
    assert reply["id"] == 7
    assert reply["jsonrpc"] == "2.0"
    assert {"testnet", "usIn", "usOut", "usDiff", "result"} <= set(reply)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", -32700), ("[]", -32600), ("[" * 3000, -32700), ('{"id": 1}', -32600), ({"id": 1, "method": "public/nothing"}, -32601),
        ({"id": 1, "method": "private/get_block_rfqs"}, 13009), ({"id": 1, "method": "private/subscribe", "params": {"channels": []}}, 13009),
        ({"id": 1, "method": "public/auth", "params": {"grant_type": "client_credentials", "client_id": "me", "client_secret": "wrong"}}, 13004),
        ({"id": 1, "method": "public/auth", "params": {"grant_type": "other"}}, -32602), ({"id": 1, "method": "public/test", "params": [1]}, -32602),
    ],
)  # fmt: skip
def test_errors_carry_the_venues_codes(frame: Any, code: Any) -> None:
    (reply,) = talk(frame)
    assert reply["error"]["code"] == code


def test_signed_in_calls_work_and_lists_are_paged() -> None:
    create = {"id": 2, "method": "private/create_block_rfq", "params": {"legs": LEGS, "label": "x"}}
    listed = {"id": 3, "method": "private/get_block_rfqs", "params": {"count": 5}}
    wrong = {"id": 4, "method": "private/get_block_rfqs", "params": {"count": 0}}
    makers = {"id": 5, "method": "private/get_block_rfq_makers"}
    trades = {"id": 6, "method": "private/get_block_trades", "params": {"block_rfq_id": 1}}
    replies = talk(
        AUTH,
        create,
        listed,
        wrong,
        makers,
        trades,
        {"id": 7, "method": "public/set_heartbeat", "params": {"interval": 10}},
    )
    assert replies[0]["result"]["token_type"] == "bearer"
    assert replies[2]["result"]["block_rfqs"][0]["label"] == "x"
    assert replies[3]["error"]["code"] == -32602
    assert replies[4]["result"] == list(HABITS)
    assert replies[5]["result"] == []
    assert replies[6]["result"] == "ok"


def test_a_frame_over_32_kb_ends_the_session_without_an_id() -> None:
    async def run() -> None:
        async with (
            StreetServer(street().exchange) as server,
            connect(server.url) as socket,
        ):
            await socket.send("x" * 40_000)
            reply = json.loads(await socket.recv())
            assert reply["error"]["code"] == -32600
            assert "id" not in reply
            with pytest.raises(ConnectionClosed):
                await socket.recv()

    asyncio.run(run())


def test_the_clock_keeps_appointments_in_order_and_never_runs_backwards() -> None:
    clock = VirtualClock(sample_market().as_of)
    seen = []

    def note(name: int) -> Any:
        async def task() -> None:
            seen.append((name, clock.now()))

        return task

    start = clock.now()
    for seconds in (30, 10, 20, 10):
        clock.call_at(start + timedelta(seconds=seconds), note(seconds))
    asyncio.run(clock.wait_until(start + timedelta(seconds=25)))
    assert [name for name, _ in seen] == [10, 10, 20]
    assert [(at - start).total_seconds() for _, at in seen] == [10, 10, 20]
    assert clock.now() == start + timedelta(seconds=25)
    asyncio.run(clock.wait_until(start))
    assert clock.now() == start + timedelta(seconds=25)
