"""Sums of production over weeks and months are bounded, not each day on its own."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.chain import chain_of, latest, retargets
from headframe.mining import PaidAmount, ProductionScale, check_coins, check_sums
from headframe.units import Wrong
from mines import mine as operation

SCALE = ProductionScale(
    chain=chain_of("BTC"), history=(*retargets(), latest()), operation=operation()
)
FIRST = date(2026, 5, 1)


def share() -> float:
    whole = SCALE.network_hs(datetime(2026, 5, 1, tzinfo=UTC)) or 1.0
    return 450.0 * SCALE.mine_hs(FIRST, FIRST) / whole


def daily(count: int, times: float, first: date = FIRST) -> list[PaidAmount]:
    coins = Decimal(round(share() * times, 8))
    return [
        PaidAmount(name=f"p{n}", day=first + timedelta(days=n), coins=coins) for n in range(count)
    ]


@pytest.mark.parametrize("times", [1.0, 1.5])
@pytest.mark.parametrize("count", [1, 7, 30, 120])
def test_an_honest_mine_passes_over_any_span(count: int, times: float) -> None:
    check_sums(SCALE, daily(count, times), {})


@pytest.mark.parametrize("count", [30, 90])
@pytest.mark.parametrize("times", [9.5, 60.0])
def test_days_that_pass_alone_are_refused_together(count: int, times: float) -> None:
    rows = daily(count, times)
    check_coins(SCALE, rows, {})
    with pytest.raises(
        Wrong, match=r"p\d+: coins: expected at most .* together .* the fleet earns"
    ):
        check_sums(SCALE, rows, {})


def test_what_is_known_counts_whichever_came_first() -> None:
    rows = daily(40, 9.5)
    halves = rows[::2], rows[1::2]
    for first, second in (halves, halves[::-1]):
        known = {row.day: row.coins for row in first}
        with pytest.raises(Wrong, match="together"):
            check_sums(SCALE, second, known)


def test_a_month_of_backlog_is_paid_at_once() -> None:
    rows = [PaidAmount(name="m", day=FIRST, coins=Decimal(round(share() * 31 * 1.5, 8)))]
    check_sums(SCALE, rows, {FIRST - timedelta(days=31): Decimal(1)})
    check_sums(SCALE, rows, {})


def test_without_a_plan_the_network_bounds_the_sum() -> None:
    bare = replace(SCALE, operation=None)
    rows = [replace(row, coins=Decimal(850)) for row in daily(30, 1.0)]
    known = {FIRST - timedelta(days=1): Decimal(1)}
    check_sums(bare, rows, known)
    with pytest.raises(Wrong, match="2 times what the whole network mines in 14 days"):
        check_sums(bare, [replace(row, coins=Decimal(1_900)) for row in rows], known)


@given(st.floats(0.1, 200.0), st.integers(1, 60))
def test_more_coins_never_pass_where_fewer_are_refused(times: float, count: int) -> None:
    def passes(factor: float) -> bool:
        try:
            check_sums(SCALE, daily(count, factor), {})
        except Wrong:
            return False
        return True

    assert passes(times) or not passes(times * 1.5)
