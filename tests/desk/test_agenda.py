"""What is to come, by date."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headframe.cli.app import app
from headframe.desk import agenda, calls, pages
from headframe.desk.office import Office
from headframe.desk.ports import Invalid
from headframe.wiring import open_office
from venues import FakeVenue, deal


def test_every_date_of_a_book_stands_in_order(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    found = agenda.shown(desk, 120)
    assert list(found) == sorted(found)
    words = [one.words for one in found]
    trade = desk.state().trades["T-1"]
    expiry = next(one for one in words if "T-1 expires" in one)
    assert expiry.startswith(f"{trade.expiry:%Y-%m-%d} 08:00 UTC: ")
    assert "the index averaged 07:30-08:00, options into a future that settles in cash" in expiry
    for wanted in (
        "costs of 2026-09 are paid",
        "covenant test, loan to value",
        "difficulty retarget at height",
        "scheduled news",
    ):
        assert any(wanted in one for one in words), wanted
    short = agenda.shown(desk, 14)
    assert len(short) < len(found)
    page = pages.morning(desk)
    (ahead,) = [one for one in page.sections if one.heading.startswith("7")]
    assert ahead.sentences == tuple(one.words for one in short)


def test_calls_and_papers_are_on_it(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    dealer = desk.state().trades["T-1"].dealer
    calls.heard(desk, dealer, Decimal(250_000))
    desk.user = "risk"
    calls.agree(desk, 1, Decimal(250_000), "their mark holds")
    words = [one.words for one in agenda.shown(desk, 3)]
    today = f"{desk.now():%Y-%m-%d}"
    assert f"{today}: call 1: 250,000.00 USD due to {dealer}" in words
    year = [one.what for one in agenda.shown(desk, 400)]
    assert any("expires" in one and "audited accounts" in one for one in year)
    for bad in (0, 1_101):
        with pytest.raises(Invalid, match="an agenda spans"):
            agenda.shown(desk, bad)


def test_the_command_tells_it(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> Any:
        app.main(["agenda", *words, "--workspace", str(mine), "--json"], standalone_mode=False)
        return json.loads(capsys.readouterr().out)["dates"]

    office = open_office(mine, user="x")
    within = run("--days", "60")
    assert all(one["at"] <= (office.now() + timedelta(days=60)).isoformat() for one in within)
