"""How the network's hashrate answers a change of price, and which price changes are known.

The answer has three coefficients: of the price change in the same period, in each of the six before
and in each of the seven before those. What the closing prices do not cover is not taken for nothing:
a move inside a gap, or between the last close and the present price, is the gap's whole move spread
evenly, and what strays about that, or about nothing before the first close, is drawn on every path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import log, sqrt

from headframe.chain import Retarget
from headframe.numerics import Array, np

PRICE_LAGS = 13
PRICE_GAP_MAX = timedelta(days=7)
"""A period has a mean price when no part of it lies further than this from a close inside it."""
ROWS_MIN = 40
"""Fewer changes with all their prices estimate no answer."""
TO_PRESENT = 1
"""Group of the moves whose sum is known by the present price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAnswer:
    """How log hashrate answers a log change of price, by lag; ``known`` are the changes so far.

    ``same`` is the answer in the same period, ``six`` in each of the next six, ``seven`` in each of
    the seven after those; ``*_se`` their standard errors, ``loadings`` the lower triangle (6,) of
    their covariance's Cholesky factor, row by row. ``known`` (13,) is the latest first, with
    ``known_sd`` what each may stray by where no close covers it; moves of one ``known_group`` above 0
    sum to a known total. The latest ``missing`` moves lie after the closes, which end at ``closes_until``.
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
    loadings: tuple[float, ...] = ()
    known_sd: tuple[float, ...] = ()
    known_group: tuple[int, ...] = ()
    missing: int = 0
    source: str = "history"
    closes_until: datetime | None = None

    @property
    def uncovered(self) -> int:
        """Known moves that no close covers, of the thirteen before the last retarget."""
        return sum(sd > 0.0 for sd in self.known_sd)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerEstimate:
    """The three coefficients with their covariance, row by row (9,), and how many changes made them."""

    coefficients: tuple[float, float, float]
    covariance: tuple[float, ...]
    count: int
    source: str = "history"


DEFAULT_ANSWER = AnswerEstimate(
    coefficients=(0.118251, 0.0241202, -0.0181637),
    covariance=(
        1.73375e-3, -1.04022e-4, 5.24203e-5,
        -1.04022e-4, 1.58174e-4, -9.83908e-6,
        5.24203e-5, -9.83908e-6, 1.18153e-4,
    ),
    count=193,
    source="default",
)  # fmt: skip
"""Least squares of this module on Bitcoin's 208 changes of difficulty to 14 June 2026 and the daily closes in
USD of the same eight years (public); a test estimates it again. In all 0.14 with a standard error of 0.11."""
DEFAULT_COIN = "BTC"
MOVE_SD = 0.104
"""Standard deviation of the log change of the period-mean price over the same retargets."""


@dataclass(frozen=True, slots=True)
class PeriodPrices:
    """Log mean price of each period (NaN where closes do not cover it) and the moves between them."""

    logs: Array
    moves: Array


def period_prices(
    kept: Sequence[Retarget], prices: Sequence[tuple[datetime, float]]
) -> PeriodPrices:
    """Return the mean price of each period between retargets that closes cover, and its log changes."""
    means = period_means(kept, prices)
    logs = np.array([np.nan if mean is None else log(mean) for mean in means])
    return PeriodPrices(logs, np.diff(logs))


def period_means(
    kept: Sequence[Retarget], prices: Sequence[tuple[datetime, float]]
) -> list[float | None]:
    """Return each period's mean close; None where a week or more of it has no close."""
    found: list[float | None] = []
    place = 0
    for start, end in pairwise(kept):
        while place < len(prices) and prices[place][0] < start.at:
            place += 1
        last = place
        while last < len(prices) and prices[last][0] < end.at:
            last += 1
        inside = prices[place:last]
        edges = (start.at, *(at for at, _ in inside), end.at)
        widest = max(after - before for before, after in pairwise(edges))
        covered = bool(inside) and widest <= PRICE_GAP_MAX
        found.append(sum(price for _, price in inside) / len(inside) if covered else None)
    return found


def estimate_answer(moves: Array, rest: Array) -> AnswerEstimate | None:
    """Return the least-squares answer of changes to price moves; None with fewer than 40 usable rows.

    ``moves`` (n - 1,) are the price moves into each period but the first, ``rest`` (n,) the changes
    that end each period.
    """
    table, rows = _answer_rows(moves, len(rest))
    if len(rows) < ROWS_MIN:
        return None
    values = rest[rows]
    found = np.linalg.lstsq(table, values, rcond=None)[0]
    left = values - table @ found
    variance = float(left @ left) / (len(rows) - table.shape[1])
    covariance = variance * np.linalg.pinv(table.T @ table)[:3, :3]
    return AnswerEstimate(
        coefficients=(float(found[0]), float(found[1]), float(found[2])),
        covariance=tuple(float(value) for value in covariance.ravel()),
        count=len(rows),
    )


def explained_changes(answer: AnswerEstimate, moves: Array, count: int) -> Array:
    """Return what the answer explains of each of ``count`` changes; 0 where a price is missing."""
    explained = np.zeros(count)
    table, rows = _answer_rows(moves, count)
    if len(rows):
        explained[rows] = table[:, :3] @ np.array(answer.coefficients)
    return explained


def _answer_rows(moves: Array, count: int) -> tuple[Array, list[int]]:
    """Regressors (rows, 4) of the changes whose fourteen price moves are all known, and which they are."""
    rows = [
        index
        for index in range(PRICE_LAGS + 1, count)
        if not np.isnan(moves[index - 1 - PRICE_LAGS : index]).any()
    ]
    # the change at the end of period index belongs to the price change into that period
    table = np.array(
        [(moves[i - 1], moves[i - 7 : i - 1].sum(), moves[i - 14 : i - 7].sum(), 1.0) for i in rows]
    )
    return table.reshape(-1, 4), rows


def price_answer(
    estimated: AnswerEstimate, prices: PeriodPrices, closes_until: datetime | None
) -> PriceAnswer:
    """Return the answer with the moves known so far, filled where closes do not cover a period."""
    same, six, seven = estimated.coefficients
    covariance = np.array(estimated.covariance).reshape(3, 3)
    sums = np.array([1.0, 6.0, 7.0])
    errors = np.sqrt(np.diag(covariance))
    known, strays, groups, missing = _known_moves(prices)
    covered = prices.logs[~np.isnan(prices.logs)]
    return PriceAnswer(
        same=same,
        same_se=float(errors[0]),
        six=six,
        six_se=float(errors[1]),
        seven=seven,
        seven_se=float(errors[2]),
        total=same + 6.0 * six + 7.0 * seven,
        total_se=sqrt(float(sums @ covariance @ sums)),
        count=estimated.count,
        known=known,
        last_mean=float(np.exp(covered[-1])) if len(covered) else 0.0,
        loadings=_loadings(covariance),
        known_sd=strays,
        known_group=groups,
        missing=missing,
        source=estimated.source,
        closes_until=closes_until,
    )


def _loadings(covariance: Array) -> tuple[float, ...]:
    """The lower triangle of the Cholesky factor of a covariance (3, 3), row by row."""
    factor = np.zeros((3, 3))
    for row in range(3):
        for column in range(row + 1):
            left = float(covariance[row, column] - factor[row, :column] @ factor[column, :column])
            if row == column:
                factor[row, row] = sqrt(max(left, 0.0))
            elif factor[column, column] > 0.0:
                factor[row, column] = left / factor[column, column]
    return tuple(float(factor[row, column]) for row in range(3) for column in range(row + 1))


def _known_moves(
    prices: PeriodPrices,
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[int, ...], int]:
    """The last 13 moves, latest first, what each may stray by, its group, and how many follow the closes."""
    logs = prices.logs
    measured = prices.moves[~np.isnan(prices.moves)]
    sd = float(measured.std(ddof=1)) if len(measured) > PRICE_LAGS else MOVE_SD
    covered = [place for place in range(len(logs)) if not np.isnan(logs[place])]
    expected, strays, groups = np.zeros(PRICE_LAGS), np.zeros(PRICE_LAGS), np.zeros(PRICE_LAGS)
    last = covered[-1] if covered else -1
    for lag in range(1, PRICE_LAGS + 1):
        place = len(logs) - lag  # the move into this period
        before = max((one for one in covered if one < place), default=-1)
        after = min((one for one in covered if one >= place), default=len(logs))
        if before < 0 or after == len(logs):
            strays[lag - 1] = sd
            groups[lag - 1] = TO_PRESENT if before >= 0 else 0
            continue
        expected[lag - 1] = (logs[after] - logs[before]) / (after - before)
        if after - before > 1:
            strays[lag - 1], groups[lag - 1] = sd, TO_PRESENT + 1 + before
    missing = len(logs) - 1 - last
    return (
        tuple(float(value) for value in expected),
        tuple(float(value) for value in strays),
        tuple(int(value) for value in groups),
        missing,
    )


def answer_variance(answer: AnswerEstimate) -> float:
    """Return the variance that the answer gives to one change of difficulty at the usual price moves."""
    same, six, seven = answer.coefficients
    return MOVE_SD**2 * (same**2 + 6.0 * six**2 + 7.0 * seven**2)
