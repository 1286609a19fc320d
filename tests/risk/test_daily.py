"""Whole paths against what the same run keeps of them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from headframe.risk import Ladder, daily_paths, hedge_of, prepare, run, summary
from headframe.units import Wrong
from risk.test_engine import MARKET, SETS, leg, programme

MADE = programme(
    Ladder.HESTON_JUMPS, months=3, upfront_usd=40_000.0, opening=(1e6, 5e5, 10.0, 3.0),
    hedge=hedge_of(
        (leg("BTC-25SEP26-70000-P", 20.0, 0.0, "amber"),
         leg("BTC-25SEP26-86000-C", -20.0, 0.0, "amber", 20.0),
         leg("BTC-30OCT26", -700_000.0, 77_700.0, "venue", 9.0)),
        SETS,
        MARKET.as_of,
    ),
)  # fmt: skip
ENGINE = prepare(MADE)


@pytest.fixture(scope="module")
def whole() -> Any:
    return daily_paths(MADE, ENGINE, paths=700, seed=4)


def test_whole_paths_come_to_what_the_run_keeps_of_them(whole: Any) -> None:
    results = run(ENGINE, paths=700, seed=4)
    names = list(summary(ENGINE, results, covenant_usd=0.0).figures)
    column = {name: results[:, place].astype(float) for place, name in enumerate(names)}
    days = ENGINE.calendar.days
    assert whole.price_usd.shape == whole.liquidity_usd.shape == (700, days + 1)
    assert whole.coins.shape == (700, days)
    assert np.allclose(whole.price_usd[:, -1], column["end_price_usd"], rtol=2e-7, atol=0.0)
    assert np.allclose(whole.coins.sum(axis=1), column["coins"], rtol=2e-7, atol=0.0)
    lowest = whole.liquidity_usd.min(axis=1)
    assert np.allclose(lowest, column["lowest_liquidity_hedged_usd"], rtol=2e-7, atol=0.5)
    bare = whole.liquidity_unhedged_usd.min(axis=1)
    assert np.allclose(bare, column["lowest_liquidity_unhedged_usd"], rtol=2e-7, atol=0.5)
    assert np.abs(whole.liquidity_usd - whole.liquidity_unhedged_usd).max() > 1e5


def test_whole_paths_are_the_first_whatever_the_number(whole: Any) -> None:
    few = daily_paths(MADE, ENGINE, paths=3, seed=4)
    for name, array in few.arrays().items():
        assert (array == whole.arrays()[name][:3]).all(), name
    assert few.at[0] == MADE.as_of
    assert few.at[-1] - few.at[0] == timedelta(days=ENGINE.calendar.days)


def test_whole_paths_open_with_what_there_is_and_move_as_mined(whole: Any) -> None:
    opened = 1e6 + 5e5 + 13.0 * MARKET.index
    assert whole.liquidity_unhedged_usd[:, 0] == pytest.approx(opened)
    assert whole.liquidity_usd[:, 0] == pytest.approx(opened - 40_000.0)
    assert (whole.variance >= 0.0).all()
    assert (whole.coins > 0.0).all()
    # a bucket's difficulty and coins belong together: the same machines, harder blocks, fewer coins
    level = np.log(whole.coins * whole.difficulty)
    assert np.corrcoef(np.log(whole.difficulty[:, -1]), np.log(whole.coins[:, -1]))[0, 1] < -0.9
    assert level[:, -1].std() < np.log(whole.coins[:, -1]).std()


@pytest.mark.parametrize("paths", [0, 10_001])
def test_whole_paths_are_of_some_thousands_at_most(paths: int) -> None:
    with pytest.raises(Wrong, match="1 to 10,000"):
        daily_paths(MADE, ENGINE, paths=paths, seed=4)


def test_whole_paths_of_a_mine_without_a_hedge_are_the_same_twice() -> None:
    made = replace(MADE, hedge=hedge_of((), (), MADE.as_of), upfront_usd=0.0)
    few = daily_paths(made, prepare(made), paths=5, seed=4)
    assert (few.liquidity_usd == few.liquidity_unhedged_usd).all()
