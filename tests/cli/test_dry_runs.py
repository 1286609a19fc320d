"""Every ``--dry-run``, found by walking the commands: neither the journal nor a file moves."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

import click
import pytest

import workspaces
from headframe.cli.app import app, run
from headframe.desk import production
from headframe.desk.office import Office
from headframe.market import sample_market
from headframe.store import MemoryJournal, TrialJournal
from headframe.wiring import create_office, open_office


def _dry(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command below a group that takes --dry-run."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _dry(command, (*path, name))
        elif any("--dry-run" in one.opts for one in command.params):
            yield (*path, name)


EVERY = tuple(_dry(app))
"""Commands with --dry-run."""
CALLS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("open",): (),
    ("plan",): (),
    ("rfq",): ("P-1",),
    ("rebalance",): (),
    ("close-day",): (),
    ("forecast", "import"): ("{folder}/coins.csv",),
}
"""A call of each that would write without it; a new one has to be added here."""


def test_every_dry_run_is_tried_here() -> None:
    assert set(CALLS) == set(EVERY)
    assert len(EVERY) >= 4


@pytest.fixture
def lived(signed_mine: Path, tmp_path: Path) -> Path:
    """A workspace with an approved proposal whose forecast's inputs have changed since, and a table."""
    folder = tmp_path / "mine"
    shutil.copytree(signed_mine, folder)
    office = workspaces.planned(open_office(folder, user="treasurer"))
    rows = "".join(
        f"{row.month},{row.coins.p10},{row.coins.p50},{row.coins.p90}\n"
        for row in production.current(office).months
    )
    (folder / "coins.csv").write_text("month,p10,p50,p90\n" + rows)
    workspaces.approved(office)
    return folder


def _seen(folder: Path) -> tuple[str, dict[str, bytes]]:
    """The journal's head with its hash, and every file but the database's own."""
    head = str(open_office(folder, user="x").journal.head())
    files = {
        one.name: one.read_bytes()
        for one in sorted(folder.iterdir())
        if one.is_file() and not one.name.startswith("headframe.db")
    }
    return head, files


def _called(folder: Path, command: tuple[str, ...], *more: str) -> tuple[int, str]:
    words = [word.format(folder=folder) for word in CALLS[command]]
    said = StringIO()
    line = ["headframe", *command, *words, *more, "--as", "treasurer", "--workspace", str(folder)]
    with (
        mock.patch.object(sys, "argv", line),
        redirect_stdout(said),
        redirect_stderr(said),
        pytest.raises(SystemExit) as left,
    ):
        run()
    return int(left.value.code or 0), said.getvalue()


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
@pytest.mark.parametrize("first", [True, False], ids=["new", "lived"])
def test_a_dry_run_moves_nothing(
    command: tuple[str, ...], first: bool, lived: Path, signed_mine: Path, tmp_path: Path
) -> None:
    """In a workspace without a forecast, where planning makes one, and in one that has lived."""
    folder = lived
    if first:
        folder = tmp_path / "new"
        shutil.copytree(signed_mine, folder)
        shutil.copyfile(lived / "coins.csv", folder / "coins.csv")
    before = _seen(folder)
    code, text = _called(folder, command, "--dry-run")
    assert "Traceback" not in text
    assert _seen(folder) == before, text
    if command in {("plan",), ("forecast", "import")}:
        assert code == 0, text
        assert _called(folder, command)[0] == 0
        assert _seen(folder)[0] != before[0], "without it the same call writes"


def test_what_a_trial_journal_keeps_is_read_back_and_not_written(tmp_path: Path) -> None:
    real = create_office(tmp_path / "mine", sample_market(), user="treasurer")
    head = real.journal.head()
    trial = TrialJournal(real.journal)
    office = Office(journal=trial, clock=real.clock, files=real.files, user="treasurer")
    made = production.make(office)
    assert office.state().forecast_in_force == made.id
    assert trial.head().count == head.count + 1
    assert [row[0] for row in trial.rows(head.count - 1)] == [head.count, head.count + 1]
    assert [one.seq for one in trial.read(head.count)] == [head.count + 1]
    assert real.journal.head() == head
    assert trial.verify() == ()
    other = TrialJournal(MemoryJournal())
    assert other.head().count == 0
