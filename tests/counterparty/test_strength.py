"""Altman's Z'': by hand, its zones, its variants, and what does not balance."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.counterparty import Reason, Statements, Zone, altman, objections
from headframe.desk import counterparties
from headframe.units import Wrong
from headframe.wiring import open_office

FIRM = Statements(
    dated=date(2025, 12, 31), currency="USD", current_assets=420.0, current_liabilities=180.0, total_assets=600.0,
    retained_earnings=90.0, ebit=60.0, equity=250.0, total_liabilities=350.0,
)  # fmt: skip


def test_a_score_by_hand() -> None:
    found = altman(FIRM)
    assert found.z == pytest.approx(6.56 * 0.4 + 3.26 * 0.15 + 6.72 * 0.1 + 1.05 * 250 / 350)
    assert (found.zone, found.variant) == (Zone.SAFE, "Z''")
    other = altman(replace(FIRM, emerging_market=True))
    assert other.z == pytest.approx(found.z + 3.25)
    assert other.zone is found.zone, "the zones move with the constant"


@given(st.floats(-500.0, 500.0))
def test_a_zone_follows_its_bounds(ebit: float) -> None:
    found = altman(replace(FIRM, ebit=ebit))
    expected = Zone.SAFE if found.z > 2.6 else Zone.GREY if found.z >= 1.1 else Zone.DISTRESS
    assert found.zone is expected


@pytest.mark.parametrize(
    "change",
    [{"total_assets": 0.0}, {"total_assets": 700.0}, {"ebit": float("nan")}, {"total_liabilities": -1.0}, {"equity": 300.0}],
)  # fmt: skip
def test_statements_that_cannot_be_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Wrong):
        replace(FIRM, **change)


def test_distress_and_papers_of_the_future_speak_against_an_approval(mine: Path) -> None:
    dossier = counterparties.written(open_office(mine, user="x"))[0]
    on = date(2026, 8, 22)
    sound = objections(replace(dossier, statements=FIRM), on, points_min=60.0)
    assert sound == objections(dossier, on, points_min=60.0)
    bad = replace(FIRM, ebit=-300.0, dated=date(2026, 12, 31))
    reasons = {
        one.reason for one in objections(replace(dossier, statements=bad), on, points_min=60.0)
    }
    assert {Reason.DISTRESS, Reason.FUTURE_DATED} <= reasons


def test_statements_are_read_from_the_file_and_shown(mine: Path) -> None:
    from click.testing import CliRunner

    from headframe.cli.app import app

    path = mine / "counterparties.toml"
    text = path.read_text()
    lines = [
        line[2:]
        if line.startswith("# ")
        and ("counterparty.statements" in line or (" = " in line and index))
        else line
        for index, line in enumerate(text.splitlines())
    ]
    start = next(i for i, line in enumerate(lines) if line.startswith("[counterparty.statements]"))
    assert lines[start + 1].startswith("dated = 2025-12-31")
    path.write_text("\n".join(lines))
    done = CliRunner().invoke(app, ["counterparty", "list", "--workspace", str(mine)])
    assert done.exit_code == 0, done.output
    assert counterparties.written(open_office(mine, user="x"))[0].statements is not None
