"""Payouts, sales, costs and pledges: each once, all of a file or none, never below nothing."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import CASH, COINS_FREE, COINS_PLEDGED, Accounts, entries_of
from headframe.cli.app import app
from headframe.codec import read_flows
from headframe.desk import audit, checkpoint, days, flows, money, production
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid
from headframe.risk import Course
from headframe.units import BTC, USD, Month, Wrong, iso
from headframe.wiring import open_office

HEAD = "id,kind,at,coins,usd,fee_usd,memo,coin\n"


def rows(text: str) -> Any:
    lines = (HEAD + text).strip().splitlines()
    names = lines[0].split(",")
    return [
        (number, dict(zip(names, [*line.split(","), *[""] * 8], strict=False)))
        for number, line in enumerate(lines[1:], start=2)
    ]


def read(text: str) -> Any:
    return read_flows(rows(text), "flows.csv")


AT = "2026-08-22T15:33:00Z"
DAY = f"""\
pay-1,payout,{AT},3.25,,,
sale-1,sale,{AT},2.5,192500.00,96.25,
cost-1,cost,{AT},,1200.50,,power
pledge-1,pledge,{AT},1.5,,,lender
"""


def test_a_day_of_a_mine_is_in_the_books_once(office: Office) -> None:
    office.user = "treasurer"
    before = office.state().ledger.copy()
    taken = flows.take(office, read(DAY), "day.csv")
    assert [one.id for one in taken.booked] == ["pay-1", "sale-1", "cost-1", "pledge-1"]
    ledger = office.state().ledger

    def moved(account: str, currency: Any) -> Decimal:
        one = ledger.balance(account, currency) - before.balance(account, currency)
        return Decimal(one.smallest) / one.currency.scale

    assert moved(COINS_FREE, BTC) == Decimal("3.25") - Decimal("2.5") - Decimal("1.5")
    assert moved(COINS_PLEDGED, BTC) == Decimal("1.5")
    assert moved(CASH, USD) == Decimal("192500.00") - Decimal("96.25") - Decimal("1200.50")
    assert moved(Accounts.MINED, BTC) == Decimal("-3.25")
    month = office.state().months[Month(2026, 8)]
    assert (month.mined, month.sold, month.costs_usd) == (3.25, 2.5, 1200.5)
    assert month.spot_price == pytest.approx((192_500 - 96.25) / 2.5)
    head = office.state().head
    again = flows.take(office, read(DAY), "day.csv")
    assert (again.booked, len(again.known)) == ((), 4)
    assert office.state().head == head, "nothing is written where nothing is new"
    more = flows.take(office, read(DAY + f"pay-2,payout,{AT},1,,,\n"), "day.csv")
    assert [one.id for one in more.booked] == ["pay-2"]
    assert office.state().months[Month(2026, 8)].mined == 4.25
    assert money.performance(office).months[-1].sold == 2.5
    kept = checkpoint.read(checkpoint.written(office.state()))
    assert kept is not None
    assert kept.flows == office.state().flows
    assert audit.verify(office).sound


def test_what_does_not_hold_is_refused_whole(office: Office) -> None:
    office.user = "treasurer"
    flows.take(office, read(DAY), "day.csv")
    state = office.state()
    free = state.ledger.balance(COINS_FREE, BTC)
    later = iso(office.now() + timedelta(days=1))
    for text, error, words in (
        (f"a,payout,{AT},1,,,\nb,sale,{AT},100000,1,,\n", Declined, "b: bought|b: sold|not enough"),
        (
            f"a,payout,{AT},1,,,\npay-1,payout,{AT},9,,,\n",
            Declined,
            "pay-1 was booked before with other",
        ),
        (f"a,payout,{later},1,,,\n", Invalid, "after our"),
        ("a,payout,2026-08-22T15:32:59Z,1,,,\n", Invalid, "before the opening balances"),
        (f"a,release,{AT},5000,,,\n", Declined, "not enough"),
    ):
        with pytest.raises(error, match=words):
            flows.take(office, read(text), "day.csv")
        assert office.state().ledger.balance(COINS_FREE, BTC) == free
        assert "a" not in office.state().flows
    assert office.state().head == state.head
    production.make(office)
    days.walk(office, Course.STABLE, date(2026, 9, 2))
    with pytest.raises(Declined, match="come with the clock"):
        flows.take(office, read(f"z,payout,{AT},1,,,\n"), "day.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"a,payout,{AT},-1,,,\n", "coins of a payout is above zero"),
        (f"a,payout,{AT},,,,\n", "coins of a payout is above zero"),
        (f"a,payout,{AT},1,5,,\n", "usd of a payout is left out"),
        (f"a,sale,{AT},1,,,\n", "usd of a sale is above zero"),
        (f"a,sale,{AT},1,10,11,\n", "more than the sale"),
        (f"a,sale,{AT},1,10,-1,\n", "not below zero"),
        (f"a,cost,{AT},,10,1,power\n", "fee_usd is of a sale"),
        (f"a,cost,{AT},,10,,Power: new\n", "memo"),
        (f"a,gift,{AT},1,,,\n", "kind is one of"),
        (f"a,payout,{AT},0.123456789,,,\n", "more digits than BTC"),
        (f"a,sale,{AT},1,10.001,,\n", "more digits than USD"),
        (f"a,payout,{AT},1e30,,,\n", "more digits|decimal"),
        (f"a,payout,{AT},1,,,,LTC\n", "not in these books"),
        ("a,payout,yesterday,1,,,\n", "yesterday"),
        (f",payout,{AT},1,,,\n", "id is a plain word"),
        (f"a,payout,{AT},1,,,\na,payout,{AT},1,,,\n", "has a twice"),
        ("", "says nothing"),
    ],
)
def test_bad_rows_are_named(text: str, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        read(text)


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.integers(0, 10**6))
def test_every_flow_is_balanced(coins: int, usd: int, fee: int) -> None:
    one = Decimal(coins).scaleb(-8)
    text = "".join(
        f"{kind},{kind},{AT},{'' if kind == 'cost' else f'{one:f}'},"
        f"{f'{Decimal(usd + fee).scaleb(-2):f}' if kind in {'sale', 'cost'} else ''},"
        f"{f'{Decimal(fee).scaleb(-2):f}' if kind == 'sale' else ''},\n"
        for kind in ("payout", "sale", "cost", "pledge", "release")
    )
    for flow in read(text):
        for entry in entries_of(flow):
            for currency in (BTC, USD):
                total = sum(
                    p.money.smallest for p in entry.postings if p.money.currency == currency
                )
                assert total == 0


def test_the_command_takes_a_file_as_it_grows(
    signed_mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    folder = tmp_path / "mine"
    shutil.copytree(signed_mine, folder)
    file = tmp_path / "pool.csv"
    file.write_text(HEAD.replace(",coin\n", "\n") + DAY)

    def run() -> Any:
        status = app.main(
            ["coins", str(file), "--workspace", str(folder), "--as", "treasurer", "--json"],
            standalone_mode=False,
        )
        return status or 0, json.loads(capsys.readouterr().out)

    status, shown = run()
    assert (status, len(shown["booked"]), shown["known"]) == (0, 4, [])
    status, shown = run()
    assert (status, shown["booked"], len(shown["known"])) == (0, [], 4)
    assert audit.verify(open_office(folder, user="x")).sound
