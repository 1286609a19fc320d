"""Averages with a volatility for each fixing: Haug's table, drawn prices, limits, identities."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.feed import read_chain_csv
from headframe.market import sample_market
from headframe.pricing import (
    AverageOption,
    Surface,
    black76,
    equivalent_years,
    fixing_vols,
    mean_variance,
    surface_of,
    term_vols,
)
from headframe.pricing.kernels import average_value
from headframe.risk import averaged_worth, averaging_basis, daily_vols
from headframe.units import Wrong

SURFACE = surface_of(sample_market())

HAUG = """
 80  19.5152  19.5063  19.5885   0.0090   0.0001   0.0823
 90  10.1437   9.8313  10.7062   0.3906   0.0782   0.9531
100   3.2700   2.2819   4.3370   3.2700   2.2819   4.3370
110   0.5515   0.1314   1.2429  10.3046   9.8845  10.9960
120   0.0479   0.0016   0.2547  19.5541  19.5078  19.7609
"""
"""Calls flat, up and down, then puts: spot 100, no carry, rate 5 %, 26 weekly fixings to half a year, 20 %
at the last and 0.5 % less (up) or more (down) for every week before. Haug, The complete guide to option
pricing formulas, 2nd edition (2007), table 4-28, page 201; also in the tests of QuantLib."""


def test_two_moments_match_haugs_table_of_sloped_volatilities() -> None:
    times = np.arange(1, 27) / 52.0
    weeks = np.arange(26.0)
    slopes = (np.full(26, 0.2), 0.2 - 0.005 * (25.0 - weeks), 0.2 + 0.005 * (25.0 - weeks))
    for line in HAUG.strip().splitlines():
        strike, *wanted = (float(cell) for cell in line.split())
        for place, expected in enumerate(wanted):
            sign, vols = (1.0, -1.0)[place // 3], slopes[place % 3]
            found = average_value(sign, np.full(26, 100.0), times, strike, vols, math.exp(-0.025), False)  # fmt: skip
            assert found == pytest.approx(expected, abs=6e-5), (line, place)


def test_the_table_is_priced_from_rows_as_it_is_printed() -> None:
    """Conditioning on the geometric mean is within two moments' error of the table, both slopes."""
    weeks = range(26)
    for sign, wanted, slope in ((1.0, 2.2819, -0.005), (-1.0, 4.3370, 0.005)):
        vols = tuple(0.2 + slope * (25 - week) for week in weeks)
        option = average(
            sign=sign, years=0.5, first_fixing_years=1 / 52, fixings=26, discount=math.exp(-0.025), vols=vols
        )  # fmt: skip
        (price, *_), rough = option.figures()
        assert rough == pytest.approx(wanted, abs=6e-5)
        assert price == pytest.approx(wanted, abs=0.02)


def average(**changed: Any) -> AverageOption:
    given_: dict[str, Any] = {
        "sign": 1.0, "forward": 100.0, "strike": 100.0, "vol": 0.6, "years": 0.25, "discount": 0.99,
        "fixings": 30, "first_fixing_years": 0.17,
    }  # fmt: skip
    return AverageOption(**(given_ | changed))


def drawn(sign: float, forwards: Any, times: Any, strike: float, vols: Any) -> tuple[float, float]:
    """Mean and standard error of what drawn prices pay: independent steps, each with its own variance."""
    steps = np.diff(np.concatenate([[0.0], vols**2 * times]))
    assert (steps >= 0.0).all()
    draws = np.random.default_rng(5).standard_normal((100_000, len(times)))
    paid = np.zeros(100_000)
    for mirrored in (draws, -draws):
        walk = np.cumsum(mirrored * np.sqrt(steps) - 0.5 * steps, axis=1)
        paid += 0.5 * np.maximum(sign * ((forwards * np.exp(walk)).mean(axis=1) - strike), 0.0)
    return float(paid.mean()), float(paid.std() / math.sqrt(len(paid)))


CRASH, CALM = ((0.02, 1.1), (0.08, 0.75), (0.25, 0.55)), ((0.02, 0.30), (0.08, 0.36), (0.25, 0.42))


@pytest.mark.parametrize("curve", [CRASH, CALM])
@pytest.mark.parametrize(("sign", "strike"), [(-1.0, 100.0), (-1.0, 80.0), (1.0, 115.0)])
def test_sloped_averages_agree_with_drawn_prices(curve: Any, sign: float, strike: float) -> None:
    times = np.arange(1, 91) / 365.0
    forwards = 100.0 * np.exp(0.05 * times)
    vols = np.array(term_vols(curve, times.tolist()))
    mean, error = drawn(sign, forwards, times, strike, vols)
    found = average_value(sign, forwards, times, strike, vols, 1.0, True)
    assert abs(found - mean) < 4.0 * error + 5e-3, "5e-5 of the forward is the method's own error"


def test_one_volatility_for_all_is_several_percent_off_where_the_curve_slopes() -> None:
    """A 90-day put at the money at the volatility of a third of the time: too dear in a crash, else too cheap."""
    times = np.arange(1, 91) / 365.0
    for curve, low, high in ((CRASH, 0.02, 0.10), (CALM, -0.10, -0.02)):
        vols = np.array(term_vols(curve, times.tolist()))
        right = average_value(-1.0, np.full(90, 100.0), times, 100.0, vols, 1.0, True)
        (third,) = term_vols(curve, [float(times.mean()) * 2.0 / 3.0])
        single = average_value(
            -1.0, np.full(90, 100.0), times, 100.0, np.full(90, third), 1.0, True
        )
        assert low < single / right - 1.0 < high


def test_a_flat_curve_is_the_single_volatility_to_the_last_bit() -> None:
    plain, sloped = average(), average(vols=(0.6,) * 30)
    assert plain.figures() == sloped.figures()
    times, forwards = np.arange(1, 13) / 12.0, np.full(12, 100.0)
    for accurate in (False, True):
        one = average_value(1.0, forwards, times, 105.0, 0.6, 0.98, accurate)
        each = average_value(1.0, forwards, times, 105.0, np.full(12, 0.6), 0.98, accurate)
        assert one == each


def test_one_fixing_is_a_european_option_at_its_own_volatility() -> None:
    one = average(fixings=1, first_fixing_years=0.25, vol=0.1, vols=(0.8,)).figures()[0]
    assert one[0] == pytest.approx(black76(1.0, 100.0, 100.0, 0.8, 0.25, 0.99), rel=1e-9)
    found = averaged_worth(-1.0, 70_000.0, SURFACE, [0.3])
    assert found == pytest.approx(SURFACE.value(-1.0, 0.3, 70_000.0), rel=1e-9)


@given(
    near=st.floats(0.2, 1.2), far=st.floats(0.2, 1.2), strike=st.floats(60.0, 160.0), count=st.integers(1, 60)
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_call_less_put_is_the_forward_whatever_the_curve(
    near: float, far: float, strike: float, count: int
) -> None:
    times = np.linspace(0.02, 0.5, count)
    variance = np.maximum.accumulate(
        np.linspace(near**2 * 0.02, max(far**2 * 0.5, near**2 * 0.02), count)
    )
    vols = np.sqrt(variance / times)
    forwards = 100.0 * np.exp(-0.1 * times)
    call, put = (
        average_value(sign, forwards, times, strike, vols, 0.97, True) for sign in (1.0, -1.0)
    )
    assert call - put == pytest.approx(0.97 * (forwards.mean() - strike), abs=1e-9)
    more = average_value(1.0, forwards, times, strike, vols * 1.05, 0.97, True)
    assert more >= call - 1e-9, "more variance at every fixing is worth more"


def test_vega_is_of_a_move_of_every_fixings_volatility() -> None:
    vols = term_vols(CRASH, average().times().tolist())
    bumped = [average(vols=tuple(v + move for v in vols)).figures()[0][0] for move in (-1e-3, 1e-3)]
    assert average(vols=vols).figures()[0][3] == pytest.approx(
        (bumped[1] - bumped[0]) / 2e-3, rel=1e-4
    )


@pytest.mark.parametrize(
    ("vols", "said"),
    [
        ((0.5,) * 29, "one volatility for each of the 30"),
        ((0.5,) * 29 + (-0.1,), "from 0 to 100"),
        ((0.5,) * 29 + (math.nan,), "from 0 to 100"),
        ((0.9,) * 15 + (0.3,) * 15, "does not fall"),
    ],
)
def test_impossible_volatilities_are_refused(vols: Any, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        average(vols=vols)


def test_a_term_structure_runs_straight_in_total_variance() -> None:
    found = term_vols(((0.1, 0.8), (0.5, 0.5)), (0.05, 0.1, 0.3, 0.5, 2.0))
    half = math.sqrt((0.64 * 0.1 + 0.25 * 0.5) / 2.0 / 0.3)
    assert found == pytest.approx((0.8, 0.8, half, 0.5, 0.5))


YEARS = [day / 365.0 for day in range(1, 91)]


@pytest.mark.parametrize("strike", [1.0, 30_000.0, 70_000.0, 77_000.0, 95_000.0, 2e6])
def test_each_fixing_has_the_surfaces_volatility_of_its_date(strike: float) -> None:
    vols = fixing_vols(SURFACE, YEARS, strike)
    variances = [vol * vol * t for vol, t in zip(vols, YEARS, strict=True)]
    assert all(a <= b * (1.0 + 1e-12) for a, b in pairwise(variances))
    mean = sum(SURFACE.forward(t) for t in YEARS) / len(YEARS)
    if strike in {70_000.0, 77_000.0, 95_000.0}:
        last = SURFACE.vol_at(YEARS[-1], math.log(strike / mean))
        assert vols[-1] == pytest.approx(last, rel=1e-9)
    assert 0.1 < min(vols) <= max(vols) < 2.0, "no fixing is read where nobody quotes"
    variance = mean_variance(YEARS, vols)
    away = math.log(strike / mean)
    spread = equivalent_years(SURFACE, variance, away, YEARS[-1])
    assert 0.2 * YEARS[-1] < spread < 0.6 * YEARS[-1]
    if strike in {70_000.0, 77_000.0, 95_000.0}:
        assert SURFACE.vol_at(spread, away) ** 2 * spread == pytest.approx(variance, rel=1e-9)


def test_days_grow_the_surfaces_variance() -> None:
    vols = daily_vols(SURFACE, 120)
    assert (vols >= 0.0).all()
    assert (vols**2).sum() / 365.0 == pytest.approx(SURFACE.vol_at(120 / 365, 0.0) ** 2 * 120 / 365)
    even, end = np.full(120, 1 / 120), np.eye(120)[-1]
    flat = averaging_basis(even, end, np.full(120, 0.5))
    assert flat == averaging_basis(even, end, 0.5)
    front = averaging_basis(even, end, np.concatenate([np.full(60, 0.8), np.full(60, 0.1)]))
    assert front[0] < flat[0], "an early move is shared by most of both means"


def chain(real_data: Path, name: str) -> Surface:
    return surface_of(read_chain_csv((real_data / "deribit_chains" / name).read_text(), name=name))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("btc_chain_20260206T043012Z.csv", -0.06, -0.01), ("btc_chain_20260114T212207Z.csv", 0.0, 0.06)],
)  # fmt: skip
def test_on_real_chains_the_mark_is_what_drawn_prices_pay(
    real_data: Path, name: str, low: float, high: float
) -> None:
    """A 90-day put at the money; ``low`` to ``high`` is what one volatility for all fixings missed by."""
    surface = chain(real_data, name)
    times = np.array(YEARS)
    forwards = np.array([surface.forward(t) for t in YEARS])
    strike = float(forwards.mean())
    vols = np.array([surface.vol_at(t, 0.0) for t in YEARS])
    mean, error = drawn(-1.0, forwards, times, strike, vols)
    found = averaged_worth(-1.0, strike, surface, YEARS)
    assert abs(found - mean) < 4.0 * error + 1e-4 * strike
    count = len(YEARS)
    third = sum(t * (2 * (count - i) + 1) for i, t in enumerate(YEARS, start=1)) / count**2
    single = np.full(count, surface.vol_at(third, 0.0))
    before = average_value(-1.0, np.full(count, strike), times, strike, single, 1.0, True)
    assert low < found / before - 1.0 < high
