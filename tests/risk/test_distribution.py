"""Standard errors against how far figures of many samples really lie apart."""

import numpy as np
import pytest

from headframe.risk import Ladder, chance_ladder, prepare, profiles
from headframe.risk.distribution import LEVELS, Spread, spread
from risk.test_engine import programme
from risk.test_profiles import FREE, FULL, engine, facing

SAMPLES = 400


def samples(kind: str, count: int = 4_000) -> list[Spread]:
    draw = np.random.default_rng(17)
    if kind == "log-normal":
        return [spread(np.exp(0.6 * draw.standard_normal(count))) for _ in range(SAMPLES)]
    if kind == "normal":
        return [spread(3.0 + 2.0 * draw.standard_normal(count)) for _ in range(SAMPLES)]
    return [spread(-draw.exponential(size=count)) for _ in range(SAMPLES)]


@pytest.mark.parametrize("kind", ["log-normal", "normal", "a long tail below"])
def test_errors_are_how_far_samples_lie_apart(kind: str) -> None:
    found = samples(kind)
    for figure, error in (
        ("mean", "mean_se"), ("low_mean", "low_mean_se"), ("high_mean", "high_mean_se"),
        ("at_risk", "at_risk_se"), ("shortfall", "shortfall_se"),
    ):  # fmt: skip
        apart = np.std([getattr(one, figure) for one in found], ddof=1)
        said = np.mean([getattr(one, error) for one in found])
        assert said == pytest.approx(apart, rel=0.12), figure
    for level in LEVELS:
        apart = np.std([one.at(level) for one in found], ddof=1)
        said = np.mean([one.se_at(level) for one in found])
        assert said == pytest.approx(apart, rel=0.15 if 0.02 < level < 0.98 else 0.35), level


def test_what_does_not_stray_has_no_error() -> None:
    for values in (np.full(50, 7.0), np.array([7.0])):
        one = spread(values)
        assert (one.mean, one.low_mean, one.high_mean) == (7.0, 7.0, 7.0)
        assert set(one.quantiles) == {7.0}
        assert {one.mean_se, one.low_mean_se, one.high_mean_se, one.at_risk_se} == {0.0}
        assert {*one.quantiles_se, one.shortfall_se} == {0.0}


def test_errors_halve_with_four_times_the_paths() -> None:
    draw = np.random.default_rng(3)
    few, many = spread(draw.standard_normal(20_000)), spread(draw.standard_normal(80_000))
    for error in ("mean_se", "low_mean_se", "high_mean_se", "at_risk_se", "shortfall_se"):
        assert getattr(few, error) / getattr(many, error) == pytest.approx(2.0, rel=0.1)


def test_errors_of_exposure_are_how_far_seeds_lie_apart() -> None:
    made = engine(FREE, FULL, months=3)
    sides = [facing("0"), facing("1", falls_with_coin=1.0)]
    runs = [profiles(made, sides, paths=1_000, seed=seed) for seed in range(60)]
    for side in (0, 1):
        found = [one[side] for one in runs]
        for figure in ("epe", "cva", "cva_wrong_way"):
            apart = np.std([getattr(one, f"{figure}_usd") for one in found], ddof=1)
            said = np.mean([getattr(one, f"{figure}_se") for one in found])
            assert said == pytest.approx(apart, rel=0.35), figure
        for place in range(3):
            apart = np.std([one.instants[6].quantiles[place] for one in found], ddof=1)
            said = np.mean([one.instants[6].quantiles_se[place] for one in found])
            assert said == pytest.approx(apart, rel=0.4), place


def test_errors_of_the_ladder_are_how_far_seeds_lie_apart() -> None:
    made, days = prepare(programme(Ladder.GBM, months=2)), [30, 60]
    runs = [chance_ladder(made, days, {}, paths=1_000, seed=seed) for seed in range(60)]
    for rung in (0, 1):
        for place in range(5):
            apart = np.std([one.rungs[rung].free_usd[place] for one in runs], ddof=1)
            said = np.mean([one.rungs[rung].free_se[place] for one in runs])
            assert said == pytest.approx(apart, rel=0.4), place
        apart = np.std([one.rungs[rung].low_price for one in runs], ddof=1)
        said = np.mean([one.rungs[rung].low_price_se for one in runs])
        assert said == pytest.approx(apart, rel=0.4)


def test_the_price_at_which_cash_runs_out_and_its_cure_have_their_errors() -> None:
    poor = prepare(programme(opening=(2e5, 0.0, 0.0, 0.0)))
    days = [30, poor.calendar.days]
    runs = [
        chance_ladder(poor, days, {}, paths=1_000, seed=seed).cured(lambda price: 3.0 - price / 4e4)
        for seed in range(60)
    ]
    prices = [one.out_price for one in runs if one.out_price is not None]
    errors = [one.out_price_se for one in runs if one.out_price_se is not None]
    assert len(prices) == len(errors) == 60
    for place in range(3):
        apart = np.std([one[place] for one in prices], ddof=1)
        assert np.mean([one[place] for one in errors]) == pytest.approx(apart, rel=0.4), place
    for rung in (0, 1):
        apart = np.std([one.cures[rung] for one in runs], ddof=1)
        assert np.mean([one.cures_se[rung] for one in runs]) == pytest.approx(apart, rel=0.4)
