"""Every example runs and says what the documents say it says."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SAYS = {
    "worked_example.py": " 25,000 costless_collar   35,000   5,000",
    "zero_cost_is_tested.py": "put 2,403, call 1,767, debit 636",
    "forecast_a_fleet.py": "year",
    "curtailment_is_an_option.py": "   20,000      0.00      -144,000     95.68",
    "merged_mining.py": "DOGE 2026-09",
    "judge_a_proposal.py": "M-6.1 too_few_dealers: found 0",
}


def test_every_example_is_tested() -> None:
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert SAYS[name] in done.stdout
