"""The programme: exposure, blocks by expiry, candidates, choosing under the mandate, performance."""

from headframe.hedge.candidates import Candidate, FeeSchedule, Street, candidates, hypothetical
from headframe.hedge.choose import best, cost_usd, score
from headframe.hedge.closing import closing_of, whole_steps, with_remainder
from headframe.hedge.contracts import (
    ContractEnvelope,
    ContractPriced,
    ContractRated,
    contract_envelope,
    contract_of,
    describe_contract,
    designated,
    expected_fixing,
    index_of,
    price_contract,
    rate_contract,
)
from headframe.hedge.covenants import LIEN, RATIO, STEP, Covenant, Loan, covenants
from headframe.hedge.drafting import (
    describe,
    envelope_of,
    proposal_of,
    worst_by_mandate,
    worst_debit_share,
)
from headframe.hedge.exposure import (
    Bucket,
    ExposureRow,
    buckets,
    exposure_rows,
    fee_usd,
    floor_usd,
    hedged_share,
    planned_coins,
    secured_usd,
    upfront_usd,
)
from headframe.hedge.facts import premium_spent
from headframe.hedge.planned import as_dealt, open_proposals
from headframe.hedge.production_moved import ProductionMoved, production_moved
from headframe.hedge.profit import By, Sum, TradePnl, added_up
from headframe.hedge.proposal import Alternative, Proposal, replaced_by
from headframe.hedge.rating import Rated, compare, rate_again, stress_call
from headframe.hedge.rebalancing import Balance, balances
from headframe.hedge.review import Baseline, Trigger, too_much, triggers
from headframe.hedge.sales import SaleFill, Sold, sold_by_venue
from headframe.hedge.situation import Situation
from headframe.hedge.switching import Switch, future_of, switched
from headframe.hedge.unwind_costs import UnwindCost, unwind_costs

__all__ = [
    "LIEN",
    "RATIO",
    "STEP",
    "Alternative",
    "Balance",
    "Baseline",
    "Bucket",
    "By",
    "Candidate",
    "ContractEnvelope",
    "ContractPriced",
    "ContractRated",
    "Covenant",
    "ExposureRow",
    "FeeSchedule",
    "Loan",
    "ProductionMoved",
    "Proposal",
    "Rated",
    "SaleFill",
    "Situation",
    "Sold",
    "Street",
    "Sum",
    "Switch",
    "TradePnl",
    "Trigger",
    "UnwindCost",
    "added_up",
    "as_dealt",
    "balances",
    "best",
    "buckets",
    "candidates",
    "closing_of",
    "compare",
    "contract_envelope",
    "contract_of",
    "cost_usd",
    "covenants",
    "describe",
    "describe_contract",
    "designated",
    "envelope_of",
    "expected_fixing",
    "exposure_rows",
    "fee_usd",
    "floor_usd",
    "future_of",
    "hedged_share",
    "hypothetical",
    "index_of",
    "open_proposals",
    "planned_coins",
    "premium_spent",
    "price_contract",
    "production_moved",
    "proposal_of",
    "rate_again",
    "rate_contract",
    "replaced_by",
    "score",
    "secured_usd",
    "sold_by_venue",
    "stress_call",
    "switched",
    "too_much",
    "triggers",
    "unwind_costs",
    "upfront_usd",
    "whole_steps",
    "with_remainder",
    "worst_by_mandate",
    "worst_debit_share",
]
