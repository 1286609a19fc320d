"""The one reading of instants, days, hashrates and exact amounts."""

from datetime import UTC, date, datetime

import pytest

from headframe.codec.flows import read_flows
from headframe.codec.rows import rows_of
from headframe.codec.statements import read_statement
from headframe.feed.tables import mined_rows, telemetry_rows
from headframe.units import (
    COINS,
    CURRENCIES,
    USD,
    Currency,
    Wrong,
    instant,
    parse_amount,
    parse_day,
    parse_expiry,
    parse_hashrate,
)

NOON = datetime(2026, 9, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-02T12:00:00Z", "2026-09-02 12:00", "2026-09-02T17:00:00+05:00",
        "2026-09-02T12:00:00+0000", "2026-09-02T12:00:00+00", "2026-09-02 07:00:00-0500",
        "2026-09-02 12:00:00 UTC", "1788350400", "1788350400000",
    ],
)  # fmt: skip
def test_every_form_of_an_instant_is_the_same_instant(text: str) -> None:
    assert instant(text) == NOON


@pytest.mark.parametrize(
    "text",
    ["2026-09-02 06:00:00 anything", "17883504000", "20260902", "99999999999999", "4102444800"],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(Wrong):
        instant(text)


def test_a_day_is_cut_in_utc_and_rows_of_one_day_add_up() -> None:
    assert parse_day("2026-08-30T22:15:00-04:00") == date(2026, 8, 31)
    table = "date,btc\n2026-08-30T22:15:00-04:00,0.25\n2026-08-31T01:00:00Z,0.5\n"
    rows = mined_rows(tuple(rows_of(table, "t.csv")), "t.csv")
    assert rows == ((date(2026, 8, 31), "0.75000000"),)
    hashes = "day,hashrate\n2026-08-30T22:15:00-0400,3 ph/s\n"
    assert telemetry_rows(tuple(rows_of(hashes, "h.csv")), "h.csv") == (
        (date(2026, 8, 31), "3000000000000000.0"),
    )


def test_text_after_a_day_is_refused() -> None:
    with pytest.raises(Wrong, match="a day is written"):
        mined_rows(tuple(rows_of("day,btc\n2026-08-30 06:00:00 local,1\n", "t.csv")), "t.csv")


@pytest.mark.parametrize("unit", ["PH/s", "Ph/s", "ph/s", "pH/S"])
def test_the_case_of_a_hashrate_unit_counts_for_nothing(unit: str) -> None:
    assert parse_hashrate(f"12.5 {unit}") == 12.5e15


@pytest.mark.parametrize("coin", sorted(COINS))
@pytest.mark.parametrize("amount", ["3.75", "120000"])
def test_amounts_of_every_coin_are_bounded_in_coins(coin: str, amount: str) -> None:
    table = f"id,kind,at,coins,coin\na,payout,2026-09-02T06:00:00Z,{amount},{coin}\n"
    (flow,) = read_flows(tuple(rows_of(table, "f.csv")), "f.csv")
    assert float(flow.coins) == float(amount)
    stated = f"account,currency,balance,day\nassets:coins:free,{coin},{amount},2026-09-02\n"
    (balance,) = read_statement(tuple(rows_of(stated, "s.csv")), "s.csv")
    assert float(balance.balance) == float(amount)
    with pytest.raises(Wrong, match="beyond the largest amount"):
        parse_amount("1" + "0" * 13, CURRENCIES[coin], "coins")
    with pytest.raises(Wrong, match="more digits"):
        parse_amount("0." + "0" * 18 + "1", CURRENCIES[coin], "coins")


@pytest.mark.parametrize("text", ["1e5", "1E5", "6e4", "1e-3"])
@pytest.mark.parametrize("currency", [USD, CURRENCIES["BTC"]])
def test_an_amount_is_written_out(text: str, currency: Currency) -> None:
    with pytest.raises(Wrong, match="usd: expected digits with a point"):
        parse_amount(text, currency, "usd")


@pytest.mark.parametrize("text", ["25.000", "-1.234", "999.500"])
def test_three_decimals_of_dollars_are_ambiguous(text: str) -> None:
    with pytest.raises(Wrong, match="ambiguous"):
        parse_amount(text, USD, "usd")


@pytest.mark.parametrize(("delimiter", "called"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_delimiter_is_named(delimiter: str, called: str) -> None:
    text = delimiter.join(("id", "kind", "at", "coins")) + "\n"
    with pytest.raises(Wrong, match=f"separated by {called}"):
        tuple(rows_of(text, "f.csv"))


@pytest.mark.parametrize("text", ["2027-03-26", "26-MAR-27", "26MAR27", "26-mar-27"])
def test_every_form_of_an_expiry_is_the_same_expiry(text: str) -> None:
    assert parse_expiry(text) == datetime(2027, 3, 26, 8, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2027-13-26", "2027-02-30", "2027-3-26", "1927-03-26"])
def test_no_such_expiry(text: str) -> None:
    with pytest.raises(Wrong):
        parse_expiry(text)
