"""hledger itself, where the machine has it or ``tools/checker.sh`` unpacked it beside the environment."""

import csv
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from waiting import LIMIT


def ran(journal: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What hledger says of a journal; skips the test, and says so, where there is no hledger."""
    beside = Path(sys.prefix) / "hledger" / "usr" / "bin" / "hledger"
    program = shutil.which("hledger") or (str(beside) if beside.exists() else None)
    if program is None:
        pytest.skip("no hledger on this machine and none could be fetched")
    return subprocess.run(
        [program, "-f", "-", *arguments], input=journal, capture_output=True, text=True, check=False,
        timeout=LIMIT, env={"LANG": "C.UTF-8", "HOME": "/nonexistent"},
    )  # fmt: skip


def accepts(journal: str) -> None:
    """Holds where hledger finds no fault, in strict mode and with the days in order."""
    done = ran(journal, "check", "--strict", "ordereddates")
    assert done.returncode == 0, done.stderr


def balances(journal: str) -> dict[tuple[str, str], Decimal]:
    """The balance of each account and currency by hledger's own sums, without those of nothing."""
    done = ran(journal, "balance", "--flat", "--no-total", "--layout=bare", "-O", "csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    return {
        (row["account"], row["commodity"]): Decimal(row["balance"])
        for row in rows
        if row["commodity"]
    }
