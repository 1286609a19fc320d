from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.chain import CHAINS
from headframe.units import BTC, COINS, CURRENCIES, USD, Money, Wrong, booked, parse_decimal


def test_rounding_is_half_to_even_and_happens_once() -> None:
    assert booked(Fraction(25, 1000), USD).smallest == 2
    assert booked(Fraction(35, 1000), USD).smallest == 4
    assert str(booked("0.123456785", BTC)) == "0.12345678"
    assert str(booked(Decimal("-1.5"), USD)) == "-1.50"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), Decimal("NaN"), 1e30])
def test_what_is_no_amount_is_refused(bad: Any) -> None:
    with pytest.raises(Wrong):
        booked(bad, USD)


@pytest.mark.parametrize(
    "text", ["", "1_000", "１２", "nan", "Infinity", "1e999", "0x10", "1,5", "9" * 5000, "--1"]
)
def test_only_plain_ascii_decimals_are_numbers(text: str) -> None:
    with pytest.raises(Wrong):
        parse_decimal(text)


@given(st.integers(-(10**20), 10**20), st.integers(-(10**20), 10**20))
def test_money_adds_exactly_and_prints_what_it_holds(a: Any, b: Any) -> None:
    one, two = Money(BTC, a), Money(BTC, b)
    assert (one + two).smallest == a + b
    assert (one - two) == -(two - one)
    assert booked(str(one), BTC) == one


def test_currencies_never_mix() -> None:
    with pytest.raises(Wrong, match="mix BTC and USD"):
        _ = Money(BTC, 1) + Money(USD, 1)


def test_the_coins_are_those_of_the_chains_that_have_a_currency() -> None:
    assert {one.coin for one in CHAINS.values()} & set(CURRENCIES) == COINS


@given(
    st.fractions(-(10**12), 10**12) | st.integers(-(10**6), 10**6).map(lambda n: Fraction(n, 1000)),
    st.sampled_from(sorted(CURRENCIES)),
)
def test_an_amount_is_rounded_as_pythons_fractions_round(exact: Fraction, code: str) -> None:
    currency = CURRENCIES[code]
    assert booked(exact, currency).smallest == round(exact * currency.scale)
