"""The locks are closed, complete and hashed: a newer release of any package cannot break them."""

import re
import tomllib
from pathlib import Path

import pytest

from locks import faults, installed, read_entries, unmet

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")


def text(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_of_every_locked_package_is_met_by_its_lock(lock: str) -> None:
    entries, packages = read_entries(text(lock)), installed()
    if lock == "requirements-bench.lock":  # only `make bench` and .ci/run install all of it
        entries = {name: entry for name, entry in entries.items() if name in packages}
    assert len(entries) > 1
    found = faults(entries, packages)
    if lock == "requirements-bench.lock":
        found = [each for each in found if "not in the lock" not in each]
    assert found == []


@pytest.mark.parametrize(("entry", "bare"), [("coverage[toml]==", "coverage=="), ("psycopg[binary]==", "psycopg==")])  # fmt: skip
def test_an_extra_that_is_lost_is_found(entry: str, bare: str) -> None:
    lock = text("requirements-dev.lock")
    assert entry in lock
    entries = read_entries(lock.replace(entry, bare))
    (wanted,) = [line for line in ("coverage[toml]>=7", "psycopg[binary]>=3.2") if line.startswith(bare[:-2])]  # fmt: skip
    assert "lacks" in unmet(wanted, entries)
    if bare == "coverage==":
        assert any("pytest-cov requires coverage[toml]" in each for each in faults(entries, installed()))  # fmt: skip


def test_an_entry_that_is_missing_or_too_old_is_found() -> None:
    lock = text("requirements.lock")
    lost = re.sub(r"^h11==.*\n(    .*\n)*", "", lock, flags=re.MULTILINE)
    assert any("uvicorn requires h11" in each for each in faults(read_entries(lost), installed()))
    entries = read_entries(lock)
    assert "the lock has" in unmet("numpy>=99", entries)
    assert unmet("numpy>=99; extra == 'other'", entries) == ""


def test_what_is_asked_for_is_in_the_locks() -> None:
    project = tomllib.loads(text("pyproject.toml"))
    asked = [line for line in text("requirements.in").splitlines() if not line.startswith("#")]
    runtime, develop = (read_entries(text(name)) for name in LOCKS[:2])
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    assert [reason for each in (*asked, *wanted) if (reason := unmet(each, runtime))] == []
    optional = [each for group in project["project"]["optional-dependencies"].values() for each in group]  # fmt: skip
    plain = [line for line in text("requirements-dev.in").splitlines() if not line.startswith("-r")]
    assert [
        reason for each in (*asked, *plain, *optional) if (reason := unmet(each, develop))
    ] == []
    assert all(develop[name] == entry for name, entry in runtime.items())


@pytest.mark.parametrize("lock", [*LOCKS, "tools/installers.lock"])
def test_every_entry_has_hashes_and_no_lock_names_a_place(lock: str) -> None:
    body = text(lock)
    entries = re.split(r"^(?=[A-Za-z0-9])", body, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?:|--(index|extra-index|find-links)| @ ", body)
