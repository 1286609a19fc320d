"""Collateral terms of a bilateral agreement, and the amount it makes move.

ISDA Credit Support Annex: Credit Support Amount = exposure + independent amount - threshold, not
below zero (definition quoted in BCBS CRE52 footnote 5).
"""

from dataclasses import dataclass
from math import ceil, floor, isfinite

from headframe.units import Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class CollateralTerms:
    """Threshold, minimum transfer, rounding in USD, and the independent amount on notional sold.

    ``haircut`` is taken off the value of coins given as collateral.
    """

    threshold_usd: float
    minimum_transfer_usd: float
    rounding_usd: float
    independent_share: float
    haircut: float

    def __post_init__(self) -> None:
        for name in ("threshold_usd", "minimum_transfer_usd", "rounding_usd"):
            value: float = getattr(self, name)
            if not (isfinite(value) and 0.0 <= value <= 1e10):
                raise Wrong(f"{name} must lie between 0 and 1e10, was {value}")
        for name in ("independent_share", "haircut"):
            share: float = getattr(self, name)
            if not 0.0 <= share < 1.0:
                raise Wrong(f"{name} must lie between 0 and 1, was {share}")


def support_amount(terms: CollateralTerms, exposure_usd: float, notional_usd: float) -> float:
    """Collateral the side with the negative value owes in all: 0 inside the threshold.

    ``exposure_usd`` is what the secured side would lose; ``notional_usd`` carries the independent
    amount, 0 where none is due.
    """
    wanted = exposure_usd + terms.independent_share * notional_usd - terms.threshold_usd
    return max(wanted, 0.0)


def call_amount(terms: CollateralTerms, wanted_usd: float, held_usd: float) -> float:
    """What moves today: positive is delivered, negative is returned, 0 below the minimum transfer.

    Deliveries are rounded up and returns down to the rounding amount, in favour of the holder;
    collateral no longer owed at all returns whole.
    """
    gap = wanted_usd - held_usd
    if wanted_usd == 0.0:
        return -held_usd
    if abs(gap) < max(terms.minimum_transfer_usd, 0.01):
        return 0.0
    unit = terms.rounding_usd
    if unit == 0.0:
        return gap
    return ceil(gap / unit - 1e-9) * unit if gap > 0.0 else -floor(-gap / unit + 1e-9) * unit
