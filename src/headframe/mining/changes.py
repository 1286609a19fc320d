"""What drives the change from one forecast to another: a waterfall that adds up to the last satoshi."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from headframe.chain import Chain, Retarget
from headframe.mining.difficulty import DifficultyModel
from headframe.mining.fleet import Site
from headframe.mining.operation import Operation
from headframe.mining.simulation import month_edges, simulate
from headframe.mining.start import Start, lognormal_prices
from headframe.units import Month, Wrong

_SMALLEST = Decimal("0.00000001")
_PATHS = 4_000
_RUNNING = ("uptime", "uptime_sd")
_PAYING = (
    "power_usd_mwh",
    "power_hours",
    "adder_usd_mwh",
    "curtails",
    "blocks",
    "demand_response",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything a forecast was made from, so that it can be made again."""

    operation: Operation
    last: Retarget
    period: int
    model: DifficultyModel
    price_usd: float | None
    price_vol: float | None
    price_at: datetime
    first: Month
    months: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One step of the waterfall: what changed, and by how many expected coins."""

    name: str
    coins: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """Expected coins of the months both forecasts know, before and after, and what lies between."""

    first: Month
    months: int
    before: Decimal
    after: Decimal
    drivers: tuple[Driver, ...]

    def __post_init__(self) -> None:
        assert self.before + sum((d.coins for d in self.drivers), Decimal(0)) == self.after


def waterfall(chain: Chain, old: Case, new: Case) -> Waterfall:
    """The drivers one after the other, each on top of those before it; the order is fixed.

    Hashrate, uptime, power (what is curtailed), difficulty, halving, fees, pool. The halving is what
    the reward's steps take beyond a constant reward, before and after. Raises Wrong where the
    forecasts share no month.
    """
    first, months = _shared(old, new)
    level = _Levels(chain, first, months)
    sites = {site.name: site for site in old.operation.sites}
    fleet = replace(
        old.operation, fleet=new.operation.fleet, sites=_sites(new, sites, _RUNNING + _PAYING)
    )
    running = replace(fleet, sites=_sites(new, sites, _PAYING))
    paying = replace(running, sites=new.operation.sites)
    fees = replace(paying, fees=new.operation.fees)
    at = [level(old.operation, old), level(fleet, old), level(running, old), level(paying, old)]
    flat_old, flat_new = level(paying, old, flat=True), level(paying, new, flat=True)
    at.append(at[-1] * flat_new / flat_old if flat_old > 0.0 else at[-1])
    at += [level(paying, new), level(fees, new), level(new.operation, new)]
    exact = [Decimal(repr(value)).quantize(_SMALLEST) for value in at]
    names = ("hashrate", "uptime", "power", "difficulty", "halving", "fees", "pool")
    drivers = tuple(
        Driver(name=name, coins=after - before)
        for name, before, after in zip(names, exact, exact[1:], strict=False)
    )
    return Waterfall(first=first, months=months, before=exact[0], after=exact[-1], drivers=drivers)


def _shared(old: Case, new: Case) -> tuple[Month, int]:
    first = max(old.first, new.first)
    last = min(old.first.plus(old.months - 1), new.first.plus(new.months - 1))
    months = (last.year - first.year) * 12 + last.number - first.number + 1
    if months < 1:
        raise Wrong("the two forecasts share no month")
    return first, months


def _sites(new: Case, old: dict[str, Site], kept: tuple[str, ...]) -> tuple[Site, ...]:
    """The new sites with some fields as the old ones of the same name had them."""
    found: list[Site] = []
    for site in new.operation.sites:
        before = old.get(site.name)
        fields = {} if before is None else {name: getattr(before, name) for name in kept}
        found.append(replace(site, **fields))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Levels:
    """Expected coins of the shared months under one operation and one outlook."""

    chain: Chain
    first: Month
    months: int

    def __call__(self, operation: Operation, case: Case, *, flat: bool = False) -> float:
        chain = _constant(self.chain, case.last.height) if flat else self.chain
        edges = month_edges(self.first, self.months)
        prices = None
        if case.price_usd is not None and case.price_vol is not None:
            prices = lognormal_prices(
                case.price_usd,
                case.price_vol,
                at=case.price_at,
                until=edges[-1],
                paths=_PATHS,
                seed=case.seed,
            )
        start = Start(chain, case.last, case.model, case.period)
        drawn = simulate(operation, edges, start=start, prices=prices, paths=_PATHS, seed=case.seed)
        return float(drawn.coins.sum(axis=1).mean())


def _constant(chain: Chain, height: int) -> Chain:
    """The chain with its reward held as it is at a height."""
    reward = chain.miner_subsidy(height)
    held: Callable[[int], int] = lambda _height: reward  # noqa: E731 - a constant
    none: Callable[[int], int | None] = lambda _height: None  # noqa: E731 - a constant
    return replace(chain, subsidy=held, miner_share=None, next_step=none)
