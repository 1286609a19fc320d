"""Numbers of a workbook: ids kept whole, noise of computed cells dropped, errors and booleans refused."""

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from headframe.feed import read_table
from headframe.units import Wrong


def _book(path: Path, value: Any, *, error: str = "") -> Path:
    book = xlsxwriter.Workbook(str(path))
    first = book.add_worksheet("notes & more")
    first.write_row(0, 0, ["id", "coins"])
    first.write_row(1, 0, ["a", "b"])
    sheet = book.add_worksheet("pay")
    sheet.write_row(0, 0, ["id", "coins"])
    sheet.write(1, 0, value)
    sheet.write_number(1, 1, 0.5)
    if error:
        sheet.write_formula(1, 1, "=1/0", None, error)  # pyright: ignore[reportArgumentType]
    book.close()
    return path


def test_a_number_beyond_15_digits_is_refused_and_the_remedy_named(tmp_path: Path) -> None:
    path = _book(tmp_path / "t.xlsx", 4_401_992_200_117_745)
    with pytest.raises(Wrong, match=r"row 2, column id: .*format the column as text"):
        read_table(path, "pay")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.7, "0.8"), (123_456_789_012_345, "123456789012345"), (1e-7, "0.0000001")],
)
def test_numbers_are_read_at_15_digits(tmp_path: Path, value: float, text: str) -> None:
    ((_, row),) = read_table(_book(tmp_path / "t.xlsx", value), "pay")
    assert row["id"] == text


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!"])
def test_an_error_is_refused_by_its_cell(tmp_path: Path, error: str) -> None:
    with pytest.raises(Wrong, match="cell B2"):
        read_table(_book(tmp_path / "t.xlsx", "p", error=error), "pay")
    assert read_table(_book(tmp_path / "u.xlsx", "p", error=error), "notes & more")


def test_a_boolean_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Wrong, match="got TRUE"):
        read_table(_book(tmp_path / "t.xlsx", value=True), "pay")
