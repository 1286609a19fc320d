from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from headframe.chain import HASHES_PER_DIFFICULTY, latest, retargets
from headframe.desk import production
from headframe.mining import (
    KNOWN_MACHINES,
    Batch,
    Costs,
    FeeOutlook,
    Operation,
    PoolScheme,
    SalePolicy,
    Site,
    Treasury,
    estimate,
    first_full_month,
    forecast,
    simulate,
)
from headframe.mining.kernels import simulate_coins
from headframe.units import Month, Wrong, months_from

HISTORY = (*retargets(), latest())
MODEL = estimate(HISTORY)


def mine(**changes: Any) -> Any:
    given: dict[str, Any] = {
        "entity": "Test mine",
        "coin": "BTC",
        "sites": (Site(name="a", uptime=1.0, capacity_mw=1e4, power_usd_mwh=(50.0,) * 12),),
        "fleet": (Batch(site="a", machine=KNOWN_MACHINES["Antminer S21"], count=5_000),),
        "pool_scheme": PoolScheme.FPPS,
        "pool_fee": 0.0,
        "sale_policy": SalePolicy.DAILY,
        "fees": FeeOutlook(share_median=0.0, log_sd=0.0, persistence=0.0),
        "costs": Costs(fixed_usd_month=1.0, debt_service_usd_month=2.0, depreciation_usd_month=3.0),
        "treasury": Treasury(
            cash_usd=1.0,
            credit_line_usd=1.0,
            coins_free=1.0,
            coins_pledged=2.0,
            loan_usd=0.7,
            loan_to_value_max=0.7,
            lender_group="Prairie",
        ),
    }
    return Operation(**(given | changes))


def coins(
    fleet_hs: Any,
    edges: Any,
    *,
    difficulty: Any,
    height: Any = 840_000.0,
    model: Any = (0.0, 0.0, 0.0, 0.0),
    fees: Any = (0.0, 0.0, 0.0),
    pool: Any = 0.0,
    paths: Any = 1,
) -> Any:
    out, mean = np.empty((paths, len(fleet_hs))), np.empty((paths, len(fleet_hs)))
    simulate_coins(
        1,
        difficulty,
        height,
        np.array(edges),
        np.array(fleet_hs),
        np.array(model),
        np.array(fees),
        pool,
        out,
        mean,
    )
    return out


def test_a_fleet_that_is_the_whole_network_finds_a_block_every_ten_minutes() -> None:
    difficulty = 1e14
    hashrate = difficulty * HASHES_PER_DIFFICULTY / 600.0
    found = coins([hashrate], [0.0, 86_400.0], difficulty=difficulty)
    assert found[0, 0] == pytest.approx(144 * 3.125, rel=1e-12)


def test_twice_the_difficulty_is_half_the_coins_and_the_pool_keeps_its_share() -> None:
    one = coins([1e18], [0.0, 864_000.0], difficulty=1e14)[0, 0]
    assert coins([1e18], [0.0, 864_000.0], difficulty=2e14)[0, 0] == pytest.approx(one / 2)
    assert coins([1e18], [0.0, 864_000.0], difficulty=1e14, pool=0.02)[0, 0] == pytest.approx(
        one * 0.98
    )
    fees = (0.05, 0.0, 0.0)
    assert coins([1e18], [0.0, 864_000.0], difficulty=1e14, fees=fees)[0, 0] == pytest.approx(
        one * 1.05
    )


def test_a_halving_inside_the_month_is_split_to_the_block() -> None:
    period = 1_209_600.0 * 2016 / 2015
    before = coins([1e18], [0.0, period], difficulty=1e14, height=1_049_999.0 - 2016)[0, 0]
    across = coins([1e18], [0.0, period], difficulty=1e14, height=1_050_000.0 - 1008)[0, 0]
    assert across == pytest.approx(before * 0.75, rel=1e-6)


def test_months_add_up_to_the_whole() -> None:
    edges = [0.0, 2e6, 5e6, 9e6]
    parts = coins([1e18] * 3, edges, difficulty=1e14, model=(0.01, 0.05, -0.2, 0.0), paths=50)
    whole = coins([1e18], [0.0, 9e6], difficulty=1e14, model=(0.01, 0.05, -0.2, 0.0), paths=50)
    # the shocks are drawn by step, so the same paths come back however the time is cut
    assert parts.sum(axis=1) == pytest.approx(whole[:, 0], rel=1e-12)


def test_plain_python_agrees_with_the_compiled_kernel() -> None:
    edges, fleet = np.array([5e5, 3e6, 6e6]), np.array([1e18, 2e18])
    model, fees = np.array([0.01, 0.05, -0.2, 0.03]), np.array([0.01, 0.5, 0.6])
    ours, plain = np.empty((20, 2)), np.empty((20, 2))
    mean = np.empty((20, 2))
    simulate_coins(3, 1e14, 955_584.0, edges, fleet, model, fees, 0.005, ours, mean)
    simulate_coins.python(3, 1e14, 955_584.0, edges, fleet, model, fees, 0.005, plain, mean)
    assert ours == pytest.approx(plain, rel=1e-12)


# Reference forecast from 14 June 2026 (difficulty 124.93 T), trailing 52 retargets, no memory,
# subsidy only, coins per EH/s: P10, P50, P90 over 91, 182 and 365 days.
REFERENCE = [(91, (41.5, 44.8, 48.6)), (182, (77.8, 87.6, 99.0)), (365, (141.7, 167.8, 199.9))]


@pytest.mark.parametrize(("days", "wanted"), REFERENCE)
def test_the_reference_forecast_of_june_2026(days: Any, wanted: Any) -> None:
    past = retargets()
    model = estimate(past, memory=False)
    found = coins(
        [1e18],
        [0.0, days * 86_400.0],
        difficulty=past[-1].difficulty,
        height=float(past[-1].height),
        model=(model.drift, model.noise_sd, 0.0, 0.0),
        paths=20_000,
    )
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx(wanted, rel=0.012)


def test_the_model_is_estimated_with_its_standard_errors() -> None:
    model = estimate(retargets(), memory=False)
    assert model.drift == pytest.approx(0.0077, abs=1e-4)
    assert model.noise_sd == pytest.approx(0.048, abs=1e-3)
    assert model.drift_se == pytest.approx(model.noise_sd / 52**0.5)
    assert MODEL.memory < 0
    with pytest.raises(Wrong):
        estimate(retargets()[:5])
    with pytest.raises(Wrong):
        estimate((*retargets()[-30:-10], *retargets()[-5:]))


def test_no_forecast_sees_what_came_after_its_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every later retarget replaced, what is known on a day stays the same, bit for bit."""
    day = datetime(2025, 12, 30, tzinfo=UTC)
    before = production.history(day)
    assert before[-1].at <= day < HISTORY[len(before)].at
    changed = tuple(replace(row, bits=row.bits - 9) if row.at > day else row for row in retargets())
    assert changed != retargets()
    monkeypatch.setattr(production, "retargets", lambda: changed)
    assert production.history(day) == before
    assert estimate(production.history(day)) == estimate(before)
    later = datetime(2026, 6, 20, tzinfo=UTC)
    assert estimate(production.history(later)) != estimate(
        HISTORY[: len(production.history(later))]
    )


def test_a_forecast_orders_its_quantiles_and_never_takes_difficulty_flat() -> None:
    made = forecast(
        mine(),
        Month(2026, 9),
        as_of=datetime(2026, 8, 22, tzinfo=UTC),
        last=latest(),
        model=MODEL,
        paths=5_000,
    )
    assert len(made.months) == 12
    for row in made.months:
        assert row.coins.p10 < row.coins.p50 < row.coins.p90
        assert row.cumulative.p10 >= row.coins.p10 * 0.999
    year = made.months[-1].cumulative
    assert year.p50 < sum(row.flat_difficulty_coins for row in made.months)
    assert year.p10 > sum(row.coins.p10 for row in made.months), (
        "sums are of paths, not of percentiles"
    )
    assert made.of(Month(2026, 9)).month == Month(2026, 9)
    with pytest.raises(Wrong):
        made.of(Month(2030, 1))


def test_a_path_is_the_same_whatever_the_number_of_paths() -> None:
    months = months_from(Month(2026, 9), 6)
    few = simulate(mine(), months, last=latest(), model=MODEL, paths=10, seed=5)
    many = simulate(mine(), months, last=latest(), model=MODEL, paths=100, seed=5)
    assert (few.coins == many.coins[:10]).all()
    for bad in ({"paths": 0}, {"paths": 10_000_000}):
        with pytest.raises(Wrong):
            simulate(mine(), months, last=latest(), model=MODEL, seed=5, **bad)
    with pytest.raises(Wrong):
        simulate(
            mine(), months_from(Month(2020, 1), 3), last=latest(), model=MODEL, paths=10, seed=5
        )


def test_the_fleets_schedule_counts_days() -> None:
    s21 = KNOWN_MACHINES["Antminer S21"]
    batch = Batch(site="a", machine=s21, count=1, since=date(2026, 9, 11), until=date(2026, 9, 21))
    assert batch.share_of(Month(2026, 9)) == pytest.approx(10 / 30)
    assert batch.share_of(Month(2026, 8)) == batch.share_of(Month(2026, 10)) == 0.0
    operation = mine(fleet=(batch,))
    assert operation.hashrate_hs(Month(2026, 9)) == pytest.approx(200e12 / 3)
    with pytest.raises(Wrong):
        Batch(site="a", machine=s21, count=1, since=date(2026, 9, 11), until=date(2026, 9, 11))
    with pytest.raises(Wrong):
        Batch(site="a", machine=s21, count=0)


def test_costs_and_covenant_follow_from_the_same_objects() -> None:
    operation = mine()
    power = 5_000 * 3500 / 1e6 * 24 * 30 * 50.0
    assert operation.power_cost_usd(Month(2026, 9)) == pytest.approx(power)
    made = forecast(
        operation,
        Month(2026, 9),
        as_of=datetime(2026, 8, 22, tzinfo=UTC),
        last=latest(),
        model=MODEL,
        paths=100,
    )
    assert made.months[0].cash_need_usd == pytest.approx(power + 3.0)
    assert made.months[0].cash_cost_usd == pytest.approx(power + 1.0)
    assert made.months[0].all_in_usd == pytest.approx(power + 4.0)
    assert operation.treasury.covenant_price_usd == pytest.approx(0.5)
    assert not operation.overloaded(Month(2026, 9))
    small = mine(sites=(Site(name="a", uptime=1.0, capacity_mw=1.0, power_usd_mwh=(50.0,) * 12),))
    assert small.overloaded(Month(2026, 9)) == ("a",)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(Wrong):
        mine(pool_fee=0.9)
    with pytest.raises(Wrong):
        mine(fleet=(Batch(site="elsewhere", machine=KNOWN_MACHINES["Antminer S21"], count=1),))
    with pytest.raises(Wrong):
        Site(name="a", uptime=1.0, capacity_mw=1.0, power_usd_mwh=(50.0,) * 3)
    with pytest.raises(Wrong):
        FeeOutlook(share_median=float("nan"), log_sd=0.1, persistence=0.1)
    assert first_full_month(datetime(2026, 9, 1, tzinfo=UTC)) == Month(2026, 9)
    assert first_full_month(datetime(2026, 9, 1, 0, 1, tzinfo=UTC)) == Month(2026, 10)
