"""mandate show, sign, diff."""

from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, command

if TYPE_CHECKING:
    from headframe.desk.policy import MandateView


@click.group()
def mandate() -> None:
    """The board's policy: show it, sign it, see what a draft changes."""


def _answer(call: Call, view: "MandateView") -> None:
    from headframe.codec import to_json
    from headframe.report import mandate_table
    from headframe.units import iso

    signed = ", ".join(f"{name} at {iso(at)}" for name, at in view.signed_by) or "nobody"
    lines = [f"signed by {signed}; hash {view.sha256}"]
    lines.append(
        "in force" if view.in_force else f"NOT in force: waits for {', '.join(view.missing)}"
    )
    if view.draft_differs:
        lines.append("mandate.toml differs from it: see headframe mandate diff")
    call.answer(
        "mandate",
        {
            "in_force": view.in_force,
            "sha256": view.sha256,
            "signed_by": [{"name": name, "at": iso(at)} for name, at in view.signed_by],
            "missing": list(view.missing),
            "draft_differs": view.draft_differs,
            "mandate": to_json(view.mandate),
        },
        mandate_table(view.mandate),
        *lines,
    )


@mandate.command(name="show")
@command
def show_mandate(call: Call) -> None:
    """The mandate in force clause by clause, or the unsigned draft."""
    from headframe.desk import policy

    _answer(call, policy.show(call.office()))


@mandate.command()
@command
def sign(call: Call) -> None:
    """Sign mandate.toml as it stands; in force when every signatory has."""
    from headframe.desk import policy

    _answer(call, policy.sign(call.office()))


@mandate.command()
@command
def diff(call: Call) -> None:
    """Every setting in which mandate.toml differs from the mandate in force."""
    from headframe.desk import policy
    from headframe.report import Column, Table

    changes = policy.diff(call.office())
    table = Table(
        title="What the draft changes",
        columns=(Column("setting"), Column("in force"), Column("draft")),
        rows=tuple((one.key, one.before, one.after) for one in changes) or (("none", "-", "-"),),
    )
    call.answer(
        "mandate-diff",
        {"changes": [{"key": c.key, "before": c.before, "after": c.after} for c in changes]},
        table,
    )
