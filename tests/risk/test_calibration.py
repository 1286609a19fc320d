"""The calibrated models on six real chains: what their daily paths miss, their mean, their tails."""

import math
from pathlib import Path

import numpy as np
import pytest

from headframe.feed import read_chain_csv
from headframe.market import sample_market
from headframe.numerics import quantile
from headframe.pricing import Surface, implied_batch, surface_of
from headframe.risk import Ladder, ladder
from headframe.risk.kernels import price_paths
from headframe.risk.price_models import PriceModel
from headframe.units import Wrong

CHAINS = (
    "20251230T173115Z", "20260114T212207Z", "20260206T043012Z",
    "20260327T213414Z", "20260626T222121Z", "20260822T153351Z",
)  # fmt: skip
CRASH = "20260206T043012Z"


def surface(real_data: Path, stamp: str) -> Surface:
    path = real_data / "deribit_chains" / f"btc_chain_{stamp}.csv"
    return surface_of(read_chain_csv(path.read_text(), name=path.name))


def prices(model: PriceModel, days: int, paths: int, seed: int) -> np.ndarray:
    """Prices of paths by day, days rising: (days + 1, paths)."""
    kept = []
    residuals, moments = model.drawn_from()
    for first in range(0, paths, 4_000):
        out = np.empty((days + 1, 4, 4_000))
        price_paths(seed, first, model.numbers(1.0), np.zeros(days), residuals, moments, out)
        kept.append(out[:, 0].copy())
    return np.concatenate(kept, axis=1)


@pytest.mark.parametrize(
    "stamp", [CHAINS[0], *(pytest.param(one, marks=pytest.mark.slow) for one in CHAINS[1:])]
)
def test_the_misfit_said_is_that_of_the_paths(real_data: Path, stamp: str) -> None:
    """By other draws and another way: options on the paths, implied volatilities, against the surface."""
    market = surface(real_data, stamp)
    model = ladder(Ladder.HESTON_JUMPS, market)
    assert model.misfit < (0.02 if stamp == CRASH else 0.01), "the stated bound"
    assert f"{100 * model.misfit:.2f} ±{100 * model.misfit_se:.2f}" in model.words
    walked = prices(model, 365, 40_000, seed=77)
    squares, noise = [], []
    for days in (30, 91, 182, 365):
        end, years = walked[days], days / 365.0
        assert abs(end.mean() - 1.0) < 4.0 * end.std() / math.sqrt(len(end)), "the forward is kept"
        level = market.vol_at(years, 0.0) * math.sqrt(years)
        for z in (-1.3, -0.6, 0.0, 0.6, 1.3):
            k, sign = math.exp(z * level), 1.0 if z >= 0.0 else -1.0
            paid = np.maximum(sign * (end - k), 0.0)
            slope = np.cov(paid, end)[0, 1] / end.var()
            rest = paid - slope * (end - 1.0)
            (vol,), (reason,) = implied_batch(
                [(sign, False, 1.0, k, float(rest.mean()), years, 1.0)]
            )
            assert reason is None
            d1 = -z + 0.5 * level
            vega = math.sqrt(years) * math.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
            squares.append((vol - market.vol_at(years, z * level)) ** 2)
            noise.append((float(rest.std()) / math.sqrt(len(rest)) / vega) ** 2)
    found = math.sqrt(max(float(np.mean(squares)) - float(np.mean(noise)), 0.0))
    assert found == pytest.approx(model.misfit, abs=4.0 * model.misfit_se + 5e-4)


@pytest.mark.parametrize("kind", [Ladder.HESTON_JUMPS, Ladder.SVCJ])
def test_tails_of_a_crash_are_plausible(real_data: Path, kind: Ladder) -> None:
    """The 1 % price of a year was 522 USD of 65,000; a log-normal at the surface's volatility says a third."""
    market = surface(real_data, CRASH)
    model = ladder(kind, market)
    assert model.xi <= 5.0
    assert model.jumps <= 24.0
    end = np.sort(prices(model, 365, 20_000, seed=5)[365])
    assert 0.05 < end[200] < 0.45
    level = market.vol_at(1.0, 0.0)
    assert end[200] < math.exp(quantile(0.05) * level), "fatter than a log-normal's twentieth"
    assert 0.7 < end[10_000] < 1.05
    assert 1.5 < end[19_800] < 8.0


def test_a_stress_says_what_its_own_paths_miss() -> None:
    market = surface_of(sample_market())
    fitted, stress = (ladder(kind, market) for kind in (Ladder.HESTON_JUMPS, Ladder.SVCJ))
    assert stress.misfit > fitted.misfit
    assert f"{100 * stress.misfit:.2f} ±{100 * stress.misfit_se:.2f}" in stress.words
    assert ladder(Ladder.HESTON_JUMPS, market) == fitted, "the same draws every time"


def test_numbers_the_paths_cannot_walk_are_refused() -> None:
    for wrong in ({"xi": 51.0}, {"rho": 1.5}, {"jumps": 101.0}, {"jumps": -1.0}, {"xi": math.nan}):
        with pytest.raises(Wrong, match="no price model"):
            PriceModel(
                kind=Ladder.HESTON_JUMPS, words="", v0=0.2, kappa=1.0, theta=0.2, **wrong  # type: ignore[arg-type]
            )  # fmt: skip
