"""A course of the price on a workspace that took a later market after its forecast."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from headframe.desk import days
from headframe.desk.ports import Declined
from headframe.risk import Course
from headframe.wiring import open_office


def test_days_before_an_imported_market_are_refused_with_the_remedy(approved: Path) -> None:
    office = open_office(approved, user="treasurer")
    state = office.state()
    assert state.market is not None
    first = days._span(state)[0]
    later = state.market.as_of + timedelta(days=40)
    state.market = replace(state.market, as_of=later)
    begins = later.date() + timedelta(days=1)
    assert first < begins
    head = state.head
    with pytest.raises(Declined, match=f"expected days from {begins}.*got {first}.*close-day"):
        days.walk(office, Course.BEAR, days.horizon(state))
    assert office.state().head == head
    days._priced_from(begins, state)
