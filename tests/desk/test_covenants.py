"""The lender's covenants: kept or not, what would cure them, and the certificate that says so."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from headframe.book import LOAN, Break
from headframe.cli.app import app
from headframe.codec import read_flows
from headframe.desk import audit, covenants, days, flows, limits
from headframe.desk.office import Office
from headframe.desk.ports import Declined, NotFound
from headframe.instrument import StructureKind
from headframe.mandate import Lender, LoanStep, Rule, Stage, judge
from headframe.risk import Course, Status
from headframe.units import USD, Wrong, iso
from headframe.wiring import open_office
from venues import FakeVenue, deal

STEPS = (
    LoanStep(above=0.40, must="tell the lender", days=2),
    LoanStep(above=0.90, must="pledge coins down to 60 %", days=1),
)


def bound(office: Office, **changes: Any) -> Office:
    """The desk under a lender who asks more."""
    state = office.state()
    assert state.mandate is not None
    state.mandate = replace(state.mandate, lender=replace(state.mandate.lender, **changes))
    return office


def found(office: Office) -> dict[str, Any]:
    return {one.name: one for one in covenants.shown(office)}


def test_every_covenant_says_what_is_and_what_would_cure_it(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    bound(desk, least_hedged=0.5, steps=STEPS, structures=(StructureKind.PROTECTIVE_PUT,))
    rows = found(desk)
    least = rows["hedged, at least"]
    assert not least.kept
    state = desk.state()
    assert state.forecast is not None
    hedged = float(state.trades["T-1"].size)
    months = [one for one in state.forecast.months if one.month.start > desk.now()]
    missing = 0.5 * sum(one.coins.p50 for one in months) - hedged
    assert least.remedy == f"hedge {missing:,.1f} coins more"
    assert rows["hedged, at most"].kept
    assert rows["instruments"].found == "others: T-1"
    treasury = desk.settings().operation.treasury
    ratio = treasury.loan_usd / (treasury.coins_pledged * desk.market().index)
    assert rows["loan to value"].used == pytest.approx(ratio)
    assert rows["loan to value"].kept
    assert "breaks below 50,000 USD" in rows["loan to value"].remedy
    first, second = rows["loan to value above 40%"], rows["loan to value above 90%"]
    assert (first.kept, first.remedy) == (False, "tell the lender")
    assert second.kept
    assert "reached below 38,889 USD" in second.remedy
    assert rows["pledged coins, whole and nowhere else"].kept
    watched = {one.name: one.status for one in limits.watch(desk)}
    assert watched["hedged, at least"] is Status.BREACH
    assert watched["loan to value above 40%"] is Status.BREACH
    assert watched["pledged coins, whole and nowhere else"] is Status.OK


def test_a_fall_breaks_the_loan_and_says_how_many_coins_heal_it(desk: Office) -> None:
    days.walk(desk, Course.BEAR, date(2026, 9, 2))
    state = desk.state()
    state.spot = 40_000.0
    row = found(desk)["loan to value"]
    treasury = desk.settings().operation.treasury
    assert not row.kept
    coins = treasury.loan_usd / treasury.loan_to_value_max / 40_000.0 - treasury.coins_pledged
    dollars = treasury.loan_usd - treasury.loan_to_value_max * treasury.coins_pledged * 40_000.0
    assert row.remedy == f"pledge {coins:,.2f} coins or repay {dollars:,.0f} USD"
    healed = treasury.loan_usd / ((treasury.coins_pledged + coins) * 40_000.0)
    assert healed == pytest.approx(treasury.loan_to_value_max)


def test_a_hedge_the_lender_does_not_name_is_refused_by_its_clause(desk: Office) -> None:
    bound(desk, structures=(StructureKind.SHORT_FUTURE,))
    proposal = desk.state().proposals["P-1"]
    verdict = judge(desk.mandate(), proposal.facts, Stage.ASK)
    assert Rule.LENDER_STRUCTURE in {breach.rule for breach in verdict.breaches}
    assert not verdict.allowed
    assert Rule.LENDER_STRUCTURE.clause == "M-10.3"
    closes = judge(desk.mandate(), replace(proposal.facts, closes=True), Stage.ASK)
    assert Rule.LENDER_STRUCTURE not in {breach.rule for breach in closes.breaches}


def test_steps_that_make_no_sense_are_refused() -> None:
    with pytest.raises(Wrong, match="in order"):
        Lender(least_hedged=0.0, most_hedged=0.5, steps=STEPS[::-1])
    for bad in ({"above": 0.0}, {"must": " "}, {"days": -1}):
        with pytest.raises(Wrong):
            replace(STEPS[0], **bad)


def test_a_certificate_is_kept_and_refused_where_the_books_have_a_break(
    approved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> Any:
        status = app.main(
            ["certificate", *words, "--workspace", str(approved), "--as", "risk", "--json"],
            standalone_mode=False,
        )
        return status or 0, json.loads(capsys.readouterr().out)

    status, shown = run()
    assert status == 0
    assert {one["clause"] for one in shown["covenants"]} == {"M-10.1", "M-10.2", "loan", "M-10.5"}
    before = open_office(approved, user="x").state().head
    status, made = run("--certify", "--write")
    assert (status, made["kept"]) == (0, True)
    assert made["certificate"]["anchor"]["hash"] == before.hash
    text = (approved / "certificate.md").read_text()
    assert "Compliance certificate of Kettle & Pecos Mining LLC to First Prairie Bank" in text
    assert "every covenant is kept" in text
    office = open_office(approved, user="risk")
    assert office.state().head.count == before.count + 1
    assert audit.verify(office).sound
    state = office.state()
    state.breaks["x"] = Break(
        account="assets:cash", currency="USD", ours="1", theirs="2", at=office.now(), since=office.now(),
        owner="x", source="x",
    )  # fmt: skip
    with pytest.raises(Declined, match="do not agree"):
        covenants.certify(office)
    state.breaks.clear()
    loan = state.ledger.balance(LOAN, USD)
    state.ledger.replay([(LOAN, "USD", -loan.smallest), ("equity:opening", "USD", loan.smallest)])
    with pytest.raises(NotFound, match="no loan"):
        covenants.certify(office)


def test_coins_pledged_since_count_at_once(desk: Office) -> None:
    before = found(desk)["loan to value"].used
    at = iso(desk.now())
    row = {"id": "p-1", "kind": "pledge", "at": at, "coins": "30", "memo": "lender"}
    desk.user = "treasurer"
    flows.take(desk, read_flows([(2, row)], "x.csv"), "x.csv")
    after = found(desk)["loan to value"]
    assert after.used == pytest.approx(before * 120.0 / 150.0)
    assert after.remedy == "breaks below 40,000 USD a coin"
    assert limits.margin(desk).covenant_below == pytest.approx(40_000.0)
