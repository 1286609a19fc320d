"""What happens to coins and cash outside hedges: payouts, sales, costs, pledges; each once, as entries."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from headframe.book.accounts import CASH, COINS_FREE, COINS_PLEDGED, Accounts
from headframe.book.entries import coins_mined, coins_sold, costs_paid
from headframe.book.ledger import Entry, Posting
from headframe.units import BTC, COINS, Money, Wrong


class FlowKind(StrEnum):
    """What it is."""

    PAYOUT = "payout"
    SALE = "sale"
    COST = "cost"
    PLEDGE = "pledge"
    RELEASE = "release"
    CONVERT = "convert"
    CAPITAL = "capital"
    DISTRIBUTION = "distribution"
    LEND = "lend"
    RECALL = "recall"
    INTEREST = "interest"


_LENT = {FlowKind.LEND, FlowKind.RECALL, FlowKind.INTEREST}
_COINS = {FlowKind.PAYOUT, FlowKind.SALE, FlowKind.PLEDGE, FlowKind.RELEASE, *_LENT}
_CASH = {
    FlowKind.SALE,
    FlowKind.COST,
    FlowKind.CONVERT,
    FlowKind.CAPITAL,
    FlowKind.DISTRIBUTION,
}
_ANY_COIN = {FlowKind.PAYOUT, FlowKind.SALE}
_CHARGED = {FlowKind.SALE, FlowKind.CONVERT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One of them by the id its source gives it: coins, cash of a currency (before its fee), and what for.

    A conversion gives ``cash`` for ``into``; capital is what owners pay in, a distribution what they take.
    """

    id: str
    kind: FlowKind
    at: datetime
    coins: Money
    cash: Money
    fee: Money
    memo: str
    into: Money | None = None
    venue: str = ""
    """Where a sale was dealt, or to which counterparty coins are lent."""
    txid: str = ""
    """The transaction of a payout, where its source names it."""
    output: int | None = None
    """The place of its output in the transaction."""

    def __post_init__(self) -> None:
        if self.coins.currency.code not in COINS or BTC in {self.cash.currency, self.fee.currency}:
            raise Wrong("a flow is of coins and cash")
        if self.coins.currency != BTC and self.kind not in _ANY_COIN:
            raise Wrong(f"a {self.kind} is of {BTC.code}: other coins are mined and sold")
        if self.fee.currency != self.cash.currency:
            raise Wrong(f"the fee of {self.id} is in another currency than its cash")
        for name, money, wanted in (
            ("coins", self.coins, self.kind in _COINS),
            (self.cash.currency.code.lower(), self.cash, self.kind in _CASH),
        ):
            if wanted != (money.smallest > 0) or money.smallest < 0:
                words = "above zero" if wanted else "left out"
                raise Wrong(f"{name} of a {self.kind} is {words}, was {money}")
        if self.fee.smallest < 0 or (self.fee.smallest and self.kind not in _CHARGED):
            raise Wrong(f"a fee is of a sale or a conversion, and not below zero, was {self.fee}")
        if self.kind is FlowKind.SALE and self.fee.smallest > self.cash.smallest:
            raise Wrong(f"the fee {self.fee} is more than the sale's {self.cash}")
        self._placed()
        self._converts()

    def _placed(self) -> None:
        """Whether a venue is where one belongs: of a sale, and of coins lent, which need it."""
        if self.txid and self.kind is not FlowKind.PAYOUT:
            raise Wrong(f"a txid is of a payout, not of a {self.kind}")
        if self.venue and self.kind is not FlowKind.SALE and not self.lent:
            raise Wrong("a venue is of a sale, or the counterparty of coins lent")
        if self.lent and not self.venue:
            raise Wrong(f"a {self.kind} names its counterparty as venue")

    @property
    def lent(self) -> bool:
        """Whether it is of coins lent: given, returned, or the interest on them in coins."""
        return self.kind in _LENT

    def _converts(self) -> None:
        """Whether what it converts into is there, and another currency."""
        if (self.into is not None) != (self.kind is FlowKind.CONVERT):
            raise Wrong("into is of a conversion, which needs it")
        if self.into is not None and (
            self.into.smallest <= 0 or self.into.currency in {self.cash.currency, BTC}
        ):
            raise Wrong(f"a conversion is into another currency, was {self.into}")


def entries_of(flow: Flow) -> tuple[Entry, ...]:
    """A flow as balanced entries."""
    if flow.kind is FlowKind.PAYOUT:
        return (coins_mined(flow.coins),)
    if flow.kind is FlowKind.COST:
        return (costs_paid(flow.memo or "other", flow.cash),)
    if flow.kind in _CHARGED:
        fee = (costs_paid(f"{flow.kind} fees", flow.fee),) if flow.fee.smallest else ()
        dealt = _converted(flow) if flow.into else coins_sold(flow.coins, flow.cash)
        return (dealt, *fee)
    if flow.kind in {FlowKind.CAPITAL, FlowKind.DISTRIBUTION}:
        paid_in = flow.cash if flow.kind is FlowKind.CAPITAL else -flow.cash
        moved = (Posting(CASH, paid_in), Posting(Accounts.CAPITAL, -paid_in))
        return (Entry(f"{flow.kind} {flow.memo}".strip(), moved),)
    if flow.kind is FlowKind.INTEREST:
        moved = (Posting(COINS_FREE, flow.coins), Posting(Accounts.INTEREST, -flow.coins))
        return (Entry(f"interest of {flow.venue}", moved),)
    given = flow.kind in {FlowKind.PLEDGE, FlowKind.LEND}
    coins = flow.coins if given else -flow.coins
    where = Accounts.coins_lent(flow.venue) if flow.lent else COINS_PLEDGED
    moved = (Posting(where, coins), Posting(COINS_FREE, -coins))
    return (Entry(f"{flow.kind} {flow.memo}".strip(), moved),)


def _converted(flow: Flow) -> Entry:
    assert flow.into is not None
    return Entry(
        "converted",
        (
            Posting(CASH, -flow.cash),
            Posting(Accounts.CONVERSION, flow.cash),
            Posting(CASH, flow.into),
            Posting(Accounts.CONVERSION, -flow.into),
        ),
    )
