"""Tables and sentences for people, as data; faces render them."""

from headframe.report.books import (
    exposure_by_dealer_table,
    trades_table,
    trial_table,
    watch_table,
)
from headframe.report.market import findings_table, market_table
from headframe.report.mine import (
    coverage_line,
    drivers_table,
    forecast_table,
    machines_table,
)
from headframe.report.policy import counterparty_table, mandate_table
from headframe.report.programme import (
    exposure_table,
    ladder_table,
    objective_table,
    performance_table,
    proposal_lines,
    scenario_table,
    strategy_table,
)
from headframe.report.render import html, markdown
from headframe.report.table import Cell, Column, Form, Page, Section, Table, texts, write

__all__ = [
    "Cell",
    "Column",
    "Form",
    "Page",
    "Section",
    "Table",
    "counterparty_table",
    "coverage_line",
    "drivers_table",
    "exposure_by_dealer_table",
    "exposure_table",
    "findings_table",
    "forecast_table",
    "html",
    "ladder_table",
    "machines_table",
    "mandate_table",
    "markdown",
    "market_table",
    "objective_table",
    "performance_table",
    "proposal_lines",
    "scenario_table",
    "strategy_table",
    "texts",
    "trades_table",
    "trial_table",
    "watch_table",
    "write",
]
