"""Tables for spreadsheets, CSV and XLSX by the ending of the file, in both directions.

Nothing written is ever a formula: text that a spreadsheet would take for one is quoted.
"""

import csv
import os
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any, cast
from xml.sax.saxutils import unescape
from zipfile import BadZipFile, ZipFile

from headframe.codec import TableRow, rows_of
from headframe.desk.ports import DiskTrouble
from headframe.feed.files import read_text
from headframe.units import CellNumber, Wrong

Cell = str | float | int
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LARGEST_SHEET = 16 * 1024 * 1024
_MOST_ROWS = 100_000
_EXACT_MAX = 1e15
"""A workbook keeps 15 significant digits of a number."""
_SHEET, _RELATED = re.compile(r"<sheet\s[^>]*>"), re.compile(r"<Relationship\s[^>]*>")
_NAME, _KEY = re.compile(r'\sname="([^"]*)"'), re.compile(r'\sr:id="([^"]*)"')
_ID, _TARGET = re.compile(r'\sId="([^"]*)"'), re.compile(r'\sTarget="([^"]*)"')
_ERROR_CELL = re.compile(r'<c\s(?=[^>]*\bt="e")[^>]*?\br="([A-Z]+[0-9]+)"')


def write_table(path: Path, rows: Sequence[Sequence[Cell]]) -> None:
    """Write a header and its rows, whole or not at all."""
    ending = path.suffix.lower()
    if ending not in {".csv", ".xlsx"}:
        raise Wrong(f"a table is written as .csv or .xlsx, was {path.name}")
    fresh = path.with_name(path.name + ".new")
    try:
        if ending == ".csv":
            fresh.write_text(_csv(rows), encoding="utf-8", newline="")
        else:
            _xlsx(fresh, rows)
        os.replace(fresh, path)  # noqa: PTH105 - onto a path that may exist, on every system
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise DiskTrouble(f"{path} cannot be written: {error}") from error


def _csv(rows: Sequence[Sequence[Cell]]) -> str:
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        writer.writerow([_safe(cell) for cell in row])
    return out.getvalue()


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _xlsx(path: Path, rows: Sequence[Sequence[Cell]]) -> None:
    import xlsxwriter  # noqa: PLC0415 - start-up time

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        bold: Any = book.add_format({"bold": True})  # pyright: ignore[reportUnknownMemberType]
        sheet: Any = book.add_worksheet("forecast")  # pyright: ignore[reportUnknownMemberType]
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell, bold if number == 0 else None)
                else:
                    sheet.write_number(number, column, cell)
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(rows[0]) - 1, 14)


def read_table(path: Path, sheet: str | None = None) -> tuple[TableRow, ...]:
    """Rows of a CSV or XLSX table with their line numbers, every cell as text."""
    if path.suffix.lower() != ".xlsx":
        return tuple(rows_of(read_text(path), path.name))
    grid = _grid(path, sheet)
    if not grid:
        raise Wrong(f"{path.name} is empty")
    header = [_text(cell).strip().lower() for cell in grid[0]]
    while header and not header[-1]:
        header.pop()
    if not header or len(set(header)) != len(header) or not all(header):
        raise Wrong(f"{path.name} needs a header line with each column once")
    return _sheet_rows(path.name, header, grid[1:])


def _sheet_rows(
    book: str, header: Sequence[str], grid: Sequence[Sequence[object]]
) -> tuple[TableRow, ...]:
    """Return the rows of a sheet as text; Wrong names every cell that cannot be read."""
    found: list[TableRow] = []
    problems: list[str] = []
    for number, cells in enumerate(grid, start=2):
        try:
            texts = [
                _cell_text(cell, name, number) for name, cell in zip(header, cells, strict=False)
            ]
        except Wrong as error:
            problems.append(f"{book}: {error}")
            continue
        if any(texts):
            found.append((number, dict(zip(header, texts, strict=False))))
    if problems:
        raise Wrong("\n".join(problems[:50]))
    return tuple(found)


def _cell_text(cell: object, column: str, row: int) -> str:
    """Return a cell as text; refuse errors, booleans and numbers that a workbook cannot keep exactly."""
    where = f"row {row}, column {column}"
    if isinstance(cell, bool):
        raise Wrong(f"{where}: expected text or a number, got {str(cell).upper()}")
    if isinstance(cell, int | float) and abs(cell) >= _EXACT_MAX:
        raise Wrong(
            f"{where}: a number of more than 15 digits loses its last ones in a workbook; "
            "fix: format the column as text and enter it again"
        )
    text = _text(cell)
    return CellNumber(text) if isinstance(cell, int | float) else text.strip()


def _grid(path: Path, sheet: str | None) -> list[list[object]]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - start-up time

    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if path.stat().st_size > _LARGEST_SHEET:
        raise Wrong(f"{path.name} is over 16 MiB; give a smaller workbook")
    try:
        with CalamineWorkbook.from_path(path) as book:  # pyright: ignore[reportUnknownMemberType]
            if sheet is not None and sheet not in book.sheet_names:
                raise Wrong(
                    f"{path.name} has no sheet {sheet[:40]!r}; it has {', '.join(book.sheet_names)}"
                )
            page = book.get_sheet_by_name(sheet or book.sheet_names[0])
            if page.total_height > _MOST_ROWS or page.total_width > 1_000:
                raise Wrong(f"{path.name} has over {_MOST_ROWS:,} rows or 1,000 columns")
            _refuse_error_cells(path, sheet or book.sheet_names[0])
            return cast("list[list[object]]", page.to_python())
    except (CalamineError, OSError, IndexError) as error:
        raise Wrong(f"{path.name} cannot be read as a workbook: {error}") from error


def _refuse_error_cells(path: Path, sheet: str) -> None:
    """Raise Wrong naming the cells of a sheet that hold an error: the reader would take them for empty."""
    try:
        with ZipFile(path) as book:
            part = _part_of(book, sheet)
            cells = _ERROR_CELL.findall(book.read(part).decode(errors="replace")) if part else []
    except (BadZipFile, KeyError, OSError) as error:
        raise Wrong(f"{path.name} cannot be read as a workbook: {error}") from error
    if cells:
        raise Wrong(
            f"{path.name}: cell {', '.join(cells[:10])}: expected a value, got an error such as #N/A; "
            "fix: mend the formula"
        )


def _part_of(book: ZipFile, sheet: str) -> str | None:
    """Return the path of a sheet inside the workbook's archive."""
    listed = book.read("xl/workbook.xml").decode(errors="replace")
    names = {
        unescape(name[1], {"&quot;": '"', "&apos;": "'"}): key[1]
        for tag in _SHEET.findall(listed)
        if (name := _NAME.search(tag)) and (key := _KEY.search(tag))
    }
    related = book.read("xl/_rels/workbook.xml.rels").decode(errors="replace")
    targets = {
        key[1]: target[1]
        for tag in _RELATED.findall(related)
        if (key := _ID.search(tag)) and (target := _TARGET.search(tag))
    }
    place = targets.get(names.get(sheet, ""))
    if place is None:
        return None
    return place.lstrip("/") if place.startswith("/") else f"xl/{place}"


def _text(cell: object) -> str:
    """A cell as the CSV of the same table would have it."""
    if isinstance(cell, datetime):
        return cell.isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() else _plain(cell)
    return str(cell)


def _plain(value: float) -> str:
    """A computed number at the 15 digits that a workbook keeps: 0.30000000000000004 is 0.3."""
    return f"{Decimal(f'{value:.15g}'):f}"
