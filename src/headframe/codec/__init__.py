"""How domain values are written as JSON and TOML and read back, in one place."""

from headframe.codec.canonical import canonical, sha256
from headframe.codec.checking import agree, readable_text
from headframe.codec.coin_names import COIN_COLUMNS, coin_named
from headframe.codec.confirmations import read_confirmations
from headframe.codec.exact import ExactFloat, exact_decimal, exact_float, exact_whole, load_exact
from headframe.codec.flows import read_flows
from headframe.codec.funding import funding_rows, read_funding, read_funding_answer
from headframe.codec.locate import locate
from headframe.codec.margins import read_outright_margins
from headframe.codec.pool_answers import (
    PoolPage,
    PoolPayouts,
    is_full_page,
    pool_payouts,
    read_pool_page,
)
from headframe.codec.pool_api import PoolApi
from headframe.codec.reader import Problem
from headframe.codec.rows import TableRow, cells_of, each_row, number, rows_of, settled_points
from headframe.codec.settings import (
    HistorySettings,
    Settings,
    VenueSettings,
    WorkspaceSettings,
    counterparties_in_part,
    mandate_in_part,
    read_counterparties,
    read_mandate,
    read_settings,
    settings_in_part,
)
from headframe.codec.settlement_prices import (
    PriceDefaults,
    delivery_rows,
    read_delivery_answer,
    read_settlement_prices,
)
from headframe.codec.statements import read_statement
from headframe.codec.tables import (
    blocks_from_text,
    fee_months_from_text,
    fees_from_text,
    history_from_text,
    power_from_text,
    prices_from_text,
)
from headframe.codec.values import from_json, to_json

__all__ = [
    "COIN_COLUMNS",
    "ExactFloat",
    "HistorySettings",
    "PoolApi",
    "PoolPage",
    "PoolPayouts",
    "PriceDefaults",
    "Problem",
    "Settings",
    "TableRow",
    "VenueSettings",
    "WorkspaceSettings",
    "agree",
    "blocks_from_text",
    "canonical",
    "cells_of",
    "coin_named",
    "counterparties_in_part",
    "delivery_rows",
    "each_row",
    "exact_decimal",
    "exact_float",
    "exact_whole",
    "fee_months_from_text",
    "fees_from_text",
    "from_json",
    "funding_rows",
    "history_from_text",
    "is_full_page",
    "load_exact",
    "locate",
    "mandate_in_part",
    "number",
    "pool_payouts",
    "power_from_text",
    "prices_from_text",
    "read_confirmations",
    "read_counterparties",
    "read_delivery_answer",
    "read_flows",
    "read_funding",
    "read_funding_answer",
    "read_mandate",
    "read_outright_margins",
    "read_pool_page",
    "read_settings",
    "read_settlement_prices",
    "read_statement",
    "readable_text",
    "rows_of",
    "settings_in_part",
    "settled_points",
    "sha256",
    "to_json",
]
