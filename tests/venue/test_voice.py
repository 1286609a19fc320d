"""Quotes by voice over the command line: who wins, who was dealt with, and what nobody has said."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import audit, executions, fencing
from headframe.desk.ports import OutcomeUnknown
from headframe.rfq import RfqState, RfqStep
from headframe.wiring import open_office
from waiting import LIMIT

CLI = [sys.executable, "-m", "headframe"]


def voice(folder: Path, *words: str) -> Any:
    return subprocess.run(
        [*CLI, "voice", "P-1", *words, "--workspace", str(folder), "--as", "trader", "--json"],
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip


def test_the_rule_says_who_wins_and_only_that_deal_is_booked(spoken: Path) -> None:
    quotes = [
        "--quote",
        "amber=-0.0020/90",
        "--quote",
        "basalt=-0.0017",
        "--quote",
        "cobalt=-0.0015",
    ]
    done = voice(spoken, *quotes)
    assert done.returncode == 4
    assert "the rule awards amber at -0.002: deal with amber" in done.stderr
    done = voice(spoken, *quotes, "--dealt", "basalt")
    assert (done.returncode, "the rule awards amber" in done.stderr) == (4, True)
    done = voice(spoken, *quotes, "--dealt", "amber")
    assert done.returncode == 0, done.stderr
    trade = json.loads(done.stdout)["trade"]
    assert (trade["dealer"], trade["net_price"]) == ("amber", "-0.002")
    office = open_office(spoken, user="x")
    told = executions.one(office, next(iter(reversed(office.state().rfqs))))
    assert (told.winner, told.cover) == ("amber", -0.0017)
    assert audit.verify(office).sound


def test_what_nobody_has_said_is_not_known_and_blocks_until_it_is(spoken: Path) -> None:
    office = open_office(spoken, user="trader")
    quotes = ["--quote", "amber=-0.0020", "--quote", "basalt=-0.0017"]
    voice(spoken, *quotes)
    record = next(iter(office.state().rfqs.values()))
    assert record.venue == "voice"
    (asked,) = [r for r in office.journal.read() if r.kind == "asked"]
    body = json.loads(json.dumps(asked.body))
    body["request"]["id"] = "f" * 32
    from headframe.desk.ports import Draft

    office.record(Draft("asked", body))
    fencing.moved(office, office.state().rfqs["f" * 32].request, RfqStep.OPENED, venue_id="voice-x")
    done = subprocess.run(
        [*CLI, "rfq", "P-1", "--workspace", str(spoken), "--as", "trader"],
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert (done.returncode, "headframe voice PROPOSAL --dealt" in done.stderr) == (5, True)
    done = voice(spoken)
    assert (done.returncode, "only who spoke knows" in done.stderr) == (5, True)
    done = voice(spoken, "--nothing")
    assert done.returncode == 0, done.stderr
    assert office.state().rfqs["f" * 32].state is RfqState.NOT_FILLED
    assert audit.verify(office).sound


@pytest.mark.parametrize("quote", ["amber", "=1", "amber=x", "amber=1/0", "amber=1/x", "amber=nan"])
def test_what_cannot_be_a_quote_is_refused(spoken: Path, quote: str) -> None:
    done = voice(spoken, "--quote", quote)
    assert (done.returncode, "--quote is" in done.stderr) == (2, True)
    assert OutcomeUnknown.status == 5


def test_a_mandate_that_does_not_name_voice_forbids_it(approved: Path) -> None:
    done = voice(approved, "--quote", "amber=-0.002", "--quote", "basalt=-0.0017")
    assert (done.returncode, "M-1.4" in done.stderr) == (4, True), done.stderr
