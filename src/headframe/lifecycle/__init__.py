"""The daily close: settlement, variation, expiry and exercise, run-off of designations, results by month."""

from headframe.lifecycle.closed_day import ClosedDay
from headframe.lifecycle.daily_margin import collateral_given, collateral_returned
from headframe.lifecycle.day import DayEnd, close_day, mined_on, settle_day
from headframe.lifecycle.day_start import DayStart
from headframe.lifecycle.flows import FlowCause, HedgeFlow, LegSettlement, split
from headframe.lifecycle.month_books import MonthBooks
from headframe.lifecycle.performance import MonthResult, Total, total, with_flows
from headframe.lifecycle.realised import (
    Bridge,
    RealisedMonth,
    bridge,
    intrinsic_per_coin,
    month_result,
    realised_months,
)
from headframe.lifecycle.relationship import HedgeView, ended_at, series
from headframe.lifecycle.results import Amount, HedgeResult, results_of
from headframe.lifecycle.run_off import (
    CoinSale,
    CurrentMonth,
    Delivered,
    DesignationState,
    Part,
    RunOffPolicy,
    coins_sold_by_month,
    current_month,
    deliveries,
    designation_states,
    parts_by_designation,
    sale_of,
)
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
    "Bridge",
    "ClosePrices",
    "ClosedDay",
    "CoinSale",
    "CurrentMonth",
    "DayEnd",
    "DayStart",
    "Delivered",
    "DesignationState",
    "FlowCause",
    "HedgeFlow",
    "HedgeResult",
    "HedgeView",
    "LegSettlement",
    "MissingPrice",
    "MonthBooks",
    "MonthResult",
    "Part",
    "PriceKind",
    "PriceRecords",
    "RealisedMonth",
    "RunOffPolicy",
    "SettlementPrice",
    "Total",
    "bridge",
    "close_at",
    "close_day",
    "closes_after",
    "coins_sold_by_month",
    "collateral_given",
    "collateral_returned",
    "current_month",
    "deliveries",
    "designation_states",
    "ended_at",
    "future_name",
    "future_of",
    "index_name",
    "intrinsic_per_coin",
    "last_close",
    "mined_on",
    "month_result",
    "parts_by_designation",
    "prices_for",
    "realised_months",
    "results_of",
    "sale_of",
    "series",
    "settle_day",
    "split",
    "total",
    "with_flows",
]
