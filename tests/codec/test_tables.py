"""Tables as people keep them: what is understood, and every row that is not, by its line."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headframe.chain import chain_of
from headframe.codec import (
    blocks_from_text,
    fees_from_text,
    history_from_text,
    power_from_text,
    prices_from_text,
    rows_of,
)
from headframe.units import Wrong

BTC = chain_of("BTC")


def test_prices_in_any_order_and_under_any_usual_name() -> None:
    wanted = ((datetime(2026, 1, 1, tzinfo=UTC), 5.0), (datetime(2026, 1, 2, tzinfo=UTC), 6.5))
    for text in (
        "date,price\n2026-01-02,6.5\n2026-01-01,5\n",
        "Date,Close\n2026-01-01,5\n\n2026-01-02,6.5\n2026-01-01,5.0\n",
        "timestamp,price_usd,other\n1767225600,5,x\n1767312000,6.5,y\n",
    ):
        assert prices_from_text(text, "p.csv") == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("date,price\n2026-01-01,5\n2026-01-01,6\n", "two prices of 2026-01-01"),
        ("date,price\n2026-01-01,5\n", "fewer than two"),
        ("date,price\n2026-01-01,5\n2026-01-02,0\n", "line 3: a price must lie between"),
        (
            "date,price\n2026-01-01,nan\nx,5\n2026-13-01,5\n",
            "line 2: number: expected a plain finite number",
        ),
        ("date,cost\n2026-01-01,5\n", "line 2: a row needs date and price"),
        ("date,price\n9999999999,5\n", "beyond 2100"),
        ("date,price\n2026-01-01,1_0\n", "plain finite"),
        ("", "header line"),
        ("a\0b,c\n", "no text table|not a text table"),
        ('date,price\n"2026', "cannot be read as CSV"),
    ],
)
def test_bad_prices(text: Any, words: Any) -> None:
    with pytest.raises(Wrong, match=words):
        prices_from_text(text, "p.csv")


def test_all_bad_rows_come_at_once() -> None:
    with pytest.raises(Wrong) as caught:
        prices_from_text("date,price\nx,5\n2026-01-01,5\n2026-01-02,-1\n", "p.csv")
    assert [line.split(":")[0] for line in str(caught.value).split("\n")] == [
        "p.csv line 2",
        "p.csv line 4",
    ]


def test_power_by_hour_and_by_month() -> None:
    hours = power_from_text(
        "time,usd_mwh\n2025-01-01T00:00,30\n2024-01-05T07:00Z,50\n2025-02-01,-4\n", "w.csv"
    )
    assert hours[0] == (30.0, 50.0)
    assert hours[1] == (-4.0,)
    assert hours[2] == ()
    assert power_from_text("month,price\n2025-12,41.5\n", "w.csv")[11] == (41.5,)
    for text, words in (
        ("time,usd_mwh\n", "no power price"),
        ("time,usd_mwh\n2025-01-01,99999\n", "between -1,000 and 20,000"),
        ("time,cost\n2025-01-01,9\n", "needs time"),
    ):
        with pytest.raises(Wrong, match=words):
            power_from_text(text, "w.csv")


def test_fees_by_month_without_gaps() -> None:
    assert fees_from_text("month,fee_share\n2026-02,0.02\n2026-01,0.01\n", "f.csv") == (0.01, 0.02)
    for text, words in (
        ("month,fee_share\n2026-01,0.01\n2026-03,0.01\n", "misses 2026-02"),
        ("month,fee_share\n2026-01,0.01\n2026-01,0.02\n", "comes twice"),
        ("month,fee_share\n2026-01,0\n", "above 0"),
        ("month,x\n2026-01,0\n", "needs month"),
    ):
        with pytest.raises(Wrong, match=words):
            fees_from_text(text, "f.csv")


def test_windows_of_blocks() -> None:
    found = blocks_from_text("time,bits\n10,1d00ffff\n20,1c00ffff\n", "b.csv")
    assert [(block.time, block.bits) for block in found] == [(10, 0x1D00FFFF), (20, 0x1C00FFFF)]
    assert blocks_from_text("time,difficulty\n10,500.0\n", "b.csv")[0].difficulty == 500
    for text in ("time,x\n1,2\n", "time,bits\n1.5,1d00ffff\n"):
        with pytest.raises(Wrong, match="line 2"):
            blocks_from_text(text, "b.csv")


def test_histories_under_usual_names() -> None:
    for text in (
        "start_height,start_time_unix,nbits,start_time_quality\n2016,1233063531,1d00ffff,est\n",
        "last_height,last_block_time_unix,next_nbits\n2015,1233063531,1d00ffff\n",
        "height,timestamp,bits\n2015,1233063000,1d00ffff\n2016,1233063531,1d00ffff\n",
        "height,time,difficulty\n2016,2009-01-27T13:38:51Z,1\n",
    ):
        (row,) = history_from_text(text, "h.csv", BTC)
        assert (row.height, row.difficulty) == (2016, 1.0)
        assert row.at == datetime(2009, 1, 27, 13, 38, 51, tzinfo=UTC)
    assert not history_from_text(
        "height,time,bits,quality\n0,2009-01-03,1d00ffff,est\n", "h.csv", BTC
    )[0].exact
    for text, words in (
        ("height,time\n0,2009-01-03\n", "needs height, time"),
        ("height,time,bits\n1,2009-01-03,1d00ffff\n", "no difficulty period"),
        ("height,time,bits,difficulty\n0,2009-01-03,1d00ffff,2\n", "contradicts bits"),
    ):
        with pytest.raises(Wrong, match=words):
            history_from_text(text, "h.csv", BTC)


def test_rows_end_somewhere() -> None:
    assert list(rows_of("a,b\n1,2\n , \n3,4\n", "t")) == [
        (2, {"a": "1", "b": "2"}),
        (4, {"a": "3", "b": "4"}),
    ]
