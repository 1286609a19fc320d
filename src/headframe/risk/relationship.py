"""Hedge effectiveness as auditors ask: dollar offset and regression of a hedge on its hedged item.

Offset within 80 and 125 per cent is the band of ASC 815 practice; IFRS 9 asks for no band, and reads the same
figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

BAND = (0.80, 1.25)
LEAST_MOVE, LEAST_POINTS = 0.005, 10
"""Below this move of the item, of its notional, a ratio says nothing; fewer points make no regression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """A trade's designated coins since it was dealt: changes in USD, and how they go together.

    ``offset`` is the hedge's change over the item's, turned; None where the item hardly moved. ``slope`` and
    ``r2`` are of the hedge's changes on the item's between one view of the market and the next; None where
    there are too few.
    """

    trade: str
    coins: float
    hedge_usd: float
    item_usd: float
    offset: float | None
    slope: float | None
    r2: float | None
    points: int

    @property
    def words(self) -> str:
        """What the offset says."""
        if self.offset is None:
            return "too small to tell"
        inside = BAND[0] <= self.offset <= BAND[1]
        return "within 80 to 125 %" if inside else "outside 80 to 125 %"


def measure_relationship(
    trade: str, coins: float, series: Sequence[tuple[float, float]], notional_usd: float
) -> Relationship | None:
    """Return how a hedge went with its item; None with fewer than two views.

    Args:
        trade: the trade's id.
        coins: coins it is measured on.
        series: value of the item and of the hedge in USD at each view, oldest first.
        notional_usd: worth of the coins at the first view, against which a move is small or not.
    """
    if len(series) < 2:
        return None
    moved, offsetting = (series[-1][side] - series[0][side] for side in (0, 1))
    enough = abs(moved) >= LEAST_MOVE * notional_usd
    pairs = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(series)]
    pairs = [pair for pair in pairs if pair != (0.0, 0.0)]
    slope, r2 = _regression(pairs)
    return Relationship(
        trade=trade,
        coins=coins,
        hedge_usd=offsetting,
        item_usd=moved,
        offset=-offsetting / moved if enough else None,
        slope=slope,
        r2=r2,
        points=len(pairs),
    )


def _regression(pairs: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    """Slope and R2 of the second on the first, with an intercept."""
    if len(pairs) < LEAST_POINTS:
        return None, None
    n = len(pairs)
    x0, y0 = sum(x for x, _ in pairs) / n, sum(y for _, y in pairs) / n
    xx = sum((x - x0) ** 2 for x, _ in pairs)
    yy = sum((y - y0) ** 2 for _, y in pairs)
    xy = sum((x - x0) * (y - y0) for x, y in pairs)
    if xx <= 0.0 or yy <= 0.0:
        return None, None
    return xy / xx, xy * xy / (xx * yy)
