"""What exposure at default takes coins for: dated rows of the file, and what is said where none is in force."""

import json
from pathlib import Path
from typing import Any

import pytest

from headframe.cli.app import app
from headframe.codec import read_settings
from headframe.desk import limits
from headframe.risk import SACCR_HOUSE
from headframe.wiring import open_office
from venues import FakeVenue, deal

ROWS = """
[[coin_factors]]
name = "as a commodity"
source = "CRE52.72"
since = 2017-01-01
until = {until}
coins = {{ factor = 0.18, correlation = 0.4, option_vol = 0.7 }}
"""


def test_rows_of_the_file_are_those_that_count(
    approved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = open_office(approved, user="trader")
    deal(office, FakeVenue(office.clock))
    house = {one.dealer: one.ead_usd for one in limits.credit(office)}
    assert limits.factors(office) == (SACCR_HOUSE, True)
    path = approved / "headframe.toml"
    text = path.read_text()
    path.write_text(text + ROWS.format(until="2027-01-01"))
    office = open_office(approved, user="trader")
    plain = {one.dealer: one.ead_usd for one in limits.credit(office)}
    dealt = {name for name, value in house.items() if value > 0.0}
    assert dealt
    for name in dealt:
        assert plain[name] < 0.75 * house[name], "18 % and 70 % in place of 32 % and 120 %"
    where = ["credit", "--workspace", str(approved)]
    app.main([*where, "--json"], standalone_mode=False)
    data: Any = json.loads(capsys.readouterr().out)
    assert (data["factors"]["name"], data["factors_in_force"]) == ("as a commodity", True)
    path.write_text(text + ROWS.format(until="2026-01-01"))
    app.main(where, standalone_mode=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "coins by as a commodity (CRE52.72); no figures are in force today" in said


def test_rows_that_cannot_be(approved: Path) -> None:
    text = (approved / "headframe.toml").read_text()
    one = ROWS.format(until="2027-01-01")
    for bad, words in (
        (
            one + one.replace("as a", "another").replace("2017-01-01", "2020-01-01"),
            "both in force on 2020-01-01",
        ),
        (one.replace("factor = 0.18", "factor = 18"), "factor lies between 0 and 1"),
        (one.replace("until = 2027-01-01", "until = 2016-01-01"), "not after it begins"),
        (one.replace("option_vol = 0.7", "vol = 0.7"), "option_vol"),
    ):
        problems = read_settings(text + bad)
        assert isinstance(problems, tuple), words
        assert any(words in str(problem) for problem in problems), problems
