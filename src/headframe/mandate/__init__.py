"""The board's policy as signed; the verdict on a proposal; the only way to obtain an approval."""

from headframe.mandate.approval import Approval, NoApproval, approve, recall_approval
from headframe.mandate.facts import DealerFacts, Facts, MonthFacts
from headframe.mandate.policy import (
    ORDER_BOOK,
    AskingRules,
    Band,
    BasisRules,
    CashRules,
    Choice,
    CounterpartyRules,
    CoverRules,
    Criterion,
    Lender,
    Mandate,
    People,
    QuietWindow,
    RfqRules,
    Scope,
    Unwind,
    Where,
    is_order_book,
)
from headframe.mandate.rules import Rule
from headframe.mandate.verdict import Breach, Stage, Verdict, judge

__all__ = [
    "ORDER_BOOK",
    "Approval",
    "AskingRules",
    "Band",
    "BasisRules",
    "Breach",
    "CashRules",
    "Choice",
    "CounterpartyRules",
    "CoverRules",
    "Criterion",
    "DealerFacts",
    "Facts",
    "Lender",
    "Mandate",
    "MonthFacts",
    "NoApproval",
    "People",
    "QuietWindow",
    "RfqRules",
    "Rule",
    "Scope",
    "Stage",
    "Unwind",
    "Verdict",
    "Where",
    "approve",
    "is_order_book",
    "judge",
    "recall_approval",
]
