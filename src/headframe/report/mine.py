"""The production forecast as tables."""

from collections.abc import Sequence

from headframe.chain import Chain, Retarget, break_even_usd_mwh, chain_of, coin_per_phs_day
from headframe.mining import Band, Forecast, Machine, MonthForecast, Operation
from headframe.report.table import Cell, Column, Form, Table, coins_form, hashrate_unit
from headframe.units import Month


def forecast_table(forecast: Forecast, status: str = "") -> Table:
    """Coins by month, alone and summed, with what drives them."""
    unit, hashes = hashrate_unit(row.hashrate_hs for row in forecast.months)
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
            row.hashrate_hs / hashes,
            row.difficulty.p50 / 1e12,
            _each(row.power_usd, row.coins.p50),
            _each(row.cash_cost_usd, row.coins.p50),
            _each(row.all_in_usd, row.coins.p50),
        )
        for row in forecast.months
    )
    start = f"{forecast.start_at:%Y-%m-%d}, height {forecast.start_height:,}"
    name = f"{status}: production" if status else "Production"
    return Table(
        title=f"{name} from difficulty {forecast.start_difficulty / 1e12:.2f} T of {start}",
        columns=(
            Column("month"),
            Column("P10 coins", Form.COINS),
            Column("P50 coins", Form.COINS),
            Column("P90 coins", Form.COINS),
            Column("sum P10", Form.COINS),
            Column("sum P50", Form.COINS),
            Column("sum P90", Form.COINS),
            Column("flat difficulty", Form.COINS),
            Column(unit, Form.COINS),
            Column("difficulty T", Form.COINS),
            Column("power USD/coin", Form.PRICE),
            Column("cash cost USD/coin", Form.PRICE),
            Column("all-in USD/coin", Form.PRICE),
        ),
        rows=rows,
        note=(
            f"P10: 10 % chance of less. Sums are of paths, not of percentiles. {_errors(forecast)} "
            "'Flat difficulty' is the spreadsheet's habit, for comparison only. Cash cost adds fixed costs "
            "to power (variable), all-in adds depreciation; all per P50 coin."
            + "".join(f" Note: {note}." for note in forecast.notes)
        ),
    )


def _errors(forecast: Forecast) -> str:
    """The greatest standard error of a month's percentiles, as a share of them."""
    greatest = 0.0
    for row in forecast.months:
        for band in (row.coins, row.cumulative):
            shown = (band.p10, band.p50, band.p90)
            errors = zip(band.errors(forecast.paths), shown, strict=True)
            greatest = max([greatest, *(error / coins for error, coins in errors if coins > 0.0)])
    return f"On {forecast.paths:,} paths their standard errors are at most {greatest:.2%}."


def _each(usd: float, coins: float) -> float | None:
    """Per coin; none in a month without coins."""
    return usd / coins if coins > 0.0 else None


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
    chain = chain_of(forecast.coin)
    _, rewards = chain.steps(forecast.start_height, 1)
    block = rewards[0] * (1.0 + forecast.fee_share_median)
    earned = coin_per_phs_day(forecast.start_difficulty, block, chain.hashes_per_difficulty)
    hashprice = earned * price_usd
    dearest = {site.name: max(site.power_usd_mwh) for site in operation.sites}
    rows: list[tuple[Cell, ...]] = []
    for batch in operation.fleet:
        hashes, watts = batch.tuned(forecast.as_of)
        efficiency = watts * 1e12 / hashes
        even = break_even_usd_mwh(hashprice, operation.pool.fee, efficiency)
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


def forecast_rows(forecast: Forecast) -> tuple[tuple[str | float, ...], ...]:
    """A header and a row a month, as spreadsheets take them."""
    header = (
        "month",
        "p5",
        "p10",
        "p25",
        "p50",
        "p75",
        "p90",
        "p95",
        "mean",
        "subsidy_coins",
        "fee_coins",
        "hashrate_ehs",
        "difficulty_p50",
        "power_usd",
        "fixed_usd",
        "debt_usd",
        "capex_usd",
        "depreciation_usd",
    )
    rows = tuple(
        (
            str(row.month),
            *(getattr(row.coins, name) for name in header[1:9]),
            row.subsidy_coins,
            row.fee_coins,
            row.hashrate_hs / 1e18,
            row.difficulty.p50,
            row.power_usd,
            row.fixed_usd,
            row.debt_usd,
            row.capex_usd,
            row.depreciation_usd,
        )
        for row in forecast.months
    )
    return (header, *rows)


def outlook_table(chain: Chain, rows: Sequence[tuple[Month, Band, Band]]) -> Table:
    """Coins by month of a steady hashrate."""
    unverified = ", ".join(chain.unverified)
    form = coins_form(alone.p10 for _, alone, _ in rows)
    return Table(
        title=f"{chain.coin} by month" + (f" (unverified: {unverified})" if unverified else ""),
        columns=(
            Column("month"),
            *(Column(f"{name} coins", form) for name in ("P10", "P50", "P90")),
            *(Column(f"sum {name}", form) for name in ("P10", "P50", "P90")),
        ),
        rows=tuple((str(month), a.p10, a.p50, a.p90, s.p10, s.p50, s.p90) for month, a, s in rows),
        note="P10: 10 % chance of less."
        + (
            ""
            if chain.coin == "BTC"
            else " The difficulty model was chosen on Bitcoin: forecast backtest --coin says what it is "
            "worth on this chain."
        ),
    )


_SCALES = (("T", 1.0), ("G", 1e-3), ("M", 1e-6), ("k", 1e-9))
"""Prefixes of a rating's unit, with what one is in TH/s."""
_SOLUTIONS = frozenset({"Equihash"})
"""Algorithms whose machines are rated in solutions, not in hashes."""


def known_machines_tables(rows: Sequence[Machine]) -> tuple[Table, ...]:
    """Return a table for each algorithm, its machines rated in the unit in which none is below 1."""
    names = dict.fromkeys(row.algorithm for row in rows)
    return tuple(
        _known_machines(name, [row for row in rows if row.algorithm == name]) for name in names
    )


def _known_machines(algorithm: str, rows: Sequence[Machine]) -> Table:
    least = min(row.hashrate_ths for row in rows)
    prefix, scale = next((one for one in _SCALES if least >= one[1]), _SCALES[-1])
    noun = "Sol" if algorithm in _SOLUTIONS else "H"
    return Table(
        title=f"Machines: {algorithm}",
        columns=(
            Column("model"),
            Column(f"{prefix}{noun}/s", Form.COINS),
            Column("W", Form.WHOLE),
            Column(f"J/{prefix}{noun}", Form.COINS),
            Column("released"),
            Column("source"),
        ),
        rows=tuple(
            (
                row.model,
                row.hashrate_ths / scale,
                row.power_w,
                row.power_w / (row.hashrate_ths / scale),
                row.released or None,
                row.source,
            )
            for row in rows
        ),
        note="Makers' ratings of one variant each; a workspace adds its own as [[machine]].",
    )


def history_table(rows: Sequence[Retarget]) -> Table:
    """Difficulty periods."""
    return Table(
        title="Difficulty history",
        columns=(
            Column("height", Form.WHOLE),
            Column("from"),
            Column("bits"),
            Column("difficulty T", Form.COINS4),
            Column("known"),
        ),
        rows=tuple(
            (
                row.height,
                f"{row.at:%Y-%m-%d %H:%M}",
                None if row.bits is None else f"{row.bits:08x}",
                row.difficulty / 1e12,
                "exactly" if row.exact else "rebuilt or reported",
            )
            for row in rows
        ),
    )
