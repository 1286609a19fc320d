"""Elementary functions of our own, against 40 digits, and the same bits in Python and compiled."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.numerics import cumulative, exp, log, sincos_turn
from headframe.numerics.compiled import Array, compiled

mpmath.mp.dps = 40


@given(st.floats(-700.0, 700.0))
def test_exp_to_the_last_bits(x: Any) -> None:
    wanted = mpmath.exp(mpmath.mpf(x))
    assert abs(mpmath.mpf(exp(x)) / wanted - 1) < 3e-16


@given(st.one_of(st.floats(1e-300, 1e300), st.floats(0.5, 2.0)))
def test_log_to_the_last_bits(x: Any) -> None:
    wanted = mpmath.log(mpmath.mpf(x))
    assert abs(mpmath.mpf(log(x)) - wanted) <= 3e-16 * max(abs(wanted), mpmath.mpf("1e-17"))


@given(st.floats(0.0, 1.0))
def test_sine_and_cosine_of_a_turn(u: Any) -> None:
    sine, cosine = sincos_turn(u)
    turn = 2 * mpmath.pi * mpmath.mpf(u)
    assert abs(sine - mpmath.sin(turn)) < 4e-16
    assert abs(cosine - mpmath.cos(turn)) < 4e-16


@given(st.floats(-37.0, 8.5))
def test_the_normal_distribution_far_into_its_lower_tail(z: Any) -> None:
    wanted = mpmath.ncdf(mpmath.mpf(z))
    assert abs(mpmath.mpf(cumulative(z)) / wanted - 1) < 1e-15 + 1.2e-16 * z * z


def test_ends_are_held() -> None:
    assert exp(-1e9) == exp(-708.0) < 1e-307
    assert exp(1e9) == exp(709.0) > 8e307
    assert exp(0.0) == 1.0
    assert log(1.0) == 0.0
    assert cumulative(0.0) == pytest.approx(0.5, abs=1e-16)
    assert cumulative(40.0) == 1.0


@compiled
def all_of_them(x: Array, out: Array) -> None:
    for index in range(x.size):
        out[index, 0] = exp(x[index])
        out[index, 1] = log(x[index] * x[index] + 1e-3)
        sine, cosine = sincos_turn(abs(x[index]) - math.floor(abs(x[index])))
        out[index, 2] = sine
        out[index, 3] = cosine
        out[index, 4] = cumulative(x[index])


def test_python_and_machine_code_agree_to_the_bit() -> None:
    x = np.random.default_rng(5).uniform(-30.0, 30.0, 3_001)
    machine, python = np.empty((x.size, 5)), np.empty((x.size, 5))
    all_of_them(x, machine)
    all_of_them.python(x, python)
    assert machine.tobytes() == python.tobytes()


CALLEE = "from headframe.numerics import lane\n@lane\ndef inner(x):\n    return x * {factor}\n"
CALLER = """
from callee import inner
from headframe.numerics.compiled import compiled
import numpy as np
@compiled
def outer(x):
    for i in range(x.size):
        x[i] = inner(x[i])
x = np.ones(3)
outer(x)
print(x[0])
"""


def test_a_mended_kernel_never_lives_on_in_its_callers_machine_code(tmp_path: Path) -> None:
    caller = tmp_path / "caller.py"
    caller.write_text(CALLER)
    for factor in ("2.0", "3.0", "10.0"):
        (tmp_path / "callee.py").write_text(CALLEE.format(factor=factor))
        done = subprocess.run(
            [sys.executable, str(caller)], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        assert float(done.stdout) == float(factor)
    assert list(tmp_path.glob("__pycache__/caller.outer*.nbi")), "machine code was kept"
