"""A state that was kept: the same as the fold, used only where it stands, never believed against it."""

import asyncio
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import audit, checkpoint, days, execution, users
from headframe.desk.fold import fold
from headframe.desk.ports import Draft
from headframe.desk.state import State
from headframe.risk import Course
from headframe.wiring import audit_office, keep_checkpoint, open_office, trading


@pytest.fixture
def lived(approved: Path) -> Path:
    """A workspace with everything in it: trades, days, users, a halt."""
    office = open_office(approved, user="trader")

    async def deal() -> None:
        async with trading(office, approved) as at_work:
            await execution.deal(at_work, "P-1")
            await execution.deal(at_work, "P-2")

    asyncio.run(deal())
    days.walk(office, Course.BEAR, date(2026, 9, 2))
    users.put(office, "root", ("administrator",), "long enough!", lambda word: word)
    office.token = None
    office.state()
    office.record(Draft("halted", {"reason": "x"}))
    return approved


def test_what_was_kept_is_what_the_journal_folds_to(lived: Path) -> None:
    office = open_office(lived, user="x")
    text = checkpoint.written(office.state())
    again = checkpoint.read(text)
    assert again is not None
    assert checkpoint.written(again) == text
    fresh = fold(State(), office.journal.read())
    assert checkpoint.written(fresh) == text
    assert again.positions() == fresh.positions()
    assert again.mandate == fresh.mandate
    for name in ("rfqs", "trades", "proposals", "fills", "versions", "dossiers", "remaining"):
        kept, folded = getattr(again, name), getattr(fresh, name)
        assert list(kept) == list(folded), f"{name}: as they came, not by name"
    assert list(again.ledger.trial_balance()) == list(fresh.ledger.trial_balance())


def test_what_comes_tenth_stays_after_what_came_second(lived: Path) -> None:
    state = open_office(lived, user="x").state()
    (first, *_) = state.proposals.values()
    for number in range(len(state.proposals) + 1, 13):
        state.proposals[f"P-{number}"] = replace(first, id=f"P-{number}")
    again = checkpoint.read(checkpoint.written(state))
    assert again is not None
    assert list(again.proposals) == [f"P-{number}" for number in range(1, 13)]


def test_a_start_reads_only_what_came_since(lived: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = open_office(lived, user="x")
    keep_checkpoint(office, lived)
    office.state()
    office.record(Draft("noted", {"n": 1}))
    seen: list[int] = []
    from headframe.store import SqliteJournal

    real = SqliteJournal.read

    def read(self: Any, after: int = 0) -> Any:
        seen.append(after)
        return real(self, after)

    monkeypatch.setattr(SqliteJournal, "read", read)
    again = open_office(lived, user="x")
    assert min(seen) == office.state().head.count - 1
    assert again.state().head == office.state().head
    assert audit.verify(again).sound


def test_one_that_does_not_stand_on_the_journal_is_not_used(lived: Path, approved: Path) -> None:
    office = open_office(lived, user="x")
    keep_checkpoint(office, lived)
    file = lived / checkpoint.NAME
    text = file.read_text()
    body = json.loads(text)
    for broken in (
        text[:-20], "{", "[]", text.replace('"halted"', '"hlated"'), json.dumps(body | {"head": "3:" + "0" * 64}), json.dumps(body | {"schema": "x"}),
    ):  # fmt: skip
        assert checkpoint.read(broken) is None
        file.write_text(broken)
        assert open_office(lived, user="x").state().halted is not None
    state = checkpoint.read(text)
    assert state is not None
    state.head = type(state.head)(state.head.count, "f" * 64)
    file.write_text(checkpoint.written(state))
    assert open_office(lived, user="x").state().head == office.state().head


def test_one_that_lies_is_found_by_the_audit(lived: Path) -> None:
    office = open_office(lived, user="x")
    state = checkpoint.read(checkpoint.written(office.state()))
    assert state is not None
    state.halted = None
    (lived / checkpoint.NAME).write_text(checkpoint.written(state))
    found = audit.verify(audit_office(lived, user="x"))
    assert [fault.detail for fault in found.faults] == [
        "checkpoint.json does not follow from the journal: delete it"
    ]
    (lived / checkpoint.NAME).unlink()
    assert audit.verify(audit_office(lived, user="x")).sound
