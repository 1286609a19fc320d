"""The operation as the treasurer writes it down: the mine, its pool, its costs, its treasury."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from headframe.mining.fleet import Batch, Costs, Site
from headframe.mining.machines import between
from headframe.mining.pool import Pool
from headframe.units import Month, refuse


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
    """Transaction fees as a share of the subsidy: median, sd of the log, monthly persistence, tail.

    ``tail`` stretches the log's deviations z to z exp(tail z**2 / 2) (Tukey's h): 0 is log-normal.
    """

    share_median: float
    log_sd: float
    persistence: float
    tail: float = 0.0

    def __post_init__(self) -> None:
        between("median fee share", self.share_median, 0.0, 10.0)
        between("sd of the log fee share", self.log_sd, 0.0, 3.0)
        between("persistence of fees", self.persistence, 0.0, 0.999)
        between("tail of fees", self.tail, 0.0, 0.5)


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
    coins_as_collateral: bool = False
    """Whether coins are posted before dollars where an agreement takes them."""
    loan_rate: float = 0.0
    """Yearly interest on the loan that the daily close accrues; 0 where it is booked as a cost."""
    credit_line_rate: float = 0.0
    """The same on what is drawn of the credit line."""

    def __post_init__(self) -> None:
        for name in ("cash_usd", "credit_line_usd", "loan_usd"):
            between(name, getattr(self, name), 0.0, 1e12)
        between("coins_free", self.coins_free, 0.0, 21e6)
        between("coins_pledged", self.coins_pledged, 0.0, 21e6)
        between("loan_rate", self.loan_rate, 0.0, 1.0)
        between("credit_line_rate", self.credit_line_rate, 0.0, 1.0)
        between("loan_to_value_max", self.loan_to_value_max, 0.01, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The whole mine as it stands and is planned."""

    entity: str
    coin: str
    sites: tuple[Site, ...]
    fleet: tuple[Batch, ...]
    pool: Pool
    sale_policy: SalePolicy
    fees: FeeOutlook
    costs: Costs
    treasury: Treasury

    def __post_init__(self) -> None:
        names = [site.name for site in self.sites]
        if len(set(names)) != len(names):
            refuse("two sites have the same name")
        for batch in self.fleet:
            if batch.site not in names:
                refuse(f"{batch.machine.model} stands at {batch.site}, which is no site")

    def site(self, name: str) -> Site:
        """A site by its name."""
        return next(site for site in self.sites if site.name == name)

    def hashrate_hs(self, month: Month) -> float:
        """Mean hashes per second of a month, after uptime, season and the fleet's schedule."""
        return sum(self._hashes(batch, month) for batch in self.fleet)

    def _hashes(self, batch: Batch, month: Month) -> float:
        site = self.site(batch.site)
        hashes, _ = batch.tuned(_middle(month))
        factor = site.uptime * site.derating[month.number - 1]
        return batch.count * hashes * batch.share_of(month) * factor

    def energy_mwh(self, site: Site, month: Month) -> float:
        """Megawatt-hours a site draws in a month when nothing is curtailed."""
        middle = _middle(month)
        watts = sum(
            batch.count * batch.tuned(middle)[1] * batch.share_of(month)
            for batch in self.fleet
            if batch.site == site.name
        )
        return watts / 1e6 * 24.0 * month.days * site.uptime

    def overloaded(self, month: Month) -> tuple[str, ...]:
        """Sites whose machines draw more than their capacity in a month."""
        return tuple(
            site.name
            for site in self.sites
            if self.energy_mwh(site, month)
            > site.capacity_mw * 24.0 * month.days * site.uptime * 1.0001
        )


def _middle(month: Month) -> datetime:
    return month.start + (month.end - month.start) / 2


def first_full_month(at: datetime) -> Month:
    """The first month that has not begun."""
    return Month.of(at) if at == Month.of(at).start else Month.of(at).plus(1)
