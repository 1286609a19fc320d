"""The market as the workspace holds it: its surface stored, a frozen one refused."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from headframe.cli.app import app
from headframe.desk.ports import NotFound
from headframe.desk.quotes import surface_in
from headframe.desk.state import State
from headframe.market import frozen, sample_market
from headframe.pricing import surface_of
from headframe.units import Wrong

TYPED = """as_of,index,expiry,forward,25P,ATM,25C
{at},77054,25-DEC-26,78343,43.2,41.5,41.9
{at},77054,26-MAR-27,79203,43.6,41.6,42.2
"""


def test_a_journal_older_than_stored_surfaces_is_fitted_when_it_is_read() -> None:
    state = State()
    with pytest.raises(NotFound):
        surface_in(state)
    state.market = sample_market()
    assert surface_in(state) == surface_of(sample_market())
    other = surface_of(sample_market()).at_spot(50_000.0, sample_market().as_of)
    state.surface = other
    assert surface_in(state) is other


def test_a_market_said_again_under_a_later_stamp_is_frozen(tmp_path: Path) -> None:
    run, place = CliRunner(), ["--workspace", str(tmp_path / "mine"), "--json"]
    assert run.invoke(app, ["init", str(tmp_path / "mine")]).exit_code == 0
    for minute, refused in ((40, False), (40, False), (45, True)):
        file = tmp_path / "typed.csv"
        file.write_text(TYPED.format(at=f"2026-08-22T15:{minute}:00Z"))
        done = run.invoke(app, ["market", "import", str(file), *place])
        assert isinstance(done.exception, Wrong) is refused, done.output
    assert "frozen" in str(done.exception)
    file.write_text(TYPED.format(at="2026-08-22T15:45:00Z").replace("41.5", "41.6"))
    done = run.invoke(app, ["market", "import", str(file), *place])
    assert json.loads(done.stdout)["expiries"][0]["atm_vol"] == pytest.approx(0.416, abs=1e-4)
    assert not frozen(sample_market(), sample_market())


def test_a_market_of_another_coin_is_never_taken_for_the_mines_own(tmp_path: Path) -> None:
    run, place = CliRunner(), ["--workspace", str(tmp_path / "mine"), "--json"]
    file = tmp_path / "ether.csv"
    lines = TYPED.format(at="2026-08-22T15:40:00Z").replace("77054", "3100").splitlines()
    file.write_text("\n".join([f"{lines[0]},coin", *(f"{line},ETH" for line in lines[1:])]))
    done = run.invoke(app, ["init", str(tmp_path / "mine"), "--market", str(file)])
    assert "mines BTC" in str(done.exception)
    assert run.invoke(app, ["init", str(tmp_path / "other")]).exit_code == 0
    place = ["--workspace", str(tmp_path / "other"), "--json"]
    done = run.invoke(app, ["market", "import", str(file), *place])
    assert isinstance(done.exception, Wrong)
    assert json.loads(run.invoke(app, ["market", "show", *place]).stdout)["index"] == 77_054.0
