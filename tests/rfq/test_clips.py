"""Clips add up, are even, and never above the most."""

from decimal import ROUND_CEILING, Decimal

from hypothesis import given
from hypothesis import strategies as st

from headframe.rfq import next_clip

TENTHS = st.integers(1, 1_000_000).map(lambda n: Decimal(n) / 10)


@given(TENTHS, TENTHS)
def test_clips_add_up_are_even_and_as_few_as_can_be(size: Decimal, most: Decimal) -> None:
    if size / most > 500:
        most = (size / 500).quantize(Decimal("0.1")) + Decimal("0.1")
    left, clips = size, list[Decimal]()
    while left > 0:
        clips.append(next_clip(left, most))
        left -= clips[-1]
    assert sum(clips) == size
    assert max(clips) <= most
    assert len(clips) == (size / most).to_integral_value(ROUND_CEILING), "no fewer would do"
    assert max(clips) - min(clips) <= Decimal("0.1") * len(clips)


def test_all_at_once_where_it_fits() -> None:
    assert next_clip(Decimal("41.3"), None) == Decimal("41.3")
    assert next_clip(Decimal("41.3"), Decimal("41.3")) == Decimal("41.3")
    assert next_clip(Decimal("41.3"), Decimal("41.2")) == Decimal("20.7")
