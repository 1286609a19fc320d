"""Tables and sentences on a terminal: with rich where one is there, plain text where not."""

import sys
from typing import Any

from headframe.report import Form, Page, Section, Table, texts


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

    drawn = RichTable(
        title=Text(table.title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        caption=Text(table.note, style="dim") if table.note else None,
        caption_justify="left",
    )
    for column in table.columns:
        numeric = column.form is not Form.TEXT
        drawn.add_column(
            Text(column.header), justify="right" if numeric else "left", no_wrap=numeric
        )
    for cells in texts(table):
        drawn.add_row(*(Text(cell, style=_style(cell)) for cell in cells))
    _console().print(drawn)


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
