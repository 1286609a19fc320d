"""A simulation as tables: months, the whole horizon, stresses, liquidity at risk."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from headframe.report.table import Cell, Column, Form, Table
from headframe.risk import ChanceLadder, LiquidityAtRisk, Spread, StressOutcome, Summary

_WORDS = {
    "end_price_usd": "price at the end USD",
    "coins": "coins mined",
    "sales_usd": "sales USD",
    "costs_usd": "costs paid USD",
    "hedge_usd": "brought by the hedge USD",
    "lowest_liquidity_unhedged_usd": "lowest liquidity without the hedge USD",
    "lowest_liquidity_hedged_usd": "lowest liquidity with the hedge USD",
    "liquidity_drawdown_unhedged_usd": "worst fall of liquidity without USD",
    "liquidity_drawdown_hedged_usd": "worst fall of liquidity with USD",
    "largest_cumulative_call_usd": "largest cumulative call USD",
}


def simulation_months_table(found: Summary) -> Table:
    """Coins and cash by month, without and with the hedge."""
    rows: list[tuple[Cell, ...]] = [
        (
            str(row.month),
            row.coins.at(0.10),
            row.coins.at(0.50),
            row.coins.at(0.90),
            row.bare_usd.mean,
            row.bare_usd.at(0.05),
            row.bare_usd.shortfall,
            row.hedged_usd.mean,
            row.hedged_usd.mean_se,
            row.hedged_usd.at(0.05),
            row.hedged_usd.at_risk,
            row.hedged_usd.shortfall,
        )
        for row in found.months
    ]
    return Table(
        title=f"Cash by month on {found.paths:,} paths",
        columns=(
            Column("month"),
            Column("P10 coins", Form.COINS),
            Column("P50", Form.COINS),
            Column("P90", Form.COINS),
            Column("cash unhedged, mean USD", Form.USD),
            Column("5 % worst", Form.USD),
            Column("shortfall", Form.USD),
            Column("cash hedged, mean USD", Form.USD),
            Column("error of mean", Form.USD),
            Column("5 % worst", Form.USD),
            Column("at risk", Form.USD),
            Column("shortfall", Form.USD),
        ),
        rows=tuple(rows),
        note="Sales less power, fixed costs, debt and capex, and what the hedge settled. At risk: the "
        "5 % quantile below the mean; shortfall: the mean of the worst twentieth below the mean. The "
        "first month is what is left of it.",
    )


def simulation_figures_table(found: Summary) -> Table:
    """The whole horizon: each figure with its errors."""
    rows = tuple((_WORDS[name], *_spread(one)) for name, one in found.figures.items())
    chances = (
        ("without the hedge", found.out_of_cash_bare, found.below_covenant_bare),
        ("with it", found.out_of_cash, found.below_covenant),
    )
    said = "; ".join(
        f"{words}: out of cash and credit on {out.share:.2%} (error {out.se:.2%}) of paths, below "
        f"{found.covenant_usd:,.0f} USD on {below.share:.2%} (error {below.se:.2%})"
        for words, out, below in chances
    )
    return Table(
        title="The whole horizon",
        columns=(
            Column("figure"),
            Column("mean", Form.USD),
            Column("error", Form.USD),
            Column("1 %", Form.USD),
            Column("5 %", Form.USD),
            Column("error", Form.USD),
            Column("50 %", Form.USD),
            Column("95 %", Form.USD),
            Column("error", Form.USD),
            Column("99 %", Form.USD),
        ),
        rows=rows,
        note=f"Liquidity is cash, undrawn credit and free coins at the day's price, less margin and "
        f"collateral. {said[0].upper()}{said[1:]}.",
    )


def _spread(one: Spread) -> tuple[Cell, ...]:
    return (
        one.mean, one.mean_se, one.at(0.01), one.at(0.05), one.low_se, one.at(0.50), one.at(0.95),
        one.high_se, one.at(0.99),
    )  # fmt: skip


def stresses_table(title: str, found: Sequence[StressOutcome]) -> Table:
    """Each course with and without the hedge: cash up and cash down."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            row.name,
            row.words,
            row.end_price,
            row.coins,
            row.bare_usd,
            row.hedged_usd,
            row.hedge_usd,
            row.low_bare_usd,
            row.low_usd,
            row.called_usd,
        )
        for row in found
    )
    return Table(
        title=title,
        columns=(
            Column("course"),
            Column("what"),
            Column("price at the end USD", Form.PRICE),
            Column("coins", Form.COINS),
            Column("cash unhedged USD", Form.USD),
            Column("cash hedged USD", Form.USD),
            Column("hedge brings USD", Form.USD),
            Column("lowest liquidity without USD", Form.USD),
            Column("lowest with USD", Form.USD),
            Column("largest call USD", Form.USD),
        ),
        rows=rows,
        note="Nothing left to chance but what is named: the price moves over its days and stays; a move "
        "of 20 % or more doubles the variance options are marked at.",
    )


def liquidity_table(
    closed: LiquidityAtRisk, simulated: Mapping[str, Spread], *, vol: float, days: int
) -> Table:
    """The call of a short forward not exceeded with 99 %, by closed form and by simulation."""
    rows: list[tuple[Cell, ...]] = [
        ("arithmetic normal, closed form", closed.normal, None),
        ("log-normal, closed form", closed.lognormal, None),
        *((f"{name}, simulated at daily ends", one.at(0.99), one.high_se) for name, one in simulated.items()),
    ]  # fmt: skip
    return Table(
        title=f"Liquidity at risk of a short forward: 99 %, {days} days, {vol:.1%} volatility",
        columns=(
            Column("model"),
            Column("share of notional", Form.SHARE),
            Column("error of the 95 % quantile", Form.SHARE),
        ),
        rows=tuple(rows),
        note="Initial margin comes on top. Closed forms watch the price all the time, the simulation "
        "once a day.",
    )


def chances_table(found: ChanceLadder, as_of: date) -> Table:
    """The cash ladder on the engine's paths."""
    names = list(found.rungs[0].broken)
    words = "Cash runs out on no path."
    if found.out_price is not None:
        low, middle, high = found.out_price
        words = (
            f"Where cash runs out it does so first at {middle:,.0f} USD a coin (half of those paths; "
            f"nine in ten from {low:,.0f} to {high:,.0f})."
        )
    return Table(
        title=f"Liquidity on {found.paths:,} paths, USD",
        columns=(
            Column("until"),
            *(Column(one, Form.USD) for one in ("5 % worst", "25 %", "median", "75 %", "95 %")),
            Column("out of cash by then", Form.SHARE2),
            Column("error", Form.SHARE2),
            *(Column(f"{one} by then", Form.SHARE2) for one in names),
            *((Column("coins to pledge by then, 5 % worst", Form.COINS),) if found.cures else ()),
        ),
        rows=tuple(
            (
                str(as_of + timedelta(days=row.days)),
                *row.free_usd,
                row.out.share,
                row.out.se,
                *(row.broken[name].share for name in names),
                *found.cures[place : place + 1],
            )
            for place, row in enumerate(found.rungs)
        ),
        note=f"Cash, credit and free coins less margin and collateral, at daily closes. {words}",
    )
