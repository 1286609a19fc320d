"""What the mine does at a hashprice: each site's machines as options on the power they draw.

A machine runs while a megawatt-hour earns more than it costs at the margin: the index price with its
adder, what a block of bought power would bring sold back, or nothing where it cannot be sold. The
machines of a site are stacked by efficiency, the best on the blocks, so the choice of each lot is
its own; what the connection does not carry stands still, the least efficient first. For every span
of time the whole mine becomes one staircase: hashes and power cost by hashprice.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from headframe.mining.fleet import Batch, PowerBlock, Site
from headframe.mining.operation import Operation
from headframe.numerics import Array, Places, np
from headframe.units import Month

_FINEST = 256
"""Hourly prices of a month are kept as so many equal groups by their means."""
_NEVER = 1e300
_ALWAYS = -1.0


@dataclass(frozen=True, slots=True)
class Staircase:
    """Hashes per second and USD per second by hashprice, for each span and group of machines.

    Group 0 is the planned fleet; every further group is one batch with an unknown delay, counted
    whole from its planned beginning on, and standing where it is planned to stand. ``offsets`` is
    (spans x groups + 1,): where each staircase begins in ``thresholds`` (USD/PH/s/day). ``hashes``
    and ``usd`` run one longer each: the first value is below all steps. ``fixed_usd`` is (spans,)
    per second, whatever runs.
    """

    offsets: Places
    thresholds: Array
    hashes: Array
    usd: Array
    fixed_usd: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lot:
    """Machines of one batch as planned; ``scale`` makes the whole of a batch that may come late."""

    hashes: float
    megawatts: float
    joules_per_terahash: float
    group: int
    scale: float


def staircase(
    operation: Operation, edges: tuple[datetime, ...], delayed: tuple[Batch, ...]
) -> Staircase:
    """The mine between consecutive instants, which must not cross a month."""
    steps: list[tuple[Array, Array, Array]] = []
    fixed: list[float] = []
    for start, end in pairwise(edges):
        groups: list[list[tuple[float, float, float]]] = [[] for _ in range(len(delayed) + 1)]
        standing = 0.0
        for site in operation.sites:
            lots = _lots(operation, site, start, end, delayed)
            standing += _site(site, start, lots, operation.pool.fee, groups)
        fixed.append(standing / 3600.0)
        steps += [_sorted(group) for group in groups]
    counts = [len(thresholds) for thresholds, _, _ in steps]
    return Staircase(
        offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        thresholds=np.concatenate([step[0] for step in steps]),
        hashes=np.concatenate([step[1] for step in steps]),
        usd=np.concatenate([step[2] for step in steps]),
        fixed_usd=np.array(fixed),
    )


def _lots(
    operation: Operation, site: Site, start: datetime, end: datetime, delayed: tuple[Batch, ...]
) -> list[_Lot]:
    """What stands at a site in a span, the most efficient first."""
    factor = site.derating[start.month - 1] * site.uptime
    found: list[_Lot] = []
    for batch in operation.fleet:
        if batch.site != site.name:
            continue
        group = delayed.index(batch) + 1 if batch in delayed else 0
        share = batch.share(start, end)
        if share > 0.0:
            hashes, watts = batch.tuned(start)
            count = batch.count * share
            worn = site.derating[start.month - 1]
            found.append(
                _Lot(
                    hashes=count * hashes * factor,
                    megawatts=count * watts * site.uptime / 1e6,
                    joules_per_terahash=watts * 1e12 / hashes / worn if worn > 0.0 else _NEVER,
                    group=group,
                    scale=1.0 / share if group else 1.0,
                )
            )
    return sorted(found, key=lambda lot: lot.joules_per_terahash)


def _site(
    site: Site,
    start: datetime,
    lots: list[_Lot],
    pool_fee: float,
    groups: list[list[tuple[float, float, float]]],
) -> float:
    """Add a site's steps (threshold, hashes/s, USD/h) to their groups; what it pays an hour anyway."""
    month = Month.of(start)
    prices = list(grouped_hours((site.prices(month),))[0])
    weight = 1.0 / len(prices)
    off = _hours_off(site, month, prices)
    blocks = [b for b in site.blocks if b.until is None or b.until > start.date()]
    resale = [[_resale(block, price) for price in prices] for block in blocks]
    standing = sum(
        block.mw * (block.usd_mwh - sum(sold) * weight)
        for block, sold in zip(blocks, resale, strict=True)
    )
    if site.demand_response and month.number in site.demand_response.months:
        hours = month.days * 24.0
        standing -= site.demand_response.credit_usd_mw_month * site.capacity_mw / hours
    outside = prices
    left = [(block.mw, sold) for block, sold in zip(blocks, resale, strict=True)]
    room = site.capacity_mw * site.uptime
    for lot in lots:
        drawn = min(lot.megawatts, room)
        room -= drawn
        for megawatts, marginal in _covered(drawn, left, outside):
            part = megawatts / lot.megawatts
            for price, share_off in zip(marginal, off, strict=True):
                cost = price + site.adder_usd_mwh
                break_even = cost * 24.0 * lot.joules_per_terahash / (1000.0 * (1.0 - pool_fee))
                at = max(break_even, _ALWAYS) if site.curtails else _ALWAYS
                ran = weight * (1.0 - share_off)
                if ran > 0.0:
                    whole = ran * lot.scale
                    groups[lot.group].append(
                        (at, lot.hashes * part * whole, cost * megawatts * whole)
                    )
    return standing


def _resale(block: PowerBlock, price: float) -> float:
    """What a megawatt-hour of a block brings sold back at an index price; nobody sells below nothing."""
    discount = block.resale_discount_usd_mwh
    return 0.0 if discount is None else max(price - discount, 0.0)


def _covered(
    wanted: float, left: list[tuple[float, list[float]]], outside: list[float]
) -> list[tuple[float, list[float]]]:
    """A lot's megawatts with their marginal prices: what is left of the blocks first, then the index."""
    parts: list[tuple[float, list[float]]] = []
    while wanted > 0.0 and left:
        size, sold = left[0]
        taken = min(wanted, size)
        parts.append((taken, sold))
        wanted -= taken
        if taken < size:
            left[0] = (size - taken, sold)
        else:
            left.pop(0)
    if wanted > 0.0:
        parts.append((wanted, outside))
    return parts


def grouped_hours(hours: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    """Each month's hourly prices, cheapest first; more than 256 as that many equal shares of the time.

    A share's price is its mean, so the month's mean is kept exactly.
    """
    return tuple(_shares(month) for month in hours)


def _shares(month: tuple[float, ...]) -> tuple[float, ...]:
    if len(month) <= _FINEST:
        return tuple(sorted(month))
    spent = np.concatenate(([0.0], np.cumsum(np.sort(np.array(month)))))
    edges = np.linspace(0.0, len(month), _FINEST + 1)
    at_edges = np.interp(edges, np.arange(len(month) + 1.0), spent)
    return tuple(float(one) for one in np.diff(at_edges) * _FINEST / len(month))


def _hours_off(site: Site, month: Month, prices: list[float]) -> list[float]:
    """The share of each price's hours that demand response takes: the dearest first."""
    response = site.demand_response
    off = [0.0] * len(prices)
    if response is None or month.number not in response.months:
        return off
    left = min(response.hours_month / (month.days * 24.0), 1.0) * len(prices)
    for index in range(len(prices) - 1, -1, -1):
        off[index] = min(left, 1.0)
        left -= off[index]
    return off


def _sorted(steps: list[tuple[float, float, float]]) -> tuple[Array, Array, Array]:
    """Thresholds upwards, with hashes and USD per second summed up to each; first the empty mine."""
    table = np.array(sorted(steps)).reshape(-1, 3)
    zero = np.zeros(1)
    return (
        table[:, 0].copy(),
        np.concatenate((zero, np.cumsum(table[:, 1]))),
        np.concatenate((zero, np.cumsum(table[:, 2]))) / 3600.0,
    )
