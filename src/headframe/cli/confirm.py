"""Confirmations of trades."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, command

if TYPE_CHECKING:
    from headframe.desk.known import Confirmed


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--venue", is_flag=True, help="Read the venue's own records of every trade dealt there."
)
@command
def confirm(call: Call, file: Path | None, venue: bool) -> int:
    """Hold the other side's confirmations (FILE, or the venue's records) against the trades, field by field.

    Without either: where each trade stands. FILE is a CSV or XLSX with a row a leg: trade (our id or the
    venue's), instrument, side (ours), amount, price, and where stated dealer, day, fee, fee_currency. The
    one who dealt does not confirm.
    """
    from headframe.codec import read_confirmations
    from headframe.desk import confirming
    from headframe.feed import read_table
    from headframe.wiring import trading

    office = call.office()
    if file is not None:
        given = read_confirmations(read_table(file), file.name)
        return _shown(call, confirming.take(office, given, file.name))
    if venue:

        async def run() -> "tuple[Confirmed, ...]":
            async with trading(office, call.folder, database=call.database) as line:
                return await confirming.ask(line)

        return _shown(call, asyncio.run(run()))
    return _standing(call)


def _shown(call: Call, found: "tuple[Confirmed, ...]") -> int:
    from headframe.codec import to_json
    from headframe.report import confirmations_table

    call.answer(
        "confirmations",
        {"confirmations": [to_json(one) for one in found]},
        confirmations_table(found),
    )
    return 4 if any(one.differences for one in found) else 0


def _standing(call: Call) -> int:
    from headframe.codec import to_json
    from headframe.desk import confirming
    from headframe.report import standing_table

    office = call.office()
    rows, strangers = confirming.standing(office)
    data = {
        "trades": [
            {"trade": one.trade.id, "state": one.words, "confirmation": to_json(one.confirmed)}
            for one in rows
        ],
        "strangers": [to_json(one) for one in strangers],
    }
    now = office.now()
    call.answer(
        "confirmation-status",
        data,
        standing_table([(one.trade, one.words, one.confirmed) for one in rows], now),
        *(f"no trade of ours: {one.reference}, from {one.source}" for one in strangers),
    )
    return 4 if strangers or any(one.words == "differs" for one in rows) else 0
