"""How the network's hashrate moves, estimated from its history, each figure with its standard error.

The change of log difficulty at a retarget is the change of log hashrate over the period before it,
plus measurement noise. It is taken apart, in this order:

1. season and squeeze: least squares of the last ``SEASON_WINDOW`` changes on a yearly wave (power
   prices and curtailment) and on the three retargets after a step of the reward;
2. answer to price, where a price history is given: least squares of what is left on the change of
   the period-mean price in the same period, in the six before and in the seven before those;
3. drift, noise and memory of what is left: the mean of the last ``DRIFT_WINDOW`` changes, the
   standard deviation of the last ``NOISE_WINDOW`` about it, the lag-1 autocorrelation of the last
   ``MEMORY_WINDOW`` (negative: a lucky period is followed by an unlucky one).

The windows of drift and noise were chosen on origins before 2023 and are reported on those after
(``backtest``, decision 0011).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import log, pi, sqrt

from headframe.chain import Chain, Retarget, chain_of
from headframe.numerics import Array, np
from headframe.units import Wrong, steadied

YEAR_SECONDS = 31_556_952.0
SQUEEZED = 3
"""Retargets after a step of the reward that a squeeze of marginal machines is looked for in."""
ENTERS = 2.0
"""The squeeze enters the paths when it is so many standard errors from nothing."""
PRICE_LAGS = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How many retargets each part of the model looks back on; ``wave`` off leaves season and squeeze out."""

    drift: int = 39
    noise: int = 26
    memory: int = 52
    season: int = 208
    wave: bool = True


CHOSEN = Windows()
"""Drift and noise did best on origins before 2023; memory and season are two years and eight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAnswer:
    """How log hashrate answers a log change of price, by lag; ``known`` are the changes so far.

    ``same`` is the answer in the same period, ``six`` in each of the next six, ``seven`` in each of
    the seven after those; ``*_se`` their standard errors. ``known`` (13,) is the latest first.
    """

    same: float
    same_se: float
    six: float
    six_se: float
    seven: float
    seven_se: float
    total: float
    total_se: float
    count: int
    known: tuple[float, ...]
    last_mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DifficultyModel:
    """Log changes of difficulty at each retarget and what they are made of; ``*_se`` are standard errors."""

    drift: float
    drift_se: float
    noise_sd: float
    noise_se: float
    memory: float
    memory_se: float
    last_deviation: float
    season_cos: float
    season_sin: float
    season_se: float
    squeeze: float | None
    squeeze_se: float | None
    price: PriceAnswer | None
    count: int
    since: datetime
    until: datetime

    @property
    def innovation_sd(self) -> float:
        """Standard deviation of what each retarget brings that is new."""
        return self.noise_sd * sqrt(1.0 - self.memory**2)

    @property
    def squeeze_used(self) -> float:
        """The squeeze in the paths: nothing where the history cannot tell it from noise."""
        if self.squeeze is None or self.squeeze_se is None:
            return 0.0
        return self.squeeze if abs(self.squeeze) >= ENTERS * self.squeeze_se else 0.0

    @property
    def season_size(self) -> float:
        """Greatest effect of the season on a retarget."""
        return sqrt(self.season_cos**2 + self.season_sin**2)


def estimate(
    history: Sequence[Retarget],
    *,
    chain: Chain | None = None,
    prices: Sequence[tuple[datetime, float]] = (),
    windows: Windows = CHOSEN,
) -> DifficultyModel:
    """The model of a history that is in order and whole; needs at least ten changes.

    Prices after the history's last retarget only say how the price has moved since; none is used
    that comes after the forecast's instant if none is given.
    """
    step = chain or chain_of("BTC")
    kept = tuple(history[-(windows.season + 1) :])
    if len(kept) < 11:
        raise Wrong(f"a difficulty model needs 10 retargets, was {max(len(kept) - 1, 0)}")
    _whole(kept)
    changes = np.array([log(b.difficulty / a.difficulty) for a, b in pairwise(kept)])
    fit = _season(kept, changes, step) if windows.wave else _no_season(len(changes))
    rest = changes - fit.explained
    answer, explained = _answer(kept, rest, prices)
    rest = rest - explained
    drift_rows = rest[-windows.drift :]
    drift = float(drift_rows.mean())
    noise_rows = rest[-windows.noise :] - drift
    noise = sqrt(float((noise_rows**2).sum()) / (len(noise_rows) - 1))
    memory = _memory(rest[-windows.memory :])
    count = len(drift_rows)
    spread = sqrt(max((1.0 + memory) / (1.0 - memory), 0.0))
    model = DifficultyModel(
        drift=drift,
        drift_se=float(drift_rows.std(ddof=1)) / sqrt(count) * spread,
        noise_sd=noise,
        noise_se=noise / sqrt(2.0 * (len(noise_rows) - 1)),
        memory=memory,
        memory_se=1.0 / sqrt(min(windows.memory, len(rest))),
        last_deviation=float(rest[-1]) - drift,
        season_cos=fit.cosine,
        season_sin=fit.sine,
        season_se=fit.season_se,
        squeeze=fit.squeeze,
        squeeze_se=fit.squeeze_se,
        price=answer,
        count=len(changes),
        since=kept[0].at,
        until=kept[-1].at,
    )
    return steadied(model)


def plain(
    history: Sequence[Retarget], *, window: int | None, drift: bool = True
) -> DifficultyModel:
    """A random walk about a trailing mean, as baselines have it: no season, no memory.

    ``window`` None takes all of the history; without ``drift`` difficulty stays where it is.
    """
    kept = tuple(history if window is None else history[-(window + 1) :])
    if len(kept) < 11:
        raise Wrong(f"a difficulty model needs 10 retargets, was {max(len(kept) - 1, 0)}")
    changes = np.array([log(b.difficulty / a.difficulty) for a, b in pairwise(kept)])
    sd, count = float(changes.std(ddof=1)), len(changes)
    model = DifficultyModel(
        drift=float(changes.mean()) if drift else 0.0,
        drift_se=sd / sqrt(count),
        noise_sd=sd,
        noise_se=sd / sqrt(2.0 * (count - 1)),
        memory=0.0,
        memory_se=1.0 / sqrt(count),
        last_deviation=0.0,
        season_cos=0.0,
        season_sin=0.0,
        season_se=0.0,
        squeeze=None,
        squeeze_se=None,
        price=None,
        count=count,
        since=kept[0].at,
        until=kept[-1].at,
    )
    return steadied(model)


def year_phase(at: datetime) -> float:
    """Years since 1970, whose fraction is the season."""
    return at.timestamp() / YEAR_SECONDS


@dataclass(frozen=True, slots=True)
class _Season:
    cosine: float
    sine: float
    season_se: float
    squeeze: float | None
    squeeze_se: float | None
    explained: Array


def _whole(kept: Sequence[Retarget]) -> None:
    gaps = {after.height - before.height for before, after in pairwise(kept)}
    if len(gaps) != 1 or min(gaps) <= 0:
        raise Wrong("a difficulty history must have every retarget, in order, without gaps")


def _season(kept: Sequence[Retarget], changes: Array, chain: Chain) -> _Season:
    """Least squares on a constant, a yearly wave and the retargets after a step of the reward.

    Less than two years know no season.
    """
    count = len(changes)
    years = (kept[-1].at - kept[0].at).total_seconds() / YEAR_SECONDS
    if years < 2.0 or count < 30:
        return _no_season(count)
    phase = 2.0 * pi * np.array([year_phase(row.at) for row in kept[1:]])
    columns = [np.ones(count), np.cos(phase), np.sin(phase)]
    after = _after_step(kept, chain)
    if SQUEEZED <= after.sum() < count / 4:
        columns.append(after)
    table = np.column_stack(columns)
    found, errors = _least_squares(table, changes)
    squeezed = len(columns) == 4
    squeeze, squeeze_se = (found[3], errors[3]) if squeezed else (None, None)
    used = table[:, 1:3] @ np.array(found[1:3])
    if squeeze is not None and squeeze_se is not None and abs(squeeze) >= ENTERS * squeeze_se:
        used = used + after * squeeze
    else:
        found, errors = _least_squares(table[:, :3], changes)
        used = table[:, 1:3] @ np.array(found[1:3])
    return _Season(found[1], found[2], max(errors[1], errors[2]), squeeze, squeeze_se, used)


def _no_season(count: int) -> _Season:
    return _Season(0.0, 0.0, 0.0, None, None, np.zeros(count))


def _after_step(kept: Sequence[Retarget], chain: Chain) -> Array:
    """1 for the three changes that follow a step of the reward inside a period of the history."""
    marked = np.zeros(len(kept) - 1)
    if chain.position != "height":
        return marked
    for index in range(len(kept) - 1):
        for back in range(SQUEEZED):
            place = index - back
            if place < 0:
                continue
            before, after = kept[place].height, kept[place + 1].height
            if chain.subsidy(max(before - 1, 0)) != chain.subsidy(after - 1):
                marked[index] = 1.0
    return marked


def _least_squares(table: Array, values: Array) -> tuple[list[float], list[float]]:
    """Coefficients and their standard errors."""
    found = np.linalg.lstsq(table, values, rcond=None)[0]
    left = values - table @ found
    variance = float(left @ left) / max(len(values) - table.shape[1], 1)
    errors = np.sqrt(variance * np.diag(np.linalg.pinv(table.T @ table)))
    return [float(one) for one in found], [float(one) for one in errors]


def _memory(rest: Array) -> float:
    """Lag-1 autocorrelation, kept inside what an AR(1) process can have."""
    about = rest - rest.mean()
    power = float((about**2).sum())
    return (
        max(min(float((about[1:] * about[:-1]).sum()) / power, 0.95), -0.95) if power > 0.0 else 0.0
    )


def _answer(
    kept: Sequence[Retarget], rest: Array, prices: Sequence[tuple[datetime, float]]
) -> tuple[PriceAnswer | None, Array]:
    """The answer to price and what it explains; none where fewer than 40 changes have their prices."""
    nothing = np.zeros(len(rest))
    if not prices:
        return None, nothing
    means = period_means(kept, prices)
    moves = np.array([log(b / a) if a and b else np.nan for a, b in pairwise(means)])
    rows = [
        index
        for index in range(PRICE_LAGS + 1, len(rest))
        if not np.isnan(moves[index - 1 - PRICE_LAGS : index]).any()
    ]
    if len(rows) < 40:
        return None, nothing
    # the change at the end of period index belongs to the price change into that period
    table = np.array(
        [(moves[i - 1], moves[i - 7 : i - 1].sum(), moves[i - 14 : i - 7].sum(), 1.0) for i in rows]
    )
    found, errors = _least_squares(table, rest[rows])
    explained = nothing.copy()
    explained[rows] = table[:, :3] @ np.array(found[:3])
    sums = np.array([1.0, 6.0, 7.0, 0.0])
    left = rest[rows] - table @ np.array(found)
    variance = float(left @ left) / (len(rows) - 4)
    total_se = sqrt(variance * float(sums @ np.linalg.pinv(table.T @ table) @ sums))
    known = tuple(float(move) for move in moves[: -(PRICE_LAGS + 1) : -1])
    answer = PriceAnswer(
        same=found[0],
        same_se=errors[0],
        six=found[1],
        six_se=errors[1],
        seven=found[2],
        seven_se=errors[2],
        total=found[0] + 6.0 * found[1] + 7.0 * found[2],
        total_se=total_se,
        count=len(rows),
        known=tuple(0.0 if one != one else one for one in known),  # noqa: PLR0124 - NaN is not itself
        last_mean=means[-1] or 0.0,
    )
    return answer, explained


def period_means(
    kept: Sequence[Retarget], prices: Sequence[tuple[datetime, float]]
) -> list[float | None]:
    """Mean price of each period that ends inside the history; None where there is no price."""
    found: list[float | None] = []
    place = 0
    for start, end in pairwise(kept):
        while place < len(prices) and prices[place][0] < start.at:
            place += 1
        inside: list[float] = []
        index = place
        while index < len(prices) and prices[index][0] < end.at:
            inside.append(prices[index][1])
            index += 1
        found.append(sum(inside) / len(inside) if inside else None)
    return found
