"""Closed days and settlement prices as tables."""

from collections.abc import Sequence

from headframe.lifecycle import Bridge, ClosedDay, FundingRate, RealisedMonth, SettlementPrice
from headframe.report.table import Cell, Column, Form, Table

_FUNDING_NOTE = "Funding of perpetuals is among them. "


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


def funding_table(rates: Sequence[FundingRate]) -> Table:
    """Return funding rates of perpetuals with their sources."""
    return Table(
        title="Funding rates of perpetuals",
        columns=(
            Column("from UTC"),
            Column("to UTC"),
            Column("instrument"),
            Column("rate %"),
            Column("index USD"),
            Column("source"),
        ),
        rows=tuple(
            (
                f"{one.start:%Y-%m-%d %H:%M}",
                f"{one.end:%Y-%m-%d %H:%M}",
                one.instrument,
                format((one.rate * 100).normalize(), "f"),
                f"{one.index:,.2f}",
                one.source,
            )
            for one in rates
        ),
        note="Interest of the period as a share of the position's value; positive: longs pay shorts.",
    )


def realised_months_table(months: Sequence[RealisedMonth]) -> Table:
    """Return realised price by month of production: own coins' sales and own hedges, whenever cash moved."""
    funded = any(one.funding.smallest for one in months)
    return Table(
        title="Realised price by month of production",
        columns=(
            Column("month"),
            Column("mined", Form.COINS),
            Column("sold", Form.COINS),
            Column("sales USD", Form.USD),
            Column("hedges USD", Form.USD),
            Column("hedge on", Form.COINS),
            *((Column("funding USD", Form.USD),) if funded else ()),
            Column("basis USD", Form.USD),
            Column("deferred USD", Form.USD),
            Column("spot USD/coin", Form.PRICE),
            Column("realised USD/coin", Form.PRICE),
        ),
        rows=tuple(
            (
                str(one.month),
                float(one.mined),
                float(one.sold),
                float(one.sales),
                float(one.recognised_usd),
                float(one.open),
                *((float(one.funding),) if funded else ()),
                _basis(one),
                float(one.deferred_usd),
                one.spot_price,
                one.realised_price,
            )
            for one in months
        ),
        note=(
            "Hedges: premium, fees and settlements of the designated coins that are sold; a hedge still on "
            f"has its result to come. {_FUNDING_NOTE if funded else ''}"
            "Deferred: of the coins still to be sold. Basis: settlements less what "
            "the hedges would have paid at the sales' prices."
        ),
    )


def _basis(one: RealisedMonth) -> float | None:
    """Return the basis of a month whose hedges have all settled and whose coins are sold."""
    known = one.basis_usd is not None and one.designated_sold.smallest
    return float(one.basis_usd) if known and one.basis_usd is not None else None


def bridge_table(found: Bridge) -> Table:
    """Return production, cash and P&L side by side; the last rows reconcile them to the cent."""
    rows: list[tuple[Cell, ...]] = [
        (
            str(row.month),
            str(row.own_sales),
            str(row.own_hedges),
            str(row.cash_sales),
            str(row.cash_hedges),
            str(row.difference),
        )
        for row in found.rows
    ]
    rows.append(("opening inventory", str(found.inventory_sales), None, None, None, None))
    rows.append(("coins revalued to today", None, str(found.revaluation), None, None, None))
    rows.append(("unrealised", None, str(found.unrealised), None, None, None))
    rows.append(("P&L", None, str(found.pnl), None, None, None))
    return Table(
        title="Bridge in USD: by production, by cash, P&L"
        + ("" if found.holds else " - DOES NOT RECONCILE"),
        columns=(
            Column("month"),
            Column("own sales"),
            Column("own hedges"),
            Column("cash of sales"),
            Column("cash of hedges"),
            Column("moved in another month"),
        ),
        rows=tuple(rows),
        note="Own: of coins mined in the month. Cash: what moved in it. Coins at the price when they moved.",
    )
