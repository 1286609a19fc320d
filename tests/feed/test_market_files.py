import json
from pathlib import Path
from typing import Any

import pytest

from headframe.feed import market_from_text, read_book_summary, read_chain_csv, read_text
from headframe.pricing import surface_of
from headframe.units import NO_EXPIRY, Wrong, instant, iso

HEADER = "timestamp,instrument_name,option_type,strike,expiry_datetime,bid_price,ask_price,mark_price,futures_price,implied_volatility,delta,vega,open_interest,volume,index_price\n"  # fmt: skip
ROW = "2026-08-22T15:33:51.683630+00:00,BTC-25DEC26-70000-P,put,70000.0,2026-12-25T08:00:00+00:00,0.05,0.052,0.051,78343.0,0.43,-0.3,1,10,1,77054.0\n"  # fmt: skip


def test_a_real_chain_is_read_whole(real_data: Path) -> None:
    path = real_data / "deribit_chains" / "btc_chain_20260822T153351Z.csv"
    market = read_chain_csv(path.read_text(), name=path.name)
    assert iso(market.as_of) == "2026-08-22T15:33:51.683630Z"
    assert len(market.options) == 1038
    assert len(market.forwards) == 12
    assert market.index == pytest.approx(77_062, abs=30)
    assert market.spread == pytest.approx(0.0375, abs=0.006)


def test_a_row_becomes_a_quote() -> None:
    market = read_chain_csv(HEADER + ROW, name="x")
    quote = market.options[0]
    assert (quote.strike, quote.is_call, quote.bid, quote.ask, quote.vol) == (
        70_000.0,
        False,
        0.05,
        0.052,
        0.43,
    )
    assert market.forwards[0].price == 78_343.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a header"),
        ("a,b\n1,2\n", "lacks the columns"),
        (HEADER, "no option with an index"),
        (HEADER + ROW.replace("0.05,", "abc,"), "line 2: bid_price: expected a plain finite number"),
        (HEADER + ROW.replace("0.05,", "nan,"), "line 2: bid_price: expected a plain finite number"),
        (HEADER + ROW.replace("0.05,", "-1,"), "line 2: a bid must be a number between"),
        (HEADER + ROW.replace("put", "straddle"), "line 2: option_type"),
        (HEADER + ROW.replace("2026-12-25T", "2026-13-25T"), "line 2: no such instant"),
        (HEADER + "only,three,cells\n", "line 2"),
        (HEADER + ROW.replace("2026-12-25", "2026-08-01"), "no expiry after"),
    ],
)  # fmt: skip
def test_bad_chains_are_refused_by_line(text: str, message: Any) -> None:
    with pytest.raises(Wrong, match=message):
        market_from_text(text, name="x", as_of=None)


def summary(**changes: Any) -> Any:
    row = {
        "instrument_name": "BTC-25DEC26-70000-P", "base_currency": "BTC", "bid_price": 0.05, "ask_price": None,
        "mark_price": 0.051, "mark_iv": 43.2, "underlying_price": 78343.0, "open_interest": 12.5,
        "creation_timestamp": 1787412831000, "estimated_delivery_price": 77054.0, "underlying_index": "BTC-25DEC26",
    }  # fmt: skip
    return row | changes


def test_deribits_book_summary_is_read_with_and_without_its_envelope() -> None:
    rows = [
        summary(),
        summary(instrument_name="BTC-25DEC26-90000-C", bid_price=0.03, ask_price=0.031),
        {
            "instrument_name": "BTC-25DEC26",
            "mark_price": 78350.0,
            "creation_timestamp": 1787412831000,
            "estimated_delivery_price": 77054.0,
        },
        {"instrument_name": "BTC-PERPETUAL", "mark_price": 77060.0},
    ]
    bare = read_book_summary(json.dumps(rows), name="x", as_of=None)
    wrapped = market_from_text(
        json.dumps({"jsonrpc": "2.0", "result": rows, "usIn": 1}), name="x", as_of=None
    )
    assert bare == wrapped
    assert len(bare.options) == 2
    assert bare.options[0].vol == pytest.approx(0.432)
    assert bare.options[0].ask is None
    assert bare.index == 77054.0
    told = read_book_summary(json.dumps(rows), name="x", as_of=instant("2026-08-22T15:00Z"))
    assert iso(told.as_of) == "2026-08-22T15:00:00Z"


@pytest.mark.parametrize(
    "text",
    ["{", "{}", "[]", '{"result": 5}', "[5]", '[{"a": 1}]', json.dumps([summary(mark_iv="x")]), json.dumps([summary(bid_price=True)]), '[{"instrument_name": "BTC-X-1-P"}]', "[" * 5000, json.dumps([summary(creation_timestamp=None)])],
)  # fmt: skip
def test_bad_summaries_are_refused(text: str) -> None:
    with pytest.raises(Wrong):
        market_from_text(text, name="x", as_of=None)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_text(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Wrong, match="cannot be read as text"):
        read_text(tmp_path / "latin.csv")
    with pytest.raises(Wrong):
        read_text(tmp_path)


TYPED = """as_of,index,expiry,forward,10P,25P,ATM,25C,10C,open_interest,spread
2026-08-22T15:33:00Z,77054,26-MAR-27,79203,48.5,43.6,41.6,42.2,45.2,27728,0.0375
2026-08-22T15:33:00Z,77054,25-DEC-26,78343,48.8,43.2,41.5,41.9,45.2,,0.0375
2026-08-22T15:33:00Z,77054,25-JUN-27,80104,,,42.0,,,7440,0.0375
"""


def test_figures_typed_in_make_a_market() -> None:
    market = market_from_text(TYPED, name="mine.csv", as_of=None)
    assert [str(f.expiry.date()) for f in market.forwards] == [
        "2026-12-25",
        "2027-03-26",
        "2027-06-25",
    ]
    assert (market.index, market.spread, market.coin) == (77_054.0, 0.0375, "BTC")
    surface = surface_of(market)
    assert surface.vol_at_delta(surface.smiles[0].years, 0.75) == pytest.approx(0.432, abs=1e-4)


def test_one_figure_is_meant_for_every_strike() -> None:
    lines = TYPED.splitlines()
    surface = surface_of(market_from_text(f"{lines[0]}\n{lines[3]}\n", name="a.csv", as_of=None))
    for strike in (50_000.0, 80_000.0, 120_000.0):
        assert surface.vol(surface.smiles[0].years, strike) == pytest.approx(0.42, abs=2e-3)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("77054,25-DEC-26", "77055,25-DEC-26", "index differs"),
        ("26-MAR-27", "26-FOO-27", "line 2: an expiry"),
        ("79203", "x", "line 2"),
        ("42.0", "", "line 4: no volatility"),
        ("48.5", "-3", "line 2"),
        (",27728,0.0375", "", "line 2: 11 cells wanted"),
        (",27728,0.0375", ",1,0.0375,9", "line 2: 11 cells wanted"),
        ("26-MAR-27", "25-DEC-26", "one an expiry"),
        ("0.0375", "nan", "number"),
    ],
)
def test_typed_figures_that_make_no_market_are_named(old: str, new: str, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        market_from_text(TYPED.replace(old, new), name="mine.csv", as_of=None)


def read(*rows: Any) -> Any:
    return read_book_summary(json.dumps(rows), name="x", as_of=None)


def test_the_coin_of_a_summary_is_read_from_its_rows() -> None:
    found = read(summary(instrument_name="ETH-25DEC26-3000-P", base_currency="ETH"))
    assert found.coin == "ETH"
    linear = summary(
        instrument_name="BTC_USDC-25DEC26-80000-C", bid_price=3917.15, mark_price=3995.493
    )
    (quote,) = read(linear).options
    assert quote.bid == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("name", "base", "message"),
    [
        ("ETH-25DEC26-3000-P", "ETH", "mixes markets of BTC, ETH"),
        ("BTC_USDC-25DEC26-80000-C", "BTC", "mixes instruments settled in BTC, USDC"),
        ("BTC-25DEC26-80000-C", "SOL", "base_currency says SOL"),
        ("BTC-25DEC26-80000-X", "BTC", "no instrument is called"),
        ("BTC-NOEXPIRY", "BTC", "an expiry is written"),
    ],
)
def test_rows_of_two_markets_and_names_of_nothing_are_refused(
    name: str, base: str, message: str
) -> None:
    with pytest.raises(Wrong, match=message):
        read(summary(), summary(instrument_name=name, base_currency=base))


@pytest.mark.parametrize(
    "name",
    ["BTC-FS-25DEC26_PERP", "BTC-FS-26MAR27_25DEC26", "BTC-CS-25DEC26-70000_80000", "BTC_USDC", "ETH_BTC", "btc_usd"],
)  # fmt: skip
def test_rows_without_forward_or_volatility_are_left_out_and_counted(name: str) -> None:
    odd = summary(instrument_name=name, base_currency=None, mark_price=3.0, underlying_price=None)
    found, plain = read(summary(), odd), read(summary())
    assert (found.forwards, found.options) == (plain.forwards, plain.options)
    assert found.source == "x, 1 rows left out"


def test_the_perpetual_is_kept_with_its_mark_and_its_open_interest_in_coins() -> None:
    odd = summary(
        instrument_name="BTC-PERPETUAL", mark_price=80_000.0, open_interest=8e8, mark_iv=None,
        underlying_price=None,
    )  # fmt: skip
    found = read(summary(), odd)
    assert found.source == "x"
    assert found.perpetual is not None
    assert (found.perpetual.price, found.perpetual.open_interest) == (80_000.0, 10_000.0)
    assert found.forward(NO_EXPIRY) == found.perpetual
    assert NO_EXPIRY not in {one.expiry for one in found.forwards}


def test_a_csv_chain_says_its_coin_by_its_instruments() -> None:
    other = ROW.replace("BTC-", "ETH-")
    assert read_chain_csv(HEADER + other, name="x").coin == "ETH"
    with pytest.raises(Wrong, match="mixes markets of BTC, ETH"):
        read_chain_csv(HEADER + ROW + other, name="x")
    with pytest.raises(Wrong, match="settled in USDC"):
        read_chain_csv(HEADER + ROW.replace("BTC-", "BTC_USDC-"), name="x")
