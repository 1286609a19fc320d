"""Profit added up every way, and hedges measured against the sales they hedge."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import days, execution, money, relationships
from headframe.desk.office import Office
from headframe.hedge import By
from headframe.lifecycle import HedgeView, ended_at, series
from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.risk import Course, measure_relationship
from headframe.units import Month
from headframe.wiring import open_office, trading
from tests_support import COLLAR, FUTURE

SURFACE = surface_of(sample_market())
AT = sample_market().as_of


@pytest.fixture
def lived(approved: Path) -> Office:
    office = open_office(approved, user="trader")

    async def deal() -> None:
        async with trading(office, approved) as line:
            for name in ("P-1", "P-2", "P-3"):
                await execution.deal(line, name)

    asyncio.run(deal())
    days.walk(office, Course.BEAR, date(2026, 9, 30))
    return office


def test_profit_is_the_same_however_it_is_added_up(lived: Office) -> None:
    found = money.performance(lived)
    everything = sum(one.total_usd(found.spot) for one in found.trades)
    coins = sum(float(one.trade.size) for one in found.trades)
    left = sum(float(one.position.coins) for one in found.trades if one.position)
    assert left < coins
    for by in By:
        rows = money.added_up(lived, by)
        assert sum(one.total_usd for one in rows) == pytest.approx(everything, abs=0.01)
        assert sum(one.coins for one in rows) == pytest.approx(coins)
        assert sum(one.coins_left for one in rows) == pytest.approx(left)
        assert [one.name for one in rows] == sorted(one.name for one in rows)
    months = {one.name: one for one in money.added_up(lived, By.MONTH)}
    assert "2026-09" in months
    assert months["2026-09"].coins_left < months["2026-09"].coins
    assert {one.name for one in money.added_up(lived, By.COUNTERPARTY)} == {
        one.trade.dealer for one in found.trades
    }


def test_every_hedge_is_measured_against_its_sales(lived: Office) -> None:
    rows, left_out = relationships.measured(lived)
    assert left_out == ()
    assert [one.trade.id for one in rows] == list(lived.state().trades)
    for one in rows[1:]:
        assert one.for_accounts
        assert 0.5 < one.expected_r2 <= 1.0
        found = one.found
        assert found.hedge_usd > 0 > found.item_usd, "the market fell"
        assert found.offset is not None
        assert found.offset != 1.0, "hedge and item are never the same number"
        assert found.points >= 5, "a point for each day on which either moved"
        if found.slope is not None and found.r2 is not None:
            assert found.slope < 0 < found.r2 <= 1.0
    first = rows[0]
    assert first.trade.id == "T-1"
    assert first.ended is not None, "September's coins are sold"
    assert first.found.hedge_usd >= 0.0 >= first.found.item_usd
    assert first.coins_sold == float(first.trade.size)
    assert all(one.ended is None for one in rows[1:])


def test_a_trade_of_this_minute_is_left_out_with_the_reason(approved: Path) -> None:
    office = open_office(approved, user="trader")

    async def deal() -> None:
        async with trading(office, approved) as line:
            await execution.deal(line, "P-1")

    asyncio.run(deal())
    rows, left_out = relationships.measured(office)
    assert len(rows) + len(left_out) == 1
    assert all(one.reason for one in left_out)


def view(
    at: datetime, price: float, *, paid: float = 0.0, position: Any = COLLAR, sold: Any = ()
) -> HedgeView:
    parts = [(Fraction(coins), Fraction(figure)) for coins, figure in sold]
    return HedgeView(
        at=at,
        surface=SURFACE.at_spot(price, at),
        paid_usd=paid,
        position=position,
        sold={Month(2026, 11): parts},
    )


def test_a_hypothetical_derivative_settles_at_the_prices_of_the_sales() -> None:
    """100 coins sold at 60,000 under puts at 70,000 lose 1,000,000 that the puts brought at 61,000: 90 %."""
    first = view(AT, 77_000.0)
    last = view(
        AT + timedelta(days=130), 61_000.0, paid=900_000.0, position=None, sold=[(100, 60_000)]
    )
    points = series(COLLAR.trade, [first, last])
    found = measure_relationship("T-1", 100.0, points, 7_700_000.0)
    assert found is not None
    assert found.item_usd == pytest.approx(-1_000_000.0)
    assert found.offset == pytest.approx(0.9)
    assert ended_at(COLLAR.trade, [first, last]) == last.at


def test_what_a_hedge_does_after_its_last_sale_belongs_to_no_sale() -> None:
    first = view(AT, 77_000.0)
    sold = view(AT + timedelta(days=100), 66_000.0, sold=[(100, 66_000)])
    after = view(AT + timedelta(days=120), 40_000.0, sold=[(100, 66_000)])
    assert series(COLLAR.trade, [first, sold, after]) == series(COLLAR.trade, [first, sold])


def test_a_future_offsets_the_sale_but_for_its_carry_and_twice_too_large_is_outside() -> None:
    for times, low, high, words in (
        (1, 0.97, 1.03, "within 80 to 125 %"),
        (2, 1.9, 2.1, "outside 80 to 125 %"),
    ):
        legs = tuple(replace(leg, amount=leg.amount * times) for leg in FUTURE.trade.legs)
        trade = replace(FUTURE.trade, legs=legs)
        held = replace(FUTURE, trade=trade)
        moves = [0.01 * ((-1) ** number) * number for number in range(14)] + [-0.2]
        every = [
            view(AT + timedelta(hours=number), 77_000.0 * (1.0 + move), position=held)
            for number, move in enumerate(moves)
        ]
        points = series(replace(trade, legs=FUTURE.trade.legs), every)
        found = measure_relationship("T-1", 100.0, points, 7_700_000.0)
        if times == 2:
            doubled = [(item, 2.0 * hedge) for item, hedge in points]
            found = measure_relationship("T-1", 100.0, doubled, 7_700_000.0)
        assert found is not None
        assert found.offset is not None
        assert low < found.offset < high
        assert found.words == words
        assert found.slope == pytest.approx(-times, abs=0.03 * times)
        assert found.r2 == pytest.approx(1.0, abs=1e-3)
        assert found.points == 14


def test_too_little_says_nothing() -> None:
    quiet = measure_relationship("T-1", 100.0, [(0.0, 0.0), (-10.0, 10.0)], 7_700_000.0)
    assert quiet is not None
    assert (quiet.offset, quiet.slope, quiet.r2) == (None, None, None)
    assert quiet.words == "too small to tell"
    assert measure_relationship("T-1", 100.0, [(0.0, 0.0)], 7_700_000.0) is None
