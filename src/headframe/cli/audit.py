"""audit verify, export."""

import sys
from pathlib import Path

import click

from headframe.cli.frame import Call, command


@click.group()
def audit() -> None:
    """The record: verify it."""


@audit.command()
@click.option(
    "--anchor", help="COUNT:HASH as an earlier report printed it: finds a cut tail or a rewrite."
)
@command
def verify(call: Call, anchor: str | None) -> int:
    """Recompute every hash, replay every event, sum the books; exit status 1 where anything is wrong."""
    from headframe.desk import audit as desk_audit
    from headframe.wiring import audit_office

    office = audit_office(call.folder, user=call.user, database=call.database)
    given = None if anchor is None else desk_audit.parse_anchor(anchor)
    found = desk_audit.verify(office, given)
    lines = [f"event {f.seq or 'all'}: {f.detail}" for f in found.faults]
    lines += [
        f"{code} is off by {amount} smallest units" for code, amount in found.imbalance.items()
    ]
    lines += [f"{account} is overdrawn" for account in found.overdrawn]
    if found.sound:
        lines = [
            f"{found.head.count} events: chain whole, states lawful, books balance",
            f"anchor {found.head}",
        ]
    call.answer(
        "audit",
        {
            "sound": found.sound,
            "events": found.head.count,
            "anchor": str(found.head),
            "faults": [{"event": f.seq, "detail": f.detail} for f in found.faults],
            "imbalance": {code: str(amount) for code, amount in found.imbalance.items()},
            "overdrawn": list(found.overdrawn),
        },
        *lines,
    )
    return 0 if found.sound else 1


@click.command()
@click.option(
    "--canonical", "form", flag_value="canonical", help="Events and state as canonical JSON."
)
@click.option("--hledger", "form", flag_value="hledger", help="The books as hledger's journal.")
@click.option(
    "--beancount", "form", flag_value="beancount", help="The books as beancount's ledger."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write (default: stdout).",
)
@command
def export(call: Call, form: str | None, output: Path | None) -> None:
    """The whole record as canonical JSON, or the books as plain text that other programs check.

    The same bytes on every replay of the same journal.
    """
    from headframe.desk import audit as desk_audit
    from headframe.desk.ports import Invalid
    from headframe.report import beancount_text, hledger_text
    from headframe.store import Folder

    if form is None:
        raise Invalid("say what to export: --canonical, --hledger or --beancount")
    office = call.office()
    if form == "canonical":
        text = desk_audit.export(office) + "\n"
    else:
        write = hledger_text if form == "hledger" else beancount_text
        text = write(office.state().name, desk_audit.bookings(office))
    if output is None:
        sys.stdout.write(text)
        return
    Folder(output.parent).write(output.name, text)
    call.talk(f"wrote {output}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@command
def backup(call: Call, file: Path) -> None:
    """Every event and the workspace's files in one file, while others go on working."""
    from headframe.wiring import back_up

    head = back_up(call.folder, call.database, file)
    call.answer(
        "backup",
        {"file": str(file), "events": head.count, "anchor": str(head)},
        f"{file}: {head.count} events, anchor {head}",
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@command
def restore(call: Call, file: Path) -> None:
    """Bring a workspace back from a backup, into a folder and a database that hold none.

    What venues dealt since the backup is not in it: nothing trades before headframe reconcile has read it.
    """
    from headframe.wiring import restore as bring_back

    head = bring_back(call.folder, call.database, file, user=call.user)
    call.answer(
        "restore",
        {"workspace": str(call.folder), "events": head.count, "anchor": str(head)},
        f"{call.folder}: {head.count} events, anchor {head}; headframe audit verify replays them",
        "nothing trades before what venues dealt since is adopted: headframe reconcile",
    )
