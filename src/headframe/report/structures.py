"""A structure at no cost, shown both ways, and how well a hedge fits."""

from datetime import datetime

from headframe.pricing import Snapped, ZeroCostPair
from headframe.report.table import Cell, Column, Form, Table
from headframe.risk import Effectiveness
from headframe.units import expiry_label


def zero_cost_table(
    pair: ZeroCostPair, *, expiry: datetime, spot: float, extrapolated: bool
) -> Table:
    """The exact call, and the listed ones that leave a credit and a debit."""

    def row(name: str, one: Snapped | None) -> tuple[Cell, ...]:
        if one is None:
            return (name, None, None, None, None)
        return (name, one.call_strike, one.call_bid, one.residual, one.residual * spot)

    below = "" if pair.lower_strike is None else f", put sold {pair.lower_strike:,.0f}"
    return Table(
        title=f"Put {pair.put_strike:,.0f} bought at {pair.put_ask:.4f}{below}, {expiry_label(expiry)}",
        columns=(
            Column("call sold"),
            Column("strike USD", Form.PRICE),
            Column("bid BTC", Form.COINS4),
            Column("left to pay BTC", Form.COINS4),
            Column("left to pay USD a coin", Form.PRICE),
        ),
        rows=(
            ("exact", pair.exact_call_strike, None, None, None),
            row("nearest credit", pair.credit),
            row("nearest debit", pair.debit),
        ),
        note="Fees of every leg are in; negative is received."
        + (" Below the put sold the floor is gone." if pair.lower_strike is not None else "")
        + (
            " Beyond the last listed expiry: extrapolated, an OTC estimate." if extrapolated else ""
        ),
    )


def effectiveness_table(found: Effectiveness, item: str, hedge: str) -> Table:
    """Ratio of least variance with its interval, R2, tracking error."""
    return Table(
        title=f"{item} hedged by {hedge} over {found.days} days",
        columns=(
            Column("least variance ratio", Form.RATIO),
            Column("95 % from", Form.RATIO),
            Column("to", Form.RATIO),
            Column("R2", Form.RATIO),
            Column("tracking error a year", Form.SHARE),
            Column("at a ratio of 1", Form.SHARE),
            Column("volatility of the item", Form.SHARE),
            Column("of the hedge", Form.SHARE),
        ),
        rows=(
            (
                found.ratio, found.low, found.high, found.r2, found.tracking_error,
                found.tracking_error_one, found.item_vol, found.hedge_vol,
            ),
        ),
        note=f"{found.windows} overlapping windows from {found.since} to {found.until}, "
        f"{found.independent} of them apart; errors by Newey and West.",
    )  # fmt: skip
