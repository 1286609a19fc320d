"""The account's past against messages in the venue's documented shapes: every page, every digit, or Malformed."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from headframe.codec import load_exact
from headframe.desk.ports import Malformed
from headframe.lifecycle import SettlementKind
from headframe.venue import DeribitRecords

SINCE = datetime(2019, 2, 1, tzinfo=UTC)
# Examples of private/get_settlement_history_by_currency and private/get_transaction_log (Deribit API 2.1.1).
SETTLEMENT = """{"type": "settlement", "timestamp": 1550475692526, "session_profit_loss": 0.038358299,
  "profit_loss": -0.001783937, "position": -66, "mark_price": 121.67, "instrument_name": "ETH-22FEB19",
  "index_price": 119.8}"""
DELIVERY = """{"type": "delivery", "timestamp": 1666598400038, "session_profit_loss": 5507.683847052,
  "profit_loss": -0.01553694, "position": -4.0, "mark_price": 0.008634235,
  "instrument_name": "ETH-24OCT22-1325-C", "index_price": 1336.54}"""
TRANSFER = """{"username": "TestUser", "user_seq": 6009, "user_id": 7, "type": "transfer", "trade_id": null,
  "timestamp": 1613659830333, "side": "-", "price": null, "position": null, "order_id": null,
  "interest_pl": null, "instrument_name": null, "info": {"transfer_type": "subaccount", "other_user_id": 27},
  "id": 61312, "equity": 3000.9275869, "currency": "BTC", "commission": 0, "change": -2.5, "cashflow": -2.5,
  "balance": 3001.22270418}"""
TRADE_ENTRY = """{"username": "TestUser", "user_seq": 6005, "user_role": "maker", "user_id": 7, "type": "trade",
  "trade_id": "28349", "timestamp": 1613657734620, "side": "close buy", "profit_as_cashflow": false,
  "price_currency": "BTC", "price": 0.1537, "position": 0, "order_id": "67546",
  "mark_price": 0.04884653215049635, "interest_pl": 0, "instrument_name": "BTC-19FEB21-49200-C",
  "info": "Source: api", "id": 61288, "equity": 3002.83270455, "currency": "BTC", "commission": 0,
  "change": -0.04611, "cashflow": -0.04611, "balance": 3003.17813712, "amount": 0.3}"""
TRADE = """{"trade_seq": 3471, "trade_id": "ETH-1", "timestamp": 1590484156350, "tick_direction": 1,
  "state": "filled", "reduce_only": false, "price": 203.1, "post_only": false, "order_type": "limit",
  "order_id": "ETH-584", "matching_id": null, "mark_price": 203.28, "liquidity": "T", "label": "x",
  "instrument_name": "ETH-PERPETUAL", "index_price": 203.33, "fee_currency": "ETH", "fee": 0.00027699,
  "direction": "buy", "amount": 75, "profit_loss": 0.1, "block_trade_id": null}"""


class Recorded:
    """A client that answers from texts, one a call by method, and keeps what was asked."""

    hears = False
    scope = ""
    key_id = "me"

    def __init__(self, **answers: list[str]) -> None:
        self._answers = {key: list(texts) for key, texts in answers.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def on_notification(self, _: dict[str, Any]) -> None:
        """Hear nothing."""

    async def call(self, method: str, **params: object) -> object:
        self.asked.append((method, params))
        key = str(params.get("type", method.rsplit("/", maxsplit=1)[-1]))
        waiting = self._answers.get(key)
        if not waiting:
            return {"settlements": [], "continuation": None}
        try:
            return load_exact(waiting.pop(0))
        except ValueError as error:  # as the client does
            raise Malformed(str(error)) from error


def settlements(client: Recorded, since: datetime = SINCE) -> Any:
    return asyncio.run(DeribitRecords(client).settlements("ETH", since))  # type: ignore[arg-type]


def page(*rows: str, token: object = None) -> str:
    return f'{{"settlements": [{", ".join(rows)}], "continuation": {json.dumps(token)}}}'


def changed(text: str, **values: object) -> str:
    return json.dumps(json.loads(text) | values)


def test_settlements_are_read_to_the_last_digit() -> None:
    client = Recorded(settlement=[page(SETTLEMENT)], delivery=[page(DELIVERY, token="none")])
    first, second = settlements(client)
    assert first.kind is SettlementKind.SETTLEMENT
    assert (first.position, first.mark_price) == (Decimal(-66), Decimal("121.67"))
    assert (first.amount, first.profit_loss) == (Decimal("0.038358299"), Decimal("-0.001783937"))
    assert second.amount == Decimal("-0.0345369400")
    assert second.price == Decimal("1336.54")
    assert {params["type"] for _, params in client.asked} == {*SettlementKind}


def test_pages_are_joined_by_their_continuation_until_older_than_asked() -> None:
    stamps = [1_550_475_692_526 - 86_400_000 * n for n in range(40)]
    rows = [changed(SETTLEMENT, timestamp=stamp) for stamp in stamps]
    client = Recorded(
        settlement=[page(*rows[n : n + 10], token=f"after-{n}") for n in (0, 10, 20, 30)]
    )
    since = datetime.fromtimestamp(stamps[14] / 1000, UTC)
    assert len(settlements(client, since)) == 15
    tokens = [params.get("continuation") for _, params in client.asked]
    assert tokens[:2] == [None, "after-0"]
    assert tokens[2:] == [None, None], "then deliveries and shared losses are asked for"


@pytest.mark.parametrize(
    "row",
    [
        changed(SETTLEMENT, position=None),
        changed(SETTLEMENT, mark_price="121.67"),
        changed(SETTLEMENT, session_profit_loss=True),
        changed(SETTLEMENT, timestamp="soon"),
        changed(SETTLEMENT, instrument_name=None),
        changed(SETTLEMENT, type="apport"),
        SETTLEMENT.replace("0.038358299", "NaN"),
        SETTLEMENT.replace("0.038358299", "1e400"),
        "[]",
    ],
)
def test_a_settlement_that_cannot_be_read_is_malformed(row: str) -> None:
    with pytest.raises(Malformed):
        settlements(Recorded(settlement=[page(row)]))


def test_two_settlements_of_one_instant_or_a_page_for_ever_are_malformed() -> None:
    other = changed(SETTLEMENT, position=-67)
    with pytest.raises(Malformed, match="two settlements"):
        settlements(Recorded(settlement=[page(SETTLEMENT, other)]))
    with pytest.raises(Malformed, match="twice"):
        settlements(Recorded(settlement=[page(SETTLEMENT, token="x")] * 3))
    assert len(settlements(Recorded(settlement=[page(SETTLEMENT, SETTLEMENT)]))) == 1


def test_funding_and_shared_losses_are_kept_apart() -> None:
    funding = changed(SETTLEMENT, instrument_name="ETH-PERPETUAL", funding=-2.511e-06)
    lost = json.dumps({"type": "bankruptcy", "timestamp": 1550475692526, "session_profit_loss": 0.0, "socialized": -0.001160788, "funded": 0, "session_bankruptcy": 0.001160788, "session_tax": -0.001160788, "session_tax_rate": 0.000103333})  # fmt: skip
    client = Recorded(settlement=[page(funding)], bankruptcy=[page(lost)])
    swap, shared = settlements(client)
    assert swap.funding == Decimal("-0.000002511")
    assert (shared.instrument, shared.amount) == ("shared losses", Decimal("-0.001160788"))


def test_the_transaction_log_is_read_page_by_page() -> None:
    logs = [
        f'{{"logs": [{TRANSFER}], "continuation": 61282}}',
        f'{{"logs": [{TRADE_ENTRY}], "continuation": null}}',
    ]
    client = Recorded(get_transaction_log=logs)
    records = DeribitRecords(client)  # type: ignore[arg-type]
    until = datetime(2021, 3, 1, tzinfo=UTC)
    traded, moved = asyncio.run(records.transactions("BTC", SINCE, until))
    assert (traded.id, traded.kind, traded.change) == (61288, "trade", Decimal("-0.04611"))
    assert (traded.instrument, traded.price) == ("BTC-19FEB21-49200-C", Decimal("0.1537"))
    assert (moved.kind, moved.balance, moved.instrument) == ("transfer", Decimal("3001.22270418"), "")  # fmt: skip
    assert client.asked[1][1]["continuation"] == 61282
    again = Recorded(get_transaction_log=[logs[0], logs[0]])
    with pytest.raises(Malformed, match="twice"):
        asyncio.run(DeribitRecords(again).transactions("BTC", SINCE, until))  # type: ignore[arg-type]
    for key in ("id", "change", "balance", "type"):
        bad = Recorded(get_transaction_log=[f'{{"logs": [{changed(TRANSFER, **{key: None})}], "continuation": null}}'])  # fmt: skip
        with pytest.raises(Malformed):
            asyncio.run(DeribitRecords(bad).transactions("BTC", SINCE, until))  # type: ignore[arg-type]


def test_trades_are_read_recent_and_historical_each_once() -> None:
    later = changed(TRADE, trade_id="ETH-2", timestamp=1590484157000)
    pages = [
        f'{{"trades": [{TRADE}], "has_more": true}}',
        f'{{"trades": [{later}], "has_more": false}}',
        f'{{"trades": [{later}], "has_more": false}}',
    ]
    client = Recorded(get_user_trades_by_currency_and_time=pages)
    until = datetime(2020, 6, 1, tzinfo=UTC)
    found = asyncio.run(DeribitRecords(client).trades("ETH", SINCE, until))  # type: ignore[arg-type]
    assert [one.id for one in found] == ["ETH-1", "ETH-2"]
    assert (found[0].fee, found[0].amount, found[0].side) == (Decimal("0.00027699"), Decimal(75), "buy")  # fmt: skip
    assert [params["historical"] for _, params in client.asked] == [True, True, False]
    assert client.asked[1][1]["start_timestamp"] == 1590484156350
    stuck = Recorded(get_user_trades_by_currency_and_time=[f'{{"trades": [{TRADE}], "has_more": true}}'] * 3)  # fmt: skip
    begin = datetime.fromtimestamp(1590484156.350, UTC)
    with pytest.raises(Malformed, match="than a page holds"):
        asyncio.run(DeribitRecords(stuck).trades("ETH", begin, begin + timedelta(days=1)))  # type: ignore[arg-type]
