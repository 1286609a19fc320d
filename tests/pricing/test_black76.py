import math
import random
from typing import Any

import mpmath
import pytest
import QuantLib
from hypothesis import assume, given
from hypothesis import strategies as st

from headframe.numerics import np
from headframe.pricing import (
    black76,
    black76_greeks,
    inverse_greeks,
    price_batch,
    price_wholesale,
)
from headframe.units import Wrong

mpmath.mp.dps = 50


def exact(sign: Any, F: Any, K: Any, sigma: Any, T: Any, df: Any) -> Any:
    """Black-76 in 50 digits: price, delta, gamma, vega, theta, and the same five in coin."""
    digits: Any = [mpmath.mpf(x) for x in (F, K, sigma, T, df)]
    f, k, vol, t, df = digits
    s = vol * mpmath.sqrt(t)
    d1 = mpmath.log(f / k) / s + s / 2
    d2 = d1 - s
    rate = -mpmath.log(df) / t

    def cdf(z: Any) -> Any:
        return mpmath.erfc(-z / mpmath.sqrt(2)) / 2

    def pdf(z: Any) -> Any:
        return mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)

    price = df * sign * (f * cdf(sign * d1) - k * cdf(sign * d2))
    vega = df * f * pdf(d1) * mpmath.sqrt(t)
    theta = -df * f * pdf(d1) * vol / (2 * mpmath.sqrt(t)) + rate * price
    linear = (price, df * sign * cdf(sign * d1), df * pdf(d1) / (f * s), vega, theta)
    gamma = df * k * (pdf(d2) / s - sign * 2 * cdf(sign * d2)) / f**3
    inverse = (price / f, sign * df * k * cdf(sign * d2) / f**2, gamma, vega / f, theta / f)
    return linear, inverse


def wide_grid(count: Any, seed: Any) -> Any:
    draw = random.Random(seed)
    for _ in range(count):
        F = 10 ** draw.uniform(-2, 6)
        sigma, T = 10 ** draw.uniform(-2.5, 0.8), 10 ** draw.uniform(-4, 1.3)
        s = sigma * T**0.5
        far = draw.random() < 0.8
        K = F * math.exp(draw.uniform(-12, 12) * s) if far else F * (1 + draw.uniform(-1e-6, 1e-6))
        if 1e-12 < K < 1e12:
            yield draw.choice([1.0, -1.0]), F, K, sigma, T, draw.choice([1.0, 0.97, 0.5])


def test_price_and_greeks_to_twelve_digits_over_a_wide_grid() -> None:
    for case in wide_grid(3_000, 7):
        linear, inverse = exact(*case)
        decay = 2 * abs(mpmath.log(case[5]) / case[4] * linear[0]) + abs(linear[4])
        for name, got, want in zip("pdgvt", black76_greeks(*case), linear, strict=True):
            scale: Any = decay if name == "t" else abs(want)  # theta's two parts may cancel
            if scale > 1e-290:
                assert abs(got - want) < 1e-12 * scale, (name, case)
        size = abs(inverse[2]) + 2 * abs(inverse[1]) / case[1]
        for name, got, want in zip("pdgvt", inverse_greeks(*case), inverse, strict=True):
            wide: Any = {"g": size, "t": decay / case[1]}.get(
                name, abs(want)
            )  # gamma crosses zero too
            if wide > 1e-290:
                assert abs(got - want) < 1e-12 * wide, (name, case)


def test_compiled_rows_agree_with_the_scalar_kernels() -> None:
    cases = list(wide_grid(200, 3))
    rows = [(sign, inverse, *rest) for sign, *rest in cases for inverse in (False, True)]
    table = price_batch(rows)
    for row, (sign, inverse, *rest) in zip(table, rows, strict=True):
        wanted = (inverse_greeks if inverse else black76_greeks)(sign, *rest)
        assert row.tolist() == pytest.approx(list(wanted), rel=1e-12, abs=1e-300)


def test_quantlib_agrees_near_the_money() -> None:
    for sign, F, K, sigma, T, df in wide_grid(2_000, 5):
        s = sigma * T**0.5
        if abs(math.log(F / K)) > 2 * s or s < 1e-3:
            continue
        kind = QuantLib.Option.Call if sign > 0 else QuantLib.Option.Put
        theirs = QuantLib.blackFormula(kind, K, F, s, df)
        assert black76(sign, F, K, sigma, T, df) == pytest.approx(theirs, rel=1e-8)


# Haug, "The complete guide to option pricing formulas", 2nd ed., table 1-1 Black-76 example p. 5:
# futures 19, strike 19, T 0.75, r 10 %, sigma 28 %: call and put 1.7011.
def test_haugs_example() -> None:
    df = math.exp(-0.10 * 0.75)
    assert black76(1.0, 19.0, 19.0, 0.28, 0.75, df) == pytest.approx(1.7011, abs=5e-5)
    assert black76(-1.0, 19.0, 19.0, 0.28, 0.75, df) == pytest.approx(1.7011, abs=5e-5)


def test_the_worked_examples_collar_is_not_free() -> None:
    put = black76(-1.0, 40_000.0, 35_000.0, 0.6, 0.25, 1.0)
    call = black76(1.0, 40_000.0, 50_000.0, 0.6, 0.25, 1.0)
    assert (round(put), round(call), round(put - call)) == (2403, 1767, 636)


positive = st.floats(min_value=1e-3, max_value=1e6)
vols = st.floats(min_value=1e-3, max_value=5.0)
years = st.floats(min_value=1e-4, max_value=20.0)


@given(positive, positive, vols, years)
def test_put_call_parity_and_bounds(F: Any, K: Any, sigma: Any, T: Any) -> None:
    call, put = black76(1.0, F, K, sigma, T, 1.0), black76(-1.0, F, K, sigma, T, 1.0)
    assert call - put == pytest.approx(F - K, rel=1e-12, abs=1e-12 * (F + K))
    assert max(F - K, 0.0) <= call <= F
    assert max(K - F, 0.0) <= put <= K


@given(positive, positive, vols, years)
def test_inverse_parity_in_coin(F: Any, K: Any, sigma: Any, T: Any) -> None:
    assume(0.01 < F / K < 100)
    call, put = inverse_greeks(1.0, F, K, sigma, T, 1.0), inverse_greeks(-1.0, F, K, sigma, T, 1.0)
    assert call[0] - put[0] == pytest.approx(1 - K / F, rel=1e-10, abs=1e-10)
    assert call[1] - put[1] == pytest.approx(K / F**2, rel=1e-10)


@given(positive, positive, vols, years, st.floats(min_value=1.001, max_value=2.0))
def test_value_rises_with_volatility(F: Any, K: Any, sigma: Any, T: Any, more: Any) -> None:
    assert black76(1.0, F, K, sigma * more, T, 1.0) >= black76(1.0, F, K, sigma, T, 1.0) * (
        1 - 1e-12
    )


@pytest.mark.parametrize(("sigma", "T"), [(0.0, 1.0), (0.5, 0.0), (0.0, 0.0)])
def test_without_volatility_or_time_an_option_is_its_intrinsic_value(sigma: Any, T: Any) -> None:
    assert black76_greeks(1.0, 110.0, 100.0, sigma, T, 0.9)[:3] == (9.0, 0.9, 0.0)
    assert black76_greeks(-1.0, 110.0, 100.0, sigma, T, 0.9)[:3] == (0.0, -0.0, 0.0)
    at_strike = black76_greeks(1.0, 100.0, 100.0, sigma, T, 1.0)
    assert at_strike[:3] == (0.0, 0.5, math.inf)
    assert inverse_greeks(-1.0, 50.0, 100.0, sigma, T, 1.0)[0] == 1.0


def test_deep_strikes_neither_overflow_nor_go_below_zero() -> None:
    for K in (1e-9, 1e12):
        for sign in (1.0, -1.0):
            figures = black76_greeks(sign, 77_000.0, K, 0.4, 0.1, 1.0)
            assert all(math.isfinite(one) for one in figures)
            assert figures[0] >= 0.0
    assert black76(1.0, 100.0, 100.0, 50.0, 20.0, 1.0) == pytest.approx(100.0)


def test_forwards_linear_and_inverse() -> None:
    linear, inverse = price_batch(
        [(0.0, False, 110.0, 100.0, 0.0, 1.0, 0.9), (0.0, True, 110.0, 100.0, 0.0, 1.0, 1.0)]
    )
    assert linear[:4] == pytest.approx([9.0, 0.9, 0.0, 0.0])
    assert inverse[0] == pytest.approx(10.0 / 110.0)
    assert inverse[1] == pytest.approx(100.0 / 110.0**2)


def test_wholesale_prices_keep_their_promise_to_the_forward() -> None:
    cases = [case for case in wide_grid(2_000, 11) if case[3] * case[4] ** 0.5 < 5.0]
    cases += [(1.0, 100.0, 100.0, 0.0, 1.0, 1.0), (-1.0, 90.0, 100.0, 0.4, 0.0, 1.0)]
    found = price_wholesale(np.array(cases).T)
    for column, case in enumerate(cases):
        price, delta, _, vega, _ = black76_greeks(*case)
        assert abs(found[0, column] - price) <= 2e-15 * case[1] * max(1.0, case[2] / case[1])
        if case[3] * case[4] > 0.0:
            s = case[3] * case[4] ** 0.5
            assert abs(found[1, column] - delta) <= 1e-15 + 3e-16 / s
            assert abs(found[2, column] - vega) <= (1e-14 + 3e-15 / s) * case[1] * case[4] ** 0.5
    for bad in ([[1.0], [0.0], [1.0], [0.1], [1.0], [1.0]], [[0.5], [1.0], [1.0], [0.1], [1.0], [1.0]], [[1.0]]):  # fmt: skip
        with pytest.raises(Wrong):
            price_wholesale(np.array(bad))
