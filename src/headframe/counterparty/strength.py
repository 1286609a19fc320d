"""Financial strength from statements: Altman's Z'' in the variant that is stated.

E. I. Altman, "An emerging market credit scoring system for corporate bonds", Emerging Markets Review 6
(2005) 311-323: Z'' = 6.56 X1 + 3.26 X2 + 6.72 X3 + 1.05 X4 for firms that are neither listed nor
manufacturers; zones at 1.1 and 2.6. The variant for emerging markets adds 3.25, and its zones with it.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import isfinite

from headframe.units import refuse

SAFE_FROM, GREY_FROM = 2.6, 1.1
EMERGING = 3.25


class Zone(StrEnum):
    """Where a score lies."""

    SAFE = "safe"
    GREY = "grey"
    DISTRESS = "distress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """A balance sheet and a year's result, all in one currency and unit."""

    dated: date
    currency: str
    current_assets: float
    current_liabilities: float
    total_assets: float
    retained_earnings: float
    ebit: float
    equity: float
    total_liabilities: float
    emerging_market: bool = False

    def __post_init__(self) -> None:
        for name in ("total_assets", "total_liabilities"):
            value: float = getattr(self, name)
            if not (isfinite(value) and value > 0.0):
                refuse(f"{name} of the statements must be above 0, was {value}")
        for name in (
            "current_assets",
            "current_liabilities",
            "retained_earnings",
            "ebit",
            "equity",
        ):
            if not isfinite(getattr(self, name)):
                refuse(f"{name} of the statements is no number")
        gap = abs(self.total_assets - self.total_liabilities - self.equity)
        if gap > 0.005 * self.total_assets:
            refuse(
                f"the statements of {self.dated} do not balance: assets {self.total_assets:,.0f}, "
                f"liabilities {self.total_liabilities:,.0f}, equity {self.equity:,.0f} {self.currency}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Altman:
    """The score, its four ratios, the variant and the zone."""

    z: float
    working_capital: float
    retained: float
    earnings: float
    equity: float
    variant: str
    zone: Zone


def altman(statements: Statements) -> Altman:
    """Altman's Z'' of a firm; for emerging markets with the constant of that variant."""
    one = statements
    x1 = (one.current_assets - one.current_liabilities) / one.total_assets
    x2 = one.retained_earnings / one.total_assets
    x3 = one.ebit / one.total_assets
    x4 = one.equity / one.total_liabilities
    z = 6.56 * x1 + 3.26 * x2 + 6.72 * x3 + 1.05 * x4
    zone = Zone.DISTRESS
    if z > SAFE_FROM:
        zone = Zone.SAFE
    elif z >= GREY_FROM:
        zone = Zone.GREY
    variant = "Z'' for emerging markets, +3.25" if one.emerging_market else "Z''"
    return Altman(
        z=z + (EMERGING if one.emerging_market else 0.0),
        working_capital=x1,
        retained=x2,
        earnings=x3,
        equity=x4,
        variant=variant,
        zone=zone,
    )
