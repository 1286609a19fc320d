"""The whole desk on virtual time: thousands of sessions with faults, and bugs that must be caught."""

from pathlib import Path
from typing import Any

import pytest

from faults import BUGS, KINDS, simulate, template
from headframe.wiring import open_office

SESSIONS = 2_000


@pytest.fixture(scope="module")
def base(planned_mine: Path) -> Any:
    return template(open_office(planned_mine, user="trader"))


def test_two_thousand_sessions_with_faults_lose_nothing_and_deal_nothing_twice(base: Any) -> None:
    report = simulate(base, range(SESSIONS))
    assert report.clean, report
    assert report.sessions == SESSIONS
    assert report.filled > SESSIONS // 2
    assert report.crashes > SESSIONS // 20
    assert set(report.faults) == set(KINDS), "every kind of fault was met"


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(base: Any, bug: str) -> None:
    report = simulate(base, range(300), bug, rate=0.3)
    assert not report.clean, f"{bug} was not noticed"
