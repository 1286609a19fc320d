"""Three courses of the price that a hedge is walked through: a bear, a stable and a bull market.

Each follows its trend: a straight line of the log price to the half-way, flat from there on. The daily noise
on top leaves the price at the half-way, the price at the end and the mean price of either half as they are.
So the stable course ends and averages where it began, and the others average their end after the half-way.
"""

from datetime import date, timedelta
from enum import StrEnum

from headframe.numerics import np
from headframe.risk.kernels import bridge
from headframe.units import Wrong


class Course(StrEnum):
    """A course and where it leads."""

    BEAR = "bear"
    STABLE = "stable"
    BULL = "bull"

    @property
    def end_ratio(self) -> float:
        """The last price over the first."""
        return {"bear": 0.55, "stable": 1.0, "bull": 1.7}[self.value]


_NOISE = 0.30
"""Volatility of the days on the way; the trend comes on top."""
_KNEE = 0.5
"""Share of the course after which its trend is done."""


def course_prices(
    course: Course, *, start: float, first: date, last: date, seed: int
) -> tuple[tuple[date, float], ...]:
    """A price for the end of each day from the first to the last, in whole cents."""
    days = (last - first) // timedelta(days=1) + 1
    if days < 1:
        raise Wrong(f"a course must end after it starts, was {first} to {last}")
    out = np.empty(days)
    stream = 20 + list(Course).index(course)
    bridge(seed, stream, start, start * course.end_ratio, _KNEE, _NOISE, out)
    return tuple(
        (first + timedelta(days=index), round(float(out[index]), 2)) for index in range(days)
    )
