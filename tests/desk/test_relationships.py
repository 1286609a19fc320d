"""Profit added up every way, and hedges measured against the sales they hedge."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from desk.test_switching import sold
from headframe.book import Position
from headframe.desk import days, execution, money, relationships
from headframe.desk.office import Office
from headframe.hedge import By
from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.risk import Course, relationship
from headframe.wiring import open_office, trading

__all__ = ["sold"]
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
    rows = relationships.measured(lived)
    assert rows
    assert [one.trade.id for one in rows] == [one.trade.id for one in lived.state().positions()]
    for one in rows:
        assert one.for_accounts
        assert 0.8 < one.expected_r2 <= 1.0
        found = one.found
        assert found.hedge_usd > 0 > found.item_usd, "the market fell"
        assert found.offset is not None
        assert found.points >= 5, "a point for each day on which either moved"
        measured = found.points >= 10
        assert (found.slope is not None) == (found.r2 is not None) == measured
        if found.slope is not None and found.r2 is not None:
            assert found.slope < 0 < found.r2 <= 1.0


def views(*moves: float) -> Any:
    return [
        (at, SURFACE.at_spot(SURFACE.spot * (1.0 + move), at))
        for number, move in enumerate(moves)
        for at in [AT + timedelta(hours=number)]
    ]


def test_a_future_offsets_the_sale_but_for_its_carry(sold: Path) -> None:
    (position,) = open_office(sold, user="x").state().positions()
    moves = [0.01 * ((-1) ** number) * number for number in range(14)]
    found = relationship(position, views(*moves, -0.2))
    assert found is not None
    assert found.offset == pytest.approx(1.0, abs=0.03)
    assert found.words == "within 80 to 125 %"
    assert found.slope == pytest.approx(-1.0, abs=0.03)
    assert found.r2 == pytest.approx(1.0, abs=1e-3)
    assert found.points == 14
    quiet = relationship(position, views(0.0, 0.001))
    assert quiet is not None
    assert (quiet.offset, quiet.slope, quiet.r2) == (None, None, None)
    assert quiet.words == "too small to tell"
    assert relationship(position, views(0.0)) is None
    half = replace(
        position, remaining=tuple((month, left / 2) for month, left in position.remaining)
    )
    less = relationship(half, views(0.0, -0.2))
    whole = relationship(position, views(0.0, -0.2))
    assert less is not None
    assert whole is not None
    assert less.hedge_usd == pytest.approx(whole.hedge_usd / 2)
    assert less.offset == pytest.approx(whole.offset)


def test_a_hedge_twice_too_large_is_outside(sold: Path) -> None:
    (position,) = open_office(sold, user="x").state().positions()
    trade = position.trade
    legs = tuple(replace(leg, amount=leg.amount * 2) for leg in trade.legs)
    double = Position(trade=replace(trade, legs=legs), remaining=position.remaining)
    found = relationship(double, views(0.0, -0.2))
    assert found is not None
    assert found.offset == pytest.approx(2.0, abs=0.06)
    assert found.words == "outside 80 to 125 %"
