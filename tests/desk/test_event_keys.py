"""Stored events: an unknown key is refused, never dropped; a missing one is named."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headframe.codec import from_json, to_json
from headframe.desk.event_keys import EVENT_KEYS
from headframe.desk.fold import (
    _APPLY,  # pyright: ignore[reportPrivateUsage]
    fold,
)
from headframe.desk.known import Note
from headframe.desk.ports import JournalBroken, Record
from headframe.desk.state import State
from headframe.units import Wrong

AT = datetime(2026, 8, 22, tzinfo=UTC)
NOTE = Note(number=1, name="amber", text="late", source="x", adverse=True, by="risk", at=AT)


def _record(kind: str, body: Any) -> Record:
    return Record(1, AT, "risk", kind, body, "")


def test_every_kind_of_event_declares_its_keys() -> None:
    assert EVENT_KEYS.keys() == _APPLY.keys()
    assert [kind for kind, keys in EVENT_KEYS.items() if keys.free] == ["forecast", "noted"]


@pytest.mark.parametrize("kind", [k for k, keys in EVENT_KEYS.items() if not keys.free])
def test_a_key_that_is_not_declared_is_refused(kind: str) -> None:
    body: dict[str, Any] = dict.fromkeys(EVENT_KEYS[kind].required)
    with pytest.raises(JournalBroken, match=r"'newer'.*written by a newer headframe; use that"):
        fold(State(), [_record(kind, {**body, "newer": 1})])
    for key in EVENT_KEYS[kind].required:
        with pytest.raises(JournalBroken, match=f"lacks .*{key}"):
            fold(State(), [_record(kind, {k: v for k, v in body.items() if k != key})])


def test_a_kind_of_a_newer_version_is_refused_and_says_so() -> None:
    with pytest.raises(JournalBroken, match=r"unknown kind 'tomorrow'.*newer headframe"):
        fold(State(), [_record("tomorrow", {})])


def test_a_renamed_field_does_not_turn_an_answered_note_into_an_open_one() -> None:
    """The old reading dropped ``answer`` under its new name and took the default: unanswered."""
    stored = to_json(NOTE) | {"answer": "paid on 3 August", "answered_by": "cfo"}
    assert not from_json(Note, stored).open
    stored["reply"] = stored.pop("answer")
    with pytest.raises(Wrong, match=r"Note: expected keys of .*answer.*got 'reply'"):
        from_json(Note, stored)
    with pytest.raises(JournalBroken, match="makes no sense: Note: expected keys"):
        fold(State(), [_record("counterparty_note", {"note": stored})])


def test_a_field_unknown_deep_inside_is_refused(approved: Any) -> None:
    from headframe.hedge import Proposal
    from headframe.wiring import open_office

    proposal = next(iter(open_office(approved, user="x").state().proposals.values()))
    stored = to_json(proposal)
    assert from_json(Proposal, stored) == proposal
    stored["alternatives"][0]["verdict"]["leniency"] = 1
    with pytest.raises(Wrong, match=r"Verdict: .*'leniency'"):
        from_json(Proposal, stored)
