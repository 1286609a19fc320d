"""What we own and owe, exact: ledger, trades, promises of coins."""

from headframe.book.accounts import (
    CASH,
    COINS_FREE,
    COINS_PLEDGED,
    CREDIT_LINE,
    LOAN,
    OPENING,
    Accounts,
)
from headframe.book.bank import Bank, FxRate, Transit, at_hand, others_usd, still, under_way
from headframe.book.calls import PendingCall, pending_usd
from headframe.book.closing import closing_flows, released
from headframe.book.confirmation import (
    Confirmation,
    ConfirmedLeg,
    Difference,
    differences,
)
from headframe.book.contract import (
    Contract,
    ContractTerms,
    HeldContract,
    StatedContract,
    contract_dealt,
    contract_differences,
    contract_paid,
    contract_released,
)
from headframe.book.currency import AtCost, at_cost
from headframe.book.entries import (
    coins_mined,
    coins_sold,
    collateral,
    collateral_coins,
    costs_paid,
    hedge_flow,
    line_drawn,
    opening,
    promise,
    venue_margin,
)
from headframe.book.flows import Flow, FlowKind, entries_of
from headframe.book.funding import Funding, fund, repay
from headframe.book.ledger import Entry, Ledger, Overdrawn, Posting, TrialLine
from headframe.book.statement import Break, Matched, Stated, match
from headframe.book.trade import (
    Designation,
    MarginTerms,
    Position,
    Trade,
    TradeLeg,
    allocate,
)
from headframe.book.versions import version, version_flows

__all__ = [
    "CASH",
    "COINS_FREE",
    "COINS_PLEDGED",
    "CREDIT_LINE",
    "LOAN",
    "OPENING",
    "Accounts",
    "AtCost",
    "Bank",
    "Break",
    "Confirmation",
    "ConfirmedLeg",
    "Contract",
    "ContractTerms",
    "Designation",
    "Difference",
    "Entry",
    "Flow",
    "FlowKind",
    "Funding",
    "FxRate",
    "HeldContract",
    "Ledger",
    "MarginTerms",
    "Matched",
    "Overdrawn",
    "PendingCall",
    "Position",
    "Posting",
    "Stated",
    "StatedContract",
    "Trade",
    "TradeLeg",
    "Transit",
    "TrialLine",
    "allocate",
    "at_cost",
    "at_hand",
    "closing_flows",
    "coins_mined",
    "coins_sold",
    "collateral",
    "collateral_coins",
    "contract_dealt",
    "contract_differences",
    "contract_paid",
    "contract_released",
    "costs_paid",
    "differences",
    "entries_of",
    "fund",
    "hedge_flow",
    "line_drawn",
    "match",
    "opening",
    "others_usd",
    "pending_usd",
    "promise",
    "released",
    "repay",
    "still",
    "under_way",
    "venue_margin",
    "version",
    "version_flows",
]
