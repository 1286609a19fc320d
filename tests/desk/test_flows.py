"""Payouts, sales, costs and pledges: each once, all of a file or none, never below nothing."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import (
    CASH,
    COINS_FREE,
    COINS_PLEDGED,
    Accounts,
    AtCost,
    FxRate,
    Payout,
    PayoutSource,
    entries_of,
)
from headframe.cli.app import app
from headframe.codec import read_flows
from headframe.counterparty import Step
from headframe.desk import (
    audit,
    cash,
    checkpoint,
    counterparties,
    days,
    flows,
    fx,
    limits,
    money,
    pages,
    production,
    programme,
    workspace,
)
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid
from headframe.risk import Course
from headframe.units import BTC, CURRENCIES, USD, Month, Wrong, booked, iso
from headframe.wiring import open_office
from venues import FakeVenue, deal

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
        (
            f"a,payout,{AT},1,,,\nb,sale,{AT},100000,7000000000,,\n",
            Declined,
            "b: bought|b: sold|not enough",
        ),
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
    with pytest.raises(Declined, match="closed with coins of its own"):
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
        (f"a,cost,{AT},,10,1,power\n", "a fee is of a sale"),
        (f"a,cost,{AT},,10,,Power: new\n", "memo"),
        (f"a,gift,{AT},1,,,\n", "kind is one of"),
        (f"a,payout,{AT},0.123456789,,,\n", "more digits than BTC"),
        (f"a,sale,{AT},1,10.001,,\n", "is ambiguous"),
        (f"a,payout,{AT},1{'0' * 15},,,\n", "beyond the largest amount"),
        (f"a,payout,{AT},1,,,,XAU\n", "not in these books"),
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


WIDE = "id,kind,at,coins,usd,amount,currency,fee,into,into_currency,venue\n"


def wide(text: str) -> Any:
    lines = (WIDE + text).strip().splitlines()
    names = lines[0].split(",")
    found = [
        (number, dict(zip(names, [*line.split(","), *[""] * 12], strict=False)))
        for number, line in enumerate(lines[1:], start=2)
    ]
    return read_flows(found, "wide.csv")


def test_cash_of_other_currencies_is_kept_in_them_and_counted_at_its_rate(office: Office) -> None:
    office.user = "treasurer"
    text = f"""\
c-1,convert,{AT},,,100000,USD,50,136500,CAD,
c-2,cost,{AT},,,36500,CAD,,,,
s-1,sale,{AT},1,,77000,USDC,77,,,exchange one
k-1,capital,{AT},,250000,,,,,,
d-1,distribution,{AT},,,1000,USDC,,,,
"""
    with pytest.raises(Declined, match=r"no rate of CAD within 5 days.*headframe fx CAD="):
        flows.take(office, wide(text), "wide.csv")
    at = office.now()
    fx.put(office, [FxRate(currency="CAD", usd=Decimal("0.73"), at=at)])
    fx.put(office, [FxRate(currency="USDC", usd=Decimal("0.999"), at=at)])
    before = programme.liquidity_of(office.state(), office.settings())
    usd = office.state().ledger.balance(CASH, USD)
    flows.take(office, wide(text), "wide.csv")
    state = office.state()
    assert str(state.ledger.balance(CASH, CURRENCIES["CAD"])) == "100000.00"
    assert str(state.ledger.balance(CASH, CURRENCIES["USDC"])) == "75923.000000"
    assert str(state.ledger.balance(CASH, USD) - usd) == "149950.00"
    assert str(state.ledger.balance(Accounts.CAPITAL, USD)) == "-250000.00"
    assert not state.ledger.imbalance()
    after = programme.liquidity_of(state, office.settings())
    gained = 149_950 + 0.98 * (100_000 * 0.73 + 75_923 * 0.999)
    assert after.cash_usd - before.cash_usd == pytest.approx(gained)
    month = state.months[Month(2026, 8)]
    assert month.spot_usd == pytest.approx((77_000 - 77) * 0.999)
    lost = 100_050 - 136_500 * 0.73
    assert month.costs_usd == pytest.approx(36_500 * 0.73 + lost), "what converting cost is a cost"
    bare = month.cash_usd - float(state.ledger.balance(CASH, USD))
    assert bare == pytest.approx(100_000 * 0.73 + 75_923 * 0.999), "cash of every currency"
    held = {one.money.currency.code: one.rate for one in fx.held(office)}
    assert held["CAD"] is not None
    assert (held["CAD"].usd, set(held)) == (Decimal("0.73"), {"CAD", "USDC"})
    cost = {one.money.currency.code: one.at_cost for one in fx.held(office)}["CAD"]
    assert cost == AtCost(
        held=Decimal(100_000), cost_usd=Decimal(73_000), realised_usd=Decimal(0)
    ), "in and out at one rate"
    workspace.advance_clock(office, at + timedelta(days=2))
    later = at + timedelta(days=2)
    fx.put(office, [FxRate(currency="CAD", usd=Decimal("0.75"), at=later)])
    gains = {one.money.currency.code: one.unrealised_usd for one in fx.held(office)}
    assert gains["CAD"] == 2_000.0
    state = office.state()
    kept = checkpoint.read(checkpoint.written(state))
    assert kept is not None
    assert kept.fx == state.fx
    page = "\n".join(
        line for section in pages.morning(office).sections for line in section.sentences
    )
    assert "Cash 100000.00 CAD: 75,000 USD." in page
    assert audit.verify(office).sound


def test_a_rate_that_contradicts_one_that_is_kept_is_refused(office: Office) -> None:
    office.user = "treasurer"
    one = FxRate(currency="CAD", usd=Decimal("0.73"), at=office.now())
    assert fx.put(office, [one]) == (one,)
    head = office.state().head
    assert fx.put(office, [one]) == ()
    assert office.state().head == head
    with pytest.raises(Declined, match=r"kept as 0\.73 already"):
        fx.put(office, [replace(one, usd=Decimal("0.74"))])
    with pytest.raises(Invalid, match="after our"):
        fx.put(office, [replace(one, at=office.now() + timedelta(days=1))])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"a,cost,{AT},,10,5,CAD,,,,\n", "not both"),
        (f"a,cost,{AT},,,5,XYZ,,,,\n", "'XYZ' is not in these books"),
        (f"a,cost,{AT},,,5.001,CAD,,,,\n", "is ambiguous"),
        (f"a,convert,{AT},,,5,CAD,,,,\n", "into is of a conversion"),
        (f"a,convert,{AT},,,5,CAD,,5,CAD,\n", "another currency"),
        (f"a,cost,{AT},,,5,CAD,,5,USD,\n", "into is of a conversion"),
        (f"a,cost,{AT},,,5,CAD,,,,gemini\n", "a venue is of a sale"),
        (f"a,sale,{AT},1,,5,BTC,,,,\n", "of coins and cash"),
    ],
)
def test_a_bad_row_of_another_currency_is_named(text: str, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        wide(text)


BANK = """
[bank]
cut_off = 17:00:00
holidays = []
"""


def with_bank(office: Office) -> None:
    office.files.write("headframe.toml", office.files.text("headframe.toml") + BANK)


def test_dollars_of_a_sale_are_there_when_the_bank_has_them(mine: Path) -> None:
    office = open_office(mine, user="treasurer")
    with_bank(office)
    office = open_office(mine, user="treasurer")
    before = programme.liquidity_of(office.state(), office.settings()).cash_usd
    flows.take(office, read(f"sale-1,sale,{AT},2,154000.00,100.00,\n"), "day.csv")
    state = office.state()
    (one,) = state.transit
    assert (one.source, str(one.usd), one.there) == ("sale", "153900.00", date(2026, 8, 24))
    after = programme.liquidity_of(state, office.settings())
    assert after.cash_usd == pytest.approx(before), "it is Saturday"
    assert float(state.ledger.balance(CASH, USD)) == pytest.approx(before + 153_900)
    section = pages.morning(office).sections[1]
    assert "On its way from sale: 153900.00 USD, there on 2026-08-24." in section.sentences
    again = checkpoint.read(checkpoint.written(state))
    assert again is not None
    assert again.transit == state.transit


def test_a_course_funds_nothing_with_dollars_that_are_not_there(approved: Path) -> None:
    free = open_office(approved, user="trader")
    days.walk(free, Course.STABLE, date(2026, 9, 4))
    office = open_office(approved, user="trader")
    assert not office.state().transit
    with_bank(office)
    office = open_office(approved, user="trader")
    days.walk(office, Course.STABLE, date(2026, 9, 5))
    state = office.state()
    # the day of Saturday 5 September closes on Sunday morning; Friday's on Saturday: both are there on Monday
    assert [one.there for one in state.transit] == [date(2026, 9, 7)]
    away = sum(float(one.usd) for one in state.transit)
    liquid = programme.liquidity_of(state, office.settings()).cash_usd
    assert liquid == pytest.approx(float(state.ledger.balance(CASH, USD)) - away)
    days.walk(office, Course.STABLE, date(2026, 9, 6))
    assert not office.state().transit
    days.walk(office, Course.STABLE, date(2026, 10, 30))
    paid = office.state().months[Month(2026, 10)].costs_usd
    assert paid > 0.0, "October ends on a Saturday: its costs are paid on the Friday"
    assert audit.verify(office).sound
    rungs = cash.ladder(office)
    assert any(one.on_the_way > 0.0 for one in rungs), "a week ends on a weekend"


def test_what_a_dealer_pays_over_a_weekend_is_exposed_until_it_is_there(approved: Path) -> None:
    with_bank(open_office(approved, user="trader"))
    office = open_office(approved, user="trader")
    deal(office, FakeVenue(office.clock))
    state = office.state()
    for name, one in state.dossiers.items():
        strict = replace(one.collateral, threshold_usd=0.0, minimum_transfer_usd=0.0)
        state.dossiers[name] = replace(one, collateral=strict)
    seen = 0.0
    for day in range(1, 28):
        days.walk(office, Course.BEAR, date(2026, 9, day))
        for found in limits.credit(office):
            away = [t for t in office.state().transit if t.source == found.dealer]
            assert found.in_flight_usd == sum(float(t.usd) for t in away)
            assert found.current_usd >= found.in_flight_usd
            seen += found.in_flight_usd
    assert seen > 0.0, "a dealer posted or settled on a weekend"


def test_sales_are_kept_by_venue_and_compared(office: Office) -> None:
    office.user = "treasurer"
    flows.take(
        office,
        wide(
            f"s-1,sale,{AT},1,,77000,USD,77,,,exchange one\n"
            f"s-2,sale,{AT},3,,231000,USD,23.1,,,exchange two\n"
            f"s-3,sale,{AT},1,77100,,,,,,\n"
        ),
        "wide.csv",
    )
    bare, one, two = flows.sold(office)
    assert (one.venue, one.fills, one.coins, one.price) == ("exchange one", 1, 1.0, 77_000.0)
    assert [one.fee_bp, two.fee_bp] == pytest.approx([10.0, 1.0])
    net = (77_000 - 77 + 231_000 - 23.1 + 77_100) / 5
    assert one.against_month_bp == pytest.approx(1e4 * ((77_000 - 77) / net - 1))
    assert (bare.venue, bare.fee_bp) == ("not said", 0.0)
    again = checkpoint.read(checkpoint.written(office.state()))
    assert again is not None
    assert again.sales == office.state().sales


def test_what_an_address_received_is_booked_once_by_transaction(office: Office) -> None:
    office.user = "treasurer"
    now, free = office.now(), office.state().ledger.balance(COINS_FREE, BTC)
    found = flows.Receipts(
        payouts=tuple(
            Payout(
                id=f"tx-{txid}:1", at=at, coins=booked(coins, BTC), source=PayoutSource.CHAIN, txid=txid,
                output=1, address="bc1q",
            )
            for txid, at, coins in (
                ("ab" * 32, now - timedelta(days=900), Decimal(7)),
                ("cd" * 32, now, Decimal("0.12345678")),
                ("ef" * 32, now + timedelta(hours=1), Decimal(1)),
            )
        )
    )  # fmt: skip
    taken = flows.take_receipts(office, found, "address bc1q")
    assert [one.id for one in taken.booked] == ["tx-" + "cd" * 32 + ":1"]
    assert str(office.state().ledger.balance(COINS_FREE, BTC) - free) == "0.12345678"
    again = flows.take_receipts(office, found, "address bc1q")
    assert (again.booked, again.known) == ((), ("tx-" + "cd" * 32 + ":1",))


def test_coins_that_are_lent_are_promised_once_and_an_exposure(office: Office) -> None:
    office.user = "treasurer"
    before = {one.dealer: one for one in limits.credit(office)}["amber"]
    free = office.state().ledger.balance(COINS_FREE, BTC)
    text = f"l-1,lend,{AT},20,,,,,,,amber\nl-2,interest,{AT},0.05,,,,,,,amber\n"
    flows.take(office, wide(text), "lent.csv")
    state = office.state()
    assert str(state.ledger.balance(Accounts.coins_lent("amber"), BTC)) == "20.00000000"
    assert free - state.ledger.balance(COINS_FREE, BTC) == booked("19.95", BTC)
    after = {one.dealer: one for one in limits.credit(office)}["amber"]
    assert after.lent_usd == pytest.approx(20 * 77_054.0)
    assert after.current_usd - before.current_usd == pytest.approx(after.lent_usd)
    assert after.up_usd - before.up_usd == pytest.approx(1.6 * after.lent_usd), "it grows with them"
    found, _ = programme.situation(office, "treasurer")
    assert found.lent["amber"] == 20.0, "an award asks with them in"
    page = "\n".join(line for one in pages.morning(office).sections for line in one.sentences)
    assert "lent 20.00" in page
    with pytest.raises(Declined, match="not enough"):
        flows.take(office, wide(f"l-3,recall,{AT},21,,,,,,,amber\n"), "lent.csv")
    flows.take(office, wide(f"l-4,recall,{AT},20,,,,,,,amber\n"), "lent.csv")
    assert limits.credit(office)[0].lent_usd == 0.0
    assert not office.state().ledger.imbalance()
    assert audit.verify(office).sound


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("l-1,lend,{at},20,,,,,,,nobody", "with 'nobody', who is no counterparty; known: amber"),
        ("l-1,lend,{at},20,,,,,,,", "a lend names its counterparty as venue"),
        ("l-1,recall,{at},,,,,,,,amber", "coins of a recall is above zero"),
        (
            "p-1,payout,{at},1,,,,,,,amber",
            "a venue is of a sale, or the counterparty of coins lent",
        ),
    ],
)
def test_what_is_lent_to_nobody_is_refused(office: Office, row: str, words: str) -> None:
    office.user = "treasurer"
    with pytest.raises((Declined, Wrong), match=words):
        flows.take(office, wide(row.format(at=AT) + "\n"), "lent.csv")
    assert not office.state().flows


def test_coins_are_newly_lent_to_approved_counterparties_alone(office: Office) -> None:
    office.user = "treasurer"
    flows.take(office, wide(f"l-1,lend,{AT},5,,,,,,,emery\n"), "lent.csv")
    office.user = "risk"
    counterparties.review(office, "emery", Step.SUSPEND)
    office.user = "treasurer"
    with pytest.raises(Declined, match="lends to emery, who is suspended"):
        flows.take(office, wide(f"l-2,lend,{AT},5,,,,,,,emery\n"), "lent.csv")
    flows.take(
        office, wide(f"l-1,lend,{AT},5,,,,,,,emery\nl-3,recall,{AT},5,,,,,,,emery\n"), "lent.csv"
    )
    assert office.state().coins_lent("emery") == 0.0


def test_other_coins_are_kept_in_their_own_and_sold_as_a_by_product(office: Office) -> None:
    office.user = "treasurer"
    head = WIDE.replace("\n", ",coin\n") if WIDE.endswith("\n") else WIDE + ",coin"
    lines = (
        f"m-1,payout,{AT},120.5,,,,,,,,LTC",
        f"m-2,payout,{AT},9000,,,,,,,,DOGE",
        f"m-3,sale,{AT},100,8000,,,8,,,pool desk,LTC",
        f"b-1,sale,{AT},1,77000,,,,,,pool desk,",
    )
    names: Any = head.strip().split(",")
    found: Any = [
        (number, dict(zip(names, line.split(","), strict=True)))
        for number, line in enumerate(lines, start=2)
    ]
    flows.take(office, read_flows(found, "coins.csv"), "coins.csv")
    state = office.state()
    litecoin, doge = CURRENCIES["LTC"], CURRENCIES["DOGE"]
    assert str(state.ledger.balance(COINS_FREE, litecoin)) == "20.50000000"
    assert str(state.ledger.balance(COINS_FREE, doge)) == "9000.00000000"
    assert not state.ledger.imbalance()
    month = state.months[Month(2026, 8)]
    assert (month.mined, month.sold) == (0.0, 1.0), "bitcoin alone is production that is hedged"
    assert month.spot_price == 77_000.0
    assert month.costs_usd == pytest.approx(-7_992.0), "less cost"
    assert [(one.venue, one.coins) for one in flows.sold(office)] == [
        ("LTC pool desk", 100.0),
        ("pool desk", 1.0),
    ]
    before = programme.liquidity_of(state, office.settings()).cash_usd
    fx.put(office, [FxRate(currency="LTC", usd=Decimal(80), at=office.now())])
    after = programme.liquidity_of(office.state(), office.settings()).cash_usd
    assert after - before == pytest.approx(0.98 * 20.5 * 80)
    held = {one.money.currency.code: one for one in fx.held(office)}
    assert str(held["LTC"].money) == "20.50000000"
    assert set(held) == {"LTC", "DOGE"}
    page = "\n".join(line for one in pages.morning(office).sections for line in one.sentences)
    assert "Coins 20.50000000 LTC: 1,640 USD." in page
    assert "Coins 9000.00000000 DOGE: no fresh rate." in page
    over: Any = dict(zip(names, f"m-4,sale,{AT},21,1000,,,,,,,LTC".split(","), strict=True))
    with pytest.raises(Declined, match="not enough"):
        flows.take(office, read_flows([(2, over)], "coins.csv"), "coins.csv")
    for bad, words in (
        ("m-5,pledge,{},1,,,,,,,,LTC", "a pledge is of BTC: other coins are mined and sold"),
        ("m-6,payout,{},1,,,,,,,,USDC", "coin 'USDC' is not in these books; known: BCH, BTC"),
    ):
        row: Any = dict(zip(names, bad.format(AT).split(","), strict=True))
        with pytest.raises(Wrong, match=words):
            read_flows([(2, row)], "coins.csv")
    assert audit.verify(office).sound


def test_interest_in_satoshi_is_refused(office: Office) -> None:
    flows.take(office, wide(f"l-1,lend,{AT},20,,,,,,,amber\n"), "lent.csv")
    with pytest.raises(
        Invalid, match=r"i-1: coins: expected interest of at most .* got 1000000\.0"
    ):
        flows.take(office, wide(f"i-1,interest,{AT},1000000,,,,,,,amber\n"), "lent.csv")
    flows.take(office, wide(f"i-1,interest,{AT},0.01,,,,,,,amber\n"), "lent.csv")


def test_a_months_cash_is_that_of_its_end_though_one_table_spans_two(office: Office) -> None:
    workspace.advance_clock(office, datetime(2026, 10, 3, 9, tzinfo=UTC))
    table = [
        "p1,payout,2026-09-10T01:00:00Z,2.0,,,,",
        "s1,sale,2026-09-11T01:00:00Z,2.0,140000.00,0,,",
        "p2,payout,2026-10-01T01:00:00Z,1.0,,,,",
        "s2,sale,2026-10-02T01:00:00Z,1.0,71000.00,0,,",
    ]
    opening = float(office.state().ledger.balance("assets:cash", USD))
    flows.take(office, read("\n".join(table)), "a.csv")
    months = {str(one.month): one for one in money.performance(office).months}
    assert months["2026-09"].cash_usd == opening + 140_000.0
    assert months["2026-10"].cash_usd == opening + 211_000.0
    for month, last in (("2026-09", date(2026, 9, 30)), ("2026-10", date(2026, 10, 3))):
        end = datetime.combine(last, time(23, 59), UTC)
        lines = {
            (x.account, x.balance.currency): x.balance for x in money.trial_balance(office, end)
        }
        assert months[month].cash_usd == float(lines["assets:cash", USD])
