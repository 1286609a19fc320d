"""Transaction fees as a share of the subsidy, estimated from months that were."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt

from headframe.mining.operation import FeeOutlook
from headframe.numerics import Array, np, quantile
from headframe.units import Wrong, steadied

_LEAST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeEstimate:
    """The outlook that follows from a history of monthly shares, each figure with its standard error."""

    outlook: FeeOutlook
    log_median_se: float
    log_sd_se: float
    persistence_se: float
    tail_se: float
    count: int


def estimate_fees(shares: Sequence[float]) -> FeeEstimate:
    """Median, spread, monthly persistence and tail of the logarithm of the share; a year at least.

    Median and spread by moments of the log; persistence its lag-1 autocorrelation; the tail h of
    Tukey's z exp(h z**2 / 2) from how far the greatest deviations reach beyond the normal's
    (Hoaglin, "Summarizing shape numerically: the g-and-h distributions", 1985): the slope of
    ln(reach / z) on z**2 / 2 over the upper and lower quarters, never below nothing; its height at
    nothing is the logarithm of the spread.
    """
    if len(shares) < _LEAST:
        raise Wrong(f"fees need {_LEAST} months to be estimated, was {len(shares)}")
    logs = np.log(np.array(shares, dtype=np.float64))
    count = len(logs)
    middle = float(np.median(logs))
    about = logs - middle
    sd = sqrt(float((about**2).sum()) / (count - 1))
    power = float((about**2).sum())
    lag = float((about[1:] * about[:-1]).sum()) / power if power > 0.0 else 0.0
    persistence = min(max(lag, 0.0), 0.98)
    tail, tail_se, body = _tail(about)
    independent = count * (1.0 - persistence) / (1.0 + persistence)
    found = FeeEstimate(
        outlook=FeeOutlook(
            share_median=exp(middle),
            log_sd=min(body if tail else sd, 3.0),
            persistence=persistence,
            tail=tail,
        ),
        log_median_se=1.2533 * sd / sqrt(max(independent, 1.0)),
        log_sd_se=sd / sqrt(2.0 * max(independent - 1.0, 1.0)),
        persistence_se=sqrt(max(1.0 - persistence**2, 0.0) / count),
        tail_se=tail_se,
        count=count,
    )
    return steadied(found)


def _tail(about: Array) -> tuple[float, float, float]:
    """The tail, its standard error, and the spread of the body under it."""
    ordered = np.sort(about)
    count = len(ordered)
    z = np.array([quantile((place + 0.5) / count) for place in range(count)])
    far = (np.abs(z) > 0.674) & (ordered * z > 0.0)
    if int(far.sum()) < 6:
        return 0.0, 0.0, 0.0
    x = 0.5 * z[far] ** 2
    y = np.log(ordered[far] / z[far])
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    left = y - y.mean() - slope * centred
    error = sqrt(float(left @ left) / max(len(y) - 2, 1) / float(centred @ centred))
    tail = min(max(slope, 0.0), 0.45)
    return tail, error, exp(float(y.mean()) - tail * float(x.mean()))
