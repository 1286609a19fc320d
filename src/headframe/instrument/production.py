"""Contracts on what a mine produces: hashprice sold forward, average difficulty swapped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from headframe.units import Wrong

_LONGEST = 732


def _days(first: date, last: date) -> int:
    days = (last - first).days + 1
    if not 1 <= days <= _LONGEST:
        raise Wrong(f"a contract runs over 1 to {_LONGEST} days, was {first} to {last}")
    return days


@dataclass(frozen=True, slots=True, kw_only=True)
class HashpriceForward:
    """Hashrate sold at a fixed hashprice, settled every day against the index of that day.

    ``fixed`` is USD, or where ``in_coin`` coins, per PH/s and day. The seller receives fixed less
    index; a negative ``phs`` buys.
    """

    first: date
    last: date
    phs: Decimal
    fixed: Decimal
    in_coin: bool = False

    def __post_init__(self) -> None:
        _days(self.first, self.last)
        if not (self.phs.is_finite() and self.phs != 0 and abs(self.phs) <= 10**9):
            raise Wrong(f"a hashprice forward is of some PH/s, was {self.phs}")
        if not (self.fixed.is_finite() and 0 < self.fixed < 10**6):
            raise Wrong(f"a fixed hashprice lies above 0, was {self.fixed}")

    @property
    def days(self) -> tuple[date, ...]:
        """The days it settles for."""
        return tuple(
            self.first + timedelta(days=step) for step in range(_days(self.first, self.last))
        )

    def settle(self, day: date, index: Decimal) -> Decimal:
        """What the seller receives for a day, in USD or coin; paid where it is negative."""
        if not self.first <= day <= self.last:
            raise Wrong(f"{day} is not between {self.first} and {self.last}")
        if not (index.is_finite() and index >= 0):
            raise Wrong(f"an index of hashprice was expected, was {index}")
        return self.phs * (self.fixed - index)


@dataclass(frozen=True, slots=True, kw_only=True)
class DifficultySwap:
    """The mean difficulty of every block of a time against a fixed one, in trillions (T).

    The buyer receives ``usd_per_t`` for every T the mean lies above ``fixed_t``: what a miner gains
    on it he loses in coins. A negative ``usd_per_t`` sells.
    """

    first: date
    last: date
    fixed_t: Decimal
    usd_per_t: Decimal

    def __post_init__(self) -> None:
        _days(self.first, self.last)
        for name in ("fixed_t", "usd_per_t"):
            value: Decimal = getattr(self, name)
            if not (value.is_finite() and value != 0 and abs(value) < 10**12):
                raise Wrong(f"{name} must be a number other than 0, was {value}")
        if self.fixed_t < 0:
            raise Wrong(f"a difficulty lies above 0, was {self.fixed_t}")

    def settle(self, blocks: Mapping[Decimal, int]) -> Decimal:
        """The payment for so many blocks found at each difficulty, in USD."""
        count = sum(blocks.values())
        if count <= 0 or min(blocks.values()) < 0 or min(blocks) <= 0:
            raise Wrong("a difficulty swap settles on blocks found at difficulties above 0")
        mean = sum((level * number for level, number in blocks.items()), Decimal(0)) / count
        return self.usd_per_t * (mean / Decimal(10**12) - self.fixed_t)


@dataclass(frozen=True, slots=True, kw_only=True)
class Perpetual:
    """A perpetual future settled in coin: USD amount (negative is short) and entry price."""

    coin: str
    amount_usd: Decimal
    entry: Decimal

    def __post_init__(self) -> None:
        if not (self.amount_usd.is_finite() and self.entry.is_finite() and self.entry > 0):
            raise Wrong(f"a perpetual has an entry price above 0, was {self.entry}")

    def gain_coins(self, mark: Decimal) -> Decimal:
        """What it has gained at a mark, in coins."""
        if not (mark.is_finite() and mark > 0):
            raise Wrong(f"a mark above 0 was expected, was {mark}")
        return self.amount_usd * (1 / self.entry - 1 / mark)

    def funding_coins(self, rate_8h: Decimal, hours: Decimal, index: Decimal) -> Decimal:
        """Funding received over some hours at a rate for eight: longs pay shorts a positive rate."""
        if not (rate_8h.is_finite() and hours.is_finite() and hours >= 0 and index > 0):
            raise Wrong(f"funding is of a rate and some hours, was {rate_8h} over {hours}")
        return -self.amount_usd / index * rate_8h * hours / 8


def funding_rate_8h(
    mark: Decimal,
    index: Decimal,
    damper: Decimal = Decimal("0.00025"),
    cap: Decimal = Decimal("0.005"),
) -> Decimal:
    """Return Deribit's funding rate for 8 hours: the premium less its damper, within the cap.

    premium = (mark - index) / index; rate = max(damper, premium) + min(-damper, premium), so that a premium
    within the damper pays nothing (support.deribit.com, "Funding Specifications"); the cap varies by coin.
    """
    if not (mark > 0 and index > 0):
        raise Wrong(f"mark and index are above 0, were {mark} and {index}")
    premium = (mark - index) / index
    rate = max(damper, premium) + min(-damper, premium)
    return min(cap, max(-cap, rate))
