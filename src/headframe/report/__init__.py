"""Tables and sentences for people, as data; faces render them."""

from headframe.report.books import (
    exposure_by_dealer_table,
    trades_table,
    trial_table,
    watch_table,
)
from headframe.report.chains import (
    chain_facts,
    chain_table,
    chains_table,
    subsidy_facts,
)
from headframe.report.executions import (
    costs_table,
    execution_table,
    executions_table,
    scorecards_table,
)
from headframe.report.forecasts import (
    accuracy_table,
    bands_table,
    drivers_table,
    fine_table,
    natural_table,
    payouts_table,
    risks_table,
    scores_table,
    skill_table,
    versions_table,
    waterfall_table,
)
from headframe.report.market import deliveries_table, findings_table, market_table, ticker_lines
from headframe.report.mine import (
    coverage_line,
    forecast_rows,
    forecast_table,
    history_table,
    known_machines_table,
    machines_table,
    outlook_table,
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
from headframe.report.simulation import (
    liquidity_table,
    simulation_figures_table,
    simulation_months_table,
    stresses_table,
)
from headframe.report.structures import effectiveness_table, zero_cost_table
from headframe.report.table import Cell, Column, Form, Page, Section, Table, texts, write
from headframe.report.venue import held_there_table, minimums_table, requests_there_table

__all__ = [
    "Cell",
    "Column",
    "Form",
    "Page",
    "Section",
    "Table",
    "accuracy_table",
    "bands_table",
    "chain_facts",
    "chain_table",
    "chains_table",
    "costs_table",
    "counterparty_table",
    "coverage_line",
    "deliveries_table",
    "drivers_table",
    "effectiveness_table",
    "execution_table",
    "executions_table",
    "exposure_by_dealer_table",
    "exposure_table",
    "findings_table",
    "fine_table",
    "forecast_rows",
    "forecast_table",
    "held_there_table",
    "history_table",
    "html",
    "known_machines_table",
    "ladder_table",
    "liquidity_table",
    "machines_table",
    "mandate_table",
    "markdown",
    "market_table",
    "minimums_table",
    "natural_table",
    "objective_table",
    "outlook_table",
    "payouts_table",
    "performance_table",
    "proposal_lines",
    "requests_there_table",
    "risks_table",
    "scenario_table",
    "scorecards_table",
    "scores_table",
    "simulation_figures_table",
    "simulation_months_table",
    "skill_table",
    "strategy_table",
    "stresses_table",
    "subsidy_facts",
    "texts",
    "ticker_lines",
    "trades_table",
    "trial_table",
    "versions_table",
    "watch_table",
    "waterfall_table",
    "write",
    "zero_cost_table",
]
