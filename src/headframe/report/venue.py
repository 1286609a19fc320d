"""What a venue says of our account and our requests, as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from headframe.report.table import Column, Form, Table

Row = Mapping[str, Any]


def held_there_table(rows: Sequence[Row]) -> Table:
    """Positions at the venue; prices as it quotes them."""
    return Table(
        title="Positions at the venue",
        columns=(
            Column("instrument"),
            Column("size", Form.COINS),
            Column("entered at"),
            Column("mark"),
            Column("delta BTC", Form.COINS),
            Column("initial margin", Form.COINS4),
        ),
        rows=tuple(
            (
                row["instrument"],
                row["size"],
                f"{row['average_price']:.10g}",
                f"{row['mark_price']:.6g}",
                row["delta"],
                row["initial_margin"],
            )
            for row in rows
        ),
        note="" if rows else "none",
    )


def requests_there_table(rows: Sequence[Row]) -> Table:
    """Requests for quotes as the venue keeps them."""
    return Table(
        title="Our requests at the venue",
        columns=(
            Column("id"),
            Column("our id"),
            Column("state"),
            Column("legs"),
            Column("amount", Form.COINS),
            Column("filled by"),
        ),
        rows=tuple(
            (
                str(row.get("block_rfq_id")),
                str(row.get("label") or "")[:8] or None,
                str(row.get("state")),
                "; ".join(
                    f"{leg.get('direction')} {leg.get('instrument_name')}"
                    for leg in row.get("legs") or ()
                ),
                float(row.get("amount") or 0.0),
                ", ".join(str(one.get("maker", "?")) for one in row.get("trades") or ()) or None,
            )
            for row in rows
        ),
        note="" if rows else "none",
    )


def minimums_table(rows: Sequence[Row]) -> Table:
    """Least blocks and ticks by instrument."""
    return Table(
        title="Least sizes at the venue",
        columns=(
            Column("instrument"),
            Column("least block", Form.COINS),
            Column("block tick"),
            Column("block fee"),
            Column("least order", Form.COINS),
            Column("tick"),
        ),
        rows=tuple(
            (
                row["instrument"],
                row["block_minimum"],
                f"{row['block_tick']:g}",
                f"{row['block_fee']:g}",
                row["minimum"],
                f"{row['tick']:g}",
            )
            for row in rows
        ),
    )


def transactions_table(rows: Sequence[Row]) -> Table:
    """Entries of the venue's transaction log; amounts to the venue's last digit."""
    names = ("at", "kind", "instrument", "position", "price", "change", "commission", "balance")
    return _plain("Transaction log at the venue", rows, (*names, "currency"))


def trades_there_table(rows: Sequence[Row]) -> Table:
    """Trades of the account as the venue keeps them; amounts in the instrument's own unit."""
    names = ("at", "id", "instrument", "side", "amount", "price", "fee", "fee_currency", "block")
    return _plain("Trades at the venue", rows, names)


def _plain(title: str, rows: Sequence[Row], names: Sequence[str]) -> Table:
    return Table(
        title=title,
        columns=tuple(Column(name.replace("_", " ")) for name in names),
        rows=tuple(
            tuple("-" if row[name] in {None, ""} else str(row[name]) for name in names)
            for row in rows
        ),
        note="" if rows else "none",
    )
