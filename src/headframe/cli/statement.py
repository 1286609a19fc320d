"""What comes from outside the desk: coins and cash that moved, statements of balances."""

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


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@command
def coins(call: Call, file: Path) -> None:
    """Book what happened to coins and cash outside hedges: payouts, sales, costs, pledges and releases.

    FILE is a CSV or XLSX: id, kind, at, and coins, usd, fee_usd, memo as the kind asks. Each id is booked
    once, all of a file or none: give it again as it grows.
    """
    from headframe.book import CASH, COINS_FREE, COINS_PLEDGED
    from headframe.codec import read_flows, to_json
    from headframe.desk import flows
    from headframe.feed import read_table
    from headframe.units import BTC, USD

    office = call.office()
    taken = flows.take(office, read_flows(read_table(file), file.name), file.name)
    ledger = office.state().ledger
    held = {
        "coins_free": str(ledger.balance(COINS_FREE, BTC)),
        "coins_pledged": str(ledger.balance(COINS_PLEDGED, BTC)),
        "cash_usd": str(ledger.balance(CASH, USD)),
    }
    call.answer(
        "coins",
        {"booked": [to_json(one) for one in taken.booked], "known": list(taken.known), **held},
        f"{len(taken.booked)} booked, {len(taken.known)} were booked before; free {held['coins_free']} BTC, "
        f"pledged {held['coins_pledged']} BTC, cash {held['cash_usd']} USD",
    )
