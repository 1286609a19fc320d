"""What can hurt us while a hedge is on: basis, outcome, margin, credit, limits, courses of the price."""

from headframe.risk.basis import BasisRisk, basis_risk, sale_weights
from headframe.risk.courses import Course, course_prices
from headframe.risk.credit import Exposure, Pledge, by_group, credit_charge_usd, exposure
from headframe.risk.distribution import LEVELS, Chance, MonthSpread, Spread, Summary, summary
from headframe.risk.effectiveness import Effectiveness, effectiveness
from headframe.risk.engine import (
    Engine,
    Programme,
    gathered,
    prepare,
    result_sha256,
    run,
    shards,
)
from headframe.risk.episodes import StressOutcome, stressed, walked_courses
from headframe.risk.hedged import (
    DEALER,
    VENUE,
    HedgedLeg,
    NettingSet,
    hedge_in_force,
    hedge_of,
)
from headframe.risk.liquidity import (
    LiquidityAtRisk,
    liquidity_at_risk,
    opening_of,
    simulated_call,
)
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
from headframe.risk.marks import (
    Mark,
    gross_vega_usd,
    leg_price,
    leg_value_usd,
    mark,
    position_value_usd,
    structure_greeks,
)
from headframe.risk.outcome import Outcome, Strategy, Terms, outcomes
from headframe.risk.price_models import Ladder, PriceModel, ladder
from headframe.risk.production_swaps import Outlook, Worth, difficulty_worth, hashprice_worth
from headframe.risk.stress import MOVES, StressRow, stress
from headframe.risk.watch import Status, Watched

__all__ = [
    "DEALER",
    "LEVELS",
    "MOVES",
    "VENUE",
    "BasisRisk",
    "Chance",
    "Course",
    "Effectiveness",
    "Engine",
    "Exposure",
    "HedgedLeg",
    "Ladder",
    "Liquidity",
    "LiquidityAtRisk",
    "MarginState",
    "Mark",
    "MonthSpread",
    "NettingSet",
    "Outcome",
    "Outlook",
    "Pledge",
    "PriceModel",
    "Programme",
    "Spread",
    "Status",
    "Strategy",
    "StressOutcome",
    "StressRow",
    "Summary",
    "Terms",
    "Watched",
    "Worth",
    "basis_risk",
    "by_group",
    "cash_out_price",
    "collateral_due_to_us",
    "collateral_wanted",
    "course_prices",
    "credit_charge_usd",
    "difficulty_worth",
    "effectiveness",
    "exposure",
    "gathered",
    "gross_vega_usd",
    "hashprice_worth",
    "hedge_in_force",
    "hedge_of",
    "ladder",
    "leg_price",
    "leg_value_usd",
    "liquidity_at_risk",
    "mark",
    "opening_of",
    "outcomes",
    "position_value_usd",
    "prepare",
    "requirement",
    "result_sha256",
    "rule_set",
    "run",
    "sale_weights",
    "shards",
    "simulated_call",
    "stress",
    "stressed",
    "structure_greeks",
    "summary",
    "venue_initial_coins",
    "walked_courses",
]
