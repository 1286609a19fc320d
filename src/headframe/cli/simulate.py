"""simulate: the scenario engine on the workspace as it stands."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from headframe.cli.frame import MODELS, Call, Figure, Whole, command
from headframe.cli.progress import bar

if TYPE_CHECKING:
    from headframe.desk.simulation import Runner, Simulation
    from headframe.risk import DailyPaths


@click.command()
@click.option("--paths", type=Whole(1, 10_000_000), default=20_000, show_default=True)
@click.option("--seed", type=Whole(0, 2**63 - 1), help="The workspace's own where it is not given.")
@click.option("--threads", type=Whole(1, 1_024), help="At most so many; the figures never change.")
@click.option(
    "--cluster", metavar="URL", help="A Dask scheduler, tcp://host:port; extra `cluster`."
)
@click.option("--model", type=click.Choice(MODELS), default="bootstrap", show_default=True)
@click.option("--months", type=Whole(1, 36), default=12, show_default=True)
@click.option(
    "--hedge",
    "scope",
    type=click.Choice(["on", "plan", "none"]),
    default="on",
    show_default=True,
    help="The trades on; those and the last plan's open proposals; none.",
)
@click.option("--covenant", type=Figure(), default=0.0, help="Liquidity a lender asks for, USD.")
@click.option(
    "--move", "moves", type=Figure(), multiple=True, help="A scenario of your own: -0.35."
)
@click.option(
    "--results", type=click.Path(path_type=Path), help="Write every path's results (.npz)."
)
@click.option(
    "--daily", type=click.Path(path_type=Path), help="Write the first paths whole, by day (.npz)."
)
@click.option(
    "--daily-paths", type=Whole(1, 10_000), default=1_000, show_default=True, help="Of --daily."
)
@command
def simulate(
    call: Call,
    *,
    paths: int,
    seed: int | None,
    threads: int | None,
    cluster: str | None,
    model: str,
    months: int,
    scope: str,
    covenant: float,
    moves: tuple[float, ...],
    results: Path | None,
    daily: Path | None,
    daily_paths: int,
) -> None:
    """Price, difficulty, coins, hedge, margin and cash on one set of paths, and the stress list.

    The same paths and seed give the same result_sha256, on any number of threads or workers.
    """
    from math import isfinite

    from headframe.desk import simulation
    from headframe.risk import Ladder
    from headframe.units import Wrong

    if not isfinite(covenant) or not all(isfinite(one) and -1.0 < one <= 20.0 for one in moves):
        raise Wrong("--covenant is an amount in USD, --move lies above -1 and up to 20")
    for option, named in (("--results", results), ("--daily", daily)):
        if named is not None and (named.suffix != ".npz" or not named.parent.is_dir()):
            raise Wrong(
                f"{option} names an .npz file in a folder that exists, was {str(named)[:60]!r}"
            )
    if results is not None and daily is not None and results.resolve() == daily.resolve():
        raise Wrong(f"--results and --daily name one file, {daily.name}: give each its own")
    asked = simulation.Asked(
        kind=Ladder(model),
        months=months,
        paths=paths,
        seed=seed,
        thread_count=threads,
        covenant_usd=covenant,
        moves=moves,
        hedge=simulation.Scope(scope),
    )
    office = call.office()
    with bar("simulating") as told:
        runner = None if cluster is None else _runner(cluster)
        found = simulation.simulate(office, asked, runner=runner, progress=told)
    if results is not None:
        _write(results, found)
        call.talk(f"wrote {results.name}: {paths:,} paths")
    if daily is not None:
        few = min(daily_paths, paths)
        _write_daily(daily, simulation.daily(found, few))
        call.talk(f"wrote {daily.name}: {few:,} paths of {found.engine.calendar.days} days")
    _answer(call, found)


def _runner(cluster: str) -> "Runner":
    from headframe.cluster import on_cluster

    return on_cluster(cluster)


def _write(path: Path, found: "Simulation") -> None:
    from headframe.numerics import np

    np.savez(path, results=found.results, columns=np.array(_columns(found)))


def _write_daily(path: Path, found: "DailyPaths") -> None:
    from headframe.numerics import np

    at = np.array([one.isoformat() for one in found.at])
    np.savez(path, at=at, **found.arrays())  # type: ignore[arg-type]  # savez's own flag is no name of ours


def _columns(found: "Simulation") -> list[str]:
    months = [str(row.month) for row in found.summary.months]
    parts = ("coins", "cash_unhedged_usd", "cash_hedged_usd")
    return [*found.summary.figures, *(f"{m} {part}" for part in parts for m in months)]


def _answer(call: Call, found: "Simulation") -> None:
    from headframe.desk.simulation import LIQUIDITY_DAYS
    from headframe.report import (
        liquidity_table,
        simulation_figures_table,
        simulation_months_table,
        stresses_table,
    )

    engine, made = found.engine, found.programme
    call.answer(
        "simulate",
        _simulated(found),
        f"{found.summary.paths:,} paths of {engine.calendar.days} days from "
        f"{made.as_of:%Y-%m-%d}, seed {found.seed}: {made.model.words}",
        simulation_months_table(found.summary),
        simulation_figures_table(found.summary),
        stresses_table("Scenarios", found.courses),
        stresses_table("Stresses", found.stresses),
        liquidity_table(
            found.liquidity,
            found.simulated,
            found.peak,
            vol=found.liquidity_vol,
            days=LIQUIDITY_DAYS,
        ),
        *_closing_lines(found),
    )


def _simulated(found: "Simulation") -> dict[str, Any]:
    """The answer as JSON."""
    from headframe.codec import to_json
    from headframe.desk.simulation import LIQUIDITY_CONFIDENCE, LIQUIDITY_DAYS, model_numbers

    engine, made = found.engine, found.programme
    marks = {"worst_usd": found.marks_worst_usd, "rms_usd": found.marks_rms_usd}
    return {
        "paths": found.summary.paths,
        "seed": found.seed,
        "as_of": to_json(made.as_of),
        "days": engine.calendar.days,
        "legs": len(made.hedge.legs),
        "model": model_numbers(made),
        "result_sha256": found.sha256,
        "notes": list(found.notes),
        "marks_error": marks,
        "summary": to_json(found.summary),
        "quantile_levels": list(_levels()),
        "stresses": to_json(found.stresses),
        "scenarios": to_json(found.courses),
        "liquidity_at_risk": {
            "days": LIQUIDITY_DAYS,
            "confidence": LIQUIDITY_CONFIDENCE,
            "vol": found.liquidity_vol,
            "normal": found.liquidity.normal,
            "lognormal": found.liquidity.lognormal,
            "simulated": {name: to_json(one) for name, one in found.simulated.items()},
        },
        "peak_variation": {
            "days": LIQUIDITY_DAYS,
            "model": found.peak.model,
            "vol": found.peak.vol,
            "share": to_json(found.peak.share),
        },
    }


def _closing_lines(found: "Simulation") -> tuple[str, ...]:
    """What stands below the tables: how exact the marks are, what the inputs leave open, the hash."""
    return (
        (
            f"{len(found.programme.hedge.legs)} legs on; interpolated marks differ from exact ones by "
            f"{found.marks_rms_usd:,.0f} USD (root mean square), {found.marks_worst_usd:,.0f} at worst"
        ),
        *(f"note: {note}" for note in found.notes),
        f"result_sha256 {found.sha256}",
    )


def _levels() -> tuple[float, ...]:
    from headframe.risk import LEVELS

    return LEVELS
