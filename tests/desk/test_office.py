"""Decisions stand on what they first read, whatever they read again and whoever writes meanwhile."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import controls, execution
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Moved
from headframe.rfq import RfqStep
from headframe.units import iso
from headframe.wiring import open_office
from venues import FakeVenue, deal


def clock_draft(office: Office) -> Draft:
    return Draft("clock", {"to": iso(office.now() + timedelta(seconds=1))})


def test_a_decision_is_made_again_when_somebody_wrote_since_it_first_read(mine: Path) -> None:
    office, other = (open_office(mine, user=name) for name in ("treasurer", "cfo"))
    seen: list[bool] = []

    @serialised
    def decide(office: Office) -> None:
        seen.append(office.state().halted is not None)
        if len(seen) == 1:
            controls.halt(other, "meanwhile")
        office.state()  # reads what the other wrote, after the first look decided
        office.record(clock_draft(office))

    decide(office)
    assert seen == [False, True], "the second time it decides on what is true"


def test_a_decision_within_another_is_one_of_its_own(mine: Path) -> None:
    office, other = (open_office(mine, user=name) for name in ("treasurer", "cfo"))
    calls: list[str] = []

    @serialised
    def inner(office: Office) -> None:
        calls.append("inner")
        office.state()
        office.record(clock_draft(office))

    @serialised
    def outer(office: Office) -> None:
        calls.append("outer")
        office.state()
        inner(office)
        controls.halt(other, "meanwhile")
        office.state()
        office.record(clock_draft(office))

    outer(office)
    assert calls == ["outer", "inner"], "what was written is not decided again"


def test_outside_of_a_decision_what_was_read_last_counts(mine: Path) -> None:
    office, other = (open_office(mine, user=name) for name in ("treasurer", "cfo"))
    office.state()
    controls.halt(other, "meanwhile")
    with pytest.raises(Moved):
        office.record(clock_draft(office))
    office.state()
    office.record(clock_draft(office))


def test_one_who_is_never_left_alone_is_told_so(mine: Path) -> None:
    office, other = (open_office(mine, user=name) for name in ("treasurer", "cfo"))

    @serialised
    def decide(office: Office) -> None:
        office.state()
        other.state()
        other.record(clock_draft(other))
        office.record(clock_draft(office))

    with pytest.raises(Declined, match="too busy"):
        decide(office)


def test_a_halt_between_the_last_look_and_the_intent_stops_the_award(
    desk: Office, approved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_office(approved, user="cfo")
    looked = execution._void
    said: list[str] = []

    def look(*args: Any) -> str:
        said.append(looked(*args))
        if len(said) == 1:
            controls.halt(other, "now")
        return said[-1]

    monkeypatch.setattr(execution, "_void", look)
    dealt = deal(desk, FakeVenue(desk.clock))
    assert said == ["", "trading was halted while quotes were out: now"]
    assert dealt.trades == ()
    kinds = [record.body.get("step") for record in desk.journal.read() if record.kind == "rfq"]
    assert str(RfqStep.INTEND_AWARD) not in kinds
    assert str(RfqStep.DECLINE) in kinds
    assert not desk.state().trades
