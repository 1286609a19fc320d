import math

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headframe.numerics import (
    Array,
    Places,
    column_quantiles,
    compiled,
    gaussian_pair,
    lowest_bit,
    normal_rows,
    normals,
    philox_words,
    poisson,
    uniforms,
)
from headframe.numerics.chance import _log_factorial

mpmath.mp.dps = 40


def test_philox_meets_its_known_answer() -> None:
    # Random123 1.14, kat_vectors, philox4x32 10: counter and key all zero, then all ones.
    assert philox_words(0, 0, 0, 0, 0, 0) == (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    ones = 0xFFFFFFFF
    assert philox_words(ones, ones, ones, ones, ones, ones) == (
        0x408F276D,
        0x41C83B0E,
        0xA20BC7C6,
        0x6D5451FD,
    )


def test_compiled_and_plain_python_give_the_same_bits() -> None:
    machine, plain = np.empty(101), np.empty(101)
    normals(2**40 + 7, 3, 9, machine)
    normals.python(2**40 + 7, 3, 9, plain)
    assert np.allclose(machine, plain, rtol=0, atol=2e-16 * 8)
    uniforms(5, 0, 0, machine)
    uniforms.python(5, 0, 0, plain)
    assert (machine == plain).all()


def test_a_path_does_not_depend_on_how_many_steps_are_drawn() -> None:
    short, long = np.empty(10), np.empty(1000)
    normals(1, 2, 3, short)
    normals(1, 2, 3, long)
    assert (short == long[:10]).all()


@pytest.mark.parametrize("draws", [1, 2, 15, 64])
def test_paths_drawn_side_by_side_are_the_rows_drawn_one_by_one(draws: int) -> None:
    together, alone = np.empty((draws, 37)), np.empty(draws)
    compiled(normal_rows.python)(2**40 + 7, 3, 2**33, together)
    for path in range(37):
        normals(2**40 + 7, 3, 2**33 + path, alone)
        assert (together[:, path] == alone).all()


def test_normals_have_the_moments_of_normals() -> None:
    draws = np.empty(400_000)
    normals(11, 0, 0, draws)
    assert abs(draws.mean()) < 4 / 400_000**0.5
    assert abs(draws.std() - 1) < 4 / (2 * 400_000) ** 0.5
    assert abs((draws**3).mean()) < 4 * (15 / 400_000) ** 0.5


def test_quantiles_agree_with_numpy() -> None:
    values = np.random.default_rng(1).normal(size=(999, 4))
    ours = column_quantiles(values, (0.1, 0.5, 0.9))
    assert np.allclose(ours, np.quantile(values, [0.1, 0.5, 0.9], axis=0), rtol=0, atol=1e-15)


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 29.0, 31.0, 400.0, 50_000.0])
def test_poisson_counts_have_their_distribution(mean: float) -> None:
    """Against the exact chances: the largest gap of the cumulative ones stays within Kolmogorov's 0.1 %."""
    draws = 20_000
    counts = np.array([poisson(mean, 7, 4, path, 64 * (path % 3)) for path in range(draws)])
    assert counts.mean() == pytest.approx(mean, abs=4.5 * (mean / draws) ** 0.5 + 1e-12)
    if mean == 0.0:
        assert not counts.any()
        return
    assert counts.var() == pytest.approx(mean, rel=0.05)
    low, high = int(counts.min()), int(counts.max())
    logs = [k * math.log(mean) - mean - math.lgamma(k + 1.0) for k in range(high + 1)]
    exact = np.cumsum(np.exp(logs))
    found = np.array([(counts <= k).mean() for k in range(low, high + 1)])
    assert np.abs(found - exact[low:]).max() < 1.95 / draws**0.5


def test_log_factorials_are_gammas() -> None:
    for count in (0.0, 1.0, 5.0, 9.0, 10.0, 37.0, 1_000.0, 123_456.0):
        assert _log_factorial(count) == pytest.approx(
            math.lgamma(count + 1.0), rel=1e-13, abs=1e-14
        )


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@example(0, 0)
@example(2**32 - 1, 2**32 - 1)
@example(2**31, 2**30)
@example(3_037_000_499, 3 * 2**30 - 1)
@example(3_037_000_500, 3 * 2**30)
def test_a_pair_of_normals_is_box_and_mullers_to_the_words_own_resolution(a: int, b: int) -> None:
    """Against 40 digits: the angle's thirty low bits lie about an axis, the others say which axis."""
    radius = mpmath.sqrt(-2 * mpmath.log((a + mpmath.mpf("0.5")) / 2**32))
    angle = mpmath.pi * (((b % 2**30) + mpmath.mpf("0.5")) / 2**31 - mpmath.mpf("0.25"))
    along, across = mpmath.cos(angle), mpmath.sin(angle)
    if b & 2**30:
        along, across = across, along
    turned = -radius if b & 2**31 else radius
    one, two = gaussian_pair(a, b)
    assert abs(one - turned * along) < 5e-11
    assert abs(two - turned * across) < 5e-11


@compiled
def _many_pairs(words: Places, out: Array) -> None:
    for index in range(words.shape[0]):
        out[index, 0], out[index, 1] = gaussian_pair(words[index, 0], words[index, 1])


def test_pairs_of_normals_are_normal_and_know_nothing_of_each_other() -> None:
    count = 400_000
    words = np.random.default_rng(8).integers(0, 2**32, (count, 2))
    drawn = np.empty((count, 2))
    _many_pairs(words, drawn)
    for column in drawn.T:
        grid = np.sort(column)
        exact = np.array([0.5 * math.erfc(-z / math.sqrt(2.0)) for z in grid])
        assert np.abs(exact - (np.arange(count) + 0.5) / count).max() < 1.95 / count**0.5
        assert abs((column**4).mean() - 3.0) < 4.0 * (96.0 / count) ** 0.5
    for power in (1, 2):
        assert abs(np.corrcoef(drawn[:, 0] ** power, drawn[:, 1] ** power)[0, 1]) < 4 / count**0.5
    few = np.empty((100, 2))
    _many_pairs.python(words[:100], few)
    assert (few == drawn[:100]).all(), "the same bits in Python"


@compiled
def _places(words: Places, out: Places) -> None:
    for index in range(words.size):
        out[index] = lowest_bit(words[index])


def test_the_lowest_bit_of_a_word_is_found() -> None:
    words = np.array([1 << place for place in range(63)] + [-(2**63), 12, -1, -(2**40)])
    found = np.empty(len(words), dtype=np.int64)
    _places(words, found)
    assert found.tolist() == [*range(64), 2, 0, 40]
    assert [lowest_bit(word) for word in (1, 12, 2**40, -1)] == [0, 2, 40, 0]
