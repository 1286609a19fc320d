"""Reviews: when one is due, what it keeps, and the trades it proposes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headframe.cli.app import app
from headframe.desk import audit, checkpoint, limits, reviewing
from headframe.desk.office import Office
from headframe.hedge import Baseline, too_much, triggers
from headframe.mandate import ReviewRules
from headframe.risk import Status
from headframe.units import Month, Wrong
from venues import FakeVenue, deal

RULES = ReviewRules()
AT = datetime(2026, 9, 1, 12, tzinfo=UTC)
SEP, OCT, NOV = (Month(2026, number) for number in (9, 10, 11))
GROUND = Baseline(
    at=AT, by="treasurer", spot=80_000.0, expected={SEP: 100.0, OCT: 100.0}, difficulty=1e14,
    grades={"amber": "A", "basalt": "B"}, broken=("M-10.1 hedged, at least",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"at": AT + timedelta(days=30)}, []),
        ({"at": AT + timedelta(days=31)}, ["calendar"]),
        ({"spot": 91_900.0}, []),
        ({"spot": 92_001.0}, ["price"]),
        ({"spot": 67_999.0}, ["price"]),
        ({"expected": {OCT: 94.0, NOV: 10.0}}, ["forecast"]),
        ({"expected": {OCT: 96.0, NOV: 10.0}}, []),
        ({"expected": {NOV: 10.0}}, []),
        ({"difficulty": 1.06e14}, ["retarget"]),
        ({"difficulty": 1.04e14}, []),
        ({"difficulty": 0.0}, []),
        ({"grades": {"amber": "B", "basalt": "A"}}, ["counterparty"]),
        ({"grades": {"amber": "A"}}, ["counterparty"]),
        ({"broken": ("M-10.1 hedged, at least",)}, []),
        ({"broken": ("loan loan to value",)}, ["covenant"]),
        ({"spot": 50_000.0, "difficulty": 2e14}, ["price", "retarget"]),
    ],
)
def test_each_reason_has_its_band(changes: dict[str, Any], found: list[str]) -> None:
    now = replace(GROUND, **changes)
    assert [one.name for one in triggers(GROUND, now, RULES, since=None)] == found


def test_what_was_never_reviewed_is_due_when_its_trades_are_a_month_old() -> None:
    assert triggers(None, GROUND, RULES, since=None) == ()
    assert triggers(None, GROUND, RULES, since=AT - timedelta(days=30)) == ()
    (one,) = triggers(None, GROUND, RULES, since=AT - timedelta(days=40))
    assert one.words == "never reviewed in 40 days of trades, at most 31"
    for bad in ({"days": 0}, {"price_move": 0.0}, {"forecast_change": float("nan")}):
        with pytest.raises(Wrong):
            replace(RULES, **bad)


def test_a_review_is_kept_and_a_move_calls_for_the_next(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    held = reviewing.hold(desk)
    assert held.due.last is None
    state = desk.state()
    assert state.reviewed is not None
    assert state.reviewed.by == "treasurer"
    assert state.reviewed.grades
    again = checkpoint.read(checkpoint.written(state))
    assert again is not None
    assert again.reviewed == state.reviewed
    assert reviewing.due(desk).triggers == ()
    watched = {one.clause: one.status for one in limits.watch(desk)}
    assert watched["M-12"] is Status.OK
    state.spot = desk.market().index * 0.8
    (reason,) = [one for one in reviewing.due(desk).triggers if one.name == "price"]
    assert "(-20.0%), band 15%" in reason.words
    assert {one.clause: one.status for one in limits.watch(desk)}["M-12"] is Status.STOP
    assert audit.verify(desk).sound


def test_months_above_their_ceiling_are_proposed_to_be_closed(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    state = desk.state()
    trade = state.trades["T-1"]
    assert state.mandate is not None
    bands = tuple(
        replace(band, floor=0.0, target=0.1, ceiling=0.2) for band in state.mandate.cover.bands
    )
    state.mandate = replace(state.mandate, cover=replace(state.mandate.cover, bands=bands))
    held = reviewing.hold(desk)
    closings = [one for one in held.proposals if one.closes]
    assert [one.closes for one in closings] == ["T-1"]
    left = trade.size - closings[0].size
    share = left / trade.size
    for row in held.rows:
        if row.band is not None:
            mine = sum(
                (part.coins for part in trade.designations if part.month == row.month), Decimal(0)
            )
            assert float(mine * share) <= row.band.ceiling * row.p50 + 1e-9
    worst = max(
        float(part.coins * share) / next(row.p50 for row in held.rows if row.month == part.month)
        for part in trade.designations
    )
    assert worst > 0.19, "no more is closed than is too much, to a tenth of a coin"
    assert too_much(held.rows, ()) == []


def test_the_command_says_why_and_holds(approved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> Any:
        status = app.main(
            ["review", *words, "--workspace", str(approved), "--as", "treasurer", "--json"],
            standalone_mode=False,
        )
        return status or 0, json.loads(capsys.readouterr().out)

    status, shown = run()
    assert (status, shown["due"]) == (0, False)
    status, held = run("--hold")
    assert status == 0
    assert held["due"]["now"]["by"] == "treasurer"
    status, shown = run()
    assert shown["last"]["by"] == "treasurer"
