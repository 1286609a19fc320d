"""Speed and memory as ratios against named baselines, measured in the same run.

Run with ``make bench``. Each line says what was measured, the figure, the baseline and the ratio,
and the target it is held to; nothing here is a test, because a busy machine is not a bug.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import apsw
import engine
import numpy as np
import QuantLib as ql  # noqa: N813 - as everybody writes it
from measure import best, line

import book
import desk
import lifecycle
from headframe.chain import chain_of, latest, retargets
from headframe.codec import Settings, read_settings
from headframe.desk.fold import fold
from headframe.desk.ports import Draft
from headframe.desk.state import State
from headframe.desk.workspace import sample_file
from headframe.mining import (
    KNOWN_MACHINES,
    Batch,
    Forecast,
    Operation,
    estimate,
    forecast,
    lognormal_prices,
    makers,
    run,
    start_of,
)
from headframe.pricing import black76, price_batch
from headframe.pricing.kernels import implied_rows, price_rows
from headframe.store import SqliteJournal
from headframe.units import Month

PYTHON = sys.executable
PLAIN = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
AT = datetime(2026, 8, 22, tzinfo=UTC)
SINCE = datetime(2019, 1, 1, tzinfo=UTC)


def process(*arguments: str) -> float:
    """Median seconds of a whole process."""

    def once() -> None:
        subprocess.run([PYTHON, *arguments], check=True, stdout=subprocess.DEVNULL, env=PLAIN)

    once()
    return best(once, 7)


def start_up(demo: Path) -> None:
    """--help and reading commands against a bare interpreter."""
    bare = process("-c", "pass")
    script = str(Path(PYTHON).with_name("headframe"))
    shown = process(script, "--help")
    line(
        "headframe --help",
        f"{shown:.3f} s",
        f"{shown / bare:.1f} x python -c pass ({bare:.3f} s)",
        "5 x and 0.15 s",
    )
    for command in (("mandate", "show"), ("trades",), ("pnl",), ("watch", "--once")):
        spent = process(script, *command, "--workspace", str(demo))
        name = f"headframe {' '.join(command)}"
        line(name, f"{spent:.3f} s", f"{spent / bare:.1f} x python -c pass", "0.35 s")


def whole_demo(folder: Path) -> None:
    """The demo after set-up: wall time and peak memory of its process."""
    subprocess.run(
        [PYTHON, "-m", "headframe", "demo", str(folder / "warm")],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    start = time.perf_counter()
    subprocess.run(
        [PYTHON, "-m", "headframe", "demo", str(folder / "demo")],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    spent = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    line("headframe demo", f"{spent:.1f} s", f"peak {peak:.0f} MB", "20 s and 400 MB")


def twenty_types(*, curtails: bool) -> Operation:
    """The sample mine with twenty types of machine, its sites curtailing or not."""
    found = read_settings(sample_file("headframe.toml"))
    assert isinstance(found, Settings)
    mine = found.operation
    types = [m for m in KNOWN_MACHINES.values() if m.algorithm == "SHA-256"][:20]
    fleet = tuple(
        Batch(site=mine.sites[k % 2].name, machine=m, count=900) for k, m in enumerate(types)
    )
    sites = tuple(replace(site, curtails=curtails) for site in mine.sites)
    return replace(mine, fleet=fleet, sites=sites)


def two_years(operation: Operation, *, priced: bool) -> Forecast:
    """Two years on 100,000 paths, with joint prices or none."""
    past = (*retargets(), latest())
    start = start_of(chain_of("BTC"), past, estimate(past))
    prices = None
    if priced:
        end = Month(2028, 9).start
        prices = lognormal_prices(77_054.0, 0.42, at=AT, until=end, paths=100_000, seed=1)
    return forecast(
        operation, Month(2026, 9), as_of=AT, start=start, prices=prices, months=24, paths=100_000
    )


def peak_of(curtails: bool) -> float:  # noqa: FBT001 - on or off is what is measured
    """Peak memory in MB of a process that makes that forecast once, its kernels compiled before."""
    script = (
        f"import run, resource; run.two_years(run.twenty_types(curtails={curtails}), priced={curtails}); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    found = subprocess.run(
        [PYTHON, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    )
    return float(found.stdout)


def forecasting() -> None:
    """Two years on 100,000 paths after compilation, against plain numpy on as many draws."""
    past = (*retargets(), latest())
    start = start_of(chain_of("BTC"), past, estimate(past))
    model = start.model

    def plain() -> object:
        shocks = np.random.default_rng(1).normal(model.drift, model.noise_sd, (100_000, 68))
        return np.quantile(np.exp(-np.cumsum(shocks, axis=1)), (0.1, 0.5, 0.9), axis=0)

    baseline = best(plain)
    for name, curtails in (("", False), (", curtailing", True)):
        operation = twenty_types(curtails=curtails)
        two_years(operation, priced=curtails)
        spent = best(partial(two_years, operation, priced=curtails))
        words = (
            f"{spent / baseline:.2f} x numpy drawing and sorting; peak {peak_of(curtails):.0f} MB"
        )
        line(
            f"forecast, 24 months x 100,000 x 20 types{name}",
            f"{spent:.2f} s",
            words,
            "1 s, 400 MB",
        )
    history = best(partial(run, past, chain_of("BTC"), since=SINCE, models=makers()), 1)
    line(
        "back-test from 2019, five models",
        f"{history:.1f} s",
        "191 origins x 2,000 paths",
        "(none)",
    )


def journal(folder: Path) -> None:
    """Durable appends against bare SQLite commits of the same rows and against bare fsyncs."""
    rounds = 1_500
    book = SqliteJournal(folder / "journal.db", create=True)
    body = {"postings": [["assets:cash", "USD", "1.00"], ["income:mined", "USD", "-1.00"]]}
    start = time.perf_counter()
    for number in range(rounds):
        book.append([Draft("noted", body)], at=AT, author="me", after=number)
    ours = rounds / (time.perf_counter() - start)
    bare = apsw.Connection(str(folder / "bare.db"))
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
    start = time.perf_counter()
    for number in range(rounds):
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO t VALUES (?, ?)", (number, "x" * 250))
        bare.execute("COMMIT")
    commits = rounds / (time.perf_counter() - start)
    with (folder / "sync").open("wb") as file:
        start = time.perf_counter()
        for _ in range(rounds):
            file.write(b"x" * 250)
            file.flush()
            os.fsync(file.fileno())
    syncs = rounds / (time.perf_counter() - start)
    words = f"{ours / commits:.2f} of bare SQLite commits ({commits:,.0f}/s; {syncs:,.0f} fsyncs/s)"
    line("journal, durable appends", f"{ours:,.0f} /s", words, "500/s and 0.6")


def replay(folder: Path) -> None:
    """Folding 100,000 events from disk, each checked against the chain, against reading the rows."""
    book = SqliteJournal(folder / "long.db", create=True)
    body = {"postings": [["assets:cash", "USD", "1.00"], ["income:mined", "USD", "-1.00"]]}
    events = [Draft("noted", body)] * 1_000
    for block in range(100):
        book.append(events, at=AT + timedelta(hours=block), author="me", after=block * 1_000)
    raw = apsw.Connection(str(folder / "long.db"))
    spent = best(lambda: fold(State(), book.read()), 3)
    baseline = best(lambda: list(raw.execute("SELECT * FROM events")), 3)
    line(
        "replay of 100,000 events",
        f"{spent:.2f} s",
        f"{spent / baseline:.1f} x SELECT * ({baseline:.2f} s)",
        "3 s",
    )


def pricing() -> None:
    """Black-76 with four greeks, a million rows, against QuantLib's calculator and plain Python."""
    draw = np.random.default_rng(3)
    rows = [
        (1.0, False, 77_000.0, float(k), 0.42, 0.4, 1.0)
        for k in draw.uniform(40_000, 140_000, 1_000_000)
    ]
    few = rows[:20_000]
    price_batch(few)
    ours = len(rows) / best(lambda: price_batch(rows), 3)

    def quantlib() -> None:
        for row in few:
            payoff = ql.PlainVanillaPayoff(ql.Option.Call, row[3])
            one = ql.BlackCalculator(payoff, row[2], row[4] * row[5] ** 0.5, 1.0)
            _ = one.value(), one.deltaForward(), one.vega(row[5])

    theirs = len(few) / best(quantlib, 3)
    plain = len(few) / best(lambda: [black76(1.0, r[2], r[3], r[4], r[5], 1.0) for r in few], 3)
    words = (
        f"{ours / theirs:.0f} x QuantLib's loop, {ours / plain:.0f} x our kernel in plain Python"
    )
    line("price, five figures a row", f"{ours:,.0f} /s", words, "(none)")


def implied() -> None:
    """Implied volatilities, a million rows, against QuantLib's fastest solver in a loop."""
    draw = np.random.default_rng(3)
    strikes, vols = draw.uniform(40_000, 140_000, 1_000_000), draw.uniform(0.2, 1.2, 1_000_000)
    years = draw.uniform(0.02, 1.0, 1_000_000)
    kinds = np.where(strikes > 77_000.0, 1.0, -1.0)
    ones = np.ones(1_000_000)
    table = np.array([kinds, 0.0 * ones, 77_000.0 * ones, strikes, vols, years, ones])
    priced = np.empty((1_000_000, 5))
    price_rows(table, priced)
    table[4] = priced[:, 0]
    found, reasons = np.empty(1_000_000), np.empty(1_000_000)
    implied_rows(table, found, reasons)
    ours = 1_000_000 / best(partial(implied_rows, table, found, reasons), 3)
    few = [(float(k), float(p), float(t)) for k, p, t in table[[3, 4, 5], :20_000].T]

    def quantlib() -> None:
        for strike, value, tenor in few:
            kind = ql.Option.Call if strike > 77_000.0 else ql.Option.Put
            deviation = ql.blackFormulaImpliedStdDev(
                kind, strike, 77_000.0, value, 1.0, 0.0, 0.3, 1e-9, 200
            )
            _ = deviation / tenor**0.5

    theirs = len(few) / best(quantlib, 3)
    line(
        "implied volatility",
        f"{ours:,.0f} /s",
        f"{ours / theirs:.0f} x QuantLib's own solver in a loop",
        "5 M/s",
    )


def main() -> None:
    """Every figure, in the order of the README."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole_demo(folder)
        start_up(folder / "demo")
        forecasting()
        journal(folder)
        replay(folder)
        pricing()
        implied()
        engine.main()
        desk.main()
        book.main()
        lifecycle.main()


if __name__ == "__main__":
    main()
