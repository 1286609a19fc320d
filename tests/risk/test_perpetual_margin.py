"""Perpetuals under the venue's margin, in marks and in simulations: published examples and limits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from headframe.book import Position, TradeLeg
from headframe.instrument import parse_instrument, perpetual_of
from headframe.risk import (
    RULE_SETS,
    Units,
    contract_month,
    hedge_in_force,
    leg_price,
    leg_value_usd,
    marks,
    netted,
    rule_set,
    venue_margin_coins,
)
from headframe.units import NO_EXPIRY, Month
from tests_support import FUTURE, SURFACE, TERMS

AT = datetime(2026, 2, 1, tzinfo=UTC)
"""Before August 2026: the rules of the published examples."""
INVERSE, LINEAR = perpetual_of("BTC"), perpetual_of("BTC", "USDC")


def held(instrument: Any, coins: Any, price: Any = None) -> Position:
    price = Decimal(repr(SURFACE.spot)) if price is None else Decimal(price)
    size = Decimal(coins)
    amount = size * price if instrument.amount_in_usd else size
    month = FUTURE.trade.designations[0]
    trade = replace(
        FUTURE.trade,
        size=size,
        legs=(TradeLeg(instrument=instrument, amount=-amount, price=price),),
        designations=(replace(month, coins=size),),
    )
    return Position(trade=trade, remaining=((month.month, size),))


@pytest.mark.parametrize(("coins", "asked"), [(25, 0.53125), (350, 13.125)])
@pytest.mark.parametrize("instrument", [INVERSE, LINEAR])
def test_initial_margin_is_that_of_the_published_examples(
    coins: int, asked: float, instrument: Any
) -> None:
    """Deribit support, "Linear Perpetual" and "Inverse perpetual": 2 % + 0.005 % a coin."""
    rules, _ = rule_set(AT.date(), RULE_SETS)
    mine = netted((held(instrument, coins),))
    assert venue_margin_coins(mine, Units(SURFACE, AT), rules) == pytest.approx(asked, rel=1e-12)


def test_a_perpetual_is_priced_at_the_index_and_has_the_delta_of_its_coins() -> None:
    for one in (INVERSE, LINEAR):
        assert leg_price(one, SURFACE, AT) == SURFACE.spot
    inverse, linear = (marks((held(one, 10),), SURFACE, AT)[0] for one in (INVERSE, LINEAR))
    assert inverse.value_usd == pytest.approx(0.0, abs=1e-6)
    assert linear.value_usd == pytest.approx(0.0, abs=1e-6)
    # value in USD of an inverse one at a moved spot: A (1/entry - 1/S) S = A S / entry - A
    assert inverse.delta_coins == pytest.approx(-10.0, rel=1e-9)
    assert linear.delta_coins == pytest.approx(-10.0, rel=1e-9)
    assert linear.theta_usd == pytest.approx(0.0, abs=1e-6)


def test_a_dated_future_tends_to_the_perpetual_as_its_expiry_comes() -> None:
    near = parse_instrument("BTC-25DEC26")
    at = near.expiry - timedelta(seconds=1)
    amount, entry = -800_000.0, 80_000.0
    dated = leg_value_usd(near, amount, entry, SURFACE, at)
    assert leg_value_usd(INVERSE, amount, entry, SURFACE, at) == pytest.approx(dated, rel=1e-6)


def test_a_simulation_runs_a_perpetual_to_the_end_of_its_last_month() -> None:
    position = held(INVERSE, 10)
    ((month, _),) = position.remaining
    hedge = hedge_in_force((position,), TERMS, AT)
    days = (month.end - AT).total_seconds() / 86_400.0
    assert hedge.legs[0][4] == round(days)
    assert contract_month(position) == month
    assert contract_month(FUTURE) == Month.of(FUTURE.trade.expiry)
    assert position.trade.expiry == NO_EXPIRY
