"""The how-to "your first month" is run as it stands: every command, and every line of output it shows."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import LIMIT

PAGE = Path(__file__).resolve().parents[1] / "docs" / "first-month.md"
_BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)


def run(arguments: list[str], folder: Path) -> tuple[int, str]:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("HEADFRAME")
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment | {"COLUMNS": "300"},
        capture_output=True, text=True, check=False, timeout=LIMIT,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def steps() -> list[tuple[str, int, list[str]]]:
    """Each command with its status and the lines shown of its output; Python blocks under ``-c``."""
    found: list[tuple[str, int, list[str]]] = []
    for kind, body in _BLOCK.findall(PAGE.read_text()):
        if kind == "python":
            found.append((body, -1, []))
            continue
        for line in body.strip().splitlines():
            if line.startswith("$ "):
                command, _, note = line[2:].partition("  # status ")
                found.append((command, int(note or 0), []))
            else:
                found[-1][2].append(line)
    return found


@pytest.mark.slow  # twenty-seven commands, each a process of its own
def test_every_command_of_the_page_does_what_the_page_shows(tmp_path: Path) -> None:
    folder = tmp_path
    for command, status, lines in steps():
        if status == -1:
            assert run(["-c", command], folder) == (0, "")
            continue
        words = shlex.split(command)
        if words[0] == "cd":
            folder = folder / words[1]
            continue
        assert words[0] == "headframe"
        code, output = run(["-m", *words], folder)
        assert code == status, (command, code, output[-600:])
        for line in lines:
            assert line in output, (command, line, output[-3000:])


def test_the_page_shows_commands_and_lines() -> None:
    shown = steps()
    assert sum(bool(lines) for _, _, lines in shown) >= 8
    assert {status for _, status, _ in shown} == {-1, 0, 6}
