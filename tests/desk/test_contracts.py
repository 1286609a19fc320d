"""Contracts on a schedule end to end: mandate, four eyes, award, daily settlement, risk, closing, replay."""

import json
import shutil
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest

import workspaces
from headframe.book import (
    CASH,
    COINS_FREE,
    Accounts,
    ContractTerms,
    Entry,
    Posting,
    StatedContract,
    line_drawn,
)
from headframe.cli.app import app
from headframe.desk import (
    agenda,
    approvals,
    audit,
    cash,
    checkpoint,
    contract_days,
    contracts,
    controls,
    counterparties,
    days,
    explaining,
    lifecycle,
    limits,
    money,
    pages,
    profiles,
    programme,
    relationships,
    reviewing,
    workspace,
)
from headframe.desk.contracts import Heard
from headframe.desk.fold import fold
from headframe.desk.known import ContractRecord
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid, NotFound
from headframe.desk.state import State
from headframe.hedge import By
from headframe.instrument import AveragedOption, HashpriceForward, Kind, StructureKind
from headframe.risk import Course, Ladder
from headframe.units import BTC, USD, Month, booked
from headframe.wiring import fork_office, open_office

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scheduled") / "mine"
    workspaces.scheduled(folder)
    return folder


@pytest.fixture
def made(prepared: Path, tmp_path: Path) -> Office:
    folder = tmp_path / "mine"
    shutil.copytree(prepared, folder)
    return open_office(folder, user="treasurer")


def forward(
    fixed: str = "33", window: tuple[date, date] = OCTOBER, phs: int = 900, *, in_coin: bool = False
) -> ContractTerms:
    sold = HashpriceForward(
        first=window[0], last=window[1], phs=Decimal(phs), fixed=Decimal(fixed), in_coin=in_coin
    )
    return ContractTerms(kind=StructureKind.HASHPRICE_FORWARD, coin="BTC", forward=sold)


def average(
    put: int = 70_000, call: int | None = None, coins: int = 10, window: tuple[date, date] = OCTOBER
) -> ContractTerms:
    options = [
        AveragedOption(
            kind=Kind.PUT,
            strike=Decimal(put),
            coins=Decimal(coins),
            first=window[0],
            last=window[1],
        )
    ]
    if call is not None:
        options.append(
            AveragedOption(
                kind=Kind.CALL, strike=Decimal(call), coins=Decimal(-coins), first=window[0],
                last=window[1],
            )
        )  # fmt: skip
    kind = StructureKind.AVERAGE_PUT if call is None else StructureKind.AVERAGE_COLLAR
    return ContractTerms(kind=kind, coin="BTC", options=tuple(options))


def dealt(office: Office, terms: ContractTerms, limit: str, price: str = "") -> ContractRecord:
    """Drafted, approved and dealt with basalt at the fair price, or a price."""
    office.user = "treasurer"
    record = contracts.draft(office, terms, Decimal(limit))
    office.user = "cfo"
    contracts.give(office, record.id)
    office.user = "trader"
    digits = Decimal("0.00000001") if terms.in_coin else Decimal("0.01")
    fair = Decimal(price) if price else Decimal(repr(record.fair)).quantize(digits)
    worse = fair * Decimal("0.999") if terms.forward else fair + 5
    said = [Heard("amber", worse), Heard("basalt", fair)]
    return contracts.deal(office, record.id, said, "basalt")


def folded(office: Office) -> State:
    return fold(State(), office.journal.read())


def test_hashrate_sold_forward_brings_its_fixed_rate_on_every_course(
    made: Office, tmp_path: Path
) -> None:
    record = dealt(made, forward(), "33")
    (row,) = contracts.rows(made)
    assert row.worth_usd == pytest.approx(0.0, abs=100.0), "dealt at the fair rate to the cent"
    rate = record.held.contract.price if record.held else Decimal(0)
    brought: dict[Course, Decimal] = {}
    for course in (Course.BEAR, Course.BULL):
        other = fork_office(made, tmp_path / "mine", tmp_path / course)
        days.walk(other, course, date(2026, 11, 1))
        state = other.state()
        held = state.contracts["K-1"].held
        assert held is not None
        assert len(held.fixings) == 31
        assert state.contracts["K-1"].stage == "settled"
        assert state.held_contracts() == ()
        paid = -state.ledger.balance(Accounts.hedge("K-1"), USD)
        exact = sum((900 * (rate - index) for _, index in held.fixings), Decimal(0))
        assert Decimal(str(paid)) == exact, "to the cent: 900 PH/s at rates in cents"
        brought[course] = exact
        promised = [
            a
            for (a, _), smallest in state.ledger.balances()
            if a.startswith("promises:") and smallest
        ]
        assert promised == []
        october = state.months[Month(2026, 10)]
        assert october.hedge_usd == pytest.approx(float(exact), abs=0.01)
        assert audit.verify(other).sound
        assert checkpoint.written(folded(other)) == checkpoint.written(state)
        restored = checkpoint.read(checkpoint.written(state))
        assert restored is not None
        assert restored.contracts == state.contracts
    assert brought[Course.BEAR] > brought[Course.BULL], "fixed less index: more as hashprice falls"


def test_a_mean_pays_once_and_its_premium_is_counted_with_its_coins(made: Office) -> None:
    dealt(made, average(call=95_000), "2000")
    premium = -made.state().ledger.balance(Accounts.hedge("K-1"), USD)
    assert premium.smallest < 0, "paid at once"
    days.walk(made, Course.BEAR, date(2026, 11, 1))
    state = made.state()
    held = state.contracts["K-1"].held
    assert held is not None
    mean = sum(price for _, price in held.fixings) / 31
    settled = -state.ledger.balance(Accounts.hedge("K-1"), USD) - premium
    assert float(settled) == pytest.approx(float(10 * (70_000 - mean)), abs=0.01)
    first = held.fixings[0]
    closes = [
        r.body["spot"]
        for r in made.journal.read()
        if r.kind == "day" and r.body["day"] == "2026-09-30"
    ]
    assert first == (date(2026, 10, 1), Decimal(repr(closes[0]))), "08:00 UTC ends the day before"
    september, october = state.months[Month(2026, 9)], state.months[Month(2026, 10)]
    both = september.premium_usd + october.premium_usd
    assert both == pytest.approx(float(premium), abs=0.01), "counted as its coins are delivered"
    assert october.hedge_usd + september.hedge_usd == pytest.approx(
        float(settled) + float(premium), abs=0.02
    )


def test_one_in_coin_settles_in_coin_and_covers_no_price(made: Office) -> None:
    dealt(made, forward("0.00043", in_coin=True), "0.00043")
    made.user = "treasurer"
    rows = {row.month: row.covered for row in programme.plan(made, propose=False).situation.rows}
    assert rows[Month(2026, 10)] == pytest.approx(1e-8)
    days.walk(made, Course.BULL, date(2026, 11, 1))
    state = made.state()
    held = state.contracts["K-1"].held
    assert held is not None
    exact = sum(900 * (held.contract.price - index) for _, index in held.fixings)
    assert Decimal(str(-state.ledger.balance(Accounts.hedge("K-1"), BTC))) == exact
    assert state.ledger.balance(Accounts.hedge("K-1"), USD).smallest == 0


def test_the_mandate_decides(made: Office) -> None:
    with pytest.raises(Declined, match=r"M-2\.2 above_ceiling \(2026-10\)"):
        contracts.draft(made, forward(phs=6_000), Decimal(33))
    with pytest.raises(Declined, match=r"M-5\.1 premium_budget"):
        contracts.draft(made, average(coins=50), Decimal(50_000))
    with pytest.raises(Invalid, match="begins with the month after 2026-08, was 2026-08-24"):
        contracts.draft(made, forward(window=(date(2026, 8, 24), OCTOBER[1])), Decimal(33))
    with pytest.raises(Invalid, match="2027-09 is no month of the forecast"):
        contracts.draft(made, forward(window=(OCTOBER[0], date(2027, 9, 1))), Decimal(33))
    week = (OCTOBER[0], date(2026, 10, 7))
    for many, limit in (
        (forward(window=week, phs=9_000), "33"),
        (forward("0.00043", window=week, phs=9_000, in_coin=True), "0.00043"),
        (average(coins=30, window=week), "3000"),
    ):
        with pytest.raises(Invalid, match=r"on 7 days of 2026-10 21\.\d\d coins are expected"):
            contracts.draft(made, many, Decimal(limit))
    tiny = forward(window=(OCTOBER[0], OCTOBER[0]), phs=1)
    with pytest.raises(Invalid, match="a hundredth of a coin or more"):
        contracts.draft(made, tiny, Decimal(33))
    other = ContractTerms(
        kind=StructureKind.HASHPRICE_FORWARD, coin="LTC", forward=forward().forward
    )
    with pytest.raises(Invalid, match="this workspace mines BTC"):
        contracts.draft(made, other, Decimal(33))
    made.user = "nobody"
    with pytest.raises(Declined, match=r"M-8\.1"):
        contracts.draft(made, forward(), Decimal(33))
    assert not made.state().contracts


def test_hashrate_is_sold_once_in_coin_or_for_dollars(made: Office) -> None:
    dealt(made, forward("0.00043", phs=4_000, in_coin=True), "0.00043")
    made.user = "treasurer"
    beside = r"31 days of 2026-10 95\.\d\d coins .* is of 5\d\.\d\d beside 5\d\.\d\d whose hashrate is sold"
    for again, limit in (
        (forward("0.00043", phs=4_000, in_coin=True), "0.00043"),
        (forward(phs=4_000), "33"),
    ):
        with pytest.raises(Invalid, match=beside):
            contracts.draft(made, again, Decimal(limit))
    november = (date(2026, 11, 1), date(2026, 11, 30))
    kept = contracts.draft(
        made, forward("0.00043", november, 4_000, in_coin=True), Decimal("0.00043")
    )
    assert kept.id == "K-2", "other days are other hashrate"


def test_a_mandate_that_names_no_such_hedge_allows_none(office: Office) -> None:
    with pytest.raises(Declined, match=r"M-1\.3 structure_not_allowed.*M-1\.4 venue_not_allowed"):
        contracts.draft(office, forward(), Decimal(33))


def test_four_eyes_and_what_was_approved(made: Office) -> None:
    record = contracts.draft(made, forward(), Decimal(33))
    made.user = "trader"
    with pytest.raises(Declined, match="K-1 is not approved: headframe contract approve K-1"):
        contracts.deal(made, "K-1", [Heard("amber", Decimal("34.02"))], "amber")
    made.user = "treasurer"
    with pytest.raises(Declined, match=r"K-1 is not approved.*M-8\."):
        contracts.give(made, "K-1")
    made.user = "cfo"
    assert contracts.give(made, "K-1").stage == "approved"
    with pytest.raises(Declined, match="approved already by cfo"):
        contracts.give(made, "K-1")
    with pytest.raises(NotFound, match="no contract 'K-9'; known: K-1"):
        contracts.give(made, "K-9")
    made.user = "treasurer"
    contracts.draft(made, average(), Decimal(3_000))
    made.user = "cfo"
    workspace.advance_clock(made, record.envelope.valid_until + timedelta(seconds=1))
    with pytest.raises(Declined, match=r"the terms of K-2 are out of date \(M-8\.4\)"):
        contracts.give(made, "K-2")


def test_the_rule_awards(made: Office) -> None:
    contracts.draft(made, forward(), Decimal("33.92"))
    made.user = "cfo"
    contracts.give(made, "K-1")
    made.user = "trader"

    def deal(who: str, *said: tuple[str, str]) -> ContractRecord:
        return contracts.deal(made, "K-1", [Heard(one, Decimal(at)) for one, at in said], who)

    with pytest.raises(Declined, match="fewer live dealers than the mandate asks"):
        deal("amber", ("amber", "34.07"))
    with pytest.raises(Declined, match="worse than the approved limit"):
        deal("amber", ("amber", "33.91"), ("basalt", "33.90"))
    with pytest.raises(Declined, match="too far from mid"):
        deal("amber", ("amber", "36"), ("basalt", "36.5"))
    with pytest.raises(Declined, match="from a dealer who was not asked"):
        deal("zinc", ("zinc", "34.07"))
    with pytest.raises(Invalid, match="last word counts once"):
        deal("amber", ("amber", "34.07"), ("amber", "34.08"))
    with pytest.raises(Declined, match=r"awards basalt at 34\.08: deal with basalt, then say so"):
        deal("", ("amber", "34.02"), ("basalt", "34.08"))
    assert not made.state().held_contracts()
    before = made.state().head.count
    assert deal("basalt", ("amber", "34.02"), ("basalt", "34.08")).stage == "executed"
    with pytest.raises(Declined, match="K-1 was dealt already"):
        deal("basalt", ("amber", "34.02"), ("basalt", "34.08"))
    assert made.state().head.count == before + 1
    (ladder,) = [one.ladder for one in made.state().contracts.values()]
    assert [row["dealer"] for row in ladder] == ["basalt", "amber"]


def test_nothing_is_dealt_while_trading_is_halted_or_twice_in_a_row(made: Office) -> None:
    dealt(made, forward(), "33")
    made.user = "treasurer"
    with pytest.raises(Declined, match=r"M-6\.4 repeated_trade"):
        contracts.draft(made, forward(), Decimal(33))
    contracts.draft(made, average(), Decimal(3_000))
    made.user = "cfo"
    contracts.give(made, "K-2")
    controls.halt(made, "a drill")
    made.user = "trader"
    said = [Heard("amber", Decimal(1_600)), Heard("basalt", Decimal(1_610))]
    with pytest.raises(Declined, match="trading is halted by cfo: a drill"):
        contracts.deal(made, "K-2", said, "amber")


def test_it_counts_in_every_limit(made: Office) -> None:
    before = {row.month: row for row in programme.plan(made, propose=False).situation.rows}
    dealt(made, forward(), "33")
    dealt(made, average(coins=8, window=(date(2026, 11, 1), date(2026, 11, 30))), "4000")
    made.user = "treasurer"
    rows = {row.month: row for row in programme.plan(made, propose=False).situation.rows}
    october, november = rows[Month(2026, 10)], rows[Month(2026, 11)]
    assert october.covered == pytest.approx(12.4, abs=0.2)
    assert october.firm_cumulative == pytest.approx(october.covered)
    assert november.puts_only == 8.0
    assert november.firm_cumulative == pytest.approx(october.covered), "a put is not firm"
    assert october.need == pytest.approx(before[Month(2026, 10)].need - october.covered, abs=1e-6)
    assert october.secured_usd == pytest.approx(900 * 31 * 34.10, rel=0.01), "the fixed rate"
    exposed = {one.dealer: one for one in limits.credit(made)}
    assert exposed["basalt"].trades == 2
    assert exposed["basalt"].down_usd > 0.5e6, "at -60 % it owes us"
    watched = {one.name: one.used for one in limits.watch(made)}
    assert watched["premium spent"] == pytest.approx(
        float(made.state().contracts["K-2"].held.contract.premium)  # type: ignore[union-attr]
    )
    assert watched["Basalt Financial share of programme"] > 0.0
    worst = limits.margin(made).stresses[-1]
    assert worst.hedge_usd < -0.3e6, "a rally costs the forward"
    made.user = "treasurer"
    reviewing.hold(made)
    assert [one.stage for one in lifecycle.lives(made) if one.name.startswith("K")] == [
        "executed",
        "executed",
    ]
    cash.ladder(made, weekly=False)


def test_collateral_is_called_on_it(made: Office) -> None:
    window = (date(2026, 10, 1), date(2027, 3, 31))
    dealt(made, forward("25", window, phs=1_500), "25")
    dossier = made.state().dossiers["basalt"]
    terms = replace(dossier.collateral, threshold_usd=50_000.0, minimum_transfer_usd=10_000.0)
    made.state().dossiers["basalt"] = replace(dossier, collateral=terms)
    days.walk(made, Course.BULL, date(2026, 12, 31))
    state = made.state()
    held = state.contracts["K-1"].held
    assert held is not None
    worth = next(row.worth_usd for row in contracts.rows(made)) or 0.0
    posted = state.posted_usd("basalt", state.spot or 0.0)
    assert worth < -terms.threshold_usd, "the rally made it a loss beyond the threshold"
    assert posted > 0.0
    days.walk(made, Course.BULL, date(2027, 4, 2))
    assert made.state().posted_usd("basalt", 1e5) == 0.0, "returned with its last day"


def test_days_fixed_by_hand_are_booked_once_and_in_order(made: Office) -> None:
    window = (date(2026, 9, 1), date(2026, 9, 3))
    dealt(made, forward("25", window, 5_000), "25")
    dealt(made, average(80_000, coins=5, window=window), "5000")
    made.user = "treasurer"
    rate = made.state().contracts["K-1"].held.contract.price  # type: ignore[union-attr]

    def fix(day: int, **said: str) -> tuple[tuple[str, Decimal, str], ...]:
        figures: dict[str, Any] = dict.fromkeys(("hashprice", "in_coin", "price"))
        figures |= {name: Decimal(text) for name, text in said.items()}
        return contract_days.fix(made, date(2026, 9, day), **figures)

    with pytest.raises(Declined, match="2026-09-01 of K-1 is known at 2026-09-02 08:00 UTC"):
        fix(1, hashprice="34", price="77000")
    with pytest.raises(NotFound, match="no contract is to be fixed for 2026-09-24"):
        contract_days.fix(
            made, date(2026, 9, 24), hashprice=Decimal(1), in_coin=None, price=Decimal(1)
        )
    workspace.advance_clock(made, datetime(2026, 9, 4, 9, tzinfo=made.now().tzinfo))
    with pytest.raises(Invalid, match="K-2 is fixed by --price: say it too"):
        fix(1, hashprice="34")
    with pytest.raises(Invalid, match="next day of K-1 to be fixed is 2026-09-01, was 2026-09-02"):
        fix(2, hashprice="34", price="77000")
    for figures in (
        {"hashprice": "340"},
        {"hashprice": "3.4"},
        {"hashprice": "34", "price": "7700"},
    ):
        with pytest.raises(Declined, match=r"far from the .* if it is right, say --anyway"):
            fix(1, **({"price": "77000"} | figures))
    cash_before = made.state().ledger.balance("assets:cash", USD)
    with pytest.raises(Declined, match="K-1 is not fixed for 2026-09-01: headframe contract fix"):
        days.walk(made, Course.STABLE, date(2026, 9, 2))
    assert fix(1, hashprice="34", price="77000")[0] == ("K-1", (rate - 34) * 5_000, "USD")
    with pytest.raises(NotFound, match="no contract is to be fixed for 2026-09-01"):
        fix(1, hashprice="34", price="77000")
    fix(2, hashprice="34", price="76000")
    assert fix(3, hashprice="36", price="75000")[1] == ("K-2", Decimal("20000.00"), "USD")
    got = made.state().ledger.balance("assets:cash", USD) - cash_before
    assert Decimal(str(got)) == 5_000 * (3 * rate - 104) + 20_000
    assert made.state().held_contracts() == ()
    assert checkpoint.written(folded(made)) == checkpoint.written(made.state())
    days.walk(made, Course.STABLE, date(2026, 9, 2))
    assert made.state().months[Month(2026, 9)].hedge_usd == pytest.approx(
        float(got) - float(made.state().contracts["K-2"].held.contract.premium),  # type: ignore[union-attr]
        abs=0.02,
    ), "what came before the course is in its first day"
    with pytest.raises(Declined, match="the clock walks the stable course"):
        fix(4, hashprice="34")


def test_a_close_is_agreed_near_its_worth_and_booked_by_another(made: Office) -> None:
    dealt(made, average(call=95_000), "2000")
    made.user = "treasurer"
    worth = contracts.rows(made)[0].worth_usd
    assert worth is not None
    with pytest.raises(Declined, match=r"is worth .* the mandate's distance to mid"):
        contract_days.close(made, "K-1", Decimal(round(worth)) + 20_000)
    made.user = "intern"
    with pytest.raises(Declined, match=r"intern is not among the mandate's preparers \(M-8\.1\)"):
        contract_days.close(made, "K-1", Decimal(round(worth)))
    made.user = "cfo"
    with pytest.raises(Declined, match="no close of K-1 waits"):
        contract_days.approve_close(made, "K-1")
    made.user = "treasurer"
    contract_days.close(made, "K-1", Decimal(round(worth)))
    with pytest.raises(Declined, match="waits for approval already"):
        contract_days.close(made, "K-1", Decimal(round(worth)))
    page = pages.morning(made)
    assert any("close at" in line for line in page.sections[0].sentences)
    contracts.decline(made, "K-1")
    contract_days.close(made, "K-1", Decimal(round(worth)))
    with pytest.raises(Declined, match="treasurer proposed to close K-1: somebody else"):
        contract_days.approve_close(made, "K-1")
    made.user = "intern"
    with pytest.raises(Declined, match=r"intern is not among the mandate's approvers \(M-8\.2\)"):
        contract_days.approve_close(made, "K-1")
    before = made.state().ledger.balance("assets:cash", USD)
    made.user = "risk"
    controls.halt(made, "a drill")
    with pytest.raises(Declined, match="trading is halted by risk: a drill"):
        contract_days.approve_close(made, "K-1")
    made.user = "cfo"
    controls.resume(made)
    assert contract_days.approve_close(made, "K-1").stage == "closed out"
    state = made.state()
    assert float(state.ledger.balance("assets:cash", USD) - before) == round(worth)
    assert state.held_contracts() == ()
    assert not [a for (a, _), left in state.ledger.balances() if a.startswith("promises:") and left]
    with pytest.raises(Declined, match="closed out"):
        contract_days.approve_close(made, "K-1")
    made.user = "treasurer"
    with pytest.raises(Declined, match="there is nothing to close"):
        contract_days.close(made, "K-1", Decimal(0))
    premium = float(made.state().contracts["K-1"].held.contract.premium)  # type: ignore[union-attr]
    assert state.closed_usd == pytest.approx(round(worth) - premium)
    assert checkpoint.written(folded(made)) == checkpoint.written(state)


def test_a_confirmation_is_held_against_it_field_by_field(made: Office) -> None:
    record = dealt(made, average(call=95_000), "2000")
    assert record.held is not None
    contract = record.held.contract
    same = StatedContract(
        dealer="basalt", terms=contract.terms, price=contract.price, fee=contract.fee
    )
    other = replace(
        same,
        dealer="amber",
        price=Decimal(1),
        terms=average(put=71_000, window=(OCTOBER[0], OCTOBER[0])),
    )
    made.user = "risk"
    differs = contract_days.confirm(made, "K-1", other, "B-77")
    assert differs.stage == "executed, confirmation differs"
    assert differs.differences == (
        "kind: booked average_collar, confirmed average_put",
        "last day: booked 2026-10-31, confirmed 2026-10-01",
        "put strike: booked 70000, confirmed 71000",
        "call strike: booked 95000, confirmed none",
        "call coins: booked -10, confirmed none",
        "dealer: booked basalt, confirmed amber",
        f"price: booked {contract.price}, confirmed 1",
    )
    watched = {one.name: one.used for one in limits.watch(made)}
    assert watched["confirmations that differ or name no trade of ours"] == 1.0
    for bad in ("", "two\nlines", "x" * 201):
        with pytest.raises(Invalid, match="a reference is one line"):
            contract_days.confirm(made, "K-1", same, bad)
    assert contract_days.confirm(made, "K-1", same, "B-77").stage == "confirmed"
    with pytest.raises(Declined, match="confirmed already"):
        contract_days.confirm(made, "K-1", same, "B-77")
    made.user = "treasurer"
    contracts.draft(made, forward(), Decimal(33))
    made.user = "risk"
    with pytest.raises(Declined, match="K-2 is draft: there is nothing to confirm"):
        contract_days.confirm(made, "K-2", same, "B-78")
    made.user = "treasurer"
    assert contracts.decline(made, "K-2").stage == "declined"
    with pytest.raises(Declined, match="K-2 is declined: nothing of it waits"):
        contracts.decline(made, "K-2")
    made.user = "cfo"
    with pytest.raises(Declined, match="K-2 was declined by treasurer"):
        contracts.give(made, "K-2")


def test_whoever_dealt_does_not_confirm(made: Office) -> None:
    record = dealt(made, forward(), "33")
    assert record.held is not None
    contract = record.held.contract
    stated = StatedContract(
        dealer="basalt", terms=contract.terms, price=contract.price, fee=Decimal(0)
    )
    assert record.dealt_by == "trader"
    with pytest.raises(Declined, match="trader dealt K-1: somebody else confirms it"):
        contract_days.confirm(made, "K-1", stated, "B-77")
    made.user = "risk"
    assert contract_days.confirm(made, "K-1", stated, "B-77").stage == "confirmed"


def test_its_days_are_on_the_agenda_and_in_its_history(made: Office) -> None:
    dealt(made, forward(), "33")
    dealt(made, average(window=(date(2026, 9, 1), date(2026, 9, 10))), "4000")
    words = [one.words for one in agenda.shown(made, 120)]
    assert (
        "2026-10-02 08:00 UTC: K-1: 2026-10-01's hashprice settles, as on every day to 2026-10-31"
        in words
    )
    assert any(
        one.startswith("2026-09-10 08:00 UTC: K-2: its mean is known and pays") for one in words
    )
    since = made.now()
    days.walk(made, Course.BEAR, date(2026, 10, 3))
    told = [one.what for one in lifecycle.history(made, "K-1")]
    assert told[:3] == ["draft", "approved", "executed with basalt"]
    assert told[3].startswith("2026-10-01 fixed at ")
    explained = explaining.explained(made, since)
    ours = {one.trade: one for one in explained.trades}
    assert set(ours) == {"K-1", "K-2"}
    rows = {one.trade.id: one for one in money.performance(made).trades}
    assert float(rows["K-2"].realised_usd) != 0.0
    assert rows["K-1"].mark is not None
    assert rows["K-2"].mark is None


def test_a_merged_dealer_takes_it_over(made: Office) -> None:
    dealt(made, forward(), "33")
    made.user = "risk"
    counterparties.merge(made, "basalt", "cobalt", "bought")
    held = made.state().contracts["K-1"].held
    assert held is not None
    assert held.contract.dealer == "cobalt"
    exposed = {one.dealer: one.trades for one in limits.credit(made)}
    assert (exposed["basalt"], exposed["cobalt"]) == (0, 1)
    assert lifecycle.history(made, "K-1")[-1].what == "basalt became cobalt"


def test_plans_and_approvals_know_of_it(made: Office) -> None:
    """A proposal that was lawful alone is refused once a contract took its room."""
    made.user = "treasurer"
    plan = programme.plan(made)
    (near,) = [one for one in plan.proposals if any(m == Month(2026, 10) for m, _ in one.needs)][:1]
    assert near.verdict.allowed
    dealt(made, forward(phs=2_000), "33")
    made.user = "treasurer"
    again = programme.plan(made, propose=False).situation
    row = next(one for one in again.rows if one.month == Month(2026, 10))
    assert row.covered > 20.0
    made.user = "cfo"
    approvals.give(made, near.id)


def test_the_commands_tell_the_whole_story(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(prepared, folder)

    def run(who: str, *words: str) -> Any:
        app.main([*words, "--workspace", str(folder), "--as", who, "--json"], standalone_mode=False)
        return json.loads(capsys.readouterr().out)

    window = ("--from", "2026-09-01", "--to", "2026-09-02")
    fair = run("treasurer", "contract", "average", *window, "--put", "75000", "--call", "80000")
    assert fair["fair"] == pytest.approx(sum(fair["legs"].values()))
    drafted = run(
        "treasurer", "contract", "draft", *window, "--coins", "5", "--put", "75000", "--call", "80000",
        "--most", "500",
    )  # fmt: skip
    assert drafted["contract"]["fair"] == pytest.approx(fair["fair"])
    run("treasurer", "contract", "draft", *window, "--phs", "2500", "--least", "30")
    for name in ("K-1", "K-2"):
        assert run("cfo", "contract", "approve", name)["contract"]["stage"] == "approved"
    said = [f"{fair['fair'] + 1:.2f}", f"{fair['fair']:.2f}"]
    quoted = ("--quote", f"amber={said[0]}", "--quote", f"basalt={said[1]}", "--dealt", "basalt")
    dealt = run("trader", "contract", "deal", "K-1", *quoted, "--fee", "25")
    assert dealt["contract"]["held"]["contract"]["dealer"] == "basalt"
    stated = (*window, "--dealer", "basalt", "--coins", "5", "--put", "75000", "--call", "80000")
    confirmed = run(
        "risk", "contract", "confirm", "K-1", "B-1", *stated, "--price", said[1], "--fee", "25"
    )
    assert confirmed["contract"]["stage"] == "confirmed"
    rate = f"{run('treasurer', 'contract', 'list')['contracts'][1]['fair']:.2f}"
    run("trader", "contract", "deal", "K-2", "--quote", f"amber={rate}", "--quote",
        f"cobalt={float(rate) + 0.02}", "--dealt", "cobalt")  # fmt: skip
    shown = run("treasurer", "trades")
    assert [one["name"] for one in shown["stages"]] == ["K-1", "K-2"]
    run("treasurer", "clock", "--to", "2026-09-03T09:00:00Z")
    fixed = run(
        "treasurer", "contract", "fix", "2026-09-01", "--hashprice", "33", "--price", "70000"
    )
    assert [one["contract"] for one in fixed["contracts"]] == ["K-1", "K-2"]
    fixed = run(
        "treasurer", "contract", "fix", "2026-09-02", "--hashprice", "33", "--price", "70000"
    )
    assert fixed["contracts"][0] == {"contract": "K-1", "paid": "25000.00", "currency": "USD"}
    stages = [one["stage"] for one in run("treasurer", "contract", "list")["contracts"]]
    assert stages == ["settled", "settled"]
    for words in (
        ["contract", "draft", *window, "--phs", "5"],
        ["contract", "draft", *window, "--phs", "5", "--least", "3", "--most", "2"],
        ["contract", "close", "K-1"],
        ["contract", "close", "K-1", "--usd", "5", "--approve"],
    ):
        with pytest.raises(click.UsageError):
            run("treasurer", *words)
    for quote in ("amber", "amber=x", "=5"):
        with pytest.raises(Invalid, match="--quote is DEALER=PRICE"):
            run("trader", "contract", "deal", "K-1", "--quote", quote)


def test_where_nothing_nets_exposure_through_time_claims_each_gain_alone(made: Office) -> None:
    dealt(made, forward(phs=1_000), "33")
    dealt(made, average(put=75_000, coins=12), "9000")

    def epe() -> float:
        found = profiles.of_dealers(made, kind=Ladder.GBM, months=3, paths=500, seed=7)
        (one,) = [each for each in found if each.name == "basalt"]
        return one.epe_usd

    together = epe()
    one = made.state().dossiers["basalt"]
    made.state().dossiers["basalt"] = replace(one, closeout_netting=False)
    assert epe() > 1.02 * together
    exposed = next(row for row in limits.credit(made) if row.dealer == "basalt")
    assert exposed.trades == 2


def test_two_who_deal_at_once_deal_once(made: Office, tmp_path: Path) -> None:
    made.user = "treasurer"
    contracts.draft(made, forward(), Decimal(33))
    made.user = "cfo"
    contracts.give(made, "K-1")
    other = open_office(tmp_path / "mine", user="trader")
    said = [Heard("amber", Decimal("34.02")), Heard("basalt", Decimal("34.08"))]
    results: list[str] = []

    def deal(office: Office) -> None:
        office.user = "trader"
        try:
            results.append(contracts.deal(office, "K-1", said, "basalt").stage)
        except Declined as error:
            results.append(str(error))

    threads = [threading.Thread(target=deal, args=(one,)) for one in (made, other)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(results) == ["K-1 was dealt already", "executed"]
    assert sum(record.kind == "contract_dealt" for record in made.journal.read()) == 1
    assert audit.verify(made).sound


def test_a_premium_that_is_received_is_cash_and_no_budget(made: Office) -> None:
    terms = average(put=60_000, call=80_000)
    made.user = "treasurer"
    record = contracts.draft(made, terms, Decimal(-2_000))
    assert record.fair < -2_000.0
    made.user = "cfo"
    contracts.give(made, "K-1")
    made.user = "trader"
    fair = Decimal(repr(record.fair)).quantize(Decimal("0.01"))
    said = [Heard("amber", fair + 20), Heard("basalt", fair + 10)]
    with pytest.raises(Declined, match="the rule awards basalt"):
        contracts.deal(made, "K-1", said, "amber")
    held = contracts.deal(made, "K-1", said, "basalt").held
    assert held is not None
    got = -made.state().ledger.balance(Accounts.hedge("K-1"), USD)
    assert Decimal(str(got)) == -(fair + 10) * 10 > 0
    watched = {one.name: one.used for one in limits.watch(made)}
    assert watched["premium spent"] == 0.0


def test_what_cannot_be_paid_is_not_dealt(made: Office) -> None:
    record = contracts.draft(made, average(put=90_000, coins=30), Decimal(18_000))
    made.user = "cfo"
    contracts.give(made, "K-1")
    ledger = made.state().ledger
    for account in (CASH, COINS_FREE):
        money = ledger.balance(account, USD if account == CASH else BTC)
        ledger.post(Entry("gone", (Posting(account, -money), Posting("equity:gone", money))))
    drawn = booked(6_000_000, USD)
    ledger.post(line_drawn(drawn))
    ledger.post(Entry("gone", (Posting(CASH, -drawn), Posting("equity:gone", drawn))))
    made.user = "trader"
    fair = Decimal(repr(record.fair)).quantize(Decimal("0.01"))
    head = made.state().head
    with pytest.raises(Declined, match=r"M-5\.3 margin_not_funded"):
        contracts.deal(made, "K-1", [Heard("amber", fair), Heard("basalt", fair + 5)], "amber")
    assert made.state().head == head
    assert not made.state().held_contracts()


def test_what_hedges_measure_and_explain_goes_on_through_its_days(made: Office) -> None:
    dealt(made, forward(), "33")
    dealt(made, average(call=95_000), "2000")
    since = made.now()
    days.walk(made, Course.BEAR, date(2026, 10, 15))
    rows, left_out = relationships.measured(made)
    assert rows == ()
    assert {one.trade: "fixed at its own price" in one.reason for one in left_out} == {
        "K-1": True,
        "K-2": True,
    }
    day = explaining.explained(made, since)
    assert {one.trade for one in day.trades} == {"K-1", "K-2"}
    for one in day.trades:
        moves = abs(one.moved.delta) + abs(one.moved.gamma) + abs(one.moved.time)
        assert abs(one.moved.unexplained) < 0.01 * moves, "a mean's fixings are explained by day"
    mean = next(one for one in day.trades if one.trade == "K-2")
    assert abs(mean.delivered) < 0.05 * abs(mean.moved.time)
    for by in By:
        sums = money.added_up(made, by)
        total = sum(
            one.total_usd(money.performance(made).spot) for one in money.performance(made).trades
        )
        assert sum(one.total_usd for one in sums) == pytest.approx(total)
    page = pages.morning(made)
    assert page.sections
