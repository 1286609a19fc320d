"""Pages as Markdown and as one HTML file without anything fetched from elsewhere."""

from html import escape

from headframe.report.table import Form, Page, Section, Table, texts

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem } h2 { font-size: 1.2rem; margin-top: 2.2rem }
.stamp { font-size: .85rem; opacity: .75; overflow-wrap: anywhere }
.scroll { overflow-x: auto } table { border-collapse: collapse; margin: .6rem 0; min-width: 50% }
caption { text-align: left; font-weight: 600; padding: .3rem 0 }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); vertical-align: top }
th { text-align: left; font-weight: 600; background: var(--soft) }
.n { text-align: right; font-variant-numeric: tabular-nums } td.n, td:first-child { white-space: nowrap }
th { vertical-align: bottom }
.note { font-size: .85rem; opacity: .75; margin-top: -.2rem }
@media print { body { margin: 0; max-width: none } }
"""


def markdown(page: Page) -> str:
    """The page as Markdown."""
    parts = [f"# {page.title}", "", page.stamp, ""]
    for section in page.sections:
        parts += [f"## {section.heading}", ""]
        for sentence in section.sentences:
            parts += [sentence, ""]
        for table in section.tables:
            parts += [*_markdown_table(table), ""]
    return "\n".join(parts).rstrip() + "\n"


def _markdown_table(table: Table) -> list[str]:
    def row(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = ["---" if column.form is Form.TEXT else "---:" for column in table.columns]
    lines = [f"**{table.title}**", "", row([c.header for c in table.columns]), row(rule)]
    lines += [row(cells) for cells in texts(table)]
    return [*lines, "", table.note] if table.note else lines


def html(page: Page) -> str:
    """The page as one self-contained HTML file."""
    body = "".join(_html_section(section) for section in page.sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body>"
        f'<h1>{escape(page.title)}</h1><p class="stamp">{escape(page.stamp)}</p>{body}'
        "</body></html>\n"
    )


def _html_section(section: Section) -> str:
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in section.sentences)
    tables = "".join(_html_table(table) for table in section.tables)
    return f"<section><h2>{escape(section.heading)}</h2>{said}{tables}</section>"


def _html_table(table: Table) -> str:
    kinds = ["" if column.form is Form.TEXT else ' class="n"' for column in table.columns]
    head = "".join(
        f'<th scope="col"{kind}>{escape(column.header)}</th>'
        for column, kind in zip(table.columns, kinds, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(cells, kinds, strict=True))
        + "</tr>"
        for cells in texts(table)
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<div class="scroll"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )
