from datetime import date

import pytest

from headframe.counterparty import Standing, Step
from headframe.desk import counterparties, days, production, programme
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid, NotFound
from headframe.risk import Course


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
