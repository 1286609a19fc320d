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
from headframe.book.closing import closing_flows, released
from headframe.book.confirmation import (
    Confirmation,
    ConfirmedLeg,
    Difference,
    differences,
)
from headframe.book.entries import (
    coins_mined,
    coins_sold,
    collateral,
    costs_paid,
    hedge_flow,
    line_drawn,
    opening,
    promise,
    venue_margin,
)
from headframe.book.funding import Funding, fund, repay
from headframe.book.ledger import Entry, Ledger, Overdrawn, Posting, TrialLine
from headframe.book.trade import (
    Designation,
    MarginTerms,
    Position,
    Trade,
    TradeLeg,
    allocate,
)

__all__ = [
    "CASH",
    "COINS_FREE",
    "COINS_PLEDGED",
    "CREDIT_LINE",
    "LOAN",
    "OPENING",
    "Accounts",
    "Confirmation",
    "ConfirmedLeg",
    "Designation",
    "Difference",
    "Entry",
    "Funding",
    "Ledger",
    "MarginTerms",
    "Overdrawn",
    "Position",
    "Posting",
    "Trade",
    "TradeLeg",
    "TrialLine",
    "allocate",
    "closing_flows",
    "coins_mined",
    "coins_sold",
    "collateral",
    "costs_paid",
    "differences",
    "fund",
    "hedge_flow",
    "line_drawn",
    "opening",
    "promise",
    "released",
    "repay",
    "venue_margin",
]
