"""How much of each hedge is left on the engine's days under the mandate's ``unwind``, and what closing costs.

``at_expiry`` leaves all of a leg until it settles. ``monthly`` closes the hedge of a month's coins in one
block at the month's end. ``as_sold`` closes it with each sale, which is carried out in an order book alone:
what faces a dealer under an agreement is closed in one block a month. A month that was over before the first
day is closed on the first. What expires before it is closed settles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headframe.mandate import Unwind
from headframe.numerics import Array, Places, np
from headframe.units import Month, Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class DealingCosts:
    """Costs of closing a hedge at tradable prices.

    Half spreads are shares of an option's price and of a forward's; an option leg pays ``option_fee_coins``
    a coin, capped at a share of its price, a future ``future_fee_share`` of its notional. What is settled in
    dollars with a dealer pays no fee, and its forwards three times the half spread of listed ones.
    """

    option_half_spread: float = 0.0
    option_fee_coins: float = 0.0
    option_fee_cap_share: float = 0.0
    linear_half_spread: float = 0.0
    future_fee_share: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value: float = getattr(self, name)
            if not 0.0 <= value < 1.0:
                raise Wrong(f"{name}: expected 0 to below 1, got {value}; fix: give a share")

    def numbers(self) -> Array:
        """Return the kernel's array, in the order of the fields."""
        return np.array([getattr(self, name) for name in self.__slots__], dtype=np.float64)


NO_COSTS = DealingCosts()
"""Closing at the mark."""


class SalesCalendar(Protocol):
    """The days on which coins of each month are mined and sold."""

    @property
    def months(self) -> tuple[Month, ...]: ...  # noqa: D102

    @property
    def month(self) -> Places: ...  # noqa: D102

    @property
    def sells(self) -> Array: ...  # noqa: D102

    @property
    def days(self) -> int: ...  # noqa: D102


def left_by_day(month: Month, calendar: SalesCalendar, unwind: Unwind) -> Array:
    """Return the share of the hedge of a month's coins that is left after each day: (days + 1,)."""
    left = np.ones(calendar.days + 1)
    if unwind is Unwind.AT_EXPIRY or month > calendar.months[-1]:
        return left
    if month not in calendar.months:
        left[1:] = 0.0
        return left
    mined = (calendar.month == calendar.months.index(month)).astype(np.float64)
    last = int(np.flatnonzero(mined)[-1]) + 1
    if unwind is Unwind.MONTHLY:
        left[last:] = 0.0
        return left
    sold, so_far = 0.0, np.cumsum(mined) / mined.sum()
    for day in range(calendar.days):
        if calendar.sells[day]:
            sold = float(so_far[day])
        left[day + 1] = 1.0 - sold
    left[last:] = 0.0  # every policy sells on a month's last day
    return left


def alive_shares(
    legs: Array,
    months: Sequence[tuple[tuple[Month, float], ...]],
    at_venue: Sequence[bool],
    calendar: SalesCalendar,
    unwind: Unwind,
) -> Array:
    """Return the share of each leg that is left after each day: (legs, days + 1).

    ``months`` are coins by month of each leg, none for what runs to its expiry; ``at_venue`` says whether a
    leg is margined by a venue. From its expiry on a leg keeps the share that settled.
    """
    out = np.ones((len(legs), calendar.days + 1))
    known: dict[tuple[Month, Unwind], Array] = {}
    for row, hedged in enumerate(months):
        total = sum(coins for _, coins in hedged)
        if total <= 0.0:
            continue
        daily = unwind is Unwind.AS_SOLD
        policy = Unwind.MONTHLY if daily and not at_venue[row] else unwind
        left = np.zeros(calendar.days + 1)
        for month, coins in hedged:
            key = (month, policy)
            if key not in known:
                known[key] = left_by_day(month, calendar, policy)
            left += (coins / total) * known[key]
        expiry = int(legs[row, 4])
        left[expiry:] = left[expiry - 1] if expiry <= calendar.days else left[expiry:]
        out[row] = left.round(12)
    return out


def closing_days(alive: Array) -> Places:
    """Return for each day its place among the days on which any leg is closed, -1 where none is."""
    changed = (np.diff(alive, axis=1) != 0.0).any(axis=0) if len(alive) else np.zeros(0, dtype=bool)
    out = np.full(alive.shape[1], -1, dtype=np.int64)
    on = np.flatnonzero(changed) + 1
    out[on] = np.arange(len(on))
    return out
