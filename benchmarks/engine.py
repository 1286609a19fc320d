"""The scenario engine and wholesale prices against numpy, JAX and QuantLib, all in one run."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib import import_module
from typing import Any

import numpy as np
from baselines import jax_lean, jax_paths, numpy_on_two
from measure import best, line

from headframe.chain import chain_of, latest, retargets
from headframe.codec import read_settings
from headframe.counterparty import CollateralTerms
from headframe.desk.workspace import sample_file
from headframe.instrument import parse_instrument
from headframe.market import sample_market
from headframe.mining import estimate, start_of
from headframe.numerics import threads
from headframe.pricing import price_wholesale, surface_of
from headframe.risk import (
    Engine,
    HedgedLeg,
    Ladder,
    NettingSet,
    Programme,
    hedge_of,
    ladder,
    prepare,
    run,
)
from headframe.risk.hedged import Hedge, no_hedge
from headframe.risk.margin import rule_set

PATHS, DAYS = 100_000, 365
MARKET = sample_market()
SURFACE = surface_of(MARKET)
EXPIRIES = ("28AUG26", "25SEP26", "30OCT26", "25DEC26", "26MAR27", "25JUN27")


def median(work: Callable[[], object], rounds: int = 3) -> float:
    """Median seconds, after a call that is not counted."""
    work()
    return best(work, rounds)


def wholesale() -> None:
    """Black-76 price, delta and vega: ours, chunked numpy on two threads, QuantLib's loop."""
    draw = np.random.default_rng(3)
    n = 1_000_000
    table = np.array([
        np.where(draw.random(n) < 0.5, 1.0, -1.0), draw.uniform(5e4, 1e5, n), draw.uniform(4e4, 1.2e5, n),
        draw.uniform(0.2, 1.2, n), draw.uniform(0.01, 1.5, n), draw.uniform(0.9, 1.0, n),
    ])  # fmt: skip
    out = np.empty((3, n))
    kernel = import_module("headframe.pricing.kernels").price_delta_vega
    ours = n / median(lambda: kernel(table, out), 9)
    with threads(1):
        single = n / median(lambda: kernel(table, out), 9)
    ndtr = import_module("scipy.special").ndtr
    pool = import_module("concurrent.futures").ThreadPoolExecutor(2)

    def chunk(at: int) -> None:
        side, f, k, sigma, t, df = table[:, at : at + 4_096]
        s = sigma * np.sqrt(t)
        d1 = np.log(f / k) / s + 0.5 * s
        n1, n2 = ndtr(side * d1), ndtr(side * (d1 - s))
        out[0, at : at + 4_096] = df * side * (f * n1 - k * n2)
        out[1, at : at + 4_096] = df * side * n1
        out[2, at : at + 4_096] = df * f * np.exp(-0.5 * d1 * d1) * 0.3989422804014327 * np.sqrt(t)

    numpy = n / median(lambda: list(pool.map(chunk, range(0, n, 4_096))), 5)
    few = table[:, :20_000].T.tolist()
    ql: Any = import_module("QuantLib")

    def quantlib() -> None:
        for side, f, k, sigma, t, df in few:
            kind = ql.Option.Call if side > 0 else ql.Option.Put
            one = ql.BlackCalculator(ql.PlainVanillaPayoff(kind, k), f, sigma * t**0.5, df)
            _ = one.value(), one.deltaForward(), one.vega(t)

    loop = len(few) / median(quantlib, 3)
    line(
        "Black-76 price, delta, vega, two threads",
        f"{ours / 1e6:.0f} M/s",
        f"{ours / numpy:.1f} x chunked numpy and ndtr on two threads, {ours / loop:.0f} x QuantLib's loop",
        "150 M/s, 3.5 x, 400 x",
    )
    line("  on one thread", f"{single / 1e6:.0f} M/s", f"{ours / single:.2f} x on two", "(none)")
    checked = n / median(lambda: price_wholesale(table), 5)
    line("  with its checks of every row", f"{checked / 1e6:.0f} M/s", "", "(none)")


def programme(hedge: Hedge, months: int = 12, kind: Ladder = Ladder.HESTON_JUMPS) -> Programme:
    """The sample mine with a hedge."""
    settings = read_settings(sample_file("headframe.toml"))
    history = (*retargets(), latest())
    chain = chain_of("BTC")
    return Programme(
        as_of=MARKET.as_of,
        months=months,
        operation=settings.operation,
        start=start_of(chain, history, estimate(history)),
        surface=SURFACE,
        model=ladder(kind, SURFACE),
        hedge=hedge,
        opening=(1e7, 5e6, 0.0, 30.0),
    )


def legs(count: int) -> Hedge:
    """So many legs by expiry: collars with two dealers and a future at the venue."""
    terms = CollateralTerms(
        threshold_usd=1e6, minimum_transfer_usd=1e5, rounding_usd=1e4, independent_share=0.05, haircut=0.0
    )  # fmt: skip
    sets = (
        NettingSet(name="venue", venue=rule_set(date(2026, 8, 22))[0]),
        NettingSet(name="a", terms=terms),
        NettingSet(name="b", terms=terms),
    )
    found: list[HedgedLeg] = []
    for step in range(count):
        expiry, turn = EXPIRIES[step % 6], step // 6
        if turn % 4 == 3:
            name, amount, netting = f"BTC-{expiry}", -500_000.0, "venue"
        else:
            strike, amount = (70_000 + 1_000 * turn, 20.0) if turn % 2 == 0 else (88_000, -20.0)
            name = f"BTC-{expiry}-{strike}-{'P' if turn % 2 == 0 else 'C'}"
            netting = "a" if step % 2 else "b"
        found.append(
            HedgedLeg(
                instrument=parse_instrument(name), amount=amount, entry=78_000.0, netting=netting,
                margined=20.0 if amount < 0 else 0.0,
            )
        )  # fmt: skip
    return hedge_of(found, sets, MARKET.as_of)


def paths_of(engine: Engine, count: int) -> None:
    """Prices, variance, basis, difficulty and coins of so many paths, nothing else."""
    made = import_module("headframe.risk.engine")
    block = made.abreast()
    room = made.Room.of(engine, block)
    for first in range(0, count, block):
        engine.paths(7, first, room.walked)
        engine.mine.fill(
            7, first, room.walked, (room.coins, room.fees, room.power, np.empty((0, 0)))
        )


def prices_of(engine: Engine, count: int) -> None:
    """Prices, variance and basis of so many paths alone."""
    made = import_module("headframe.risk.engine")
    block = made.abreast()
    room = made.Room.of(engine, block)
    for first in range(0, count, block):
        engine.paths(7, first, room.walked)


def joint_paths() -> None:
    """Joint paths against the best chunked numpy and JAX."""
    engine = prepare(programme(no_hedge()))
    ours = median(lambda: paths_of(engine, PATHS), 5)
    numpy = min(median(lambda c=c: numpy_on_two(PATHS, c), 1) for c in (2_048, 4_096, 8_192))
    words = f"{numpy / ours:.1f} x chunked numpy on two threads ({numpy:.2f} s)"
    asked = "5 x, 12 x"
    line("joint paths, 100,000 x a year, production in", f"{ours:.3f} s", words, asked)
    try:
        whole = min(median(jax_paths(PATHS, chunk), 3) for chunk in (2_048, 4_096, 12_500))
        lean = median(jax_lean(PATHS), 3)
    except ImportError:
        line("  against JAX", "", "JAX is not installed here", asked)
    else:
        words = f"and {lean / ours:.1f} x a walk of its own that keeps no path ({lean:.2f} s)"
        line(
            "  against JAX, double precision", f"{whole / ours:.1f} x ({whole:.2f} s)", words, asked
        )
    bare = median(lambda: prices_of(engine, PATHS), 5)
    numpy = median(lambda: numpy_on_two(PATHS, 4_096, mining=False), 1)
    line(
        "  price, variance, jumps and basis alone",
        f"{bare:.3f} s",
        f"{numpy / bare:.1f} x chunked numpy on two threads ({numpy:.2f} s)",
        "(none)",
    )


def evaluation() -> None:
    """The whole programme, and its cost by paths, days and legs."""
    made = programme(legs(24))
    laying = median(lambda: prepare(made))
    engine = prepare(made)
    whole = median(lambda: run(engine, paths=PATHS, seed=7))
    worst, rms = engine.marks_error(7)
    notional = 20.0 * 18 * MARKET.index
    line(
        "24 legs, 12 months, 100,000 paths, all in",
        f"{laying + whole:.2f} s",
        f"{laying:.2f} s of it tables; marks off {rms / notional:.4%} rms, {worst / notional:.3%} at worst",
        "2.5 s",
    )
    with threads(1):
        alone = median(lambda: run(engine, paths=PATHS // 4, seed=7), 1) * 4.0
    line("  on one thread", f"{alone:.2f} s", f"{alone / whole:.2f} x two threads", "(none)")
    for count in (25_000, 50_000, 200_000):
        took = median(lambda n=count: run(engine, paths=n, seed=7), 1)
        line(
            f"  {count:,} paths",
            f"{took:.2f} s",
            f"{took / whole * PATHS / count:.2f} of linear",
            "1",
        )
    for months in (3, 6, 24):
        other = prepare(replace(made, months=months))
        took = median(lambda one=other: run(one, paths=PATHS // 2, seed=7), 1) * 2.0
        share = other.calendar.days / engine.calendar.days
        line(f"  {months} months", f"{took:.2f} s", f"{took / whole / share:.2f} of linear", "1")
    for count in (6, 12, 48):
        both = [median(lambda n=count: prepare(programme(legs(n))), 1)]
        other = prepare(programme(legs(count)))
        took = median(lambda one=other: run(one, paths=PATHS // 2, seed=7), 1) * 2.0
        line(
            f"  {count} legs", f"{took:.2f} s", f"and {both[0]:.2f} s laying out", "at most linear"
        )


def memory() -> None:
    """Peak of a run of a million paths, in a process of its own."""
    here = str(import_module("pathlib").Path(__file__).parent)
    script = f"import sys; sys.path.insert(0, {here!r}); import engine; engine.million()"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    peak, took = done.stdout.split()
    line("1,000,000 paths: memory at its peak", f"{peak} MB", f"in {took} s", "500 MB")


def million() -> None:
    """A million paths; prints the peak in MB and the seconds."""
    engine = prepare(programme(legs(24)))
    begun = time.perf_counter()
    run(engine, paths=1_000_000, seed=7)
    took = time.perf_counter() - begun
    status = import_module("pathlib").Path("/proc/self/status").read_text()
    peak = next(row for row in status.splitlines() if row.startswith("VmHWM")).split()[1]
    print(f"{int(peak) / 1024:.0f} {took:.1f}")


def main() -> None:
    """Every figure."""
    wholesale()
    joint_paths()
    evaluation()
    memory()


if __name__ == "__main__":
    main()
