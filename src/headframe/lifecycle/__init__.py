"""The daily close: settlement, variation, expiry and exercise, run-off of designations, results by month."""

from headframe.lifecycle.closed_day import ClosedDay
from headframe.lifecycle.daily_margin import collateral_given, collateral_returned
from headframe.lifecycle.day import DayEnd, close_day, mined_on, settle_day
from headframe.lifecycle.day_start import DayStart
from headframe.lifecycle.flows import FlowCause, HedgeFlow, LegSettlement, split
from headframe.lifecycle.performance import MonthResult, Total, total, with_flows
from headframe.lifecycle.results import Amount, HedgeResult, results_of
from headframe.lifecycle.settlement_prices import (
    ClosePrices,
    MissingPrice,
    PriceKind,
    PriceRecords,
    SettlementPrice,
    close_at,
    closes_after,
    future_name,
    future_of,
    index_name,
    last_close,
    prices_for,
)

__all__ = [
    "Amount",
    "ClosePrices",
    "ClosedDay",
    "DayEnd",
    "DayStart",
    "FlowCause",
    "HedgeFlow",
    "HedgeResult",
    "LegSettlement",
    "MissingPrice",
    "MonthResult",
    "PriceKind",
    "PriceRecords",
    "SettlementPrice",
    "Total",
    "close_at",
    "close_day",
    "closes_after",
    "collateral_given",
    "collateral_returned",
    "future_name",
    "future_of",
    "index_name",
    "last_close",
    "mined_on",
    "prices_for",
    "results_of",
    "settle_day",
    "split",
    "total",
    "with_flows",
]
