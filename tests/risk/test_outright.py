from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from headframe.codec import read_outright_margins
from headframe.instrument import HashpriceForward
from headframe.risk import MonthMargin, OutrightMargin, forward_initial, month_margins, outright
from headframe.units import Month, Wrong

HEAD = "exchange,product name,product code,start period,end period,maintenance\n"


def read(text: str) -> Any:
    rows = [line.split(";") for line in (HEAD.replace(",", ";") + text).strip().splitlines()]
    names = rows[0]
    return read_outright_margins(
        [(n, dict(zip(names, row, strict=True))) for n, row in enumerate(rows[1:], 2)], "cme.csv"
    )


FILE = """\
CME;BITCOIN FUTURES;BTC;202609;202609;121,500.00 USD
CME;BITCOIN FUTURES;BTC;2026-10;2027-12;118,000.00 USD
CME;MICRO BITCOIN;MBT;SEP-26;DEC-27;33%
CME;MICRO BITCOIN;MBT;01/2028;;$2,500
"""


def test_a_daily_file_is_read_in_the_ways_such_files_are_written() -> None:
    first, second, third, fourth = read(FILE)
    assert first == OutrightMargin(
        product="BTC", first=Month(2026, 9), last=Month(2026, 9), usd=121_500.0
    )
    assert (second.first, second.last) == (Month(2026, 10), Month(2027, 12))
    assert (third.first, third.last, third.share) == (Month(2026, 9), Month(2027, 12), 0.33)
    assert (fourth.first, fourth.last, fourth.usd) == (Month(2028, 1), Month(2028, 1), 2_500.0)


def test_coins_are_margined_in_whole_contracts_by_their_month() -> None:
    coins = {Month(2026, 9): -57.2, Month(2026, 12): -10.0}
    forwards = {Month(2026, 9): 80_000.0, Month(2026, 12): 82_000.0}
    one, two = outright(coins, forwards, read(FILE), "BTC")
    assert (one.contracts, one.coins, one.notional_usd) == (12, 60.0, 4_800_000.0)
    assert one.maintenance_usd == 12 * 121_500.0
    assert one.initial_usd == pytest.approx(1.1 * 12 * 121_500.0)
    assert (two.contracts, two.maintenance_usd) == (2, 236_000.0)
    micro, _ = outright(coins, forwards, read(FILE), "MBT")
    assert micro.contracts == 572
    assert micro.coins == pytest.approx(57.2)
    assert micro.maintenance_usd == pytest.approx(0.33 * 57.2 * 80_000.0)
    # the 110 % and 100 % of the advisory: 1540 and 1400 USD a contract
    rule = OutrightMargin(product="BTC", first=Month(2026, 9), last=Month(2026, 9), usd=1_400.0)
    (row,) = outright({Month(2026, 9): 5.0}, forwards, (rule,), "BTC")
    assert row.maintenance_usd == 1_400.0
    assert row.initial_usd == pytest.approx(1_540.0)


@pytest.mark.parametrize(
    ("coins", "product", "words"),
    [
        ({Month(2028, 5): 1.0}, "BTC", "no margin of BTC for 2028-05"),
        ({Month(2026, 9): 1.0}, "ETH", "known: BTC, MBT"),
    ],
)
def test_what_the_file_does_not_say_is_not_guessed(coins: Any, product: str, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        outright(coins, dict.fromkeys(coins, 80_000.0), read(FILE), product)


def test_two_margins_of_a_month_or_none_of_a_product_are_refused() -> None:
    twice = (*read(FILE), *read(FILE))
    with pytest.raises(Wrong, match="more than one margin"):
        outright({Month(2026, 9): 1.0}, {Month(2026, 9): 8e4}, twice, "BTC")
    with pytest.raises(Wrong, match="it has BTC"):
        outright({Month(2026, 9): 1.0}, {Month(2026, 9): 8e4}, read(FILE)[:1], "MBT")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("CME;x;BTC;202609;202609;\n", "needs a product code"),
        ("CME;x;BTC;202609;202609;lots\n", "lots|number"),
        ("CME;x;BTC;soon;202609;1\n", "a contract month was expected"),
        ("CME;x;BTC;202609;202608;1\n", "months run from"),
        ("CME;x;BTC;202609;202609;0\n", "is none"),
        ("CME;x;BTC;202609;202609;140%\n", "a share lies"),
    ],
)
def test_a_bad_row_is_named(text: str, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        read(text)


def test_a_file_without_its_columns_is_none() -> None:
    with pytest.raises(Wrong, match="says nothing"):
        read_outright_margins([], "cme.csv")
    with pytest.raises(Wrong, match="lacks the column maintenance"):
        read_outright_margins([(2, {"code": "BTC", "from": "202609", "to": "202609"})], "cme.csv")


def forward(phs: int, days: int, fixed: str, *, in_coin: bool = False) -> HashpriceForward:
    return HashpriceForward(
        first=date(2026, 9, 1), last=date(2026, 9, days) if days <= 30 else date(2026, 10, 1),
        phs=Decimal(phs), fixed=Decimal(fixed), in_coin=in_coin,
    )  # fmt: skip


def test_hashprice_forwards_ask_the_published_margin() -> None:
    # the desk's own examples: 63,000 USD and 0.4464 BTC
    usd = forward_initial(forward(100, 30, "60"), date(2026, 8, 22))
    assert (usd.amount, usd.in_coin, usd.in_force) == (Decimal("63000.00"), False, True)
    coin = forward_initial(forward(100, 31, "0.00080", in_coin=True), date(2026, 8, 22))
    assert coin.amount == Decimal("0.4464")
    half = forward_initial(forward(100, 30, "60"), date(2026, 9, 16))
    assert half.amount == Decimal("31500.00"), "days that settled ask nothing"
    assert forward_initial(forward(100, 30, "60"), date(2026, 10, 2)).amount == 0
    assert not forward_initial(forward(100, 30, "60"), date(2023, 1, 1)).in_force


def test_a_file_becomes_shares_to_plan_by() -> None:
    found = month_margins(read(FILE), "BTC", lambda month: 80_000.0 + month.number)
    assert found == (
        MonthMargin(
            first=Month(2026, 9),
            last=Month(2026, 9),
            initial=round(1.1 * 121_500 / (5 * 80_009), 6),
        ),
        MonthMargin(
            first=Month(2026, 10),
            last=Month(2027, 12),
            initial=round(1.1 * 118_000 / (5 * 80_010), 6),
        ),
    )
    micro = month_margins(read(FILE), "MBT", lambda _: 80_000.0, hedger=True)
    assert [one.initial for one in micro] == [0.33, round(2_500 / (0.1 * 80_000), 6)]
    with pytest.raises(Wrong, match="the file has no margin of BTC"):
        month_margins(read(FILE)[2:], "BTC", lambda _: 80_000.0)
    with pytest.raises(Wrong, match="the contract of 'ETH' is not known"):
        month_margins(read(FILE), "ETH", lambda _: 80_000.0)
