"""margin, credit, report."""

import asyncio
from pathlib import Path

import click

from headframe.cli.frame import MODELS, Call, Figure, Share, Whole, command


@click.command()
@click.option("--with", "proposal", help="Also as if this proposal were dealt as planned.")
@click.option(
    "--outright",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Futures and forwards on, as an exchange's daily file of outright margins asks.",
)
@click.option("--product", default="MBT", show_default=True, help="Its contract: BTC or MBT.")
@click.option("--as-rules", is_flag=True, help="The file as shares by month for [[margin_rules]].")
@click.option(
    "--hedger", is_flag=True, help="Of those: a hedger's initial margin, the maintenance."
)
@command
def margin(
    call: Call,
    *,
    proposal: str | None,
    file: Path | None,
    product: str,
    as_rules: bool,
    hedger: bool,
) -> None:
    """Margin today, what moves both ways would call, and the price at which cash runs out."""
    if (as_rules and file is None) or (hedger and not as_rules):
        raise click.UsageError("--as-rules goes with --outright FILE, --hedger with --as-rules")
    if file is not None:
        if as_rules:
            _rules(call, file, product, hedger=hedger)
        else:
            _outright(call, file, product)
        return
    from headframe.codec import to_json
    from headframe.desk import limits, tables

    view = limits.margin(call.office())
    if proposal is not None:
        dealer, then = limits.margin_with(call.office(), proposal)
        data = {
            "proposal": proposal,
            "dealer": dealer,
            "today": to_json(view),
            "then": to_json(then),
        }
        call.answer("margin-with", data, tables.margin_with_table(proposal, dealer, view, then))
        return
    call.answer("margin", to_json(view), tables.margin_table(view), *tables.margin_lines(view))


def _rules(call: Call, file: Path, product: str, *, hedger: bool) -> None:
    """An exchange's file as shares by contract month, as headframe.toml takes them."""
    from headframe.codec import read_outright_margins, to_json
    from headframe.desk import elsewhere
    from headframe.feed import read_table

    rules = read_outright_margins(read_table(file), file.name)
    found = elsewhere.as_rules(call.office(), rules, product.upper(), hedger=hedger)
    rows = [
        f'    {{ first = "{one.first}", last = "{one.last}", initial = {one.initial} }},'
        for one in found
    ]
    call.answer("margin-rules", {"months": to_json(found)}, "months = [", *rows, "]")


def _outright(call: Call, file: Path, product: str) -> None:
    """The same hedges in another exchange's contracts."""
    from headframe.codec import read_outright_margins, to_json
    from headframe.desk import elsewhere
    from headframe.feed import read_table
    from headframe.report import outright_table

    rules = read_outright_margins(read_table(file), file.name)
    found = elsewhere.margined(call.office(), rules, product.upper())
    data = [{**to_json(one), "initial_usd": one.initial_usd} for one in found]
    call.answer("margin-outright", {"rows": data}, outright_table(found, file.name))


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

    office = call.office()
    found, (figures, current) = limits.credit(office), limits.factors(office)
    rows = [{**to_json(one), "line_share": one.line_share} for one in found]
    note = "" if current else "; no figures are in force today: these are the nearest known"
    call.answer(
        "credit",
        {"counterparties": rows, "factors": to_json(figures), "factors_in_force": current},
        exposure_by_dealer_table(found),
        f"Exposure at default by SA-CCR, coins by {figures.name} ({figures.source}){note}.",
    )


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
    graded = office.state().graded(office.now().date())
    lines = {name: one.credit.line_usd for name, one in graded.items()}
    call.answer("credit-profiles", {"profiles": to_json(found)}, profiles_table(found, lines))


@click.command()
@click.option("--certify", is_flag=True, help="Put your name to it and keep it in the journal.")
@click.option("--write", is_flag=True, help="With --certify, also write certificate.md and .html.")
@command
def certificate(call: Call, *, certify: bool, write: bool) -> int:
    """The lender's covenants with what is and what would cure them; status 4 where one is not kept."""
    from headframe.codec import to_json
    from headframe.desk import covenants, pages, tables
    from headframe.desk.ports import Invalid
    from headframe.report import html, markdown

    office = call.office()
    if write and not certify:
        raise Invalid("--write goes with --certify: what is written is certified")
    if not certify:
        found = covenants.shown(office)
        call.answer("covenants", {"covenants": to_json(found)}, tables.covenants_table(found))
        return 0 if all(one.kept for one in found) else 4
    made = covenants.certify(office)
    page = pages.certificate_page(office, made)
    written: list[str] = []
    if write:
        written = [
            str(Path(office.files.write(name, text)))
            for name, text in (
                ("certificate.md", markdown(page)),
                ("certificate.html", html(page)),
            )
        ]
    data = {"certificate": to_json(made), "kept": made.kept, "written": written}
    call.answer("certificate", data, page, *(f"wrote {one}" for one in written))
    return 0 if made.kept else 4


@click.command()
@click.option("--live", is_flag=True, help="Look at the depth of the venue's order books, too.")
@click.option(
    "--participation", type=Share(), default=0.1, show_default=True, help="Of a day's volume."
)
@command
def liquidity(call: Call, *, live: bool, participation: float) -> None:
    """Each instrument on: spread against its 20-day median, open interest, depth, days and cost to leave."""
    from headframe.codec import to_json
    from headframe.desk import liquidity as desk_liquidity
    from headframe.report import instruments_table
    from headframe.wiring import depths

    office = call.office()
    known: dict[str, float] = {}
    if live:
        known = asyncio.run(depths(office, call.folder, desk_liquidity.names(office)))
    found = desk_liquidity.of_book(office, participation=participation, depths=known)
    data = [{"name": one.instrument.name, **to_json(one)} for one in found]
    call.answer("liquidity", {"instruments": data}, instruments_table(found, participation))


@click.command()
@click.option("--months", is_flag=True, help="Twelve months instead of thirteen weeks.")
@click.option("--move", type=Figure(), default=0.0, show_default=True, help="Of the price: -0.4.")
@click.option(
    "--over", type=Whole(1, 366), default=30, show_default=True, help="Days the move takes."
)
@click.option("--paths", type=Whole(100, 1_000_000), help="Chances on so many paths of the engine.")
@click.option("--seed", type=Whole(0, 2**63 - 1), help="The workspace's own where it is not given.")
@click.option("--model", type=click.Choice(MODELS), default="bootstrap", show_default=True)
@command
def cash(
    call: Call,
    *,
    months: bool,
    move: float,
    over: int,
    paths: int | None,
    seed: int | None,
    model: str,
) -> int:
    """The cash ladder on the forward curve or a move of your own; status 4 where something cannot be paid.

    With --paths: quantiles of liquidity at each date, and the chances that it is gone, or a covenant of the
    loan broken, by then.
    """
    from headframe.codec import to_json
    from headframe.desk import cash as desk_cash
    from headframe.desk import tables
    from headframe.report import chances_table
    from headframe.risk import Ladder

    office = call.office()
    if paths is not None:
        chances = desk_cash.chances(
            office, weekly=not months, kind=Ladder(model), paths=paths, seed=seed
        )
        today = office.now().date()
        call.answer("cash-chances", to_json(chances), chances_table(chances, today))
        return 0
    found = desk_cash.ladder(office, weekly=not months, move=move, over_days=over)
    call.answer(
        "cash-ladder", {"move": move, "rungs": to_json(found)}, tables.ladder_table(found, move)
    )
    return 4 if any(one.overdue for one in found) else 0
