from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from headframe.counterparty import Standing, Step
from headframe.desk import (
    audit,
    checkpoint,
    counterparties,
    days,
    limits,
    policy,
    production,
    programme,
)
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid, NotFound
from headframe.desk.workspace import sample_file
from headframe.risk import Course, Status
from venues import FakeVenue, deal


def test_a_suspended_dealer_is_not_asked_and_comes_back_only_through_review(office: Office) -> None:
    office.user = "risk"
    counterparties.review(office, "amber", Step.SUSPEND, "adverse news")
    with pytest.raises(Declined, match="that is suspended cannot approve"):
        counterparties.review(office, "amber", Step.APPROVE)
    office.user = "treasurer"
    assert all("amber" not in one.panel for one in programme.plan(office, propose=False).proposals)
    assert counterparties.add(office, "amber").standing is Standing.IN_REVIEW
    with pytest.raises(Declined, match="somebody else must approve"):
        counterparties.review(office, "amber", Step.APPROVE)
    office.user = "risk"
    assert counterparties.review(office, "amber", Step.APPROVE).standing is Standing.APPROVED


def test_adding_again_changes_nothing_and_unknown_names_are_not_found(office: Office) -> None:
    before = office.state().head
    assert counterparties.add(office, "amber").standing is Standing.APPROVED
    assert office.state().head == before
    with pytest.raises(NotFound):
        counterparties.add(office, "quartz")
    with pytest.raises(NotFound):
        counterparties.review(office, "quartz", Step.WATCH)


def test_a_course_begins_with_the_forecast(office: Office) -> None:
    with pytest.raises(NotFound, match="no forecast"):
        days.walk(office, Course.BEAR, date(2026, 9, 5))
    production.make(office)
    with pytest.raises(Invalid, match="begins 2026-09-01"):
        days.walk(office, Course.BEAR, date(2026, 8, 1))


def test_adverse_news_is_watched_until_another_person_answers_it(office: Office) -> None:
    def state_of(name: str) -> Status:
        return {one.name: one.status for one in limits.watch(office)}[name]

    watched = "amber adverse news without an answer"
    office.user = "treasurer"
    counterparties.note(office, "amber", "opened an office in Lisbon", source="its own site")
    assert state_of(watched) is Status.OK
    made = counterparties.note(office, "amber", "auditor resigned", adverse=True)
    assert (made.number, made.open) == (2, True)
    assert state_of(watched) is Status.STOP, "nothing is added with it until somebody has answered"
    office.user = "risk"
    own = counterparties.note(office, "basalt", "sued by a client", adverse=True)
    with pytest.raises(Declined, match="somebody else answers"):
        counterparties.answer(office, own.number, "no merit")
    with pytest.raises(NotFound, match="waiting: 2, 3"):
        counterparties.answer(office, 1, "not adverse")
    for bad in ("", "x" * 501, "two\nlines"):
        with pytest.raises(Invalid):
            counterparties.answer(office, 2, bad)
        with pytest.raises(Invalid):
            counterparties.note(office, "amber", bad)
    with pytest.raises(NotFound, match="on record"):
        counterparties.note(office, "quartz", "x")
    told = counterparties.answer(office, 2, "a new auditor was named the same week")
    assert (told.open, told.answered_by) == (False, "risk")
    assert state_of(watched) is Status.OK
    assert [one.number for one in counterparties.notes(office, "amber")] == [1, 2]
    assert len(counterparties.notes(office)) == 3
    again = checkpoint.read(checkpoint.written(office.state()))
    assert again is not None
    assert again.notes == office.state().notes
    assert audit.verify(office).sound


def test_papers_about_to_expire_and_reviews_that_are_due_are_watched(office: Office) -> None:
    def watched() -> dict[str, Any]:
        return {one.name: one for one in limits.watch(office)}

    state = office.state()
    dossier = state.dossiers["amber"]
    for days_left, status in ((40, Status.OK), (20, Status.AMBER), (2, Status.STOP)):
        first, *rest = dossier.evidence
        ends = office.now().date() + timedelta(days=days_left)
        state.dossiers["amber"] = replace(dossier, evidence=(replace(first, expires=ends), *rest))
        assert watched()["amber next paper to expire"].status is status, days_left
    approved = next(
        step for step in state.steps if step["name"] == "amber" and step["standing"] == "approved"
    )
    for age, status in ((10, Status.OK), (340, Status.STOP), (400, Status.BREACH)):
        approved["at"] = office.now() - timedelta(days=age)
        assert watched()["amber days since its review"].status is status, age


GRID = """
group_line_usd_max = 1.0
[counterparties.grid]
agreements = ["netting_opinion"]
grades = [
  { name = "A", points = 60.0, line_usd_max = 2.0e6 }, { name = "Z", points = 0.0, line_usd_max = 0.0 },
]
defaults = [{ source = "x", grade = "A", a_year = 0.01 }, { source = "x", grade = "Z", a_year = 0.5 }]
[[counterparties.grid.sections]]
name = "custody"
questions = ["Who may move coins?"]
"""


def test_a_signed_grid_rules_lines_scores_and_what_is_watched(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    before = {one.dealer: one for one in limits.credit(desk)}
    text = sample_file("mandate.toml").replace("[cash] ", GRID + "[cash] ", 1)
    desk.files.write("mandate.toml", text)
    desk.user = "board"
    policy.sign(desk)
    desk.user = "trader"
    (dealer,) = {one.trade.dealer for one in desk.state().positions()}
    after = {one.dealer: one for one in limits.credit(desk)}[dealer]
    assert before[dealer].line_usd > 2.0e6
    assert after.line_usd == 2.0e6, "the line is the grade's where that is less"
    watched = {one.name: one for one in limits.watch(desk)}
    group = desk.state().dossiers[dealer].group
    assert watched[f"{group} exposure of the group"].used == pytest.approx(max(after.cases))
    assert watched[f"{dealer} objections to its papers"].used == 2.0
    reasons = {view.dossier.name: view.objections for view in counterparties.views(desk)}[dealer]
    assert [str(one.reason) for one in reasons] == ["no_agreement", "unanswered"]
    assert counterparties.grid(desk).grades[0].name == "A"
    assert [one.answer for one in counterparties.asked(desk, dealer)] == [None]
    with pytest.raises(NotFound, match="no counterparty 'quartz'"):
        counterparties.asked(desk, "quartz")
    planned = programme.plan(desk, propose=False)
    assert not planned.proposals, "no group has room for anything"
