"""The production forecast as tables."""

from headframe.chain import break_even_usd_mwh, coin_per_phs_day, subsidy_satoshi
from headframe.mining import Forecast, MonthForecast, Operation
from headframe.report.table import Cell, Column, Form, Table


def forecast_table(forecast: Forecast) -> Table:
    """Coins by month, alone and summed, with what drives them."""
    rows = tuple(
        (
            str(row.month),
            row.coins.p10,
            row.coins.p50,
            row.coins.p90,
            row.cumulative.p10,
            row.cumulative.p50,
            row.cumulative.p90,
            row.flat_difficulty_coins,
            row.hashrate_hs / 1e18,
            row.difficulty.p50 / 1e12,
            row.power_usd / row.coins.p50,
            row.cash_cost_usd / row.coins.p50,
            row.all_in_usd / row.coins.p50,
        )
        for row in forecast.months
    )
    start = f"{forecast.start_at:%Y-%m-%d}, height {forecast.start_height:,}"
    return Table(
        title=f"Production from difficulty {forecast.start_difficulty / 1e12:.2f} T of {start}",
        columns=(
            Column("month"),
            Column("P10 coins", Form.COINS),
            Column("P50 coins", Form.COINS),
            Column("P90 coins", Form.COINS),
            Column("sum P10", Form.COINS),
            Column("sum P50", Form.COINS),
            Column("sum P90", Form.COINS),
            Column("flat difficulty", Form.COINS),
            Column("EH/s", Form.COINS),
            Column("difficulty T", Form.COINS),
            Column("power USD/coin", Form.PRICE),
            Column("cash cost USD/coin", Form.PRICE),
            Column("all-in USD/coin", Form.PRICE),
        ),
        rows=rows,
        note=(
            "P10: 10 % chance of less. Sums are of paths, not of percentiles. "
            "'Flat difficulty' is the spreadsheet's habit, for comparison only. Cash cost adds fixed costs "
            "to power (variable), all-in adds depreciation; all per P50 coin."
        ),
    )


def drivers_table(forecast: Forecast) -> Table:
    """The difficulty model with its standard errors, and the other drivers."""
    model = forecast.difficulty_model
    rows = (
        ("drift per retarget", model.drift, model.drift_se),
        ("noise per retarget", model.noise_sd, model.noise_sd / (2 * (model.count - 1)) ** 0.5),
        ("memory of noise (lag 1)", model.memory, model.memory_se),
        ("median fee share of subsidy", forecast.fee_share_median, None),
        ("pool fee", forecast.pool_fee, None),
    )
    return Table(
        title=f"Drivers: {model.count} retargets from {model.since:%Y-%m-%d} to {model.until:%Y-%m-%d}",
        columns=(
            Column("driver"),
            Column("estimate", Form.SHARE2),
            Column("standard error", Form.SHARE2),
        ),
        rows=rows,
        note=f"{forecast.paths:,} paths, seed {forecast.seed}; {forecast.version}.",
    )


def coverage_line(secured_usd: float, months: tuple[MonthForecast, ...]) -> str:
    """How far the secured floor reaches: cash costs first, then debt service, then capex."""
    left = secured_usd
    parts: list[str] = []
    for name, due in (
        ("cash costs", sum(row.cash_cost_usd for row in months)),
        ("debt service", sum(row.debt_usd for row in months)),
        ("capex", sum(row.capex_usd for row in months)),
    ):
        met = min(left, due)
        parts.append(f"{met / due:.0%} of {due:,.0f} USD {name}" if due else f"no {name}")
        left -= met
    return f"In that order it covers {', '.join(parts)}."


def machines_table(operation: Operation, forecast: Forecast, price_usd: float) -> Table:
    """The hashprice at a price, and the power price at which each type of machine earns nothing."""
    block = subsidy_satoshi(forecast.start_height) / 1e8 * (1.0 + forecast.fee_share_median)
    hashprice = coin_per_phs_day(forecast.start_difficulty, block) * price_usd
    dearest = {site.name: max(site.power_usd_mwh) for site in operation.sites}
    rows: list[tuple[Cell, ...]] = []
    for batch in operation.fleet:
        efficiency = batch.machine.joules_per_terahash
        even = break_even_usd_mwh(hashprice, operation.pool_fee, efficiency)
        paid = dearest[batch.site]
        pays = "yes" if even > paid else "not in its dearest month"
        rows.append((batch.machine.model, batch.site, efficiency, even, paid, pays))
    return Table(
        title=f"Hashprice {hashprice:.2f} USD/PH/s/day at {price_usd:,.0f} USD",
        columns=(
            Column("machine"),
            Column("site"),
            Column("J/TH", Form.COINS),
            Column("break-even USD/MWh", Form.COINS),
            Column("dearest power USD/MWh", Form.COINS),
            Column("pays"),
        ),
        rows=tuple(rows),
    )
