"""What check warns of although the files are lawful."""

from datetime import date

import pytest

from headframe.desk import outlook
from headframe.desk.workspace import FILES, sample_file


class Texts:
    """The three sample files with some lines changed."""

    def __init__(self, *changes: tuple[str, str, str]) -> None:
        self.texts = {name: sample_file(name) for name in FILES}
        for name, old, new in changes:
            assert old in self.texts[name]
            self.texts[name] = self.texts[name].replace(old, new, 1)

    def text(self, name: str) -> str:
        return self.texts[name]


IN_FORCE = date(2026, 9, 20)
VALID_FROM = ("mandate.toml", "valid_from = 2026-07-01", "valid_from = 2026-12-01")
SMALL_BLOCK = ("mandate.toml", "block_min_coins = 25.0", "block_min_coins = 24.9")
SMALL_FUTURE = (
    "mandate.toml",
    "future_block_min_usd = 200000.0",
    "future_block_min_usd = 199999.0",
)
FUTURE_EVIDENCE = ("counterparties.toml", "\ndated = 2026-05-15", "\ndated = 2026-09-21")


def test_the_sample_is_quiet_within_its_validity() -> None:
    assert outlook.warnings(Texts(), IN_FORCE) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("today", "told"),
    [("2026-06-30", True), ("2026-07-01", False), ("2027-12-31", False), ("2028-01-01", True)],
)
def test_a_mandate_not_in_force_is_named(today: str, told: bool) -> None:
    lines = outlook.warnings(Texts(), date.fromisoformat(today))  # type: ignore[arg-type]
    assert any("scope.valid_" in line for line in lines) == told


def test_every_warning_is_named_at_once() -> None:
    changed = Texts(VALID_FROM, SMALL_BLOCK, SMALL_FUTURE, FUTURE_EVIDENCE)
    lines = outlook.warnings(changed, IN_FORCE)  # type: ignore[arg-type]
    named = ("valid_from", "block_min_coins", "future_block_min_usd", "got 2026-09-21")
    assert [key in line for key, line in zip(named, lines, strict=True)] == [True] * 4


def test_a_bad_mandate_does_not_hide_evidence_dated_in_the_future() -> None:
    bad = ("mandate.toml", "valid_until = 2027-12-31", "valid_until = 2020-01-01")
    lines = outlook.warnings(Texts(bad, FUTURE_EVIDENCE), IN_FORCE)  # type: ignore[arg-type]
    assert len(lines) == 1
    assert "2026-09-21" in lines[0]
