"""Real coins use up designations, oldest month first; what a hedge covers beyond them is a residual."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import Designation, Trade
from headframe.lifecycle import (
    CoinSale,
    Delivered,
    DesignationState,
    HedgeResult,
    MonthBooks,
    Production,
    RunOffPolicy,
    bridge,
    coins_sold_by_month,
    current_month,
    deliveries,
    designated,
    designation_states,
    intrinsic_per_coin,
    most_designated,
    realised_months,
)
from headframe.lifecycle.flows import FlowCause
from headframe.mandate import Unwind
from headframe.units import BTC, USD, Money, Month, booked
from tests_support import COLLAR, FUTURE

SEP, OCT, NOV = (Month(2026, number) for number in (9, 10, 11))
POLICY = RunOffPolicy(Unwind.MONTHLY, 5)


def sold_of(month: Month, amount: Any) -> tuple[Delivered, ...]:
    """Coins of a month sold in its middle."""
    at = month.start + timedelta(days=15)
    return (Delivered(month=month, at=at, coins=coins(amount), proceeds=usd(60_000 * amount)),)


def states_of(
    trades: Any, positions: Any, sold: Any, policy: Any, **more: Any
) -> tuple[DesignationState, ...]:
    return designation_states(designated(trades, ()), positions, sold, policy, **more)


def coins(amount: Any) -> Money:
    return booked(str(amount), BTC)


def usd(amount: Any) -> Money:
    return booked(str(amount), USD)


def sale(day: Any, amount: Any, proceeds: Any) -> CoinSale:
    at = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC)
    return CoinSale(at=at, coins=coins(amount), proceeds=usd(proceeds))


def test_a_sale_delivers_the_oldest_unsold_month_first() -> None:
    found = deliveries({SEP: coins(10), OCT: coins(10)}, [sale("2026-10-05", 12, 1_200_000)])
    assert [(one.month, str(one.coins), str(one.proceeds)) for one in found] == [
        (SEP, "10.00000000", "1000000.00"),
        (OCT, "2.00000000", "200000.00"),
    ]


def test_coins_not_mined_yet_and_opening_coins_deliver_no_designation() -> None:
    found = deliveries({NOV: coins(10)}, [sale("2026-10-05", 4, 400_000)])
    assert found == (), "a later month's coins are not sold before it"
    found = deliveries({OCT: coins(3)}, [sale("2026-10-05", 4, 400_000)])
    assert [(one.month, str(one.coins), str(one.proceeds)) for one in found] == [
        (OCT, "3.00000000", "300000.00")
    ], "the fourth coin comes from the opening inventory"


@given(
    st.dictionaries(st.integers(1, 12), st.integers(0, 10**10), max_size=6),
    st.lists(
        st.tuples(st.integers(1, 12), st.integers(1, 10**10), st.integers(0, 10**12)), max_size=8
    ),
)
def test_nothing_is_delivered_twice_and_proceeds_never_exceed_the_sale(
    mined: Any, sold: Any
) -> None:
    months = {Month(2026, number): Money(BTC, amount) for number, amount in mined.items()}
    sales = [
        CoinSale(
            at=datetime(2026, number, 9, tzinfo=UTC),
            coins=Money(BTC, n),
            proceeds=Money(USD, cents),
        )
        for number, n, cents in sold
    ]
    found = deliveries(months, sales)
    by_month = coins_sold_by_month(found)
    for month, amount in by_month.items():
        assert amount <= Decimal(months[month].smallest).scaleb(-8)
    assert sum(one.proceeds.smallest for one in found) <= sum(
        one.proceeds.smallest for one in sales
    )
    whole = sum(months[month].smallest for month in months)
    if sales and all(one.at.month == 12 for one in sales):
        expected = min(whole, sum(one.coins.smallest for one in sales))
        assert sum(one.coins.smallest for one in found) == expected


def test_trades_of_a_month_are_used_up_in_the_order_dealt() -> None:
    second = replace(COLLAR.trade, id="T-2")
    states = states_of(
        [COLLAR.trade, second], [COLLAR, replace(COLLAR, trade=second)], sold_of(NOV, 130), POLICY
    )
    assert [(one.trade, int(one.sold), int(one.unsold), int(one.residual)) for one in states] == [
        ("T-1", 100, 0, 100),
        ("T-2", 30, 70, 30),
    ]


def test_a_residual_is_speculative_when_its_days_have_passed() -> None:
    (state,) = states_of([COLLAR.trade], [COLLAR], sold_of(NOV, 40), POLICY)
    assert state.residual == 40
    assert state.over_hedged(datetime(2026, 12, 5, tzinfo=UTC)) == 0
    assert state.over_hedged(datetime(2026, 12, 6, tzinfo=UTC)) == 40
    held = RunOffPolicy(Unwind.AT_EXPIRY, 5)
    (state,) = states_of([COLLAR.trade], [COLLAR], sold_of(NOV, 40), held)
    assert state.over_hedged(datetime(2026, 12, 20, tzinfo=UTC)) == 0, (
        "the policy holds it to its expiry"
    )
    assert state.residual == 40, "and shows it all the same"


def test_a_hedge_reduced_with_its_sales_leaves_nothing_over() -> None:
    half = replace(COLLAR, remaining=((NOV, Decimal(60)),))
    (state,) = states_of([COLLAR.trade], [half], sold_of(NOV, 40), POLICY)
    assert [int(one) for one in (state.unsold, state.open, state.residual)] == [60, 60, 0]


def test_the_current_month_says_what_is_to_come() -> None:
    (state,) = states_of([COLLAR.trade], [COLLAR], sold_of(NOV, 10), POLICY)
    now = current_month(
        datetime(2026, 11, 11, 9, tzinfo=UTC), 90.0, (coins(30), coins(10)), [state]
    )
    assert now.days_left == 20
    assert now.to_come == pytest.approx(60.0)
    assert (now.mined, now.sold, now.hedged, now.residual) == (30.0, 10.0, 100.0, 10.0)


@pytest.mark.parametrize(
    ("position", "price", "pays"),
    [
        (COLLAR, 60_000, 10_000),
        (COLLAR, 80_000, 0),
        (COLLAR, 100_000, -12_000),
        (FUTURE, 60_000, 18_343),
    ],
)
def test_what_a_hedge_pays_at_the_price_of_a_sale(position: Any, price: Any, pays: Any) -> None:
    assert float(intrinsic_per_coin(position.trade, Fraction(price))) == pytest.approx(
        pays, rel=1e-9
    )


def result(
    month: Any, cash: Any, worth: Any, cause: Any = FlowCause.EXERCISE, btc: Any = "0"
) -> HedgeResult:
    usd_part = usd(0) if btc != "0" else usd(worth)
    return HedgeResult(
        trade="T-1",
        month=month,
        cash_month=cash,
        cause=cause,
        coins=coins(btc),
        usd=usd_part,
        worth_usd=usd(worth),
    )


def test_a_month_is_its_own_sales_and_its_own_hedges_whenever_cash_moved() -> None:
    dec = Month(2026, 12)
    books = {NOV: MonthBooks(month=NOV, mined=coins(100), sold=coins(100), proceeds=usd(6_000_000))}
    delivered = deliveries({NOV: coins(100)}, [sale("2026-11-28", 100, 6_000_000)])
    states = states_of([COLLAR.trade], [], sold_of(NOV, 100), POLICY)
    results = [
        result(NOV, SEP, 15_000, FlowCause.PREMIUM, btc="0.2"),
        result(NOV, SEP, -2_000, FlowCause.FEE),
        result(NOV, dec, 990_000),
    ]
    (month,) = realised_months(books, delivered, results, states, {"T-1": COLLAR.trade})
    assert str(month.recognised_usd) == "1003000.00"
    assert str(month.deferred_usd) == "0.00"
    assert str(month.intrinsic) == "1000000.00"
    assert str(month.basis_usd) == "-10000.00", "the expiry price differed from the sales' prices"
    assert month.realised_price == pytest.approx(70_030.0)
    found = bridge([month], books, results, Fraction(80_000), usd(0))
    assert found.holds
    assert str(found.revaluation) == "1000.00", (
        "0.2 premium coins, taken at 75,000, at 80,000 today"
    )
    rows = {row.month: str(row.difference) for row in found.rows}
    assert rows == {SEP: "13000.00", NOV: "-1003000.00", dec: "990000.00"}
    assert sum(row.difference.smallest for row in found.rows) == 0


def test_what_belongs_to_coins_still_to_be_sold_is_deferred() -> None:
    states = states_of([COLLAR.trade], [COLLAR], sold_of(NOV, 25), POLICY)
    delivered = deliveries({NOV: coins(25)}, [sale("2026-11-08", 25, 1_500_000)])
    books = {NOV: MonthBooks(month=NOV, mined=coins(25), sold=coins(25), proceeds=usd(1_500_000))}
    (month,) = realised_months(
        books, delivered, [result(NOV, NOV, 400_000)], states, {"T-1": COLLAR.trade}
    )
    assert str(month.recognised_usd) == "100000.00"
    assert str(month.deferred_usd) == "300000.00"
    assert month.realised_price == pytest.approx(64_000.0)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.integers(1, 3),
            st.integers(-(10**9), 10**9),
            st.integers(-(10**9), 10**9),
        ),
        max_size=12,
    ),
    st.integers(10_000, 200_000),
    st.integers(-(10**9), 10**9),
)
def test_the_bridge_holds_whatever_moved(rows: Any, price: Any, unrealised: Any) -> None:
    results = [
        HedgeResult(
            trade=f"T-{place}", month=Month(2026, a), cash_month=Month(2026, b), cause=FlowCause.VARIATION,
            coins=Money(BTC, n), usd=Money(USD, 0), worth_usd=Money(USD, cents),
        )
        for place, (a, b, n, cents) in enumerate(rows)
    ]  # fmt: skip
    months = realised_months({}, (), results, (), {})
    assert bridge(months, {}, results, Fraction(price), Money(USD, unrealised)).holds


def test_designations_name_their_months() -> None:
    two = replace(
        COLLAR.trade,
        designations=(
            Designation(month=OCT, coins=Decimal(40), words="", hedge_for_accounts=True),
            Designation(month=NOV, coins=Decimal(60), words="", hedge_for_accounts=True),
        ),
    )
    held = replace(COLLAR, trade=two, remaining=((OCT, Decimal(40)), (NOV, Decimal(60))))
    first, second = states_of([two], [held], sold_of(OCT, 40), POLICY)
    assert [int(one.residual) for one in (first, second)] == [40, 0]
    assert first.due == datetime(2026, 11, 6, tzinfo=UTC)


def closing(trade: Trade, day: str, amount: Any) -> tuple[str, Trade]:
    at = datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=UTC)
    part = Designation(month=NOV, coins=Decimal(amount), words="", hedge_for_accounts=True)
    back = replace(trade, id=f"C-{day}", at=at, size=Decimal(amount), designations=(part,))
    return trade.id, back


def dealt_on(day: str, name: str) -> Trade:
    at = datetime.fromisoformat(f"{day}T10:00:00").replace(tzinfo=UTC)
    return replace(COLLAR.trade, id=name, at=at)


def test_coins_go_to_the_trades_that_are_on_when_they_are_sold() -> None:
    """T-1 closed whole before any sale, T-2 dealt in its place: all coins sold are T-2's."""
    old, new = dealt_on("2026-09-01", "T-1"), dealt_on("2026-11-02", "T-2")
    order = designated([old, new], [closing(old, "2026-11-02", 100)])
    on = replace(COLLAR, trade=new)
    first, second = designation_states(order, [on], sold_of(NOV, 96), POLICY)
    assert [int(x) for x in (first.designated, first.sold, first.open)] == [0, 0, 0]
    assert [int(x) for x in (second.sold, second.unsold, second.residual)] == [96, 4, 96]
    assert most_designated([first, second]) == 100, "the month's coins are designated once"


def test_what_is_dealt_back_is_first_hedge_that_has_no_coins() -> None:
    """40 of 100 coins sold, then 40 dealt back: nothing is released, the other 60 are hedged."""
    trade = dealt_on("2026-09-01", "T-1")
    order = designated([trade], [closing(trade, "2026-11-20", 40)])
    left = replace(COLLAR, trade=trade, remaining=((NOV, Decimal(60)),))
    (state,) = designation_states(order, [left], sold_of(NOV, 40), POLICY)
    assert [int(x) for x in (state.designated, state.sold, state.unsold, state.residual)] == [
        100,
        40,
        60,
        0,
    ]
    (state,) = designation_states(
        designated([trade], [closing(trade, "2026-11-20", 70)]), [left], sold_of(NOV, 40), POLICY
    )
    assert [int(x) for x in (state.designated, state.unsold)] == [70, 30], (
        "30 coins of it were released"
    )


def test_an_ended_month_that_mined_less_leaves_the_rest_of_its_hedge_over() -> None:
    trade = dealt_on("2026-09-01", "T-1")
    held = replace(COLLAR, trade=trade)
    for mined, sold, residual in ((3, 3, 100 - 0), (30, 3, 100 - 27), (0, 0, 100)):
        found = sold_of(NOV, sold) if sold else ()
        for day, over in ((datetime(2026, 12, 2, tzinfo=UTC), sold), (datetime(2026, 12, 5, tzinfo=UTC), residual)):  # fmt: skip
            known = Production({NOV: coins(mined)}, day)
            (state,) = designation_states(
                designated([trade], ()), [held], found, POLICY, production=known
            )
            assert state.residual == over


@given(st.data())
def test_no_coin_is_two_trades_and_none_is_more_than_its_designation(data: Any) -> None:
    days = [f"2026-11-{day:02d}" for day in range(1, 29)]
    trades = [dealt_on(data.draw(st.sampled_from(days)), f"T-{n}") for n in range(1, 4)]
    trades.sort(key=lambda one: one.at)
    closings = []
    for one in trades:
        later = [day for day in days if datetime.fromisoformat(f"{day}T08:00:00+00:00") > one.at]
        if later and data.draw(st.booleans()):
            closings.append(closing(one, data.draw(st.sampled_from(later)), data.draw(st.integers(1, 100))))  # fmt: skip
    sales = [
        Delivered(month=NOV, at=datetime(2026, 11, day, 12, tzinfo=UTC), coins=coins(amount), proceeds=usd(amount))
        for day, amount in sorted(data.draw(st.dictionaries(st.integers(1, 28), st.integers(1, 90), max_size=6)).items())
    ]  # fmt: skip
    states = designation_states(designated(trades, closings), [], sales, POLICY)
    total = sum(Decimal(str(one.coins)) for one in sales)
    assert sum(one.sold for one in states) <= total
    for state, trade in zip(states, trades, strict=True):
        assert 0 <= state.sold <= state.designated <= 100
        after = sum(Decimal(str(x.coins)) for x in sales if x.at >= trade.at)
        assert state.sold <= after, "what was sold before it was dealt is not its own"
        assert sum(part for part, _ in state.parts) == state.sold
