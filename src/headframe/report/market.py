"""The market as tables: forward curve, smiles, findings."""

from math import sqrt

from headframe.market import Finding, Snapshot
from headframe.numerics import quantile
from headframe.pricing import Smile, Surface
from headframe.report.table import Cell, Column, Form, Table
from headframe.units import expiry_label

_DELTAS = (("10P %", 0.90), ("25P %", 0.75), ("ATM %", None), ("25C %", 0.25), ("10C %", 0.10))


def market_table(snapshot: Snapshot, surface: Surface) -> Table:
    """Forward, carry and volatilities by expiry."""
    rows: list[tuple[Cell, ...]] = []
    for smile in surface.smiles:
        quote = snapshot.forward(smile.expiry)
        carry = (smile.forward / snapshot.index - 1.0) / smile.years
        rows.append(
            (
                expiry_label(smile.expiry),
                smile.forward,
                carry,
                *(_vol(smile, delta) * 100.0 for _, delta in _DELTAS),
                quote.open_interest if quote else None,
            )
        )
    vols = tuple(Column(f"vol {name}", Form.COINS) for name, _ in _DELTAS)
    return Table(
        title=f"Market: {snapshot.source}, index {snapshot.index:,.0f} USD",
        columns=(
            Column("expiry"),
            Column("forward USD", Form.PRICE),
            Column("carry a year", Form.SHARE),
            *vols,
            Column("open interest BTC", Form.WHOLE),
        ),
        rows=tuple(rows),
        note="Volatility at 10- and 25-delta puts and calls and at the forward, in % a year.",
    )


def _vol(smile: Smile, delta: float | None) -> float:
    """Volatility where a call has this delta: k = v^2/2 - N^-1(delta) v, met by iteration."""
    if delta is None:
        return smile.vol(smile.forward)
    variance = smile.total_variance(0.0)
    for _ in range(20):
        k = 0.5 * variance - quantile(delta) * sqrt(variance)
        variance = smile.total_variance(k)
    return sqrt(variance / smile.years)


def findings_table(found: tuple[Finding, ...]) -> Table:
    """What is wrong with the market, or that nothing is."""
    rows = tuple((str(one.flaw), one.where, one.detail) for one in found) or (
        ("none", "-", "nothing stale, crossed, missing or one-sided"),
    )
    return Table(
        title="Quality", columns=(Column("finding"), Column("where"), Column("detail")), rows=rows
    )
