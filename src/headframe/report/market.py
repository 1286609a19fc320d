"""The market as tables: forward curve, smiles, findings."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from headframe.market import Finding, Snapshot, Ticker
from headframe.pricing import Quality, Surface, forward_curve
from headframe.report.table import Cell, Column, Form, Table
from headframe.units import expiry_label

_DELTAS = (("10P %", 0.90), ("25P %", 0.75), ("ATM %", None), ("25C %", 0.25), ("10C %", 0.10))


def market_table(snapshot: Snapshot, surface: Surface, quality: Quality) -> Table:
    """Forward with its bounds, carry and volatilities by expiry."""
    rows: list[tuple[Cell, ...]] = []
    points = {point.expiry: point for point in forward_curve(snapshot)}
    for smile in surface.smiles:
        quote, point = snapshot.forward(smile.expiry), points[smile.expiry]
        rows.append(
            (
                expiry_label(smile.expiry),
                point.forward,
                point.bid,
                point.ask,
                point.basis_usd,
                point.carry,
                *(_vol(surface, smile.years, delta) * 100.0 for _, delta in _DELTAS),
                quote.open_interest if quote else None,
            )
        )
    vols = tuple(Column(f"vol {name}", Form.COINS) for name, _ in _DELTAS)
    return Table(
        title=f"Market: {snapshot.source}, index {snapshot.index:,.0f} USD",
        columns=(
            Column("expiry"),
            Column("forward USD", Form.PRICE),
            Column("bid", Form.PRICE),
            Column("ask", Form.PRICE),
            Column("basis USD", Form.PRICE),
            Column("carry a year", Form.SHARE),
            *vols,
            Column("open interest BTC", Form.WHOLE),
        ),
        rows=tuple(rows),
        note="Bid and ask of the forward through calls and puts, a dash where none are quoted. "
        "Volatility at 10- and 25-delta puts and calls and at the forward, in % a year. "
        + _said(surface, quality),
    )


def _said(surface: Surface, quality: Quality) -> str:
    """How the surface meets its quotes, and what a grid of strikes and times found."""
    fit, found = quality.fit, quality.arbitrage
    met = (
        f"{fit.inside} of {fit.quotes} two-sided quotes of 10 to 90 delta met inside bid and ask; "
    )
    return (
        (met if fit.quotes else "")
        + f"butterfly arbitrage at {found.butterfly} and calendar arbitrage at {found.calendar} of "
        f"{found.nodes} nodes; beyond {expiry_label(surface.smiles[-1].expiry)} extrapolated."
    )


def _vol(surface: Surface, years: float, delta: float | None) -> float:
    """Volatility where a call has this delta; at the forward where there is none."""
    return surface.vol_at(years, 0.0) if delta is None else surface.vol_at_delta(years, delta)


def findings_table(found: tuple[Finding, ...]) -> Table:
    """What is wrong with the market, or that nothing is."""
    rows = tuple((str(one.flaw), one.where, one.detail) for one in found) or (
        ("none", "-", "nothing stale, crossed, missing or one-sided"),
    )
    return Table(
        title="Quality", columns=(Column("finding"), Column("where"), Column("detail")), rows=rows
    )


def deliveries_table(found: Sequence[tuple[date, Decimal]]) -> Table:
    """Delivery prices by day."""
    return Table(
        title="Delivery prices",
        columns=(Column("date"), Column("delivery price USD")),
        rows=tuple((day.isoformat(), f"{price:,.2f}") for day, price in found),
        note="The mean of the index from 07:30 to 08:00 UTC.",
    )


def ticker_lines(found: Ticker) -> tuple[str, ...]:
    """One instrument's quote in words."""

    def said(name: str, value: float | None, unit: str = "") -> str:
        return f"{name} {'-' if value is None else format(value, 'g')}{unit}"

    vols = (("mark", found.mark_vol), ("bid", found.bid_vol), ("ask", found.ask_vol))
    return (
        (
            f"{found.name} at {found.at:%Y-%m-%d %H:%M:%S} UTC: {said('bid', found.bid)}, "
            f"{said('ask', found.ask)}, {said('mark', found.mark)}; index {found.index:,.2f} USD"
        ),
        "volatility % a year: "
        + ", ".join(said(name, None if vol is None else vol * 100.0) for name, vol in vols)
        + f"; {said('delta', found.delta)}; {said('underlying', found.underlying)}",
    )
