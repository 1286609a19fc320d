"""``check`` names every fault of the files: none hides another, in its table, its file or another file."""

import re
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headframe.codec import Problem
from headframe.codec.checking import HOLE, agree, checked
from headframe.desk.ports import NotFound
from headframe.desk.workspace import FILES, check_files, sample_file
from headframe.mandate import RfqRules

SAMPLE = {name: sample_file(name) for name in FILES}
KEY = re.compile(r"([a-z][a-z0-9_]*) = ([^#\[{]+?)\s*(#.*)?")
KEY_TEXT = re.compile(r"^([a-z_0-9.]+)")


@dataclass
class Texts:
    """The three files in memory."""

    held: dict[str, str]

    def text(self, name: str) -> str:
        if name not in self.held:
            raise NotFound(f"no file {name}")
        return self.held[name]

    def write(self, name: str, text: str) -> str:
        self.held[name] = text
        return name


@dataclass(frozen=True)
class Fault:
    """One line of a file changed."""

    file: str
    line: int
    text: str


def planted(*faults: Fault) -> tuple[Problem, ...]:
    held = {name: text.split("\n") for name, text in SAMPLE.items()}
    for one in faults:
        held[one.file][one.line - 1] = one.text
    return check_files(Texts({name: "\n".join(lines) for name, lines in held.items()}))


def _values(value: str) -> tuple[str, ...]:
    if value.startswith('"'):
        return ("5", "[1]")
    if value in {"true", "false"}:
        return ('"maybe"', "3")
    return ("1e30", "-1e30", '"much"', "true")


@cache
def faults() -> tuple[Fault, ...]:
    """Every change of one line that is one problem at that very line: wrong type, out of range, unknown key."""
    found: list[Fault] = []
    for name, text in SAMPLE.items():
        for number, line in enumerate(text.split("\n"), start=1):
            match = KEY.fullmatch(line)
            if match is None:
                continue
            key, value = match[1], match[2]
            tried = [f"{key} = {bad}" for bad in _values(value)]
            found += [Fault(name, number, bad) for bad in tried]
    return tuple(found)


@cache
def alone(fault: Fault) -> Problem | None:
    """The problem of a fault by itself, where it is one, at its own line."""
    found = planted(fault)
    if len(found) != 1 or (found[0].file, found[0].line) != (fault.file, fault.line):
        return None
    return found[0]


def test_the_sample_has_faults_of_every_kind_to_plant() -> None:
    certain = [one for one in faults()[::7] if alone(one) is not None]
    assert len(certain) > 40
    assert {one.file for one in certain} == set(FILES)


@settings(max_examples=40)
@given(
    st.lists(
        st.sampled_from(faults()), min_size=2, max_size=12, unique_by=lambda f: (f.file, f.line)
    )
)
def test_every_planted_fault_is_named(chosen: list[Fault]) -> None:
    certain = [one for one in chosen if alone(one) is not None]
    found = set(planted(*certain))
    assert found == {alone(one) for one in certain}


def _changed(name: str, *pairs: tuple[str, str]) -> dict[str, str]:
    text = SAMPLE[name]
    for old, new in pairs:
        found = re.sub(old, new, text, count=1, flags=re.MULTILINE)
        assert found != text, old
        text = found
    return SAMPLE | {name: text}


def texts_of(held: dict[str, str]) -> list[str]:
    return [one.text for one in check_files(Texts(held))]


@pytest.mark.parametrize(
    ("file", "pairs", "words"),
    [
        (
            "headframe.toml",
            [("^cash_usd =.*", "cash_usd = -1.0"), ("^loan_usd =.*", "loan_usd = 1e13")],
            ["cash_usd must lie between", "loan_usd must lie between"],
        ),
        (
            "headframe.toml",
            [("^seed =.*", "seed = -1"), ("^mode =.*", 'mode = "demo"'), ("^name =.*", "nane = 3")],
            ["seed must lie", "mode must be", "unknown key workspace.nane", "name is missing"],
        ),
        (
            "mandate.toml",
            [
                ("^responses_min =.*", "responses_min = 99"),
                ("^distance_max =.*", "distance_max = 7.0"),
            ],
            ["responses_min 99 must not exceed", "distance_max must lie"],
        ),
        (
            "mandate.toml",
            [
                ('^entity = "[^"]*"', 'entity = "Other Ltd"'),
                ("^horizon_months =.*", "horizon_months = 99"),
            ],
            ["is not the operation's", "horizon_months must lie", "nothing may be dealt"],
        ),
        (
            "counterparties.toml",
            [
                ("line_usd = [0-9_.e]+", "line_usd = -4.0"),
                ("tenor_months = [0-9]+", "tenor_months = 0"),
            ],
            ["a credit line must lie", "a tenor must lie"],
        ),
    ],
)
def test_two_faults_of_one_table_are_both_named(
    file: str, pairs: list[tuple[str, str]], words: list[str]
) -> None:
    found = texts_of(_changed(file, *pairs))
    for word in words:
        assert any(word in text for text in found), (word, found)
    assert len(found) == len(words), found


def test_a_file_that_is_no_toml_or_absent_hides_nothing_of_the_others() -> None:
    held = _changed("mandate.toml", ("^horizon_months =.*", "horizon_months = 99"))
    held["headframe.toml"] = "= 3\n"
    found = texts_of(held)
    assert len(found) == 2
    del held["headframe.toml"]
    assert any("no file headframe.toml" in one for one in texts_of(held))
    assert any("horizon_months" in one for one in texts_of(held))
    with pytest.raises(NotFound):
        check_files(Texts({name: text for name, text in SAMPLE.items() if name != "mandate.toml"}))


def test_what_only_follows_from_a_fault_is_not_said() -> None:
    rules = {
        "dealers_min": 200, "responses_min": 2, "response_seconds": 60, "decision_seconds": 20,
        "criterion": HOLE, "distance_max": 3.0, "disclosed": True, "block_min_coins": 25.0,
        "future_block_min_usd": 2e5, "repeat_minutes": 30, "last_look_seconds_max": 5,
    }  # fmt: skip
    found = [one.text for one in checked(RfqRules, rules, flawed=True).refused]
    assert [text.split()[0] for text in found] == ["dealers_min", "distance_max"]
    rules |= {"dealers_min": HOLE, "responses_min": 500}
    found = [one.text for one in checked(RfqRules, rules, flawed=True).refused]
    assert [text.split()[0] for text in found] == ["responses_min", "distance_max"]


def test_a_check_across_files_decides_nothing_on_a_hole() -> None:
    assert agree(lambda: ["a"] if HOLE > 3 else [], flawed=True) == []
    assert agree(lambda: ["a"] if HOLE != 3 else [], flawed=True) == []
    assert agree(lambda: ["a"], flawed=True) == ["a"]
