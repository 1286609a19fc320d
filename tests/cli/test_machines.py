"""The same journal on another machine: other kernels of linear algebra, other elementary functions."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import copy_workspace

MACHINES = {
    "its own": {},
    "an older one": {
        "OPENBLAS_CORETYPE": "Prescott",
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2_Usable,-AVX2,-FMA_Usable",
    },
    "a wider one": {"OPENBLAS_CORETYPE": "SkylakeX"},
}
"""Processors, as OpenBLAS and glibc are told of them; libraries that know neither go on as they are."""


def _has_wide_vectors() -> bool:
    """Whether this processor has the instructions of the wider one."""
    found = Path("/proc/cpuinfo")
    return found.exists() and "avx512f" in found.read_text()


@pytest.mark.slow
def test_a_plan_is_the_same_to_the_last_bit(signed_mine: Path, tmp_path: Path) -> None:
    heads: dict[str, str] = {}
    for name, settings in MACHINES.items():
        if name == "a wider one" and not _has_wide_vectors():
            continue  # told to use instructions it lacks, the linear algebra ends the process
        folder, target = tmp_path / name, tmp_path / f"{name}.json"
        copy_workspace(signed_mine, folder)
        for command in (["plan"], ["export", "--canonical", "--output", str(target)]):
            done = subprocess.run(
                [sys.executable, "-m", "headframe", *command, "--workspace", str(folder)],
                env=os.environ | settings, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
        heads[name] = json.loads(target.read_text())["head"]
    assert len(set(heads.values())) == 1, heads
