"""Averages, barriers, jumps and stochastic variance: tables, limits, identities, other programs."""

import math
from typing import Any

import numpy as np
import pytest
import QuantLib
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headframe.pricing import (
    AverageOption,
    BarrierOption,
    black76,
    black76_greeks,
    carry_and_rate,
    heston_jumps_value,
    merton_value,
)
from headframe.pricing.kernels import average_value, barrier_value
from headframe.units import Wrong

TODAY = QuantLib.Date(1, 1, 2025)
DAYS = QuantLib.Actual365Fixed()


def process(spot: Any, rate: Any, dividend: Any, vol: Any) -> Any:
    QuantLib.Settings.instance().evaluationDate = TODAY
    return QuantLib.BlackScholesMertonProcess(
        QuantLib.QuoteHandle(QuantLib.SimpleQuote(spot)),
        flat(dividend),
        flat(rate),
        QuantLib.BlackVolTermStructureHandle(
            QuantLib.BlackConstantVol(TODAY, QuantLib.NullCalendar(), vol, DAYS)
        ),
    )


def flat(rate: Any) -> Any:
    return QuantLib.YieldTermStructureHandle(QuantLib.FlatForward(TODAY, rate, DAYS))


def side(sign: Any) -> Any:
    return QuantLib.Option.Call if sign > 0 else QuantLib.Option.Put


HAUG = """
down out  95  9.0246  6.7924  4.8759
down out 100  3.0000  3.0000  3.0000
up   out 105  2.6789  2.3580  2.3453
down in   95  7.7627  4.0109  2.0576
down in  100 13.8333  7.8494  3.9795
up   in  105 14.1112  8.4482  4.5910
"""
"""Calls at strikes 90, 100, 110: spot 100, rebate 3, half a year, rate 8 %, carry 4 %, volatility
25 %. Haug, The complete guide to option pricing formulas, 2nd edition (2007), table 4-13."""


def test_barriers_match_haugs_table() -> None:
    for line in HAUG.strip().splitlines():
        way, what, level, *prices = line.split()
        for strike, wanted in zip((90.0, 100.0, 110.0), prices, strict=True):
            found = barrier_value(
                1.0, way == "up", what == "in", 100.0, strike, float(level), 3.0, 0.25, 0.5, 0.04, 0.08
            )  # fmt: skip
            assert found == pytest.approx(float(wanted), abs=5.1e-5), line


@given(
    sign=st.sampled_from([1.0, -1.0]),
    up=st.booleans(),
    enters=st.booleans(),
    strike=st.floats(40.0, 220.0),
    away=st.floats(0.01, 0.6),
    vol=st.floats(0.1, 1.2),
    rebate=st.sampled_from([0.0, 5.0]),
    days=st.integers(5, 800),
)
@settings(max_examples=150, deadline=None)
def test_barriers_agree_with_quantlib(**case: Any) -> None:
    sign, up, enters, vol = case["sign"], case["up"], case["enters"], case["vol"]
    level = 100.0 * (1.0 + case["away"] if up else 1.0 - case["away"])
    kind = ("Up" if up else "Down") + ("In" if enters else "Out")
    option = QuantLib.BarrierOption(
        getattr(QuantLib.Barrier, kind),
        level,
        case["rebate"],
        QuantLib.PlainVanillaPayoff(side(sign), case["strike"]),
        QuantLib.EuropeanExercise(TODAY + case["days"]),
    )
    option.setPricingEngine(QuantLib.AnalyticBarrierEngine(process(100.0, 0.05, 0.02, vol)))
    found = barrier_value(
        sign, up, enters, 100.0, case["strike"], level, case["rebate"], vol, case["days"] / 365.0, 0.03, 0.05
    )  # fmt: skip
    assert found == pytest.approx(option.NPV(), abs=2e-9)


def test_knocked_in_and_out_make_the_plain_option_and_hold_at_their_limits() -> None:
    for sign, up, level, strike in ((1.0, True, 120.0, 90.0), (-1.0, False, 70.0, 95.0)):
        shared = (100.0, strike, level, 0.0, 0.8, 0.7, 0.01, 0.02)
        both = sum(barrier_value(sign, up, enters, *shared) for enters in (True, False))
        plain = black76(sign, 100.0 * math.exp(0.007), strike, 0.8, 0.7, math.exp(-0.014))
        assert both == pytest.approx(plain, rel=1e-12)
    assert barrier_value(1.0, True, False, 100.0, 90.0, 100.0, 2.0, 0.5, 1.0, 0.0, 0.0) == 2.0
    assert barrier_value(1.0, True, True, 100.0, 90.0, 99.0, 2.0, 0.0, 1.0, 0.0, 0.0) == 10.0
    tiny = barrier_value(1.0, False, False, 100.0, 90.0, 60.0, 0.0, 0.01, 0.1, 0.0, 0.0)
    assert tiny == pytest.approx(10.0, abs=1e-9), "no overflow where the power is huge"
    drifted = barrier_value(1.0, True, False, 100.0, 90.0, 104.0, 3.0, 0.0, 1.0, 0.05, 0.05)
    assert drifted == pytest.approx(3.0 * 104.0**-1 * 100.0)
    never = barrier_value(-1.0, False, True, 100.0, 90.0, 80.0, 3.0, 0.0, 1.0, 0.05, 0.05)
    assert never == pytest.approx(3.0 * math.exp(-0.05))


def test_a_barriers_greeks_are_the_plain_options_far_from_it() -> None:
    option = BarrierOption(
        sign=-1.0, up=True, enters=False, spot=100.0, strike=95.0, barrier=1e6, rebate=0.0,
        vol=0.6, years=0.5, carry=0.04, rate=0.05,
    )  # fmt: skip
    forward = 100.0 * math.exp(0.02)
    plain = black76_greeks(-1.0, forward, 95.0, 0.6, 0.5, math.exp(-0.025))
    price, delta, gamma, vega, _ = option.figures()
    assert price == pytest.approx(plain[0], rel=1e-12)
    assert (delta, gamma, vega) == pytest.approx(plain[1:4], rel=1e-5)
    assert carry_and_rate(100.0, forward, math.exp(-0.025), 0.5) == pytest.approx((0.04, 0.05))
    assert carry_and_rate(100.0, 101.0, 0.9, 0.0) == (0.0, 0.0)


def test_a_rebate_at_the_touch_needs_a_rate_that_bounds_it() -> None:
    option = BarrierOption(
        sign=1.0, up=True, enters=False, spot=100.0, strike=95.0, barrier=130.0, rebate=1.0,
        vol=0.2, years=0.5, carry=0.02, rate=-0.5,
    )  # fmt: skip
    with pytest.raises(Wrong, match="so far below zero"):
        option.figures()


LEVY = ((2, 1.3942835683), (4, 1.5852442983), (8, 1.66970673), (12, 1.6980019214), (26, 1.7255070456),
        (52, 1.7401553533), (100, 1.7478303712), (250, 1.7490291943))  # fmt: skip
"""Arithmetic average puts by Monte Carlo: spot 90, strike 87, volatility 13 %, rate 2.5 %, yield 6 %,
fixings evenly from now to 11/12 of a year. Levy in Clewlow and Strickland (editors), Exotic options:
the state of the art (1997), as the test suite of QuantLib carries them."""


def test_average_options_match_levys_table() -> None:
    years = 11.0 / 12.0
    for fixings, wanted in LEVY:
        option = AverageOption(
            sign=-1.0,
            forward=90.0 * math.exp(-0.035 * years),
            strike=87.0,
            vol=0.13,
            years=years,
            discount=math.exp(-0.025 * years),
            fixings=fixings,
            first_fixing_years=0.0,
            carry=-0.035,
        )
        assert option.figures()[0][0] == pytest.approx(wanted, abs=3e-3), fixings


def test_two_moments_agree_with_quantlibs_turnbull_and_wakeman() -> None:
    days = [30 * step for step in range(1, 13)]
    option = QuantLib.DiscreteAveragingAsianOption(
        QuantLib.Average.Arithmetic,
        0.0,
        0,
        [TODAY + day for day in days],
        QuantLib.PlainVanillaPayoff(QuantLib.Option.Call, 105.0),
        QuantLib.EuropeanExercise(TODAY + 360),
    )
    option.setPricingEngine(QuantLib.TurnbullWakemanAsianEngine(process(100.0, 0.04, 0.01, 0.7)))
    times = np.array(days) / 365.0
    forwards = 100.0 * np.exp(0.03 * times)
    found = average_value(1.0, forwards, times, 105.0, 0.7, math.exp(-0.04 * times[-1]), False)
    assert found == pytest.approx(option.NPV(), rel=1e-10)


@pytest.mark.parametrize(
    ("fixings", "vol", "strike", "sign"),
    [(2, 0.6, 1.0, 1.0), (12, 0.6, 1.05, -1.0), (30, 0.45, 0.9, 1.0), (90, 1.0, 1.2, 1.0)],
)
def test_conditioning_agrees_with_monte_carlo_under_a_geometric_control(
    fixings: Any, vol: Any, strike: Any, sign: Any
) -> None:
    times = np.arange(1, fixings + 1) / fixings
    draw = np.random.default_rng(11)
    arithmetic, geometric = [], []
    for _ in range(8):
        steps = draw.standard_normal((25_000, fixings)) / math.sqrt(fixings)
        logs = vol * np.cumsum(steps, axis=1) - 0.5 * vol**2 * times
        arithmetic.append(np.maximum(sign * (np.exp(logs).mean(axis=1) - strike), 0.0))
        geometric.append(np.maximum(sign * (np.exp(logs.mean(axis=1)) - strike), 0.0))
    plain, control = np.concatenate(arithmetic), np.concatenate(geometric)
    variance = vol**2 * float(np.minimum.outer(times, times).mean())
    level = math.exp(0.5 * variance - 0.5 * vol**2 * float(times.mean()))
    known = black76(sign, level, strike, math.sqrt(variance), 1.0, 1.0)
    slope = float(np.cov(plain, control)[0, 1] / control.var())
    rest = plain - slope * (control - known)
    error = float(rest.std()) / math.sqrt(len(rest))
    found = average_value(sign, np.ones(fixings), times, strike, vol, 1.0, True)
    rough = average_value(sign, np.ones(fixings), times, strike, vol, 1.0, False)
    assert abs(found - rest.mean()) < 4.0 * error + 2e-5
    assert abs(found - rest.mean()) < abs(rough - rest.mean()) + 4.0 * error


def average(**changed: Any) -> AverageOption:
    given: dict[str, Any] = {
        "sign": 1.0, "forward": 100.0, "strike": 100.0, "vol": 0.6, "years": 0.25, "discount": 0.99,
        "fixings": 30, "first_fixing_years": 0.17,
    }  # fmt: skip
    return AverageOption(**(given | changed))


def test_averages_hold_at_their_limits() -> None:
    one = average(fixings=1, first_fixing_years=0.25).figures()[0]
    assert one == pytest.approx(black76_greeks(1.0, 100.0, 100.0, 0.6, 0.25, 0.99), rel=2e-5)
    assert average(vol=0.0, strike=90.0).figures()[0][0] == pytest.approx(9.9)
    done = average(done=30, fixed=110.0).figures()[0]
    assert done[0] == pytest.approx(9.9)
    assert done[1:4] == (0.0, 0.0, 0.0)
    deep = average(done=15, fixed=230.0).figures()[0]
    assert deep[0] == pytest.approx(0.99 * (0.5 * 230.0 + 0.5 * 100.0 - 100.0)), "a forward by now"
    call, put = (
        average(strike=97.0).figures()[0][0],
        average(strike=97.0, sign=-1.0).figures()[0][0],
    )
    assert call - put == pytest.approx(0.99 * 3.0, rel=1e-12)


def test_a_schedule_can_be_told_from_its_start_or_from_the_next_fixing() -> None:
    whole = average(years=0.05, first_fixing_years=-0.0225, done=10, fixed=99.0)
    step = 0.0725 / 29
    coming = average(years=0.05, first_fixing_years=-0.0225 + 10 * step, done=10, fixed=99.0)
    assert coming.times() == pytest.approx(whole.times())
    assert whole.figures()[0] == pytest.approx(coming.figures()[0], rel=1e-9)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fixings": 0}, "fixings must be"),
        ({"fixings": 5_000}, "fixings must be"),
        ({"done": 31, "fixed": 100.0}, "fixings_done"),
        ({"first_fixing_years": 0.3}, "must not exceed years"),
        ({"done": 10, "fixed": 0.0}, "mean of the fixings done"),
        ({"done": 10, "fixed": 1_000.0}, "mean of the fixings done"),
        ({"first_fixing_years": -0.2, "done": 3, "fixed": 100.0}, "behind it"),
    ],
)
def test_impossible_averages_are_refused(changed: Any, said: Any) -> None:
    with pytest.raises(Wrong, match=said):
        average(**changed)


@given(
    strike=st.floats(60.0, 170.0),
    days=st.integers(20, 1_000),
    rho=st.floats(-0.8, 0.8),
    xi=st.floats(0.2, 1.5),
    lam=st.sampled_from([0.0, 3.0]),
)
@example(strike=159.75, days=20, rho=0.0, xi=0.25, lam=0.0)
@settings(max_examples=60, deadline=None)
def test_heston_and_bates_agree_with_quantlib(
    strike: Any, days: Any, rho: Any, xi: Any, lam: Any
) -> None:
    QuantLib.Settings.instance().evaluationDate = TODAY
    spot = QuantLib.QuoteHandle(QuantLib.SimpleQuote(100.0))
    option = QuantLib.VanillaOption(
        QuantLib.PlainVanillaPayoff(QuantLib.Option.Call, strike),
        QuantLib.EuropeanExercise(TODAY + days),
    )
    if lam:
        process_ = QuantLib.BatesProcess(
            flat(0.0), flat(0.0), spot, 0.3, 2.0, 0.4, xi, rho, lam, -0.08, 0.1
        )
        engine, model = QuantLib.BatesEngine, QuantLib.BatesModel(process_)
    else:
        process_ = QuantLib.HestonProcess(flat(0.0), flat(0.0), spot, 0.3, 2.0, 0.4, xi, rho)
        engine, model = QuantLib.AnalyticHestonEngine, QuantLib.HestonModel(process_)
    found = heston_jumps_value(
        1.0, 100.0, strike, days / 365.0, 1.0, 0.3, 2.0, 0.4, xi, rho, lam, -0.08, 0.1
    )
    assert found == pytest.approx(converged(option, engine, model), abs=2e-8)


def converged(option: Any, engine: Any, model: Any) -> float:
    """QuantLib's value at the finest tolerance at which its own quadrature comes to an end.

    At 1e-12 it gives up now and then, also on harmless figures; each tolerance is finer than what is asked.
    """
    for tolerance in (1e-12, 1e-11, 1e-10):
        option.setPricingEngine(engine(model, tolerance, 100_000))
        try:
            return float(option.NPV())
        except RuntimeError as error:
            if "max number of iterations" not in str(error):
                raise
    raise AssertionError("QuantLib has no value here")


def test_merton_is_heston_whose_variance_stands_still_and_black_without_jumps() -> None:
    for strike in (70.0, 100.0, 150.0):
        series = merton_value(1.0, 100.0, strike, 0.5, 0.4, 0.98, 4.0, -0.1, 0.15)
        integral = heston_jumps_value(
            1.0, 100.0, strike, 0.4, 0.98, 0.25, 1.0, 0.25, 1e-4, 0.0, 4.0, -0.1, 0.15
        )
        assert series == pytest.approx(integral, abs=1e-6)
        bare = merton_value(-1.0, 100.0, strike, 0.5, 0.4, 0.98, 0.0, 0.0, 0.0)
        assert bare == pytest.approx(black76(-1.0, 100.0, strike, 0.5, 0.4, 0.98), rel=1e-12)


def test_garman_and_kohlhagen_is_black_on_the_forward() -> None:
    option = QuantLib.VanillaOption(
        QuantLib.PlainVanillaPayoff(QuantLib.Option.Put, 95.0),
        QuantLib.EuropeanExercise(TODAY + 200),
    )
    option.setPricingEngine(QuantLib.AnalyticEuropeanEngine(process(100.0, 0.045, 0.012, 0.65)))
    years = 200 / 365
    forward = 100.0 * math.exp((0.045 - 0.012) * years)
    found = black76(-1.0, forward, 95.0, 0.65, years, math.exp(-0.045 * years))
    assert found == pytest.approx(option.NPV(), rel=1e-12)
