"""Joint paths as numpy and JAX would have them, to be held against the engine's.

The same factors: Heston's variance, jumps of the price, a basis, difficulty and coins by week, on the
exact retarget calendar with lagged answers to the price, fees and uptime by month; a constant fleet
where the engine's has batches to come, which is in their favour.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import numpy as np

DAYS = 365
DT, ROOT = 1.0 / 365.0, (1.0 / 365.0) ** 0.5
EDGES = np.append(np.arange(0, DAYS, 7), DAYS).astype(float)


def numpy_on_two(count: int, chunk: int, *, mining: bool = True) -> float:
    """The same in numpy, a block of paths at a time on each of two threads."""
    with ThreadPoolExecutor(2) as pool:
        half = [pool.submit(numpy_paths, count // 2, chunk, seed, mining=mining) for seed in (1, 2)]
        return sum(one.result() for one in half)


def numpy_paths(count: int, chunk: int, seed: int, *, mining: bool = True) -> float:
    """The same in numpy, a block of paths at a time; the fleet a constant one, fees and uptime by month."""
    draw = np.random.Generator(np.random.SFC64(seed))
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


def _jax() -> tuple[Any, Any]:
    """JAX and its numpy, in double precision; raises ImportError where it is not installed."""
    jax: Any = import_module("jax")
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 - as the library has it
    return jax, import_module("jax.numpy")


def jax_paths(count: int, chunk: int) -> Callable[[], object]:
    """All of it in JAX: one compiled function of a block of paths, two threads handing out the blocks.

    What is left over by whole blocks is not walked. Raises ImportError without JAX.
    """
    jax, _ = _jax()
    walk = jax.jit(lambda key: _jax_block(key, chunk))
    keys = jax.random.split(jax.random.PRNGKey(1), count // chunk)
    pool = ThreadPoolExecutor(2)
    return lambda: list(pool.map(lambda key: walk(key)[-1].block_until_ready(), keys))


def _jax_block(key: Any, n: int) -> tuple[Any, ...]:
    """Price, variance and basis by day, coins by week, of ``n`` paths."""
    jax, jnp = _jax()
    chance, zero = 4.0 * DT, jnp.zeros(n)
    comp = float(np.log(1.0 + chance * (np.exp(-0.02 + 0.5 * 0.0064) - 1.0)))
    for_days, for_jumps, for_fees, for_uptime, for_periods = jax.random.split(key, 5)

    def step(state: Any, day: Any) -> Any:
        x, v, b = state
        z = jax.random.normal(jax.random.fold_in(for_days, day), (4, n), dtype=jnp.float64)
        drawn = jax.random.uniform(jax.random.fold_in(for_jumps, day), (n,), dtype=jnp.float64)
        vp = jnp.maximum(v, 0.0)
        s = jnp.sqrt(vp) * ROOT
        x = x + 1e-4 - comp - 0.5 * vp * DT + s * z[0] + (drawn < chance) * (-0.02 + 0.08 * z[3])
        v = v + 3.0 * (0.18 - vp) * DT + 1.5 * s * (-0.3 * z[0] + 0.954 * z[1])
        b = b - 8.0 * DT * b + 0.05 * ROOT * z[2]
        return (x, v, b), (x, v, b, jnp.exp(x))

    _, (walked, variance, basis, price) = jax.lax.scan(
        step, (zero, zero + 0.16, zero), jnp.arange(DAYS)
    )
    fees = 0.008 * jnp.exp(0.6 * jax.random.normal(for_fees, (14, n), dtype=jnp.float64))
    uptime = 1.0 + 0.02 * jax.random.normal(for_uptime, (14, n), dtype=jnp.float64)
    shocks = 0.03 * jax.random.normal(for_periods, (32, n), dtype=jnp.float64)
    whole = _jax_work(jnp.concatenate([zero[None], walked]), shocks)
    month = np.arange(len(EDGES) - 1) * 7 // 30
    earned = (1.0 + fees[month]) * jnp.minimum(uptime, 1.05)[month]
    return price, variance, basis, (whole[1:] - whole[:-1]) * earned


def _jax_work(walked: Any, shocks: Any) -> Any:
    """The integral over time of one over the difficulty, up to every week's end."""
    jax, jnp = _jax()
    n = walked.shape[1]
    rows, zero = jnp.arange(n), jnp.zeros(n)

    def at(when: Any) -> Any:
        place = jnp.clip(when, 0.0, DAYS - 1e-9)
        low = place.astype(jnp.int32)
        share = place - low
        return walked[low, rows] * (1.0 - share) + walked[low + 1, rows] * share

    def period(state: Any, shock: Any) -> Any:
        now, level, noise, moves = state
        noise = 0.1 * noise + shock
        turn = 2.0 * np.pi * (now + 14.0) / 365.25
        move = at(now + 7.0) - at(now - 7.0)
        change = 0.012 + noise + 0.01 * jnp.cos(turn) + 0.01 * jnp.sin(turn) + 0.05 * move
        change += 0.02 * moves[:6].sum(0) + 0.01 * moves[6:].sum(0)
        change = jnp.clip(change, -1.386, 1.386)
        length = 14.0 * jnp.exp(-change)
        moves = jnp.concatenate([move[None], moves[:-1]])
        return (now + length, level + change, noise, moves), (now, level, length)

    _, (begin, level, length) = jax.lax.scan(
        period, (zero - 5.0, zero, zero, jnp.zeros((13, n))), shocks
    )
    weight = jnp.exp(-level)

    def upto(edge: Any) -> Any:
        return (weight * jnp.clip(edge - begin, 0.0, length)).sum(0)

    return jax.lax.map(upto, jnp.asarray(EDGES))


def jax_lean(count: int) -> Callable[[], object]:
    """All paths in one compiled scan of JAX that keeps none of them, with a retarget every fourteen days.

    Less than half of the work: no path is written down, nothing answers lagged prices, no calendar of
    retargets, no fees, uptime or coins by week. Raises ImportError without JAX.
    """
    jax, jnp = _jax()
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
