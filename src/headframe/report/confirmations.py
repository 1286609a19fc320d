"""Confirmations and breaks as tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from headframe.book import Break, Difference, Trade
from headframe.report.table import Column, Form, Table


class Held(Protocol):
    """What a confirmation came to."""

    @property
    def trade(self) -> str:
        """Our trade; empty where it is none of ours."""
        ...

    @property
    def reference(self) -> str:
        """The trade as the other side names it."""
        ...

    @property
    def by(self) -> str:
        """Who held it against the books."""
        ...

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Where the two sides do not agree."""
        ...


def confirmations_table(found: Sequence[Held]) -> Table:
    """What each confirmation came to."""
    return Table(
        title="Confirmations",
        columns=(Column("trade"), Column("theirs"), Column("outcome"), Column("differences")),
        rows=tuple(
            (
                one.trade or "none of ours",
                one.reference,
                "differs" if one.differences else "confirmed",
                "; ".join(str(gap) for gap in one.differences) or "none",
            )
            for one in found
        ),
    )


def standing_table(rows: Sequence[tuple[Trade, str, Held | None]], now: datetime) -> Table:
    """Where each trade stands, with the age of those that wait."""
    return Table(
        title="Trades and their confirmations",
        columns=(
            Column("trade"),
            Column("with"),
            Column("state"),
            Column("age h", Form.COINS),
            Column("by"),
            Column("differences"),
        ),
        rows=tuple(
            (
                trade.id,
                trade.dealer,
                words,
                (now - trade.at).total_seconds() / 3600.0,
                "-" if held is None else held.by,
                "-" if held is None else "; ".join(str(gap) for gap in held.differences) or "none",
            )
            for trade, words, held in rows
        ),
    )


def breaks_table(found: Sequence[Break], now: datetime) -> Table:
    """Balances on which a statement does not agree, the oldest first."""
    return Table(
        title="Breaks",
        columns=(
            Column("account"),
            Column("currency"),
            Column("ours"),
            Column("theirs"),
            Column("as of"),
            Column("days open", Form.COINS),
            Column("owner"),
            Column("source"),
        ),
        rows=tuple(
            (
                one.account,
                one.currency,
                one.ours,
                one.theirs,
                f"{one.at:%Y-%m-%d %H:%M}",
                (now - one.since).total_seconds() / 86_400.0,
                one.owner,
                one.source,
            )
            for one in found
        ),
    )
