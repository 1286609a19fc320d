"""One rule for numbers, instants, days and tables on every route by which they come in."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
import xlsxwriter
from click.testing import CliRunner

from headframe.chain import chain_of
from headframe.cli.close_day import Day
from headframe.cli.frame import Figure, Instant, Share, Whole
from headframe.cli.scenario import Amount, Amounts
from headframe.codec import (
    PoolApi,
    PriceDefaults,
    TableRow,
    fees_from_text,
    history_from_text,
    load_exact,
    pool_payouts,
    power_from_text,
    prices_from_text,
    read_confirmations,
    read_delivery_answer,
    read_flows,
    read_outright_margins,
    read_pool_page,
    read_settlement_prices,
    read_statement,
    rows_of,
)
from headframe.desk.ports import Invalid, Malformed
from headframe.feed.esplora import block_from
from headframe.feed.files import market_from_text
from headframe.feed.sheets import read_table
from headframe.feed.tables import mined_rows, telemetry_rows
from headframe.units import (
    USD,
    CellNumber,
    Wrong,
    instant,
    parse_amount,
    parse_day,
    parse_figure,
    parse_figures,
    parse_hashrate,
    parse_month,
)
from headframe.web.strict import body_of, spoken_of

Route = Callable[[str], object]
DEFAULTS = PriceDefaults(coin="BTC", source="venue")
CHAIN_HEAD = (
    "timestamp,instrument_name,option_type,strike,expiry_datetime,bid_price,ask_price,mark_price,"
    "futures_price,implied_volatility,open_interest,index_price\n"
)


def _table(read: Callable[[tuple[TableRow, ...], str], object]) -> Route:
    return lambda text: read(tuple(rows_of(text, "t.csv")), "t.csv")


def _confirm(price: str = "5000", amount: str = "2", day: str = "2026-09-01") -> Any:
    return f"trade,instrument,side,amount,price,day\nT1,BTC-25DEC26-70000-P,buy,{amount},{price},{day}\n"


FIGURES: dict[str, Route] = {
    "coins csv, usd": lambda x: _table(read_flows)(
        f'id,kind,at,usd\na,cost,2026-09-01,"{x}"\n'
    ),
    "statement": lambda x: _table(read_statement)(
        f'account,currency,balance,day\nassets:cash,USD,"{x}",2026-09-01\n'
    ),
    "settlement price": lambda x: _table(lambda r, n: read_settlement_prices(r, n, DEFAULTS))(
        f'date,instrument,price\n2026-09-01,btc_usd,"{x}"\n'
    ),
    "confirmed price": lambda x: _table(read_confirmations)(_confirm(price=f'"{x}"')),
    "confirmed amount": lambda x: _table(read_confirmations)(_confirm(amount=f'"{x}"')),
    "price history": lambda x: prices_from_text(f'day,price\n2026-09-01,"{x}"\n2026-09-02,7\n', "p"),
    "power": lambda x: power_from_text(f'month,price\n2026-09,"{x}"\n', "w.csv"),
    "difficulty": lambda x: history_from_text(
        f'height,time,difficulty\n2016,2026-09-01,"{x}"\n', "h.csv", chain_of("BTC")
    ),
    "option chain": lambda x: market_from_text(
        CHAIN_HEAD + f'2026-09-01,,put,"{x}",2026-12-25,,,,70000,,,70000\n', name="c", as_of=None
    ),
    "typed market": lambda x: market_from_text(
        f'as_of,index,expiry,forward,ATM\n2026-09-01,"{x}",25-DEC-26,70000,40\n', name="m", as_of=None
    ),
    "margins": lambda x: _table(read_outright_margins)(
        f'code,from,to,maintenance\nBTC,2026-09,2026-10,"{x} USD"\n'
    ),
    "hashrate": lambda x: parse_hashrate(f"{x} TH/s"),
    "option amount": lambda x: Amount().convert(x, None, None),
    "option figure": lambda x: Figure().convert(x, None, None),
    "quote over http": lambda x: spoken_of(
        body_of(f'{{"quotes":[{{"dealer":"amber","price":"{x}"}}]}}'.encode())
    ),
}  # fmt: skip
BAD = ["25.000", "1,5", "1.234,56", "nan", "inf", "-inf", "1e999", "1_000", "１２", "1\u20095", "1\u00a0000", "0x10", "12 anything", "\u22125", "5,", "$5", "1.2.3"]  # fmt: skip
REFUSALS = (Wrong, Invalid, click.UsageError)


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize("route", FIGURES)
def test_no_route_takes_a_number_that_is_none_or_two(route: str, text: str) -> None:
    if (route, text) == ("margins", "$5"):
        FIGURES[route](text)  # an exchange's file names its currency
        return
    with pytest.raises(REFUSALS):
        FIGURES[route](text)


@pytest.mark.parametrize("route", sorted(FIGURES.keys() - {"margins"}))
def test_a_comma_between_thousands_is_refused_on_every_route(route: str) -> None:
    with pytest.raises(REFUSALS):
        FIGURES[route]("25,000")


@pytest.mark.parametrize("route", FIGURES)
def test_every_route_takes_a_plain_number(route: str) -> None:
    FIGURES[route]("25.5" if route != "coins csv, usd" else "25.50")
    FIGURES[route]("25")


INSTANTS: dict[str, Callable[[str], date]] = {
    "coins csv": lambda x: _first(_table(read_flows)(f"id,kind,at,usd\na,cost,{x},5\n")).at.date(),
    "statement": lambda x: _first(
        _table(read_statement)(f"account,currency,balance,at\nassets:cash,USD,5,{x}\n")
    ).at.date(),
    "mined": lambda x: _first(_table(mined_rows)(f"day,btc\n{x},1\n"))[0],
    "telemetry": lambda x: _first(_table(telemetry_rows)(f"day,hashrate\n{x},1 PH/s\n"))[0],
    "settlement price": lambda x: _first(
        _table(lambda r, n: read_settlement_prices(r, n, DEFAULTS))(
            f"date,instrument,price\n{x},btc_usd,5\n"
        )
    ).day,
    "confirmation": lambda x: _first(_table(read_confirmations)(_confirm(day=x))).day,
    "pool answer": lambda x: _first(_pool(x).payouts).at.date(),
    "price history": lambda x: prices_from_text(f"day,price\n{x},5\n2027-01-01,7\n", "p")[0][0].date(),
    "option day": lambda x: Day().convert(x, None, None),  # type: ignore[dict-item,return-value]
    "option instant": lambda x: Instant().convert(x, None, None).date(),  # type: ignore[attr-defined]
}  # fmt: skip


def _first(rows: Any) -> Any:
    return rows[0]


def _pool(at: str) -> Any:
    api = PoolApi(url="https://pool.example/p", id="id", at="at", amount="amount")
    return pool_payouts([{"id": "p1", "at": at, "amount": "0.5"}], api, "BTC")


@pytest.mark.parametrize(
    "text",
    ["2026-08-31T23:30:00-05:00", "2026-08-31 23:30-0500", "2026-08-31T23:30:00.250-05",
     "2026-09-01T04:30:00Z", "2026-09-01T04:30:00+0000", "2026-09-01", "2026-09-02T01:00:00+14:00",
     "1788237000", "1788237000000", "1788237000.5", "2026-09-01t04:30:00z"],
)  # fmt: skip
@pytest.mark.parametrize("route", INSTANTS)
def test_every_route_cuts_the_day_from_the_instant(route: str, text: str) -> None:
    assert INSTANTS[route](text) == date(2026, 9, 1)


@pytest.mark.parametrize(
    "text",
    ["2026-09-01 anything", "20260901", "2026-W36-1", "2026-244", "01/09/2026", "2026-9-1",
     "0026-09-01", "9026-09-01", "2026-02-30", "2026-09-01T25:00Z", "２０２６-09-01", "", "nan"],
)  # fmt: skip
@pytest.mark.parametrize("route", INSTANTS)
def test_no_route_takes_another_form_of_a_day(route: str, text: str) -> None:
    if (route, text) == ("confirmation", ""):
        assert INSTANTS[route](text) is None  # a confirmation may state no day
        return
    with pytest.raises(REFUSALS):
        INSTANTS[route](text)


TABLES: dict[str, tuple[str, Callable[[str], object]]] = {
    "coins csv": ("id,kind,at,usd\na,cost,2026-09-01,5\n", _table(read_flows)),
    "option chain": (
        CHAIN_HEAD + "2026-09-01,,put,70000,2026-12-25,,,,70000,,,70000\n",
        lambda x: market_from_text(x, name="c", as_of=None),
    ),
    "typed market": (
        "as_of,index,expiry,forward,ATM\n2026-09-01,70000,25-DEC-26,70000,40\n",
        lambda x: market_from_text(x, name="m", as_of=None),
    ),
    "prices": ("day,price\n2026-09-01,5\n2026-09-02,6\n", lambda x: prices_from_text(x, "p")),
    "fees": ("month,share\n2026-09,0.02\n", lambda x: fees_from_text(x, "f")),
}  # fmt: skip


@pytest.mark.parametrize("route", TABLES)
def test_every_table_is_read_in_one_dialect(route: str) -> None:
    text, read = TABLES[route]
    plain = read(text)
    quoted = "\n".join(
        ",".join(f'"{c}"' for c in line.split(",")) for line in text.split("\n")[:-1]
    )
    for other in ("\ufeff" + text, text.replace("\n", "\r\n"), text.replace("\n", "\r"), quoted, text + "\n\n"):  # fmt: skip
        assert read(other) == plain
    assert read(text.split("\n")[0].upper() + text[text.index("\n") :]) == plain


@pytest.mark.parametrize("route", TABLES)
def test_no_table_is_read_in_another_dialect(route: str) -> None:
    text, read = TABLES[route]
    for delimiter, words in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        with pytest.raises(Wrong, match=words):
            read(text.replace(",", delimiter))
    with pytest.raises(Wrong, match="semicolons"):
        read("sep=;\n" + text.replace(",", ";"))
    first, _, rest = text.partition("\n")
    with pytest.raises(Wrong, match="twice"):
        read(f"{first},{first.split(',')[0].upper()}\n{rest}")
    with pytest.raises(Wrong, match="CSV"):
        read(text[:-1] + '\n"unclosed')


def test_a_month_is_cut_from_the_instant() -> None:
    assert str(parse_month("2026-08-31T23:30:00-05:00")) == "2026-09"
    assert str(parse_month("2026-09")) == str(parse_month("2026-09-30")) == "2026-09"
    with pytest.raises(Wrong):
        parse_month("2026-09-xx")


def test_a_series_that_shows_its_point_keeps_three_decimals() -> None:
    shown = prices_from_text("day,price\n2012-01-01,13.304\n2012-01-02,13.31\n", "p")
    assert [price for _, price in shown] == [13.304, 13.31]
    with pytest.raises(Wrong, match=r"write 13\.3040 or 13304"):
        prices_from_text("day,price\n2012-01-01,13.304\n2012-01-02,13.315\n", "p")


def test_remedies_name_both_readings() -> None:
    for text, words in (("25.000", "25.0000 or 25000"), ("25,000", "25.0000 or 25000"), ("1,234.56", "1234.56"), ("2,5", "2.5 or 25")):  # fmt: skip
        with pytest.raises(Wrong, match=f"write {words}"):
            parse_figure(text)
    assert parse_figure("0.125") == Decimal("0.125")
    assert parse_figure("12.345", decimals=8) == Decimal("12.345")
    assert parse_figures("60000, 70000") == (Decimal(60_000), Decimal(70_000))
    with pytest.raises(Wrong, match="ambiguous"):
        parse_figures("60,000")


def test_a_margin_file_may_group_thousands_and_only_thousands() -> None:
    read = _table(read_outright_margins)
    row = _first(read('code,from,to,maintenance\nBTC,2026-09,2026-10,"$1,234,567.50"\n'))
    assert row.usd == 1_234_567.5
    for text in ("12,34", "1,5", "1234,567"):
        with pytest.raises(Wrong):
            read(f'code,from,to,maintenance\nBTC,2026-09,2026-10,"{text}"\n')


def test_numbers_of_a_workbook_are_what_they_are(tmp_path: Path) -> None:
    place = tmp_path / "t.xlsx"
    with xlsxwriter.Workbook(str(place)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "kind", "at", "usd"])
        for row, usd in enumerate((0.1 + 0.2, 100 / 3, 104.125, "104.125"), start=1):
            sheet.write_row(row, 0, [f"r{row}", "cost", "2026-09-01", usd])
    rows = read_table(place)
    with pytest.raises(Wrong, match=r"usd 104\.125 is ambiguous"):
        read_flows(rows, "t.xlsx")
    assert [str(one.cash) for one in read_flows(rows[:3], "t.xlsx")] == ["0.30", "33.33", "104.12"]
    assert parse_amount(CellNumber("104.125"), USD, "usd").smallest == 10_412


def test_numbers_of_json_are_numbers() -> None:
    with pytest.raises(Wrong, match="JSON"):
        market_from_text(
            '[{"instrument_name": "BTC-25DEC26", "mark_price": NaN}]', name="s", as_of=None
        )
    row = '[{"instrument_name": "BTC-25DEC26", "mark_price": 1, "creation_timestamp": %s}]'
    for stamp in ("1" + "0" * 400, "1e300", "-5", "true", '"1788237000000"'):
        with pytest.raises(Wrong):
            market_from_text(row % stamp, name="s", as_of=None)
    for height in ("1.5", "true", '"840000"', "null"):
        text = f'{{"height": {height}, "timestamp": 1788237000, "bits": 386089497}}'
        with pytest.raises(Malformed):
            block_from(text, 1)
    with pytest.raises(ValueError, match="NaN"):
        load_exact('{"x": NaN}')
    with pytest.raises(Wrong):
        read_delivery_answer(
            '{"data": [{"date": "2026-09-01", "delivery_price": 1e999}]}', "d", DEFAULTS
        )
    api = PoolApi(url="https://pool.example/p", id="id", at="at", amount="amount")
    for amount in ('"1,5"', "true", "1e999", '"１"', '"nan"', '"0.5 BTC"'):
        page = read_pool_page(f'[{{"id": "a", "at": 1788237000, "amount": {amount}}}]', api)
        with pytest.raises(Wrong, match="no amount"):
            pool_payouts(page.rows, api, "BTC")


def test_options_of_numbers_refuse_what_is_none() -> None:
    for kind in (Whole(0, 10), Share(), Figure(), Amounts()):

        @click.command()
        @click.option("--x", type=kind)
        def one(x: object) -> None:
            click.echo(repr(x))

        for text in ("nan", "inf", "1_0", "１", "0x1", "", "1 0", "25.000"):
            assert CliRunner().invoke(one, ["--x", text]).exit_code == 2, (kind, text)
        assert CliRunner().invoke(one, ["--x", "1"]).exit_code == 0


def test_the_instant_keeps_its_fraction() -> None:
    assert instant("1788237000.25") == datetime(2026, 9, 1, 4, 30, 0, 250_000, tzinfo=UTC)
    assert instant("2026-09-01 04:30:00.250 UTC") == instant("1788237000250")
    assert parse_day("2026-09-01") == date(2026, 9, 1)
