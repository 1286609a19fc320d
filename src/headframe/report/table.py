"""Tables and sentences for people, as data; faces render them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from headframe.units import iso


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure that chance has a part in, with its standard error."""

    value: float
    se: float


Cell: TypeAlias = str | float | Estimate | None


class Form(StrEnum):
    """How a column's figures are written; every figure in a column has the same decimals."""

    TEXT = "text"
    WHOLE = "whole"
    USD = "usd"
    PRICE = "price"
    TENTHS = "tenths"
    COINS = "coins"
    COINS4 = "coins4"
    COINS8 = "coins8"
    SHARE = "share"
    SHARE2 = "share2"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class Column:
    """A header, with its unit, and the form of its cells."""

    header: str
    form: Form = Form.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table with a note under it."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, what it means, and its tables."""

    heading: str
    sentences: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole page: title, the mode it is in, when and from which head of the journal it was made."""

    title: str
    mode: str
    at: datetime
    head: str
    sections: tuple[Section, ...]

    @property
    def stamp(self) -> str:
        """One line that says where the page comes from."""
        return f"{self.mode.upper()} money · as of {iso(self.at)} · journal {self.head}"


_DECIMALS = {
    Form.WHOLE: 0,
    Form.USD: 0,
    Form.PRICE: 0,
    Form.TENTHS: 1,
    Form.COINS: 2,
    Form.COINS4: 4,
    Form.COINS8: 8,
    Form.RATIO: 3,
}


def write(cell: Cell, form: Form) -> str:
    """A cell as text: thousands separated, negatives in parentheses, a dash for none."""
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Estimate):
        return f"{write(cell.value, form)} ±{write(cell.se, form)}"
    if cell != cell or cell in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN is not itself
        return "-"
    if form in {Form.SHARE, Form.SHARE2}:
        text = f"{abs(cell) * 100:.{1 if form is Form.SHARE else 2}f}%"
    else:
        text = f"{abs(cell):,.{_DECIMALS.get(form, 2)}f}"
    zero = not any(digit in text for digit in "123456789")
    return f"({text})" if cell < 0 and not zero else text


def coins_form(coins: Iterable[float]) -> Form:
    """Return two decimals, or the ledger's eight where a figure above 0 is below one coin."""
    return Form.COINS8 if any(0.0 < abs(value) < 1.0 for value in coins) else Form.COINS


_HASHES = (
    ("EH/s", 1e18),
    ("PH/s", 1e15),
    ("TH/s", 1e12),
    ("GH/s", 1e9),
    ("MH/s", 1e6),
    ("kH/s", 1e3),
)


def hashrate_unit(hashes: Iterable[float]) -> tuple[str, float]:
    """Return the greatest unit, and its hashes per second, that leaves no figure above 0 below 1."""
    least = min((value for value in hashes if value > 0.0), default=_HASHES[0][1])
    return next((unit for unit in _HASHES if least >= unit[1]), _HASHES[-1])


def texts(table: Table) -> list[list[str]]:
    """Every cell as text, row by row."""
    return [
        [write(cell, column.form) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]
