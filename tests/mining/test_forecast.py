from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest

from headframe.chain import HASHES_PER_DIFFICULTY, Retarget, chain_of, latest, retargets
from headframe.mining import (
    KNOWN_MACHINES,
    Batch,
    FeeOutlook,
    Firmware,
    Pool,
    PoolScheme,
    PricePaths,
    estimate,
    explained,
    fine,
    first_full_month,
    forecast,
    lognormal_prices,
    month_edges,
    plain,
    simulate,
    start_of,
    steady,
    steady_bands,
)
from headframe.mining.kernels import simulate_coins
from headframe.mining.kernels.fleet import below
from headframe.mining.simulation import by_point
from headframe.numerics import compiled
from headframe.risk import Pledge
from headframe.units import Month, Wrong, months_from
from mines import BTC, HISTORY, MODEL, START, mine, site

AT = datetime(2026, 8, 22, tzinfo=UTC)


def arguments(
    fleet_hs: Any = (1e18,),
    edges: Any = (0.0, 864_000.0),
    *,
    difficulty: float = 1e14,
    height: float = 840_000.0,
    model: Any = (),
    fees: Any = (0.0, 0.0, 0.0, 0.0, 1.0),
    pool: Any = (0.0, 1.0, 0.0, 0.0),
    uptime: Any = (0.0, 1.0),
    prices: Any = None,
    changes: Any = (),
    strays: Any = (),
    groups: Any = (),
    steps: Any = (1_050_000.0,),
    rewards: Any = (3.125, 1.5625),
    paths: int = 1,
    seed: int = 1,
    by_period: int = 0,
    periods: int = 0,
) -> Any:
    """Everything the kernel takes: one span of the fleet for each bucket."""
    spans = np.array(edges if edges[0] == 0.0 else (0.0, *edges), dtype=np.float64)
    hashes = [0.0, fleet_hs[0]] if edges[0] else []
    for one in fleet_hs:
        hashes += [0.0, one]
    count = len(spans) - 1
    buckets = periods or len(fleet_hs)
    return (
        seed,
        0,
        np.array(
            [difficulty, height, 2016.0, 2015.0, 600.0, HASHES_PER_DIFFICULTY, np.log(4.0), 0.0]
        ),
        np.array(steps),
        np.array(rewards),
        padded(model, 17),
        np.array([padded(row, 14) for row in (changes, strays, groups)]),
        by_point(np.empty((0, 0)) if prices is None else np.array(prices, dtype=np.float64)),
        np.array([86_400.0, 0.0]),
        spans,
        np.arange(count, dtype=np.int64),
        np.arange(count + 1, dtype=np.int64),
        np.full(count, -1.0),
        np.array(hashes),
        np.zeros(2 * count),
        np.zeros(count),
        np.zeros((0, 4)),
        np.array(fees),
        np.array(uptime),
        np.array(pool),
        np.array(edges, dtype=np.float64),
        by_period,
        *(np.empty((paths, buckets)) for _ in range(4)),
    )


def padded(values: Any, count: int) -> Any:
    return np.array([*values, *([0.0] * (count - len(values)))])


def coins(*given: Any, **named: Any) -> Any:
    """Coins of the kernel, subsidy and fees together."""
    taken = arguments(*given, **named)
    simulate_coins(*taken)
    return taken[-4] + taken[-3]


def test_a_fleet_that_is_the_whole_network_finds_a_block_every_ten_minutes() -> None:
    hashrate = 1e14 * HASHES_PER_DIFFICULTY / 600.0
    assert coins((hashrate,), (0.0, 86_400.0))[0, 0] == pytest.approx(144 * 3.125, rel=1e-12)


def test_twice_the_difficulty_is_half_the_coins_and_the_pool_keeps_its_share() -> None:
    one = coins()[0, 0]
    assert coins(difficulty=2e14)[0, 0] == pytest.approx(one / 2)
    assert coins(pool=(0.02, 1.0, 0.0, 0.0))[0, 0] == pytest.approx(one * 0.98)
    assert coins(fees=(0.05, 0.0, 0.0, 0.0, 1.0))[0, 0] == pytest.approx(one * 1.05)
    assert coins(fees=(0.05, 0.0, 0.0, 0.0, 0.9))[0, 0] == pytest.approx(one * 1.045)


def test_a_halving_inside_the_month_is_split_to_the_block() -> None:
    period = 1_209_600.0 * 2016 / 2015
    before = coins((1e18,), (0.0, period), height=1_049_999.0 - 2016)[0, 0]
    across = coins((1e18,), (0.0, period), height=1_050_000.0 - 1008)[0, 0]
    assert across == pytest.approx(before * 0.75, rel=1e-6)


def test_months_add_up_to_the_whole() -> None:
    edges = (0.0, 2e6, 5e6, 9e6)
    model = (0.01, 0.05, -0.2, 0.0)
    parts = coins((1e18,) * 3, edges, model=model, paths=50)
    whole = coins((1e18,), (0.0, 9e6), model=model, paths=50)
    # the shocks are drawn by step, so the same paths come back however the time is cut
    assert parts.sum(axis=1) == pytest.approx(whole[:, 0], rel=1e-12)


CASES: list[dict[str, Any]] = [
    {},
    {"uptime": (0.05, 1.05), "fees": (0.01, 0.5, 0.6, 0.1, 0.9)},
    {"pool": (0.01, 0.2, 1.0, 1.0)},
    {
        "prices": [[100.0 * 1.01**k for k in range(120)]],
        "changes": tuple(0.01 * k for k in range(14)),
    },
    {"by_period": 1, "periods": 5},
    {
        "prices": [[100.0 * 1.01**k for k in range(120)]],
        "changes": tuple(0.01 * k for k in range(14)),
        "strays": (0.1,) * 14,
        "groups": (1.0, 1.0, 1.0, 0.0, 0.0, 7.0, 7.0),
        "model": (
            *(0.01, 0.05, -0.2, 0.03, 0.01, -0.02, 0.05, 0.2, 0.03, -0.01, 0.02),
            *(0.04, 0.001, 0.01, 0.002, -0.003, 0.01),
        ),
    },
]


@pytest.mark.parametrize("case", CASES)
def test_plain_python_agrees_with_the_compiled_kernel(case: Any) -> None:
    model = (0.01, 0.05, -0.2, 0.03, 0.01, -0.02, 0.05, 0.2, 0.03, -0.01)
    given = {"model": model, "paths": 20, "height": 1_048_000.0, "seed": 3} | case
    ours = arguments((1e18, 2e18), (5e5, 3e6, 6e6), **given)
    theirs = arguments((1e18, 2e18), (5e5, 3e6, 6e6), **given)
    simulate_coins(*ours)
    simulate_coins.python(*theirs)
    for one, other in zip(ours[-4:], theirs[-4:], strict=True):
        assert one == pytest.approx(other, rel=1e-11)


@pytest.mark.parametrize("count", [0, 1, 24, 25, 300])
def test_steps_of_a_staircase_are_counted_as_a_sorted_search_counts_them(count: int) -> None:
    draw = np.random.default_rng(count)
    steps = np.sort(draw.uniform(0.0, 1.0, count + 2))
    asked = np.concatenate([draw.uniform(-0.1, 1.1, 70), steps])
    found = np.empty(len(asked), dtype=np.int64)
    compiled(below.python)(steps, 1, count + 1, asked, found)
    assert (found == np.searchsorted(steps[1 : count + 1], asked, side="left")).all()


@pytest.mark.parametrize("by_period", [0, 1])
def test_rewards_that_step_twice_in_a_period_are_split_to_the_block(by_period: int) -> None:
    """Deviations that differ by path: each has the period's blocks by reward, whatever their pace."""
    given: dict[str, Any] = {
        "height": 1_000_000.0, "model": (0.0, 0.1), "paths": 130,
        "steps": (1_000_500.0, 1_001_000.0), "rewards": (4.0, 2.0, 1.0),
    }  # fmt: skip
    if by_period:
        given |= {"by_period": 1, "periods": 1}
    hashrate = 1e14 * HASHES_PER_DIFFICULTY / 600.0
    taken = arguments((hashrate,), (0.0, 1e9 if by_period else 3e5), **given)
    simulate_coins(*taken)
    if by_period:
        pace = taken[-1][:, 0] / 1e14
        assert pace == pytest.approx(np.ones(130))
        blocks = taken[-4][:, 0] / (500 * 4.0 + 500 * 2.0 + 1016 * 1.0) * 2016
        assert blocks.std() > 50.0
        return
    coins_found = taken[-4][:, 0]
    assert coins_found.min() < 500 * 4.0 < coins_found.max(), (
        "some are past the first step, some not"
    )


def by_hand(model: Any, prices: Any, changes: Any, seconds: float) -> float:
    """One path without noise, period by period, written anew: coins of 1 EH/s from height 1,049,000."""
    now, difficulty, height, total, squeezed = 0.0, 1e14, 1_049_000.0, 0.0, 0
    moves = list(changes[1:])

    def price(at: float) -> float:
        return float(np.interp(at, np.arange(len(prices)) * 86_400.0, prices))

    first = True
    while now < seconds:
        if height < 1_050_000 <= height + 2016:
            squeezed = 3
        year = (now + 1_209_600.0) / 31_556_952.0
        change = (
            model[0] + model[4] * np.cos(2 * np.pi * year) + model[5] * np.sin(2 * np.pi * year)
        )
        if squeezed:
            change += model[6]
            squeezed -= 1
        move = np.log(price(now + 604_800.0) / price(max(now - 604_800.0, 0.0)))
        if first:
            move = changes[0] + np.log(price(604_800.0) / price(0.0))
        first = False
        change += model[7] * move + model[8] * sum(moves[:6]) + model[9] * sum(moves[6:13])
        moves = [move, *moves[:12]]
        length = 1_209_600.0 * 2016 / 2015 * np.exp(-change)
        halving = now + (1_050_000.0 - height) / 2016.0 * length
        for start, end, reward in ((now, halving, 3.125), (halving, now + length, 1.5625)):
            low, high = max(start, now), min(end, now + length, seconds)
            if high > low:
                total += 1e18 * (high - low) / (difficulty * HASHES_PER_DIFFICULTY) * reward
        now, height, difficulty = now + length, height + 2016.0, difficulty * np.exp(change)
    return total


def test_season_squeeze_and_the_answer_to_price_as_written_by_hand() -> None:
    model = (0.004, 0.0, 0.0, 0.0, 0.01, -0.02, 0.05, 0.2, 0.03, -0.01)
    prices = [50_000.0 * (1.0 + 0.3 * np.sin(k / 15.0)) for k in range(200)]
    changes = [0.02 * np.cos(k) for k in range(14)]
    for days in (20, 90, 180):
        ours = coins(
            (1e18,),
            (0.0, days * 86_400.0),
            height=1_049_000.0,
            model=model,
            prices=[prices],
            changes=changes,
        )
        assert ours[0, 0] == pytest.approx(
            by_hand(model, prices, changes, days * 86_400.0), rel=1e-6
        )


LOWER = (0.04, 0.001, 0.01, 0.002, -0.003, 0.01)
"""Lower triangle of a Cholesky factor of three answers' covariance."""


def first_changes(**named: Any) -> Any:
    """Log changes of difficulty at the first two retargets, on many paths without noise."""
    taken = arguments((1e18,), by_period=1, periods=3, paths=40_000, **named)
    simulate_coins(*taken)
    return np.diff(np.log(taken[-1]), axis=1)


def test_every_path_draws_its_own_drift_once() -> None:
    found = first_changes(model=(0.01, *(0.0,) * 9, 0.02))
    assert found[:, 0] == pytest.approx(found[:, 1], abs=1e-12), "the same at every retarget"
    assert found[:, 0].mean() == pytest.approx(0.01, abs=4 * 0.02 / 200)
    assert found[:, 0].std() == pytest.approx(0.02, rel=4 / 280)


@pytest.mark.parametrize(
    "move", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)]
)
def test_every_path_draws_its_own_answer_to_price(move: Any) -> None:
    """A price move of 1 now, one period or eight periods ago: the change has the answers' own covariance."""
    lower = np.zeros((3, 3))
    lower[np.tril_indices(3)] = LOWER
    changes = (move[0], move[1], *(0.0,) * 6, move[2])
    model = (*(0.0,) * 7, 0.12, 0.02, -0.01, 0.0, *LOWER)
    found = first_changes(model=model, changes=changes, prices=[[100.0] * 3])[:, 0]
    sd = float(np.sqrt(np.array(move) @ lower @ lower.T @ np.array(move)))
    assert found.mean() == pytest.approx(float(np.dot(move, (0.12, 0.02, -0.01))), abs=sd / 50)
    assert found.std() == pytest.approx(sd, rel=4 / 280)


def test_price_moves_that_no_close_covers_are_drawn_and_keep_a_known_sum() -> None:
    free = first_changes(model=(*(0.0,) * 8, 1.0), strays=(0.0, *(0.1,) * 6), prices=[[100.0] * 3])
    assert free[:, 0].std() == pytest.approx(0.1 * 6**0.5, rel=4 / 280)
    named: Any = {
        "changes": (0.0, *(0.02,) * 6),
        "strays": (0.0, *(0.1,) * 6),
        "groups": (0.0, *(3.0,) * 6),
    }
    summed = first_changes(model=(*(0.0,) * 8, 1.0), prices=[[100.0] * 3], **named)[:, 0]
    assert summed == pytest.approx(np.full(len(summed), 0.12), abs=1e-12)
    one = first_changes(
        model=(*(0.0,) * 7, 1.0), strays=(0.1, 0.1, 0.1), groups=(1.0,) * 3, prices=[[100.0] * 3]
    )
    assert one[:, 0].std() == pytest.approx(0.1 * (2 / 3) ** 0.5, rel=4 / 280), "a bridge of three"


# Reference forecast from 14 June 2026 (difficulty 124.93 T), trailing 52 retargets, no memory,
# subsidy only, coins per EH/s: P10, P50, P90 over 91, 182 and 365 days.
REFERENCE = [(91, (41.5, 44.8, 48.6)), (182, (77.8, 87.6, 99.0)), (365, (141.7, 167.8, 199.9))]


@pytest.mark.parametrize(("days", "wanted"), REFERENCE)
def test_the_reference_forecast_of_june_2026(days: Any, wanted: Any) -> None:
    past = retargets()
    model = plain(past, window=52)
    found = coins(
        (1e18,),
        (0.0, days * 86_400.0),
        difficulty=past[-1].difficulty,
        height=float(past[-1].height),
        model=(model.drift, model.noise_sd, 0.0, 0.0),
        paths=20_000,
    )
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx(wanted, rel=0.012)


def test_a_forecast_orders_its_quantiles_and_never_takes_difficulty_flat() -> None:
    made = forecast(mine(), Month(2026, 9), as_of=AT, start=START, paths=5_000)
    assert len(made.months) == 12
    for row in made.months:
        band = row.coins
        levels = [band.p5, band.p10, band.p25, band.p50, band.p75, band.p90, band.p95]
        assert levels == sorted(set(levels))
        assert row.cumulative.p10 >= row.coins.p10 * 0.999
        assert row.subsidy_coins + row.fee_coins == pytest.approx(row.coins.mean)
    year = made.months[-1].cumulative
    assert year.p50 < sum(row.flat_difficulty_coins for row in made.months)
    assert year.p10 > sum(row.coins.p10 for row in made.months), (
        "sums are of paths, not of percentiles"
    )
    assert made.of(Month(2026, 9)).month == Month(2026, 9)
    with pytest.raises(Wrong):
        made.of(Month(2030, 1))


def test_a_path_is_the_same_whatever_the_number_of_paths_and_threads() -> None:
    from numba import get_num_threads, set_num_threads

    edges = month_edges(Month(2026, 9), 6)
    few = simulate(mine(), edges, start=START, paths=10, seed=5)
    many = simulate(mine(), edges, start=START, paths=1_000, seed=5)
    assert (few.coins == many.coins[:10]).all()
    threads = get_num_threads()
    try:
        set_num_threads(1)
        alone = simulate(mine(), edges, start=START, paths=1_000, seed=5)
    finally:
        set_num_threads(threads)
    assert (alone.coins == many.coins).all()
    assert (alone.power_usd == many.power_usd).all()


def test_what_cannot_be_simulated_is_refused() -> None:
    edges = month_edges(Month(2026, 9), 6)
    for paths in (0, 10_000_000):
        with pytest.raises(Wrong, match="paths"):
            simulate(mine(), edges, start=START, paths=paths, seed=5)
    with pytest.raises(Wrong, match="before the last retarget"):
        simulate(mine(), month_edges(Month(2020, 1), 3), start=START, paths=10, seed=5)
    with pytest.raises(Wrong, match="months, days or periods"):
        simulate(
            mine(),
            tuple(AT + timedelta(days=k) for k in range(1300)),
            start=START,
            paths=10,
            seed=5,
        )
    for bad in (np.zeros((2, 5)), np.full((2, 5), np.nan), np.ones((2, 1)), np.ones(5)):
        with pytest.raises(Wrong):
            PricePaths(bad, AT, 86_400.0)
    with pytest.raises(Wrong):
        lognormal_prices(-1.0, 0.5, at=AT, until=edges[-1], paths=2, seed=1)


def test_by_day_and_by_retarget_the_same_coins_come_differently_cut() -> None:
    operation = mine(fleet=(Batch(site="a", machine=KNOWN_MACHINES["Antminer S21"], count=5_000, since=date(2026, 10, 20)),))  # fmt: skip
    named: Any = {"start": START, "prices": None, "months": 3, "paths": 400, "seed": 5}
    days = fine(operation, Month(2026, 9), by="day", **named)
    assert len(days) == 30 + 31 + 30
    assert days[0].label == "2026-09-01"
    assert days[0].coins.p50 == 0.0 < days[60].coins.p50
    whole = forecast(operation, Month(2026, 9), as_of=AT, start=START, months=3, paths=400, seed=5)
    assert days[-1].cumulative.mean == pytest.approx(whole.months[-1].cumulative.mean, rel=1e-9)
    periods = fine(mine(), Month(2026, 9), by="retarget", **named)
    assert periods[0].label == "from 955,584"
    assert periods[0].difficulty.p50 == pytest.approx(latest().difficulty)
    # a period is worth the same blocks at any difficulty: hashes x its length / difficulty
    assert periods[0].coins.p50 == pytest.approx(periods[3].coins.p50, rel=0.3)


def test_the_fleets_schedule_counts_days_and_ramps() -> None:
    s21 = KNOWN_MACHINES["Antminer S21"]
    batch = Batch(site="a", machine=s21, count=1, since=date(2026, 9, 11), until=date(2026, 9, 21))
    assert batch.share_of(Month(2026, 9)) == pytest.approx(10 / 30)
    assert batch.share_of(Month(2026, 8)) == batch.share_of(Month(2026, 10)) == 0.0
    operation = mine(fleet=(batch,))
    assert operation.hashrate_hs(Month(2026, 9)) == pytest.approx(200e12 / 3)
    ramped = Batch(site="a", machine=s21, count=1, since=date(2026, 9, 1), ramp_days=30.0)
    assert ramped.share_of(Month(2026, 9)) == pytest.approx(0.5)
    assert ramped.share_of(Month(2026, 10)) == pytest.approx(1.0)
    first_half = ramped.share(Month(2026, 9).start, datetime(2026, 9, 16, tzinfo=UTC))
    assert first_half == pytest.approx(0.25)
    tuned = Batch(site="a", machine=s21, count=1, hashrate=1.1, power=1.2, firmware=(Firmware(since=date(2026, 10, 1), hashrate=1.05, power=0.9),))  # fmt: skip
    assert tuned.tuned(AT) == pytest.approx((220e12, 4200.0))
    assert tuned.tuned(datetime(2026, 10, 1, tzinfo=UTC)) == pytest.approx((231e12, 3780.0))
    for bad in (
        {"since": date(2026, 9, 11), "until": date(2026, 9, 11)},
        {"count": 0},
        {"ramp_days": 5.0},
        {"hashrate": 9.0},
        {"since": date(2026, 9, 1), "delay_days": -1.0},
    ):
        with pytest.raises(Wrong):
            Batch(**cast("Any", {"site": "a", "machine": s21, "count": 1} | bad))


def test_firmware_and_deployments_reach_the_paths() -> None:
    s21 = KNOWN_MACHINES["Antminer S21"]
    base = forecast(mine(), Month(2026, 9), as_of=AT, start=START, paths=500, months=4)
    better = Batch(site="a", machine=s21, count=5_000, firmware=(Firmware(since=date(2026, 11, 1), hashrate=1.10, power=1.15),))  # fmt: skip
    made = forecast(
        mine(fleet=(better,)), Month(2026, 9), as_of=AT, start=START, paths=500, months=4
    )
    for number, factor in enumerate((1.0, 1.0, 1.1, 1.1)):
        assert made.months[number].coins.mean == pytest.approx(
            base.months[number].coins.mean * factor
        )
    assert made.months[3].power_usd == pytest.approx(base.months[3].power_usd * 1.15)
    late = Batch(site="a", machine=s21, count=5_000, since=date(2028, 1, 1))
    idle = forecast(mine(fleet=(late,)), Month(2026, 9), as_of=AT, start=START, paths=100, months=2)
    assert idle.months[0].coins.p95 == 0.0
    assert any("after the horizon" in note for note in idle.notes)
    assert any("no coins" in note for note in idle.notes)
    assert explained(idle, mine(fleet=(late,)), start=START).risks == ()


def test_a_delay_nobody_knows_costs_its_mean() -> None:
    s21 = KNOWN_MACHINES["Antminer S21"]
    edges = month_edges(Month(2026, 9), 6)
    steady_model = plain(HISTORY, window=52, drift=False)
    start = start_of(BTC, HISTORY, steady_model)
    planned = Batch(site="a", machine=s21, count=5_000, since=date(2026, 9, 1))
    delayed = Batch(site="a", machine=s21, count=5_000, since=date(2026, 9, 1), delay_days=20.0)
    from dataclasses import replace

    quiet = start_of(BTC, HISTORY, replace(steady_model, noise_sd=0.0, last_deviation=0.0))
    whole = simulate(mine(fleet=(planned,)), edges, start=quiet, paths=1, seed=5).coins.sum()
    found = simulate(mine(fleet=(delayed,)), edges, start=quiet, paths=20_000, seed=5).coins.sum(
        axis=1
    )
    lost = 1.0 - found.mean() / whole
    assert lost == pytest.approx(20.0 / 181.0, rel=0.03)
    days_late = (1.0 - found / whole) * 181.0
    assert np.quantile(days_late, 0.5) == pytest.approx(20.0 * np.log(2.0), rel=0.05), "exponential"
    made = forecast(
        mine(fleet=(delayed,)), Month(2026, 9), as_of=AT, start=start, paths=500, months=6
    )
    made = explained(made, mine(fleet=(delayed,)), start=start)
    assert {row.risk for row in made.risks} >= {"difficulty", "delay", "together"}
    assert sum(row.share for row in made.risks) == pytest.approx(1.0)


def test_uptime_that_strays_widens_the_band_and_never_exceeds_the_clock() -> None:
    edges = month_edges(Month(2026, 9), 3)
    certain = simulate(mine(), edges, start=START, paths=4_000, seed=5).coins
    operation = mine(sites=(site(uptime=0.95, uptime_sd=0.03),))
    found = simulate(operation, edges, start=START, paths=4_000, seed=5).coins
    ratio = found / certain
    assert ratio.max() <= 1.0 + 1e-12
    assert ratio.std() == pytest.approx(0.028, rel=0.15)
    assert np.median(ratio) == pytest.approx(0.95, rel=0.01)


@pytest.mark.parametrize("scheme", [PoolScheme.SOLO, PoolScheme.PPLNS, PoolScheme.PPS_PLUS])
def test_luck_has_the_spread_of_a_poisson_count(scheme: Any) -> None:
    share = {PoolScheme.SOLO: None, PoolScheme.PPLNS: 0.25, PoolScheme.PPS_PLUS: 0.25}[scheme]
    from dataclasses import replace

    quiet = start_of(BTC, HISTORY, replace(MODEL, noise_sd=0.0, drift_sd=0.0))
    edges = month_edges(Month(2026, 9), 1)
    fees = FeeOutlook(share_median=0.5, log_sd=0.0, persistence=0.0)
    fpps = mine(fees=fees)
    lucky = mine(fees=fees, pool=Pool(scheme=scheme, fee=0.0, share=share))
    mean = simulate(fpps, edges, start=quiet, paths=1, seed=5)
    drawn = simulate(lucky, edges, start=quiet, paths=40_000, seed=5)
    blocks = float(mean.subsidy[0, 0]) / 3.125
    sd = (1.0 / blocks) ** 0.5 * (1.0 if share is None else share**0.5)
    assert drawn.coins.mean() == pytest.approx(mean.coins.sum(), rel=0.01)
    assert drawn.fees.std() / drawn.fees.mean() == pytest.approx(sd, rel=0.03)
    if scheme is PoolScheme.PPS_PLUS:
        assert drawn.subsidy.std() == pytest.approx(0.0, abs=1e-9)
    else:
        assert drawn.subsidy.std() / drawn.subsidy.mean() == pytest.approx(sd, rel=0.03)


def test_costs_and_covenant_follow_from_the_same_objects() -> None:
    operation = mine()
    power = 5_000 * 3500 / 1e6 * 24 * 30 * 50.0
    made = forecast(operation, Month(2026, 9), as_of=AT, start=START, paths=100)
    row = made.months[0]
    assert row.power_usd == pytest.approx(power)
    assert row.cash_need_usd == pytest.approx(power + 3.0)
    assert row.cash_cost_usd == pytest.approx(power + 1.0)
    assert row.all_in_usd == pytest.approx(power + 4.0)
    treasury = operation.treasury
    pledge = Pledge("bank", treasury.coins_pledged, treasury.loan_usd)
    assert pledge.price_at(treasury.loan_to_value_max) == pytest.approx(0.5)
    assert Pledge("bank", 0.0, 1.0).price_at(0.5) is None
    assert Pledge("bank", 1.0, 0.0).price_at(0.5) is None
    assert not operation.overloaded(Month(2026, 9))
    assert mine(sites=(site(capacity_mw=1.0),)).overloaded(Month(2026, 9)) == ("a",)


def test_merged_mining_is_one_hashrate_on_two_chains() -> None:
    """The same scrypt hashes earn litecoin and dogecoin, each by its own difficulty."""
    found: dict[str, Any] = {}
    for coin, difficulty, spacing in (("LTC", 8e7, 150), ("DOGE", 4e7, 60)):
        chain = chain_of(coin)
        gap = 2016 if coin == "LTC" else 20_160
        rows = tuple(
            Retarget(
                height=2_520_000 + gap * k if coin == "LTC" else 5_000_000 + gap * k,
                at=datetime(2025, 11, 20, tzinfo=UTC) - timedelta(seconds=gap * spacing * (59 - k)),
                bits=None,
                difficulty=difficulty * (1.0 + 0.01 * (k % 3)),
            )
            for k in range(60)
        )
        start = start_of(chain, rows, plain(rows, window=52, drift=False))
        drawn = steady(
            start, 1e12, Month(2025, 12), months=2, fee_share=0.0, pool_fee=0.0, paths=2_000, seed=1
        )
        found[coin] = steady_bands(drawn, Month(2025, 12))[0][1]
        blocks = 1e12 * 31 * 86_400.0 / (rows[-1].difficulty * HASHES_PER_DIFFICULTY)
        reward = {"LTC": 6.25, "DOGE": 10_000.0}[coin]
        assert found[coin].p50 == pytest.approx(blocks * reward, rel=0.02)
    assert found["DOGE"].p50 / found["LTC"].p50 == pytest.approx(2 * 10_000 / 6.25, rel=0.03)


def test_the_first_full_month_and_other_values() -> None:
    assert first_full_month(datetime(2026, 9, 1, tzinfo=UTC)) == Month(2026, 9)
    assert first_full_month(datetime(2026, 9, 1, 0, 1, tzinfo=UTC)) == Month(2026, 10)
    assert months_from(Month(2026, 12), 2) == (Month(2026, 12), Month(2027, 1))
    with pytest.raises(Wrong):
        mine(fleet=(Batch(site="elsewhere", machine=KNOWN_MACHINES["Antminer S21"], count=1),))
    with pytest.raises(Wrong):
        mine(sites=(site(), site()))
    with pytest.raises(Wrong):
        FeeOutlook(share_median=float("nan"), log_sd=0.1, persistence=0.1)
    with pytest.raises(Wrong):
        Pool(scheme=PoolScheme.FPPS, fee=0.9)
    with pytest.raises(Wrong, match="needs share"):
        Pool(scheme=PoolScheme.PPLNS, fee=0.01)
    for bad in (0.0, 2e24):
        with pytest.raises(Wrong):
            steady(
                START, bad, Month(2026, 9), months=1, fee_share=0.0, pool_fee=0.0, paths=10, seed=1
            )


def test_the_model_of_the_whole_history_has_its_errors() -> None:
    assert MODEL.memory < 0.0
    assert MODEL.drift == pytest.approx(0.0083, abs=2e-4)
    assert MODEL.drift_sd == MODEL.drift_se == pytest.approx(0.0065, abs=2e-4)
    assert estimate(HISTORY[:30]).season_size == 0.0, "less than two years know no season"


def test_long_work_is_told_of_and_cut_into_the_same_paths() -> None:
    edges = month_edges(Month(2026, 9), 1)
    count = 9_000
    prices = lognormal_prices(77_000.0, 0.4, at=AT, until=edges[-1], paths=count, seed=1)
    operation = mine(sites=(site(curtails=True),))
    told: list[tuple[int, int]] = []

    def tell(done: int, all_of_it: int) -> None:
        told.append((done, all_of_it))

    whole = simulate(
        operation, edges, start=START, prices=prices, paths=count, seed=5, progress=tell
    )
    assert told == [(4_096, count), (8_192, count), (count, count)]
    part = PricePaths(prices.prices[:100].copy(), prices.start, prices.step_seconds)
    few = simulate(operation, edges, start=START, prices=part, paths=100, seed=5)
    assert (whole.coins[:100] == few.coins).all()
    assert len(np.unique(whole.coins[:, 0])) > 0.99 * count, "no path comes twice"


def test_a_history_that_ends_long_before_is_said() -> None:
    made = forecast(mine(), Month(2026, 9), as_of=AT, start=START, paths=10, months=1)
    assert any("history ends 55 days before" in note for note in made.notes)
    soon = forecast(
        mine(),
        Month(2026, 7),
        as_of=datetime(2026, 6, 28, tzinfo=UTC),
        start=START,
        paths=10,
        months=1,
    )
    assert soon.notes == ()


def test_errors_of_percentiles_are_how_far_seeds_lie_apart() -> None:
    runs = [
        forecast(mine(), Month(2026, 9), as_of=AT, start=START, months=3, paths=1_000, seed=seed)
        for seed in range(60)
    ]
    for row in range(3):
        for band in ("coins", "cumulative"):
            found = [getattr(one.months[row], band) for one in runs]
            said = np.mean([one.errors(1_000) for one in found], axis=0)
            for place, name in enumerate(("p10", "p50", "p90")):
                apart = np.std([getattr(one, name) for one in found], ddof=1)
                assert said[place] == pytest.approx(apart, rel=0.35), (row, band, name)
