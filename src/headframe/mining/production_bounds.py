"""The most that a mine can have been paid, and can hash: a figure beyond it is in another unit.

Two bounds hold at once. The network's: its subsidy times the blocks of the days, before fees (Bitcoin,
2026: 3.125 x 144 = 450 coins a day), doubled for fees and for blocks that come fast. The mine's own: ten
times what its greatest planned or recorded hashrate earns in these days, at least a week, for fees,
backlog and luck. The usual slips of
unit are factors of a thousand and more, so that both leave room for every honest payout.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from headframe.chain import Chain, Retarget
from headframe.mining.operation import Operation
from headframe.units import Month, Wrong

NETWORK_ROOM = 2.0
"""Fees were as much as the subsidy on single days (20 April 2024) and a quarter of it over months."""
MINE_ROOM = 10.0
HASHRATE_ROOM = 100.0
"""A fleet may outgrow its plan; TH/s read as PH/s is a thousand times too much."""
FIRST_PAYOUT_DAYS = 31
"""The first payout known may pay for a month: pools pay at a threshold, and at least monthly."""
BACKLOG_DAYS = 7
"""A bonus or a correction may come the day before a month's payout: ten times a week bounds both."""
LUCKY_BLOCKS = 10
_FEWEST_SMALLEST = 1_000
"""Nobody is paid fewer smallest units: an amount below is not in them."""
_POSITION_SLACK = timedelta(days=60)
"""A chain's height is only estimated where no history says it: the subsidy is taken this much earlier."""
_SMALLEST = {
    "BTC": "satoshi",
    "BCH": "satoshi",
    "LTC": "litoshi",
    "DOGE": "koinu",
    "ETC": "wei",
    "KAS": "sompi",
    "XMR": "piconero",
    "ZEC": "zatoshi",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionScale:
    """What bounds the production of one coin: its chain, its history, and the mine's own plan for it.

    ``operation`` is None for a coin that is mined beside the planned one: only the network bounds it.
    """

    chain: Chain
    history: tuple[Retarget, ...] = ()
    operation: Operation | None = None
    hashrates: Mapping[date, float] = field(default_factory=dict[date, float])

    def block_coins(self, at: datetime) -> float:
        """Return the miner's subsidy of a block at an instant, in coins, never below the true one."""
        return self.chain.miner_subsidy(self._position(at)) / self.chain.scale

    def network_coins_a_day(self, at: datetime) -> float:
        """Return the subsidy of all blocks of a day at the target spacing, in coins."""
        return self.block_coins(at) * 86_400.0 / float(self.chain.spacing_seconds)

    def network_hs(self, at: datetime) -> float | None:
        """Return the network's hashes per second by the difficulty in force; None without a history."""
        if not self.history:
            return None
        row = self.history[max(bisect_right(self.history, at, key=lambda one: one.at) - 1, 0)]
        seconds = float(self.chain.spacing_seconds)
        return row.difficulty * self.chain.hashes_per_difficulty / seconds

    def mine_hs(self, first: date, last: date) -> float:
        """Return the greatest hashrate planned or recorded from a month before a span to one after."""
        if self.operation is None:
            return 0.0
        month, end = Month.of(first).plus(-1), Month.of(last).plus(1)
        found = [0.0]
        while month <= end:
            found.append(self.operation.hashrate_hs(month))
            month = month.plus(1)
        found += [hashes for day, hashes in self.hashrates.items() if first <= day <= last]
        return max(found)

    def planned_hs(self, day: date) -> float:
        """Return the greatest hashrate planned from the month before a day to the month after."""
        return replace(self, hashrates={}).mine_hs(day, day)

    def _position(self, at: datetime) -> int:
        chain = self.chain
        if chain.position != "height" or not self.history or at < self.history[0].at:
            return chain.position_at(at - _POSITION_SLACK)
        row = self.history[bisect_right(self.history, at, key=lambda one: one.at) - 1]
        return row.height


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidAmount:
    """Coins of one row as it came in: what to call it, its day, its amount."""

    name: str
    day: date
    coins: Decimal


def check_coins(
    scale: ProductionScale, rows: Sequence[PaidAmount], known: Mapping[date, Decimal]
) -> None:
    """Raise Wrong where rows make a day's coins more than can have been paid since the day of pay before.

    Args:
        scale: what bounds the coin's production.
        rows: amounts that are new.
        known: coins that are known already, by day.
    """
    totals = dict(known)
    for row in rows:
        totals[row.day] = totals.get(row.day, Decimal(0)) + row.coins
    days = sorted(totals)
    for day in sorted({row.day for row in rows}):
        place = days.index(day)
        covered = (day - days[place - 1]).days if place else FIRST_PAYOUT_DAYS
        bound, words = _bound(scale, day, covered)
        if float(totals[day]) > bound:
            worst = max((row for row in rows if row.day == day), key=lambda row: row.coins)
            raise Wrong(_refusal(scale, worst, totals[day], bound, words))


def _bound(scale: ProductionScale, day: date, covered: int) -> tuple[float, str]:
    """Return the most coins of a day that pays for so many, and the reason in words."""
    start = datetime.combine(day - timedelta(days=covered), time(), UTC)
    coin, daily = scale.chain.coin, scale.network_coins_a_day(start)
    network = NETWORK_ROOM * daily * covered
    span = "a day" if covered == 1 else f"{covered} days"
    words = f"the whole network mines {daily:,.0f} {coin} a day before fees; {span} since the payout before"
    hashes = scale.mine_hs(start.date(), day)
    whole = scale.network_hs(start)
    if scale.operation is None or not hashes or not whole:
        return network, words
    window = max(covered, BACKLOG_DAYS)
    earned = daily * window * hashes / whole
    mine = MINE_ROOM * earned
    if scale.operation.pool.lucky[0]:
        mine += LUCKY_BLOCKS * scale.block_coins(start) * scale.operation.pool.part_of_pool
    if mine >= network:
        return network, words
    return mine, (
        f"{MINE_ROOM:.0f} times what {_hashrate(hashes)} earns in {window} days; "
        f"the whole network mines {daily:,.0f} {coin} a day before fees"
    )


def _refusal(
    scale: ProductionScale, row: PaidAmount, total: Decimal, bound: float, words: str
) -> str:
    coin = scale.chain.coin
    of_day = "" if total == row.coins else f" (with others of {row.day} {total.normalize():,f})"
    return (
        f"{row.name}: coins: expected at most {bound:,.8g} {coin} ({words}), "
        f"got {row.coins.normalize():,f}{of_day}; fix: {_remedy(scale, total, bound)}"
    )


def _remedy(scale: ProductionScale, total: Decimal, bound: float) -> str:
    """Return the unit that an amount is likely in, and what to do."""
    coin = scale.chain.coin
    smallest = (_SMALLEST.get(coin, "smallest units"), scale.chain.scale)
    whole = total == total.to_integral_value()
    for unit, factor in (smallest,) if whole else ((f"m{coin}", 10**3), smallest):
        if float(total) / factor <= bound and total >= _FEWEST_SMALLEST:
            return (
                f"the figure is likely in {unit}, which are {(total / factor).normalize():,f} {coin}: give "
                "coins; if the fleet is larger than planned, set it in headframe.toml"
            )
    return "check the figure; if the fleet is larger than planned, set it in headframe.toml"


def check_hashrate(scale: ProductionScale, day: date, hashes: float) -> None:
    """Raise Wrong for a hashrate beyond the whole network's, or a hundred times the mine's plan."""
    at = datetime.combine(day, time(), UTC)
    whole = scale.network_hs(at)
    planned = scale.planned_hs(day)
    if whole is not None and hashes > whole:
        bound, words = whole, f"the whole network's on {day}"
    elif planned and hashes > HASHRATE_ROOM * planned:
        bound, words = HASHRATE_ROOM * planned, f"{HASHRATE_ROOM:.0f} times the planned hashrate"
    else:
        return
    raise Wrong(
        f"{day}: hashrate: expected at most {_hashrate(bound)} ({words}), got {_hashrate(hashes)}; fix: "
        f"check its unit: it is likely {_hashrate(hashes / 1_000)}"
        + ("" if bound == whole else ", or set the fleet in headframe.toml")
    )


def _hashrate(hashes: float) -> str:
    """Return a hashrate in the unit in which it is between 1 and 1,000."""
    for unit, factor in (("EH/s", 1e18), ("PH/s", 1e15), ("TH/s", 1e12), ("GH/s", 1e9)):
        if hashes >= factor:
            return f"{hashes / factor:,.2f} {unit}"
    return f"{hashes:,.0f} H/s"
