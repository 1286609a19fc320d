"""Shares add up, are nearly proportional, and depend on nothing but their weights."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.units import Wrong, shared_out

STEP = Decimal("0.1")


@given(st.integers(1, 100_000), st.lists(st.integers(0, 1_000), min_size=1, max_size=8))
def test_shares_add_up_and_lie_within_a_step_of_proportion(steps: int, weights: list[int]) -> None:
    total, parts = STEP * steps, [Decimal(one) for one in weights]
    if not any(parts):
        with pytest.raises(Wrong, match="not all zero"):
            shared_out(total, parts, STEP)
        return
    shares = shared_out(total, parts, STEP)
    assert sum(shares) == total
    for share, weight in zip(shares, parts, strict=True):
        assert abs(share - total * weight / sum(parts)) < STEP
        assert share % STEP == 0


def test_what_cannot_be_shared_out() -> None:
    for total, weights in ((Decimal(0), [1]), (Decimal("0.05"), [1]), (Decimal(1), [-1, 2])):
        with pytest.raises(Wrong):
            shared_out(total, [Decimal(one) for one in weights], STEP)
