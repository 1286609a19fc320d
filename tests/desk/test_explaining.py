"""P&L of a period explained trade by trade: the sum is the profit, day by day little is unexplained."""

import json
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from desk.test_daily_close import advance, at, price
from desk.test_switching import sold
from headframe.cli.app import app
from headframe.desk import daily_close, days, executions, explaining, money, settlement_prices
from headframe.desk.office import Office
from headframe.desk.ports import Invalid, NotFound
from headframe.hedge import production_moved
from headframe.lifecycle import PriceKind, future_name
from headframe.risk import Course
from headframe.wiring import open_office
from venues import FakeVenue, deal

__all__ = ["sold"]


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
        assert one.total == pytest.approx(after.total_usd(now) - before.total_usd(spot), abs=0.05)
        premium = float(before.realised_coins)
        assert premium != 0.0
        assert one.revalued == pytest.approx(premium * (now - spot), abs=0.05), (
            "coins of the premium"
        )
        moves = abs(one.moved.delta) + abs(one.moved.gamma) + abs(one.moved.time)
        assert abs(one.moved.unexplained) < 0.02 * moves + 1.0
        assert (one.dealt, one.fees) == (0.0, 0.0)


def test_months_are_their_days_and_leave_little_unexplained(lived: Office) -> None:
    since = lived.now()
    before = {one.trade.id: one for one in money.performance(lived).trades}["T-1"]
    days.walk(lived, Course.BEAR, date(2026, 10, 20))
    found = explaining.explained(lived, since)
    after = {one.trade.id: one for one in money.performance(lived).trades}["T-1"]
    (one,) = found.trades
    assert after.mark is None, "its expiry has passed"
    assert one.total == pytest.approx(
        after.total_usd(found.spot_after) - before.total_usd(found.spot_before), abs=0.05
    )
    moves = abs(one.moved.delta) + abs(one.moved.gamma) + abs(one.moved.time)
    assert moves > 100_000.0
    assert abs(one.moved.unexplained) < 0.01 * moves
    assert abs(one.delivered) < 0.05 * moves


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


def test_what_moved_production_adds_up_and_is_told_apart(desk: Office) -> None:
    state = desk.state()
    old = state.forecast
    assert old is not None
    forward = {row.month: 80_000.0 + n for n, row in enumerate(old.months)}
    dearer = {month: price * 1.1 for month, price in forward.items()}
    ahead = old.months[0].month
    price = production_moved(old, old, ahead, forward.__getitem__, dearer.__getitem__)
    assert (price.difficulty_usd, price.volume_usd) == (0.0, 0.0)
    later = old.months[1:]
    assert price.months == tuple(row.month for row in later)
    assert price.total_usd == pytest.approx(
        sum(r.coins.p50 * forward[r.month] * 0.1 for r in later)
    )

    def changed(coins: float, difficulty: float) -> Any:
        return replace(
            old,
            months=tuple(
                replace(
                    row,
                    coins=replace(row.coins, p50=row.coins.p50 * coins),
                    difficulty=replace(row.difficulty, p50=row.difficulty.p50 * difficulty),
                )
                for row in old.months
            ),
        )

    worth = sum(row.coins.p50 * forward[row.month] for row in later)
    harder = production_moved(
        old, changed(1 / 1.25, 1.25), ahead, forward.__getitem__, forward.__getitem__
    )
    assert harder.difficulty_usd == pytest.approx(-0.2 * worth)
    assert harder.volume_usd == pytest.approx(0.0, abs=1e-3)
    more = production_moved(old, changed(1.2, 1.0), ahead, forward.__getitem__, forward.__getitem__)
    assert (more.price_usd, more.difficulty_usd) == (0.0, 0.0)
    assert more.volume_usd == pytest.approx(0.2 * worth)


def test_the_explanation_has_the_production_in(lived: Office) -> None:
    since = lived.now()
    days.walk(lived, Course.BEAR, date(2026, 9, 3))
    whole = explaining.explained(lived, since)
    found = whole.production
    assert found is not None
    rose = whole.spot_after - whole.spot_before
    assert found.price_usd * rose > 0.0
    assert found.price_usd == pytest.approx(found.coins_before * rose, rel=0.15)
    assert (found.difficulty_usd, found.volume_usd) == (0.0, 0.0), "the same forecast"
    assert len(found.months) == 11


def test_a_period_starts_at_the_close_of_its_day_however_late_it_was_booked(sold: Path) -> None:
    office = open_office(sold, user="treasurer")
    first, last = date(2026, 8, 23), date(2026, 8, 28)
    advance(office, last)
    every = [first + timedelta(days=n) for n in range(6)]
    name = future_name(office.state().trades["T-1"].legs[0].instrument)
    for day, figure in zip(every, range(77_000, 71_000, -1_000), strict=True):
        rows = [price(day, figure), replace(price(day, figure), instrument=name, kind=PriceKind.SETTLEMENT)]  # fmt: skip
        settlement_prices.record(office, rows)
    daily_close.close_days(office)
    found = explaining.explained(office, at(every[2], 9))
    assert (found.spot_before, found.spot_after) == (75_000.0, 72_000.0)
    (one,) = found.trades
    dollars = -Fraction(office.state().trades["T-1"].legs[0].amount)
    paid = sum(
        float(dollars * (1 / Fraction(figure) - 1 / Fraction(figure + 1_000))) * 72_000
        for figure in (74_000, 73_000, 72_000)
    )
    assert one.total == pytest.approx(paid, rel=0.2), "three days of variation, marks of the rest"


def test_fees_of_a_future_settled_in_coin_are_counted(sold: Path) -> None:
    office = open_office(sold, user="treasurer")
    (told,) = executions.every(office, None, None)
    trade = office.state().trades["T-1"]
    assert told.fee_usd == pytest.approx(float(trade.fee) * float(trade.spot))
    assert told.fee_usd > 1.0
