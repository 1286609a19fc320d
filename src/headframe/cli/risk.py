"""margin, credit, report."""

from pathlib import Path

import click

from headframe.cli.frame import MODELS, Call, Whole, command


@click.command()
@command
def margin(call: Call) -> None:
    """Margin today, what moves both ways would call, and the price at which cash runs out."""
    from headframe.codec import to_json
    from headframe.desk import limits, pages

    view = limits.margin(call.office())
    call.answer("margin", to_json(view), pages.margin_table(view), *pages.margin_lines(view))


@click.command()
@click.option("--profile", is_flag=True, help="Exposure through time on the engine's paths, too.")
@click.option("--paths", type=Whole(100, 1_000_000), default=20_000, show_default=True)
@click.option("--seed", type=Whole(0, 2**63 - 1), help="The workspace's own where it is not given.")
@click.option("--months", type=Whole(1, 36), default=12, show_default=True)
@click.option("--model", type=click.Choice(MODELS), default="bootstrap", show_default=True)
@command
def credit(
    call: Call, *, profile: bool, paths: int, seed: int | None, months: int, model: str
) -> None:
    """Exposure to each counterparty against its line, today and after the mandate's jumps."""
    if profile:
        _profiles(call, paths, seed, months, model)
        return
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


def _profiles(call: Call, paths: int, seed: int | None, months: int, model: str) -> None:
    """Expected and potential future exposure by dealer, and what its chance of failing costs."""
    from headframe.codec import to_json
    from headframe.desk import profiles
    from headframe.report import profiles_table
    from headframe.risk import Ladder

    office = call.office()
    found = profiles.of_dealers(office, kind=Ladder(model), months=months, paths=paths, seed=seed)
    lines = {name: one.credit.line_usd for name, one in office.state().dossiers.items()}
    call.answer("credit-profiles", {"profiles": to_json(found)}, profiles_table(found, lines))
