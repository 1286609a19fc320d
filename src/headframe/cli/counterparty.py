"""counterparty add, review, list, merge, grid, questionnaire, note, answer."""

from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, Whole, command

if TYPE_CHECKING:
    from headframe.desk.counterparties import CounterpartyView
    from headframe.desk.known import Note

_STEPS = ("approve", "decline", "watch", "suspend", "close")


@click.group()
def counterparty() -> None:
    """Counterparties: put a dossier on record, review it, list them."""


def _answer(call: Call, views: "tuple[CounterpartyView, ...]") -> None:
    from headframe.codec import to_json
    from headframe.counterparty import altman
    from headframe.report import counterparty_table, strength_lines

    call.answer(
        "counterparties",
        {
            "counterparties": [
                {
                    "name": view.dossier.name,
                    "standing": str(view.standing),
                    "points": view.score.points,
                    "grade": view.score.grade,
                    "objections": [
                        {"reason": str(o.reason), "detail": o.detail} for o in view.objections
                    ],
                    "strength": None
                    if view.dossier.statements is None
                    else to_json(altman(view.dossier.statements)),
                    "dossier": to_json(view.dossier),
                }
                for view in views
            ]
        },
        counterparty_table(tuple((v.dossier, v.standing, v.score, v.objections) for v in views)),
        *strength_lines(tuple(v.dossier for v in views)),
    )


@counterparty.command()
@click.argument("name")
@command
def add(call: Call, name: str) -> None:
    """Put NAME's dossier of counterparties.toml on record and before a reviewer."""
    from headframe.desk import counterparties

    _answer(call, (counterparties.add(call.office(), name),))


@counterparty.command()
@click.argument("name")
@click.option("--step", type=click.Choice(_STEPS), default="approve", show_default=True)
@click.option("--note", default="", help="Why; kept with the step.")
@command
def review(call: Call, name: str, step: str, note: str) -> None:
    """Take a step with NAME; an approval needs valid papers and another person than who added it."""
    from headframe.counterparty import Step
    from headframe.desk import counterparties

    _answer(call, (counterparties.review(call.office(), name, Step(step), note),))


@counterparty.command(name="list")
@command
def list_counterparties(call: Call) -> None:
    """Every counterparty with its standing, score and what speaks against it."""
    from headframe.desk import counterparties

    _answer(call, counterparties.views(call.office()))


@counterparty.command()
@click.argument("name")
@click.argument("into")
@click.argument("reason")
@command
def merge(call: Call, name: str, into: str, reason: str) -> None:
    """NAME was renamed or merged: its trades and collateral are those of INTO, which stands approved."""
    from headframe.desk import counterparties

    _answer(call, (counterparties.merge(call.office(), name, into, reason),))


@counterparty.command()
@command
def grid(call: Call) -> None:
    """How dossiers are scored, what each grade allows, and how often it fails, by source."""
    from headframe.codec import to_json
    from headframe.desk import counterparties
    from headframe.report import grid_tables

    found = counterparties.grid(call.office())
    call.answer("counterparty-grid", {"grid": to_json(found)}, *grid_tables(found))


@counterparty.command()
@click.argument("name")
@command
def questionnaire(call: Call, name: str) -> None:
    """The mandate's questions to NAME, by section, with the answers that hold."""
    from headframe.codec import to_json
    from headframe.desk import counterparties
    from headframe.report import questionnaire_table

    found = counterparties.asked(call.office(), name)
    open_ = sum(one.answer is None for one in found)
    call.answer(
        "counterparty-questionnaire",
        {"name": name, "open": open_, "questions": to_json(found)},
        questionnaire_table(name, found),
    )


@counterparty.command()
@click.argument("name")
@click.argument("text")
@click.option(
    "--adverse", is_flag=True, help="It speaks against NAME: watched until it is answered."
)
@click.option("--source", default="", help="Where it was said.")
@command
def note(call: Call, name: str, text: str, *, adverse: bool, source: str) -> None:
    """Keep TEXT, something heard of NAME."""
    from headframe.desk import counterparties

    _notes(call, (counterparties.note(call.office(), name, text, source=source, adverse=adverse),))


@counterparty.command()
@click.argument("number", type=Whole(1, 10**9))
@click.argument("reason")
@command
def answer(call: Call, number: int, reason: str) -> None:
    """Answer adverse note NUMBER with a REASON: another person than who wrote it."""
    from headframe.desk import counterparties

    _notes(call, (counterparties.answer(call.office(), number, reason),))


@counterparty.command(name="notes")
@click.argument("name", required=False)
@command
def list_notes(call: Call, name: str | None) -> None:
    """Everything heard of NAME, or of all counterparties."""
    from headframe.desk import counterparties

    _notes(call, counterparties.notes(call.office(), name))


def _notes(call: Call, found: "tuple[Note, ...]") -> None:
    from headframe.codec import to_json

    words = [
        f"{one.number} {one.at:%Y-%m-%d} {one.name} ({one.by}{', adverse' if one.adverse else ''}): "
        + one.text
        + (f" [{one.source}]" if one.source else "")
        + (f" -> {one.answered_by}: {one.answer}" if one.answer else "")
        for one in found
    ]
    data = [{**to_json(one), "open": one.open} for one in found]
    call.answer("counterparty-notes", {"notes": data}, *(words or ["nothing was heard"]))
