"""How good forecasts of the back-test were: coverage, losses, and what can be said with so few years.

A year's windows overlap: 38 origins two weeks apart hold one and a half of them. So a share of origins
inside the band has Wilson's interval on the number of windows that do not overlap (Wilson, "Probable
inference, the law of succession, and statistical inference", Journal of the American Statistical
Association 22 (1927) 209-212), and the mean of a loss that of Student's t: two windows are correlated by
the share that they have in common (Hansen and Hodrick, "Forward exchange rates as optimal predictors of
future spot rates", Journal of Political Economy 88 (1980) 829-853), which gives the mean's variance, and
the degrees of freedom of its estimate follow from the same correlations (Satterthwaite, "An approximate
distribution of estimates of variance components", Biometrics Bulletin 2 (1946) 110-114). Both at 90 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import pi, sqrt, tan

from headframe.mining.backtest import CHOSEN_BEFORE, HORIZONS, LEVELS, OURS, Outcome
from headframe.numerics import Array, np, quantile

CHOSEN = "chosen as it went"
"""Name of the forecasts of a choice made anew at each origin."""
OUTCOMES_MIN = 26
"""Outcomes of each horizon that a choice needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one model did at one horizon: shares of what was realised, and the 80 % band's coverage.

    ``independent`` is how many windows without overlap the origins hold; ``coverage_low`` and
    ``coverage_high`` are Wilson's 90 % interval on that many.
    """

    model: str
    days: int
    origins: int
    independent: float
    bias: float
    mape: float
    pinball: float
    crps: float
    coverage: float
    coverage_low: float
    coverage_high: float

    @property
    def rejected(self) -> bool:
        """Whether a coverage of 80 % lies outside the interval."""
        return not self.coverage_low <= 0.80 <= self.coverage_high


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Share by which a model's mean pinball loss is below a baseline's, with a 90 % interval."""

    model: str
    baseline: str
    days: int
    origins: int
    independent: float
    gain: float
    gain_low: float
    gain_high: float

    @property
    def shown(self) -> bool:
        """Whether the interval leaves 0 out: the gain, or the loss, is told from chance."""
        return self.gain_low > 0.0 or self.gain_high < 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Our pinball loss over a baseline's, for the origins of one year."""

    year: int
    days: int
    baseline: str
    ratio: float
    origins: int


def unseen(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Return the outcomes whose whole window lies after those the choice of windows saw."""
    return tuple(one for one in outcomes if one.origin >= CHOSEN_BEFORE + timedelta(days=one.days))


def scores(
    outcomes: Sequence[Outcome], *, since: datetime | None = None, before: datetime | None = None
) -> tuple[Score, ...]:
    """Return each model's score at each horizon over the origins between two instants."""
    kept = [
        one
        for one in outcomes
        if one.realised is not None
        and (since is None or one.origin >= since)
        and (before is None or one.origin < before)
    ]
    names = list(dict.fromkeys(one.model for one in kept))
    return tuple(
        _score(name, days, [one for one in kept if one.model == name and one.days == days])
        for name in names
        for days in HORIZONS
        if any(one.model == name and one.days == days for one in kept)
    )


def _score(name: str, days: int, rows: list[Outcome]) -> Score:
    actual = np.array([row.realised for row in rows], dtype=np.float64)
    middle = np.array([row.p50 for row in rows])
    inside = np.array([float(row.p10 <= (row.realised or 0.0) <= row.p90) for row in rows])
    off = middle / actual - 1.0
    independent = independent_windows([row.origin for row in rows], days)
    low, high = wilson(float(inside.mean()), independent)
    return Score(
        model=name,
        days=days,
        origins=len(rows),
        independent=independent,
        bias=float(off.mean()),
        mape=float(np.abs(off).mean()),
        pinball=float(np.mean([pinball(row) for row in rows])),
        crps=float(np.mean([(row.crps or 0.0) / (row.realised or 1.0) for row in rows])),
        coverage=float(inside.mean()),
        coverage_low=low,
        coverage_high=high,
    )


def pinball(row: Outcome) -> float:
    """Return the mean pinball loss of the three quantiles, as a share of what was realised."""
    assert row.realised is not None
    total = 0.0
    for level, found in zip(LEVELS, (row.p10, row.p50, row.p90), strict=True):
        off = row.realised - found
        total += max(level * off, (level - 1.0) * off)
    return total / 3.0 / row.realised


def independent_windows(origins: Sequence[datetime], days: int) -> float:
    """Return how many windows without overlap the origins hold: their span over the window, at least 1."""
    if len(origins) < 2:
        return 1.0
    span = (origins[-1] - origins[0]) * (len(origins) / (len(origins) - 1.0))
    return min(max(span / timedelta(days=days), 1.0), float(len(origins)))


def wilson(share: float, count: float) -> tuple[float, float]:
    """Return Wilson's 90 % interval of a share of so many independent draws, which need not be whole."""
    z = quantile(0.95)
    widened = 1.0 + z * z / count
    middle = (share + z * z / (2.0 * count)) / widened
    reach = z / widened * sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count))
    return middle - reach, middle + reach


def gains(outcomes: Sequence[Outcome], baseline: str = "trailing 52") -> tuple[Gain, ...]:
    """Return every other model's gain over a baseline at each horizon."""
    losses: dict[tuple[str, int], dict[datetime, float]] = {}
    for one in outcomes:
        if one.realised is not None:
            losses.setdefault((one.model, one.days), {})[one.origin] = pinball(one)
    found: list[Gain] = []
    for (name, days), ours in losses.items():
        theirs = losses.get((baseline, days), {})
        shared = sorted(ours.keys() & theirs.keys())
        if name != baseline and len(shared) > 2:
            pairs = np.array([(ours[at], theirs[at]) for at in shared])
            found.append(_gain(name, baseline, days, shared, pairs))
    return tuple(found)


def _gain(name: str, baseline: str, days: int, origins: list[datetime], pairs: Array) -> Gain:
    ours, theirs = pairs[:, 0], pairs[:, 1]
    independent = independent_windows(origins, days)
    reach = mean_error_reach(theirs - ours, len(origins) / independent)
    base, mean = float(theirs.mean()), float((theirs - ours).mean())
    return Gain(
        model=name,
        baseline=baseline,
        days=days,
        origins=len(origins),
        independent=independent,
        gain=mean / base,
        gain_low=(mean - reach) / base,
        gain_high=(mean + reach) / base,
    )


def mean_error_reach(values: Array, window: float) -> float:
    """Return half the 90 % interval of the mean of values whose windows are so many places long."""
    count = len(values)
    apart = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    overlap = np.maximum(1.0 - apart / max(window, 1.0), 0.0)
    centred = overlap - overlap.mean(axis=0)
    trace = float(np.trace(centred))
    if trace <= 0.0:
        return float("inf")
    freedom = trace**2 / float((centred * centred.T).sum())
    variance = float(((values - values.mean()) ** 2).sum()) / trace
    return student_quantile(0.95, freedom) * sqrt(variance * float(overlap.mean()))


def student_quantile(share: float, freedom: float) -> float:
    """Return Student's quantile above the median for 1 or more degrees of freedom, to 1e-4.

    With x = sqrt(n) tan(u) the density is in proportion to cos(u)**(n - 1), summed by trapezoids.
    """
    angle = np.linspace(0.0, 0.5 * pi, 4_001)
    height = np.cos(angle) ** (max(freedom, 1.0) - 1.0)
    below = np.concatenate(([0.0], np.cumsum(height[1:] + height[:-1])))
    place = float(np.interp(share - 0.5, below / (2.0 * below[-1]), angle))
    return sqrt(max(freedom, 1.0)) * tan(place)


def chosen_as_it_went(outcomes: Sequence[Outcome], name: str = CHOSEN) -> tuple[Outcome, ...]:
    """Return, for each origin, the forecasts of the model that had done best on outcomes known by then.

    The loss is the mean pinball loss of each horizon over the least of the models', summed over the
    horizons; an outcome is known once its window has ended. Origins with fewer than 26 known outcomes
    of a horizon are left out.
    """
    names = list(dict.fromkeys(one.model for one in outcomes))
    origins = sorted({one.origin for one in outcomes})
    table = {(one.model, one.origin, one.days): one for one in outcomes}
    losses = np.array(
        [[[_loss(table.get((m, at, d))) for at in origins] for d in HORIZONS] for m in names]
    )
    found: list[Outcome] = []
    for at in origins:
        best = _best(losses, origins, at)
        if best is not None:
            held = (table.get((names[best], at, days)) for days in HORIZONS)
            found += [replace(one, model=name) for one in held if one is not None]
    return tuple(found)


def _loss(one: Outcome | None) -> float:
    return float("nan") if one is None or one.realised is None else pinball(one)


def _best(losses: Array, origins: Sequence[datetime], at: datetime) -> int | None:
    """The model of least loss on the outcomes known at an instant; None with too few of them."""
    total = np.zeros(losses.shape[0])
    for row, days in enumerate(HORIZONS):
        known = [place for place, one in enumerate(origins) if one + timedelta(days=days) <= at]
        seen = losses[:, row, known]
        seen = seen[:, ~np.isnan(seen).any(axis=0)]
        if seen.shape[1] < OUTCOMES_MIN:
            return None
        mean = seen.mean(axis=1)
        total += mean / mean.min()
    return int(np.argmin(total))


def skill(outcomes: Sequence[Outcome], baseline: str = "trailing 52") -> tuple[Skill, ...]:
    """Return our pinball loss over a baseline's by year of origin: below 1 is better."""
    losses: dict[tuple[int, int, str], list[float]] = {}
    for one in outcomes:
        if one.realised is not None and one.model in {OURS, baseline}:
            losses.setdefault((one.origin.year, one.days, one.model), []).append(pinball(one))
    return tuple(
        Skill(
            year=year,
            days=days,
            baseline=baseline,
            ratio=sum(ours) / sum(losses[(year, days, baseline)]),
            origins=len(ours),
        )
        for (year, days, name), ours in sorted(losses.items())
        if name == OURS and (year, days, baseline) in losses
    )
