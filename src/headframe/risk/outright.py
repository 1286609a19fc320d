"""Margin by percentage: exchange futures by their daily file, hashprice forwards by their desk's schedule.

An exchange that clears outright futures publishes a maintenance margin by product and range of contract
months, in USD a contract or as a share of its value; the initial margin is 110 % of it for speculators and
100 % for hedgers and members (CME Group, Advisory Notice 23-376). Bitcoin futures are of 5 coins (BTC) or
0.1 (MBT). Hashprice forwards ask 35 % of their notional where they settle in USD and 18 % in coin, flat
since 8 April 2024 (Luxor, "Luxor Derivatives lowers margin requirements for forwards").
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import ceil, isfinite
from types import MappingProxyType

from headframe.instrument import HashpriceForward
from headframe.risk.rules import MonthMargin, in_force
from headframe.units import Month, Wrong

SPECULATOR = 1.10
CONTRACT_COINS: Mapping[str, float] = MappingProxyType({"BTC": 5.0, "MBT": 0.1})
_DUST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class OutrightMargin:
    """Maintenance of a product for contract months from ``first`` to ``last``: USD a contract, or a share."""

    product: str
    first: Month
    last: Month
    usd: float | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise Wrong(f"{self.product}: months run from {self.first} to {self.last}")
        if (self.usd is None) == (self.share is None):
            raise Wrong(f"{self.product}: maintenance is USD a contract or a share, one of them")
        if self.usd is not None and not (isfinite(self.usd) and 0.0 < self.usd <= 1e8):
            raise Wrong(f"{self.product}: maintenance of {self.usd} USD a contract is none")
        if self.share is not None and not 0.0 < self.share <= 1.0:
            raise Wrong(f"{self.product}: a share lies above 0 and up to 1, was {self.share}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutrightRow:
    """The futures of one month as another exchange would margin them, in USD."""

    month: Month
    product: str
    contracts: int
    coins: float
    notional_usd: float
    maintenance_usd: float

    @property
    def initial_usd(self) -> float:
        """Initial margin of a speculator; a hedger's is the maintenance."""
        return SPECULATOR * self.maintenance_usd


def outright(
    coins: Mapping[Month, float],
    forwards: Mapping[Month, float],
    rules: Sequence[OutrightMargin],
    product: str,
) -> tuple[OutrightRow, ...]:
    """Coins sold by month in whole contracts of a product, rounded up; Wrong for a month without a rule."""
    size = _contract(product)
    return tuple(
        _row(month, abs(amount), forwards[month], _rule(rules, product, month), size)
        for month, amount in sorted(coins.items())
        if abs(amount) > _DUST
    )


def month_margins(
    rules: Sequence[OutrightMargin],
    product: str,
    forward: Callable[[Month], float],
    *,
    hedger: bool = False,
) -> tuple[MonthMargin, ...]:
    """A product's margins as initial shares of contract months, to plan margin by.

    USD a contract become a share at the forward of the range's first month; Wrong where the product is not in
    the file or its contract is not known.
    """
    size = _contract(product)
    mine = [one for one in rules if one.product == product]
    if not mine:
        raise Wrong(f"the file has no margin of {product}")
    found: list[MonthMargin] = []
    for one in sorted(mine, key=lambda one: one.first):
        share = one.share
        if share is None:
            assert one.usd is not None
            share = one.usd / (size * forward(one.first))
        initial = round(min(share if hedger else SPECULATOR * share, 1.0), 6)
        found.append(MonthMargin(first=one.first, last=one.last, initial=initial))
    return tuple(found)


def _contract(product: str) -> float:
    size = CONTRACT_COINS.get(product)
    if size is None:
        known = ", ".join(CONTRACT_COINS)
        raise Wrong(f"the contract of {product[:12]!r} is not known; known: {known}")
    return size


def _rule(rules: Sequence[OutrightMargin], product: str, month: Month) -> OutrightMargin:
    mine = [one for one in rules if one.product == product]
    if not mine:
        have = ", ".join(sorted({one.product for one in rules})) or "nothing"
        raise Wrong(f"the file has no margin of {product}; it has {have}")
    found = [one for one in mine if one.first <= month <= one.last]
    if len(found) != 1:
        what = "no" if not found else "more than one"
        raise Wrong(f"the file has {what} margin of {product} for {month}")
    return found[0]


def _row(
    month: Month, coins: float, forward: float, rule: OutrightMargin, size: float
) -> OutrightRow:
    contracts = ceil(coins / size - _DUST)
    notional = contracts * size * forward
    each = rule.usd if rule.usd is not None else (rule.share or 0.0) * size * forward
    return OutrightRow(
        month=month,
        product=rule.product,
        contracts=contracts,
        coins=contracts * size,
        notional_usd=notional,
        maintenance_usd=contracts * each,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardMargin:
    """A schedule of a hashprice desk: shares of notional, in force from a day until another."""

    name: str
    since: date
    until: date | None
    usd_share: Decimal
    coin_share: Decimal


FORWARD_MARGINS = (
    ForwardMargin(
        name="luxor-flat",
        since=date(2024, 4, 8),
        until=None,
        usd_share=Decimal("0.35"),
        coin_share=Decimal("0.18"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardInitial:
    """Initial margin of a hashprice forward on a day, in USD or coin, and by which schedule."""

    amount: Decimal
    in_coin: bool
    schedule: str
    in_force: bool


def forward_initial(contract: HashpriceForward, on: date) -> ForwardInitial:
    """What a hashprice forward asks on a day: a share of the notional of the days not settled yet."""
    used, current = in_force(on, FORWARD_MARGINS)
    left = sum(1 for day in contract.days if day >= on)
    share = used.coin_share if contract.in_coin else used.usd_share
    return ForwardInitial(
        amount=abs(contract.phs) * contract.fixed * left * share,
        in_coin=contract.in_coin,
        schedule=used.name,
        in_force=current,
    )
