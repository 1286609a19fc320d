"""Closed days and settlement prices as tables."""

from collections.abc import Sequence

from headframe.lifecycle import ClosedDay, SettlementPrice
from headframe.report.table import Cell, Column, Form, Table


def closed_days_table(days: Sequence[ClosedDay]) -> Table:
    """Return closed days: the price of each, and what hedges received or paid."""
    rows: list[tuple[Cell, ...]] = []
    for one in days:
        name = one.day.isoformat()
        price = None if one.index is None else float(one.index)
        ended = dict(one.ended)
        if not one.paid and not ended:
            rows.append((name, price, None, None, None, one.shortfall or None))
        for trade, cause, money in one.paid:
            note = ended.pop(trade, "") or one.shortfall
            amount = f"{money} {money.currency.code}"
            rows.append((name, price, trade, cause, amount, note or None))
        rows += [(name, price, trade, None, None, how) for trade, how in ended.items()]
    return Table(
        title="Closed days",
        columns=(
            Column("close"),
            Column("index USD", Form.PRICE),
            Column("trade"),
            Column("cause"),
            Column("received"),
            Column("note"),
        ),
        rows=tuple(rows),
        note="Closes are at 08:00 UTC. Received is negative where we paid.",
    )


def settlement_prices_table(prices: Sequence[SettlementPrice]) -> Table:
    """Return settlement and delivery prices with their sources."""
    return Table(
        title="Settlement and delivery prices",
        columns=(
            Column("close"),
            Column("instrument"),
            Column("kind"),
            Column("price USD"),
            Column("source"),
        ),
        rows=tuple(
            (one.day.isoformat(), one.instrument, str(one.kind), f"{one.price:,.2f}", one.source)
            for one in prices
        ),
    )
