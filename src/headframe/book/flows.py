"""What happens to coins and cash outside hedges: payouts, sales, costs, pledges; each once, as entries."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from headframe.book.accounts import COINS_FREE, COINS_PLEDGED
from headframe.book.entries import coins_mined, coins_sold, costs_paid
from headframe.book.ledger import Entry, Posting
from headframe.units import BTC, USD, Money, Wrong


class FlowKind(StrEnum):
    """What it is."""

    PAYOUT = "payout"
    SALE = "sale"
    COST = "cost"
    PLEDGE = "pledge"
    RELEASE = "release"


_COINS = {FlowKind.PAYOUT, FlowKind.SALE, FlowKind.PLEDGE, FlowKind.RELEASE}
_DOLLARS = {FlowKind.SALE, FlowKind.COST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One of them by the id its source gives it: coins, dollars (of a sale before its fee), and what for."""

    id: str
    kind: FlowKind
    at: datetime
    coins: Money
    usd: Money
    fee: Money
    memo: str

    def __post_init__(self) -> None:
        if (self.coins.currency, self.usd.currency, self.fee.currency) != (BTC, USD, USD):
            raise Wrong("a flow is of coins and dollars")
        for name, money, wanted in (
            ("coins", self.coins, self.kind in _COINS),
            ("usd", self.usd, self.kind in _DOLLARS),
        ):
            if wanted != (money.smallest > 0) or money.smallest < 0:
                words = "above zero" if wanted else "left out"
                raise Wrong(f"{name} of a {self.kind} is {words}, was {money}")
        if self.fee.smallest < 0 or (self.fee.smallest and self.kind is not FlowKind.SALE):
            raise Wrong(f"fee_usd is of a sale, and not below zero, was {self.fee}")
        if self.kind is FlowKind.SALE and self.fee.smallest > self.usd.smallest:
            raise Wrong(f"the fee {self.fee} is more than the sale's {self.usd}")


def entries_of(flow: Flow) -> tuple[Entry, ...]:
    """A flow as balanced entries."""
    if flow.kind is FlowKind.PAYOUT:
        return (coins_mined(flow.coins),)
    if flow.kind is FlowKind.COST:
        return (costs_paid(flow.memo or "other", flow.usd),)
    if flow.kind is FlowKind.SALE:
        fee = (costs_paid("sale fees", flow.fee),) if flow.fee.smallest else ()
        return (coins_sold(flow.coins, flow.usd), *fee)
    coins = flow.coins if flow.kind is FlowKind.PLEDGE else -flow.coins
    moved = (Posting(COINS_PLEDGED, coins), Posting(COINS_FREE, -coins))
    return (Entry(f"{flow.kind} {flow.memo}".strip(), moved),)
