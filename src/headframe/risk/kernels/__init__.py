"""The arithmetic of risk: numbers in, numbers out."""

from headframe.risk.kernels.cash import FIGURES, run_programme
from headframe.risk.kernels.exposures import exposures
from headframe.risk.kernels.hedging import bridge, hedge_against_sales
from headframe.risk.kernels.marks import AMOUNT, EXPIRY, SET, mark_errors, mark_tables
from headframe.risk.kernels.paths import V0, garch_deviance, price_paths

__all__ = [
    "AMOUNT",
    "EXPIRY",
    "FIGURES",
    "SET",
    "V0",
    "bridge",
    "exposures",
    "garch_deviance",
    "hedge_against_sales",
    "mark_errors",
    "mark_tables",
    "price_paths",
    "run_programme",
]
