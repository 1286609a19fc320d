"""The difficulty model, its answer to price, fees, pools and machines: estimated, proved, refused."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest

from headframe.chain import Retarget, checked_history, retargets
from headframe.codec import prices_from_text
from headframe.feed import read_history
from headframe.mining import (
    KNOWN_MACHINES,
    FeeAveraging,
    Machine,
    Pool,
    PoolScheme,
    PricePaths,
    Windows,
    estimate,
    estimate_fees,
    explained,
    forecast,
    historical_hedges,
    luck_sd,
    machine_named,
    plain,
)
from headframe.units import Month, Wrong
from mines import BTC, HISTORY, START, mine

AT = datetime(2026, 8, 22, tzinfo=UTC)
FIRST = datetime(2012, 1, 1, tzinfo=UTC)


def made_up(
    count: int,
    *,
    drift: float = 0.01,
    noise: float = 0.03,
    memory: float = -0.3,
    season: tuple[float, float] = (0.0, 0.0),
    squeeze: float = 0.0,
    answer: tuple[float, float, float] = (0.0, 0.0, 0.0),
    seed: int = 1,
) -> tuple[tuple[Retarget, ...], tuple[tuple[datetime, float], ...]]:
    """A history drawn from the model itself, with daily prices."""
    draw = np.random.default_rng(seed)
    moves = draw.normal(0.0, 0.08, count + 20)
    levels = 40_000.0 * np.exp(np.cumsum(moves))
    rows = [Retarget(height=0, at=FIRST, bits=None, difficulty=1e12)]
    prices: list[tuple[datetime, float]] = []
    deviation = 0.0
    for number in range(count):
        at = rows[-1].at + timedelta(days=14)
        prices += [(rows[-1].at + timedelta(days=k), float(levels[number + 14])) for k in range(14)]
        deviation = memory * deviation + noise * sqrt(1 - memory**2) * draw.normal()
        year = 2 * np.pi * at.timestamp() / 31_556_952.0
        change = drift + deviation + season[0] * np.cos(year) + season[1] * np.sin(year)
        place = number + 14
        change += answer[0] * moves[place] + answer[1] * moves[place - 6 : place].sum()
        change += answer[2] * moves[place - 13 : place - 6].sum()
        halved = [
            h
            for h in (210_000, 420_000, 630_000, 840_000)
            if rows[-1].height < h + 4032 and h <= rows[-1].height + 2016
        ]
        change += squeeze * (1.0 if halved else 0.0)
        rows.append(
            Retarget(
                height=rows[-1].height + 2016,
                at=at,
                bits=None,
                difficulty=rows[-1].difficulty * exp(change),
            )
        )
    return tuple(rows), tuple(prices)


WIDE = Windows(drift=(400,), noise=(400,), memory=400, season=420)


def test_what_was_put_in_comes_out_within_its_errors() -> None:
    """Over many made-up histories the estimates are right on average and their errors true."""
    found: dict[str, list[float]] = {
        "drift": [],
        "memory": [],
        "cos": [],
        "same": [],
        "six": [],
        "squeeze": [],
    }
    errors: dict[str, list[float]] = {name: [] for name in found}
    for seed in range(40):
        rows, prices = made_up(
            430, season=(0.02, -0.01), answer=(0.15, 0.03, -0.01), squeeze=-0.04, seed=seed
        )
        model = estimate(rows, chain=BTC, prices=prices, windows=WIDE)
        assert model.price is not None
        assert model.squeeze is not None
        assert model.squeeze_se is not None
        for name, value, error in (
            ("drift", model.drift, model.drift_se),
            ("memory", model.memory, model.memory_se),
            ("cos", model.season_cos, model.season_se),
            ("same", model.price.same, model.price.same_se),
            ("six", model.price.six, model.price.six_se),
            ("squeeze", model.squeeze, model.squeeze_se),
        ):
            found[name].append(value)
            errors[name].append(error)
    for name, wanted in (
        ("cos", 0.02),
        ("same", 0.15),
        ("six", 0.03),
        ("squeeze", -0.04),
        ("memory", -0.3),
    ):
        values = np.array(found[name])
        assert values.mean() == pytest.approx(
            wanted, abs=4 * values.std() / sqrt(40) + 0.02 * abs(wanted)
        ), name
        assert np.mean(errors[name]) == pytest.approx(values.std(), rel=0.45), name


def test_a_squeeze_enters_only_when_it_is_told_from_noise() -> None:
    rows, _ = made_up(430, squeeze=-0.10, noise=0.02)
    loud = estimate(rows, chain=BTC, windows=WIDE)
    assert loud.squeeze_used == loud.squeeze == pytest.approx(-0.10, abs=0.02)
    rows, _ = made_up(430, squeeze=0.0)
    quiet = estimate(rows, chain=BTC, windows=WIDE)
    assert quiet.squeeze is not None
    assert quiet.squeeze_used == 0.0
    real = estimate(HISTORY)
    assert real.squeeze is not None
    assert real.squeeze < 0.0


def test_the_halving_squeezes_the_paths_that_pass_it() -> None:
    """From 2028-01 on a halving lies ahead: with a squeeze difficulty is lower after it, coins higher."""
    model = replace(estimate(HISTORY), noise_sd=0.0, last_deviation=0.0)
    calm = replace(START, model=replace(model, squeeze=0.0, squeeze_se=1.0))
    pressed = replace(START, model=replace(model, squeeze=-0.08, squeeze_se=0.01))
    found = [
        forecast(mine(), Month(2026, 9), as_of=AT, start=one, paths=1, months=26)
        for one in (calm, pressed)
    ]
    before, after = 12, 24
    assert found[0].months[before].coins.p50 == pytest.approx(found[1].months[before].coins.p50)
    ratio = found[1].months[after].coins.p50 / found[0].months[after].coins.p50
    assert ratio == pytest.approx(exp(0.24), rel=0.03)


def test_estimation_refuses_what_is_too_short_or_has_holes() -> None:
    past = retargets()
    with pytest.raises(Wrong, match="needs 10"):
        estimate(past[:5])
    with pytest.raises(Wrong, match="without gaps"):
        estimate((*past[-30:-10], *past[-5:]))
    with pytest.raises(Wrong):
        plain(past[:5], window=52)
    model = plain(past, window=52)
    assert model.drift == pytest.approx(0.0077, abs=1e-4)
    assert model.noise_sd == pytest.approx(0.048, abs=1e-3)
    assert model.drift_se == pytest.approx(model.noise_sd / 52**0.5)


def slope_of_coins(
    past: Sequence[Retarget], prices: Sequence[tuple[datetime, float]], days: int
) -> tuple[float, int]:
    """Least-squares slope of log coins of a window on its log price change, from hourly difficulties."""
    starts = np.array([row.at.timestamp() for row in past])
    each = np.array([1.0 / row.difficulty for row in past])
    when = np.array([at.timestamp() for at, _ in prices])
    close = np.array([price for _, price in prices])
    hours = (np.arange(days * 24) + 0.5) * 3600.0
    x: list[float] = []
    y: list[float] = []
    for begin, inverse in zip(starts, each, strict=True):
        end = begin + days * 86_400.0
        ends = [np.searchsorted(when, at, side="right") - 1 for at in (begin, end)]
        if end > starts[-1] or ends[0] < 0 or end - when[ends[1]] > 4 * 86_400.0:
            continue
        mined = each[np.searchsorted(starts, begin + hours, side="right") - 1].mean()
        x.append(log(close[ends[1]] / close[ends[0]]))
        y.append(log(mined / inverse))
    return float(np.polyfit(x, y, 1)[0]), len(x)


def test_the_real_history_answers_to_price_as_was_measured(real_data: Path) -> None:
    """The slopes of coins on price, computed anew here, day by day, without the package's own code."""
    past, _ = checked_history(read_history(real_data / "btc_retargets.csv", BTC), BTC)
    closes = (real_data / "btc_usd_daily_close.csv").read_text()
    prices = prices_from_text(closes, "btc_usd_daily_close.csv")
    found = historical_hedges(past, prices)
    assert [row.months for row in found] == [3, 6, 12]
    for row in found:
        slope, count = slope_of_coins(past, prices, round(365.25 * row.months / 12.0))
        assert row.beta == pytest.approx(slope, abs=2e-4)
        assert row.count == count
        assert row.share == pytest.approx(1.0 + row.beta)
        assert 0.02 < row.beta_se < 0.1
    assert found[-1].beta == pytest.approx(-0.06, abs=0.01)
    assert found[-1].share == pytest.approx(0.94, abs=0.01)
    answer = estimate(past, prices=prices).price
    assert answer is not None
    assert answer.same == pytest.approx(0.118, abs=0.01)
    assert answer.total_se > 0.05
    assert estimate(past, prices=prices[:100]).price is None, (
        "prices that end before the window say nothing"
    )


def test_with_an_answer_to_price_production_and_price_move_together() -> None:
    rows, prices = made_up(300, answer=(0.3, 0.05, 0.0), noise=0.01)
    shifted = tuple(replace(r, at=r.at + (HISTORY[-1].at - rows[-1].at)) for r in rows)
    moved = tuple((at + (HISTORY[-1].at - rows[-1].at), p) for at, p in prices)
    start = replace(
        START,
        last=replace(shifted[-1], height=955_584),
        model=estimate(shifted, prices=moved, windows=WIDE),
    )
    rising = np.linspace(40_000.0, 80_000.0, 60)[None, :].copy()
    falling = np.linspace(40_000.0, 20_000.0, 60)[None, :].copy()
    found = [
        forecast(
            mine(),
            Month(2026, 9),
            as_of=AT,
            start=start,
            prices=PricePaths(p, AT, 604_800.0),
            paths=200,
        )
        for p in (rising, falling)
    ]
    assert found[0].months[-1].coins.p50 < 0.9 * found[1].months[-1].coins.p50
    draw = np.random.default_rng(5)
    walk = 40_000.0 * np.exp(np.cumsum(draw.normal(0.0, 0.07, (2_000, 60)), axis=1))
    made = forecast(
        mine(),
        Month(2026, 9),
        as_of=AT,
        start=start,
        prices=PricePaths(walk, AT, 604_800.0),
        paths=2_000,
    )
    year = made.natural[-1]
    assert year.beta < -4 * year.beta_se
    assert year.share < 1.0
    paths = PricePaths(walk, AT, 604_800.0)
    shown = explained(made, mine(), start=start, prices=paths, measured=made.natural[:1])
    assert {row.risk for row in shown.risks} >= {"difficulty", "price"}
    assert len(shown.natural) == len(made.natural) + 1


def test_fees_are_estimated_with_their_tail() -> None:
    draw = np.random.default_rng(3)
    level, logs = 0.0, []
    for _ in range(4_000):
        level = 0.6 * level + 0.8 * draw.normal()
        logs.append(log(0.01) + 0.5 * level)
    found = estimate_fees([exp(one) for one in logs])
    assert found.outlook.share_median == pytest.approx(0.01, rel=0.1)
    assert found.outlook.log_sd == pytest.approx(0.5, rel=0.1)
    assert found.outlook.persistence == pytest.approx(0.6, abs=0.05)
    assert found.outlook.tail < 0.05
    z = draw.normal(size=4_000)
    heavy = estimate_fees(list(0.01 * np.exp(0.3 * z * np.exp(0.1 * z * z))))
    assert heavy.outlook.tail == pytest.approx(0.2, abs=0.04)
    assert heavy.outlook.log_sd == pytest.approx(0.3, rel=0.05)
    assert heavy.tail_se > 0.0
    with pytest.raises(Wrong, match="12 months"):
        estimate_fees([0.01] * 5)


def test_a_trimmed_mean_loses_the_tail_of_fees() -> None:
    """Against a sorted sample: the mean of the middle 90 % over the mean of all."""
    pool = Pool(
        scheme=PoolScheme.FPPS, fee=0.0, fee_averaging=FeeAveraging.TRIMMED, fee_block_log_sd=0.8
    )
    draw = np.sort(np.exp(0.8 * np.random.default_rng(1).normal(size=400_000)))
    middle = draw[20_000:-20_000].mean() / draw.mean()
    assert pool.fees_counted == pytest.approx(middle, rel=3e-3)
    assert replace(pool, fee_averaging=FeeAveraging.MEAN).fees_counted == 1.0
    assert luck_sd(100.0) == pytest.approx(0.1)
    assert luck_sd(0.0) == 0.0
    # a share of 1 %, 5 %, 20 % of the network over a month
    for share, wanted in ((0.01, 0.151), (0.05, 0.068), (0.20, 0.034)):
        assert luck_sd(share * 4380.0) == pytest.approx(wanted, abs=1e-3)


def test_machines_are_known_by_name_and_algorithm() -> None:
    assert len(KNOWN_MACHINES) == 35
    assert machine_named("Antminer S21", "SHA-256d").joules_per_terahash == 17.5
    assert all(machine.source and machine.released for machine in KNOWN_MACHINES.values())
    with pytest.raises(Wrong, match="did you mean Antminer S21"):
        machine_named("Antminer S 21", "SHA-256d")
    with pytest.raises(Wrong, match="works on Scrypt"):
        machine_named("Antminer L9", "SHA-256d")
    with pytest.raises(Wrong):
        Machine(model="x", hashrate_ths=0.0, power_w=1.0)


def test_ratings_are_those_of_the_table_of_facts(real_data: Path) -> None:
    import csv
    import re

    with (real_data / "asic_specs.csv").open() as file:
        for row in csv.DictReader(file):
            machine = KNOWN_MACHINES[re.sub(r" \(.*\)$", "", row["model"])]
            factor = {"TH/s": 1.0, "GH/s": 1e-3, "kH/s": 1e-9, "kSol/s": 1e-9}[row["unit"]]
            assert machine.hashrate_ths == pytest.approx(float(row["hashrate"]) * factor)
            assert machine.power_w == float(row["power_w"])
            assert machine.released == row["release_ym"]


def test_the_windows_of_a_shuffled_future_do_not_matter() -> None:
    past = HISTORY[:400]
    changed = tuple(
        replace(r, difficulty=r.difficulty * 1.7) if k >= 400 else r for k, r in enumerate(HISTORY)
    )
    assert estimate(changed[:400]) == estimate(past)
    assert all(b.height - a.height == 2016 for a, b in pairwise(changed))


def test_the_natural_hedge_of_a_made_up_history_is_the_answer_put_in() -> None:
    """An answer of .5 in the same period: coins of the window lose half of what difficulty has seen of it."""
    found: list[list[float]] = []
    rows, prices = made_up(400)
    for seed in range(6):
        rows, prices = made_up(400, answer=(0.5, 0.0, 0.0), noise=0.01, seed=seed)
        hedges = historical_hedges(rows, prices)
        assert [row.months for row in hedges] == [3, 6, 12]
        assert all(row.share == pytest.approx(1.0 + row.beta) for row in hedges)
        found.append([row.beta for row in hedges])
    # Difficulty of period j of n knows the first j - 1 of the window's n moves: (n - 1) (n - 2) / 2 of n * n
    # in the mean, of which half is answered.
    count = [365.25 * months / 12.0 / 14.0 for months in (3, 6, 12)]
    wanted = [-0.5 * (n - 1.0) * (n - 2.0) / (2.0 * n * n) for n in count]
    assert np.mean(found, axis=0) == pytest.approx(wanted, abs=0.03)
    assert historical_hedges(rows[:20], prices) == ()
    assert historical_hedges(rows, prices[:30]) == ()
    assert estimate(rows, prices=prices[:20]).price is None
