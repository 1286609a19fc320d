"""The scenario engine: means, distributions, the same bits however cut, and a second accounting."""

import math
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from headframe.counterparty import CollateralTerms, call_amount
from headframe.instrument import parse_instrument
from headframe.market import sample_market
from headframe.mining import SalePolicy
from headframe.numerics import threads
from headframe.pricing import black76, heston_jumps_value, implied_batch, surface_of
from headframe.risk import (
    HedgedLeg,
    Ladder,
    Liquidity,
    NettingSet,
    Programme,
    brownian_at,
    gathered,
    hedge_of,
    ladder,
    liquidity_at_risk,
    opening_of,
    peak_variation,
    prepare,
    result_sha256,
    run,
    shards,
    simulated_call,
    stressed,
    summary,
    walked_courses,
)
from headframe.risk.engine import calendar_of
from headframe.risk.episodes import STRESSES
from headframe.risk.hedged import no_hedge
from headframe.risk.kernels import price_paths
from headframe.risk.price_models import filtered, gbm, student_residuals
from headframe.risk.rules import rule_set
from headframe.units import Wrong
from mines import START, mine

MARKET = sample_market()
SURFACE = surface_of(MARKET)
TERMS = CollateralTerms(
    threshold_usd=200_000.0, minimum_transfer_usd=50_000.0, rounding_usd=10_000.0,
    independent_share=0.05, haircut=0.0,
)  # fmt: skip
SETS = (
    NettingSet(name="venue", venue=rule_set(date(2026, 8, 22))[0]),
    NettingSet(name="amber", terms=TERMS),
)
GOLDEN = "1ff9459106601774d0a11ac71436d5c3f72c5a9805db975f544e61ef2bac22b3"


def leg(name: str, amount: float, entry: float, netting: str, margined: float = 0.0) -> HedgedLeg:
    return HedgedLeg(
        instrument=parse_instrument(name), amount=amount, entry=entry, netting=netting, margined=margined
    )  # fmt: skip


HEDGE = hedge_of(
    (
        leg("BTC-25SEP26-70000-P", 20.0, 0.0, "amber"),
        leg("BTC-25SEP26-86000-C", -20.0, 0.0, "amber", 20.0),
        leg("BTC-25DEC26-70000-P", 30.0, 0.0, "amber"),
        leg("BTC-25DEC26-88000-C", -30.0, 0.0, "amber", 30.0),
        leg("BTC_USD-25DEC26-FWD", -5.0, 78_300.0, "amber", 5.0),
        leg("BTC-30OCT26", -700_000.0, 77_700.0, "venue", 9.0),
    ),
    SETS,
    MARKET.as_of,
)


def programme(kind: Ladder = Ladder.BOOTSTRAP, **changed: Any) -> Programme:
    given: dict[str, Any] = {
        "as_of": MARKET.as_of, "months": 4, "operation": mine(), "start": START, "surface": SURFACE,
        "model": ladder(kind, SURFACE), "hedge": HEDGE, "opening": (1e6, 5e5, 10.0, 3.0),
    }  # fmt: skip
    return Programme(**(given | changed))


ENGINE = prepare(programme())


def walked(model: Any, days: int, paths: int, seed: int = 5, first: int = 0) -> Any:
    out = np.empty((days + 1, 4, paths))
    residuals, moments = model.drawn_from()
    price_paths(seed, first, model.numbers(1.0), np.zeros(days), residuals, moments, out)
    return out[:, 0].T, out


@pytest.mark.parametrize("kind", list(Ladder))
def test_the_mean_price_of_every_day_is_its_forward(kind: Ladder) -> None:
    prices, _ = walked(ladder(kind, SURFACE), 180, 60_000)
    for day in (1, 30, 180):
        column = prices[:, day]
        assert abs(column.mean() - 1.0) < 4.0 * column.std() / math.sqrt(len(column))


def test_brownian_motion_prices_options_as_black_does() -> None:
    prices, _ = walked(gbm(0.6), 90, 100_000)
    for strike in (0.8, 1.0, 1.3):
        paid = np.maximum(prices[:, 90] - strike, 0.0)
        wanted = black76(1.0, 1.0, strike, 0.6, 90 / 365, 1.0)
        assert abs(paid.mean() - wanted) < 4.0 * paid.std() / math.sqrt(len(paid))
    step = np.diff(np.log(prices), axis=1)
    assert step.std() == pytest.approx(0.6 / math.sqrt(365.0), rel=2e-3)
    assert abs(float(np.corrcoef(step[:, 10], step[:, 11])[0, 1])) < 0.02


def test_heston_with_jumps_prices_options_as_its_transform_does() -> None:
    model = replace(
        ladder(Ladder.HESTON_JUMPS, SURFACE), v0=0.2, kappa=3.0, theta=0.25, xi=0.7, rho=-0.3,
        jumps=5.0, jump_mean=-0.05, jump_sd=0.08,
    )  # fmt: skip
    prices, out = walked(model, 180, 100_000)
    for strike in (0.8, 1.0, 1.25):
        paid = np.maximum(prices[:, 180] - strike, 0.0)
        wanted = heston_jumps_value(
            1.0, 1.0, strike, 180 / 365, 1.0, 0.2, 3.0, 0.25, 0.7, -0.3, 5.0, -0.05, 0.08
        )
        error = paid.std() / math.sqrt(len(paid))
        assert abs(paid.mean() - wanted) < 4.0 * error + 3e-4, "and a bias of daily steps"
    mean = 0.25 + (0.2 - 0.25) * math.exp(-3.0 * 180 / 365)
    assert (out[180, 2] ** 4).mean() == pytest.approx(mean, rel=0.01)


def test_the_basis_forgets_and_strays_as_its_numbers_say() -> None:
    _, out = walked(gbm(0.5), 300, 20_000)
    basis = out[300, 3]
    assert basis.std() == pytest.approx(0.012, rel=0.03)
    assert float(np.corrcoef(out[270, 3], basis)[0, 1]) == pytest.approx(
        (1 - 8 / 365) ** 30, abs=0.03
    )


def test_antithetic_paths_mirror_each_other() -> None:
    plain = gbm(0.5)
    numbers = plain.numbers(1.0, antithetic=True)
    out = np.empty((41, 4, 600))
    price_paths(3, 100, numbers, np.zeros(40), np.zeros(2), np.ones(2), out)
    prices = out[:, 0].T
    logs = np.log(prices)
    drift = -0.5 * 0.25 * np.arange(41) / 365.0
    assert np.abs(logs[0::2] + logs[1::2] - 2.0 * drift).max() < 1e-12
    single, _ = walked(plain, 40, 300, seed=3, first=50)
    assert np.abs(prices[0::2] - single).max() < 1e-12, "the same draws as a plain run"


def test_a_bumped_run_reuses_its_draws() -> None:
    model = ladder(Ladder.HESTON_JUMPS, SURFACE)
    plain, _ = walked(model, 60, 500)
    residuals, moments = model.drawn_from()
    out = np.empty((61, 4, 500))
    price_paths(5, 0, model.numbers(1.01), np.zeros(60), residuals, moments, out)
    prices = out[:, 0].T
    assert np.abs(prices / plain - 1.01).max() < 1e-13


def test_the_calibrated_model_meets_the_surface_within_a_volatility_point() -> None:
    model = ladder(Ladder.HESTON_JUMPS, SURFACE)
    for days in (30, 91, 182, 365):
        years = days / 365.0
        level = SURFACE.vol_at(years, 0.0) * math.sqrt(years)
        for z in (-1.0, 0.0, 1.0):
            k = math.exp(z * level)
            value = heston_jumps_value(
                1.0, 1.0, k, years, 1.0, model.v0, model.kappa, model.theta, model.xi, model.rho,
                model.jumps, model.jump_mean, model.jump_sd,
            )  # fmt: skip
            (vol,), (reason,) = implied_batch([(1.0, False, 1.0, k, value, years, 1.0)])
            assert reason is None
            assert vol == pytest.approx(SURFACE.vol_at(years, z * level), abs=0.012)


def test_threads_blocks_shards_and_restarts_never_change_a_bit() -> None:
    whole = run(ENGINE, paths=5_000, seed=9, thread_count=1)
    assert result_sha256(whole) == result_sha256(run(ENGINE, paths=5_000, seed=9, thread_count=2))
    parts = [ENGINE.shard(9, 0, 777), ENGINE.shard(9, 777, 2_048), ENGINE.shard(9, 2_825, 2_175)]
    assert result_sha256(np.concatenate(parts)) == result_sha256(whole)
    assert result_sha256(run(ENGINE, paths=1_000, seed=9)) == result_sha256(whole[:1_000])
    assert result_sha256(run(ENGINE, paths=1_000, seed=10)) != result_sha256(whole[:1_000])
    assert list(shards(150_000)) == [(0, 65_536), (65_536, 65_536), (131_072, 18_928)]
    assert gathered({0: whole}, 5_000, ENGINE.columns).tobytes() == whole.tobytes()
    with pytest.raises(Wrong, match="missing"):
        gathered({}, 5_000, ENGINE.columns)


SCRIPT = "import sys; sys.path.insert(0, {tests!r}); sys.path.insert(0, {here!r}); import test_engine as t; print(t.small_hash())"  # fmt: skip


def small_hash() -> str:
    """The hash of a run in which everything that is rounded on its way in takes part."""
    with threads(2):
        return result_sha256(run(ENGINE, paths=700, seed=2026))


INTEL = Path("/proc/cpuinfo").exists() and "avx2" in Path("/proc/cpuinfo").read_text()


@pytest.mark.slow  # compiles everything anew, twice
@pytest.mark.skipif(not INTEL, reason="needs an x86-64 processor with AVX2 to be two of them")
@pytest.mark.parametrize("processor", ["generic", "x86-64-v3"])
def test_every_instruction_set_gives_the_golden_hash(processor: str, tmp_path: Path) -> None:
    here = Path(__file__).parent
    script = SCRIPT.format(tests=str(here.parent), here=str(here))
    environment = {**os.environ, "NUMBA_CPU_NAME": processor, "NUMBA_CACHE_DIR": str(tmp_path)}
    if processor == "generic":
        environment["NUMBA_CPU_FEATURES"] = ""
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == small_hash() == GOLDEN


def test_marks_from_tables_differ_little_from_exact_ones_and_say_by_how_much() -> None:
    worst, rms = ENGINE.marks_error(7)
    notional = 64.0 * MARKET.index
    assert 0.0 < rms < 3e-4 * notional
    assert worst < 5e-3 * notional


def test_a_second_accounting_in_plain_python_agrees() -> None:
    """One path of steady variance: exact marks, one day after the other, margin as the book's rules."""
    made = programme(Ladder.GBM, months=2)
    engine = prepare(made)
    calendar = engine.calendar
    days, count = calendar.days, 6
    out = np.empty((days + 1, 4, count))
    engine.paths(4, 0, out)
    buckets = len(calendar.edges) - 1
    coins, fees, power = (np.empty((count, buckets)) for _ in range(3))
    engine.mine.fill(4, 0, out, (coins, fees, power, np.empty((0, 0))))
    results = engine.shard(4, 0, count)
    for path in range(count):
        wanted = _accounted(
            made, calendar, out[:, 0, path], out[:, 3, path], (coins + fees)[path], power[path]
        )
        for name, place in (("hedge", 4), ("low", 6), ("low_bare", 5), ("called", 9), ("sales", 2)):
            assert results[path, place] == pytest.approx(wanted[name], abs=25_000.0), name


def _value(row: Any, spot: float, day: int, basis: float, carry: Any) -> float:
    sign, inverse, amount, strike, expiry, _ = row
    left = (expiry - day) / 365.0
    forward = spot * math.exp(carry(expiry) - carry(day) + basis * left)
    if sign == 0.0:
        value = (
            amount * (1 / strike - 1 / forward) * spot if inverse else amount * (forward - strike)
        )
        return float(value)
    vol = SURFACE.vol_at(left, math.log(strike / forward))
    value = amount * black76(sign, forward, strike, vol, left, 1.0)
    return float(value * spot / forward if inverse else value)


def _paid(row: Any, spot: float) -> float:
    sign, inverse, amount, strike, _, _ = row
    if sign != 0.0:
        return float(amount * max(sign * (spot - strike), 0.0))
    return float(amount * (spot / strike - 1.0) if inverse else amount * (spot - strike))


def _accounted(made: Any, calendar: Any, spots: Any, basis: Any, coins: Any, power: Any) -> Any:
    def carry(day: float) -> float:
        return math.log(SURFACE.forward(day / 365.0) / SURFACE.spot)

    rules, _ = rule_set(made.as_of.date())
    legs = made.hedge.legs
    cash, line, stock, kept = made.opening
    before = sum(_value(r, spots[0], 0, 0.0, carry) for r in legs if r[5] == 0)
    hedge = varied = posted = sales = called = 0.0
    low = low_bare = cash + line + (stock + kept) * spots[0]
    bare = cash + line
    for day in range(1, calendar.days + 1):
        spot, today = spots[day], day - 1
        bucket, share = calendar.bucket[today], calendar.share[today]
        stock += coins[bucket] * share
        bare -= power[bucket] * share + calendar.fixed[today]
        if calendar.sells[today]:
            bare, sales, stock = bare + stock * spot, sales + stock * spot, 0.0
        alive = [r for r in legs if r[4] > day]
        venue = sum(_value(r, spot, day, basis[day], carry) for r in alive if r[5] == 0)
        done = [sum(_paid(r, spot) for r in legs if r[4] == day and r[5] == s) for s in (0, 1)]
        varied += venue + done[0] - before
        hedge += venue + done[0] - before + done[1]
        before = venue
        size = 9.0 if any(r[5] == 0 for r in alive) else 0.0
        owed = -sum(_value(r, spot, day, basis[day], carry) for r in alive if r[5] == 1)
        sold = sum(
            {20.0: 20.0, 30.0: 30.0, 5.0: 5.0}[-r[2]] for r in alive if r[5] == 1 and r[2] < 0
        )
        wanted = max(max(owed, 0.0) + 0.05 * sold * spot - TERMS.threshold_usd, 0.0)
        posted += call_amount(TERMS, wanted, posted)
        needed = posted + (rules.initial + rules.per_coin * size) * size * spot
        free = bare + (stock + kept) * spot
        low_bare, low = min(low_bare, free), min(low, free + hedge - needed)
        called = max(called, needed - varied)
    hedge += sum(_value(r, spots[-1], calendar.days, basis[-1], carry) for r in legs if r[5] == 1 and r[4] > calendar.days)  # fmt: skip
    return {"hedge": hedge, "low": low, "low_bare": low_bare, "called": called, "sales": sales}


def test_without_legs_the_hedge_brings_nothing_and_costs_nothing() -> None:
    engine = prepare(programme(hedge=no_hedge()))
    results = run(engine, paths=300, seed=1)
    months = len(engine.calendar.months)
    assert (results[:, 4] == 0.0).all()
    assert (results[:, 9] == 0.0).all()
    assert (results[:, 5] == results[:, 6]).all()
    assert (results[:, 10 + months : 10 + 2 * months] == results[:, 10 + 2 * months :]).all()
    assert results[:, 10 : 10 + months].sum(axis=1) == pytest.approx(results[:, 1], rel=1e-5)


def test_what_the_hedge_costs_at_once_is_the_hedges_alone() -> None:
    dear = prepare(programme(upfront_usd=125_000.0))
    plain, paid = run(ENGINE, paths=200, seed=1), run(dear, paths=200, seed=1)
    assert (plain[:, 5] == paid[:, 5]).all(), "without the hedge nothing changes"
    assert plain[:, 4] - paid[:, 4] == pytest.approx(125_000.0, rel=1e-3)
    assert plain[:, 6] - paid[:, 6] == pytest.approx(125_000.0, rel=1e-2)
    months = len(dear.calendar.months)
    first = 10 + 2 * months
    assert plain[:, first] - paid[:, first] == pytest.approx(125_000.0, rel=1e-3)


def test_capex_is_paid_in_its_month() -> None:
    plain = mine()
    months = prepare(programme()).calendar.months
    costs = replace(plain.costs, capex_usd=MappingProxyType({months[2]: 900_000.0}))
    dear = prepare(programme(operation=replace(plain, costs=costs)))
    one, other = run(ENGINE, paths=50, seed=1), run(dear, paths=50, seed=1)
    gap = (
        one[:, 10 + len(months) : 10 + 2 * len(months)]
        - other[:, 10 + len(months) : 10 + 2 * len(months)]
    )
    assert gap[:, 2] == pytest.approx(900_000.0, rel=1e-3)
    assert np.abs(np.delete(gap, 2, axis=1)).max() == 0.0


def test_what_is_posted_today_is_ours_and_posted_anew() -> None:
    held = Liquidity(cash_usd=1e6, undrawn_usd=2e5, free_coins=5.0)
    found = opening_of(held, posted_usd=3e5, held_usd=1e5, posted_coins=1.5)
    assert found == (1.2e6, 2e5, 0.0, 6.5)


def test_forwards_over_all_coins_take_the_price_out_of_the_cash() -> None:
    month_end = {
        "operation": mine(sale_policy=SalePolicy.MONTH_END), "months": 1,
        "opening": (0.0, 0.0, 0.0, 0.0),
    }  # fmt: skip
    bare = prepare(programme(Ladder.GBM, hedge=no_hedge(), **month_end))
    coins = float(run(bare, paths=500, seed=1)[:, 11].mean())
    short = hedge_of(
        (leg("BTC_USD-25SEP26-FWD", -coins, 77_405.0, "amber", coins),), SETS[1:], MARKET.as_of
    )
    results = run(prepare(programme(Ladder.GBM, hedge=short, **month_end)), paths=4_000, seed=1)
    september, hedged = results[:, 13].astype(np.float64), results[:, 15].astype(np.float64)
    assert hedged.std() < 0.65 * september.std(), "coins and five days of price remain"


def test_a_summary_adds_up_and_carries_its_errors() -> None:
    results = run(ENGINE, paths=4_000, seed=6)
    found = summary(ENGINE, results, covenant_usd=1e6)
    price = found.figures["end_price_usd"]
    column = np.sort(results[:, 0].astype(np.float64))
    assert price.mean == pytest.approx(column.mean(), rel=1e-12)
    assert price.mean_se == pytest.approx(column.std(ddof=1) / math.sqrt(4_000), rel=1e-9)
    assert price.at(0.05) == pytest.approx(np.quantile(column, 0.05))
    assert price.low_mean == pytest.approx(column[:200].mean(), rel=1e-9)
    assert price.shortfall > price.at_risk > 0.0
    assert found.below_covenant.share >= found.out_of_cash.share
    assert len(found.months) == len(ENGINE.calendar.months) == 5
    with pytest.raises(Wrong):
        summary(ENGINE, results[:, :-1])


def test_halving_the_paths_moves_figures_by_about_their_errors() -> None:
    results = run(ENGINE, paths=8_000, seed=8)
    halves = [summary(ENGINE, part).figures for part in (results[:4_000], results[4_000:])]
    for name, one in halves[0].items():
        other = halves[1][name]
        assert abs(one.mean - other.mean) <= 5.0 * math.hypot(one.mean_se, other.mean_se), name


def test_days_belong_to_months_and_coins_to_days() -> None:
    calendar = calendar_of(programme())
    assert calendar.days == 131
    assert str(calendar.months[0]) == "2026-08"
    assert float(calendar.share.sum()) == pytest.approx(len(calendar.edges) - 1)
    assert max(
        b - a for a, b in zip(calendar.edges, calendar.edges[1:], strict=False)
    ) == timedelta(7)
    with pytest.raises(Wrong):
        programme(months=0)


def test_liquidity_at_risk_is_that_of_the_reference_and_of_the_paths() -> None:
    closed = liquidity_at_risk(vol=0.42, days=90, confidence=0.99)
    assert closed.normal == pytest.approx(0.54, abs=0.005)
    assert closed.lognormal == pytest.approx(0.68, abs=0.005)
    drawn = simulated_call(gbm(0.42), days=90, paths=100_000, seed=3)
    # watched once a day the maximum lies lower: Broadie, Glasserman and Kou (1997), 0.5826 s sqrt(dt)
    shift = math.exp(0.5826 * 0.42 / math.sqrt(365.0))
    daily = (1.0 + closed.lognormal) / shift - 1.0
    assert abs(drawn.at(0.99) - daily) < 0.015
    with pytest.raises(Wrong):
        liquidity_at_risk(vol=0.0, days=90, confidence=0.99)


def test_liquidity_at_risk_has_one_volatility_and_a_models_own_peak_another_name() -> None:
    plain = brownian_at(SURFACE, days=90)
    vol = math.sqrt(plain.v0)
    assert vol == pytest.approx(SURFACE.vol_at(90 / 365, 0.0), abs=1e-6)
    drawn = simulated_call(plain, days=90, paths=20_000, seed=3)
    same = peak_variation(plain, days=90, paths=20_000, seed=3)
    assert (same.share, same.model) == (drawn, "gbm")
    assert same.vol == pytest.approx(vol, rel=0.02)
    own = peak_variation(gbm(1.5 * vol), days=90, paths=20_000, seed=3)
    assert own.vol == pytest.approx(1.5 * vol, rel=0.02)
    assert own.share.at(0.99) > 1.3 * drawn.at(0.99)


def test_stresses_name_real_moves(real_data: Path) -> None:
    lines = (real_data / "btc_usd_daily_close.csv").read_text().splitlines()[1:]
    closes = np.array([float(line.split(",")[1]) for line in lines])
    for days in (1, 3, 5, 10):
        moves = closes[days:] / closes[:-days] - 1.0
        named = [s.move for s in STRESSES if s.name.startswith(f"worst {days}-day")]
        assert named == [pytest.approx(moves.min(), abs=6e-4), pytest.approx(moves.max(), abs=6e-4)]


def test_every_stress_is_walked_with_and_without_the_hedge() -> None:
    found = {row.name: row for row in stressed(programme())}
    assert len(found) == len(STRESSES) == 17
    assert found["-60 %"].hedge_usd > 0.0 > found["+60 %"].hedge_usd
    assert found["halving"].coins == pytest.approx(
        0.5 * found["difficulty +30 %"].coins * 1.3, rel=0.02
    )
    assert found["margin x 3"].called_usd > 0.0
    assert found["+60 %"].called_usd > found["-60 %"].called_usd
    courses = walked_courses(programme(), (-0.35,))
    assert [row.name for row in courses] == ["bear", "stable", "bull", "own -35%"]
    assert courses[3].end_price == pytest.approx(0.65 * MARKET.index)


def test_a_filter_finds_the_persistence_it_was_given() -> None:
    draw = np.random.default_rng(4)
    level, closes, variance = 0.0, [1.0], 4e-4
    for _ in range(6_000):
        r = math.sqrt(variance) * draw.standard_normal()
        variance = 4e-4 * 0.04 + 0.10 * r * r + 0.86 * variance
        level += r
        closes.append(math.exp(level))
    alpha, beta, residuals = filtered(closes)
    assert alpha == pytest.approx(0.10, abs=0.025)
    assert beta == pytest.approx(0.86, abs=0.04)
    assert np.std(residuals) == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(Wrong, match="500"):
        filtered(closes[:100])


def test_student_residuals_are_quantiles_of_t4() -> None:
    found = np.array(student_residuals(20_001))
    assert float((found**2).mean()) == pytest.approx(1.0, abs=1e-9)
    scale = found[10_000 + int(0.475 * 20_001)] / found[10_000 + int(0.25 * 20_001)]
    assert scale == pytest.approx(2.7764 / 0.7407, rel=2e-3), "t(4) at 97.5 % and 75 %"


@pytest.mark.parametrize(("paths", "seed"), [(0, 1), (10**9, 1), (10, -1)])
def test_impossible_runs_are_refused(paths: int, seed: int) -> None:
    with pytest.raises(Wrong):
        run(ENGINE, paths=paths, seed=seed)
