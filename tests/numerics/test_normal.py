from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.numerics import density, mills, phi, quantile

mpmath.mp.dps = 50


@pytest.mark.parametrize("z", [-37.0, -20.0, -8.0, -5.0001, -5.0, -4.9, -1.0, 0.0, 0.5, 3.0, 8.0])
def test_the_lower_tail_is_accurate_to_the_last_bits(z: Any) -> None:
    exact = mpmath.ncdf(z)
    assert abs(phi(z) / exact - 1) < 1e-14
    assert abs(mills(z) / (exact / mpmath.npdf(z)) - 1) < 1e-14


@pytest.mark.parametrize("p", [1e-300, 1e-20, 1e-5, 0.01, 0.1, 0.42, 0.5, 0.9, 0.999, 1 - 1e-12])
def test_the_quantile_inverts_the_distribution(p: Any) -> None:
    assert abs(mpmath.ncdf(quantile(p)) / mpmath.mpf(p) - 1) < 2e-13


@given(st.floats(min_value=-30, max_value=30))
def test_both_tails_add_up_and_density_is_even(z: Any) -> None:
    assert abs(phi(z) + phi(-z) - 1.0) < 1e-15
    assert density(z) == density(-z)
