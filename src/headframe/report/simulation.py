"""A simulation as tables: months, the whole horizon, stresses, liquidity at risk."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from headframe.report.table import Cell, Column, Estimate, Form, Table
from headframe.risk import (
    ChanceLadder,
    LiquidityAtRisk,
    PeakVariation,
    Spread,
    StressOutcome,
    Summary,
)

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

_SHOWN = (0.01, 0.05, 0.50, 0.95, 0.99)


def simulation_months_table(found: Summary) -> Table:
    """Coins and cash by month: a line without and one with the hedge."""
    rows: list[tuple[Cell, ...]] = []
    for row in found.months:
        coins = (_quantile(row.coins, level) for level in (0.10, 0.50, 0.90))
        rows.append((str(row.month), *coins, "without", *_cash_flow(row.bare_usd)))
        rows.append(("", "", "", "", "with", *_cash_flow(row.hedged_usd)))
    return Table(
        title=f"Cash by month on {found.paths:,} paths, without and with the hedge",
        columns=(
            Column("month"),
            Column("P10 coins", Form.COINS),
            Column("P50", Form.COINS),
            Column("P90", Form.COINS),
            Column("hedge"),
            Column("mean USD", Form.USD),
            Column("5 % worst", Form.USD),
            Column("at risk", Form.USD),
            Column("shortfall", Form.USD),
        ),
        rows=tuple(rows),
        note="Sales less power, fixed costs, debt and capex, and what the hedge settled. At risk: the "
        "5 % quantile below the mean; shortfall: the mean of the worst twentieth below the mean. After ± "
        "the standard error. The first month is what is left of it.",
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
            *(Column(f"{level:.0%}".replace("%", " %"), Form.USD) for level in _SHOWN),
        ),
        rows=rows,
        note=f"Liquidity is cash, undrawn credit and free coins at the day's price, less margin and "
        f"collateral. {said[0].upper()}{said[1:]}.",
    )


def _spread(one: Spread) -> tuple[Cell, ...]:
    return (Estimate(one.mean, one.mean_se), *(_quantile(one, level) for level in _SHOWN))


def _quantile(one: Spread, level: float) -> Estimate:
    return Estimate(one.at(level), one.se_at(level))


def _cash_flow(one: Spread) -> tuple[Cell, ...]:
    """Mean, the 5 % quantile, how far it lies below the mean, and how far the worst twentieth does."""
    return (
        Estimate(one.mean, one.mean_se),
        _quantile(one, 0.05),
        Estimate(one.at_risk, one.at_risk_se),
        Estimate(one.shortfall, one.shortfall_se),
    )


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
    closed: LiquidityAtRisk,
    simulated: Mapping[str, Spread],
    peak: PeakVariation,
    *,
    vol: float,
    days: int,
) -> Table:
    """Liquidity at risk of a short forward at one volatility, and the peak margin on the run's own paths."""
    rows: list[tuple[Cell, ...]] = [
        ("liquidity at risk, arithmetic normal, closed form", vol, closed.normal),
        ("liquidity at risk, log-normal, closed form", vol, closed.lognormal),
        *(
            (f"liquidity at risk, {name}, simulated at daily ends", vol, _quantile(one, 0.99))
            for name, one in simulated.items()
        ),
        (
            f"peak variation margin on the paths of {peak.model}",
            peak.vol,
            _quantile(peak.share, 0.99),
        ),
    ]
    return Table(
        title=f"Liquidity at risk of a short forward: 99 %, {days} days",
        columns=(
            Column("figure"),
            Column("volatility", Form.SHARE),
            Column("share of notional", Form.SHARE),
        ),
        rows=tuple(rows),
        note=f"Liquidity at risk: the cumulative variation margin not exceeded with 99 %, at the surface's "
        f"volatility of {days} days at the money. The run's own model has a volatility of its own over these "
        "days, hence another name. Initial margin comes on top. Closed forms watch the price all the time, "
        "simulations once a day.",
    )


def chances_table(found: ChanceLadder, as_of: date) -> Table:
    """The cash ladder on the engine's paths."""
    names = list(found.rungs[0].broken)
    words = "Cash runs out on no path."
    if found.out_price is not None and found.out_price_se is not None:
        low, middle, high = found.out_price
        error = found.out_price_se[1]
        words = (
            f"Where cash runs out it does so first at {middle:,.0f} ±{error:,.0f} USD a coin (half of "
            f"those paths; nine in ten from {low:,.0f} to {high:,.0f})."
        )
    return Table(
        title=f"Liquidity on {found.paths:,} paths, USD",
        columns=(
            Column("until"),
            *(Column(one, Form.USD) for one in ("5 % worst", "25 %", "median", "75 %", "95 %")),
            Column("out of cash by then", Form.SHARE2),
            *(Column(f"{one} by then", Form.SHARE2) for one in names),
            *((Column("coins to pledge by then, 5 % worst", Form.COINS),) if found.cures else ()),
        ),
        rows=tuple(
            (
                str(as_of + timedelta(days=row.days)),
                *(Estimate(usd, se) for usd, se in zip(row.free_usd, row.free_se, strict=True)),
                Estimate(row.out.share, row.out.se),
                *(Estimate(row.broken[name].share, row.broken[name].se) for name in names),
                *(
                    Estimate(coins, found.cures_se[place])
                    for coins in found.cures[place : place + 1]
                ),
            )
            for place, row in enumerate(found.rungs)
        ),
        note=f"Cash, credit and free coins less margin and collateral, at daily closes; after ± the "
        f"standard error. {words}",
    )
