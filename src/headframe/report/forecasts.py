"""The forecast's drivers, versions, changes, proof and accuracy as tables."""

from collections.abc import Iterable, Sequence

from headframe.mining import (
    BucketForecast,
    FeeEstimate,
    Forecast,
    Gain,
    LeadAccuracy,
    PayoutMonth,
    Score,
    Skill,
    Waterfall,
)
from headframe.report.table import Cell, Column, Form, Table, coins_form, hashrate_unit

_CHANCE = "Percentiles are the chance of less: P10 is the low case (petroleum's P90)."


def drivers_table(forecast: Forecast, fees: FeeEstimate | None = None) -> Table:
    """The difficulty model with its standard errors, and the other drivers."""
    model, price = forecast.difficulty_model, forecast.difficulty_model.price
    rows: list[tuple[Cell, ...]] = [
        ("drift per retarget", model.drift, model.drift_se),
        ("  of its error in the paths", model.drift_sd, None),
        ("noise per retarget", model.noise_sd, model.noise_se),
        ("memory of noise (lag 1)", model.memory, model.memory_se),
        ("season, greatest effect on a retarget", model.season_size, model.season_se),
        ("squeeze per retarget after a halving", model.squeeze, model.squeeze_se),
        ("  of it in the paths", model.squeeze_used, None),
    ]
    if price is None:
        rows.append(("answer to price: none", None, None))
    else:
        default = " (default)" if price.source == "default" else ""
        rows += [
            (f"answer to price, same retarget{default}", price.same, price.same_se),
            ("  each of the 6 after", price.six, price.six_se),
            ("  each of the 7 after those", price.seven, price.seven_se),
            ("  in all", price.total, price.total_se),
        ]
    if fees is None:
        rows.append(("median fee share of subsidy, given", forecast.fee_share_median, None))
    else:
        outlook = fees.outlook
        median = outlook.share_median
        rows += [
            ("median fee share of subsidy", median, median * fees.log_median_se),
            ("  spread of its logarithm", outlook.log_sd, fees.log_sd_se),
            ("  monthly persistence", outlook.persistence, fees.persistence_se),
            ("  tail (Tukey's h)", outlook.tail, fees.tail_se),
        ]
    rows.append(("pool fee", forecast.pool_fee, None))
    return Table(
        title=f"Drivers: {model.count} retargets from {model.since:%Y-%m-%d} to {model.until:%Y-%m-%d}",
        columns=(
            Column("driver"),
            Column("estimate", Form.SHARE2),
            Column("standard error", Form.SHARE2),
        ),
        rows=tuple(rows),
        note=(
            f"{forecast.paths:,} paths, seed {forecast.seed}; {forecast.version}. The squeeze enters "
            "the paths when it is two standard errors from nothing."
        ),
    )


def risks_table(forecast: Forecast) -> Table:
    """How much of the variance each risk alone explains."""
    return Table(
        title="What makes the horizon's coins uncertain",
        columns=(Column("risk"), Column("share of variance", Form.SHARE)),
        rows=tuple((row.risk, row.share) for row in forecast.risks),
        note="Each risk alone, the others at their expectation; 'together' is what they do only jointly.",
    )


def natural_table(forecast: Forecast) -> Table:
    """The natural hedge by horizon, as history and the paths have it."""
    return Table(
        title="Natural hedge: coins against price",
        columns=(
            Column("measured on"),
            Column("months", Form.WHOLE),
            Column("beta of coins on price", Form.RATIO),
            Column("standard error", Form.RATIO),
            Column("least-variance hedge", Form.RATIO),
            Column("its error", Form.RATIO),
        ),
        rows=tuple(
            (row.source, row.months, row.beta, row.beta_se, row.share, row.share_se)
            for row in forecast.natural
        ),
        note=(
            "Noisy regressions, never a default: difficulty answers a rally with fewer coins, a mine "
            "that curtails has fewer coins in a fall."
        ),
    )


def bands_table(forecast: Forecast) -> Table:
    """Seven percentiles and the mean of each month's coins, with subsidy and fees apart."""
    columns = ("p5", "p10", "p25", "p50", "p75", "p90", "p95", "mean")
    return Table(
        title="Coins by month: chance of less",
        columns=(
            Column("month"),
            *(Column(_words(name), Form.COINS) for name in columns),
            Column("of it subsidy", Form.COINS),
            Column("fees", Form.COINS),
        ),
        rows=tuple(
            (
                str(row.month),
                *(getattr(row.coins, name) for name in columns),
                row.subsidy_coins,
                row.fee_coins,
            )
            for row in forecast.months
        ),
        note=_CHANCE,
    )


def _words(name: str) -> str:
    return name if name == "mean" else f"{name[1:]} % less"


def fine_table(rows: Sequence[BucketForecast], what: str) -> Table:
    """Coins by day or by retarget period."""
    form = coins_form(row.coins.p10 for row in rows)
    return Table(
        title=f"Coins by {what}",
        columns=(
            Column(what),
            Column("P10 coins", form),
            Column("P50 coins", form),
            Column("P90 coins", form),
            Column("mean coins", form),
            Column("sum P10", form),
            Column("sum P50", form),
            Column("difficulty T", Form.COINS),
        ),
        rows=tuple(
            (
                row.label,
                row.coins.p10,
                row.coins.p50,
                row.coins.p90,
                row.coins.mean,
                row.cumulative.p10,
                row.cumulative.p50,
                row.difficulty.p50 / 1e12,
            )
            for row in rows
        ),
        note=_CHANCE,
    )


def waterfall_table(found: Waterfall, before: str, after: str) -> Table:
    """What drives the change from one version to another."""
    return Table(
        title=f"From {before} to {after}: expected coins of {found.months} months from {found.first}",
        columns=(Column("driver"), Column("coins", Form.COINS8)),
        rows=(
            (before, float(found.before)),
            *((driver.name, float(driver.coins)) for driver in found.drivers),
            (after, float(found.after)),
        ),
        note="One after the other, in this order; the sum is exact.",
    )


def versions_table(rows: Iterable[tuple[str, str, str, str, str]]) -> Table:
    """Every version: id, as of, source, status, hash."""
    heads = ("version", "as of", "source", "status", "hash")
    return Table(
        title="Forecast versions",
        columns=tuple(Column(head) for head in heads),
        rows=tuple(rows),
        note="Hedging refers to the last approved version.",
    )


def scores_table(rows: Sequence[Score], title: str) -> Table:
    """Models against history."""
    return Table(
        title=title,
        columns=(
            Column("model"),
            Column("days", Form.WHOLE),
            Column("origins", Form.WHOLE),
            Column("bias", Form.SHARE),
            Column("MAPE", Form.SHARE),
            Column("pinball", Form.SHARE2),
            Column("CRPS", Form.SHARE2),
            Column("independent windows", Form.TENTHS),
            Column("80 % band covers", Form.SHARE),
            Column("90 % interval"),
        ),
        rows=tuple(
            (
                row.model,
                row.days,
                row.origins,
                row.bias,
                row.mape,
                row.pinball,
                row.crps,
                row.independent,
                row.coverage,
                f"{row.coverage_low:.0%}-{row.coverage_high:.0%}"
                + (" rejects 80 %" if row.rejected else ""),
            )
            for row in rows
        ),
        note=(
            "Shares of what was realised. Origins two weeks apart share most of their windows: the interval "
            "is Wilson's on the windows that do not overlap."
        ),
    )


def gains_table(rows: Sequence[Gain], title: str) -> Table:
    """Pinball loss below a baseline's, with what can be said of it."""
    return Table(
        title=title,
        columns=(
            Column("model"),
            Column("days", Form.WHOLE),
            Column("origins", Form.WHOLE),
            Column("independent windows", Form.TENTHS),
            Column("gain", Form.SHARE),
            Column("5 % point", Form.SHARE),
            Column("95 % point", Form.SHARE),
            Column("told from chance"),
        ),
        rows=tuple(
            (
                row.model,
                row.days,
                row.origins,
                row.independent,
                row.gain,
                row.gain_low,
                row.gain_high,
                "yes" if row.shown else "no",
            )
            for row in rows
        ),
        note=(
            "Share by which the loss is below the baseline's; the interval is Student's, with "
            "windows correlated by what they share. Fewer than three independent windows say little."
        ),
    )


def skill_table(rows: Sequence[Skill]) -> Table:
    """Pinball loss over a baseline's, by year of origin."""
    years = sorted({row.year for row in rows})
    days = sorted({row.days for row in rows})
    found = {(row.year, row.days): row.ratio for row in rows}
    baseline = rows[0].baseline if rows else "none"
    return Table(
        title=f"Skill over time: our pinball loss over that of {baseline}",
        columns=(Column("origins of"), *(Column(f"{day} days", Form.RATIO) for day in days)),
        rows=tuple((str(year), *(found.get((year, day)) for day in days)) for year in years),
        note="Below 1 is better.",
    )


def accuracy_table(rows: Sequence[LeadAccuracy]) -> Table:
    """Past forecasts by how far ahead they looked."""
    return Table(
        title="Accuracy of past forecasts",
        columns=(
            Column("months ahead", Form.WHOLE),
            Column("forecasts", Form.WHOLE),
            Column("bias", Form.SHARE),
            Column("MAPE", Form.SHARE),
            Column("80 % band covers", Form.SHARE),
        ),
        rows=tuple((row.lead, row.count, row.bias, row.mape, row.coverage) for row in rows),
        note="Approved versions. Shares of the coins that were mined; whole months only.",
    )


def payouts_table(rows: Sequence[PayoutMonth]) -> Table:
    """What a hashrate should have earned against what was paid for it."""
    unit, hashes = hashrate_unit(one for row in rows for one in (row.hashrate_hs, row.planned_hs))
    form = coins_form(one for row in rows for one in (row.expected, row.paid))
    return Table(
        title="The pool's payouts",
        columns=(
            Column("month"),
            Column("payouts", Form.WHOLE),
            Column("days", Form.WHOLE),
            Column(unit, Form.COINS),
            Column(f"planned {unit}", Form.COINS),
            Column("expected coins", form),
            Column("paid coins", form),
            Column("difference", Form.SHARE2),
            Column("luck, one sd", Form.SHARE2),
        ),
        rows=tuple(
            (
                str(row.month),
                float(row.payouts),
                float(row.days),
                row.hashrate_hs / hashes,
                row.planned_hs / hashes,
                row.expected,
                row.paid,
                row.difference,
                row.luck_sd,
            )
            for row in rows
        ),
        note=(
            "Each payout with the hashrate of the days since the one before. Expected from the realised "
            "difficulty. Luck is the pool's where it pays by blocks found; with FPPS a difference is fees or "
            "the pool's."
        ),
    )
