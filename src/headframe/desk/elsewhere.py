"""What is on, as another exchange would margin it."""

from collections.abc import Sequence

from headframe.desk import users
from headframe.desk.office import Office
from headframe.desk.ports import Invalid
from headframe.desk.valuation import value_now
from headframe.instrument import StructureKind
from headframe.risk import (
    MonthMargin,
    OutrightMargin,
    OutrightRow,
    contract_month,
    month_margins,
    outright,
)
from headframe.units import Month, Wrong, year_fraction


def margined(
    office: Office, rules: Sequence[OutrightMargin], product: str
) -> tuple[OutrightRow, ...]:
    """Futures and forwards on by month of expiry, in contracts of a product of the exchange's daily file.

    Invalid where the file has no margin for the product or one of the months.
    """
    users.allowed(office, users.Action.READ)
    now = value_now(office)
    coins: dict[Month, float] = {}
    forwards: dict[Month, float] = {}
    for one in now.positions:
        if one.trade.structure.is_future or one.trade.structure is StructureKind.FORWARD:
            month = contract_month(one)
            coins[month] = coins.get(month, 0.0) + float(one.coins)
            forwards[month] = now.surface.forward(year_fraction(now.at, one.trade.expiry))
    try:
        return outright(coins, forwards, rules, product)
    except Wrong as error:
        raise Invalid(str(error)) from error


def as_rules(
    office: Office, rules: Sequence[OutrightMargin], product: str, *, hedger: bool
) -> tuple[MonthMargin, ...]:
    """The file's margins of a product as shares by contract month, for ``[[margin_rules]]``."""
    users.allowed(office, users.Action.READ)
    now = value_now(office)

    def forward(month: Month) -> float:
        return now.surface.forward(max(year_fraction(now.at, month.start), 0.0))

    try:
        return month_margins(rules, product, forward, hedger=hedger)
    except Wrong as error:
        raise Invalid(str(error)) from error
