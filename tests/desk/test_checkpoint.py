"""A state that was kept: the same as the fold, used only where it stands, never believed against it."""

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import workspaces
from headframe.desk import approvals, audit, checkpoint, controls, days, execution, users
from headframe.desk.fold import fold
from headframe.desk.known import Halt
from headframe.desk.ports import Declined, Draft, Pending
from headframe.desk.state import State
from headframe.risk import Course
from headframe.wiring import audit_office, keep_checkpoint, open_office, trading
from venues import FakeVenue, deal


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


def _forged(folder: Path, change: Callable[[State], None]) -> None:
    """A checkpoint on the journal's own head that says what its writer likes, with a hash that fits."""
    state = open_office(folder, user="x").state()
    change(state)
    (folder / checkpoint.NAME).write_text(checkpoint.written(state))


def _approvals_of(folder: Path) -> Callable[[State], None]:
    """The approvals of another journal, of proposals and of the forecast they stand on."""
    given = open_office(folder, user="x").state()

    def change(state: State) -> None:
        state.approvals.update(given.approvals)
        state.versions.update(given.versions)

    return change


def _planned(signed_mine: Path, folder: Path) -> Path:
    shutil.copytree(signed_mine, folder)
    workspaces.planned(open_office(folder, user="treasurer"))
    return folder


def test_a_forged_checkpoint_deals_nothing(
    signed_mine: Path, approved: Path, tmp_path: Path
) -> None:
    folder = _planned(signed_mine, tmp_path / "forged")
    _forged(folder, _approvals_of(approved))
    office = open_office(folder, user="trader")
    assert "P-1" in office.state().approvals, "a read may believe it"
    head = office.journal.head()
    venue = FakeVenue(office.clock)
    with pytest.raises(Pending, match="P-1 waits for an approval"):
        deal(office, venue)
    assert "open" not in venue.log
    assert office.journal.head() == head
    (folder / checkpoint.NAME).unlink()
    assert audit.verify(audit_office(folder, user="x")).sound


def test_an_intent_made_apart_on_a_forged_checkpoint_is_not_written(
    signed_mine: Path, approved: Path, tmp_path: Path
) -> None:
    """A process decides on a desk of its own, opened with its own checkpoint."""
    folder = _planned(signed_mine, tmp_path / "forged")
    _forged(folder, _approvals_of(approved))
    apart = open_office(folder, user="trader")
    with pytest.raises(Pending, match="P-1 waits"):
        execution._intended(apart, "P-1", "paper", None, set())  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("command", ["approve", "user"])
def test_nothing_is_decided_on_a_forged_checkpoint(approved: Path, command: str) -> None:
    """An approver or an administrator that only the checkpoint knows writes nothing."""
    office = open_office(approved, user="x")
    if command == "user":
        users.put(office, "root", ("administrator",), "long enough!", lambda word: word)

    def intern(state: State) -> None:
        assert state.mandate is not None
        people = replace(state.mandate.people, approvers=("intern",))
        state.mandate = replace(state.mandate, people=people)
        state.users.clear()

    _forged(approved, intern)
    other = open_office(approved, user="intern")
    head = other.journal.head()
    if command == "user":
        with pytest.raises(Declined, match="this workspace has users"):
            users.put(other, "intern", ("administrator",), "long enough!", lambda word: word)
    else:
        with pytest.raises(Declined, match="not among the mandate's approvers"):
            approvals.give(other, "P-1")
    assert other.journal.head() == head


def test_a_stop_that_only_a_checkpoint_knows_does_not_keep_the_real_one_away(
    approved: Path,
) -> None:
    def stopped(state: State) -> None:
        state.halted = Halt("nobody", "forged", state.clock or datetime.now(UTC))

    _forged(approved, stopped)
    controls.halt(open_office(approved, user="cfo"), "a reason")
    (approved / checkpoint.NAME).unlink()
    halted = open_office(approved, user="x").state().halted
    assert halted is not None
    assert halted.by == "cfo"


def test_a_genuine_checkpoint_is_folded_once_and_for_all_who_share_it(approved: Path) -> None:
    keep_checkpoint(open_office(approved, user="x"), approved)
    office = open_office(approved, user="trader")
    assert office.state().cached
    deal(office.acting("trader"), FakeVenue(office.clock))
    assert not office.state().cached
    assert audit.verify(audit_office(approved, user="x")).sound


def test_an_audit_that_agrees_makes_a_checkpoint_no_cache_any_more(approved: Path) -> None:
    keep_checkpoint(open_office(approved, user="x"), approved)
    office = open_office(approved, user="trader")
    found = audit.verify(audit_office(approved, user="x"))
    assert found.checkpoint == office.state().cached
    office.believe("another")
    assert office.state().cached
    office.believe(found.checkpoint)
    assert not office.state().cached
