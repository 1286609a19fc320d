"""Figures to 12 digits: what differs by machine is gone, what does not stays."""

from dataclasses import dataclass
from math import nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.units import steadied, steady

FIGURES = st.floats(min_value=-1e30, max_value=1e30, allow_nan=False, allow_subnormal=False)


@dataclass(frozen=True)
class Inner:
    value: float
    name: str


@dataclass(frozen=True)
class Outer:
    inner: Inner | None
    values: tuple[float, ...]
    count: int
    yes: bool


@given(FIGURES)
def test_it_stays_within_half_a_unit_of_the_twelfth_digit_and_is_reached_at_once(
    value: float,
) -> None:
    once = steady(value)
    assert once == pytest.approx(value, rel=5.0001e-12, abs=0.0)
    assert steady(once) == once


@pytest.mark.parametrize(
    "value", [0.002394961284594284, -0.30597328002102897, 133870825069000.9, 0.1, 0.0]
)
def test_neighbours_of_a_figure_come_to_the_same(value: float) -> None:
    assert steady(nextafter(value, 1e300)) == steady(value) or value == 0.0
    assert steady(nextafter(value, -1e300)) == steady(value) or value == 0.0


def test_a_value_keeps_all_that_is_no_float() -> None:
    third = 1.0 / 3.0
    found = steadied(Outer(Inner(third, "a"), (third, 2.0), 10**15 + 1, yes=True))
    assert found == Outer(Inner(0.333333333333, "a"), (0.333333333333, 2.0), 10**15 + 1, yes=True)
    assert steadied(Outer(None, (), 1, yes=False)) == Outer(None, (), 1, yes=False)
