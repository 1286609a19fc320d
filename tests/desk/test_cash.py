"""The cash ladder: its rungs add up, follow the books' own rules, and write nothing."""

import json
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from headframe.cli.app import app
from headframe.desk import cash, days
from headframe.desk.office import Office
from headframe.desk.ports import Invalid, NotFound
from headframe.risk import Course
from headframe.units import USD
from venues import FakeVenue, deal


def test_every_rung_adds_up_and_nothing_is_written(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    head, ledger = desk.state().head, list(desk.state().ledger.balances())
    for weekly, count in ((True, 13), (False, 12)):
        rungs = cash.ladder(desk, weekly=weekly)
        assert len(rungs) == count
        before = float(desk.state().ledger.balance("assets:cash", USD))
        for one in rungs:
            assert one.cash - before == pytest.approx(one.flows, abs=0.01), one
            assert one.costs <= 0.0 <= one.sales
            before = one.cash
        assert all((one.last - one.first).days == 6 for one in rungs if weekly)
        assert rungs[0].first == date(2026, 9, 1)
    assert desk.state().head == head
    assert list(desk.state().ledger.balances()) == ledger


def test_a_rally_calls_collateral_and_a_fall_calls_none(desk: Office) -> None:
    deal(desk, FakeVenue(desk.clock))
    up = cash.ladder(desk, move=1.5, over_days=9)
    flat, down = cash.ladder(desk), cash.ladder(desk, move=-0.9, over_days=9)
    assert min(one.collateral for one in up) < -1e6
    assert min(accumulate(one.collateral for one in down)) >= 0.0, (
        "what goes back is what the dealer posted"
    )
    assert up[-1].price > 2.0 * flat[-1].price > 2.0 * down[-1].price
    sums = [sum(one.sales for one in some) for some in (down, flat, up)]
    assert sums == sorted(sums)


def test_what_cannot_be_paid_is_said(desk: Office) -> None:
    rungs = cash.ladder(desk, weekly=False, move=-0.95, over_days=1)
    assert sum(one.overdue for one in rungs) > 0.0
    assert max(one.drawn for one in rungs) == desk.settings().operation.treasury.credit_line_usd


def test_it_begins_where_the_books_end_and_ends_with_the_forecast(desk: Office) -> None:
    days.walk(desk, Course.STABLE, date(2027, 7, 20))
    rungs = cash.ladder(desk)
    assert rungs[0].first == date(2027, 7, 21)
    assert rungs[-1].last == date(2027, 8, 31)
    assert len(rungs) == 6
    for move, over in ((-1.0, 30), (float("nan"), 30), (0.1, 0)):
        with pytest.raises(Invalid):
            cash.ladder(desk, move=move, over_days=over)


def test_the_command_says_so_by_its_status(
    mine: Path, approved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(folder: Path, *words: str) -> Any:
        status = app.main(
            ["cash", *words, "--workspace", str(folder), "--json"], standalone_mode=False
        )
        return status or 0, json.loads(capsys.readouterr().out)

    status, shown = run(approved)
    assert (status, len(shown["rungs"])) == (0, 13)
    status, shown = run(approved, "--months", "--move", "-0.95", "--over", "1")
    assert (status, len(shown["rungs"])) == (4, 12)
    with pytest.raises(NotFound, match="no forecast"):
        run(mine)


def test_the_chances_of_the_ladder_have_the_loans_prices(
    approved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> Any:
        app.main(
            ["cash", "--paths", "1500", *words, "--workspace", str(approved), "--json"],
            standalone_mode=False,
        )
        return json.loads(capsys.readouterr().out)

    weekly = run()
    assert [row["days"] for row in weekly["rungs"]] == [7 * week for week in range(1, 14)]
    for row in weekly["rungs"]:
        assert set(row["broken"]) == {"loan above 70% (under 50,000 USD)"}
        assert len(row["free_usd"]) == 5
    shares = [
        row["broken"]["loan above 70% (under 50,000 USD)"]["share"] for row in weekly["rungs"]
    ]
    assert shares == sorted(shares)
    assert 0.0 < shares[-1] < 0.2, "the coin has to fall by a third"
    assert weekly["cures"] == sorted(weekly["cures"])
    for cure, row in zip(weekly["cures"], weekly["rungs"], strict=True):
        assert (cure > 0.0) == (row["low_price"] < 50_000.0)
    assert all(
        (error > 0.0) >= (cure > 0.0)
        for cure, error in zip(weekly["cures"], weekly["cures_se"], strict=True)
    )
    monthly = run("--months", "--model", "gbm", "--seed", "3")
    assert len(monthly["rungs"]) == 13, "what is left of this month, and twelve more"
