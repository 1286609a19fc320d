"""Finding the money: coins are bought when too few are free, the credit line is drawn when cash is short."""

from dataclasses import dataclass
from fractions import Fraction

from headframe.book.accounts import CASH, COINS_FREE, CREDIT_LINE, Accounts
from headframe.book.entries import coins_sold, line_drawn
from headframe.book.ledger import Entry, Ledger, Posting
from headframe.units import USD, Money, booked


@dataclass(frozen=True, slots=True)
class Funding:
    """Entries that make room for a payment, and what could not be found, in USD."""

    entries: tuple[Entry, ...]
    short: Money


def fund(ledger: Ledger, *, coins: Money, dollars: Money, spot: Fraction, line: Money) -> Funding:
    """Make sure so many free coins and dollars are there to be paid away.

    Missing coins are bought at spot; missing dollars are drawn on the line up to its limit, and
    what is still missing is booked as overdue, visibly, never as a negative balance.
    """
    entries: list[Entry] = []
    missing = coins - ledger.balance(COINS_FREE, coins.currency)
    if missing.smallest > 0:
        cost = _up(Fraction(missing.smallest, missing.currency.scale) * spot)
        dollars = dollars + cost
        entries.append(coins_sold(-missing, -cost))
    gap = dollars - ledger.balance(CASH, USD)
    short = Money(USD, 0)
    if gap.smallest > 0:
        room = line + ledger.balance(CREDIT_LINE, USD)
        drawn = Money(USD, max(min(gap.smallest, room.smallest), 0))
        short = gap - drawn
        if drawn.smallest:
            entries.insert(0, line_drawn(drawn))
        if short.smallest:
            entries.insert(0, _overdue(short))
    return Funding(tuple(entries), short)


def repay(ledger: Ledger, *, keep: Money) -> tuple[Entry, ...]:
    """Pay back overdue amounts and the line from cash above ``keep``."""
    spare = (ledger.balance(CASH, USD) - keep).smallest
    entries: list[Entry] = []
    for account, make in ((Accounts.OVERDUE, _overdue), (CREDIT_LINE, line_drawn)):
        owed = -ledger.balance(account, USD).smallest
        back = min(spare, owed)
        if back > 0:
            entries.append(make(Money(USD, -back)))
            spare -= back
    return tuple(entries)


def _overdue(money: Money) -> Entry:
    return Entry("overdue", (Posting(CASH, money), Posting(Accounts.OVERDUE, -money)))


def _up(dollars: Fraction) -> Money:
    """Dollars in whole cents for coins bought."""
    return booked(dollars, USD)
