"""The forecast against history: at every retarget, with nothing known but what was known then.

Coins per EH/s at a constant subsidy of 3.125 over 91, 182 and 365 days, forecast by our model and by
the habits it must beat, with what difficulty then did; ``scoring`` says how good they were.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from headframe.chain import Chain, Retarget
from headframe.mining.difficulty import SINGLE, DifficultyModel, Windows, estimate, plain
from headframe.mining.simulation import constant_fleet
from headframe.mining.start import Start, start_of
from headframe.numerics import Array, np, quantiles
from headframe.units import Wrong

HORIZONS = (91, 182, 365)
SUBSIDY = 3.125
CHOSEN_BEFORE = datetime(2023, 1, 1, tzinfo=UTC)
EXPANDING_FROM = datetime(2015, 7, 1, tzinfo=UTC)
"""Where the expanding window begins: earlier growth says nothing of today's."""
OURS = "headframe"
BEFORE = "single windows"
"""The model until production/2: one window of drift, one of noise, the drift taken as known."""
WITH_ERROR = ", with error"
LEVELS = (0.10, 0.50, 0.90)
_EXAHASH = 1e18
_RETARGETS_MIN = 10

Maker = Callable[[Sequence[Retarget]], DifficultyModel]


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


def makers() -> dict[str, Maker]:
    """Return our model, the one before it and four habits: each sees the history up to its origin."""
    return {
        OURS: estimate,
        BEFORE: lambda past: estimate(past, windows=SINGLE),
        "flat difficulty": lambda past: plain(past, window=52, drift=False),
        "trailing 26": lambda past: plain(past, window=26),
        "trailing 52": lambda past: plain(past, window=52),
        "expanding": lambda past: plain(_expanding(past), window=None),
    }


def _expanding(past: Sequence[Retarget]) -> Sequence[Retarget]:
    """The history from where the expanding window begins; all of it where that is too little."""
    recent = [row for row in past if row.at >= EXPANDING_FROM]
    return recent if len(recent) > _RETARGETS_MIN else past


def candidates() -> dict[str, Maker]:
    """Return what was tried: single windows without and with the drift's error, then the rest.

    Names say what differs from the single windows chosen before 2023; those that end in ``WITH_ERROR``
    draw each path's drift.
    """

    def maker(windows: Windows) -> Maker:
        return lambda past: estimate(past, windows=windows)

    tried = {
        f"drift {drift}, noise {noise}{ending}": Windows(
            drift=(drift,), noise=(noise,), spread=bool(ending)
        )
        for ending in ("", WITH_ERROR)
        for drift in (26, 39, 52, 78)
        for noise in (26, 52)
    }
    tried |= {f"memory {memory}": replace(SINGLE, memory=memory) for memory in (26, 78, 104)}
    tried |= {f"season {season}": replace(SINGLE, season=season) for season in (156, 260)}
    tried |= {"no season": replace(SINGLE, wave=False)}
    tried |= {"pooled, drift as known": Windows(spread=False)}
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
        low, middle, high = (float(one) for one in quantiles(drawn[None, :], LEVELS)[:, 0])
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
