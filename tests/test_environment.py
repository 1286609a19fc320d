"""tools/environment.sh: repaired when it was left half-way, careful of others, clear when it fails."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from waiting import LIMIT

SCRIPT = Path(__file__).resolve().parents[1] / "tools" / "environment.sh"
PIP = """#!/bin/sh
if [ "$1" = -c ]; then exit 0; fi
if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit 0; fi
echo "$*" >>"$LOG"
case "$*" in *"--require-hashes"*) exit ${LOCK_STATUS:-0} ;; esac
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A PATH with a pretended Python, which writes down what it was asked, and no uv."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cat", "rm", "mkdir", "touch", "cp"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "python3").write_text(PIP)
    (tools / "python3").chmod(0o755)
    return tmp_path


def build(place: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), "env", "requirements-dev.lock"], cwd=place, capture_output=True, text=True, check=False,
        timeout=LIMIT, env={"PATH": str(place / "tools"), "LOG": str(place / "log")} | extra,
    )  # fmt: skip


def test_a_whole_set_up_leaves_its_marks(place: Path) -> None:
    done = build(place)
    assert done.returncode == 0, done.stderr
    assert (place / "env" / ".develop").exists()
    assert not (place / "env" / ".building").exists()
    asked = (place / "log").read_text()
    assert "--require-hashes -r requirements-dev.lock" in asked
    assert "--no-build-isolation --no-deps -e ." in asked, "no newest release to build with"


def test_one_left_half_way_is_built_anew(place: Path) -> None:
    build(place)
    (place / "env" / ".building").write_text("")
    (place / "env" / "half").touch()
    done = build(place)
    assert (done.returncode, "built anew" in done.stderr) == (0, True)
    assert not (place / "env" / "half").exists()
    assert (place / "env" / ".develop").exists()


def test_an_environment_that_another_process_builds_is_left_alone(place: Path) -> None:
    build(place)
    (place / "env" / ".building").write_text(str(os.getpid()))
    done = build(place)
    assert done.returncode == 1
    assert f"process {os.getpid()} is at work on it" in done.stderr
    assert (place / "env" / ".runtime").exists()


def test_a_failure_says_what_failed_and_marks_nothing(place: Path) -> None:
    done = build(place, LOCK_STATUS="1")
    assert done.returncode == 1
    assert "the installation of requirements-dev.lock did not succeed" in done.stderr
    assert not (place / "env" / ".develop").exists()
    assert "built anew" in build(place).stderr


def test_an_addition_that_fails_keeps_what_stands(place: Path) -> None:
    build(place)
    assert build(place, LOCK_STATUS="1").returncode == 1
    assert "built anew" not in build(place).stderr


def test_no_python_is_one_line(place: Path) -> None:
    (place / "tools" / "python3").unlink()
    done = build(place)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "no Python 3.11 or later" in done.stderr
