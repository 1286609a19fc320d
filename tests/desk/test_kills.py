"""kill -9 before exact calls of a command: nothing acknowledged is lost, nothing is done by halves or twice."""

import shutil
from pathlib import Path

import pytest

import kills

WORDS = ("rfq", "P-1", "--as", "trader")


@pytest.fixture(scope="module")
def calls(planned_mine: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls that count a request makes from the command line, and that it is done."""
    folder = tmp_path_factory.mktemp("whole") / "mine"
    shutil.copytree(planned_mine, folder)
    status, answer, count = kills.run(0, folder, *WORDS)
    assert (status, answer.startswith("{")) == (0, True)
    return count


@pytest.mark.parametrize("share", [0.05, 0.45, 0.62, 0.75, 0.9])
def test_killed_before_one_call_the_next_command_goes_on(
    share: float, calls: int, planned_mine: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(planned_mine, folder)
    status, answer, _ = kills.run(max(int(calls * share), 1), folder, *WORDS)
    assert status == -9
    wrong = kills.judged(folder, answer, WORDS)
    assert not any(wrong.values()), wrong
