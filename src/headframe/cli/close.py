"""Closing a trade before its coins are sold, and replacing a short future by another hedge."""

from datetime import datetime

import click

from headframe.cli.frame import Call, Expiry, command

_INTO = {
    "future": "short_future",
    "perpetual": "short_perpetual",
    "put": "protective_put",
    "collar": "costless_collar",
}


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
    from headframe.units import parse_figure

    wanted = None if coins is None else parse_figure(coins, "--coins", decimals=8)
    made = closing.propose(call.office(), trade, wanted)
    call.answer(
        "close",
        {"proposal": to_json(made)},
        f"closes {made.size} coins of {trade} by dealing it back:",
        *proposal_lines(made),
    )
    return 0 if made.verdict.allowed else 4


@click.command()
@click.argument("trade")
@click.option(
    "--into",
    type=click.Choice(sorted(_INTO)),
    required=True,
    help="A later future (a roll), the perpetual, or a put or a collar in the future's place.",
)
@click.option(
    "--expiry",
    type=Expiry(),
    help="The new hedge's listed expiry, 25-DEC-26 or 2026-12-25 (default: the future's own).",
)
@click.option("--coins", help="How many of its coins (default: all that are left), in tenths.")
@command
def switch(call: Call, trade: str, into: str, expiry: datetime | None, coins: str | None) -> int:
    """Propose to replace TRADE, a short future, by another hedge of its coins in one request.

    All or nothing: a later future is one calendar structure, options take the future along as their hedge
    leg. What closing the future crystallises is said before anything is sent. The proposal is approved and
    dealt like any other.
    """
    from headframe.codec import to_json
    from headframe.desk import switching
    from headframe.instrument import StructureKind
    from headframe.report import proposal_lines
    from headframe.units import NO_EXPIRY, parse_figure

    made = switching.propose(
        call.office(),
        trade,
        StructureKind(_INTO[into]),
        NO_EXPIRY if into == "perpetual" else expiry,
        None if coins is None else parse_figure(coins, "--coins", decimals=8),
    )
    what = "brings" if made.crystallised_usd >= 0.0 else "costs"
    call.answer(
        "switch",
        {"proposal": to_json(made)},
        f"replaces {made.replaced_coins:,} coins of {trade}; buying them back {what} "
        f"{abs(made.crystallised_usd):,.0f} USD at once, at the market now:",
        *proposal_lines(made),
    )
    return 0 if made.verdict.allowed else 4
