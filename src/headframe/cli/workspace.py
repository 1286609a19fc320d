"""init, open, check, clock."""

from datetime import datetime
from pathlib import Path

import click

from headframe.cli.frame import Call, Instant, command


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--market",
    type=click.Path(path_type=Path),
    help="Market file to start from (default: the sample).",
)
@command
def init(call: Call, folder: Path, market: Path | None) -> None:
    """A new workspace in FOLDER: three commented files and a journal that starts at the market's time."""
    from headframe.feed import market_from_text, read_text
    from headframe.market import sample_market
    from headframe.units import iso
    from headframe.wiring import create_office

    snapshot = sample_market()
    if market is not None:
        snapshot = market_from_text(read_text(market), name=market.name, as_of=None)
    office = create_office(folder, snapshot, user=call.user, database=call.database)
    state = office.state()
    call.answer(
        "init",
        {"folder": str(folder), "clock": iso(office.now()), "head": str(state.head)},
        f"workspace {folder}: {state.mode} money, clock {iso(office.now())}",
        "files to edit: headframe.toml (the mine), mandate.toml (the policy), counterparties.toml",
        "their figures rule until the ledger is opened: by the first signed mandate, or headframe open",
        f"next: headframe check --workspace {folder}; headframe mandate sign --as board --workspace {folder}",
    )


@click.command(name="open")
@click.option(
    "--correct", is_flag=True, help="Book what the file now says of the opening balances."
)
@click.option("--reason", default="", help="Why an opening balance was wrong.")
@click.option("--dry-run", is_flag=True, help="Show what would be booked; nothing is written.")
@command
def open_ledger(call: Call, *, correct: bool, reason: str, dry_run: bool) -> None:
    """Open the ledger with the balances of headframe.toml, once; or book a correction of them."""
    from dataclasses import fields

    from headframe.codec import to_json
    from headframe.desk import workspace
    from headframe.desk.ports import Invalid
    from headframe.units import iso

    office = call.office(dry_run=dry_run)
    if bool(reason) != correct:
        raise Invalid("--reason: expected it with --correct, and only there; fix: give both")
    changes = workspace.correct_opening(office, reason) if correct else ()
    if not correct:
        workspace.open_ledger(office)
    state = office.state()
    assert state.opening is not None
    assert state.opened is not None
    held, head = state.opening, state.head
    call.answer(
        "open",
        {
            "opened": iso(state.opened),
            "balances": {one.name: str(getattr(held, one.name)) for one in fields(held)},
            "corrected": [to_json(one) for one in changes],
            "head": str(head),
            "dry_run": dry_run,
        },
        f"ledger opened {iso(state.opened)}: cash {held.cash_usd} USD, coins {held.coins_free} free and "
        f"{held.coins_pledged} pledged, loan {held.loan_usd} USD, credit line {held.credit_line_usd} USD",
        *(f"corrected {one.table}.{one.field}: {one.ledger} -> {one.file}" for one in changes),
        *(["dry run: nothing was written"] if dry_run else []),
    )


@click.command()
@command
def check(call: Call) -> int:
    """Every problem of the three files at once, and what the forecast's inputs leave open."""
    from headframe.desk import outlook, production, workspace
    from headframe.store import Folder

    files = Folder(call.folder)
    problems = workspace.check_files(files)
    # what the inputs leave open is no fault of the files: it is said and changes no exit code
    notes: tuple[str, ...] = ()
    if call.has_workspace:
        notes += outlook.warnings(files, call.office().now().date())
        notes += outlook.unrecorded(call.office())
        if all(one.file in workspace.FILES[1:] for one in problems):
            notes += production.input_notes(call.office())
        problems += workspace.opening_problems(call.office())
    call.answer(
        "check",
        {
            "problems": [{"file": p.file, "line": p.line, "text": p.text} for p in problems],
            "notes": list(notes),
        },
        *(str(problem) for problem in problems),
        *(
            []
            if problems
            else ["headframe.toml, mandate.toml and counterparties.toml are in order"]
        ),
        *(f"note: {note}" for note in notes),
    )
    return 2 if problems else 0


@click.command()
@click.option(
    "--to", "to", type=Instant(), help="Advance to an instant; nothing happens on the way."
)
@click.option(
    "--course", type=click.Choice(["bear", "stable", "bull"]), help="Walk a course of the price."
)
@click.option(
    "--until", type=Instant(), help="Last day of the course (default: the forecast's horizon)."
)
@command
def clock(call: Call, to: datetime | None, course: str | None, until: datetime | None) -> None:
    """Show the paper clock, advance it, or close days along a course of the price."""
    from headframe.cli.progress import bar
    from headframe.desk import days, money, workspace
    from headframe.desk.ports import Invalid
    from headframe.report import performance_table
    from headframe.risk import Course
    from headframe.units import iso

    office = call.office()
    if to is not None and (course is not None or until is not None):
        raise Invalid("give --to, or --course with --until, not both")
    if until is not None and course is None:
        raise Invalid("--until goes with --course")
    tables: list[object] = []
    if to is not None:
        workspace.advance_clock(office, to)
    if course is not None:
        last = until.date() if until is not None else days.horizon(office.state())
        with bar(f"{course} course") as progress:
            days.walk(office, Course(course), last, progress)
        tables = [performance_table(money.performance(office).months, f"The {course} course")]
    state = office.state()
    assert state.clock is not None
    call.answer(
        "clock",
        {
            "clock": iso(state.clock),
            "last_day": None if state.last_day is None else state.last_day.isoformat(),
            "spot": state.spot,
        },
        *tables,
        f"the clock stands at {iso(state.clock)}",
    )
