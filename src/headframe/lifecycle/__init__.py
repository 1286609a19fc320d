"""The daily close: settlement, variation, expiry and exercise, run-off of designations, results by month."""

from headframe.lifecycle.daily_margin import collateral_given, collateral_returned
from headframe.lifecycle.day import DayEnd, close_day, mined_on
from headframe.lifecycle.day_start import DayStart
from headframe.lifecycle.performance import MonthResult, Total, total, with_flows

__all__ = [
    "DayEnd",
    "DayStart",
    "MonthResult",
    "Total",
    "close_day",
    "collateral_given",
    "collateral_returned",
    "mined_on",
    "total",
    "with_flows",
]
