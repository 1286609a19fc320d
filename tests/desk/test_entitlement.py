"""The audit demands of the events alone an approval and an envelope for every trade."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import approvals, audit
from headframe.desk.office import Office
from headframe.desk.ports import Draft
from headframe.store import MemoryJournal
from headframe.units import instant, iso
from headframe.wiring import open_office
from venues import FakeVenue, deal

Event = list[Any]
"""At, author, kind, body."""


@pytest.fixture
def dealt(approved: Path) -> Office:
    """A workspace in which P-1 is dealt."""
    office = open_office(approved, user="trader")
    deal(office, FakeVenue(office.clock))
    return office


def _rewritten(office: Office, change: Callable[[list[Event]], None]) -> list[tuple[int, str]]:
    """The faults of a journal whose whole chain was written anew after a change of its events."""
    events = [[at, author, kind, json.loads(body)] for _, at, author, kind, body, _ in
              office.journal.rows()]  # fmt: skip
    change(events)
    made = MemoryJournal()
    row: Any
    for row in events:
        at, author, kind, body = row
        after = made.head().count
        made.append([Draft(kind, body)], at=instant(at), author=author, after=after)
    other = Office(journal=made, clock=office.clock, files=office.files, user="auditor")
    return [(one.seq, one.detail) for one in audit.verify(other).faults]


def _first(events: list[Event], kind: str) -> int:
    return next(place for place, event in enumerate(events) if event[2] == kind)


def test_what_was_dealt_by_the_rules_is_sound(dealt: Office) -> None:
    assert audit.verify(dealt).sound
    assert _rewritten(dealt, lambda _: None) == []


def _no_approval(events: list[Event]) -> None:
    del events[_first(events, "approved")]


def _other_envelope(events: list[Event]) -> None:
    """Asked, and approved, on a wider price than was proposed."""
    for kind, key in (("approved", "approval"), ("asked", "request")):
        body = events[_first(events, kind)][3][key]
        (body if key == "approval" else body["approval"])["envelope_sha256"] = "0" * 64
        if key == "request":
            body["envelope_sha256"] = "0" * 64


def _no_approver(events: list[Event]) -> None:
    event = events[_first(events, "approved")]
    event[1] = event[3]["approval"]["approver"] = "intern"
    events[_first(events, "asked")][3]["request"]["approval"]["approver"] = "intern"


def _wider_proposal(events: list[Event]) -> None:
    """The envelope in the proposal's own event is made wider after it was approved."""
    events[_first(events, "proposed")][3]["proposal"]["envelope"]["price_worst"] = "99"


def _too_dear(events: list[Event]) -> None:
    body = events[_first(events, "filled")][3]
    worst = events[_first(events, "proposed")][3]["proposal"]["envelope"]["price_worst"]
    buys = events[_first(events, "asked")][3]["request"]["direction"] == "buy"
    body["fill"]["price"] = str(float(worst) + (1 if buys else -1))


def _more(events: list[Event]) -> None:
    events[_first(events, "filled")][3]["fill"]["amount"] = "999"


def _late(events: list[Event]) -> None:
    asked = events[_first(events, "asked")][3]["request"]
    late = instant(asked["approval"]["expires_at"]) + timedelta(seconds=1)
    asked["opened_at"] = iso(late)
    asked["respond_by"] = iso(late + timedelta(seconds=60))


def _refused(events: list[Event]) -> None:
    breach = {"rule": "market_stale", "allowed": "", "found": "", "where": "", "blocks": True}
    events[_first(events, "proposed")][3]["proposal"]["verdict"]["breaches"] = [breach]


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (_no_approval, "asked", "asks for P-1 without an approval of it"),
        (_no_approval, "filled", "a trade of P-1 without an approval"),
        (_other_envelope, "approved", "another envelope than was proposed"),
        (_no_approver, "approved", "intern approves P-1 and is no approver"),
        (_wider_proposal, "proposed", "not the one hashed in its proposal"),
        (_wider_proposal, "approved", "another envelope than was proposed"),
        (_too_dear, "filled", "outside its approved envelope: price worse than approved"),
        (_more, "filled", "trades of P-1 add up to 999"),
        (_late, "asked", "after its approval has ended"),
        (_refused, "proposed", "although the mandate refused it"),
    ],
)
def test_what_lacks_its_approval_is_named_with_its_event(
    dealt: Office, change: Callable[[list[Event]], None], kind: str, words: str
) -> None:
    places: list[int] = []

    def made(events: list[Event]) -> None:
        change(events)
        places.append(_first(events, kind) + 1)

    faults = _rewritten(dealt, made)
    assert any(seq == places[0] and words in detail for seq, detail in faults), faults


def test_an_approval_by_who_prepared_it_cannot_be_folded(dealt: Office) -> None:
    def same(events: list[Event]) -> None:
        body = events[_first(events, "approved")][3]["approval"]
        body["approver"] = body["preparer"]

    assert any("prepared it" in detail for _, detail in _rewritten(dealt, same))


def test_a_proposal_may_not_be_written_twice(dealt: Office) -> None:
    def again(events: list[Event]) -> None:
        place = _first(events, "proposed")
        events.append([events[-1][0], *events[place][1:]])

    assert any("P-1 is proposed a second time" in detail for _, detail in _rewritten(dealt, again))


def test_what_is_approved_again_stays_sound(approved: Path) -> None:
    office = open_office(approved, user="cfo")
    approvals.give(office, "P-1")
    approvals.give(office, "P-1")
    assert audit.verify(office).sound
