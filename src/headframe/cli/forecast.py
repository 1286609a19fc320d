"""forecast: the production forecast as a controlled document, and its proof against history."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headframe.cli.frame import Call, Instant, Whole, command

if TYPE_CHECKING:
    from headframe.mining import Outcome

_MONTHS = click.option("--months", type=Whole(1, 36), default=12, show_default=True)
_PATHS = click.option("--paths", type=Whole(100, 1_000_000), default=20_000, show_default=True)


@click.group(invoke_without_command=True)
@_MONTHS
@_PATHS
@click.option(
    "--explain",
    is_flag=True,
    help="Also every percentile, the drivers with their standard errors, risks, changes, hashprice.",
)
@click.option("--by", type=click.Choice(["month", "day", "retarget"]), default="month")
@command
def forecast(call: Call, months: int, paths: int, explain: bool, by: str) -> None:
    """Coins by month: P10 (10 % chance of less), P50, P90, alone and summed."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    from headframe.cli.progress import bar
    from headframe.codec import to_json
    from headframe.desk import history, production
    from headframe.report import (
        bands_table,
        drivers_table,
        fine_table,
        forecast_table,
        machines_table,
        natural_table,
        risks_table,
        waterfall_table,
    )

    office = call.office()
    if by != "month":
        rows = production.by(office, by, months=months, paths=paths)
        call.answer(
            "forecast-by", {"by": by, "rows": [to_json(row) for row in rows]}, fine_table(rows, by)
        )
        return
    with bar("forecast") as moved:
        version = production.make(office, months=months, paths=paths, progress=moved)
    made = version.forecast
    shown: list[object] = [forecast_table(made, version.id)]
    body: dict[str, Any] = {**to_json(made), "version": _said(version)}
    if explain:
        settings = office.settings()
        fees = history.fee_estimate(office.files, settings)
        changed = production.changes(office, version)
        shown += [bands_table(made), drivers_table(made, fees), risks_table(made)]
        shown += [natural_table(made)] if made.natural else []
        if changed is not None:
            body["changes"] = to_json(changed)
            shown.append(waterfall_table(changed, "last approved", version.id))
        price = office.market().index
        shown.append(machines_table(settings.operation, made, price))
    shown.append(f"{version.id}: {version.status}; hash {version.sha256}")
    call.answer("forecast", body, *shown)


def _said(version: Any) -> dict[str, Any]:  # noqa: ANN401 - the desk is imported late
    from headframe.units import iso

    return {
        "id": version.id,
        "at": iso(version.at),
        "sha256": version.sha256,
        "prepared_by": version.prepared_by,
        "approved_by": version.approved_by,
        "source": version.source,
    }


@forecast.command()
@click.argument("version")
@command
def approve(call: Call, version: str) -> None:
    """Approve VERSION (--as APPROVER, who must not be its preparer): hedging refers to it from then on."""
    from headframe.desk import production

    held = production.approve(call.office(), version)
    call.answer("forecast-version", _said(held), f"{held.id}: {held.status}; hash {held.sha256}")


@forecast.command(name="list")
@command
def list_versions(call: Call) -> None:
    """Every version: who prepared and approved it, and its hash."""
    from headframe.report import versions_table
    from headframe.units import iso

    versions = call.office().state().versions.values()
    rows = tuple((v.id, iso(v.at), v.source, v.status, v.sha256[:16]) for v in versions)
    call.answer(
        "forecast-versions", {"versions": [_said(v) for v in versions]}, versions_table(rows)
    )


@forecast.command()
@click.argument("version", required=False)
@click.option("--since", "old", help="The version to compare with (default: the last approved).")
@command
def changes(call: Call, version: str | None, old: str | None) -> None:
    """What drives the change to VERSION (default: the last), as a waterfall that adds up exactly."""
    from headframe.codec import to_json
    from headframe.desk import production
    from headframe.desk.ports import NotFound
    from headframe.report import waterfall_table

    office = call.office()
    new = production.version_of(office.state(), version)
    found = production.changes(office, new, old)
    if found is None:
        raise NotFound(f"no version before {new.id} is approved; name one with --since")
    shown = waterfall_table(found, old or "last approved", new.id)
    call.answer("forecast-changes", to_json(found), shown)


@forecast.command()
@command
def accuracy(call: Call) -> None:
    """How good approved forecasts were, by lead month: bias, MAPE, coverage of the 80 % band."""
    from headframe.codec import to_json
    from headframe.desk import production
    from headframe.mining import accuracy as measured
    from headframe.report import accuracy_table

    office = call.office()
    state = office.state()
    mined = production.mined_by_month(state, office.settings().operation.coin)
    approved = [v.forecast for v in state.versions.values() if v.approved_by is not None]
    rows = measured(approved, mined)
    body = {
        "rows": [to_json(row) for row in rows],
        "mined": {str(month): coins for month, coins in mined.items()},
    }
    call.answer("forecast-accuracy", body, accuracy_table(rows))


@forecast.command(name="export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--version", "name", help="Which version (default: the last).")
@command
def export_forecast(call: Call, file: Path, name: str | None) -> None:
    """Write a version to FILE, CSV or XLSX by its ending."""
    from headframe.desk import production
    from headframe.feed import write_table
    from headframe.report import forecast_rows

    held = production.version_of(call.office().state(), name)
    rows = forecast_rows(held.forecast)
    write_table(file, rows)
    call.answer(
        "forecast-export",
        {"file": str(file), "version": held.id, "rows": len(rows) - 1},
        f"{held.id} written to {file}: {len(rows) - 1} months",
    )


@forecast.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--map", "mapping", multiple=True, help="FIELD=COLUMN, such as p50='Base case'; remembered."
)
@click.option("--sheet", help="XLSX: which sheet (default: the first).")
@click.option("--dry-run", is_flag=True, help="Only the preview: n new, n updated, n unchanged.")
@command
def import_forecast(
    call: Call, file: Path, mapping: tuple[str, ...], sheet: str | None, dry_run: bool
) -> None:
    """Read coins by month from FILE (CSV, XLSX) as a new version, to be approved like any other."""
    from headframe.desk import exchange
    from headframe.feed import read_table

    office = call.office(dry_run=dry_run)
    chosen = exchange.chosen_columns(mapping)
    found = exchange.preview(office, read_table(file, sheet), chosen, file.name)
    counts = {
        "new": found.new,
        "updated": found.updated,
        "unchanged": found.unchanged,
        "missing": found.missing,
    }
    said = ", ".join(f"{count} {word}" for word, count in counts.items())
    body: dict[str, Any] = {**counts, "columns": found.columns, "version": None}
    lines = [f"{file.name}: {said}"]
    if not dry_run:
        held = exchange.take(office, found)
        body["version"] = held.id
        lines.append(f"{held.id}: {held.status}; hash {held.sha256}")
    call.answer("forecast-import", body, *lines)


@forecast.command()
@click.option(
    "--history",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV with height, time, bits (default: the history carried).",
)
@click.option("--coin", default="BTC", show_default=True)
@click.option("--from", "since", type=Instant(), default="2019-01-01", show_default=True)
@click.option("--paths", type=Whole(100, 100_000), default=2_000, show_default=True)
@click.option(
    "--tried",
    is_flag=True,
    help="Also what was tried, and what choosing among it anew at each origin would have given.",
)
@command
def backtest(
    call: Call, file: Path | None, coin: str, since: datetime, paths: int, tried: bool
) -> None:
    """Our forecast and the habits it must beat, from every retarget on, with nothing known but the past."""
    from headframe.chain import chain_of
    from headframe.cli.mining import past_of
    from headframe.cli.progress import bar
    from headframe.codec import to_json
    from headframe.mining import candidates, makers, run

    chain = chain_of(coin)
    past = past_of(call, chain, file)
    with bar("back-test") as moved:
        found = run(past, chain, since=since, models=makers(), paths=paths, progress=moved)
        lost: tuple[Outcome, ...] = ()
        if tried:
            lost = run(past, chain, since=since, models=candidates(), paths=paths, progress=moved)
    title = f"{chain.coin} per EH/s at a constant subsidy of 3.125, origins from {since:%Y-%m-%d}"
    body, tables = _back_tested(found, lost, title)
    call.answer("backtest", {"from": to_json(since), "to": to_json(past[-1].at), **body}, *tables)


def _back_tested(
    found: "tuple[Outcome, ...]", lost: "tuple[Outcome, ...]", title: str
) -> tuple[dict[str, Any], list[Any]]:
    """The scores of a back-test as JSON and as tables."""
    from headframe.codec import to_json
    from headframe.mining import CHOSEN_BEFORE, gains, scores, skill, unseen
    from headframe.report import gains_table, scores_table, skill_table

    whole, early = scores(found), scores(found, before=CHOSEN_BEFORE)
    late, years = unseen(found), skill(found)
    clean, gained = scores(late), (*gains(found), *gains(late))
    count = len(gains(found))
    as_chosen = _as_chosen(lost)
    lost_scores = (*scores(lost, before=CHOSEN_BEFORE), *scores(as_chosen))
    body = {
        "all": [_scored(row) for row in whole],
        "origins_before_2023": [_scored(row) for row in early],
        "without_overlap": [_scored(row) for row in clean],
        "gains_all": [_gained(row) for row in gained[:count]],
        "gains_without_overlap": [_gained(row) for row in gained[count:]],
        "skill": [to_json(row) for row in years],
        "tried": [_scored(row) for row in scores(lost, before=CHOSEN_BEFORE)],
        "chosen_as_it_went": [_scored(row) for row in scores(as_chosen)],
    }
    tables = [
        scores_table(whole, title),
        scores_table(early, "Origins before 2023, which chose the single windows"),
        scores_table(clean, "Origins whose whole window lies after every outcome that choice saw"),
        gains_table(gained[:count], "All origins: pinball loss below that of trailing 52"),
        gains_table(gained[count:], "Without overlap: pinball loss below that of trailing 52"),
        skill_table(years),
    ]
    if lost_scores:
        tables.append(
            scores_table(lost_scores, "Tried on origins before 2023, then chosen as it went")
        )
    return body, tables


def _as_chosen(lost: "tuple[Outcome, ...]") -> "tuple[Outcome, ...]":
    """What choosing among the single windows at each origin gave, the drift as known and with its error."""
    from headframe.mining import CHOSEN, WITH_ERROR, chosen_as_it_went

    single = [one for one in lost if one.model.startswith("drift")]
    known = [one for one in single if not one.model.endswith(WITH_ERROR)]
    strays = [one for one in single if one.model.endswith(WITH_ERROR)]
    return (*chosen_as_it_went(known), *chosen_as_it_went(strays, CHOSEN + WITH_ERROR))


def _gained(row: Any) -> dict[str, Any]:  # noqa: ANN401 - the core is imported late
    from headframe.codec import to_json

    return {**to_json(row), "told_from_chance": row.shown}


def _scored(row: Any) -> dict[str, Any]:  # noqa: ANN401 - the core is imported late
    from headframe.codec import to_json

    return {**to_json(row), "coverage_rejected": row.rejected}
