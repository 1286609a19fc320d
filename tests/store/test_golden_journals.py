"""Journals of earlier versions come to the same figures for ever, and the audit finds them whole."""

import json
from pathlib import Path

import pytest

from golden_figures import GOLDEN, figures
from headframe.desk import audit, money
from headframe.wiring import open_office, restore

BACKUPS = sorted(GOLDEN.glob("*.headframe"))


def test_there_are_journals_of_earlier_versions() -> None:
    assert {"demo-0.1.0", "bear-0.1.0"} <= {one.stem for one in BACKUPS}


@pytest.mark.parametrize("backup", BACKUPS, ids=lambda one: one.stem)
def test_an_earlier_journal_reads_to_the_same_figures(backup: Path, tmp_path: Path) -> None:
    head = restore(tmp_path / "mine", None, backup)
    office = open_office(tmp_path / "mine", user="auditor")
    assert figures(office.state()) == json.loads(backup.with_suffix(".json").read_text())
    found = audit.verify(office, head)
    assert found.sound, found
    assert money.performance(office).bridge.holds
