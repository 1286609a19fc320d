"""The forecast against history: at every retarget, with nothing known but what was known then.

Coins per EH/s at a constant subsidy of 3.125 over 91, 182 and 365 days, forecast by our model and by
the habits it must beat, and scored on what difficulty then did. A year has few independent windows
and they overlap, so coverage comes with a block bootstrap (Politis and Romano, "A circular
block-resampling procedure for stationary data", 1992) whose blocks are as long as the window.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headframe.chain import Chain, Retarget
from headframe.mining.difficulty import DifficultyModel, Windows, estimate, plain
from headframe.mining.simulation import constant_fleet
from headframe.mining.start import Start, start_of
from headframe.numerics import Array, column_quantiles, np, quantiles, uniforms
from headframe.units import Wrong

HORIZONS = (91, 182, 365)
SUBSIDY = 3.125
CHOSEN_BEFORE = datetime(2023, 1, 1, tzinfo=UTC)
EXPANDING_FROM = datetime(2015, 7, 1, tzinfo=UTC)
"""Where the expanding window begins: earlier growth says nothing of today's."""
OURS = "headframe"
_PINBALL = (0.10, 0.50, 0.90)
_EXAHASH = 1e18
_DRAWS = 4_000

Maker = Callable[[Sequence[Retarget]], DifficultyModel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one model did at one horizon: shares of what was realised, and the 80 % band's coverage.

    ``coverage_low`` and ``coverage_high`` are the bootstrap's 5 % and 95 % points; the nominal 80 %
    is rejected at 90 % where it lies outside them.
    """

    model: str
    days: int
    origins: int
    bias: float
    mape: float
    pinball: float
    crps: float
    coverage: float
    coverage_low: float
    coverage_high: float

    @property
    def rejected(self) -> bool:
        """Whether the bootstrap rejects a coverage of 80 %."""
        return not self.coverage_low <= 0.80 <= self.coverage_high


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One forecast of one origin, as it was then, and what came."""

    model: str
    origin: datetime
    days: int
    p10: float
    p50: float
    p90: float
    realised: float | None
    crps: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Our pinball loss over a baseline's, for the origins of one year."""

    year: int
    days: int
    baseline: str
    ratio: float
    origins: int


def makers() -> dict[str, Maker]:
    """Our model and the four habits: each sees the history up to its origin and nothing else."""
    return {
        OURS: estimate,
        "flat difficulty": lambda past: plain(past, window=52, drift=False),
        "trailing 26": lambda past: plain(past, window=26),
        "trailing 52": lambda past: plain(past, window=52),
        "expanding": lambda past: plain([r for r in past if r.at >= EXPANDING_FROM], window=None),
    }


def candidates() -> dict[str, Maker]:
    """What was tried: windows of drift and noise, among which the choice was made; then of the rest.

    Names say what differs from the chosen windows.
    """

    def maker(windows: Windows) -> Maker:
        return lambda past: estimate(past, windows=windows)

    tried = {
        f"drift {drift}, noise {noise}": Windows(drift=drift, noise=noise)
        for drift in (26, 39, 52, 78)
        for noise in (26, 52)
    }
    tried |= {f"memory {memory}": Windows(memory=memory) for memory in (26, 78, 104)}
    tried |= {f"season {season}": Windows(season=season) for season in (156, 260)}
    tried |= {"no season": Windows(wave=False)}
    return {name: maker(windows) for name, windows in tried.items()}


def run(
    history: Sequence[Retarget],
    chain: Chain,
    *,
    since: datetime,
    models: dict[str, Maker],
    paths: int = 2_000,
    seed: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[Outcome, ...]:
    """Every model's forecast at every retarget from an instant on."""
    origins = [i for i, row in enumerate(history) if row.at >= since and i >= 60]
    if not origins:
        raise Wrong(f"no retarget from {since:%Y-%m-%d} on has 60 before it in this history")
    found: list[Outcome] = []
    for count, place in enumerate(origins):
        real = {days: realised(history, place, days, chain) for days in HORIZONS}
        if any(one is not None for one in real.values()):
            past = tuple(history[: place + 1])
            for name, make in models.items():
                found += _outcomes(name, start_of(chain, past, make(past)), real, paths, seed)
        progress(count + 1, len(origins))
    return tuple(found)


def _outcomes(
    name: str, start: Start, real: dict[int, float | None], paths: int, seed: int
) -> list[Outcome]:
    coins = per_exahash(start, HORIZONS, paths, seed)
    found: list[Outcome] = []
    for column, days in enumerate(HORIZONS):
        drawn = np.sort(coins[:, column])
        low, middle, high = (float(one) for one in quantiles(drawn[None, :], _PINBALL)[:, 0])
        actual = real[days]
        found.append(
            Outcome(
                model=name,
                origin=start.last.at,
                days=days,
                p10=low,
                p50=middle,
                p90=high,
                realised=actual,
                crps=None if actual is None else _crps(drawn, actual),
            )
        )
    return found


def per_exahash(start: Start, days: Sequence[int], paths: int, seed: int) -> Array:
    """Coins of one EH/s over so many days from the last retarget, at a constant subsidy: (paths, days)."""
    seconds = np.array([0.0, *(86_400.0 * one for one in days)])
    coins = constant_fleet(start, _EXAHASH, seconds, ((), (SUBSIDY,)), paths=paths, seed=seed)
    return np.cumsum(coins, axis=1)


def realised(history: Sequence[Retarget], place: int, days: int, chain: Chain) -> float | None:
    """What one EH/s earned over so many days from a retarget; None where the history ends before."""
    end = history[place].at + timedelta(days=days)
    if end > history[-1].at:
        return None
    coins = 0.0
    for row, after in zip(history[place:], history[place + 1 :], strict=False):
        if row.at >= end:
            break
        seconds = (min(after.at, end) - row.at).total_seconds()
        coins += _EXAHASH * seconds / (row.difficulty * chain.hashes_per_difficulty) * SUBSIDY
    return coins


def _crps(ordered: Array, actual: float) -> float:
    """Continuous ranked probability score of an ensemble (Hersbach 2000, in its order-statistic form)."""
    count = len(ordered)
    ranks = 2.0 * np.arange(1, count + 1) - count - 1.0
    return float(np.abs(ordered - actual).mean() - (ranks * ordered).sum() / count**2)


def scores(
    outcomes: Sequence[Outcome], *, since: datetime | None = None, before: datetime | None = None
) -> tuple[Score, ...]:
    """Each model at each horizon over the origins between two instants."""
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
    low, high = _bootstrap(inside, max(round(days / 14.0), 1))
    return Score(
        model=name,
        days=days,
        origins=len(rows),
        bias=float(off.mean()),
        mape=float(np.abs(off).mean()),
        pinball=float(np.mean([pinball(row) for row in rows])),
        crps=float(np.mean([(row.crps or 0.0) / (row.realised or 1.0) for row in rows])),
        coverage=float(inside.mean()),
        coverage_low=low,
        coverage_high=high,
    )


def pinball(row: Outcome) -> float:
    """Mean pinball loss of the three quantiles, as a share of what was realised."""
    assert row.realised is not None
    total = 0.0
    for level, found in zip(_PINBALL, (row.p10, row.p50, row.p90), strict=True):
        off = row.realised - found
        total += max(level * off, (level - 1.0) * off)
    return total / 3.0 / row.realised


def _bootstrap(inside: Array, block: int) -> tuple[float, float]:
    """The 5 % and 95 % points of a mean under circular blocks; the draws are counted, not random."""
    count = len(inside)
    pieces = -(-count // block)
    draws = np.empty(_DRAWS * pieces)
    uniforms(1, 9, count, draws)
    starts = (draws * count).astype(np.int64).reshape(_DRAWS, pieces)
    places = (starts[:, :, None] + np.arange(block)) % count
    means = inside[places.reshape(_DRAWS, -1)[:, :count]].mean(axis=1)
    low, high = column_quantiles(means[:, None], (0.05, 0.95))[:, 0]
    return float(low), float(high)


def skill(outcomes: Sequence[Outcome], baseline: str = "trailing 52") -> tuple[Skill, ...]:
    """Our pinball loss over a baseline's by year of origin: below 1 is better."""
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
