"""Kept machine code: several processes at once share it, and never take one kernel's code for another's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headframe.numerics import kernel_cache
from headframe.numerics.compiled import compiled
from waiting import LIMIT

KERNEL = """
from headframe.numerics.compiled import compiled, np

@compiled
def total(values):
    out = values[0] * 0
    for i in range(values.shape[0]):
        out += values[i]
    return out
"""
USE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy
from kernel import total
values = numpy.arange(4, dtype=sys.argv[2]) + 0.5 if sys.argv[2] == "float64" else numpy.arange(4)
found = total(values)
stats = total.machine().stats
print(json.dumps([float(found), sum(stats.cache_misses.values()), sum(stats.cache_hits.values())]))
"""


def run_together(folder: Path, types: list[str]) -> list[Any]:
    """Start one process for each type at once; return the value, compilations and loads of each."""
    env = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache")}
    each = [
        subprocess.Popen(
            [sys.executable, "-c", USE, str(folder), name],
            stdout=subprocess.PIPE,
            text=True,
            env=env,
        )
        for name in types
    ]
    return [json.loads(process.communicate(timeout=LIMIT)[0]) for process in each]


def test_processes_that_start_together_compile_a_kernel_once(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL)
    found = run_together(tmp_path, ["float64"] * 3)
    assert [value for value, _, _ in found] == [8.0] * 3
    assert sum(compilations for _, compilations, _ in found) == 1
    assert sum(loads for _, _, loads in found) == 2


def test_processes_with_other_types_keep_both(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(KERNEL)
    both = ["float64", "int64"]
    assert [value for value, _, _ in run_together(tmp_path, both)] == [8.0, 6.0]
    again = run_together(tmp_path, both)
    assert again == [[8.0, 0, 1], [6.0, 0, 1]], "both are loaded, neither is compiled again"


def doubled(values: Any) -> Any:
    out = values[0] * 2
    return out + 0


def test_two_writers_that_saw_an_empty_index_never_share_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is taken away: names alone must keep the code of two types apart."""
    monkeypatch.setattr(kernel_cache, "_locks", None)
    from numba.core import config

    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    reals, whole = np.array([1.5, 2.0]), np.array([3, 4])
    for values in (reals, whole):
        machine: Any = compiled(doubled).machine()
        index = kernel_cache.cache_file(machine)
        monkeypatch.setattr(index, "_load_index", dict)  # as both read it before either wrote
        machine(values)
    names = {file.name for file in tmp_path.rglob("*.nbc")}
    assert len(names) == 2, names
    again: Any = compiled(doubled).machine()
    assert (again(reals), again(whole)) == (3.0, 6)
    assert sum(again.stats.cache_hits.values()) >= 1


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    with kernel_cache._locked(str(tmp_path / "absent" / "x.lock")):
        assert not (tmp_path / "absent").exists()


def test_a_lock_held_by_this_process_is_not_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "x.lock")
    with kernel_cache._locked(path), kernel_cache._locked(path):
        assert path in kernel_cache._held
    assert path not in kernel_cache._held
