"""Contracts on production against plain arithmetic, and hedge effectiveness against known answers."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headframe.chain import HASHES_PER_DIFFICULTY
from headframe.instrument import DifficultySwap, HashpriceForward
from headframe.market import sample_market
from headframe.mining import DifficultyModel
from headframe.pricing import surface_of
from headframe.risk import Outlook, difficulty_worth, effectiveness, hashprice_worth
from headframe.risk.price_models import gbm
from headframe.units import Wrong
from mines import HISTORY, START, mine

MARKET = sample_market()
SURFACE = surface_of(MARKET)
AT = START.last.at + timedelta(hours=1)
FLAT_MODEL = replace(
    START.model, drift=0.0, drift_sd=0.0, noise_sd=0.0, memory=0.0, last_deviation=0.0, season_cos=0.0, season_sin=0.0,
    squeeze=None, squeeze_se=None, price=None,
)  # fmt: skip


def outlook(**changed: Any) -> Outlook:
    given: dict[str, Any] = {
        "at": AT, "start": START, "operation": mine(), "surface": SURFACE.at_spot(60_000.0, AT),
        "model": gbm(0.4), "seed": 4, "paths": 4_000,
    }  # fmt: skip
    return Outlook(**(given | changed))


def test_without_chance_the_index_is_the_formula() -> None:
    assert isinstance(FLAT_MODEL, DifficultyModel)
    still = outlook(start=replace(START, model=FLAT_MODEL), model=gbm(0.0))
    first, last = date(2026, 7, 2), date(2026, 7, 8)
    coin = hashprice_worth(
        HashpriceForward(
            first=first, last=last, phs=Decimal(5), fixed=Decimal("0.0005"), in_coin=True
        ),
        still,
    )
    wanted = 86_400e15 / (START.last.difficulty * HASHES_PER_DIFFICULTY) * 3.125
    assert coin.fair == pytest.approx(wanted, rel=1e-9)
    usd = hashprice_worth(
        HashpriceForward(first=first, last=last, phs=Decimal(5), fixed=Decimal(30)), still
    )
    assert usd.fair == pytest.approx(wanted * 60_000.0, rel=5e-3), "and a week of carry"
    assert usd.value_usd == pytest.approx(5 * 7 * (30 - usd.fair), rel=1e-6)
    assert usd.fair_se == pytest.approx(0.0, abs=1e-9)


def test_a_contract_at_its_fair_rate_is_worth_nothing() -> None:
    made = outlook()
    terms = HashpriceForward(
        first=date(2026, 9, 1), last=date(2026, 9, 30), phs=Decimal(10), fixed=Decimal(30)
    )
    fair = hashprice_worth(terms, made)
    again = hashprice_worth(replace(terms, fixed=Decimal(repr(fair.fair))), made)
    assert abs(again.value_usd) < 1e-6 * 10 * 30 * fair.fair
    assert fair.fair_se > 0.0
    with pytest.raises(Wrong, match="settled"):
        hashprice_worth(replace(terms, first=date(2026, 6, 1), last=date(2026, 6, 2)), made)


def test_a_difficulty_swap_weighs_blocks_not_days() -> None:
    still = outlook(start=replace(START, model=FLAT_MODEL))
    past = DifficultySwap(
        first=date(2026, 6, 20), last=date(2026, 7, 3), fixed_t=Decimal(130), usd_per_t=Decimal(1)
    )
    found = difficulty_worth(past, still, HISTORY)
    before, last = HISTORY[-2], HISTORY[-1]
    begin, end = datetime(2026, 6, 20, tzinfo=UTC), datetime(2026, 7, 4, tzinfo=UTC)
    known = 2_016 * (last.at - max(before.at, begin)) / (last.at - before.at)
    coming = 2_016 * (end - last.at) / timedelta(days=14) * 2_015 / 2_016
    wanted = (known * before.difficulty + coming * last.difficulty) / (known + coming) / 1e12
    assert found.fair == pytest.approx(wanted, rel=2e-4)
    assert found.value_usd == pytest.approx(found.fair - 130.0)
    drifting = difficulty_worth(replace(past, last=date(2026, 12, 31)), outlook(), HISTORY)
    assert drifting.fair > found.fair
    with pytest.raises(Wrong, match="ended"):
        difficulty_worth(
            replace(past, first=date(2026, 1, 1), last=date(2026, 1, 2)), still, HISTORY
        )


def series(values: Any, start: date = date(2024, 1, 1)) -> list[tuple[date, float]]:
    return [(start + timedelta(days=day), float(value)) for day, value in enumerate(values)]


def test_effectiveness_finds_the_ratio_it_was_given() -> None:
    draw = np.random.default_rng(2)
    shocks = 0.03 * draw.standard_normal((2, 1_500))
    hedge = np.exp(np.cumsum(shocks[0]))
    item = np.exp(np.cumsum(1.3 * shocks[0] + 0.5 * shocks[1]))
    found = effectiveness(series(item), series(hedge), days=7)
    assert found.low < 1.3 < found.high
    assert found.r2 == pytest.approx(1.69 / (1.69 + 0.25), abs=0.06)
    assert found.tracking_error == pytest.approx(0.015 * math.sqrt(365.0), rel=0.15)
    assert found.tracking_error_one > found.tracking_error
    itself = effectiveness(series(hedge), series(hedge), days=7)
    assert [itself.ratio, itself.r2] == pytest.approx([1.0, 1.0])


def test_hulls_ratio_of_least_variance() -> None:
    """Hull, Options, futures and other derivatives, example 3.3: 0.928 x 0.0263 / 0.0313 = 0.78."""
    x = np.array([0.029, 0.020, -0.044, 0.008, 0.026, -0.019, -0.010, -0.007, 0.043, 0.011, -0.036, -0.018, 0.009, -0.032, 0.023])  # fmt: skip
    y = np.array([0.021, 0.035, -0.046, 0.001, 0.044, -0.029, -0.026, -0.029, 0.048, -0.006, -0.036, -0.011, 0.019, -0.027, 0.029])  # fmt: skip
    many = 5
    item, hedge = (np.exp(np.cumsum(np.concatenate([[0.0], np.tile(z, many)]))) for z in (x, y))
    found = effectiveness(series(item), series(hedge), days=1)
    assert found.ratio == pytest.approx(0.778, abs=0.002)


@pytest.mark.parametrize(
    ("item", "hedge", "days", "said"),
    [
        (series(np.ones(30)), series(np.ones(30)), 1, "needs 60"),
        (series(np.ones(200)), series(np.ones(200)), 1, "never moves"),
        (series(-np.ones(200)), series(np.ones(200)), 1, "above zero"),
        (series(np.ones(200)), series(np.ones(200)), 0, "horizon"),
    ],
)
def test_what_cannot_be_judged_is_refused(item: Any, hedge: Any, days: int, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        effectiveness(item, hedge, days=days)


def test_a_price_a_day_late_hedges_by_the_month_but_not_by_the_day(real_data: Path) -> None:
    lines = (real_data / "btc_usd_daily_close.csv").read_text().splitlines()[1:]
    closes = [(date.fromisoformat(a), float(b)) for a, b in (line.split(",") for line in lines)]
    late = [(day + timedelta(days=1), price) for day, price in closes]
    day, month = (effectiveness(closes, late, days=horizon) for horizon in (1, 30))
    assert month.r2 > day.r2, "a mine that sells a day later is hedged well by the month only"
