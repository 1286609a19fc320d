"""Tables in CSV: the one dialect, rows by column name, every problem with its row."""

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from typing import TypeVar

from headframe.units import CellNumber, Wrong, instant, is_ambiguous, parse_number, parse_whole

TableRow = tuple[int, Mapping[str, str]]
"""A row's line number and its cells by column."""
_MOST_ROWS = 2_000_000
_SEPARATORS = ((";", "semicolons"), ("\t", "tabs"), ("|", "bars"))
V = TypeVar("V")


def cells_of(text: str, name: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return a table's header as written, and its rows that are not empty with their line numbers.

    Commas separate columns; a cell may stand in double quotes; lines end as on any system. Wrong where
    the header is missing, names a column twice, or shows that something else separates the columns.
    """
    if "\0" in text:
        raise Wrong(f"{name} is not a text table")
    reader = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    nothing: list[str] = []
    try:
        header = [cell.strip() for cell in next(reader, nothing)]
    except csv.Error as error:
        raise Wrong(f"{name} cannot be read as CSV: {error}") from error
    _refuse_other_delimiter(header, name)
    lowered = [cell.lower() for cell in header]
    if not header or len(set(lowered)) != len(lowered):
        twice = next((cell for cell in header if lowered.count(cell.lower()) > 1), "")
        found = f", got {twice[:40]!r} twice" if twice else ""
        raise Wrong(f"{name} needs a header line with each column once{found}")
    return header, _cells(reader, name)


def _cells(reader: Iterator[list[str]], name: str) -> Iterator[tuple[int, list[str]]]:
    lines = 1
    try:
        for count, cells in enumerate(reader):
            lines = getattr(reader, "line_num", lines + 1)
            if count > _MOST_ROWS:
                raise Wrong(f"{name} has over {_MOST_ROWS:,} rows")
            if any(cell.strip() for cell in cells):
                yield lines, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise Wrong(f"{name} cannot be read as CSV: {error}") from error


def rows_of(text: str, name: str) -> Iterator[TableRow]:
    """Yield each row with its line number; Wrong where the file has no header or a row another width."""
    header, rows = cells_of(text, name)
    columns = [cell.lower() for cell in header]
    for line, cells in rows:
        if len(cells) != len(columns):
            raise Wrong(f"{name} line {line}: {len(columns)} cells wanted, {len(cells)} found")
        yield line, dict(zip(columns, cells, strict=True))


def _refuse_other_delimiter(header: list[str], name: str) -> None:
    """Raise Wrong where a header's cell shows that semicolons, tabs or bars separate the columns."""
    for delimiter, called in _SEPARATORS:
        if any(delimiter in cell for cell in header) or header[:1] == [f"sep={delimiter}"]:
            raise Wrong(
                f"{name} is separated by {called}, perhaps with decimal commas; fix: save it as CSV "
                "with commas between columns and a point in decimals"
            )


def settled_points(rows: Iterable[TableRow], columns: Collection[str]) -> list[TableRow]:
    """Return rows in which a column that shows elsewhere what its point means is no longer ambiguous.

    A series such as 13.304, 13.31, 104.2 has decimals: 13.31 cannot be thousands. Where every point of a
    column stands before three digits, as in 25.000, 31.500, nothing shows it and its reader refuses.
    """
    found = list(rows)
    shown = {name for _, row in found for name in columns if _shows_decimals(row.get(name, ""))}
    return [
        (line, {name: _unambiguous(cell, name in shown) for name, cell in row.items()})
        for line, row in found
    ]


def _shows_decimals(cell: str) -> bool:
    whole, point, part = cell.partition(".")
    digits = whole.lstrip("+-")
    return bool(point) and part.isdigit() and (len(part) != 3 or digits == "0" or len(digits) > 3)


def _unambiguous(cell: str, shown: bool) -> str:  # noqa: FBT001 - one flag of one private function
    return CellNumber(cell) if shown and is_ambiguous(cell) else cell


def each_row(
    rows: Iterable[TableRow], name: str, read: Callable[[Mapping[str, str]], V]
) -> list[V]:
    """Every row read; Wrong names every row that cannot be, up to fifty."""
    found: list[V] = []
    problems: list[str] = []
    for line, row in rows:
        try:
            found.append(read(row))
        except Wrong as error:
            problems.append(f"{name} line {line}: {error}")
    if problems:
        raise Wrong("\n".join(problems[:50]))
    return found


def pick(row: Mapping[str, str], *names: str) -> str | None:
    """The first of several column names that has a value."""
    return next((row[name] for name in names if row.get(name)), None)


def number(text: str, name: str = "number") -> float:
    """Return a plain finite number; one that could be read in two ways is refused."""
    return parse_number(text, name)


def whole(text: str) -> int:
    """A whole number of at most 19 digits; one with a fraction of nothing counts too."""
    return parse_whole(text)


def moment(text: str) -> datetime:
    """An instant by the one rule for instants; a workbook's ``.0`` after seconds counts for nothing."""
    return instant(text)
