"""Closing a trade before its coins are sold."""

import click

from headframe.cli.frame import Call, command


@click.command()
@click.argument("trade")
@click.option("--coins", help="How many of its coins (default: all that are left), in tenths.")
@command
def close(call: Call, trade: str, coins: str | None) -> int:
    """Propose to close TRADE, or a part of it, before its coins are sold.

    The proposal is approved and dealt like any other: headframe approve, headframe rfq. A bilateral trade is
    closed with the dealer it is with, a future with any dealer or in the order book.
    """
    from headframe.codec import to_json
    from headframe.desk import closing
    from headframe.report import proposal_lines
    from headframe.units import parse_decimal

    wanted = None if coins is None else parse_decimal(coins)
    made = closing.propose(call.office(), trade, wanted)
    call.answer(
        "close",
        {"proposal": to_json(made)},
        f"closes {made.size} coins of {trade} by dealing it back:",
        *proposal_lines(made),
    )
    return 0 if made.verdict.allowed else 4
