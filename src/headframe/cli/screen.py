"""Tables and sentences on a terminal: with rich where one is there, plain text where not."""

import sys
from typing import Any

from headframe.report import Form, Page, Section, Table, texts

_KEPT_WHOLE = 16
"""Text cells up to this long are never broken; figures never are."""


def is_terminal() -> bool:
    """Whether stdout is a person's terminal."""
    return sys.stdout.isatty()


def show(*things: object) -> None:
    """Print tables, sections, pages and sentences in order."""
    for thing in things:
        if isinstance(thing, Page):
            _say(thing.title, strong=True)
            _say(thing.stamp)
            show(*thing.sections)
        elif isinstance(thing, Section):
            if thing.heading:
                _say(f"\n{thing.heading}", strong=True)
            show(*thing.sentences, *thing.tables)
        elif isinstance(thing, Table):
            _table(thing)
        else:
            _say(str(thing))


def _console() -> Any:  # noqa: ANN401 - rich is imported only where a terminal is there
    from rich.console import Console

    from headframe.wiring import colours_wanted

    return Console(no_color=not colours_wanted(), highlight=False)


def _say(line: str, *, strong: bool = False) -> None:
    if is_terminal():
        from rich.text import Text

        _console().print(Text(line, style="bold" if strong else ""))
    else:
        sys.stdout.write(line + "\n")


def _table(table: Table) -> None:
    if not is_terminal():
        sys.stdout.write(plain(table))
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column, cells in zip(table.columns, zip(*texts(table), strict=True), strict=False):
        numeric = column.form is not Form.TEXT
        drawn.add_column(
            Text(column.header.replace(" ", "\n") if numeric else column.header),
            justify="right" if numeric else "left",
            overflow="fold",
            min_width=_narrowest(column.header, cells, numeric=numeric),
        )
    for row in texts(table):
        drawn.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    console = _console()
    _say(f"\n{table.title}", strong=True)
    console.print(drawn, width=max(console.width, console.measure(drawn).minimum), crop=False)
    if table.note:
        console.print(Text(table.note, style="dim"))


def _narrowest(header: str, cells: tuple[str, ...], *, numeric: bool) -> int:
    """The width below which a column would break a figure or a word."""
    words = [word for text in (header, *cells) for word in text.split()]
    whole = [cell for cell in cells if numeric or len(cell) <= _KEPT_WHOLE]
    return max((len(text) for text in (*words, *whole)), default=1)


def _style(cell: str) -> str:
    """Colour never speaks alone: the words and signs say the same."""
    if cell.startswith("(") and cell.endswith(")"):
        return "red"
    if cell.startswith(("refused", "breach", "cannot win")):
        return "yellow"
    return "green" if "proposed" in cell or cell == "can win" else ""


def plain(table: Table) -> str:
    """A table as aligned plain text."""
    rows = [[column.header for column in table.columns], *texts(table)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(table.columns))]
    lines = [f"\n{table.title}"]
    for number, row in enumerate(rows):
        cells = (
            cell.ljust(width) if column.form is Form.TEXT else cell.rjust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    if table.note:
        lines.append(table.note)
    return "\n".join(lines) + "\n"
