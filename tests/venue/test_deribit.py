"""The adapter against recorded messages, and against servers that misbehave on loopback."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.server import serve

from headframe.desk.clock import VirtualClock
from headframe.desk.ports import Malformed, Refused, Unreachable
from headframe.instrument import Leg, Structure, StructureKind, parse_instrument
from headframe.mandate import recall_approval
from headframe.rfq import Direction, Request, Taking
from headframe.venue import Credentials, DeribitVenue, JsonRpcClient
from headframe.venue.deribit import parse
from waiting import LIMIT

AT = datetime(2026, 8, 24, 10, tzinfo=UTC)
COLLAR = Structure(
    StructureKind.COSTLESS_COLLAR,
    (
        Leg(parse_instrument("BTC-25DEC26-70000-P"), 1),
        Leg(parse_instrument("BTC-25DEC26-88000-C"), -1),
    ),
)
REQUEST = Request(
    id="ab" * 16,
    approval=recall_approval(
        proposal="P-1", envelope_sha256="e", mandate_sha256="m", preparer="a", approver="b", at=AT, expires_at=AT + timedelta(hours=1)
    ),
    envelope_sha256="e", structure=COLLAR, direction=Direction.BUY, size=Decimal(50), amount=Decimal(50), panel=("amber", "basalt"),
    disclosed=True, opened_at=AT, respond_by=AT + timedelta(seconds=45), limit=Decimal("0.001"), reference=-0.001, gross=0.1, forward=78_000.0,
)  # fmt: skip
# The shape of block_rfq.taker notifications and of private/get_block_rfqs (Deribit API 2.1.1).
RFQ: dict[str, Any] = {
    "block_rfq_id": 507, "role": "taker", "state": "open", "creation_timestamp": 1787565600000, "expiration_timestamp": 1787565900000,
    "amount": 50.0, "min_trade_amount": 50.0, "combo_id": None, "hedge": None, "makers": ["amber", "basalt"], "label": REQUEST.id,
    "legs": [{"ratio": 1, "instrument_name": "BTC-25DEC26-70000-P", "direction": "buy"}, {"ratio": 1, "instrument_name": "BTC-25DEC26-88000-C", "direction": "sell"}],
    "bids": [], "asks": [{"makers": ["amber", "basalt"], "price": -0.0012, "amount": 50.0, "last_update_timestamp": 1787565610000, "execution_instruction": "any_part_of", "expires_at": 1787565700000}],
    "disclosed": True, "taker_rating": "1-2", "mark_price": -0.001, "index_prices": {"btc_usd": 77054.0}, "trades": [], "included_in_taker_rating": True,
}  # fmt: skip
BLOCK: dict[str, Any] = {
    "id": "BLOCK-423", "timestamp": 1787565650000,
    "trades": [
        {"trade_id": "1", "instrument_name": "BTC-25DEC26-70000-P", "direction": "buy", "price": 0.05, "amount": 50.0, "fee": 0.015, "fee_currency": "BTC"},
        {"trade_id": "2", "instrument_name": "BTC-25DEC26-88000-C", "direction": "sell", "price": 0.0512, "amount": 50.0, "fee": 0.015, "fee_currency": "BTC"},
    ],
}  # fmt: skip


def test_a_request_goes_out_in_the_venues_words() -> None:
    made = parse.creation(REQUEST)
    assert made["label"] == REQUEST.id
    assert made["legs"] == [
        {"instrument_name": "BTC-25DEC26-70000-P", "direction": "buy", "amount": 50.0},
        {"instrument_name": "BTC-25DEC26-88000-C", "direction": "sell", "amount": 50.0},
    ]
    assert parse.legs_of(REQUEST) == [
        {key: leg[key] for key in ("instrument_name", "direction", "ratio")} for leg in RFQ["legs"]
    ]


def test_an_aggregated_level_is_a_quote_of_each_of_its_makers() -> None:
    quotes = parse.quotes_of(RFQ, AT)
    assert [(q.dealer, q.direction, q.price, q.all_or_none) for q in quotes] == [
        ("amber", Direction.SELL, -0.0012, False),
        ("basalt", Direction.SELL, -0.0012, False),
    ]
    assert quotes[0].good_until == datetime.fromtimestamp(1787565700, UTC)


@pytest.mark.parametrize("price", [None, "x", True, float("nan")])
def test_a_price_that_is_none_becomes_nan_for_the_award_to_refuse(price: Any) -> None:
    level = RFQ["asks"][0] | {"price": price}
    quote = parse.quotes_of(RFQ | {"asks": [level]}, AT)[0]
    assert quote.price != quote.price


SHOWN: dict[str, Any] = {
    "trades": [{"maker": "amber", "price": -0.0012, "amount": 50.0, "direction": "buy"}]
}


def test_a_fill_is_believed_only_with_every_leg_whole() -> None:
    (fill,) = parse.fills_of([BLOCK], SHOWN, REQUEST)
    assert (fill.venue_trade_id, fill.dealer) == ("BLOCK-423", "amber")
    assert (fill.price, fill.amount) == (Decimal("-0.0012"), Decimal(50))
    assert fill.fee == Decimal("0.030")
    assert fill.legs == (
        ("BTC-25DEC26-70000-P", Decimal("50.0"), Decimal("0.05")),
        ("BTC-25DEC26-88000-C", Decimal("-50.0"), Decimal("0.0512")),
    )
    assert parse.net_of(BLOCK, REQUEST) == Decimal("-0.0012")
    one_leg = BLOCK | {"trades": BLOCK["trades"][:1]}
    twice = BLOCK | {"trades": [*BLOCK["trades"], BLOCK["trades"][0]]}
    less = BLOCK | {"trades": [BLOCK["trades"][0], BLOCK["trades"][1] | {"amount": 49.0}]}
    turned = BLOCK | {"trades": [BLOCK["trades"][0], BLOCK["trades"][1] | {"direction": "buy"}]}
    mixed = BLOCK | {"trades": [BLOCK["trades"][0], BLOCK["trades"][1] | {"fee_currency": "USD"}]}
    for wrong in (
        one_leg,
        twice,
        less,
        turned,
        mixed,
        {},
        BLOCK | {"id": 5},
        BLOCK | {"timestamp": "x"},
    ):
        with pytest.raises(Malformed):
            parse.fills_of([wrong], SHOWN, REQUEST)


def part_of(block: Any, name: str, amount: float) -> Any:
    trades = [trade | {"amount": amount} for trade in block["trades"]]
    return block | {"id": name, "trades": trades}


def test_each_dealers_part_is_a_fill_of_its_own() -> None:
    blocks = [part_of(BLOCK, "A", 20.0), part_of(BLOCK, "B", 30.0)]
    parts = [
        {"maker": "basalt", "price": -0.0011, "amount": 30.0},
        {"maker": "amber", "price": -0.0012, "amount": 20.0},
    ]
    fills = parse.fills_of(blocks, {"trades": parts}, REQUEST)
    assert [(f.venue_trade_id, f.dealer, f.amount) for f in fills] == [
        ("A", "amber", Decimal(20)),
        ("B", "basalt", Decimal(30)),
    ]
    for wrong_blocks, wrong_parts in (
        (blocks[:1], parts),
        (blocks, parts[:1]),
        ([blocks[0], blocks[0]], parts),
        (blocks, [parts[0], parts[1] | {"maker": 5}]),
        (blocks[:1], parts[1:]),
        ([], [{"maker": "amber", "price": 1.0}]),
    ):
        with pytest.raises(Malformed):
            parse.fills_of(wrong_blocks, {"trades": wrong_parts}, REQUEST)


TAKING = Taking(Decimal("-0.0012"), "amber", None)


def serving(replies: Any, use: Any) -> Any:
    """Run ``use(venue)`` against a server that answers each method as the table says.

    Only where the table has a silence does the client give up after half a second.
    """
    timeout = 0.5 if "silence" in replies.values() else LIMIT

    async def session(connection: Any) -> None:
        async for frame in connection:
            call = json.loads(frame)
            reply = replies.get(call["method"], {"result": {}})
            if reply == "close":
                await connection.close()
                return
            if reply == "silence":
                continue
            for extra in reply.get("first", ()) if isinstance(reply, dict) else ():
                await connection.send(json.dumps(extra))
            if isinstance(reply, str):
                await connection.send(reply)
            else:
                await connection.send(
                    json.dumps(
                        {"jsonrpc": "2.0", "id": call["id"]}
                        | {k: v for k, v in reply.items() if k != "first"}
                    )
                )

    async def run() -> Any:
        async with serve(session, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            url = f"ws://127.0.0.1:{port}/ws/api/v2"
            async with JsonRpcClient(url, Credentials("a", "b"), timeout_seconds=timeout) as client:
                return await use(DeribitVenue(client, VirtualClock(AT), "paper"))

    return asyncio.run(run())


def notification(rfq: Any) -> Any:
    return {
        "jsonrpc": "2.0",
        "method": "subscription",
        "params": {"channel": "block_rfq.taker.any", "data": rfq},
    }


CREATED = {"private/create_block_rfq": {"result": RFQ | {"state": "created", "asks": []}}}


def test_open_listen_accept_and_find() -> None:
    replies = CREATED | {
        "public/get_time": {"result": 1, "first": [notification(RFQ)]},
        "private/accept_block_rfq": {"result": {"block_trades": [BLOCK]}},
        "private/get_block_rfqs": {"result": {"block_rfqs": [RFQ | {"trades": SHOWN["trades"]}]}},
        "private/get_block_trades": {"result": [BLOCK]},
    }

    async def use(venue: Any) -> Any:
        opened = await venue.open(REQUEST)
        quotes = await venue.quotes(opened.venue_id)
        fill = await venue.accept(opened.venue_id, REQUEST, TAKING)
        found = await venue.find(REQUEST.id)
        return (
            opened,
            quotes,
            fill,
            found,
            await venue.find("other"),
            await venue.evidence("507", REQUEST),
        )

    opened, quotes, fills, found, none, evidence = serving(replies, use)
    (fill,) = fills
    assert opened.venue_id == "507"
    assert [quote.dealer for quote in quotes] == ["amber", "basalt"]
    assert fills == evidence
    assert opened.mark == -0.001
    assert fill.dealer == "amber"
    assert (found.venue_id, found.open) == ("507", True)
    assert none is None


@pytest.mark.parametrize(
    ("state", "alive"),
    [
        ("created", True),
        ("open", True),
        ("cancelled", False),
        ("expired", False),
        ("filled", False),
    ],
)
def test_a_request_is_ended_only_where_the_venue_says_so(state: str, alive: bool) -> None:
    """An answer to a create says created: taken for ended, it would be left open at the venue."""
    replies = {"private/get_block_rfqs": {"result": {"block_rfqs": [RFQ | {"state": state}]}}}

    async def use(venue: Any) -> Any:
        return await venue.find(REQUEST.id)

    assert serving(replies, use).open is alive


def test_a_repeated_level_is_one_quote_and_a_withdrawn_one_is_good_no_longer() -> None:
    gone = RFQ | {"asks": []}
    replies = CREATED | {
        "public/get_time": {
            "result": 1,
            "first": [notification(RFQ), notification(RFQ), notification(gone)],
        }
    }

    async def use(venue: Any) -> Any:
        await venue.open(REQUEST)
        found = await venue.quotes("507")
        assert venue.standing("507") == (), "nothing stands any more"
        return found

    quotes = serving(replies, use)
    assert len(quotes) == 2
    assert all(quote.good_until == AT for quote in quotes)


async def opening(venue: DeribitVenue) -> Any:
    return await venue.open(REQUEST)


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ({"private/create_block_rfq": {"error": {"code": 10021, "message": "invalid_amount"}}}, Refused),
        ({"private/create_block_rfq": {"error": {"code": 10041, "message": "settlement_in_progress", "data": {"reason": "x"}}}}, Refused),
        ({"private/create_block_rfq": {"error": "what"}}, Malformed),
        ({"private/create_block_rfq": {"result": {"block_rfq_id": "507"}}}, Malformed),
        ({"private/create_block_rfq": {"result": [1]}}, Malformed),
        ({"private/create_block_rfq": {}}, Malformed),
        ({"private/create_block_rfq": "close"}, Unreachable),
        ({"private/create_block_rfq": "silence"}, Unreachable),
        ({"private/create_block_rfq": "{{{"}, Malformed),
        ({"private/create_block_rfq": '{"error": {"code": -32600}}'}, Malformed),
        ({"public/auth": {"error": {"code": 13004, "message": "invalid_credentials"}}}, Refused),
        ({"public/auth": "silence"}, Unreachable),
    ],
)  # fmt: skip
def test_every_failure_is_one_of_three(replies: Any, error: Any) -> None:
    with pytest.raises(error):
        serving(replies, opening)


def test_not_filled_is_an_answer_and_lost_answers_are_not() -> None:
    async def accept(venue: Any) -> Any:
        return await venue.accept("507", REQUEST, TAKING)

    refused = {"error": {"code": 13907, "message": "not_fully_filled"}}
    assert serving({"private/accept_block_rfq": refused}, accept) == ()
    ended = {"error": {"code": 11044, "message": "not_open_order"}}
    assert serving({"private/accept_block_rfq": ended}, accept) == ()
    assert serving({"private/accept_block_rfq": {"result": {"block_trades": []}}}, accept) == ()
    for code in (13888, -32603, 10001):
        unsure = {"error": {"code": code, "message": "x"}}
        with pytest.raises(Unreachable):
            serving({"private/accept_block_rfq": unsure}, accept)
    with pytest.raises(Unreachable):
        serving({"private/accept_block_rfq": "silence"}, accept)
    with pytest.raises(Refused, match="many requests"):
        serving(
            {
                "private/accept_block_rfq": {
                    "error": {"code": 10028, "message": "too_many_requests"}
                }
            },
            accept,
        )


def test_cancelling_what_has_ended_is_fine() -> None:
    async def cancel(venue: Any) -> Any:
        await venue.cancel("507")
        return True

    assert serving(
        {"private/cancel_block_rfq": {"error": {"code": 11044, "message": "not_open_order"}}},
        cancel,
    )
    with pytest.raises(Refused):
        serving(
            {"private/cancel_block_rfq": {"error": {"code": 13009, "message": "unauthorized"}}},
            cancel,
        )


def test_a_heartbeat_is_answered() -> None:
    beat = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}
    replies = CREATED | {"public/get_time": {"result": 1, "first": [beat]}}

    async def use(venue: Any) -> Any:
        await venue.open(REQUEST)
        await venue.quotes("507")
        await asyncio.sleep(0.05)
        return await venue.quotes("507")

    assert serving(replies, use) == ()


def test_a_malformed_notification_is_not_passed_over() -> None:
    replies = CREATED | {
        "public/get_time": {"result": 1, "first": [notification(RFQ | {"asks": [5]})]}
    }

    async def use(venue: Any) -> Any:
        await venue.open(REQUEST)
        return await venue.quotes("507")

    with pytest.raises(Malformed):
        serving(replies, use)


def test_nobody_there_is_unreachable() -> None:
    async def run() -> None:
        async with JsonRpcClient("ws://127.0.0.1:1/ws", Credentials("a", "b"), timeout_seconds=0.5):
            pass

    with pytest.raises(Unreachable, match="cannot reach"):
        asyncio.run(run())
