"""Hedging relationships measured as auditors ask: dollar offset and regression, hedge against hedged item.

The hedged item is the sale of the designated coins, month by month, at the forward of the month's middle; of
options only the risk beyond their strikes is hedged. The hedge counts at intrinsic value: the time value of
options and what was paid for it are costs of hedging (IFRS 9, 6.5.15; ASC 815-20-25-82). Offset within 80 and
125 per cent is the band of ASC 815 practice; IFRS 9 asks for no band, and reads the same figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from headframe.book import Position
from headframe.instrument import Kind
from headframe.pricing import Surface
from headframe.risk.marks import leg_value_usd
from headframe.units import Month, year_fraction

BAND = (0.80, 1.25)
LEAST_MOVE, LEAST_POINTS = 0.005, 10
"""Below this move of the item, of its notional, a ratio says nothing; fewer points make no regression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """A trade's coins that are still hedged, since it was dealt: changes in USD, and how they go together.

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


def relationship(
    position: Position, views: Sequence[tuple[datetime, Surface]]
) -> Relationship | None:
    """What is left of a trade measured from the market it was dealt in; None with fewer than two views."""
    if len(views) < 2:
        return None
    hedge = [_hedge(position, surface, at) for at, surface in views]
    item = [_item(position, surface, at) for at, surface in views]
    moved, offsetting = item[-1] - item[0], hedge[-1] - hedge[0]
    coins = float(position.coins)
    enough = abs(moved) >= LEAST_MOVE * coins * views[0][1].spot
    pairs = [(b - a, d - c) for a, b, c, d in zip(item, item[1:], hedge, hedge[1:], strict=False)]
    pairs = [pair for pair in pairs if pair != (0.0, 0.0)]
    slope, r2 = _regression(pairs)
    return Relationship(
        trade=position.trade.id,
        coins=coins,
        hedge_usd=offsetting,
        item_usd=moved,
        offset=-offsetting / moved if enough else None,
        slope=slope,
        r2=r2,
        points=len(pairs),
    )


def _hedge(position: Position, surface: Surface, at: datetime) -> float:
    """Options at intrinsic value of the forward, others at what they made since they were dealt."""
    total = 0.0
    for leg in position.trade.legs:
        one, amount = leg.instrument, float(position.amount(leg))
        if not one.is_option:
            total += leg_value_usd(one, amount, float(leg.price), surface, at)
            continue
        forward = surface.forward(max(year_fraction(at, one.expiry), 0.0))
        total += amount * _beyond(one.kind, float(one.strike or 0), forward)
    return total


def _item(position: Position, surface: Surface, at: datetime) -> float:
    """The designated sales at the forward of each month's middle, as far as the trade hedges them."""
    legs = position.trade.legs
    size = float(position.trade.size)
    total = 0.0
    for month, left in position.remaining:
        forward = surface.forward(max(year_fraction(at, _middle(month)), 0.0))
        if not legs[0].instrument.is_option:
            total += float(left) * forward
            continue
        for leg in legs:
            one = leg.instrument
            share = float(leg.amount) / size
            total -= float(left) * share * _beyond(one.kind, float(one.strike or 0), forward)
    return total


def _beyond(kind: Kind, strike: float, forward: float) -> float:
    return max(forward - strike, 0.0) if kind is Kind.CALL else max(strike - forward, 0.0)


def _middle(month: Month) -> datetime:
    return month.start + timedelta(days=month.days / 2.0)


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
