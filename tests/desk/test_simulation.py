"""The whole desk on virtual time: thousands of sessions with faults, and bugs that must be caught."""

from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from desk.test_switching import proposed, sold
from faults import BUGS, KINDS, simulate, template
from headframe.book import Trade
from headframe.desk.state import State
from headframe.instrument import StructureKind
from headframe.wiring import open_office

__all__ = ["sold"]


@pytest.fixture(scope="module")
def base(planned_mine: Path) -> Any:
    return template(open_office(planned_mine, user="trader"))


@pytest.mark.parametrize("sessions", [500, pytest.param(1_500, marks=pytest.mark.slow)])
def test_sessions_with_faults_lose_nothing_and_deal_nothing_twice(base: Any, sessions: int) -> None:
    report = simulate(base, range(sessions))
    assert report.clean, report
    assert report.sessions == sessions
    assert report.filled > sessions // 2
    assert report.crashes > sessions // 20
    assert set(report.faults) == set(KINDS), "every kind of fault was met"


@pytest.mark.parametrize("kind", [StructureKind.PROTECTIVE_PUT, StructureKind.SHORT_FUTURE])
def test_switches_and_rolls_with_faults_are_booked_once_on_both_sides(
    sold: Path, kind: StructureKind
) -> None:
    state = open_office(sold, user="x").state()
    assert state.market is not None
    near = state.trades["T-1"].expiry
    later = next(one.expiry for one in state.market.forwards if one.expiry > near)
    proposed(sold, kind, later if kind is StructureKind.SHORT_FUTURE else None)
    base = template(open_office(sold, user="trader"))
    before = base.state.trades["T-1"]
    report = simulate(base, range(200), rate=0.2, check=partial(_switched, before))
    assert report.clean, report
    assert report.filled > 40
    assert report.crashes > 10


def _switched(before: Trade, state: State) -> bool:
    """Every closing of the trade comes with one that replaced it, and no more is gone than was dealt back."""
    gone = sum((one.size for one in state.closings.values()), Decimal(0))
    left = sum(state.remaining["T-1"].values(), Decimal(0))
    pairs = set(state.came_with.values()) == set(state.closings)
    return pairs and abs(before.size - gone - left) < Decimal("0.0001") and left >= 0


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(base: Any, bug: str) -> None:
    report = simulate(base, range(200), bug, rate=0.3)
    assert not report.clean, f"{bug} was not noticed"
