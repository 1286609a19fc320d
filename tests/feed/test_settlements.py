"""The venue's public delivery and settlement prices: every page, every digit, nothing of another product."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from headframe.codec import ExactFloat, exact_decimal, load_exact
from headframe.desk.ports import Malformed
from headframe.feed import settlements
from headframe.lifecycle import PriceKind
from headframe.units import Wrong

DAYS = [date(2026, 8, 22) - timedelta(days=number) for number in range(2_345)]


class Server:
    """Public methods as the venue answers them, from rows held here; keeps what was asked."""

    def __init__(self, rows: list[dict[str, Any]], page: int = 1_000) -> None:
        self.rows, self.page = rows, page
        self.asked: list[dict[str, Any]] = []

    def __call__(self, method: str, params: Mapping[str, str | int | bool]) -> object:
        given = dict(params)
        self.asked.append({"method": method, **given})
        if method == "public/get_delivery_prices":
            begin = int(given["offset"])
            return {
                "records_total": len(self.rows),
                "data": self.rows[begin : begin + min(int(given["count"]), self.page)],
            }
        begin = int(str(given.get("continuation") or "0"))
        name = given.get("instrument_name")
        rows = [one for one in self.rows if name in {None, one["instrument_name"]}]
        end = begin + self.page
        return {
            "settlements": rows[begin:end],
            "continuation": str(end) if end < len(rows) else "none",
        }


def delivery(day: date, text: str = "76543.21") -> dict[str, Any]:
    return {"date": day.isoformat(), "delivery_price": ExactFloat(text)}


def settled(day: date, name: str, text: str, **changed: Any) -> dict[str, Any]:
    at = datetime(day.year, day.month, day.day, 8, 0, 0, 43_000, UTC)
    return {
        "type": "settlement", "timestamp": int(at.timestamp() * 1000), "instrument_name": name,
        "mark_price": ExactFloat(text), "index_price": 76_000.5, "position": 10.0,
        "profit_loss": 0.0, "session_profit_loss": 0.1,
    } | changed  # fmt: skip


def test_numbers_keep_the_digits_that_were_sent() -> None:
    loaded = load_exact(
        '{"a": 0.10000000000000000001, "b": 12345678901234567890, "c": 1e-9, "d": true}'
    )
    assert isinstance(loaded, dict)
    assert exact_decimal(loaded["a"]) == Decimal("0.10000000000000000001")
    assert exact_decimal(loaded["b"]) == Decimal(12345678901234567890)
    assert exact_decimal(loaded["c"]) == Decimal("1e-9")
    assert exact_decimal(loaded["d"]) is None
    assert exact_decimal(0.5) is None, "a float that came another way has lost its digits"
    assert loaded["a"] == 0.1


def test_delivery_prices_are_read_to_the_end() -> None:
    server = Server([delivery(day) for day in DAYS])
    found = settlements.delivery_prices(server, "btc_usd")
    assert [day for day, _ in found] == DAYS
    assert found[0][1] == Decimal("76543.21")
    assert [one["offset"] for one in server.asked] == [0, 1_000, 2_000]


def test_delivery_prices_of_so_many_days_or_since_a_day() -> None:
    server = Server([delivery(day) for day in DAYS], page=100)
    assert len(settlements.delivery_prices(server, "btc_usd", days=250)) == 250
    since = DAYS[149]
    found = settlements.delivery_prices(server, "btc_usd", since=since)
    assert found[-1][0] == since
    assert len(found) == 150
    assert len([one for one in server.asked if one["count"] == 1_000]) == 2, "it stops at the day"


def test_a_part_is_never_taken_for_all() -> None:
    class Short(Server):
        def __call__(self, method: str, params: Mapping[str, str | int | bool]) -> object:
            found = super().__call__(method, params)
            assert isinstance(found, dict)
            return found | {"records_total": 5_000}

    with pytest.raises(Malformed, match="expected 5000 prices, got 2345"):
        settlements.delivery_prices(Short([delivery(day) for day in DAYS]), "btc_usd")


@pytest.mark.parametrize(
    "row",
    [
        {"date": "2026-08-22", "delivery_price": None},
        {"date": "2026-08-22", "delivery_price": ExactFloat("-1.0")},
        {"date": "22AUG26", "delivery_price": ExactFloat("76543.21")},
    ],
)
def test_a_price_that_is_none_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        settlements.delivery_prices(Server([row]), "btc_usd")


def test_two_prices_of_one_day_are_refused() -> None:
    rows = [delivery(DAYS[0]), delivery(DAYS[0], "76543.22")]
    with pytest.raises(Malformed, match="expected one"):
        settlements.delivery_prices(Server(rows), "btc_usd")
    with pytest.raises(Wrong):
        settlements.delivery_prices(Server(rows), "btc_usd", days=0)


def test_settlement_prices_of_futures_by_continuation() -> None:
    days = DAYS[:30]
    rows = [
        row
        for day in days
        for row in (
            settled(day, "BTC-25DEC26", "78000.55"),
            settled(day, "BTC-PERPETUAL", "76100.1", funding=-0.0001),
            settled(day, "BTC-25DEC26-70000-P", "0.05"),
            settled(day, "BTC_USDC-25DEC26", "78000"),
            settled(day, "ETH-25DEC26", "3000"),
            settled(day, "BTC-FS-25DEC26_PERP", "12"),
        )
    ]
    server = Server(rows, page=50)
    found = settlements.settled_futures(server, "BTC", since=days[9])
    assert {one.day for one in found} == set(days[:10])
    assert {(one.instrument, one.kind, one.price) for one in found} == {
        ("BTC-25DEC26", PriceKind.SETTLEMENT, Decimal("78000.55")),
        ("BTC-PERPETUAL", PriceKind.SETTLEMENT, Decimal("76100.1")),
    }
    assert {one.source for one in found} == {"deribit"}
    assert len(server.asked) == 2, "pages older than the day are not asked for"
    named = settlements.settled_futures(server, "BTC", since=days[9], instruments=["BTC-25DEC26"])
    assert {one.key for one in named} == {
        one.key for one in found if one.instrument == "BTC-25DEC26"
    }
    assert settlements.settled_futures(server, "BTC", since=days[9], instruments=[]) == ()


def test_an_extraordinary_settlement_closes_no_day() -> None:
    noon = int(datetime(2026, 8, 20, 12, tzinfo=UTC).timestamp() * 1000)
    row = settled(date(2026, 8, 20), "BTC-25DEC26", "78000", timestamp=noon)
    assert settlements.settled_futures(Server([row]), "BTC", since=date(2026, 8, 1)) == ()


def test_the_last_day_of_a_future_is_no_settlement() -> None:
    row = settled(date(2026, 12, 25), "BTC-25DEC26", "78000")
    assert settlements.settled_futures(Server([row]), "BTC", since=date(2026, 8, 1)) == ()


@pytest.mark.parametrize(
    "changed", [{"timestamp": "soon"}, {"mark_price": None}, {"mark_price": 78_000.5}]
)
def test_a_settlement_that_cannot_be_read_is_refused(changed: dict[str, Any]) -> None:
    row = settled(date(2026, 8, 20), "BTC-25DEC26", "78000", **changed)
    with pytest.raises(Malformed):
        settlements.settled_futures(Server([row]), "BTC", since=date(2026, 8, 1))


def test_a_page_that_comes_again_for_ever_ends() -> None:
    def ask(_method: str, _params: Mapping[str, str | int | bool]) -> object:
        return {"settlements": [settled(DAYS[0], "BTC-25DEC26", "78000")], "continuation": "x"}

    with pytest.raises(Malformed, match="twice"):
        settlements.settled_futures(ask, "BTC", since=date(2026, 1, 1))
