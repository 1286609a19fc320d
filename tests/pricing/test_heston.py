"""Heston's variance with jumps: thirty digits, limits at no volatility of variance, identities."""

import math
from typing import Any

import mpmath as mp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.pricing import black76, heston_jumps_value, merton_value


def digits(case: tuple[float, ...]) -> float:
    """A call on a forward of 1 by Lewis's integral, Heston's own exponent (1993, as Albrecher 2007), 30 digits.

    No control variate, no limit at xi = 0: 60 digits stand against what cancels.
    """
    with mp.workdps(30):
        numbers: Any = [mp.mpf(one) for one in (*case, *(0.0,) * (10 - len(case)))]
        strike, years, v0, kappa, theta, xi, rho, lam, jump, spread = numbers
        x, mean = -mp.log(strike), mp.exp(jump + spread**2 / 2) - 1

        def heston(w: Any) -> Any:
            with mp.workdps(60):
                b = kappa - rho * xi * mp.j * w
                d = mp.sqrt(b * b + xi * xi * (mp.j * w + w * w))
                g, fall = (b - d) / (b + d), mp.exp(-d * years)
                steady = (b - d) * years - 2 * mp.log((1 - g * fall) / (1 - g))
                return (kappa * theta * steady + v0 * (b - d) * (1 - fall) / (1 - g * fall)) / xi**2

        def integrand(u: Any) -> Any:
            w = u - mp.j / 2
            jumps = mp.exp(mp.j * w * jump - spread**2 * w * w / 2) - 1 - mp.j * w * mean
            return mp.re(mp.exp(heston(w) + lam * years * jumps + mp.j * u * x)) / (u * u + 0.25)

        end = mp.mpf(1)  # the envelope of jumps never rises, so only the diffusion is asked
        while mp.exp(mp.re(heston(end - mp.j / 2))) / end > mp.mpf(10) ** -18:
            end *= 1.3
        turns = 15 / max(abs(x), abs(jump) * (1 + 2 * lam * years), mp.mpf("0.001"))
        knots, width = [mp.mpf(0)], mp.mpf("0.5")
        while knots[-1] < end:
            knots.append(knots[-1] + width)
            width = min(max(width * 1.5, knots[-1] * 0.3), turns)
        total = mp.quad(integrand, knots, method="gauss-legendre", maxdegree=5)
        return float(1 - mp.sqrt(strike) / mp.pi * total)


CASES = (
    # strike, years, v0, kappa, theta, xi, rho, then jumps a year, their mean and deviation
    (1.0, 0.25, 0.3, 2.0, 0.4, 1e-6, 0.3),
    (1.3, 0.25, 0.3, 2.0, 0.4, 1e-5, -0.7),
    (0.7, 1.0, 0.04, 0.5, 0.3, 1e-4, -0.5),
    (1.0, 1.0, 0.04, 0.5, 0.3, 1e-3, 0.9),
    (1.0, 1.0 / 365.0, 0.4, 3.0, 0.3, 0.01, -0.3),
    (1.05, 1.0 / 365.0, 0.4, 3.0, 0.3, 13.0, -0.5),
    (0.95, 7.0 / 365.0, 0.5, 4.5, 0.19, 13.0, -0.54),
    (1.0, 0.25, 0.5, 4.5, 0.19, 13.0, -0.54, 60.0, -0.054, 0.015),
    (0.2, 1.0, 0.3, 3.0, 0.2, 1.5, -0.4, 5.0, -0.05, 0.1),
    (5.0, 1.0, 0.3, 3.0, 0.2, 1.5, 0.4, 5.0, -0.05, 0.1),
    (1.0, 5.0, 0.3, 1e-6, 0.4, 0.5, 0.0),
    (1.4, 2.0, 0.09, 0.0, 0.2, 0.8, 0.6),
    (5.0, 0.25, 0.3, 0.5, 0.1, 2.0, 0.95, 30.0, -0.2, 0.02),
)


@pytest.mark.parametrize("case", CASES)
def test_values_agree_with_thirty_digits(case: tuple[float, ...]) -> None:
    strike, years, *rest = (*case, *(0.0,) * (10 - len(case)))
    wanted = digits(case)
    found = heston_jumps_value(1.0, 1.0, strike, years, 1.0, *rest)
    assert abs(found - wanted) < 1e-11
    put = heston_jumps_value(-1.0, 1.0, strike, years, 1.0, *rest)
    assert put == pytest.approx(wanted - 1.0 + strike, abs=1e-11)


@given(
    strike=st.floats(0.2, 5.0), years=st.floats(1e-3, 10.0), v0=st.floats(0.0, 2.0),
    kappa=st.sampled_from([0.0, 1e-9, 0.5, 20.0]), theta=st.floats(0.0, 1.0), rho=st.floats(-1.0, 1.0),
    lam=st.sampled_from([0.0, 4.0, 60.0]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_without_volatility_of_variance_it_is_merton_at_the_mean_variance(**case: Any) -> None:
    """At 0 itself, and near 0 as near: the difference is of the order of xi."""
    strike, years, kappa = case["strike"], case["years"], case["kappa"]
    v0, theta, lam = case["v0"], case["theta"], case["lam"]
    pull = mp.mpf(kappa * years)
    fading = float(-mp.expm1(-pull) / pull) if pull else 1.0
    sigma = math.sqrt(v0 * fading + theta * float(1 + mp.expm1(-pull) / pull if pull else 0.0))
    wanted = merton_value(-1.0, 1.0, strike, sigma, years, 0.9, lam, -0.05, 0.08)
    shared = (-1.0, 1.0, strike, years, 0.9, v0, kappa, theta)
    assert heston_jumps_value(*shared, 0.0, case["rho"], lam, -0.05, 0.08) == pytest.approx(
        wanted, abs=1e-12
    )
    for xi in (1e-12, 1e-8, 1e-5):
        found = heston_jumps_value(*shared, xi, case["rho"], lam, -0.05, 0.08)
        assert found == pytest.approx(wanted, abs=1e-12 + 20.0 * xi * years)


def test_the_limits_are_blacks_and_the_payoff() -> None:
    plain = heston_jumps_value(1.0, 100.0, 90.0, 0.5, 0.97, 0.25, 0.0, 0.1, 0.0, 0.5, 0.0, 0.0, 0.0)
    assert plain == pytest.approx(black76(1.0, 100.0, 90.0, 0.5, 0.5, 0.97), rel=1e-13)
    still = heston_jumps_value(1.0, 100.0, 90.0, 0.5, 0.97, 0.0, 1.0, 0.0, 0.5, 0.5, 0.0, 0.0, 0.0)
    assert still == pytest.approx(9.7), "no variance at all"
    over = heston_jumps_value(-1.0, 100.0, 90.0, 0.0, 1.0, 0.2, 1.0, 0.2, 0.5, 0.5, 3.0, -0.1, 0.1)
    assert over == 0.0
    many = merton_value(1.0, 100.0, 90.0, 0.5, 10.0, 1.0, 100.0, 0.05, 0.1)
    put = merton_value(-1.0, 100.0, 90.0, 0.5, 10.0, 1.0, 100.0, 0.05, 0.1)
    assert many - put == pytest.approx(10.0, abs=1e-9), "a thousand jumps expected"


@given(
    xi=st.floats(1e-3, 13.0), rho=st.floats(-0.9, 0.9), years=st.floats(0.01, 3.0), low=st.floats(0.3, 2.0)
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_calls_fall_with_the_strike_and_bend_one_way(
    xi: float, rho: float, years: float, low: float
) -> None:
    rest = (years, 1.0, 0.3, 3.0, 0.25, xi, rho, 6.0, -0.04, 0.06)
    calls = [heston_jumps_value(1.0, 1.0, low + step, *rest) for step in (0.0, 0.05, 0.1)]
    assert 1.0 >= calls[0] >= calls[1] - 1e-12 >= calls[2] - 2e-12 >= -2e-12
    assert calls[0] - 2.0 * calls[1] + calls[2] > -1e-11
