"""How the network's hashrate moves, estimated from its history, each figure with its standard error.

The change of log difficulty at a retarget is the change of log hashrate over the period before it,
plus measurement noise. It is taken apart, in this order:

1. season and squeeze: least squares of the last ``season`` changes on a yearly wave (power prices and
   curtailment) and on the three retargets after a step of the reward;
2. answer to price (``price_answer``): least squares of what is left on the change of the period-mean
   price in the same period, in the six before and in the seven before those; without enough closes the
   default, where one is asked for;
3. drift: the mean over windows of 26, 39, 52 and 78 changes, pooled with equal weights, because no
   window is known to be best and choosing one costs more than it gains (decision 0033). Its error is
   their mean squared error plus the variance between them, and every path draws its own drift;
4. noise and memory of what is left: the root of the mean variance of the last 26 and 52 changes about
   the drift, the lag-1 autocorrelation of the last ``memory`` (negative: a lucky period is followed by
   an unlucky one).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import log, pi, sqrt

from headframe.chain import Chain, Retarget, chain_of
from headframe.mining.price_answer import (
    DEFAULT_ANSWER,
    DEFAULT_COIN,
    PriceAnswer,
    answer_variance,
    estimate_answer,
    explained_changes,
    period_prices,
    price_answer,
)
from headframe.numerics import Array, np
from headframe.units import Wrong, steadied

YEAR_SECONDS = 31_556_952.0
SQUEEZED = 3
"""Retargets after a step of the reward that a squeeze of marginal machines is looked for in."""
ENTERS = 2.0
"""The squeeze enters the paths when it is so many standard errors from nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How many retargets each part of the model looks back on.

    ``drift`` and ``noise`` are pooled over their windows; ``wave`` off leaves season and squeeze out,
    ``spread`` off leaves the drift's own error out of the paths.
    """

    drift: tuple[int, ...] = (26, 39, 52, 78)
    noise: tuple[int, ...] = (26, 52)
    memory: int = 52
    season: int = 208
    wave: bool = True
    spread: bool = True


POOLED = Windows()
"""Every window of drift and noise that was tried, none chosen; memory and season are two years and eight."""
SINGLE = Windows(drift=(39,), noise=(26,), spread=False)
"""The windows chosen on origins before 2023, in use until production/2: the back-test's comparison."""
NOISE_LEFT_MIN = 0.25
"""Least share of the noise's variance that the default answer to price leaves."""


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
    drift_sd: float = 0.0
    """Spread of the drift between paths: 0 in forecasts frozen before production/3."""

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
    windows: Windows = POOLED,
    default_answer: bool = False,
) -> DifficultyModel:
    """Return the model of a history that is in order and whole; needs at least ten changes.

    Prices after the history's last retarget only say how the price has moved since; none is used
    that comes after the forecast's instant if none is given. ``default_answer``: closes too few to
    estimate the answer to price leave the default, where the chain has one.
    """
    step = chain or chain_of("BTC")
    kept = tuple(history[-(windows.season + 1) :])
    if len(kept) < 11:
        raise Wrong(f"a difficulty model needs 10 retargets, was {max(len(kept) - 1, 0)}")
    _whole(kept)
    changes = np.array([log(b.difficulty / a.difficulty) for a, b in pairwise(kept)])
    fit = _season(kept, changes, step) if windows.wave else _no_season(len(changes))
    default = default_answer and step.coin == DEFAULT_COIN
    answered = _answer(kept, changes - fit.explained, prices, default=default)
    rest = answered.rest
    memory = _memory(rest[-windows.memory :])
    drift, drift_se = _pooled_drift(rest, windows.drift, memory)
    noise = _pooled_noise(rest - drift, windows.noise)
    rows = sum(min(window, len(rest)) for window in windows.noise) / len(windows.noise)
    model = DifficultyModel(
        drift=drift,
        drift_se=drift_se,
        drift_sd=drift_se if windows.spread else 0.0,
        noise_sd=sqrt(max(noise**2 - answered.inside_noise, NOISE_LEFT_MIN * noise**2)),
        noise_se=noise / sqrt(2.0 * (rows - 1.0)),
        memory=memory,
        memory_se=1.0 / sqrt(min(windows.memory, len(rest))),
        last_deviation=float(rest[-1]) - drift,
        season_cos=fit.cosine,
        season_sin=fit.sine,
        season_se=fit.season_se,
        squeeze=fit.squeeze,
        squeeze_se=fit.squeeze_se,
        price=answered.price,
        count=len(changes),
        since=kept[0].at,
        until=kept[-1].at,
    )
    return steadied(model)


def _pooled_drift(rest: Array, windows: Sequence[int], memory: float) -> tuple[float, float]:
    """The mean of the windows' means, and the root of their mean squared error and the variance between."""
    rows = [rest[-window:] for window in windows]
    means = np.array([float(row.mean()) for row in rows])
    widened = max((1.0 + memory) / (1.0 - memory), 0.0)
    within = np.array([float(row.var(ddof=1)) / len(row) * widened for row in rows])
    between = float(means.var(ddof=1)) if len(means) > 1 else 0.0
    return float(means.mean()), sqrt(float(within.mean()) + between)


def _pooled_noise(about: Array, windows: Sequence[int]) -> float:
    """The root of the windows' mean variance about the drift."""
    rows = [about[-window:] for window in windows]
    return sqrt(sum(float((row**2).sum()) / (len(row) - 1) for row in rows) / len(rows))


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


@dataclass(frozen=True, slots=True)
class _Answered:
    """What the answer to price leaves, and the variance of its part where the noise still holds it."""

    price: PriceAnswer | None
    rest: Array
    inside_noise: float


def _answer(
    kept: Sequence[Retarget],
    rest: Array,
    prices: Sequence[tuple[datetime, float]],
    *,
    default: bool,
) -> _Answered:
    """The answer to price, estimated or the default, taken out of the changes it can be taken out of."""
    if not prices and not default:
        return _Answered(None, rest, 0.0)
    known = period_prices(kept, prices)
    found = estimate_answer(known.moves, rest) if prices else None
    answer = found or (DEFAULT_ANSWER if default else None)
    if answer is None:
        return _Answered(None, rest, 0.0)
    left = rest - explained_changes(answer, known.moves, len(rest))
    until = prices[-1][0] if prices else None
    inside = answer_variance(answer) if found is None else 0.0
    return _Answered(price_answer(answer, known, until), left, inside)
