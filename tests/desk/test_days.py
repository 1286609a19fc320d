"""Days: coins mined and sold, hedges reduced and settled, margin called and returned."""

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from headframe import lifecycle
from headframe.book import CASH, COINS_FREE, Ledger, MarginTerms, Position, opening, promise
from headframe.desk import audit, days, execution, limits, money, pages, programme
from headframe.desk.ports import Declined, Invalid
from headframe.hedge import (
    FeeSchedule,
)
from headframe.instrument import StructureKind
from headframe.lifecycle import DayStart
from headframe.mandate import Unwind
from headframe.mining import SalePolicy
from headframe.report import html, markdown
from headframe.risk import Course, Status
from headframe.units import BTC, USD, Month, booked, parse_expiry
from headframe.wiring import fork_office, open_office, trading
from tests_support import COLLAR, FUTURE, SURFACE, TERMS, operation, planned_power


def start(
    day: Any,
    spot: Any,
    positions: Any,
    *,
    ledger: Any = None,
    unwind: Any = Unwind.AS_SOLD,
    mined: Any = "3.0",
    sale: Any = SalePolicy.DAILY,
    so_far: Any = None,
) -> Any:
    books = ledger or Ledger()
    if ledger is None:
        books.post(
            opening(
                cash=booked("5000000", USD),
                free=booked("50", BTC),
                pledged=booked("0", BTC),
                loan=booked("0", USD),
            )
        )
        for position in positions:
            for month, coins in position.remaining:
                books.post(promise(month, booked(coins, BTC), firm=True, memo=position.trade.id))
    mine = replace(operation(), sale_policy=sale)
    at = day if isinstance(day, date) else date.fromisoformat(day)
    return DayStart(
        day=at, spot=Decimal(str(spot)), mined=Decimal(mined), positions=positions, ledger=books,
        surface=SURFACE.at_spot(float(spot), SURFACE.as_of), terms=TERMS, operation=mine, power_usd=planned_power(mine, Month.of(at)),
        fees=FeeSchedule(option_coins=0.0003, option_cap_share=0.125, future_share=0.0005, forward_spread=0.0004, financing_rate=0.08),
        option_spread=0.0375, unwind=unwind, so_far=so_far, cash_unhedged_usd=5e6, venue="paper",
    )  # fmt: skip


def close_day(begun: Any) -> Any:
    return lifecycle.close_day(begun)


def post(begun: Any, end: Any) -> Any:
    for entry in end.entries:
        begun.ledger.post(entry)
    assert begun.ledger.imbalance() == {}
    assert begun.ledger.overdrawn() == ()
    return begun.ledger


def test_an_unhedged_day_sells_what_it_mined() -> None:
    begun = start("2026-11-10", 80_000, ())
    end = close_day(begun)
    books = post(begun, end)
    assert str(books.balance(CASH, USD)) == "5240000.00"
    assert str(books.balance(COINS_FREE, BTC)) == "50.00000000"
    assert end.result.spot_price == 80_000.0
    assert end.result.realised_price == 80_000.0


def test_a_hedge_in_the_order_book_shrinks_with_the_coins_sold_and_its_promise_with_it() -> None:
    begun = start("2026-11-10", 80_000, (FUTURE,))
    end = close_day(begun)
    (left,) = end.positions
    assert left.coins == Decimal("66.66666667")
    books = post(begun, end)
    assert str(books.balance("promises:firm:2026-11", BTC)) == "66.66666667"
    last = close_day(start("2026-11-30", 80_000, (FUTURE,)))
    assert last.positions[0].coins == 0
    assert last.result.costs_usd > 0, "costs are paid on the last day"


@pytest.mark.parametrize(
    ("unwind", "day", "left"),
    [
        ("as_sold", "2026-11-10", 100),
        ("as_sold", "2026-11-30", 0),
        ("monthly", "2026-11-29", 100),
        ("monthly", "2026-11-30", 0),
        ("at_expiry", "2026-11-30", 100),
        ("at_expiry", "2026-12-24", 0),
    ],
)
def test_a_hedge_with_a_dealer_is_reduced_in_one_block_a_month_or_at_its_expiry(
    unwind: Any, day: Any, left: Any
) -> None:
    begun = start(day, 80_000, (COLLAR,), unwind=Unwind(unwind))
    end = close_day(begun)
    assert end.positions[0].coins == left
    assert str(post(begun, end).balance("promises:firm:2026-11", BTC)) == f"{left}.00000000"


def test_dealing_back_costs_the_half_spread() -> None:
    free = close_day(replace(start("2026-11-30", 60_000, (COLLAR,)), option_spread=0.0))
    dealt = close_day(start("2026-11-30", 60_000, (COLLAR,)))
    assert dealt.result.hedge_usd < free.result.hedge_usd


def test_a_fall_pays_the_miner_and_a_rally_costs_it_up_to_its_floor_and_ceiling() -> None:
    low, high = (
        close_day(start("2026-11-30", spot, (COLLAR,), mined="100")) for spot in (40_000, 150_000)
    )
    assert low.result.hedge_usd == pytest.approx(100 * 30_000, rel=0.03)
    assert high.result.hedge_usd == pytest.approx(-100 * 62_000, rel=0.03)
    assert low.result.realised_price == pytest.approx(70_000, rel=0.02)
    assert high.result.realised_price == pytest.approx(88_000, rel=0.03)


def test_what_a_coin_brought_is_spot_hedge_basis_premium_and_fees() -> None:
    end = close_day(start("2026-11-30", 60_000, (COLLAR,)))
    row = end.result
    assert sum(row.parts) == pytest.approx(row.realised_price)
    assert row.parts[0] == row.spot_price == 60_000.0
    gone = 100
    assert row.settled_usd == pytest.approx(gone * 10_000, rel=1e-6), "the put pays 70,000 - 60,000"
    assert 0.0 < abs(row.basis_usd) < 0.02 * row.settled_usd, (
        "time value of the put, less the spread"
    )
    expired = close_day(
        start(
            date(2026, 12, 24),
            60_000,
            (COLLAR,),
            unwind=Unwind.AT_EXPIRY,
            mined="1",
            sale=SalePolicy.DAILY,
        )
    ).result
    assert expired.basis_usd == 0.0
    assert sum(expired.parts) == pytest.approx(expired.realised_price)


def test_a_futures_variation_is_the_price_and_the_basis() -> None:
    begun = start("2026-10-10", 90_000, (FUTURE,), mined="0")
    end = close_day(begun)
    forward = float(end.positions[0].last_mark or 0)
    spot = float(FUTURE.trade.spot)
    assert end.result.settled_usd == pytest.approx(
        7_834_300 * (90_000 / 90_000 - 90_000 / spot), rel=1e-6
    )
    moved = 7_834_300 * 90_000 * (1 / forward - 1 / 78_343 - 1 / 90_000 + 1 / spot)
    assert end.result.basis_usd == pytest.approx(moved, rel=1e-4)
    (left,) = end.positions
    later = replace(start("2026-10-11", 90_000, (left,), mined="0"), spot_before=Decimal(90_000))
    assert close_day(later).result.settled_usd == pytest.approx(0.0, abs=0.01), "the price stood"


def test_what_is_left_at_expiry_settles_exactly() -> None:
    expiry_eve = parse_expiry("25-DEC-26").date().replace(day=24)
    begun = start(expiry_eve, 60_000, (COLLAR,), unwind=Unwind.AT_EXPIRY, mined="0")
    end = close_day(begun)
    assert end.settled == ("T-1",)
    assert end.positions[0].coins == 0
    paid = Fraction(100) * Fraction(70_000 - 60_000, 60_000)
    assert end.result.hedge_usd == pytest.approx(float(paid) * 60_000, abs=0.01)
    post(begun, end)
    early = close_day(start("2026-12-23", 60_000, (COLLAR,), unwind=Unwind.AT_EXPIRY, mined="0"))
    assert early.settled == ()
    assert early.positions[0].coins == 100


def test_futures_settle_daily_and_call_margin_in_coin() -> None:
    begun = start("2026-10-10", 90_000, (FUTURE,), mined="0")
    end = close_day(begun)
    books = post(begun, end)
    assert float(books.balance("assets:coins:posted:paper", BTC)) == pytest.approx(2.5)
    forward = float(end.positions[0].last_mark or 0)
    lost = 7_834_300 * (1 / 78_343 - 1 / forward)
    assert end.result.hedge_usd == pytest.approx(-lost * 90_000, rel=1e-6)
    again = start("2026-10-11", 90_000, end.positions, ledger=books, mined="0")
    quiet = close_day(again)
    assert abs(quiet.result.hedge_usd) < 0.01 * abs(end.result.hedge_usd), (
        "the same loss is not paid twice"
    )


def test_collateral_is_called_on_a_rally_and_comes_back() -> None:
    begun = start("2026-10-10", 130_000, (COLLAR,), mined="0")
    end = close_day(begun)
    books = post(begun, end)
    posted = float(books.balance("assets:cash:posted:amber", USD))
    assert posted > 1e6
    back = start("2026-10-11", 77_000, end.positions, ledger=books, mined="0")
    books = post(back, close_day(back))
    assert float(books.balance("assets:cash:posted:amber", USD)) == 0.0
    fallen = start("2026-10-12", 30_000, end.positions, ledger=books, mined="0")
    books = post(fallen, close_day(fallen))
    assert float(books.balance("liabilities:collateral:amber", USD)) < -1e6, (
        "now the dealer posts to us"
    )


def test_a_call_nobody_can_pay_is_booked_as_overdue_and_said() -> None:
    poor = Ledger()
    poor.post(
        opening(
            cash=booked("1000", USD),
            free=booked("0", BTC),
            pledged=booked("0", BTC),
            loan=booked("0", USD),
        )
    )
    poor.post(promise(Month(2026, 11), booked("100", BTC), firm=True, memo="T-1"))
    begun = start("2026-10-10", 160_000, (COLLAR,), ledger=poor, mined="0")
    end = close_day(begun)
    assert "could not be found" in end.shortfall
    books = post(begun, end)
    assert float(books.balance("liabilities:overdue", USD)) < 0
    assert float(books.balance("liabilities:credit line", USD)) == -1e6


@pytest.mark.parametrize(
    ("policy", "day", "sold"),
    [
        ("weekly", "2026-11-12", 0.0),
        ("weekly", "2026-11-13", 3.0),
        ("month_end", "2026-11-29", 0.0),
        ("month_end", "2026-11-30", 3.0),
    ],
)
def test_the_sale_policy_decides_the_day(policy: Any, day: Any, sold: Any) -> None:
    assert close_day(start(day, 80_000, (), sale=SalePolicy(policy))).result.sold == sold


def test_a_whole_programme_along_three_courses(approved: Path, tmp_path: Path) -> None:
    office = open_office(approved, user="trader")

    async def run() -> None:
        async with trading(office, approved) as at_work:
            for name in ("P-1", "P-2", "P-5"):
                await execution.deal(at_work, name)

    asyncio.run(run())
    dealt = money.trades(office)
    assert dealt
    realised = {}
    for course in Course:
        copy = fork_office(office, approved, tmp_path / course)
        days.walk(copy, course, days.horizon(copy.state()))
        state = copy.state()
        assert audit.verify(copy).sound
        assert state.shortfalls == []
        assert not state.positions(), "every hedge was delivered or settled"
        assert float(state.ledger.total("promises:", BTC)) == 0.0
        assert {
            line.account
            for line in state.ledger.trial_balance()
            if line.account.startswith("promises")
        } == set()
        assert float(state.ledger.total("assets:cash:posted:", USD)) == 0.0
        result = money.performance(copy).total
        realised[course] = (result.spot_price, result.realised_price)
        assert "no month of the forecast lies ahead" in markdown(pages.morning(copy))
        assert audit.export(copy) == audit.export(open_office(tmp_path / course, user="x"))
        with pytest.raises(Declined, match="cannot change"):
            days.walk(
                copy, Course.BEAR if course is not Course.BEAR else Course.BULL, days.horizon(state)
            )
        with pytest.raises(Invalid):
            days.walk(copy, course, date(2030, 1, 1))
    assert realised[Course.BEAR][1] > realised[Course.BEAR][0]
    assert realised[Course.BULL][1] < realised[Course.BULL][0]
    assert office.state().last_day is None, "the original was not touched"


def test_limits_and_the_morning_page_speak_of_the_book(approved: Path) -> None:
    office = open_office(approved, user="trader")

    async def run() -> None:
        async with trading(office, approved) as at_work:
            await execution.deal(at_work, "P-1")

    asyncio.run(run())
    watched = limits.watch(office)
    clauses = {row.clause for row in watched}
    assert {
        "M-2.1",
        "M-2.2",
        "M-2.3",
        "M-4.1",
        "M-4.2",
        "M-4.3",
        "M-5.1",
        "M-5.2",
        "M-5.3",
        "M-7.1",
        "loan",
    } <= clauses
    short = [row for row in watched if row.status is Status.BREACH]
    assert {row.clause for row in short} == {"M-2.1"}, "months not dealt yet are below their floor"
    page = pages.morning(office)
    assert [section.heading[0] for section in page.sections] == list("12345678")
    text, web = markdown(page), html(page)
    for needle in (
        "PAPER money",
        "P-2",
        "On the way up cash",
        "covenant breaks below 50,000",
        str(office.state().head),
    ):
        assert needle in text
        assert needle.replace("&", "&amp;") in web
    assert "http" not in web


def test_a_second_plan_sees_what_is_hedged_and_proposes_only_the_rest(approved: Path) -> None:
    office = open_office(approved, user="trader")

    async def run() -> None:
        async with trading(office, approved) as at_work:
            await execution.deal(at_work, "P-2")

    asyncio.run(run())
    again = programme.plan(office, propose=False)
    first = programme.situation(office, "trader")[0]
    covered = {row.month for row in first.rows if row.covered > 0}
    assert covered == {Month(2026, 10), Month(2026, 11)}
    assert len(again.proposals) == 4
    assert all(p.kind is StructureKind.COSTLESS_COLLAR for p in again.proposals)
    (held,) = first.positions
    assert isinstance(held, Position)
    assert held.trade.margin is MarginTerms.BILATERAL
