"""How a figure is taken and printed."""

import statistics
import time
from collections.abc import Callable


def line(what: str, figure: str, baseline: str, target: str) -> None:
    """One result."""
    print(f"{what:<46} {figure:>16}   {baseline:<52} target {target}", flush=True)


def best(work: Callable[[], object], rounds: int = 5) -> float:
    """Median seconds of a few rounds."""
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
