"""What can hurt us while a hedge is on: basis, outcome, margin, credit, limits, courses of the price."""

from headframe.risk.basis import BasisRisk, basis_risk, sale_weights
from headframe.risk.courses import Course, course_prices
from headframe.risk.credit import Exposure, Pledge, by_group, credit_charge_usd, exposure
from headframe.risk.margin import (
    Liquidity,
    MarginState,
    cash_out_price,
    collateral_due_to_us,
    collateral_wanted,
    requirement,
    rule_set,
    venue_initial_coins,
)
from headframe.risk.marks import Mark, leg_price, leg_value_usd, mark, position_value_usd
from headframe.risk.outcome import Outcome, Strategy, Terms, outcomes
from headframe.risk.stress import MOVES, StressRow, stress
from headframe.risk.watch import Status, Watched

__all__ = [
    "MOVES",
    "BasisRisk",
    "Course",
    "Exposure",
    "Liquidity",
    "MarginState",
    "Mark",
    "Outcome",
    "Pledge",
    "Status",
    "Strategy",
    "StressRow",
    "Terms",
    "Watched",
    "basis_risk",
    "by_group",
    "cash_out_price",
    "collateral_due_to_us",
    "collateral_wanted",
    "course_prices",
    "credit_charge_usd",
    "exposure",
    "leg_price",
    "leg_value_usd",
    "mark",
    "outcomes",
    "position_value_usd",
    "requirement",
    "rule_set",
    "sale_weights",
    "stress",
    "venue_initial_coins",
]
