"""How we mine and the coins that come of it: fleet, power, pool, difficulty, forecast."""

from headframe.mining.difficulty import DifficultyModel, estimate
from headframe.mining.forecast import Band, Forecast, MonthForecast, Paths, forecast, simulate
from headframe.mining.operation import (
    KNOWN_MACHINES,
    Batch,
    Costs,
    FeeOutlook,
    Machine,
    Operation,
    PoolScheme,
    SalePolicy,
    Site,
    Treasury,
    first_full_month,
)

__all__ = [
    "KNOWN_MACHINES",
    "Band",
    "Batch",
    "Costs",
    "DifficultyModel",
    "FeeOutlook",
    "Forecast",
    "Machine",
    "MonthForecast",
    "Operation",
    "Paths",
    "PoolScheme",
    "SalePolicy",
    "Site",
    "Treasury",
    "estimate",
    "first_full_month",
    "forecast",
    "simulate",
]
