from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.instrument import (
    Kind,
    Leg,
    Structure,
    StructureKind,
    cash_flow,
    parse_instrument,
    payoff,
)
from headframe.units import Wrong

NAMES = [
    "BTC-25DEC26",
    "BTC-25DEC26-70000-P",
    "BTC-5MAR27-100000-C",
    "BTC_USD-1SEP27-FWD",
    "XRP_USDC-30JUN23-0d625-C",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_read_and_written_alike(name: str) -> None:
    assert parse_instrument(name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "BTC",
        "BTC-25DEC26-70000-X",
        "BTC-25DEC26--P",
        "BTC-25DEC26-nan-P",
        "BTC-25DEC26-0-P",
        "A" * 50,
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(Wrong):
        parse_instrument(name)


PRICES = st.fractions(min_value=1, max_value=10**7)


@given(PRICES, PRICES)
def test_inverse_and_linear_options_pay_the_same_dollars(settlement: Any, strike: Any) -> None:
    strike = round(strike)
    for letter in "PC":
        coin = payoff(
            parse_instrument(f"BTC-25DEC26-{strike}-{letter}"), Fraction(3), settlement, Fraction(0)
        )
        usd = payoff(
            parse_instrument(f"BTC_USD-25DEC26-{strike}-{letter}"),
            Fraction(3),
            settlement,
            Fraction(0),
        )
        assert coin * settlement == usd >= 0


@given(PRICES, PRICES)
def test_a_short_inverse_future_locks_its_price(settlement: Any, entry: Any) -> None:
    future = parse_instrument("BTC-25DEC26")
    coins = payoff(future, -entry, settlement, entry)  # one coin sold: entry dollars of notional
    assert settlement * (1 + coins) == entry
    linear = parse_instrument("BTC_USD-25DEC26")
    assert settlement + payoff(linear, Fraction(-1), settlement, entry) == entry


@given(PRICES)
def test_put_call_parity_at_expiry(settlement: Any) -> None:
    put, call = (parse_instrument(f"BTC_USD-25DEC26-50000-{one}") for one in "PC")
    gap = payoff(call, Fraction(1), settlement, Fraction(0)) - payoff(
        put, Fraction(1), settlement, Fraction(0)
    )
    assert gap == settlement - 50_000


def test_a_price_of_zero_settles_nothing() -> None:
    with pytest.raises(Wrong):
        payoff(parse_instrument("BTC-25DEC26-70000-P"), Fraction(1), Fraction(0), Fraction(0))
    with pytest.raises(Wrong):
        payoff(parse_instrument("BTC-25DEC26"), Fraction(1), Fraction(5), Fraction(0))


def test_premium_is_paid_by_the_buyer_and_futures_cost_nothing() -> None:
    assert cash_flow(
        parse_instrument("BTC-25DEC26-70000-P"), Fraction(10), Fraction(1, 20)
    ) == Fraction(-1, 2)
    assert cash_flow(parse_instrument("BTC-25DEC26"), Fraction(10), Fraction(5)) == 0


def test_structures_name_each_instrument_once() -> None:
    put = parse_instrument("BTC-25DEC26-70000-P")
    with pytest.raises(Wrong):
        Structure(StructureKind.PROTECTIVE_PUT, (Leg(put, 1), Leg(put, 1)))
    with pytest.raises(Wrong):
        Structure(StructureKind.PROTECTIVE_PUT, ())
    with pytest.raises(Wrong):
        Leg(put, 0)
    one = Structure(StructureKind.PROTECTIVE_PUT, (Leg(put, 1),))
    assert one.strike(Kind.PUT) == Decimal(70000)
    assert one.strike(Kind.CALL) is None
