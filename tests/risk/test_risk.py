from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import Designation, MarginTerms, Position, Trade, TradeLeg
from headframe.codec import read_counterparties
from headframe.counterparty import CollateralTerms, Dossier, Sublimit, call_amount
from headframe.desk.workspace import sample_file
from headframe.instrument import Kind, StructureKind, parse_instrument
from headframe.market import sample_market
from headframe.mining import SalePolicy
from headframe.pricing import black76, surface_of
from headframe.risk import (
    Course,
    Liquidity,
    Markets,
    Pledge,
    Posted,
    Status,
    Strategy,
    Terms,
    Units,
    Watched,
    basis_risk,
    by_group,
    cash_out_price,
    collateral_due_to_us,
    collateral_wanted,
    course_prices,
    credit_charge_usd,
    exposure,
    hedge_in_force,
    leg_price,
    leg_value_usd,
    margin_charge_usd,
    mark,
    marks,
    netted,
    netted_book,
    outcomes,
    position_value_usd,
    requirement,
    rule_set,
    sale_weights,
    sold_option_coins,
    stress,
    sublimits_used,
    venue_initial_coins,
    venue_margin_coins,
)
from headframe.risk.kernels import hedge_against_sales
from headframe.units import Month, Wrong, parse_expiry, year_fraction

AT = sample_market().as_of
SURFACE = surface_of(sample_market())
JUMPED = Markets(SURFACE, AT, (-0.6, 0.6))
DOSSIERS = {
    d.name: d
    for d in read_counterparties(sample_file("counterparties.toml"))
    if isinstance(d, Dossier)
}


def position(
    legs: Any,
    *,
    kind: Any = StructureKind.COSTLESS_COLLAR,
    margin: Any = MarginTerms.BILATERAL,
    size: Any = "100",
    dealer: Any = "amber",
) -> Any:
    coins = Decimal(size)
    trade = Trade(
        id="T-1", proposal="P-1", rfq="r", structure=kind, dealer=dealer, margin=margin, at=AT, size=coins,
        net_price=Decimal(0), price_currency="BTC",
        legs=tuple(TradeLeg(instrument=parse_instrument(n), amount=Decimal(a), price=Decimal(p)) for n, a, p in legs),
        designations=(Designation(month=Month(2026, 11), coins=coins, words="", hedge_for_accounts=True),),
        fee=Decimal(0), spot=Decimal(77054),
    )  # fmt: skip
    return Position(trade=trade, remaining=((Month(2026, 11), coins),))


COLLAR = position([("BTC-25DEC26-70000-P", "100", "0.05"), ("BTC-25DEC26-88000-C", "-100", "0.05")])
FUTURE = position(
    [("BTC-25DEC26", "-7834300", "78343")],
    kind=StructureKind.SHORT_FUTURE,
    margin=MarginTerms.VENUE,
)
TERMS = {
    "amber": CollateralTerms(
        threshold_usd=1e6, minimum_transfer_usd=0, rounding_usd=0, independent_share=0, haircut=0
    )
}


def test_a_month_end_hedge_of_daily_sales_strays_seven_percent_a_quarter_twelve() -> None:
    start = datetime(2026, 9, 1, tzinfo=UTC)
    for months, wanted in ((1, 0.07), (3, 0.12)):
        span = tuple((Month(2026, 9).plus(n), 1.0) for n in range(months))
        weights = sale_weights(span, start, Month(2026, 9).plus(months - 1).end, SalePolicy.DAILY)
        assert weights.sum() == pytest.approx(1.0)
        held = basis_risk(
            spot=77_000,
            forward=77_400,
            vol=0.42,
            weights=weights,
            seed=3,
            paths=20_000,
            basis_sd=0.0,
        )
        assert held.tracking_error == pytest.approx(wanted, abs=0.004)
        sold = basis_risk(
            spot=77_000, forward=77_400, vol=0.42, weights=weights, closes=weights, seed=3
        )
        assert sold.ratio_low <= 1.0 + 0.02
        assert sold.ratio_high >= 1.0 - 0.02
        assert held.ratio_high - held.ratio_low > sold.ratio_high - sold.ratio_low
        assert sold.tracking_error < 0.002
        assert sold.r2 > 0.999


def test_basis_is_measured_on_the_mines_own_sale_days() -> None:
    """A month-end seller strays little from a month-end expiry; a daily one seven percent."""
    start, expiry = datetime(2026, 9, 1, tzinfo=UTC), Month(2026, 9).end
    found: dict[SalePolicy, float] = {}
    for policy in SalePolicy:
        weights = sale_weights(((Month(2026, 9), 1.0),), start, expiry, policy)
        assert weights.sum() == pytest.approx(1.0)
        assert (weights > 0).sum() == {"daily": 30, "weekly": 5, "month_end": 1}[policy]
        risk = basis_risk(
            spot=77_000,
            forward=77_400,
            vol=0.42,
            weights=weights,
            seed=3,
            basis_sd=0.0,
        )
        found[policy] = risk.tracking_error
    assert found[SalePolicy.MONTH_END] == pytest.approx(0.0, abs=1e-12)
    assert found[SalePolicy.WEEKLY] < found[SalePolicy.DAILY]


def test_a_hedge_that_expires_with_its_only_sale_has_no_basis_risk() -> None:
    weights = np.zeros(40)
    weights[-1] = 1.0
    for put, call in ((0.0, 0.0), (70_000.0, 0.0), (70_000.0, 88_000.0)):
        found = basis_risk(
            spot=77_000,
            forward=77_500,
            vol=0.4,
            weights=weights,
            put_strike=put,
            call_strike=call,
            seed=1,
        )
        assert found.tracking_error == 0.0
        assert found.r2 == pytest.approx(1.0)


def test_the_basis_kernel_agrees_with_plain_python() -> None:
    weights = np.full(5, 0.2)
    closes = np.array([0.1, 0.0, 0.5, 0.0, 0.2])
    costs = np.array([0.02, 0.0003, 0.125, 0.0002, 0.0005, 1.0])
    ours, plain = [np.empty(8) for _ in range(4)], [np.empty(8) for _ in range(4)]
    arguments = (1, 77e3, 78e3, 0.4, weights, closes, 70e3, 88e3, 0.01, costs)
    hedge_against_sales(*arguments, *ours)
    hedge_against_sales.python(*arguments, *plain)
    for one, two in zip(ours, plain, strict=True):
        assert one == pytest.approx(two, rel=1e-9)
    with pytest.raises(Wrong):
        sale_weights((), AT, AT + timedelta(days=1), SalePolicy.DAILY)


WORKED = Terms(coins=Decimal(100), cost=Decimal(30000), put=Decimal(35000), call=Decimal(50000))


def test_the_worked_example_to_the_cent() -> None:
    prices = tuple(Decimal(p) for p in (25000, 40000, 60000))
    found = {(int(o.price), o.strategy): o for o in outcomes(WORKED, prices)}
    assert {o.strategy for o in found.values()} == {Strategy.UNHEDGED, Strategy.COSTLESS_COLLAR}
    table = {
        25000: (25000, -5000, 35000, 5000),
        40000: (40000, 10000, 40000, 10000),
        60000: (60000, 30000, 50000, 20000),
    }
    for price, (free, profit, collar, kept) in table.items():
        one, two = found[price, Strategy.UNHEDGED], found[price, Strategy.COSTLESS_COLLAR]
        assert [one.revenue_per_coin, one.profit_per_coin, one.revenue, one.profit] == [
            Decimal(x) for x in (free, profit, free * 100, profit * 100)
        ]
        assert [two.revenue_per_coin, two.profit_per_coin, two.revenue, two.profit] == [
            Decimal(x) for x in (collar, kept, collar * 100, kept * 100)
        ]


def test_future_and_put_at_stated_prices() -> None:
    terms = Terms(
        coins=Decimal(100), cost=Decimal(30000), put=Decimal(35000), call=Decimal(50000),
        forward=Decimal("40400.50"), put_premium=Decimal("2403.02"), call_premium=Decimal("1767.20"),
    )  # fmt: skip
    found = {
        (int(o.price), str(o.strategy)): o.revenue_per_coin
        for o in outcomes(terms, (Decimal(25000), Decimal(60000)))
    }
    assert found[25000, "short_future"] == found[60000, "short_future"] == Decimal("40400.50")
    assert found[25000, "protective_put"] == Decimal("32596.98")
    assert found[60000, "protective_put"] == Decimal("57596.98")
    assert found[25000, "costless_collar"] == Decimal("34364.18")


@given(st.decimals(0, 10**6, places=2))
def test_a_collar_lies_between_its_strikes_and_a_put_above_its_floor(price: Any) -> None:
    by = {o.strategy: o.revenue_per_coin for o in outcomes(Terms(coins=Decimal(1), cost=Decimal(0), put=Decimal(35000), call=Decimal(50000), forward=Decimal(1), put_premium=Decimal(100)), (price,))}  # fmt: skip
    assert 35000 <= by[Strategy.COSTLESS_COLLAR] <= 50000
    assert by[Strategy.PROTECTIVE_PUT] >= 34900


def test_impossible_scenarios_are_refused() -> None:
    for change in ({"coins": Decimal(0)}, {"put": Decimal(60000)}, {"cost": Decimal(-1)}):
        with pytest.raises(Wrong):
            Terms(
                **(
                    {"coins": Decimal(1), "cost": Decimal(1), "put": Decimal(2), "call": Decimal(3)}
                    | change
                )
            )
    with pytest.raises(Wrong):
        outcomes(WORKED, (Decimal(-1),))


def test_a_short_future_marked_at_its_own_price_is_worth_nothing_and_falls_with_the_market() -> (
    None
):
    assert position_value_usd(FUTURE, SURFACE, AT) == pytest.approx(0.0, abs=1e-6)
    down = SURFACE.at_spot(SURFACE.spot * 0.6, AT)
    lost = 100 * 78_343.0 * 0.4
    assert position_value_usd(FUTURE, down, AT) == pytest.approx(
        lost / 78_343 * SURFACE.spot, rel=1e-9
    )
    found = mark(FUTURE, SURFACE, AT)
    assert found.delta_coins == pytest.approx(-100 * (SURFACE.spot / SURFACE.spot), rel=1e-3)


def test_an_option_leg_is_worth_its_price_and_an_expired_one_its_payoff() -> None:
    put = parse_instrument("BTC-25DEC26-70000-P")
    after = parse_expiry("25-DEC-26") + timedelta(days=1)
    low = SURFACE.at_spot(60_000.0, after)
    assert leg_value_usd(put, 10.0, 1.0, low, after) == pytest.approx(100_000.0)
    linear = parse_instrument("BTC_USD-25DEC26-70000-P")
    assert leg_value_usd(linear, 10.0, 1.0, low, after) == pytest.approx(100_000.0)


def test_options_sold_at_the_venue_are_margined_by_its_formula_and_bought_ones_are_paid_for() -> (
    None
):
    rules, _ = rule_set(date(2026, 7, 1))
    call, put = parse_instrument("BTC-25DEC26-88000-C"), parse_instrument("BTC-25DEC26-70000-P")
    # forward 80,000: the call is 10 % out of the money, 0.15 - 0.10 < 0.10; the put 12.5 %.
    assert sold_option_coins(call, 80_000.0, 0.03, rules) == pytest.approx(0.13)
    assert sold_option_coins(call, 86_000.0, 0.05, rules) == pytest.approx(
        0.15 - 2_000 / 86_000 + 0.05
    )
    assert sold_option_coins(call, 90_000.0, 0.06, rules) == pytest.approx(0.21), "in the money"
    assert sold_option_coins(put, 80_000.0, 0.03, rules) == pytest.approx(0.13)
    # a put that is worth more than its coin: its maintenance, 7.5 % of the mark, is the greater
    assert sold_option_coins(put, 20_000.0, 2.5, rules) == pytest.approx(2.5 + 0.075 * 2.5)
    here = replace(COLLAR, trade=replace(COLLAR.trade, margin=MarginTerms.VENUE))
    units = Units(SURFACE, AT)
    short = next(leg for leg in here.trade.legs if leg.amount < 0)
    mark = leg_price(short.instrument, SURFACE, AT)
    each = sold_option_coins(short.instrument, units.forward(short.instrument), mark, rules)
    asked = venue_margin_coins(netted((here,)), units, rules)
    assert asked == pytest.approx(-float(here.amount(short)) * each)
    both = venue_margin_coins(netted((here, FUTURE)), units, rules)
    assert both == pytest.approx(asked + 2.5), "futures are counted apart"
    due = requirement((here,), TERMS, SURFACE, AT)
    assert due.variation_usd == 0.0, "options are not settled daily"
    assert due.collateral_usd == 0.0
    assert due.initial_usd == pytest.approx(asked * SURFACE.spot)
    sets = {one.name: one for one in hedge_in_force((here, FUTURE), TERMS, AT).sets}
    assert set(sets) == {"venue", "venue, sold", "venue, bought"}
    sold = sets["venue, sold"].terms
    assert sold is not None
    assert sold.independent_share == 0.15
    far = SURFACE.at_spot(SURFACE.spot * 1.6, AT)
    moved = requirement((here,), TERMS, far, AT).initial_usd
    worth = -float(here.amount(short)) * leg_price(short.instrument, far, AT) * far.spot
    engine = worth + sold.independent_share * float(here.coins) * far.spot
    assert moved <= engine * (1.0 + 1e-12), "the engine never counts less than the venue asks"


def test_margin_of_futures_and_collateral_of_collars() -> None:
    rules, in_force = rule_set(date(2026, 7, 1))
    assert in_force
    assert not rule_set(date(2026, 8, 22))[1], "the venue changed its rules in August 2026"
    # Deribit standard margin: 2 % + 0.005 % a coin: 100 coins -> 2.5 % -> 2.5 coins.
    assert venue_initial_coins(-100.0, rules) == pytest.approx(2.5)
    up = SURFACE.at_spot(SURFACE.spot * 1.6, AT)
    due = requirement((FUTURE,), TERMS, up, AT)
    assert due.initial_usd == pytest.approx(2.5 * up.spot)
    assert due.variation_usd == pytest.approx(-position_value_usd(FUTURE, up, AT))
    loss = -position_value_usd(COLLAR, up, AT)
    assert loss > 3e6
    assert collateral_wanted((COLLAR,), TERMS["amber"], up, AT) == pytest.approx(loss - 1e6)
    assert requirement((COLLAR,), TERMS, up, AT).total_usd == pytest.approx(loss - 1e6)
    down = SURFACE.at_spot(SURFACE.spot * 0.5, AT)
    gain = position_value_usd(COLLAR, down, AT)
    assert collateral_due_to_us((COLLAR,), TERMS["amber"], down, AT) == pytest.approx(gain - 1e6)
    assert collateral_wanted((COLLAR,), TERMS["amber"], down, AT) == 0.0


def test_cash_runs_out_where_calls_exceed_liquidity() -> None:
    held = Liquidity(cash_usd=2e6, undrawn_usd=1e6, free_coins=5.0)
    price = cash_out_price(netted_book((COLLAR,)), TERMS, SURFACE, AT, held)
    assert price is not None
    due = requirement((COLLAR,), TERMS, SURFACE.at_spot(price, AT), AT).total_usd
    assert due == pytest.approx(held.at(price), rel=1e-6)
    rich = Liquidity(cash_usd=1e12, undrawn_usd=0.0, free_coins=0.0)
    assert cash_out_price(netted_book((COLLAR,)), TERMS, SURFACE, AT, rich) is None
    assert cash_out_price(netted_book(()), TERMS, SURFACE, AT, held) is None


CSA = CollateralTerms(
    threshold_usd=1e6, minimum_transfer_usd=250_000, rounding_usd=10_000, independent_share=0.0, haircut=0.1
)  # fmt: skip


def _spot_wanting(usd: float) -> float:
    """Return the price at which the collar's agreement wants so much of us, by bisection."""
    low, high = SURFACE.spot, SURFACE.spot * 3.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        asked = collateral_wanted((COLLAR,), CSA, SURFACE.at_spot(middle, AT), AT)
        low, high = (middle, high) if asked < usd else (low, middle)
    return high


@pytest.mark.parametrize(
    ("wanted", "posted", "called"),
    [
        (235_822, Posted(), 0.0),  # below the minimum transfer amount nothing is called
        (250_100, Posted(), 260_000.0),  # at or above it, rounded up
        (435_822, Posted(200_000.0), 0.0),  # what lies there counts first
        (455_822, Posted(200_000.0), 260_000.0),
        (100_000, Posted(500_000.0), -400_000.0),  # a return is rounded down
        (260_000, Posted(500_000.0), 0.0),  # and has its minimum, too
    ],
)
def test_calls_on_a_move_are_those_that_the_agreement_makes(
    wanted: float, posted: Posted, called: float
) -> None:
    terms, lying = {"amber": CSA}, {"amber": posted}
    moved = SURFACE.at_spot(_spot_wanting(wanted), AT)
    due = requirement((COLLAR,), terms, moved, AT, posted=lying)
    assert due.called_usd == pytest.approx(called, abs=1.0)
    assert due.collateral_usd == pytest.approx(posted.dollars + called, abs=1.0)


@pytest.mark.parametrize("move", [-0.4, 0.1, 0.2, 0.3, 0.6])
@pytest.mark.parametrize("posted", [Posted(), Posted(300_000.0), Posted(100_000.0, 4.0)])
def test_a_stress_calls_what_the_real_call_would_ask(move: float, posted: Posted) -> None:
    """Second implementation: today's call is met in dollars, then the month's is made on the move."""
    held = Liquidity(cash_usd=2e6, undrawn_usd=1e6, free_coins=5.0)
    row = stress(
        move, netted_book((COLLAR,)), {"amber": CSA}, SURFACE, AT, liquidity=held, posted={"amber": posted}
    )  # fmt: skip
    later = AT + timedelta(days=30)
    moved = SURFACE.at_spot(SURFACE.spot * (1.0 + move), later)
    today = collateral_wanted((COLLAR,), CSA, SURFACE, AT)
    lies = posted.dollars + call_amount(
        CSA, today, posted.dollars + 0.9 * posted.coins * SURFACE.spot
    )
    wanted = collateral_wanted((COLLAR,), CSA, moved, later)
    called = call_amount(CSA, wanted, lies + 0.9 * posted.coins * moved.spot)
    assert row.call_usd == pytest.approx(called, abs=0.01)


def test_cash_runs_out_at_a_call_that_is_made() -> None:
    held = Liquidity(cash_usd=240_000.0, undrawn_usd=0.0, free_coins=0.0)
    price = cash_out_price(netted_book((COLLAR,)), {"amber": CSA}, SURFACE, AT, held)
    assert price == pytest.approx(_spot_wanting(250_000), rel=1e-8), "240,000 is never called"
    rounded = Liquidity(cash_usd=255_000.0, undrawn_usd=0.0, free_coins=0.0)
    later = cash_out_price(netted_book((COLLAR,)), {"amber": CSA}, SURFACE, AT, rounded)
    assert later == pytest.approx(_spot_wanting(250_000), rel=1e-8), "250,000.01 calls 260,000"


def test_a_dealer_without_trades_returns_all() -> None:
    due = requirement((), {"amber": CSA}, SURFACE, AT, posted={"amber": Posted(50_000.0)})
    assert (due.called_usd, due.collateral_usd) == (-50_000.0, 0.0)


def test_variation_since_the_last_mark_is_called_and_not_counted_as_posted() -> None:
    """A future dealt at 78,343 with spot up 10 % since: its loss of today is still to be paid."""
    up = SURFACE.at_spot(SURFACE.spot * 1.10, AT)
    today = requirement((FUTURE,), TERMS, up, AT)
    assert today.posted_usd == today.initial_usd
    assert today.variation_usd > 500_000
    held = Liquidity(cash_usd=3e6, undrawn_usd=1e6, free_coins=5.0)
    row = stress(0.0, netted_book((FUTURE,)), TERMS, up, AT, liquidity=held)
    assert row.price == up.spot
    assert row.margin_usd == pytest.approx(today.initial_usd)
    assert row.call_usd == pytest.approx(-row.hedge_usd)
    assert row.call_usd == pytest.approx(today.variation_usd, rel=0.05)
    assert row.liquidity_usd == pytest.approx(4e6 + 5.0 * up.spot)
    price = cash_out_price(netted_book((FUTURE,)), TERMS, up, AT, held)
    assert price is not None
    moved = requirement((FUTURE,), TERMS, up.at_spot(price, AT), AT)
    assert moved.total_usd - today.posted_usd == pytest.approx(held.at(price), rel=1e-6)
    poor = Liquidity(cash_usd=1e5, undrawn_usd=0.0, free_coins=0.0)
    assert cash_out_price(netted_book((FUTURE,)), TERMS, up, AT, poor) == up.spot, (
        "out of cash already"
    )


def test_exposure_counts_gains_and_what_we_posted() -> None:
    given: dict[str, Any] = {
        "posted_usd": 0.0,
        "held_usd": 0.0,
        "pledge": Pledge("Prairie", 120.0, 4.2e6),
    }
    one = exposure(DOSSIERS["amber"], (COLLAR, FUTURE), JUMPED, **given)
    assert one.trades == 1, "venue futures are nobody's exposure"
    assert one.down_usd == pytest.approx(
        position_value_usd(COLLAR, SURFACE.at_spot(SURFACE.spot * 0.4, AT), AT)
    )
    assert one.up_usd == 0.0
    assert one.line_share == pytest.approx(one.down_usd / 16e6)
    richer: dict[str, Any] = given | {"held_usd": 1e6}
    held = exposure(DOSSIERS["amber"], (COLLAR,), JUMPED, **richer)
    assert held.down_usd == pytest.approx(one.down_usd - 1e6)
    assert by_group((one, held)) == {"Amber Group": pytest.approx(one.down_usd * 2 - 1e6)}
    none = exposure(DOSSIERS["basalt"], (COLLAR,), JUMPED, **given)
    assert none.line_share == 0.0


def test_lender_and_dealer_of_one_group_are_one_exposure() -> None:
    given: dict[str, Any] = {"posted_usd": 0.0, "held_usd": 0.0}
    apart = exposure(
        DOSSIERS["amber"], (COLLAR,), JUMPED, pledge=Pledge("Prairie", 120.0, 4.2e6), **given
    )
    one = exposure(
        DOSSIERS["amber"],
        (COLLAR,),
        JUMPED,
        pledge=Pledge("Amber Group", 120.0, 4.2e6),
        **given,
    )
    assert one.current_usd - apart.current_usd == pytest.approx(120 * SURFACE.spot - 4.2e6)
    assert one.up_usd - apart.up_usd == pytest.approx(120 * SURFACE.spot * 1.6 - 4.2e6)
    assert one.down_usd == apart.down_usd, "in the fall the coins are worth less than the loan"


def test_greeks_of_a_position_are_those_of_its_legs() -> None:
    one, other = marks((COLLAR, FUTURE), SURFACE, AT)
    up, down = (
        marks((COLLAR,), SURFACE.at_spot(SURFACE.spot * (1.0 + move), AT), AT)[0]
        for move in (0.005, -0.005)
    )
    assert one.gamma_coins == pytest.approx(up.delta_coins - down.delta_coins, rel=0.02)
    later = AT + timedelta(days=1)
    (aged,) = marks((COLLAR,), SURFACE.at_spot(SURFACE.spot, later), later)
    assert one.theta_usd == pytest.approx(aged.value_usd - one.value_usd)
    wanted = 0.0
    for leg in COLLAR.trade.legs:
        years = year_fraction(AT, leg.instrument.expiry)
        forward, strike = SURFACE.forward(years), float(leg.instrument.strike)
        vol = SURFACE.vol(years, strike)
        sign = 1.0 if leg.instrument.kind is Kind.CALL else -1.0
        more, less = (
            black76(sign, forward, strike, vol + bump, years, 1.0) for bump in (0.001, -0.001)
        )
        wanted += float(leg.amount) * 5.0 * (more - less) * SURFACE.spot / forward
    assert one.vega_usd == pytest.approx(wanted, rel=1e-4)
    assert other.vega_usd == 0.0
    assert other.delta_coins == pytest.approx(-100.0)


def test_without_close_out_netting_every_gain_alone_is_exposed() -> None:
    given: dict[str, Any] = {
        "posted_usd": 0.0,
        "held_usd": 0.0,
        "pledge": Pledge("Prairie", 120.0, 4.2e6),
    }
    mirrored = position(
        [("BTC-25DEC26-70000-P", "-100", "0.05"), ("BTC-25DEC26-88000-C", "100", "0.05")]
    )
    netted_ = exposure(DOSSIERS["amber"], (COLLAR, mirrored), JUMPED, **given)
    assert netted_.cases == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)
    bare = replace(DOSSIERS["amber"], closeout_netting=False)
    alone = exposure(bare, (COLLAR, mirrored), JUMPED, **given)
    fall = SURFACE.at_spot(SURFACE.spot * 0.4, AT)
    assert alone.down_usd == pytest.approx(position_value_usd(COLLAR, fall, AT))
    assert alone.up_usd > 0.0
    assert alone.ead_usd > netted_.ead_usd
    both = by_group((alone, replace(alone, dealer="other", surplus_usd=(1e5, 0.0, 1e5))))
    assert both["Amber Group"] == pytest.approx(2.0 * max(alone.down_usd, alone.up_usd))


def test_what_is_in_flight_is_exposed_besides() -> None:
    given: dict[str, Any] = {
        "posted_usd": 0.0,
        "held_usd": 2e5,
        "pledge": Pledge("Prairie", 120.0, 4.2e6),
    }
    bare = exposure(DOSSIERS["amber"], (COLLAR,), JUMPED, **given)
    more = exposure(DOSSIERS["amber"], (COLLAR,), JUMPED, in_flight_usd=5e5, **given)
    assert more.cases == pytest.approx([one + 5e5 for one in bare.cases])


def test_a_sublimit_counts_what_is_on_with_its_dealer() -> None:
    limits = (
        Sublimit(notional_usd=1e6),
        Sublimit(notional_usd=1e6, beyond_months=24),
        Sublimit(notional_usd=1e6, products=("forward",)),
    )
    one = replace(DOSSIERS["amber"], credit=replace(DOSSIERS["amber"].credit, sublimits=limits))
    used = sublimits_used(one, (COLLAR, FUTURE), 80_000.0, AT)
    assert [usd for _, usd in used] == [8e6, 0.0, 0.0]


def test_a_dealer_who_calls_sooner_costs_more() -> None:
    def charge(threshold: float, share: float = 0.0, size: float = 100.0) -> float:
        terms = CollateralTerms(
            threshold_usd=threshold, minimum_transfer_usd=0.0, rounding_usd=0.0,
            independent_share=share, haircut=0.0,
        )  # fmt: skip
        return margin_charge_usd(
            terms, forward=80_000.0, vol=0.45, years=0.5, size=size, financing_rate=0.08
        )

    deviation = (2.0 / 3.0) * 0.45 * 0.5**0.5 * 80_000.0
    assert charge(0.0) == pytest.approx(deviation / (2.0 * np.pi) ** 0.5 * 0.08 * 0.5)
    assert charge(1e10) == pytest.approx(0.0, abs=1e-9)
    assert charge(1e10, 0.05) == pytest.approx(0.05 * 80_000.0 * 0.08 * 0.5)
    rising = [charge(threshold) for threshold in (0.0, 5e5, 1e6, 3e6, 1e7)]
    assert rising == sorted(rising, reverse=True)
    assert charge(1e6, size=200.0) > charge(1e6, size=100.0), "a threshold shared by more coins"
    losses = np.random.default_rng(1).normal(0.0, deviation, 2_000_000)
    drawn = np.maximum(losses - 1e6 / 100.0, 0.0).mean() * 0.08 * 0.5
    assert charge(1e6) == pytest.approx(drawn, rel=3e-3)


def test_a_weaker_dealer_costs_more() -> None:
    costs = [
        credit_charge_usd(DOSSIERS[name], AT.date(), forward=78_000, vol=0.42, years=0.5)
        for name in ("cobalt", "amber", "feldspar")
    ]
    assert costs == sorted(costs)
    assert costs[0] > 0.0


@pytest.mark.parametrize(
    ("used", "allowed", "low", "status"),
    [
        (0.5, 1.0, False, Status.OK), (0.75, 1.0, False, Status.AMBER), (0.9, 1.0, False, Status.STOP),
        (1.0, 1.0, False, Status.STOP), (1.01, 1.0, False, Status.BREACH), (float("nan"), 1.0, False, Status.BREACH),
        (0.0, 0.0, False, Status.OK), (1.0, 0.0, False, Status.BREACH), (0.5, 0.4, True, Status.OK),
        (0.3, 0.4, True, Status.BREACH), (0.0, 0.4, True, Status.BREACH),
    ],
)  # fmt: skip
def test_limits_turn_amber_stop_and_break(used: Any, allowed: Any, low: Any, status: Any) -> None:
    assert (
        Watched(clause="M", name="x", used=used, allowed=allowed, unit="", low_is_bad=low).status
        is status
    )


@pytest.mark.parametrize("course", list(Course))
@pytest.mark.parametrize("days", [1, 2, 3, 30, 374])
@pytest.mark.parametrize("seed", [4, 2026])
def test_courses_average_their_trend_on_either_side_of_the_half_way(
    course: Course, days: int, seed: int
) -> None:
    first = date(2026, 8, 23)
    walked = course_prices(
        course, start=77_054.0, first=first, last=first + timedelta(days=days - 1), seed=seed
    )
    prices = np.array([price for _, price in walked])
    turn = max(int(0.5 * days + 0.5), 1)
    trend = 77_054.0 * course.end_ratio ** np.minimum(np.arange(1, days + 1) / turn, 1.0)
    assert prices[turn - 1] == pytest.approx(trend[-1], abs=0.01)
    assert prices[-1] == pytest.approx(77_054.0 * course.end_ratio, abs=0.01)
    assert prices[:turn].mean() == pytest.approx(trend[:turn].mean(), abs=0.01)
    if days > turn:
        assert prices[turn:].mean() == pytest.approx(trend[turn:].mean(), abs=0.01)
    if course is Course.STABLE:
        assert prices.mean() == pytest.approx(77_054.0, abs=0.01)
    moves = np.diff(np.log(prices / trend))
    if days > 100:
        assert 0.2 < moves.std() * np.sqrt(365.0) < 0.4, "there is noise on the way"


def test_courses_begin_and_end_where_they_should_and_repeat() -> None:
    first, last = date(2026, 8, 23), date(2027, 8, 31)
    for course in Course:
        one = course_prices(course, start=77_054.0, first=first, last=last, seed=4)
        assert one == course_prices(course, start=77_054.0, first=first, last=last, seed=4)
        assert one[0][0] == first
        assert one[-1] == (last, round(77_054.0 * course.end_ratio, 2))
        assert 0.85 < one[0][1] / 77_054.0 < 1.15
    with pytest.raises(Wrong):
        course_prices(Course.BEAR, start=1.0, first=last, last=first, seed=1)
