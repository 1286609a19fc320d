"""P&L of a period explained trade by trade: the sum is the profit, day by day little is unexplained."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from headframe.cli.app import app
from headframe.desk import days, explaining, money
from headframe.desk.office import Office
from headframe.desk.ports import Invalid, NotFound
from headframe.risk import Course
from headframe.wiring import open_office
from venues import FakeVenue, deal


@pytest.fixture
def lived(desk: Office) -> Office:
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    days.walk(desk, Course.BEAR, date(2026, 9, 1))
    desk.state()
    return desk


def test_a_day_adds_up_to_the_change_of_profit(lived: Office) -> None:
    for day in range(2, 6):
        since = lived.now()
        before = {one.trade.id: one for one in money.performance(lived).trades}["T-1"]
        spot = money.performance(lived).spot
        days.walk(lived, Course.BEAR, date(2026, 9, day))
        lived.state()
        found = explaining.explained(lived, since)
        after = {one.trade.id: one for one in money.performance(lived).trades}["T-1"]
        (one,) = found.trades
        assert found.spot_before == pytest.approx(spot)
        assert found.until == lived.now()
        now = found.spot_after
        realised = (float(after.realised_coins) - float(before.realised_coins)) * now
        realised += float(after.realised_usd) - float(before.realised_usd)
        assert after.mark is not None
        assert before.mark is not None
        assert one.total == pytest.approx(
            realised + after.mark.value_usd - before.mark.value_usd, abs=0.05
        )
        moves = abs(one.moved.delta) + abs(one.moved.gamma) + abs(one.moved.time)
        assert abs(one.moved.unexplained) < 0.02 * moves + 1.0
        assert (one.dealt, one.fees) == (0.0, 0.0)


def test_a_trade_of_the_period_is_new_and_its_fee_apart(desk: Office) -> None:
    since = desk.now()
    desk.user = "trader"
    deal(desk, FakeVenue(desk.clock))
    found = explaining.explained(desk, since)
    (one,) = found.trades
    trade = desk.state().trades["T-1"]
    assert one.fees == pytest.approx(-float(trade.fee) * found.spot_after)
    shown = {row.trade.id: row for row in money.performance(desk).trades}["T-1"]
    assert one.total == pytest.approx(shown.total_usd(found.spot_after), abs=0.05)
    assert one.moved.total == 0.0


def test_periods_that_cannot_be(lived: Office) -> None:
    with pytest.raises(Invalid, match="begins before"):
        explaining.explained(lived, lived.now())
    with pytest.raises(NotFound, match="no market"):
        explaining.explained(lived, lived.now() - timedelta(days=4_000))


def test_the_command_says_it(approved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    office = open_office(approved, user="trader")
    since = office.now()
    deal(office, FakeVenue(office.clock))
    words = ["pnl", "--explain", since.isoformat(), "--workspace", str(approved)]
    app.main([*words, "--json"], standalone_mode=False)
    data: Any = json.loads(capsys.readouterr().out)
    assert data["trades"][0]["trade"] == "T-1"
    app.main(words, standalone_mode=False)
    assert "unexplained" in capsys.readouterr().out
