"""The scenario engine and wholesale prices against numpy, JAX and QuantLib, all in one run.

The numpy and JAX paths have the same factors: Heston's variance, jumps of the price, a basis,
difficulty and coins. numpy walks the exact retarget calendar with lagged answers to the price, fees
and uptime by month, but a constant fleet; JAX only a retarget every fourteen days. What they do less
is in their favour.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib import import_module
from typing import Any

import numpy as np
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
    room_of = import_module("headframe.risk.engine").Room.of
    room = room_of(engine, 2_048)
    for first in range(0, count, 2_048):
        engine.paths(7, first, room.walked)
        engine.mine.fill(
            7, first, room.walked, (room.coins, room.fees, room.power, np.empty((0, 0)))
        )


def prices_of(engine: Engine, count: int) -> None:
    """Prices, variance and basis of so many paths alone."""
    room = import_module("headframe.risk.engine").Room.of(engine, 2_048)
    for first in range(0, count, 2_048):
        engine.paths(7, first, room.walked)


def numpy_paths(count: int, chunk: int = 4_096, *, mining: bool = True) -> float:
    """The same in numpy, a block of paths at a time; the fleet a constant one, fees and uptime by month."""
    draw = np.random.Generator(np.random.SFC64(1))
    dt, root, total = 1.0 / 365.0, (1.0 / 365.0) ** 0.5, 0.0
    chance, comp = 4.0 * dt, np.log(1.0 + 4.0 * dt * (np.exp(-0.02 + 0.5 * 0.0064) - 1.0))
    for first in range(0, count, chunk):
        n = min(chunk, count - first)
        x, v, b = np.zeros(n), np.full(n, 0.16), np.zeros(n)
        walked = np.empty((DAYS + 1, n))
        walked[0] = x
        for day in range(DAYS):
            z = draw.standard_normal((4, n))
            jumped = draw.random(n) < chance
            vp = np.maximum(v, 0.0)
            s = np.sqrt(vp) * root
            x += 1e-4 - comp - 0.5 * vp * dt + s * z[0] + jumped * (-0.02 + 0.08 * z[3])
            v += 3.0 * (0.18 - vp) * dt + 1.5 * s * (-0.3 * z[0] + 0.954 * z[1])
            b += -8.0 * dt * b + 0.05 * root * z[2]
            walked[day + 1] = x
            total += float(np.exp(x)[0])
        if mining:
            total += float(numpy_coins(draw, walked).sum())
    return total


def numpy_coins(draw: np.random.Generator, walked: Any) -> Any:
    """Coins by week on the exact retarget calendar, answering the price with thirteen lags."""
    n, edges = walked.shape[1], np.append(np.arange(0, DAYS, 7), DAYS)
    fees = np.exp(0.6 * draw.standard_normal((14, n))) * 0.008
    uptime = np.minimum(1.0 + 0.02 * draw.standard_normal((14, n)), 1.05)
    now, difficulty, noise = np.full(n, -5.0), np.ones(n), np.zeros(n)
    moves, coins, rows = np.zeros((13, n)), np.zeros((len(edges) - 1, n)), np.arange(n)

    def at(when: Any) -> Any:
        place = np.clip(when, 0.0, DAYS - 1e-9)
        low = place.astype(np.int64)
        share = place - low
        return walked[low, rows] * (1.0 - share) + walked[low + 1, rows] * share

    for _ in range(32):
        noise = 0.1 * noise + 0.03 * draw.standard_normal(n)
        turn = 2.0 * np.pi * (now + 14.0) / 365.25
        move = at(now + 7.0) - at(now - 7.0)
        change = 0.012 + noise + 0.01 * np.cos(turn) + 0.01 * np.sin(turn) + 0.05 * move
        change = np.clip(change + 0.02 * moves[:6].sum(0) + 0.01 * moves[6:].sum(0), -1.386, 1.386)
        moves[1:] = moves[:-1].copy()
        moves[0] = move
        end = now + 14.0 * np.exp(-change)
        low, high = np.searchsorted(edges, [now.min(), end.max()])
        for bucket in range(max(int(low) - 1, 0), min(int(high), len(edges) - 1)):
            inside = np.minimum(end, edges[bucket + 1]) - np.maximum(now, edges[bucket])
            month = bucket * 7 // 30
            earned = (1.0 + fees[month]) * uptime[month] / difficulty
            coins[bucket] += np.maximum(inside, 0.0) * earned
        now, difficulty = end, difficulty * np.exp(change)
    return coins


def jax_paths(count: int) -> Callable[[], object]:
    """The same factors in JAX, double precision, one compiled scan; raises ImportError without it."""
    jax: Any = import_module("jax")
    jnp: Any = import_module("jax.numpy")
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 - as the library has it
    dt, root = 1.0 / 365.0, (1.0 / 365.0) ** 0.5

    def step(state: Any, day: Any) -> Any:
        x, v, b, difficulty, noise, coins, then, key = state
        key, one, two, three = jax.random.split(key, 4)
        z = jax.random.normal(one, (4, count), dtype=jnp.float64)
        jumped = jax.random.uniform(two, (count,), dtype=jnp.float64) < 4.0 * dt
        vp = jnp.maximum(v, 0.0)
        s = jnp.sqrt(vp) * root
        x = x + 1e-4 - 0.5 * vp * dt + s * z[0] + jumped * (-0.02 + 0.08 * z[3])
        v = v + 3.0 * (0.18 - vp) * dt + 1.5 * s * (-0.3 * z[0] + 0.954 * z[1])
        b = b - 8.0 * dt * b + 0.05 * root * z[2]

        def turn(_: Any) -> Any:
            fresh = 0.1 * noise + 0.03 * jax.random.normal(three, (count,), dtype=jnp.float64)
            return difficulty * jnp.exp(0.01 + fresh + 0.15 * (x - then)), fresh, x

        def stay(_: Any) -> Any:
            return difficulty, noise, then

        difficulty, noise, then = jax.lax.cond(day % 14 == 0, turn, stay, None)
        coins = coins + 0.06 / difficulty
        return (x, v, b, difficulty, noise, coins, then, key), jnp.exp(x[0])

    @jax.jit
    def walk(key: Any) -> Any:
        zero = jnp.zeros(count)
        state = (zero, zero + 0.16, zero, zero + 1.0, zero, zero, zero, key)
        return jax.lax.scan(step, state, jnp.arange(DAYS))[0][5]

    return lambda: walk(jax.random.PRNGKey(1)).block_until_ready()


def joint_paths() -> None:
    """Joint paths against the best chunked numpy and JAX."""
    engine = prepare(programme(no_hedge()))
    ours = median(lambda: paths_of(engine, PATHS))
    few = 20_000
    numpy = min(median(lambda c=c: numpy_paths(few, c), 1) for c in (2_048, 8_192)) * PATHS / few
    try:
        jax = median(jax_paths(PATHS), 3)
        words = f"{numpy / ours:.1f} x chunked numpy ({numpy:.2f} s), {jax / ours:.1f} x JAX ({jax:.2f} s)"
    except ImportError:
        words = f"{numpy / ours:.1f} x chunked numpy ({numpy:.2f} s); JAX is not installed here"
    line("joint paths, 100,000 x a year, production in", f"{ours:.2f} s", words, "5 x, 12 x")
    bare = median(lambda: prices_of(engine, PATHS))
    numpy = median(lambda: numpy_paths(few, 2_048, mining=False), 1) * PATHS / few
    line(
        "  price, variance, jumps and basis alone",
        f"{bare:.2f} s",
        f"{numpy / bare:.1f} x chunked numpy ({numpy:.2f} s)",
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
