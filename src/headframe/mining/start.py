"""What paths begin with: chain and history, prices, and which chances are on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from headframe.chain import Chain, Retarget
from headframe.mining.difficulty import DifficultyModel
from headframe.mining.kernels import lognormal_paths
from headframe.numerics import Array, np
from headframe.units import Wrong

_WEEK = 604_800.0


@dataclass(frozen=True, slots=True)
class PricePaths:
    """USD per coin on every path: (paths or 1, points), from an instant on, evenly spaced."""

    prices: Array
    start: datetime
    step_seconds: float

    def __post_init__(self) -> None:
        if self.prices.ndim != 2 or self.prices.shape[1] < 2 or not self.step_seconds > 0.0:
            raise Wrong("price paths are an array (paths, points) with at least two points")
        if not (np.isfinite(self.prices).all() and (self.prices > 0.0).all()):
            raise Wrong("every price of a path must be a positive number")


def lognormal_prices(
    start_usd: float, vol: float, *, at: datetime, until: datetime, paths: int, seed: int
) -> PricePaths:
    """Driftless log-normal prices by week: what stands in where no scenario engine gives better."""
    if not (0.0 < start_usd < 1e9 and 0.0 <= vol < 5.0):
        raise Wrong(f"no price paths from {start_usd} USD at a volatility of {vol}")
    points = int((until - at).total_seconds() / _WEEK) + 2
    prices = np.empty((paths, points))
    lognormal_paths(seed, start_usd, vol, _WEEK, prices)
    return PricePaths(prices, at, _WEEK)


@dataclass(frozen=True, slots=True)
class Start:
    """Where the paths begin: the chain, its last retarget, and the model of what follows."""

    chain: Chain
    last: Retarget
    model: DifficultyModel
    period: int

    @property
    def period_seconds(self) -> float:
        """The target timespan of a period."""
        return self.period * float(self.chain.spacing_seconds)


def start_of(chain: Chain, history: Sequence[Retarget], model: DifficultyModel) -> Start:
    """The start after a history; a chain that adjusts at every block moves at the history's own step."""
    last = history[-1]
    step = chain.period
    if step == 1 and len(history) > 1:
        step = last.height - history[-2].height
    return Start(chain, last, model, step)


@dataclass(frozen=True, slots=True)
class Paths:
    """Simulated figures, each (paths, buckets): coins by source, USD of power, mean difficulty."""

    subsidy: Array
    fees: Array
    power_usd: Array
    difficulty: Array

    @property
    def coins(self) -> Array:
        """Coins of subsidy and fees together."""
        return self.subsidy + self.fees


@dataclass(frozen=True, slots=True, kw_only=True)
class Risks:
    """Which chances are on: to measure one alone, the others are switched to their expectation."""

    difficulty: bool = True
    price: bool = True
    fees: bool = True
    uptime: bool = True
    delay: bool = True
    luck: bool = True


ALL_RISKS = Risks()
NAMES = ("difficulty", "price", "fees", "uptime", "delay", "luck")


def only(name: str | None) -> Risks:
    """One chance alone, or none."""
    return Risks(**{one: one == name for one in NAMES})
