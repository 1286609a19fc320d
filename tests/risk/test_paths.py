"""Paths against a walk of our own in plain Python, and the chances they are drawn with."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headframe.market import sample_market
from headframe.numerics import philox_words
from headframe.pricing import surface_of
from headframe.risk import Ladder, ladder
from headframe.risk.kernels import price_paths
from headframe.risk.price_models import gbm

DAY = 1.0 / 365.0
SURFACE = surface_of(sample_market())
PULL, STRAY = gbm(0.5).numbers(1.0)[15:17]


def walked(model: Any, days: int, paths: int, seed: int = 5) -> Any:
    out = np.empty((days + 1, 4, paths))
    residuals, moments = model.drawn_from()
    price_paths(seed, 0, model.numbers(1.0), np.zeros(days), residuals, moments, out)
    return out


def pair(a: int, b: int) -> tuple[float, float]:
    """Box and Muller's pair, by the library's functions."""
    radius = math.sqrt(-2.0 * math.log((a + 0.5) / 2.0**32))
    angle = math.pi * ((b % 2**30 + 0.5) / 2.0**31 - 0.25)
    if b & 2**30:
        angle = 0.5 * math.pi - angle
    if b & 2**31:
        angle += math.pi
    return radius * math.cos(angle), radius * math.sin(angle)


def by_hand(model: Any, seed: int, path: int, days: int) -> list[tuple[float, float, float]]:
    """Log price, variance and basis by day of one path of Heston's model with jumps, word by word."""
    x, v, basis = 0.0, model.v0, 0.0
    found = [(x, v, basis)]
    chance = round(model.jumps * DAY * 2**32) / 2**32
    jump = math.exp(model.jump_mean + 0.5 * model.jump_sd**2)
    compensator = math.log(1.0 + chance * (jump - 1.0))
    across = math.sqrt(1.0 - model.rho**2)
    for day in range(days):
        words = philox_words(path, day, 40, 0, seed, 0)
        first = philox_words(path, day - day % 2, 40, 0, seed, 0)
        second = philox_words(path, day - day % 2 + 1, 40, 0, seed, 0)
        one, two = pair(words[0], words[1])
        stray = pair(first[2], first[3])[day % 2]
        s = math.sqrt(max(v, 0.0) * DAY)
        x += -compensator - 0.5 * max(v, 0.0) * DAY + s * one
        v += model.kappa * DAY * (model.theta - max(v, 0.0)) + model.xi * s * (
            model.rho * one + across * two
        )
        if second[2 + day % 2] < chance * 2**32:
            drawn = philox_words(path, day, 41, 0, seed, 0)
            x += model.jump_mean + model.jump_sd * pair(drawn[2], drawn[3])[0]
        basis = basis * (1.0 - PULL * DAY) + STRAY * math.sqrt(DAY) * stray
        found.append((x, v, basis))
    return found


JUMPING = replace(
    ladder(Ladder.HESTON_JUMPS, SURFACE), v0=0.2, kappa=3.0, theta=0.25, xi=0.7, rho=-0.3,
    jumps=40.0, jump_mean=-0.05, jump_sd=0.08,
)  # fmt: skip


@pytest.mark.parametrize("path", [0, 1, 63, 64, 137])
def test_a_path_is_what_its_words_say(path: int) -> None:
    """Written down from the description alone: every day within 1e-8 over a year and forty jumps."""
    out = walked(JUMPING, 365, 138, seed=11)
    for day, (x, v, basis) in enumerate(by_hand(JUMPING, 11, path, 365)):
        assert out[day, 1, path] == pytest.approx(x, abs=1e-8)
        assert out[day, 0, path] == pytest.approx(math.exp(x), rel=1e-8)
        assert out[day, 2, path] ** 4 == pytest.approx(max(v, 0.0), abs=1e-8)
        assert out[day, 3, path] == pytest.approx(basis, abs=1e-9)


def test_jumps_come_as_often_as_they_should_on_either_day_of_two() -> None:
    still = replace(JUMPING, v0=1e-8, theta=1e-8, xi=0.0, jumps=20.0, jump_mean=0.5, jump_sd=0.0)
    out = walked(still, 400, 4_000)
    jumped = np.diff(out[:, 1], axis=0) > 0.25
    chance, days = 20.0 / 365.0, jumped.shape[1]
    for parity in (0, 1):
        counted = jumped[parity::2].mean()
        assert abs(counted - chance) < 4.0 * math.sqrt(chance / (200.0 * days))
    both = jumped[0::2] & jumped[1::2]
    assert abs(both.mean() - chance**2) < 4.0 * chance / math.sqrt(200.0 * days)


def test_a_jump_every_day_is_the_most_there_is() -> None:
    still = replace(JUMPING, v0=1e-8, theta=1e-8, xi=0.0, jump_mean=0.01, jump_sd=0.0)
    numbers, residuals, moments = still.numbers(1.0), *still.drawn_from()
    numbers[7] = 1e4
    out = np.empty((31, 4, 70))
    price_paths(3, 0, numbers, np.zeros(30), residuals, moments, out)
    assert np.abs(out[30, 1]).max() < 1e-3, "each day a jump, and each day what it takes away"


def test_strays_of_the_basis_are_fresh_every_day() -> None:
    out = walked(JUMPING, 300, 3_000)
    fresh = (out[1:, 3] - (1.0 - PULL * DAY) * out[:-1, 3]) / (STRAY * math.sqrt(DAY))
    count = fresh[0::2].size
    assert abs(fresh.std() - 1.0) < 4.0 / math.sqrt(4.0 * count)
    for lag in (1, 2):
        both = np.corrcoef(fresh[:-lag].ravel(), fresh[lag:].ravel())[0, 1]
        assert abs(both) < 4.0 / math.sqrt(2.0 * count)
    moved = np.diff(out[:, 1], axis=0) / np.maximum(out[:-1, 2] ** 2, 1e-9)
    assert abs(np.corrcoef(fresh.ravel(), moved.ravel())[0, 1]) < 4.0 / math.sqrt(2.0 * count)
