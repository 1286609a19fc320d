"""The operation as the treasurer writes it down: sites, fleet, power, pool, costs, treasury."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import isfinite
from types import MappingProxyType

from headframe.units import Month, Wrong


def _between(name: str, value: float, low: float, high: float) -> None:
    if not (isfinite(value) and low <= value <= high):
        raise Wrong(f"{name} must lie between {low:g} and {high:g}, was {value:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A type of machine: terahashes per second and watts at the wall."""

    model: str
    hashrate_ths: float
    power_w: float

    def __post_init__(self) -> None:
        _between(f"hashrate of {self.model} in TH/s", self.hashrate_ths, 1e-6, 1e5)
        _between(f"power of {self.model} in W", self.power_w, 1.0, 1e6)

    @property
    def joules_per_terahash(self) -> float:
        """Efficiency: watts per terahash per second."""
        return self.power_w / self.hashrate_ths


KNOWN_MACHINES = MappingProxyType(
    {
        machine.model: machine
        for machine in (
            Machine(model="Antminer S19j Pro", hashrate_ths=104.0, power_w=3068.0),
            Machine(model="Antminer S19 XP", hashrate_ths=140.0, power_w=3010.0),
            Machine(model="Antminer S21", hashrate_ths=200.0, power_w=3500.0),
            Machine(model="Antminer S21 Pro", hashrate_ths=234.0, power_w=3510.0),
            Machine(model="Antminer S21 XP", hashrate_ths=270.0, power_w=3645.0),
            Machine(model="Whatsminer M60S", hashrate_ths=186.0, power_w=3441.0),
        )
    }
)
"""Makers' ratings of 2021 to 2024; a workspace adds its own under ``[[machine]]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Machines of one type at a site, from a day (inclusive) until a day (exclusive)."""

    site: str
    machine: Machine
    count: int
    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        _between(f"number of {self.machine.model}", self.count, 1, 10_000_000)
        if self.since and self.until and self.until <= self.since:
            raise Wrong(
                f"{self.machine.model} at {self.site}: until {self.until} is not after since"
            )

    def share_of(self, month: Month) -> float:
        """Share of the month's days on which the batch runs."""
        first = max(self.since or date.min, month.start.date())
        last = min(self.until or date.max, month.end.date())
        return max((last - first) / timedelta(days=month.days), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site: the share of time its machines run, and what a megawatt-hour costs by calendar month."""

    name: str
    uptime: float
    capacity_mw: float
    power_usd_mwh: tuple[float, ...]

    def __post_init__(self) -> None:
        _between(f"uptime of {self.name}", self.uptime, 0.0, 1.0)
        _between(f"capacity of {self.name} in MW", self.capacity_mw, 0.001, 100_000.0)
        if len(self.power_usd_mwh) != 12:
            raise Wrong(
                f"{self.name} needs one power price or twelve, was {len(self.power_usd_mwh)}"
            )
        for price in self.power_usd_mwh:
            _between(f"power price of {self.name} in USD/MWh", price, -500.0, 10_000.0)


class PoolScheme(StrEnum):
    """How the pool pays: expected coins whatever its luck, with fees."""

    FPPS = "fpps"


class SalePolicy(StrEnum):
    """When mined coins are sold."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTH_END = "month_end"

    def sells_on(self, day: date) -> bool:
        """Whether coins are sold at the end of a day: weekly on Fridays, always on a month's last."""
        last = day == Month.of(day).last_day
        weekly = self is SalePolicy.WEEKLY and day.weekday() == 4
        return self is SalePolicy.DAILY or weekly or last


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeOutlook:
    """Transaction fees as a share of the subsidy: median, sd of the log, monthly persistence."""

    share_median: float
    log_sd: float
    persistence: float

    def __post_init__(self) -> None:
        _between("median fee share", self.share_median, 0.0, 10.0)
        _between("sd of the log fee share", self.log_sd, 0.0, 3.0)
        _between("persistence of fees", self.persistence, 0.0, 0.999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Cash costs that do not depend on coins, by month, and what is not cash."""

    fixed_usd_month: float
    debt_service_usd_month: float
    depreciation_usd_month: float
    capex_usd: MappingProxyType[Month, float] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        for name in ("fixed_usd_month", "debt_service_usd_month", "depreciation_usd_month"):
            _between(name, getattr(self, name), 0.0, 1e10)
        for month, amount in self.capex_usd.items():
            _between(f"capex of {month}", amount, 0.0, 1e11)


@dataclass(frozen=True, slots=True, kw_only=True)
class Treasury:
    """Cash, coins and credit on the first day; the lender's group holds the pledged coins."""

    cash_usd: float
    credit_line_usd: float
    coins_free: float
    coins_pledged: float
    loan_usd: float
    loan_to_value_max: float
    lender_group: str

    def __post_init__(self) -> None:
        for name in ("cash_usd", "credit_line_usd", "loan_usd"):
            _between(name, getattr(self, name), 0.0, 1e12)
        _between("coins_free", self.coins_free, 0.0, 21e6)
        _between("coins_pledged", self.coins_pledged, 0.0, 21e6)
        _between("loan_to_value_max", self.loan_to_value_max, 0.01, 10.0)

    @property
    def covenant_price_usd(self) -> float | None:
        """Price below which the loan exceeds its greatest share of the pledged coins' value."""
        if self.loan_usd == 0.0 or self.coins_pledged == 0.0:
            return None
        return self.loan_usd / (self.loan_to_value_max * self.coins_pledged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The whole mine as it stands and is planned."""

    entity: str
    coin: str
    sites: tuple[Site, ...]
    fleet: tuple[Batch, ...]
    pool_scheme: PoolScheme
    pool_fee: float
    sale_policy: SalePolicy
    fees: FeeOutlook
    costs: Costs
    treasury: Treasury

    def __post_init__(self) -> None:
        _between("pool fee", self.pool_fee, 0.0, 0.5)
        names = [site.name for site in self.sites]
        if len(set(names)) != len(names):
            raise Wrong("two sites have the same name")
        for batch in self.fleet:
            if batch.site not in names:
                raise Wrong(f"{batch.machine.model} stands at {batch.site}, which is no site")

    def hashrate_hs(self, month: Month) -> float:
        """Mean hashes per second of a month, after uptime and the fleet's schedule."""
        uptime = {site.name: site.uptime for site in self.sites}
        return sum(
            batch.count
            * batch.machine.hashrate_ths
            * 1e12
            * batch.share_of(month)
            * uptime[batch.site]
            for batch in self.fleet
        )

    def energy_mwh(self, site: Site, month: Month) -> float:
        """Megawatt-hours a site draws in a month."""
        watts = sum(
            batch.count * batch.machine.power_w * batch.share_of(month)
            for batch in self.fleet
            if batch.site == site.name
        )
        return watts / 1e6 * 24.0 * month.days * site.uptime

    def power_cost_usd(self, month: Month) -> float:
        """Cost of power in a month: the variable cash cost."""
        return sum(
            self.energy_mwh(site, month) * site.power_usd_mwh[month.number - 1]
            for site in self.sites
        )

    def overloaded(self, month: Month) -> tuple[str, ...]:
        """Sites whose machines draw more than their capacity in a month."""
        return tuple(
            site.name
            for site in self.sites
            if self.energy_mwh(site, month)
            > site.capacity_mw * 24.0 * month.days * site.uptime * 1.0001
        )


def first_full_month(at: datetime) -> Month:
    """The first month that has not begun."""
    return Month.of(at) if at == Month.of(at).start else Month.of(at).plus(1)
