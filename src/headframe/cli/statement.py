"""Statements of balances."""

from pathlib import Path

import click

from headframe.cli.frame import Call, command


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@command
def statement(call: Call, file: Path | None) -> int:
    """Hold a statement of a venue, custodian or bank (FILE) against the books to the last unit.

    FILE is a CSV or XLSX: account (as headframe ledger names it), currency, balance, and at or day. Without
    it: the breaks that are open, with age and owner. Status 4 where there are any.
    """
    from headframe.codec import read_statement, to_json
    from headframe.desk import statements
    from headframe.feed import read_table
    from headframe.report import breaks_table

    office = call.office()
    agreed: tuple[str, ...] = ()
    if file is not None:
        agreed = statements.take(
            office, read_statement(read_table(file), file.name), file.name
        ).agreed
    found = statements.open_breaks(office)
    call.answer(
        "statement",
        {"agreed": list(agreed), "breaks": [to_json(one) for one in found]},
        breaks_table(found, office.now()),
        f"{len(agreed)} balances agree; {len(found)} breaks are open",
    )
    return 4 if found else 0
