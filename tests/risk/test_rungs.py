"""The cash ladder on the engine's paths: the run's own figures, a barrier's closed form, limits."""

from math import exp, log, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from headframe.risk import Ladder, Pledge, chance_ladder, prepare, run
from headframe.risk.kernels.cash import FIGURES, LOW
from headframe.units import Wrong
from risk.test_engine import ENGINE, SURFACE, programme

SLOW = pytest.mark.slow
DAYS = ENGINE.calendar.days
PATHS = 4_000
NORM = NormalDist()


def test_the_last_rung_is_what_the_run_says_of_the_whole_horizon() -> None:
    found = chance_ladder(ENGINE, [7, 14, DAYS], {}, paths=PATHS, seed=9)
    results = run(ENGINE, paths=PATHS, seed=9)
    assert found.rungs[-1].out.share == pytest.approx(float((results[:, LOW] < 0.0).mean()))
    # every month's net cash is in what is free at the end, with the hedge settled and nothing posted
    months = (results.shape[1] - FIGURES) // 3
    assert months == len(ENGINE.calendar.months)
    chances = [rung.out.share for rung in found.rungs]
    assert chances == sorted(chances), "what has happened has happened"
    for rung in found.rungs:
        assert list(rung.free_usd) == sorted(rung.free_usd)


def test_on_poor_paths_cash_runs_out_at_a_price_above_todays() -> None:
    poor = prepare(programme(opening=(2e5, 0.0, 0.0, 0.0)))
    found = chance_ladder(poor, [30, poor.calendar.days], {}, paths=PATHS, seed=9)
    assert 0.0 < found.rungs[0].out.share <= found.rungs[1].out.share
    assert found.out_price is not None
    low, middle, high = found.out_price
    assert 0.0 < low <= middle <= high
    rich = prepare(programme(opening=(1e12, 0.0, 0.0, 0.0)))
    never = chance_ladder(rich, [rich.calendar.days], {}, paths=PATHS, seed=9)
    assert (never.out_price, never.rungs[0].out.share) == (None, 0.0)


@pytest.mark.parametrize(
    "share", [pytest.param(0.6, marks=SLOW), 0.8, pytest.param(0.95, marks=SLOW)]
)
def test_a_covenant_breaks_as_often_as_a_barrier_is_crossed(share: float) -> None:
    engine = prepare(programme(Ladder.GBM))
    vol = round(SURFACE.vol_at(0.5, 0.0), 9)
    days = engine.calendar.days
    years = days / 365.0
    drift = log(SURFACE.forward(years) / SURFACE.spot) / years - 0.5 * vol * vol
    barrier = share * SURFACE.spot
    # closes are daily: the barrier watched all day stands 0.5826 sd of a day lower (Broadie et al.)
    shifted = log(barrier / SURFACE.spot) - 0.5826 * vol * sqrt(1.0 / 365.0)
    root = vol * sqrt(years)
    wanted = NORM.cdf((shifted - drift * years) / root)
    wanted += exp(2.0 * drift * shifted / vol**2) * NORM.cdf((shifted + drift * years) / root)
    found = chance_ladder(engine, [days], {"loan": barrier}, paths=40_000, seed=5)
    broken = found.rungs[0].broken["loan"]
    low = found.rungs[0].low_price
    at_low = chance_ladder(engine, [days], {"low": low}, paths=40_000, seed=5)
    assert at_low.rungs[0].broken["low"].share == pytest.approx(0.05, abs=1e-4)
    assert broken.se == pytest.approx(sqrt(broken.share * (1 - broken.share) / 40_000))
    assert abs(broken.share - wanted) < 4.0 * broken.se + 0.01, "carry is not quite flat"


def test_a_covenant_at_todays_price_is_as_good_as_broken_and_one_at_nothing_never() -> None:
    ends = {"high": SURFACE.spot * 10.0, "none": 0.0}
    found = chance_ladder(ENGINE, [DAYS], ends, paths=500, seed=1)
    assert {name: one.share for name, one in found.rungs[0].broken.items()} == {
        "high": 1.0,
        "none": 0.0,
    }


def test_the_same_seed_is_the_same_ladder_and_longer_runs_begin_alike() -> None:
    one, two = (chance_ladder(ENGINE, [30], {}, paths=3_000, seed=4) for _ in range(2))
    assert one == two
    assert np.isfinite(one.rungs[0].free_usd).all()


@pytest.mark.parametrize("days", [[], [0], [14, 7], [7, 7], [10_000]])
def test_days_that_are_none_are_refused(days: list[int]) -> None:
    with pytest.raises(Wrong, match="a ladder has days"):
        chance_ladder(ENGINE, days, {}, paths=500, seed=1)


@pytest.mark.parametrize("paths", [99, 1_000_001])
def test_too_few_and_too_many_paths_are_refused(paths: int) -> None:
    with pytest.raises(Wrong, match="a ladder takes"):
        chance_ladder(ENGINE, [7], {}, paths=paths, seed=1)


def test_coins_that_cure_a_covenant_bring_the_loan_to_its_share() -> None:
    pledge = Pledge("Prairie", 120.0, 4.2e6)
    for price in (20_000.0, 45_000.0):
        more = pledge.short_coins(0.7, price)
        assert 4.2e6 / ((120.0 + more) * price) == pytest.approx(0.7)
    assert pledge.short_coins(0.7, 60_000.0) == 0.0
    assert Pledge("Prairie", 120.0, 0.0).short_coins(0.7, 1.0) == 0.0
