"""Pages say the mode of their journal, from one source; decisions due are those that can be made."""

import ast
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from headframe import desk as package
from headframe.desk import adopting, closing, controls, covenants, pages, reviewing
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Draft
from headframe.desk.state import State
from headframe.report import html, markdown, proposal_lines
from headframe.store import MemoryJournal
from headframe.units import instant
from headframe.wiring import open_office
from venues import FakeVenue, deal

SOURCE = Path(package.__file__).parents[1]


def _in_mode(office: Office, mode: str) -> Office:
    """The same workspace as if it had been opened in a mode."""
    made = MemoryJournal()
    for _, at, author, kind, body, _ in office.journal.rows():
        data = json.loads(body)
        if kind == "opened":
            data["mode"] = mode
        made.append([Draft(kind, data)], at=instant(at), author=author, after=made.head().count)
    return Office(journal=made, clock=office.clock, files=office.files, user=office.user)


@pytest.mark.parametrize("mode", ["live", "paper"])
def test_every_page_says_the_mode_of_its_journal(desk: Office, mode: str) -> None:
    office = _in_mode(desk, mode)
    office.user = "risk"
    made = [
        pages.morning(office),
        pages.result(office, ()),
        pages.certificate_page(office, covenants.certify(office)),
    ]
    for page in made:
        for text in (markdown(page), html(page)):
            assert f"{mode.upper()} money" in text
            assert ("PAPER money" if mode == "live" else "LIVE money") not in text


def test_pages_are_made_in_one_place_and_no_mode_is_written_in_the_code() -> None:
    places: list[str] = []
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            modes = [one.value for one in node.keywords if one.arg == "mode"]
            assert not any(
                isinstance(one, ast.Constant) and one.value in {"paper", "live"} for one in modes
            ), f"{file.name} line {node.lineno} writes a mode down"
            if name == "Page":
                places.append(file.name)
    assert places == ["pages.py"]


def _decisions(office: Office) -> tuple[str, ...]:
    return pages.morning(office).sections[0].sentences


def test_what_can_be_done_is_listed_and_what_is_void_says_why(desk: Office) -> None:
    lines = _decisions(desk)
    assert any(line.startswith("P-1: ") and "deal it (headframe rfq)" in line for line in lines)
    state = desk.state()
    low = replace(state.proposals["P-1"].envelope, spot_low=Decimal(10**6))
    state.proposals["P-1"] = replace(state.proposals["P-1"], envelope=low)
    state.mandate_sha256, kept = "other", state.mandate_sha256
    assert all("void, it was made under another mandate (M-1.1): headframe plan" in one
               for one in pages._waiting(state))  # fmt: skip  # pyright: ignore[reportPrivateUsage]
    state.mandate_sha256 = kept
    (void,) = [one for one in pages._waiting(state) if "void" in one]  # pyright: ignore[reportPrivateUsage]
    assert "void, spot 77,054 left 1,000,000 to" in void
    state.forecast_in_force = "F-9"
    assert all("F-9 is in force" in one or "spot" in one
               for one in pages._waiting(state))  # fmt: skip  # pyright: ignore[reportPrivateUsage]


def test_what_is_out_of_date_is_void_for_a_day_and_then_gone(desk: Office) -> None:
    state = desk.state()
    assert state.clock is not None
    begun = state.clock
    state.clock = begun + timedelta(hours=12)
    lines = tuple(pages._waiting(state))  # pyright: ignore[reportPrivateUsage]
    assert lines
    assert all("void, its terms ended" in one or "void, its approval" in one for one in lines)
    state.clock = begun + timedelta(days=2)
    assert not list(pages._waiting(state))  # pyright: ignore[reportPrivateUsage]


def test_a_halt_stands_before_what_could_be_dealt(desk: Office) -> None:
    controls.halt(desk.acting("cfo"), "a look at the books")
    assert _decisions(desk)[0].startswith("Trading is halted by cfo: a look at the books")


def test_a_close_reads_as_a_close(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    made = closing.propose(desk, "T-1", Decimal(30))
    text = "\n".join(proposal_lines(made))
    assert f"{made.id}: close 30.0 coins of T-1" in text.replace(
        "close 30 coins", "close 30.0 coins"
    )
    assert "floor" not in text
    assert "ceiling" not in text
    assert "net price" in text
    assert any(f"{made.id}: close 30" in line and "approve it" in line for line in _decisions(desk))
    desk.state().remaining["T-1"] = {}
    (line,) = [one for one in pages._waiting(desk.state()) if made.id in one]  # pyright: ignore[reportPrivateUsage]
    assert "void, nothing is left of T-1: there is nothing to do" in line


def test_a_review_by_who_may_not_propose_says_so_and_keeps_nothing(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    head = desk.journal.head()
    desk.user = "cfo"
    with pytest.raises(Declined, match=r"cfo is not among the mandate's preparers \(M-8\.1\)"):
        reviewing.hold(desk)
    with pytest.raises(Declined, match=r"M-8\.1"):
        closing.propose(desk, "T-1", Decimal(30))
    assert desk.journal.head() == head


def test_a_review_that_fails_halfway_keeps_nothing(
    desk: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal(desk, FakeVenue(desk.clock))
    head = desk.journal.head()
    desk.user = "treasurer"

    def fails(*_: object, **__: object) -> None:
        raise Declined("no closing today")

    def some(*_: object, **__: object) -> list[tuple[str, Decimal]]:
        return [("T-1", Decimal(1))]

    monkeypatch.setattr(reviewing, "too_much", some)
    monkeypatch.setattr(closing, "propose", fails)
    with pytest.raises(Declined, match="no closing today"):
        reviewing.hold(desk)
    assert desk.journal.head() == head
    assert isinstance(desk.state(), State)
    monkeypatch.undo()
    held = reviewing.hold(desk)
    assert [one.kind for one in desk.journal.read(head.count)][-1] == "reviewed"
    assert len(list(desk.journal.read(head.count))) == len(held.proposals) + 1


def test_after_a_restore_the_page_says_what_stands_before_trading(
    approved: Path, tmp_path: Path
) -> None:
    from headframe.wiring import back_up, restore

    back_up(approved, None, tmp_path / "kept.headframe")
    restore(tmp_path / "again", None, tmp_path / "kept.headframe")
    lines = _decisions(open_office(tmp_path / "again", user="x"))
    assert lines[0].startswith("Nothing can be dealt: this journal was restored")
    assert adopting.VOICE in lines[0]
