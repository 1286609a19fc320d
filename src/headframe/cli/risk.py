"""margin, credit, report."""

from pathlib import Path

import click

from headframe.cli.frame import Call, command


@click.command()
@command
def margin(call: Call) -> None:
    """Margin today, what moves both ways would call, and the price at which cash runs out."""
    from headframe.codec import to_json
    from headframe.desk import limits, pages

    view = limits.margin(call.office())
    call.answer("margin", to_json(view), pages.margin_table(view), *pages.margin_lines(view))


@click.command()
@command
def credit(call: Call) -> None:
    """Exposure to each counterparty against its line, today and after the mandate's jumps."""
    from headframe.codec import to_json
    from headframe.desk import limits
    from headframe.report import exposure_by_dealer_table

    found = limits.credit(call.office())
    rows = [{**to_json(one), "line_share": one.line_share} for one in found]
    call.answer("credit", {"counterparties": rows}, exposure_by_dealer_table(found))


@click.command()
@click.option(
    "--write", is_flag=True, help="Also write report.md and report.html into the workspace."
)
@command
def report(call: Call, write: bool) -> None:
    """The morning page in eight parts."""
    from headframe.codec import to_json
    from headframe.desk import pages
    from headframe.report import html, markdown

    office = call.office()
    page = pages.morning(office)
    written: list[str] = []
    if write:
        written = [
            str(Path(office.files.write(name, text)))
            for name, text in (("report.md", markdown(page)), ("report.html", html(page)))
        ]
    call.answer(
        "report",
        {"page": to_json(page), "written": written},
        page,
        *(f"wrote {p}" for p in written),
    )
