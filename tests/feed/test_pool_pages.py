"""A pool's answer page by page: every usual shape is read whole, or refused with what it holds."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from headframe.codec import PoolApi, pool_payouts
from headframe.desk.ports import Malformed
from headframe.feed.pool import pool_rows
from headframe.units import Wrong

ROWS = [
    {"id": f"pay-{n}", "at": 1_788_220_800 + 3_600 * n, "amount": "0.125"} for n in range(1, 48)
]


def api(**more: Any) -> PoolApi:
    given: dict[str, Any] = {
        "url": "https://pool.example/v1/payouts",
        "id": "id",
        "at": "at",
        "amount": "amount",
    }
    return PoolApi(**(given | more))


def numbered(path: str, *, page: str = "page", size: int = 10, first: int = 1) -> list[Any]:
    asked = dict(parse_qsl(urlsplit(path).query))
    start = (int(asked.get(page, first)) - first) * int(asked.get("size", size))
    return ROWS[start : start + int(asked.get("size", size))]


def binance(path: str) -> Any:
    rows = numbered(path, page="pageIndex", size=20)
    return {"code": 0, "data": {"accountProfits": rows, "totalNum": 47, "pageSize": 20}}


def spring(path: str) -> Any:
    rows = numbered(path, first=0)
    return {"content": rows, "page": {"totalElements": 47, "totalPages": 5}}


def counted(path: str) -> Any:
    return {"rows": numbered(path), "has_more": bool(numbered(path)[-1:] != ROWS[-1:])}


def bare(path: str) -> Any:
    return numbered(path)


def offset(path: str) -> Any:
    asked = dict(parse_qsl(urlsplit(path).query))
    start = int(asked.get("skip", 0))
    return {"result": ROWS[start : start + int(asked.get("limit", 10))], "total": 47}


def cursor(path: str) -> Any:
    start = int(dict(parse_qsl(urlsplit(path).query)).get("after", 0))
    end = start + 10
    return {"items": ROWS[start:end], "paging": {"next_cursor": str(end) if end < 47 else None}}


def link(path: str) -> Any:
    start = int(dict(parse_qsl(urlsplit(path).query)).get("from_row", 0))
    following = f"/v1/payouts?from_row={start + 10}" if start < 37 else None
    return {"items": ROWS[start : start + 10], "links": {"next": following}}


SHAPES: list[tuple[Callable[[str], Any], dict[str, Any], dict[str, Any]]] = [
    (binance, {"rows": "data.accountProfits"}, {"page": "pageIndex", "total": "data.totalNum"}),
    (binance, {"rows": "data.accountProfits"}, {"page": "pageIndex"}),
    (spring, {"rows": "content"}, {"page": "page", "first_page": 0}),
    (counted, {"rows": "rows"}, {"page": "page"}),
    (bare, {}, {"page": "page", "size": "size", "page_size": 10}),
    (bare, {}, {"page": "page"}),
    (offset, {"rows": "result"}, {"offset": "skip", "total": "total"}),
    (offset, {"rows": "result"}, {"offset": "skip", "size": "limit", "page_size": 25}),
    (cursor, {"rows": "items"}, {"next": "paging.next_cursor", "cursor": "after"}),
    (link, {"rows": "items"}, {"next": "links.next"}),
]


def getter(shape: Callable[[str], Any], asked: list[str] | None = None) -> Callable[[str], str]:
    def get(path: str) -> str:
        if asked is not None:
            asked.append(path)
        return json.dumps(shape(path))

    return get


@pytest.mark.parametrize(("shape", "plain", "paged"), SHAPES)
def test_every_shape_is_whole_with_its_settings_and_refused_without(
    shape: Callable[[str], Any], plain: dict[str, Any], paged: dict[str, Any]
) -> None:
    whole = pool_rows(getter(shape), "/v1/payouts", api(**plain, **paged))
    assert list(whole) == ROWS
    assert len(pool_payouts(whole, api(), "BTC").payouts) == 47
    with pytest.raises(Wrong, match=r"holds (10|20) (of 47 )?rows.*fix: say in \[pool_api\]"):
        pool_rows(getter(shape), "/v1/payouts", api(**plain))


def test_a_server_that_does_not_page_is_refused_and_asked_no_further() -> None:
    asked: list[str] = []
    with pytest.raises(Malformed, match="page 2 repeats the one before"):
        pool_rows(getter(lambda _: ROWS[:20], asked), "/v1/payouts", api(page="page"))
    assert len(asked) == 2

    def short(path: str) -> Any:
        return {"d": ROWS[:20] if "p=1" in path else [], "total": 47}

    with pytest.raises(Wrong, match="holds 20 of 47 rows"):
        pool_rows(getter(short), "/v1/payouts", api(page="p", rows="d"))
    with pytest.raises(Malformed, match="is the next after itself"):
        pool_rows(
            getter(lambda _: {"d": ROWS[:3], "next": "/v1/payouts"}),
            "/v1/payouts",
            api(next="next", rows="d"),
        )
    away = {"d": ROWS[:3], "next": "https://elsewhere.example/x"}
    with pytest.raises(Malformed, match="on another server"):
        pool_rows(getter(lambda _: away), "/v1/payouts", api(next="next", rows="d"))


@pytest.mark.parametrize(
    "answer",
    [
        {"d": ROWS[:7], "hasMore": True},
        {"d": ROWS[:7], "nextPageToken": "abc"},
        {"d": ROWS[:7], "meta": {"total_pages": 2}},
        {"d": ROWS[:7], "limit": 7},
        {"d": ROWS[:7], "total": 8},
        {"d": ROWS[:7], "count": 8, "next": None},
        {"d": ROWS[:25]},
        {"d": ROWS[:7], "count": 7, "total": 7, "has_next": True},
        {"d": ROWS[:20], "count": 20},
        {"d": ROWS[:30], "total": 30},
        {"d": ROWS[:7], "total": 7, "PageCount": "3"},
        {"d": ROWS[:7], "total": 0},
        {"d": ROWS[:7], "total": 7, "totalRecords": 12},
        {"d": ROWS[:7], "_links": {"next": {"href": "/v1/payouts?p=2"}}},
        {"d": ROWS[:7], "next": {"href": "/x"}},
        {"d": ROWS[:7], "links": [{"rel": "next", "href": "/v1/payouts?p=2"}]},
        {"d": ROWS[:7], "has-more": "true"},
        {"d": ROWS[:7], "hasMore": False, "Remaining": "5"},
        {"d": ROWS[:7], "isLast": False},
        {"d": ROWS[:7], "last": "false"},
        {"d": ROWS[:7], "truncated": 1},
        {"d": ROWS[:7], "meta": {"paging": {"NEXT_PAGE_TOKEN": "b"}}},
        {"d": ROWS[:7], "response_metadata": {"cursor": "b"}},
    ],
)
def test_what_says_or_may_hide_that_there_is_more_is_refused(answer: Any) -> None:
    with pytest.raises(Wrong, match=r"the pool's answer holds \d+"):
        pool_rows(getter(lambda _: answer), "/v1/payouts", api(rows="d"))
    assert pool_rows(getter(lambda _: answer), "/v1/payouts", api(rows="d", whole=True))


@pytest.mark.parametrize(
    "answer",
    [
        {"d": ROWS[:7]},
        {"d": []},
        {"d": ROWS[:25], "total": 25, "limit": 60},
        {"d": ROWS[:25], "total": 25, "has_more": "false"},
        {"d": ROWS[:26], "TOTAL": "26"},
        {"d": ROWS[:7], "pageInfo": {"hasNextPage": False, "endCursor": "row-7"}},
        {"d": ROWS[:7], "nextPayoutAt": "2026-10-01", "rateLimit": {"remaining": 59}},
        {"d": ROWS[:7], "links": [{"rel": "self", "href": "/v1"}], "remaining": "0", "last": True},
        {"d": ROWS[:7], "total": 7, "pageSize": 50, "pages": 1, "hasMore": False, "next": None},
        {"d": [{**row, "amount": 5} for row in ROWS[:7]], "total": 35},
    ],
)
def test_what_is_whole_is_taken(answer: Any) -> None:
    found = pool_rows(getter(lambda _: answer), "/v1/payouts", api(rows="d"))
    assert len(found) == len(answer["d"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Link": '</v1/payouts?page=2>; rel="next", </v1/payouts?page=9>; rel="last"'},
        {"link": "</v1/payouts?page=2>; rel=next"},
        {"X-Total-Count": "47"},
        {"x-total-pages": "2"},
        {"X-Next-Page": "2"},
        {"Content-Range": "payouts 0-6/47"},
    ],
)
def test_headers_that_say_more_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Wrong, match=r"holds 7 (of 47 )?rows.*fix: say in \[pool_api\]"):
        pool_rows(getter(lambda _: ROWS[:7]), "/v1/payouts", api(), lambda: headers)


def test_headers_that_say_nothing_of_pages_are_ignored() -> None:
    headers = {"Link": '</v1>; rel="prev"', "X-RateLimit-Remaining": "59", "X-Total-Count": "7"}
    assert len(pool_rows(getter(lambda _: ROWS[:7]), "/v1", api(), lambda: headers)) == 7


@pytest.mark.parametrize("cap", [10, 13, 23])
def test_a_server_that_caps_the_page_below_the_size_asked_is_read_to_its_end(cap: int) -> None:
    def capped(path: str) -> Any:
        return {"d": numbered(path.replace("size=30", f"size={cap}"), size=cap)}

    def shifted(path: str) -> Any:
        start = int(dict(parse_qsl(urlsplit(path).query))["skip"])
        return {"d": ROWS[start : start + cap], "count": len(ROWS[start : start + cap])}

    for shape, ways in ((capped, {"page": "page"}), (shifted, {"offset": "skip"})):
        settings = api(rows="d", size="size", page_size=30, **ways)
        assert list(pool_rows(getter(shape), "/v1/payouts", settings)) == ROWS


def test_a_first_page_that_the_settings_skip_is_refused() -> None:
    def from_nought(path: str) -> Any:
        return {"d": numbered(path, first=0)}

    with pytest.raises(Wrong, match=r"page 0 holds 10 rows .* 37 rows .*fix: set first_page = 0"):
        pool_rows(getter(from_nought), "/v1", api(rows="d", page="page"))
    found = pool_rows(getter(from_nought), "/v1", api(rows="d", page="page", first_page=0))
    assert list(found) == ROWS

    def from_one(path: str) -> Any:
        return {"d": [] if "page=0" in path else numbered(path)}

    found = pool_rows(getter(from_one), "/v1", api(rows="d", page="page", first_page=0))
    assert list(found) == ROWS


@pytest.mark.parametrize("amount", ["1_0", "\u0663", "1E5", "1e0", "0,1", "1 000", "", True, None])
def test_amounts_that_are_no_plain_digits_are_refused(amount: Any) -> None:
    with pytest.raises(
        Wrong, match=r"payout 1 of the pool has no 'amount'|has no amount in 'amount'"
    ):
        pool_payouts([{**ROWS[0], "amount": amount}], api(), "BTC")


@pytest.mark.parametrize("at", [46289, "46289", "20260902", "202609021200", 0, 1.0, "1999-01-01"])
def test_instants_before_any_coin_are_refused(at: Any) -> None:
    with pytest.raises(Wrong, match="payout 'pay-1' of the pool"):
        pool_payouts([{**ROWS[0], "at": at}], api(), "BTC")


def test_as_many_rows_as_the_url_asks_for_may_be_a_page() -> None:
    for path, refused in (("/v1/payouts?limit=7", True), ("/v1/payouts?limit=9", False)):
        if refused:
            with pytest.raises(Wrong, match="7 rows are as many as the url asks for"):
                pool_rows(getter(lambda _: ROWS[:7]), path, api())
        else:
            assert pool_rows(getter(lambda _: ROWS[:7]), path, api())


def test_a_row_that_moved_to_the_next_page_counts_once() -> None:
    found = pool_payouts([*ROWS[:5], *ROWS[4:9]], api(), "BTC")
    assert len(found.payouts) == 9
    assert found.notes == ("the pool's rows left out, the same as another row: 1",)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"page": "p", "offset": "o"}, "in one way"),
        ({"page": "p", "whole": True}, "no pages"),
        ({"cursor": "c"}, "give next too"),
        ({"size": "s"}, "give both or neither"),
        ({"page": "p&x=1"}, "a parameter is"),
        ({"page": "p", "first_page": 7}, "first_page is 0 or 1"),
    ],
)
def test_settings_of_pages_that_contradict_are_refused(settings: Any, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        api(**settings)


def coin_row(coin: Any, amount: Any = "1.5", field: str = "coinName") -> dict[str, Any]:
    return {**ROWS[0], "id": f"{coin}-{amount}", field: coin, "amount": amount}


def test_rows_of_other_coins_are_booked_as_theirs_or_left_out_and_counted() -> None:
    rows = [
        coin_row("BTC"), coin_row("bitcoin", "2"), coin_row("xbt", "3"), coin_row("Dogecoin", "4"),
        coin_row("PEPE", "5"), coin_row("PEPE", "6"), coin_row("USD", "7"),
    ]  # fmt: skip
    for settings in ({}, {"coin": "coinName"}):
        found = pool_payouts(rows, api(**settings), "BTC")
        sums: dict[str, int] = {}
        for one in found.payouts:
            code = one.coins.currency.code
            sums[code] = sums.get(code, 0) + one.coins.smallest
        assert sums == {"BTC": 650_000_000, "DOGE": 400_000_000}
        assert found.notes == (
            "the pool's rows left out, of PEPE, which is not in the books: 2",
            "the pool's rows left out, of USD, which is not in the books: 1",
        )
    ours = pool_payouts(
        [coin_row("main", field="acct")], api(coin="acct", coin_names=("main",)), "BTC"
    )
    assert ours.payouts[0].coins.currency.code == "BTC"
    with pytest.raises(Wrong, match="names no coin in 'coinName'"):
        pool_payouts([ROWS[0]], api(coin="coinName"), "BTC")
    assert pool_payouts([ROWS[0]], api(), "LTC").payouts[0].coins.currency.code == "LTC"


def test_amounts_below_a_unit_or_with_more_digits_do_not_stop_the_others() -> None:
    rows = [
        coin_row("BTC", "0.123456789999"), coin_row("BTC", "0.000000009"), coin_row("BTC", 0),
        coin_row("ETC", "0.123456789999"), coin_row("BTC", "1e-8"),
    ]  # fmt: skip
    found = pool_payouts(rows, api(), "BTC")
    assert [str(one.coins) for one in found.payouts] == [
        "0.12345678",
        "0.00000001",
        "0.123456789999000000",
    ]
    assert found.notes == (
        "the pool's rows left out, below the smallest unit: 1",
        "the pool's rows left out, of nothing: 1",
        "the pool's amounts rounded down to the coin's smallest unit: 1",
    )
    sats = pool_payouts([coin_row("BTC", "12.5")], api(unit="satoshi"), "BTC")
    assert sats.payouts[0].coins.smallest == 12
