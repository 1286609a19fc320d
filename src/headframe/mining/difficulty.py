"""How difficulty moved, estimated from its history: drift, noise, and the memory of noise."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import log, sqrt

from headframe.chain import Retarget
from headframe.units import Wrong

WINDOW = 52
"""Retargets looked back on: about two years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifficultyModel:
    """Log changes of difficulty at each retarget: drift plus AR(1) noise.

    ``*_se`` are standard errors; ``flat`` holds difficulty where it is, for comparison only.
    """

    drift: float
    drift_se: float
    noise_sd: float
    memory: float
    memory_se: float
    last_deviation: float
    count: int
    since: datetime
    until: datetime

    @property
    def innovation_sd(self) -> float:
        """Standard deviation of what each retarget brings that is new."""
        return self.noise_sd * sqrt(1.0 - self.memory**2)


def estimate(
    history: tuple[Retarget, ...], *, window: int = WINDOW, memory: bool = True
) -> DifficultyModel:
    """The model of the last ``window`` log changes; needs at least ten.

    Memory is the lag-1 autocorrelation of the changes; its standard error is about 1/sqrt(n)
    (Bartlett 1946).
    """
    kept = history[-(window + 1) :]
    if len(kept) < 11:
        raise Wrong(f"a difficulty model needs 10 retargets, was {max(len(kept) - 1, 0)}")
    if any(after.height - before.height != 2016 for before, after in pairwise(kept)):
        raise Wrong("a difficulty history must have every retarget, in order, without gaps")
    changes = [log(after.difficulty / before.difficulty) for before, after in pairwise(kept)]
    count = len(changes)
    drift = sum(changes) / count
    deviations = [change - drift for change in changes]
    power = sum(deviation**2 for deviation in deviations)
    sd = sqrt(power / (count - 1))
    lag = sum(a * b for a, b in pairwise(deviations)) / power if memory and power > 0.0 else 0.0
    return DifficultyModel(
        drift=drift,
        drift_se=sd / sqrt(count),
        noise_sd=sd,
        memory=lag,
        memory_se=1.0 / sqrt(count),
        last_deviation=deviations[-1] if memory else 0.0,
        count=count,
        since=kept[0].at,
        until=kept[-1].at,
    )
