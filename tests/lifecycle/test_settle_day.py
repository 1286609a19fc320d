"""A close on recorded prices: variation, expiry, exercise, margin, and what the books cannot pay."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import (
    COINS_FREE,
    Accounts,
    Ledger,
    opening,
    promise,
)
from headframe.hedge import FeeSchedule
from headframe.lifecycle import (
    ClosePrices,
    DayStart,
    FlowCause,
    close_at,
    future_name,
    position_flows,
    settle_day,
    split,
)
from headframe.mandate import Unwind
from headframe.units import BTC, USD, Money, Month, booked
from tests_support import COLLAR, FUTURE, SURFACE, TERMS, operation

EXPIRY = date(2026, 12, 25)


def ledger(positions: Any, *, coins: Any = "50", cash: Any = "5000000") -> Any:
    books = Ledger()
    books.post(
        opening(
            cash=booked(cash, USD),
            free=booked(coins, BTC),
            pledged=Money(BTC, 0),
            loan=Money(USD, 0),
        )
    )
    for position in positions:
        for month, left in position.remaining:
            books.post(promise(month, booked(left, BTC), firm=True, memo=position.trade.id))
    return books


def start(day: Any, positions: Any, books: Any, spot: Any = 77_000, **changes: Any) -> Any:
    return DayStart(
        day=day - timedelta(days=1), spot=Decimal(spot), mined=Decimal(0), positions=positions, ledger=books,
        surface=SURFACE.at_spot(float(spot), close_at(day)), terms=TERMS, operation=operation(), power_usd=0.0,
        fees=FeeSchedule(option_coins=0.0003, option_cap_share=0.125, future_share=0.0005, forward_spread=0.0004, financing_rate=0.08),
        option_spread=0.0, unwind=Unwind.AT_EXPIRY, so_far=None, cash_unhedged_usd=0.0, venue="paper", **changes,
    )  # fmt: skip


def prices(day: Any, index: Any, positions: Any, future: Any = None) -> Any:
    legs = [(one.trade.id, leg.instrument) for one in positions for leg in one.trade.legs]
    return ClosePrices(
        day=day, index=Decimal(str(index)),
        futures={future_name(leg): Decimal(str(future or index)) for _, leg in legs},
        deliveries={(trade, leg.name): Decimal(str(index)) for trade, leg in legs},
    )  # fmt: skip


def settled(
    day: Any, index: Any, positions: Any, books: Any, future: Any = None, **changes: Any
) -> Any:
    end = settle_day(
        start(day, positions, books, index, **changes), prices(day, index, positions, future)
    )
    for entry in end.entries:
        books.post(entry)
    assert books.imbalance() == {}
    assert books.overdrawn() == ()
    return end


@pytest.mark.parametrize(
    ("index", "how", "paid"),
    [
        (60_000, "exercised", Fraction(100) * Fraction(10_000, 60_000)),
        (80_000, "expired", Fraction(0)),
        (100_000, "exercised", -Fraction(100) * Fraction(12_000, 100_000)),
    ],
)
def test_a_collar_is_exercised_or_expires_at_the_delivery_price(
    index: Any, how: Any, paid: Any
) -> None:
    books = ledger((COLLAR,))
    end = settled(EXPIRY, index, (COLLAR,), books)
    assert end.ended == (("T-1", how),)
    assert end.positions[0].coins == 0
    assert books.balance(Accounts.hedge("T-1"), BTC) == -booked(paid, BTC)
    assert float(books.total("promises:", BTC)) == 0.0
    assert sum(flow.money.smallest for flow in end.flows) == booked(paid, BTC).smallest


def test_an_option_pays_nothing_the_day_before() -> None:
    end = settled(EXPIRY - timedelta(days=1), 40_000, (COLLAR,), ledger((COLLAR,)))
    assert end.flows == ()
    assert end.ended == ()
    assert end.positions[0].coins == 100


@given(st.lists(st.integers(40_000, 160_000), min_size=2, max_size=6))
def test_variation_over_any_path_is_the_payoff_of_its_ends(path: list[int]) -> None:
    """Each day's variation telescopes: the sum is the payoff from the price dealt to the delivery price."""
    books, position, day = (
        ledger((FUTURE,), coins="500"),
        FUTURE,
        EXPIRY - timedelta(days=len(path) - 1),
    )
    end: Any = None
    for figure in path:
        end = settled(day, figure, (position,), books)
        (position,) = end.positions
        day += timedelta(days=1)
    leg = FUTURE.trade.legs[0]
    exact = Fraction(leg.amount) * (1 / Fraction(leg.price) - 1 / Fraction(path[-1]))
    brought = -books.balance(Accounts.hedge("T-1"), BTC).smallest
    assert abs(brought - booked(exact, BTC).smallest) <= len(path), "a satoshi of rounding a day"
    assert end.ended == (("T-1", "settled"),)
    assert position.coins == 0


def test_variation_takes_the_futures_own_price_and_says_the_basis() -> None:
    day = date(2026, 11, 3)
    end = settled(day, 77_000, (FUTURE,), ledger((FUTURE,)), future=78_500)
    (flow,) = end.flows
    leg = FUTURE.trade.legs[0]
    assert flow.cause is FlowCause.VARIATION
    assert flow.money == booked(
        Fraction(leg.amount) * (1 / Fraction(leg.price) - Fraction(1, 78_500)), BTC
    )
    assert end.positions[0].last_mark == 78_500
    assert flow.basis_usd == 0.0, "a recorded close asks for no basis"
    spot = Fraction(FUTURE.trade.spot)
    (asked,), _ = position_flows(
        FUTURE, prices(day, 77_000, (FUTURE,), 78_500), close_at(day), spot
    )
    moved = 1 / float(leg.price) - 1 / 78_500 - 1 / float(spot) + 1 / 77_000
    assert asked.basis_usd == pytest.approx(float(leg.amount) * moved * 77_000)


def test_the_venues_margin_follows_its_rules_and_comes_back_at_the_expiry() -> None:
    books = ledger((FUTURE,), coins="500")
    end = settled(date(2026, 11, 3), 77_000, (FUTURE,), books)
    assert float(books.balance(Accounts.coins_posted("paper"), BTC)) > 1.0
    settled(EXPIRY, 77_000, end.positions, books)
    assert books.balance(Accounts.coins_posted("paper"), BTC).smallest == 0


def test_a_loss_beyond_free_coins_takes_the_margin_and_then_is_owed_visibly() -> None:
    books = ledger((FUTURE,), coins="3")
    calm = settled(date(2026, 11, 3), 77_000, (FUTURE,), books)
    assert calm.shortfall == ""
    end = settled(date(2026, 11, 4), 150_000, calm.positions, books)
    assert "BTC could not be found" in end.shortfall
    owed = -books.balance(Accounts.OVERDUE, BTC)
    assert owed.smallest > 0
    assert books.balance(COINS_FREE, BTC).smallest == 0
    back = settled(date(2026, 11, 5), 60_000, end.positions, books)
    assert back.shortfall == ""
    assert books.balance(Accounts.OVERDUE, BTC).smallest == 0, (
        "what comes in pays what is owed first"
    )


def test_a_close_buys_sells_and_draws_nothing() -> None:
    books = ledger((FUTURE,), coins="3")
    for day, index in ((3, 77_000), (4, 150_000)):
        settled(date(2026, 11, day), index, (FUTURE,), books)
    accounts = {line.account for line in books.trial_balance()}
    assert not accounts & {"equity:conversion", "liabilities:credit line", "income:mined"}


def test_collateral_moves_only_where_the_close_moves_it() -> None:
    held = {}
    for moves in (True, False):
        books = ledger((COLLAR,))
        settled(date(2026, 11, 3), 130_000, (COLLAR,), books, moves_collateral=moves)
        held[moves] = float(books.balance(Accounts.cash_posted("amber"), USD))
    assert held[True] > 1e6
    assert held[False] == 0.0
    apart = ledger((COLLAR,))
    settled(date(2026, 11, 3), 130_000, (COLLAR,), apart, apart=frozenset({"amber"}))
    assert float(apart.balance(Accounts.cash_posted("amber"), USD)) == 0.0


def test_what_was_dealt_after_the_close_settles_nothing_and_keeps_its_margin() -> None:
    books = ledger((FUTURE,), coins="500")
    end = settle_day(
        start(date(2026, 11, 3), (), books, later=(FUTURE,)), prices(date(2026, 11, 3), 77_000, ())
    )
    assert end.flows == ()
    for entry in end.entries:
        books.post(entry)
    assert float(books.balance(Accounts.coins_posted("paper"), BTC)) > 1.0


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=13),
)
def test_shares_by_month_add_up_and_lie_within_a_unit(amount: int, weights: list[int]) -> None:
    months = {
        Month(2026 + place // 12, place % 12 + 1): Decimal(one) for place, one in enumerate(weights)
    }
    shares = split(Money(BTC, amount), months)
    assert sum(part.smallest for _, part in shares) == amount
    for month, part in shares:
        exact = Fraction(amount) * int(months[month]) / sum(weights)
        assert abs(part.smallest - exact) < 1


def test_flows_of_several_months_are_shared_by_the_coins_left() -> None:
    two = replace(
        COLLAR, remaining=((Month(2026, 10), Decimal(25)), (Month(2026, 11), Decimal(75)))
    )
    end = settled(EXPIRY, 60_000, (two,), ledger((two,)))
    flow = next(one for one in end.flows if one.money.smallest)
    (_, first), (_, second) = flow.months
    assert second.smallest == pytest.approx(3 * first.smallest, abs=3)
