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


def jump_counts(model: Any) -> list[int]:
    """Of 2**32 words, how many bring more than 0, 1, ... jumps on a day: a Poisson law cut off at six."""
    mean = model.jumps * DAY
    below = [math.exp(-mean) * mean**n / math.factorial(n) for n in range(40)]
    return [round(sum(below[count + 1 :]) * 2**32) for count in range(6)]


def heston_day(model: Any, v: float, zx: float, zv: float) -> tuple[float, float]:
    """Andersen's step (2008), K0* of his proposition 9: the log price's move without its growth, and v."""
    kappa, theta, xi, rho = model.kappa, model.theta, model.xi, model.rho
    fall = math.exp(-kappa * DAY)
    m = theta + (v - theta) * fall
    s2 = v * xi**2 * fall / kappa * (1 - fall) + theta * xi**2 / (2 * kappa) * (1 - fall) ** 2
    psi = s2 / m**2
    k1 = 0.5 * DAY * (kappa * rho / xi - 0.5) - rho / xi
    k2 = 0.5 * DAY * (kappa * rho / xi - 0.5) + rho / xi
    k3 = k4 = 0.5 * DAY * (1 - rho**2)
    a_ = k2 + 0.5 * k4
    if psi <= 1.5:
        b2 = 2 / psi - 1 + math.sqrt(2 / psi) * math.sqrt(2 / psi - 1)
        a = m / (1 + b2)
        end = a * (math.sqrt(b2) + zv) ** 2
        log_mean = a_ * b2 * a / (1 - 2 * a_ * a) - 0.5 * math.log(1 - 2 * a_ * a)
    else:
        p = (psi - 1) / (psi + 1)
        beta = (1 - p) / m
        uniform = 0.5 * math.erfc(-zv / math.sqrt(2))
        end = 0.0 if uniform <= p else math.log((1 - p) / (1 - uniform)) / beta
        log_mean = math.log(p + beta * (1 - p) / (beta - a_))
    k0 = -log_mean - (k1 + 0.5 * k3) * v
    return k0 + k1 * v + k2 * end + math.sqrt(k3 * v + k4 * end) * zx, end


def by_hand(model: Any, seed: int, path: int, days: int) -> list[tuple[float, float, float]]:
    """Log price, variance and basis by day of one path of Heston's model with jumps, word by word."""
    x, v, basis = 0.0, model.v0, 0.0
    found = [(x, v, basis)]
    more = jump_counts(model)
    jump = math.exp(model.jump_mean + 0.5 * model.jump_sd**2)
    compensator = math.log(
        1.0 + sum(count / 2**32 * jump**n * (jump - 1.0) for n, count in enumerate(more))
    )
    for day in range(days):
        words = philox_words(path, day, 40, 0, seed, 0)
        first = philox_words(path, day - day % 2, 40, 0, seed, 0)
        second = philox_words(path, day - day % 2 + 1, 40, 0, seed, 0)
        one, two = pair(words[0], words[1])
        stray = pair(first[2], first[3])[day % 2]
        moved, v = heston_day(model, v, one, two)
        x += moved - compensator
        count = sum(1 for bound in more if second[2 + day % 2] < bound)
        if count:
            drawn = philox_words(path, day, 41, 0, seed, 0)
            size = pair(drawn[2], drawn[3])[0]
            x += count * model.jump_mean + math.sqrt(count) * model.jump_sd * size
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
    chance, days = -math.expm1(-20.0 / 365.0), jumped.shape[1]
    for parity in (0, 1):
        counted = jumped[parity::2].mean()
        assert abs(counted - chance) < 4.0 * math.sqrt(chance / (200.0 * days))
    both = jumped[0::2] & jumped[1::2]
    assert abs(both.mean() - chance**2) < 4.0 * chance / math.sqrt(200.0 * days)


def test_a_day_brings_a_poisson_number_of_jumps() -> None:
    still = replace(JUMPING, v0=1e-8, theta=1e-8, xi=0.0, jumps=100.0, jump_mean=0.5, jump_sd=0.0)
    out = walked(still, 200, 4_000)
    away = np.diff(out[:, 1], axis=0)
    counted = np.rint((away - away.min()) / 0.5)
    for count in range(4):
        mean = 100.0 / 365.0
        chance = math.exp(-mean) * mean**count / math.factorial(count)
        share = (counted == count).mean()
        assert abs(share - chance) < 4.0 * math.sqrt(chance / counted.size)


def test_six_jumps_are_the_most_of_a_day() -> None:
    still = replace(JUMPING, v0=1e-8, theta=1e-8, xi=0.0, jump_mean=0.01, jump_sd=0.0)
    numbers, residuals, moments = still.numbers(1.0), *still.drawn_from()
    numbers[7] = 1e4
    out = np.empty((31, 4, 70))
    price_paths(3, 0, numbers, np.zeros(30), residuals, moments, out)
    assert np.abs(out[30, 1]).max() < 1e-3, "each day six, and each day what they take away"


@pytest.mark.parametrize("jumps", [0.0, 6.0, 90.0])
def test_jumps_of_variance_add_up_and_keep_the_mean_price(jumps: float) -> None:
    model = replace(
        JUMPING, jumps=jumps, jump_mean=-0.06, jump_sd=0.09, variance_jump=0.05, jump_link=-0.1
    )
    out = walked(model, 60, 40_000)
    end = out[60, 0]
    assert abs(end.mean() - 1.0) < 4.0 * end.std() / math.sqrt(len(end))
    pull = model.kappa / 365.0
    stays = (1.0 - math.exp(-60 * pull)) / (1.0 - math.exp(-pull))  # a jump comes at a day's end
    fall = math.exp(-60 * pull)
    mean = model.theta + (model.v0 - model.theta) * fall + jumps / 365.0 * 0.05 * stays
    v = out[60, 2] ** 4
    assert abs(v.mean() - mean) < 4.0 * v.std() / math.sqrt(len(v))


def test_the_variance_that_hits_zero_keeps_its_mean_and_spread() -> None:
    """A volatility of variance of 500 %: the exponential law of the scheme, and both moments of Heston's."""
    model = replace(JUMPING, jumps=0.0, xi=5.0, v0=0.3, kappa=4.0, theta=0.2, rho=-0.5)
    out = walked(model, 90, 60_000)
    v, end, years = out[90, 2] ** 4, out[90, 0], 90 / 365
    fall = math.exp(-4.0 * years)
    mean = 0.2 + 0.1 * fall
    spread = 0.3 * 25.0 * fall * (1 - fall) / 4.0 + 0.2 * 25.0 * (1 - fall) ** 2 / 8.0
    assert (v < 1e-9).mean() > 0.1
    assert abs(v.mean() - mean) < 4.0 * v.std() / math.sqrt(len(v))
    assert v.var() == pytest.approx(spread, rel=0.1)
    assert abs(end.mean() - 1.0) < 4.0 * end.std() / math.sqrt(len(end))


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
