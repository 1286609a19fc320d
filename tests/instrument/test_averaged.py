"""Options on the mean of daily fixings: what they settle at, and what is refused."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.instrument import AveragedOption, Kind
from headframe.units import Wrong

FIRST = date(2026, 11, 1)


def option(kind: Kind = Kind.PUT, coins: str = "10", days: int = 3) -> AveragedOption:
    last = FIRST + timedelta(days=days - 1)
    return AveragedOption(
        kind=kind, strike=Decimal(70_000), coins=Decimal(coins), first=FIRST, last=last
    )


def fixings(*prices: int) -> dict[date, Decimal]:
    return {FIRST + timedelta(days=place): Decimal(price) for place, price in enumerate(prices)}


def test_it_pays_on_the_mean_of_its_fixings() -> None:
    put = option()
    assert put.settle(fixings(60_000, 66_000, 69_000)) == 50_000, "mean 65,000, ten coins"
    assert put.settle(fixings(60_000, 80_000, 80_000)) == 0, "one low day is not enough"
    sold = option(Kind.CALL, "-10")
    assert sold.settle(fixings(80_000, 80_000, 80_001)) == Fraction(-10 * (10_000 * 3 + 1), 3)


@given(st.lists(st.integers(1, 10**6), min_size=3, max_size=3))
def test_put_less_call_is_the_strike_less_the_mean(prices: list[int]) -> None:
    known = fixings(*prices)
    put, call = option().settle(known), option(Kind.CALL).settle(known)
    assert put - call == 10 * (70_000 - Fraction(sum(prices), 3))


def test_a_mean_needs_every_fixing_and_only_prices() -> None:
    with pytest.raises(Wrong, match="the fixing of 2026-11-03 is missing"):
        option().settle(fixings(60_000, 66_000))
    with pytest.raises(Wrong, match="a fixing lies above 0"):
        option().settle(fixings(60_000, 66_000, 0))


def test_what_is_no_option_on_a_mean_is_refused() -> None:
    with pytest.raises(Wrong, match="a put or a call, was forward"):
        option(Kind.FORWARD)
    with pytest.raises(Wrong, match="fixings are 1 to 732"):
        option(days=0)
    with pytest.raises(Wrong, match="fixings are 1 to 732"):
        option(days=800)
    with pytest.raises(Wrong, match="of some coins"):
        option(coins="0")
    with pytest.raises(Wrong, match="a strike must lie"):
        AveragedOption(
            kind=Kind.PUT, strike=Decimal("NaN"), coins=Decimal(1), first=FIRST, last=FIRST
        )
