"""Tables in CSV: rows by column name, every problem with its row."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from io import StringIO
from math import isfinite
from typing import TypeVar

from headframe.units import Wrong, instant

TableRow = tuple[int, Mapping[str, str]]
"""A row's line number and its cells by column."""
_MOST_ROWS = 2_000_000
V = TypeVar("V")


def rows_of(text: str, name: str) -> Iterator[TableRow]:
    """Each row with its line number; Wrong where the file has no header or a row another width."""
    if "\0" in text:
        raise Wrong(f"{name} is not a text table")
    reader = csv.reader(StringIO(text, newline=""))
    try:
        nothing: list[str] = []
        first = next(reader, nothing)
        header = [cell.strip().lower() for cell in first]
        _refuse_other_delimiter(first, name)
        if not header or len(set(header)) != len(header):
            raise Wrong(f"{name} needs a header line with each column once")
        for count, cells in enumerate(reader):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise Wrong(
                    f"{name} line {reader.line_num}: {len(header)} cells wanted, {len(cells)} found"
                )
            if count > _MOST_ROWS:
                raise Wrong(f"{name} has over {_MOST_ROWS:,} rows")
            yield reader.line_num, dict(zip(header, (cell.strip() for cell in cells), strict=True))
    except csv.Error as error:
        raise Wrong(f"{name} cannot be read as CSV: {error}") from error


def _refuse_other_delimiter(header: list[str], name: str) -> None:
    """Raise Wrong where a header of one cell shows that semicolons or tabs separate the columns."""
    for delimiter, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and delimiter in header[0]:
            raise Wrong(
                f"{name} is separated by {called}, perhaps with decimal commas; fix: save it as CSV "
                "with commas between columns and a point in decimals"
            )


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


def number(text: str) -> float:
    """A plain finite number."""
    try:
        value = float(text)
    except ValueError as error:
        raise Wrong(f"expected a number, was {text[:20]!r}") from error
    if not isfinite(value) or "_" in text or not text.isascii():
        raise Wrong(f"expected a plain finite number, was {text[:20]!r}")
    return value


def whole(text: str) -> int:
    """A whole number of at most 19 digits; one with a fraction of nothing counts too."""
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.removeprefix("-").isdigit() and len(digits) < 20):
        raise Wrong(f"expected a whole number, was {text[:20]!r}")
    return int(digits)


def moment(text: str) -> datetime:
    """An instant by the one rule for instants; a workbook's ``.0`` after seconds counts for nothing."""
    return instant(text.removesuffix(".0"))
