"""The programme: exposure, blocks by expiry, candidates, choosing under the mandate, performance."""

from headframe.hedge.candidates import Candidate, FeeSchedule, Street, candidates, hypothetical
from headframe.hedge.choose import best, cost_usd, score
from headframe.hedge.exposure import (
    Bucket,
    ExposureRow,
    buckets,
    exposure_rows,
    floor_usd,
    secured_usd,
)
from headframe.hedge.performance import MonthResult, Total, total

__all__ = [
    "Bucket",
    "Candidate",
    "ExposureRow",
    "FeeSchedule",
    "MonthResult",
    "Street",
    "Total",
    "best",
    "buckets",
    "candidates",
    "cost_usd",
    "exposure_rows",
    "floor_usd",
    "hypothetical",
    "score",
    "secured_usd",
    "total",
]
