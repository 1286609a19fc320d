"""What moved a position adds up, each cause alone is found as that cause, and little is left over."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.risk import explain, mark, position_value_usd
from risk.test_netting import position

MARKET = sample_market()
SURFACE = surface_of(MARKET)
AT = MARKET.as_of
DAY = timedelta(days=1)
HELD = [
    position("BTC-25DEC26", -700_000, 77_000, 10, dealer="amber", last=None),
    position("BTC-25DEC26-70000-P", 10, 1, 10, dealer="amber", last=None),
    position("BTC-25DEC26-90000-C", -10, 1, 10, dealer="amber", last=None),
    position("BTC_USDC-25DEC26-70000-P", 10, 1, 10, dealer="amber", last=None),
]


def higher(vols: float, forwards: float) -> Any:
    """The sample market with every volatility and forward raised by a share."""
    return surface_of(
        replace(
            MARKET,
            forwards=tuple(
                replace(one, price=one.price * (1.0 + forwards)) for one in MARKET.forwards
            ),
            typed=tuple(
                replace(one, vols=tuple((delta, vol * (1.0 + vols)) for delta, vol in one.vols))
                for one in MARKET.typed
            ),
        )
    )


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("ratio", [0.95, 0.99, 1.0, 1.01, 1.05])
def test_the_parts_add_up_and_a_day_leaves_little_unexplained(held: Any, ratio: float) -> None:
    after = SURFACE.at_spot(SURFACE.spot * ratio, AT + DAY)
    found = explain(held, SURFACE, AT, after, AT + DAY)
    total = position_value_usd(held, after, AT + DAY) - position_value_usd(held, SURFACE, AT)
    assert found.total == pytest.approx(total, abs=1e-6)
    gross = abs(found.delta) + abs(found.time) + abs(found.gamma)
    assert abs(found.unexplained) <= 0.02 * gross + 1.0
    assert abs(found.vega) + abs(found.carry) < 1e-6 * (gross + 1.0), (
        "nothing but time and price moved"
    )


def test_time_alone_is_time_and_price_alone_is_price() -> None:
    put = HELD[1]
    later = explain(put, SURFACE, AT, SURFACE.at_spot(SURFACE.spot, AT + DAY), AT + DAY)
    assert later.time < 0.0
    assert (later.delta, later.gamma) == (0.0, 0.0)
    fall = explain(put, SURFACE, AT, SURFACE.at_spot(SURFACE.spot * 0.98, AT), AT)
    assert fall.time == pytest.approx(0.0, abs=1e-9)
    assert fall.delta > 0.0
    assert fall.gamma > 0.0


def test_volatility_alone_is_vega_and_forwards_alone_are_carry() -> None:
    for held in HELD[1:]:
        found = explain(held, SURFACE, AT, higher(0.02, 0.0), AT)
        assert abs(found.vega) > 20.0 * (
            abs(found.carry) + abs(found.delta) + abs(found.unexplained)
        )
    for held in HELD:
        found = explain(held, SURFACE, AT, higher(0.0, 0.002), AT)
        assert abs(found.carry) > 5.0 * (abs(found.vega) + abs(found.unexplained))
    future = explain(HELD[0], SURFACE, AT, higher(0.02, 0.002), AT)
    assert future.vega == 0.0
    assert future.unexplained == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=25)
@given(st.floats(0.9, 1.1), st.floats(-0.05, 0.05), st.integers(0, 72))
def test_whatever_happens_the_parts_add_up(ratio: float, vols: float, hours: int) -> None:
    at = AT + timedelta(hours=hours)
    after = higher(vols, 0.0).at_spot(SURFACE.spot * ratio, at)
    for held in HELD:
        found = explain(held, SURFACE, AT, after, at)
        total = position_value_usd(held, after, at) - position_value_usd(held, SURFACE, AT)
        assert found.total == pytest.approx(total, abs=1e-6)
        assert found.plus(found).total == pytest.approx(2.0 * total, abs=1e-6)


@pytest.mark.parametrize("shift", [-0.5, 0.0, 0.5])
@pytest.mark.parametrize("name", ["BTC-25DEC26-70000-P", "BTC_USDC-25DEC26-70000-P"])
def test_no_greek_is_a_difference_over_the_strike_of_an_expiring_option(
    name: str, shift: float
) -> None:
    held = position(name, 10, 1, 10, dealer="amber", last=None)
    expiry = held.trade.legs[0].instrument.expiry
    surface = SURFACE.at_spot(70_000.0 + shift, expiry)
    found = mark(held, surface, expiry)
    assert found.delta_coins == pytest.approx(10.0 * (-1.0, -0.5, 0.0)[round(shift * 2) + 1])
    assert found.gamma_coins == 0.0
    assert found.value_usd == pytest.approx(10.0 * max(-shift, 0.0))
    moved = explain(held, surface, expiry, surface.at_spot(69_000.0, expiry), expiry)
    assert moved.gamma == 0.0
    assert moved.delta == pytest.approx(found.delta_coins * (69_000.0 - surface.spot))
