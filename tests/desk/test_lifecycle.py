"""A trade's life, amendments as new versions, and counterparties that became others."""

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from headframe.book import Accounts
from headframe.cli.app import app
from headframe.counterparty import Standing, Step
from headframe.desk import (
    amending,
    approvals,
    audit,
    checkpoint,
    closing,
    counterparties,
    days,
    lifecycle,
    limits,
)
from headframe.desk.known import Confirmed
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid, NotFound
from headframe.instrument import cash_flow
from headframe.mandate import Unwind
from headframe.risk import Course
from headframe.units import BTC, USD
from headframe.wiring import open_office
from venues import FakeVenue, deal


@pytest.fixture
def dealt(desk: Office) -> Office:
    deal(desk, FakeVenue(desk.clock))
    return desk


def stage(office: Office, name: str = "T-1") -> str:
    return {one.name: one.words for one in lifecycle.lives(office)}[name]


def confirm(office: Office) -> None:
    at = office.now()
    office.state().confirmed["T-1"] = Confirmed("T-1", "x", "risk", "mail", at, ())


def test_a_trade_lives_from_draft_to_its_end(dealt: Office) -> None:
    assert stage(dealt, "P-2") == "approved"
    assert stage(dealt) == "executed"
    confirm(dealt)
    assert stage(dealt) == "confirmed"
    days.walk(dealt, Course.BEAR, date(2026, 9, 3))
    assert stage(dealt) == "active"
    days.walk(dealt, Course.BEAR, date(2026, 12, 1))
    assert stage(dealt) == "settled", "its last coins were delivered before its expiry"
    told = [one.what for one in lifecycle.history(dealt, "T-1")]
    assert told[0] == "draft P-1"
    assert told[1] == "approved"
    assert told[2].startswith("asked, request ")
    assert told[3] == "executed with amber"
    assert told[-1] == "settled"
    with pytest.raises(NotFound, match="known: T-1"):
        lifecycle.history(dealt, "T-7")


@pytest.mark.parametrize(
    ("course", "how"), [(Course.BEAR, "exercised"), (Course.STABLE, "expired")]
)
def test_options_held_to_expiry_are_exercised_or_expire(
    dealt: Office, course: Course, how: str
) -> None:
    state = dealt.state()
    assert state.mandate is not None
    held = replace(state.mandate.cover, unwind=Unwind.AT_EXPIRY)
    state.mandate = replace(state.mandate, cover=held)
    expiry = state.trades["T-1"].expiry.date()
    days.walk(dealt, course, expiry + timedelta(days=1))
    assert stage(dealt) == how
    strikes = sorted(float(leg.instrument.strike or 0) for leg in state.trades["T-1"].legs)
    (settled,) = (
        record.body["spot"]
        for record in dealt.journal.read()
        if record.kind == "day" and "T-1" in record.body["settled"]
    )
    assert (strikes[0] <= settled <= strikes[1]) == (how == "expired"), (strikes, settled)


def test_a_trade_that_was_closed_says_so(dealt: Office) -> None:
    dealt.user = "treasurer"
    made = closing.propose(dealt, "T-1", None)
    dealt.user = "cfo"
    approvals.give(dealt, made.id)
    dealt.user = "trader"

    class Street(FakeVenue):
        def fill(self, price: Any = None) -> Any:
            self.filled = replace(super().fill(price), venue_trade_id="CLOSE")
            return self.filled

    asyncio.run(dealt.clock.wait_until(dealt.now() + timedelta(seconds=1)))
    deal(dealt, Street(dealt.clock, prices=(("amber", 0.0),)), made.id)
    assert stage(dealt) == "closed out"
    assert lifecycle.history(dealt, "T-1")[-1].what == "closed with C-1"


def test_an_amendment_is_a_new_version_approved_by_another_person(dealt: Office) -> None:
    confirm(dealt)
    dealt.user = "trader"
    old = dealt.state().trades["T-1"]
    put = old.legs[0]
    better = put.price - Decimal("0.0005")
    books = dealt.state().ledger.balance(Accounts.hedge("T-1"), BTC)
    made = amending.amend(
        dealt, "T-1", {put.instrument.name: better}, Decimal("0.001"), "their slip, mail of today"
    )
    assert dealt.state().trades["T-1"] == old, "nothing changes before it is approved"
    with pytest.raises(Declined, match="waits for approval already"):
        amending.amend(dealt, "T-1", {}, Decimal(0), "again")
    with pytest.raises(Declined, match="somebody else approves"):
        amending.approve(dealt, 1)
    dealt.user = "risk"
    amending.approve(dealt, made.number)
    state = dealt.state()
    new = state.trades["T-1"]
    assert (new.legs[0].price, new.legs[1:], new.fee) == (better, old.legs[1:], Decimal("0.001"))
    assert new.net_price == old.net_price + (better - put.price) * put.amount / old.size
    assert new.designations == old.designations, "which coins it hedges was fixed when it was dealt"
    moved = state.ledger.balance(Accounts.hedge("T-1"), BTC) - books
    wanted = cash_flow(put.instrument, Fraction(put.amount), Fraction(better)) - cash_flow(
        put.instrument, Fraction(put.amount), Fraction(put.price)
    )
    fee = Fraction(old.fee) - Fraction("0.001")
    assert Fraction(str(moved)) == -(wanted + fee)
    assert stage(dealt) == "executed, amended (version 2)", "the new version is confirmed anew"
    assert [one.before for one in state.amendments] == [old]
    told = [one.what for one in lifecycle.history(dealt, "T-1")]
    assert told[-2:] == ["amendment 1 proposed", "amendment 1 approved"]
    again = checkpoint.read(checkpoint.written(state))
    assert again is not None
    assert again.amendments == state.amendments
    assert again.trades == state.trades
    assert audit.verify(dealt).sound
    with pytest.raises(NotFound, match="no amendment 1 waits"):
        amending.approve(dealt, 1)


@pytest.mark.parametrize(
    ("prices", "fee", "reason", "words"),
    [
        ({"BTC-1JAN30-1-P": "0.1"}, None, "x", "has no leg"),
        ({}, "-1", "x", "a fee is 0 or above"),
        ({}, None, "x", "nothing of T-1 would change"),
        ({}, "0.5", " ", "a reason is"),
        ({"put": "0"}, None, "x", "a price lies above 0"),
    ],
)
def test_a_bad_amendment_is_refused(
    dealt: Office, prices: Any, fee: Any, reason: str, words: str
) -> None:
    name = dealt.state().trades["T-1"].legs[0].instrument.name
    given = {name if key == "put" else key: Decimal(price) for key, price in prices.items()}
    head = dealt.state().head
    with pytest.raises(Invalid, match=words):
        amending.amend(dealt, "T-1", given, None if fee is None else Decimal(fee), reason)
    assert dealt.state().head == head


def test_what_is_partly_delivered_is_not_amended(dealt: Office) -> None:
    amending.amend(dealt, "T-1", {}, Decimal("0.5"), "late")
    days.walk(dealt, Course.STABLE, date(2026, 9, 30))
    dealt.user = "risk"
    with pytest.raises(Declined, match="are delivered"):
        amending.approve(dealt, 1)
    assert amending.decline(dealt, 1).declined_by == "risk"
    assert stage(dealt) == "settled", "the block at the month's end took its last coins"
    assert lifecycle.history(dealt, "T-1")[-1].what == "amendment 1 declined"
    with pytest.raises(NotFound, match="waiting: none"):
        amending.approve(dealt, 1)
    dealt.user = "trader"
    with pytest.raises(NotFound, match="no trade 'T-8'"):
        amending.amend(dealt, "T-8", {}, Decimal(1), "x")


def test_a_counterparty_that_became_another_takes_its_trades_and_collateral_along(
    dealt: Office,
) -> None:
    state = dealt.state()
    for name, one in state.dossiers.items():
        strict = replace(
            one.collateral, threshold_usd=0.0, minimum_transfer_usd=0.0, independent_share=0.05
        )
        state.dossiers[name] = replace(one, collateral=strict)
    days.walk(dealt, Course.BULL, date(2026, 9, 2))
    posted = dealt.state().ledger.balance(Accounts.cash_posted("amber"), USD)
    assert posted.smallest > 0
    before = {one.dealer: one for one in limits.credit(dealt)}
    dealt.user = "treasurer"
    with pytest.raises(Declined, match="somebody else merges"):
        counterparties.merge(dealt, "amber", "basalt", "merger of August")
    dealt.user = "risk"
    for name, into, error, words in (
        ("amber", "quartz", NotFound, "'quartz'"),
        ("amber", "amber", Invalid, "itself"),
        ("amber", "feldspar", NotFound, "feldspar"),
    ):
        with pytest.raises(error, match=words):
            counterparties.merge(dealt, name, into, "merger of August")
    with pytest.raises(Invalid, match="a reason is"):
        counterparties.merge(dealt, "amber", "basalt", "")
    counterparties.merge(dealt, "amber", "basalt", "merger of August")
    state = dealt.state()
    assert state.standing["amber"] is Standing.CLOSED
    assert {one.dealer for one in state.trades.values()} == {"basalt"}
    assert state.ledger.balance(Accounts.cash_posted("basalt"), USD) == posted
    assert state.ledger.balance(Accounts.cash_posted("amber"), USD).smallest == 0
    after = {one.dealer: one for one in limits.credit(dealt)}
    assert after["basalt"].value_usd == pytest.approx(before["amber"].value_usd)
    assert after["amber"].trades == 0
    assert stage(dealt).endswith("amended (version 2)")
    assert "amber became basalt" in [one.what for one in lifecycle.history(dealt, "T-1")]
    days.walk(dealt, Course.BULL, date(2026, 12, 30))
    assert dealt.state().ledger.balance(Accounts.cash_posted("basalt"), USD).smallest == 0
    assert audit.verify(dealt).sound
    again = checkpoint.read(checkpoint.written(dealt.state()))
    assert again is not None
    assert again.trades == dealt.state().trades
    with pytest.raises(Declined, match="amber is closed already"):
        counterparties.merge(dealt, "amber", "basalt", "twice")
    counterparties.review(dealt, "cobalt", Step.SUSPEND, "news")
    with pytest.raises(Declined, match="must stand approved"):
        counterparties.merge(dealt, "basalt", "cobalt", "x")


def test_the_commands_show_stages_and_amend(
    approved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = open_office(approved, user="trader")
    deal(office, FakeVenue(office.clock))
    name = office.state().trades["T-1"].legs[0].instrument.name

    def run(*words: str) -> Any:
        app.main([*words, "--workspace", str(approved), "--json"], standalone_mode=False)
        return json.loads(capsys.readouterr().out)

    stages = {one["name"]: one["stage"] for one in run("trades")["stages"]}
    assert stages["T-1"] == "executed"
    made = run("amend", "T-1", "--leg", f"{name}=0.049", "--reason", "typed wrong")["amendment"]
    assert made["approved_by"] == ""
    assert run("amend", "--approve", "1", "--as", "risk")["amendment"]["approved_by"] == "risk"
    history = run("trades", "--history", "T-1")["history"]
    assert history[-1]["what"] == "amendment 1 approved"
    shown = run("counterparty", "merge", "amber", "basalt", "renamed", "--as", "risk")
    assert shown["counterparties"][0]["name"] == "basalt"
