"""Names, sizes and leftovers: what the house forbids, checked by a machine."""

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
UNDECIDED = {"util", "utils", "helper", "helpers", "manager", "service", "handler", "processor", "base", "common", "misc", "data", "info", "obj", "tmp"}  # fmt: skip
LONGEST_FILE = 500
LONGEST_FUNCTION = 50
LEFTOVERS = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|breakpoint)\b|assert True\b")


def words(name: str) -> Any:
    return set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", name).lower()))


@pytest.mark.parametrize("path", SOURCE, ids=lambda p: str(p.relative_to(ROOT)))
def test_names_are_decided_and_sizes_fit_the_eye(path: Any) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert not words(path.stem) & (UNDECIDED - {"data"}), path.stem
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            assert not words(node.name) & UNDECIDED, node.name
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            body = node.end_lineno - node.body[0].lineno + 1
            kernels = "kernels" in {path.stem, path.parent.name}
            if not kernels and path.name != "normal.py":
                assert body <= LONGEST_FUNCTION, (node.name, body)
            positional = (
                len(node.args.posonlyargs)
                + len(node.args.args)
                - (node.args.args[:1] != [] and node.args.args[0].arg in {"self", "cls"})
            )
            if not kernels and path.name not in {
                "scenario.py",
                "collar.py",
                "normal.py",
                "chance.py",
            }:
                assert positional <= 6, (node.name, positional)


@pytest.mark.parametrize("path", SOURCE + TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_left_lying_about(path: Any) -> None:
    if path.name != "test_tidy.py":
        assert not LEFTOVERS.search(path.read_text())


def test_every_room_says_what_it_is_and_has_tests() -> None:
    for room in sorted((ROOT / "src" / "headframe").iterdir()):
        if room.is_dir() and room.name != "__pycache__":
            door = (room / "__init__.py").read_text()
            assert ast.get_docstring(ast.parse(door)), room.name
            assert list((ROOT / "tests" / room.name).rglob("test_*.py")), (
                f"no tests for {room.name}"
            )


def test_rooms_are_entered_by_their_doors() -> None:
    doors = re.compile(r"^\s*from headframe\.(\w+)\.(\w+)", re.MULTILINE)
    open_rooms = {"desk"}  # the door of the desk is its list of subjects
    plain = {
        ("pricing", "kernels"),
        ("paper", "street"),
    }  # kernels see kernels; wiring sets the street's fees
    for path in SOURCE:
        room = path.relative_to(ROOT / "src" / "headframe").parts[0]
        for other, module in doors.findall(path.read_text()):
            inside = other == room or other in open_rooms or (other, module) in plain
            assert inside, f"{path.name} reaches past the door of {other} for {module}"


def test_only_the_mandate_makes_approvals() -> None:
    for path in SOURCE:
        text = path.read_text()
        if "mandate" not in path.parts:
            assert "_SEAL" not in text
        if path.parent.name != "mandate" and path.name != "values.py":
            assert "recall_approval" not in text


def test_the_house_speaks_of_itself_alone() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if tracked.returncode != 0:
        pytest.skip("not a checkout")
    forbidden = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|/" + "root/|/" + "work/")
    for name in tracked.stdout.split():
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".toml", ".lock", ".in", ".sh", ""}
            and path.name != "test_tidy.py"
            and path.is_file()
        ):
            found = forbidden.search(path.read_text(errors="replace"))
            assert found is None, f"{name}: {found}"
