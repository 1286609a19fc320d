"""Premium and fees on their value date: payable or receivable until then, cash from then on.

An agreement may settle premium some working days after the trade. The trade's profit is booked at once; the
cash account is not touched before the value date, when the daily close moves it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from headframe.book.accounts import CASH, COINS_FREE, Accounts
from headframe.book.ledger import Entry, Posting
from headframe.units import COINS, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDue:
    """One amount of a trade that settles later: positive is received from the dealer, negative paid."""

    trade: str
    dealer: str
    money: Money
    due: date

    @property
    def account(self) -> str:
        """The account on which it waits."""
        received = self.money.smallest > 0
        return Accounts.receivable(self.dealer) if received else Accounts.payable(self.dealer)


def deferred(
    entries: Sequence[Entry], trade: str, dealer: str, due: date
) -> tuple[list[Entry], list[PaymentDue]]:
    """Return entries that touch no cash before their value date, and what is due on it.

    Amounts of one currency and direction wait together, so that an account never goes the wrong way.
    """
    made: list[Entry] = []
    found: list[PaymentDue] = []
    for entry in entries:
        postings: list[Posting] = []
        for one in entry.postings:
            if one.account not in {CASH, COINS_FREE} or not one.money.smallest:
                postings.append(one)
                continue
            waiting = PaymentDue(trade=trade, dealer=dealer, money=one.money, due=due)
            found.append(waiting)
            postings.append(Posting(waiting.account, one.money))
        made.append(Entry(entry.memo, tuple(postings)))
    return made, found


def settled_on(dues: Iterable[PaymentDue], day: date) -> list[Entry]:
    """Return the entries that a close makes of what is due on its day or before."""
    return [
        Entry(
            f"value date {one.trade}",
            (
                Posting(COINS_FREE if one.money.currency.code in COINS else CASH, one.money),
                Posting(one.account, -one.money),
            ),
        )
        for one in dues
        if one.due <= day
    ]
