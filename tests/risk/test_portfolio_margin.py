"""Portfolio margin: the cells of a future in closed form, limits, identities, a plain second reckoning."""

from dataclasses import replace
from datetime import date, timedelta
from math import erf, exp, log, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.instrument import parse_instrument
from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.risk import Holding, known_model, portfolio_margin
from headframe.units import Wrong, year_fraction

MARKET = sample_market()
SURFACE = surface_of(MARKET)
AT = MARKET.as_of
found = known_model("BTC", date(2026, 8, 22))
assert found is not None
MODEL = found.model
FUTURE, FAR = parse_instrument("BTC-25DEC26"), parse_instrument("BTC-25JUN27")
PUT, CALL = parse_instrument("BTC-25DEC26-70000-P"), parse_instrument("BTC-25DEC26-90000-C")


@pytest.mark.parametrize("coins", [50.0, -50.0])
def test_a_future_loses_what_its_edge_of_the_matrix_says(coins: float) -> None:
    """Sixteen per cent against it: N (1 - 1/(1 + move)), to the last bits; the extended table adds nothing."""
    margin = portfolio_margin([Holding(FUTURE, coins)], SURFACE, AT, MODEL)
    move = -0.16 if coins > 0 else 0.16
    assert margin.worst_move == pytest.approx(move)
    assert margin.matrix_loss == pytest.approx(-coins * (1.0 - 1.0 / (1.0 + move)), rel=1e-12)
    years = year_fraction(AT, FUTURE.expiry)
    assert margin.roll == pytest.approx(50.0 * max(exp(0.075 * years) - 1.0, 0.01), rel=1e-12)
    assert margin.initial == pytest.approx(margin.matrix_loss + margin.roll, rel=1e-12)
    assert margin.maintenance == pytest.approx(0.8 * margin.initial, rel=1e-12)
    assert margin.delta == 0.0


def test_opposite_futures_of_one_expiry_ask_nothing_and_of_two_the_roll() -> None:
    flat = portfolio_margin([Holding(FUTURE, 10.0), Holding(FUTURE, -10.0)], SURFACE, AT, MODEL)
    assert (flat.initial, flat.worst_move) == (0.0, 0.0)
    spread = portfolio_margin([Holding(FUTURE, 10.0), Holding(FAR, -10.0)], SURFACE, AT, MODEL)
    assert spread.matrix_loss == pytest.approx(0.0, abs=1e-12)
    assert spread.roll > 0.1


def plain(sign: float, forward: float, strike: float, vol: float, years: float) -> float:
    """Black-76 by hand."""
    d1 = log(forward / strike) / (vol * sqrt(years)) + 0.5 * vol * sqrt(years)

    def n(x: float) -> float:
        return 0.5 * (1.0 + erf(x / sqrt(2.0)))

    return sign * (forward * n(sign * d1) - strike * n(sign * (d1 - vol * sqrt(years))))


def test_a_short_call_against_a_plain_reckoning_of_every_cell() -> None:
    margin = portfolio_margin([Holding(CALL, -20.0)], SURFACE, AT, MODEL)
    years = year_fraction(AT, CALL.expiry)
    forward, vol = SURFACE.forward(years), SURFACE.vol(years, 90_000.0)
    up = max(vol * (1.0 + 0.5 * (30.0 / (365.0 * years)) ** 0.13), 0.5)
    down = vol * (1.0 - 0.25 * (30.0 / (365.0 * years)) ** 0.13)
    base = plain(1.0, forward, 90_000.0, vol, years)
    cells = []
    for step in range(-4, 5):
        move = 0.04 * step
        for shocked in (down, vol, up):
            value = plain(1.0, forward * (1.0 + move), 90_000.0, shocked, years)
            cells.append(-20.0 * (value - base) / (SURFACE.spot * (1.0 + move)))
    for move in (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0):
        edge = 1.16 if move > 0 else 0.84
        value = plain(1.0, forward * (1.0 + move), 90_000.0, up, years)
        gain = -20.0 * (value - base) / (SURFACE.spot * (1.0 + move))
        scaled = gain * (0.16 / abs(move)) * (1.0 + move) / edge
        damp = min((abs(move) / 0.16 - 1.0) * 100_000.0 / (edge * SURFACE.spot), abs(scaled))
        cells.append(scaled + damp if scaled < 0 else scaled)
    assert margin.matrix_loss == pytest.approx(-min(cells), rel=1e-9)
    assert margin.worst_move > 0.0


def test_a_bought_option_loses_its_worth_at_most_and_a_collar_on_a_future_less_than_the_future() -> (
    None
):
    years = year_fraction(AT, PUT.expiry)
    worth = SURFACE.value(-1.0, years, 70_000.0) / SURFACE.spot
    alone = portfolio_margin([Holding(PUT, 20.0)], SURFACE, AT, MODEL)
    assert alone.matrix_loss <= 20.0 * worth
    long = portfolio_margin([Holding(FUTURE, 20.0)], SURFACE, AT, MODEL)
    guarded = portfolio_margin(
        [Holding(FUTURE, 20.0), Holding(PUT, 20.0), Holding(CALL, -20.0)], SURFACE, AT, MODEL
    )
    assert guarded.matrix_loss < long.matrix_loss


@given(
    st.lists(st.tuples(st.sampled_from([FUTURE, FAR, PUT, CALL]), st.floats(-50, 50)), max_size=6),
    st.floats(0.1, 5.0),
)
def test_margin_grows_with_size_and_is_never_negative(
    rows: list[tuple[object, float]], times: float
) -> None:
    model = replace(MODEL, dampener_usd=0.0, delta_per_coin=0.0)
    held = [Holding(one, coins) for one, coins in rows]  # type: ignore[arg-type]
    more = [Holding(one.instrument, one.coins * times) for one in held]
    small, large = (portfolio_margin(each, SURFACE, AT, model) for each in (held, more))
    assert small.initial >= 0.0
    assert large.initial == pytest.approx(small.initial * times, rel=1e-9, abs=1e-9)


def test_much_net_delta_adds_a_share_that_grows_up_to_its_most() -> None:
    free = MODEL.delta_free_usd / SURFACE.spot
    at = portfolio_margin([Holding(FUTURE, free)], SURFACE, AT, MODEL)
    assert at.delta == 0.0
    much = portfolio_margin([Holding(FUTURE, free + 100.0)], SURFACE, AT, MODEL)
    assert much.delta == pytest.approx(0.00005 * 100.0 * (free + 100.0), rel=1e-9)
    assert much.initial == pytest.approx(much.matrix_loss + much.roll + much.delta, rel=1e-12)
    most = portfolio_margin([Holding(FUTURE, -9_000.0)], SURFACE, AT, MODEL)
    assert most.delta == pytest.approx(0.10 * 9_000.0)


def test_parameters_lie_where_they_can() -> None:
    for name, value, words in (
        ("price_range", 1.0, "price_range lies between 0 and 1"),
        ("buckets", 0, "in 0"),
        ("vol_up", -0.1, "vol_up of a portfolio model lies between 0 and 50"),
        ("delta_free_usd", float("nan"), "delta_free_usd"),
    ):
        changed: dict[str, Any] = {name: value}
        with pytest.raises(Wrong, match=words):
            replace(MODEL, **changed)


def test_parameters_are_dated() -> None:
    assert known_model("BTC", date(2020, 1, 1)) is None
    assert known_model("DOGE", date(2026, 1, 1)) is None
    later = portfolio_margin([Holding(FUTURE, -5.0)], SURFACE, AT + timedelta(days=60), MODEL)
    assert later.initial > 0.0
