"""Margin calls: heard, made, disputed, delivered; and the clock's own by each agreement's calendar."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from headframe.book import CASH, COINS_FREE, Accounts, FxRate
from headframe.cli.app import app
from headframe.codec import read_flows
from headframe.counterparty import Agent, CollateralTerms, Eligible, Termination, Trigger
from headframe.desk import (
    audit,
    calls,
    checkpoint,
    counterparties,
    days,
    flows,
    fx,
    limits,
    workspace,
)
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid, NotFound
from headframe.desk.quotes import surface_in
from headframe.risk import Course, Status
from headframe.units import BTC, CURRENCIES, USD, Wrong
from headframe.wiring import open_office
from venues import FakeVenue, deal

STRICT: Any = {"threshold_usd": 0.0, "minimum_transfer_usd": 0.0, "rounding_usd": 0.0}


def on_terms(office: Office, **changes: Any) -> str:
    """The dealer of the first trade, its annex changed."""
    state = office.state()
    dealer = state.trades["T-1"].dealer
    one = state.dossiers[dealer]
    state.dossiers[dealer] = replace(one, collateral=replace(one.collateral, **changes))
    return dealer


@pytest.fixture
def dealt(desk: Office) -> Office:
    deal(desk, FakeVenue(desk.clock))
    return desk


def test_a_call_within_the_tolerance_is_owed_as_asked_and_delivered_once(dealt: Office) -> None:
    dealer = on_terms(dealt, **STRICT, independent_share=0.1, dispute_usd=5_000.0)
    (row,) = calls.rows(dealt)
    assert row.they_may_call_usd > 400_000.0
    asked = Decimal(str(round(row.they_may_call_usd + 1_000, 2)))
    one = calls.heard(dealt, dealer, asked, "MC-17")
    assert (one.number, one.owed, one.disputed.smallest) == (1, one.asked, 0)
    assert one.due == dealt.now().date()
    with pytest.raises(Declined, match="has the reference MC-17 already"):
        calls.heard(dealt, dealer, asked, "MC-17")
    assert calls.rows(dealt)[0].they_may_call_usd == 0.0, "what is called is not called twice"
    cash = dealt.state().ledger.balance(CASH, USD)
    half = calls.settle(dealt, 1, Decimal(100000))
    assert str(half.left) == str(one.asked - half.settled)
    for bad in ("0", "-1", str(asked)):
        with pytest.raises(Invalid, match="to be delivered"):
            calls.settle(dealt, 1, Decimal(bad))
    whole = calls.settle(dealt, 1)
    assert not whole.open
    ledger = dealt.state().ledger
    assert ledger.balance(Accounts.cash_posted(dealer), USD) == one.asked
    assert cash - ledger.balance(CASH, USD) == one.asked
    with pytest.raises(NotFound, match="no call 1 is open"):
        calls.settle(dealt, 1)
    assert audit.verify(dealt).sound
    again = checkpoint.read(checkpoint.written(dealt.state()))
    assert again is not None
    assert again.margin_calls == dealt.state().margin_calls
    on_terms(dealt, independent_share=0.0)
    back = calls.made(dealt, dealer)
    assert back.from_us
    assert float(back.asked) <= float(one.asked)
    calls.settle(dealt, 2)
    lies = dealt.state().ledger.balance(Accounts.cash_posted(dealer), USD)
    assert lies == one.asked - back.asked


CONVERTED = """id,kind,at,coins,usd,amount,currency,fee,into,into_currency,venue
c-1,convert,2026-08-22T15:33:00Z,,,900000,USD,0,901000,USDC,
c-2,convert,2026-08-22T15:33:00Z,,,100000,USD,0,136500,CAD,
"""


def with_currencies(office: Office) -> None:
    at = office.now()
    fx.put(
        office,
        [
            FxRate(currency="USDC", usd=Decimal("0.999"), at=at),
            FxRate(currency="CAD", usd=Decimal("0.73"), at=at),
        ],
    )
    lines = CONVERTED.strip().splitlines()
    names = lines[0].split(",")
    rows: list[tuple[int, dict[str, str]]] = [
        (number, dict(zip(names, line.split(","), strict=True)))
        for number, line in enumerate(lines[1:], start=2)
    ]
    flows.take(office, read_flows(rows, "out.csv"), "out.csv")


def test_a_call_is_met_in_another_eligible_currency_after_its_haircut(dealt: Office) -> None:
    usdc, cad = CURRENCIES["USDC"], CURRENCIES["CAD"]
    with_currencies(dealt)
    dealer = on_terms(
        dealt, **STRICT, independent_share=0.1,
        eligible=(Eligible(currency="USDC", haircut=0.02),),
    )  # fmt: skip
    before = limits.credit(dealt)
    spent = {one.money.currency.code: one.at_cost for one in fx.held(dealt)}["USDC"]
    wanted = Decimal(str(round(calls.rows(dealt)[0].they_may_call_usd, 2)))
    assert wanted > 400_000
    calls.heard(dealt, dealer, wanted)
    with pytest.raises(
        Declined, match=f"CAD is not eligible under {dealer}'s agreement: USD, USDC"
    ):
        calls.settle(dealt, 1, currency="CAD")
    with pytest.raises(Declined, match="XRP is not eligible"):
        calls.settle(dealt, 1, currency="XRP")
    part = calls.settle(dealt, 1, Decimal(300_000), "USDC")
    ledger = dealt.state().ledger
    given = (Decimal(300_000) / (Decimal("0.999") * Decimal("0.98"))).quantize(
        Decimal("0.000001"), rounding=ROUND_UP
    )
    assert str(ledger.balance(Accounts.cash_posted(dealer), usdc)) == str(given)
    assert str(part.settled) == "300000.00"
    calls.settle(dealt, 1)
    (row,) = calls.rows(dealt)
    assert row.posted_usd == pytest.approx(float(wanted), abs=0.02), "it counts after its haircut"
    assert row.they_may_call_usd == 0.0
    dollars = float(ledger.balance(Accounts.cash_posted(dealer), USD))
    whole = dollars + float(given) * 0.999
    exposed = {one.dealer: one.posted_usd for one in limits.credit(dealt)}[dealer]
    assert exposed == pytest.approx(whole), "and is exposed whole"
    assert {one.dealer: one.posted_usd for one in before}[dealer] == 0.0
    kept = {one.money.currency.code: one.at_cost for one in fx.held(dealt)}["USDC"]
    assert kept == spent, "what is posted is still ours"
    assert audit.verify(dealt).sound
    again = checkpoint.read(checkpoint.written(dealt.state()))
    assert again is not None
    assert again.posted_usd(dealer, 77_000.0) == dealt.state().posted_usd(dealer, 77_000.0)
    on_terms(dealt, independent_share=0.9)
    calls.heard(dealt, dealer, Decimal(2_000_000))
    with pytest.raises(Declined, match="call 2 cannot be delivered"):
        calls.settle(dealt, 2, Decimal(900_000), "USDC")
    assert not dealt.state().ledger.balance(Accounts.cash_posted(dealer), cad).smallest
    aged = {one.name: one for one in limits.watch(dealt)}[f"{dealer}: age of the rate of its USDC"]
    assert (aged.used, aged.allowed, aged.status) == (0.0, 5.0, Status.OK)
    calls.settle(dealt, 2)
    merged = next(name for name in dealt.state().standing if name != dealer)
    dealt.user = "risk"
    counterparties.merge(dealt, dealer, merged, "merger")
    state = dealt.state()
    assert str(state.ledger.balance(Accounts.cash_posted(merged), usdc)) == str(given)
    assert not state.ledger.balance(Accounts.cash_posted(dealer), usdc).smallest
    whole, counted = state.others_usd(merged, ours=True)
    assert whole == pytest.approx(float(given) * 0.999)
    assert counted == 0.0, "its own agreement takes none of it"
    workspace.advance_clock(dealt, dealt.now() + timedelta(days=7))
    aged = {one.name: one for one in limits.watch(dealt)}[f"{merged}: age of the rate of its USDC"]
    assert (aged.used, aged.status) == (7.0, Status.BREACH)


def test_what_was_posted_in_it_comes_back_in_it_and_a_dealer_may_give_it(dealt: Office) -> None:
    usdc = CURRENCIES["USDC"]
    with_currencies(dealt)
    dealer = on_terms(
        dealt, **STRICT, independent_share=0.1,
        eligible=(Eligible(currency="USDC", haircut=0.02),),
    )  # fmt: skip
    cash = dealt.state().ledger.balance(CASH, usdc)
    wanted = Decimal(str(round(calls.rows(dealt)[0].they_may_call_usd, 2)))
    calls.heard(dealt, dealer, wanted)
    calls.settle(dealt, 1, currency="USDC")
    on_terms(dealt, independent_share=0.0)
    due = calls.rows(dealt)[0].we_may_call_usd
    back = calls.made(dealt, dealer)
    assert float(back.asked) == pytest.approx(due, abs=0.01)
    calls.settle(dealt, 2, currency="USDC")
    ledger = dealt.state().ledger
    lies = float(ledger.balance(Accounts.cash_posted(dealer), usdc))
    assert lies * 0.999 * 0.98 == pytest.approx(calls.rows(dealt)[0].posted_usd if lies else 0.0)
    assert not ledger.balance(Accounts.cash_held(dealer), usdc).smallest
    # the market falls, the hedge gains: the dealer's own USDC comes here
    dealt.state().spot = 60_000.0
    gains = calls.rows(dealt)[0].we_may_call_usd
    assert gains > 100_000.0
    calls.made(dealt, dealer)
    calls.settle(dealt, 3, currency="USDC")
    ledger = dealt.state().ledger
    assert not ledger.balance(Accounts.cash_posted(dealer), usdc).smallest, "ours comes back first"
    here = -float(ledger.balance(Accounts.cash_held(dealer), usdc))
    assert here > 0.0
    assert dealt.state().held_usd(dealer) == pytest.approx(here * 0.999)
    (row,) = calls.rows(dealt)
    assert row.held_usd == pytest.approx(here * 0.999 * 0.98)
    assert row.we_may_call_usd == pytest.approx(0.0, abs=0.02)
    total = float(ledger.balance(CASH, usdc))
    assert total == pytest.approx(float(cash) + here)
    start = days.start_of_day(
        dealt.state(), dealt.settings(), surface_in(dealt.state()), Course.STABLE,
        date(2026, 9, 1), Decimal(60_000),
    )  # fmt: skip
    assert list(start.others) == [(dealer, False)]
    assert start.others[dealer, False] == pytest.approx(row.held_usd)


def test_what_can_be_eligible() -> None:
    with pytest.raises(Wrong, match=r"eligible is one of CAD, .*USDC.*, was 'BTC'"):
        Eligible(currency="BTC", haircut=0.1)
    with pytest.raises(Wrong, match="haircut of CAD lies between 0 and 1"):
        Eligible(currency="CAD", haircut=1.0)
    twice = (Eligible(currency="CAD", haircut=0.1), Eligible(currency="CAD", haircut=0.2))
    with pytest.raises(Wrong, match="an eligible currency stands once"):
        CollateralTerms(**STRICT, independent_share=0.0, haircut=0.0, eligible=twice)


def test_our_valuation_holds_within_the_tolerance_where_we_are_the_agent(dealt: Office) -> None:
    dealer = on_terms(dealt, **STRICT, independent_share=0.1, dispute_usd=5e3, agent=Agent.US)
    ours = calls.rows(dealt)[0].they_may_call_usd
    one = calls.heard(dealt, dealer, Decimal(str(round(ours + 1_000, 2))))
    assert one.owed == one.ours


def test_where_the_dealer_values_a_call_of_ours_needs_its_figure(dealt: Office) -> None:
    dealer = on_terms(dealt, **STRICT, independent_share=0.1, dispute_usd=5e3)
    lies = calls.heard(
        dealt, dealer, Decimal(str(round(calls.rows(dealt)[0].they_may_call_usd, 2)))
    )
    calls.settle(dealt, 1)
    on_terms(dealt, independent_share=0.0, agent=Agent.THEM)
    with pytest.raises(Declined, match=f"{dealer} values the trades: say its figure with --theirs"):
        calls.made(dealt, dealer)
    ours = Decimal(str(round(calls.rows(dealt)[0].we_may_call_usd, 2)))
    near = calls.made(dealt, dealer, theirs=ours - 4_000)
    assert str(near.owed) == str(ours - 4_000), "within the tolerance theirs holds"
    assert near.owed < lies.asked
    calls.settle(dealt, 2)
    far = calls.heard(dealt, dealer, Decimal(20_000))
    assert far.agreed is None, "their call of what we do not owe is disputed"
    assert far.disputed.smallest > 0
    on_terms(dealt, agent=Agent.BOTH)
    with pytest.raises(Declined, match="our own figure counts: leave --theirs away"):
        calls.made(dealt, dealer, theirs=ours)


def test_what_is_disputed_is_watched_and_agreed_on_by_another_person(dealt: Office) -> None:
    dealer = on_terms(dealt, **STRICT, independent_share=0.1, dispute_days=2)
    ours = Decimal(str(round(calls.rows(dealt)[0].they_may_call_usd, 2)))
    dealt.user = "treasurer"
    one = calls.heard(dealt, dealer, ours + 300_000)
    assert (str(one.owed), str(one.disputed)) == (str(ours), "300000.00")

    with pytest.raises(Declined, match="call 1 is open"):
        days.walk(dealt, Course.STABLE, date(2026, 9, 1))

    def disputed() -> Any:
        return next(row for row in limits.watch(dealt) if "disputed" in row.name)

    assert (disputed().clause, disputed().status) == ("CSA", Status.AMBER)
    dealt.state().margin_calls[0] = replace(one, at=one.at - timedelta(days=3))
    assert disputed().status is Status.BREACH
    dealt.state().margin_calls[0] = replace(one, due=one.due - timedelta(days=1))
    late = next(row for row in limits.watch(dealt) if "call 1 due" in row.name)
    assert (late.used, late.status) == (1.0, Status.BREACH)
    dealt.state().margin_calls[0] = one
    with pytest.raises(Declined, match="somebody else agrees"):
        calls.agree(dealt, 1, ours, "called them")
    dealt.user = "risk"
    for bad in (ours - 1, ours + 300_001):
        with pytest.raises(Invalid, match="lies between"):
            calls.agree(dealt, 1, bad, "called them")
    with pytest.raises(Invalid, match="a reason is"):
        calls.agree(dealt, 1, ours, " ")
    made = calls.agree(dealt, 1, ours + 120_000, "two dealers' mids, the middle of them")
    assert (str(made.owed), made.agreed_by, made.disputed.smallest) == (
        str(ours + 120_000),
        "risk",
        0,
    )
    with pytest.raises(Declined, match="is not disputed"):
        calls.agree(dealt, 1, ours, "again")
    calls.settle(dealt, 1)
    assert audit.verify(dealt).sound


def test_no_call_is_made_on_a_day_the_agreement_rests_and_late_ones_are_due_later(
    dealt: Office,
) -> None:
    assert dealt.now().weekday() == 5
    dealer = on_terms(dealt, **STRICT, independent_share=0.1, weekends=False)
    assert calls.rows(dealt)[0].due is None
    with pytest.raises(Declined, match="no call is made on Saturday"):
        calls.heard(dealt, dealer, Decimal(1000))
    on_terms(dealt, weekends=True, delivery_days=1)
    assert calls.rows(dealt)[0].due == dealt.now().date() + timedelta(days=1)
    on_terms(dealt, notice=(dealt.now() - timedelta(minutes=1)).time())
    assert calls.rows(dealt)[0].due == dealt.now().date() + timedelta(days=2)


def test_coins_are_given_at_their_haircut_where_they_come_first(approved: Path) -> None:
    office = open_office(approved, user="trader")
    text = office.files.text("headframe.toml")
    office.files.write(
        "headframe.toml", text.replace("[treasury]", "[treasury]\ncoins_as_collateral = true")
    )
    office = open_office(approved, user="trader")
    deal(office, FakeVenue(office.clock))
    dealer = on_terms(office, **STRICT, independent_share=0.1, coins_eligible=True, haircut=0.25)
    free = office.state().ledger.balance(COINS_FREE, BTC)
    before = calls.rows(office)[0].they_may_call_usd
    calls.heard(office, dealer, Decimal(str(round(before, 2))))
    calls.settle(office, 1)
    ledger = office.state().ledger
    given = ledger.balance(Accounts.coins_posted(dealer), BTC)
    spot = limits.margin(office).spot
    assert float(given) * spot * 0.75 == pytest.approx(before, abs=0.02)
    assert free - ledger.balance(COINS_FREE, BTC) == given
    assert ledger.balance(Accounts.cash_posted(dealer), USD).smallest == 0
    row = calls.rows(office)[0]
    assert row.posted_usd == pytest.approx(before, abs=0.02)
    exposed = {one.dealer: one for one in limits.credit(office)}[dealer]
    assert exposed.posted_usd == pytest.approx(float(given) * spot), "we would lose them whole"
    on_terms(office, independent_share=0.0)
    office.state().trades.clear()
    calls.made(office, dealer)
    calls.settle(office, 2)
    assert office.state().ledger.balance(Accounts.coins_posted(dealer), BTC).smallest == 0
    assert office.state().ledger.balance(COINS_FREE, BTC) == free


def test_what_lets_a_dealer_terminate_is_watched(dealt: Office) -> None:
    spot = limits.margin(dealt).spot
    dealer = on_terms(
        dealt,
        terminations=(
            Termination(event=Trigger.LIQUIDITY_BELOW_USD, figure=1e12),
            Termination(event=Trigger.COIN_BELOW_USD, figure=spot * 0.5),
            Termination(event=Trigger.LOAN_TO_VALUE_ABOVE, figure=0.01),
            Termination(event=Trigger.CALL_OVERDUE_DAYS, figure=1.0),
        ),
    )
    found = {
        row.name.rpartition(": ")[2]: row
        for row in limits.watch(dealt)
        if row.name.startswith(f"{dealer} may terminate")
    }
    assert {name: row.status is Status.BREACH for name, row in found.items()} == {
        "liquidity below usd": True,
        "coin below usd": False,
        "loan to value above": True,
        "call overdue days": False,
    }
    assert found["loan to value above"].used == pytest.approx(4.2e6 / (120 * spot))


@pytest.mark.parametrize("course", [Course.BULL, Course.BEAR])
def test_the_clock_calls_and_delivers_by_each_agreements_calendar(
    approved: Path, course: Course
) -> None:
    office = open_office(approved, user="trader")
    text = office.files.text("headframe.toml")
    office.files.write(
        "headframe.toml", text.replace("[treasury]", "[treasury]\ncoins_as_collateral = true")
    )
    office = open_office(approved, user="trader")
    deal(office, FakeVenue(office.clock))
    dealer = on_terms(
        office, **STRICT, independent_share=0.05, coins_eligible=True, weekends=False,
        delivery_days=2, holidays=(date(2026, 9, 7),),
    )  # fmt: skip
    waited, moved, coins = 0, 0, 0.0
    for number in range(110):
        day = date(2026, 9, 1) + timedelta(days=number)
        before = list(office.state().calls)
        lies = office.state().posted_usd(dealer, 1.0), office.state().coins_posted(dealer)
        days.walk(office, course, day)
        state = office.state()
        settles = day + timedelta(days=1)
        waited += len(state.calls)
        coins = max(coins, state.coins_posted(dealer))
        for one in state.calls:
            assert one.due > settles
            assert one.due.weekday() < 5
            assert one.made.weekday() < 5
            assert one.made != date(2026, 9, 7)
        if (state.posted_usd(dealer, 1.0), state.coins_posted(dealer)) != lies:
            moved += 1
            assert any(one.ours and one.due <= settles for one in before), (
                "only what was called moves"
            )
        again = checkpoint.read(checkpoint.written(state))
        assert again is not None
        assert again.calls == state.calls
    assert waited > 0
    assert moved > 0
    assert coins > 0.0
    state = office.state()
    assert not [p for p in state.positions() if p.trade.dealer == dealer]
    assert state.calls == []
    assert state.coins_posted(dealer) == 0.0, "all of it came back with the last coins"
    assert state.ledger.balance(Accounts.cash_posted(dealer), USD).smallest == 0
    assert audit.verify(office).sound
    with pytest.raises(Declined, match="its clock calls"):
        calls.heard(office, dealer, Decimal(1000))


def test_the_commands_tell_it_and_refuse_what_is_none(
    approved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = open_office(approved, user="trader")
    deal(office, FakeVenue(office.clock))
    dealer = office.state().trades["T-1"].dealer

    def run(*words: str) -> Any:
        app.main(
            ["collateral", *words, "--workspace", str(approved), "--json"], standalone_mode=False
        )
        return json.loads(capsys.readouterr().out)

    shown = run("list")
    assert [one["dealer"] for one in shown["agreements"]] == [dealer]
    made = run("heard", dealer, "250000", "--reference", "MC-1")["call"]
    assert (made["owed"], made["disputed"]) == ("0.00", "250000.00"), "far inside the threshold"
    agreed = run("agree", "1", "250000", "their mark holds", "--as", "risk")["call"]
    assert agreed["left"] == "250000.00"
    assert run("settle", "1", "--usd", "100000")["call"]["left"] == "150000.00"
    assert len(run("list")["calls"]) == 1
    with pytest.raises(Declined, match="nothing is due from"):
        run("call", "basalt")
    with pytest.raises(NotFound, match="'quartz'"):
        run("heard", "quartz", "5")
    for bad in ("0", "1e12"):
        with pytest.raises(Invalid, match="a call lies above 0"):
            run("heard", "basalt", bad)
