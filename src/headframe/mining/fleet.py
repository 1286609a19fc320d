"""Sites and what stands on them: uptime, seasons, power contracts, deployments and retirements."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

from headframe.mining.machines import Machine, between, plain_name
from headframe.units import Month, refuse

_ONES = (1.0,) * 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerBlock:
    """Power bought in advance at one price, taken or paid for; what is not used may be sold back.

    ``resale_discount_usd_mwh`` is what selling back loses against the index; None: it cannot be sold.
    """

    mw: float
    usd_mwh: float
    until: date | None = None
    resale_discount_usd_mwh: float | None = None

    def __post_init__(self) -> None:
        between("size of a power block in MW", self.mw, 0.001, 100_000.0)
        between("price of a power block in USD/MWh", self.usd_mwh, -500.0, 10_000.0)
        if self.resale_discount_usd_mwh is not None:
            between("resale_discount_usd_mwh", self.resale_discount_usd_mwh, 0.0, 10_000.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandResponse:
    """A site's promise to be off in the dearest hours of some months, and what it is paid for it."""

    credit_usd_mw_month: float
    hours_month: float
    months: tuple[int, ...]

    def __post_init__(self) -> None:
        between("credit_usd_mw_month", self.credit_usd_mw_month, 0.0, 1e6)
        between("hours_month", self.hours_month, 0.0, 744.0)
        if not self.months or any(not 1 <= number <= 12 for number in self.months):
            refuse(f"demand response needs months from 1 to 12, was {list(self.months)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site: how much of the time its machines run, how well by season, and what power costs.

    ``power_usd_mwh`` is the index price by calendar month; ``power_hours``, where given, its hourly
    prices by calendar month, which replace the month's price. ``curtails`` says that machines may be
    switched off when power costs more than they earn; ``adder_usd_mwh`` is paid on what is drawn.
    """

    name: str
    uptime: float
    capacity_mw: float
    power_usd_mwh: tuple[float, ...]
    uptime_sd: float = 0.0
    derating: tuple[float, ...] = _ONES
    adder_usd_mwh: float = 0.0
    power_hours: tuple[tuple[float, ...], ...] = ()
    power_file: str | None = None
    curtails: bool = False
    blocks: tuple[PowerBlock, ...] = ()
    demand_response: DemandResponse | None = None

    def __post_init__(self) -> None:
        plain_name(f"power_file of {self.name}", self.power_file)
        between(f"uptime of {self.name}", self.uptime, 0.0, 1.0)
        between(f"uptime_sd of {self.name}", self.uptime_sd, 0.0, 0.5)
        between(f"capacity of {self.name} in MW", self.capacity_mw, 0.001, 100_000.0)
        between(f"adder_usd_mwh of {self.name}", self.adder_usd_mwh, 0.0, 1_000.0)
        for name, values in (("power price", self.power_usd_mwh), ("derating", self.derating)):
            if len(values) != 12:
                refuse(f"{self.name} needs one {name} or twelve, was {len(values)}")
        for price in self.power_usd_mwh:
            between(f"power price of {self.name} in USD/MWh", price, -500.0, 10_000.0)
        for factor in self.derating:
            between(f"derating of {self.name}", factor, 0.0, 1.2)
        if self.power_hours and len(self.power_hours) != 12:
            refuse(f"{self.name} needs hourly prices of 12 months, was {len(self.power_hours)}")
        if sum(block.mw for block in self.blocks) > self.capacity_mw * 1.5:
            refuse(
                f"{self.name} has power blocks of more than one and a half times its capacity_mw"
            )

    def prices(self, month: Month) -> tuple[float, ...]:
        """The index prices of a month: one a sample of its hours, or one for the whole month."""
        if self.power_hours and self.power_hours[month.number - 1]:
            return self.power_hours[month.number - 1]
        return (self.power_usd_mwh[month.number - 1],)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """New firmware from a day on: factors on hashrate and power."""

    since: date
    hashrate: float
    power: float

    def __post_init__(self) -> None:
        between("firmware's factor on hashrate", self.hashrate, 0.1, 3.0)
        between("firmware's factor on power", self.power, 0.1, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Machines of one type at a site, from a day (inclusive) until a day (exclusive).

    ``ramp_days`` bring them in evenly; ``delay_days`` is the mean of a delay that nobody knows, drawn
    anew on every path (exponential). ``hashrate`` and ``power`` are factors of overclock or derate.
    """

    site: str
    machine: Machine
    count: int
    since: date | None = None
    until: date | None = None
    ramp_days: float = 0.0
    delay_days: float = 0.0
    hashrate: float = 1.0
    power: float = 1.0
    firmware: tuple[Firmware, ...] = ()

    def __post_init__(self) -> None:
        between(f"number of {self.machine.model}", self.count, 1, 10_000_000)
        if self.since and self.until and self.until <= self.since:
            refuse(f"{self.machine.model} at {self.site}: until {self.until} is not after since")
        between("ramp_days", self.ramp_days, 0.0, 1_000.0)
        between("delay_days", self.delay_days, 0.0, 1_000.0)
        between("factor on hashrate", self.hashrate, 0.1, 3.0)
        between("factor on power", self.power, 0.1, 3.0)
        if self.since is None and (self.ramp_days or self.delay_days):
            refuse(f"{self.machine.model} at {self.site}: a ramp or a delay needs since")

    def tuned(self, at: datetime) -> tuple[float, float]:
        """Hashes per second and watts of one machine at an instant."""
        hashrate, power = self.hashrate, self.power
        for step in sorted(self.firmware, key=lambda one: one.since):
            if _start(step.since) <= at:
                hashrate, power = self.hashrate * step.hashrate, self.power * step.power
        return self.machine.hashrate_ths * 1e12 * hashrate, self.machine.power_w * power

    def share(self, start: datetime, end: datetime) -> float:
        """Mean share of the machines that run between two instants, as planned, without delay."""
        whole = (end - start).total_seconds()
        first = start if self.since is None else max(start, _start(self.since))
        last = end if self.until is None else min(end, _start(self.until))
        if last <= first:
            return 0.0
        if self.since is None or self.ramp_days == 0.0:
            return (last - first).total_seconds() / whole
        return _ramped(_start(self.since), self.ramp_days, first, last) / whole

    def share_of(self, month: Month) -> float:
        """Mean share of the machines that run in a month, as planned."""
        return self.share(month.start, month.end)

    def edges(self) -> tuple[datetime, ...]:
        """Instants at which what this batch earns changes its course."""
        days = [day for day in (self.since, self.until) if day is not None]
        found = [_start(day) for day in (*days, *(step.since for step in self.firmware))]
        if self.since is not None and self.ramp_days:
            weeks = int(self.ramp_days // 7)
            begin = _start(self.since)
            found += [begin + timedelta(days=7 * week) for week in range(1, weeks + 1)]
            found.append(begin + timedelta(days=self.ramp_days))
        return tuple(found)


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _ramped(begin: datetime, days: float, first: datetime, last: datetime) -> float:
    """Machine-seconds per machine between two instants of an even ramp and the time after it."""

    def until(at: datetime) -> float:
        since = max((at - begin).total_seconds(), 0.0)
        ramp = days * 86_400.0
        return since * since / (2.0 * ramp) if since < ramp else since - ramp / 2.0

    return until(last) - until(first)


EMPTY: MappingProxyType[Month, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Cash costs that do not depend on coins, by month, and what is not cash."""

    fixed_usd_month: float
    debt_service_usd_month: float
    depreciation_usd_month: float
    capex_usd: MappingProxyType[Month, float] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        for name in ("fixed_usd_month", "debt_service_usd_month", "depreciation_usd_month"):
            between(name, getattr(self, name), 0.0, 1e10)
        for month, amount in self.capex_usd.items():
            between(f"capex of {month}", amount, 0.0, 1e11)
