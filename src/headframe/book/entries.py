"""What happens to a mine, as balanced entries. Each function is one event of the business."""

from headframe.book.accounts import (
    CASH,
    COINS_FREE,
    COINS_PLEDGED,
    CREDIT_LINE,
    LOAN,
    OPENING,
    Accounts,
)
from headframe.book.ledger import Entry, Posting
from headframe.units import COINS, Money, Month


def _move(memo: str, debit: str, credit: str, money: Money) -> Entry:
    return Entry(memo, (Posting(debit, money), Posting(credit, -money)))


def opening(*, cash: Money, free: Money, pledged: Money, loan: Money) -> Entry:
    """What the mine owns and owes on the first day."""
    return Entry(
        "opening balances",
        (
            Posting(CASH, cash),
            Posting(COINS_FREE, free),
            Posting(COINS_PLEDGED, pledged),
            Posting(LOAN, -loan),
            Posting(OPENING, loan - cash),
            Posting(OPENING, -(free + pledged)),
        ),
    )


def coins_mined(coins: Money) -> Entry:
    """Coins arrive from the pool."""
    return _move("mined", COINS_FREE, Accounts.MINED, coins)


def coins_sold(coins: Money, proceeds: Money) -> Entry:
    """Coins leave, dollars come; negative coins are bought."""
    return Entry(
        "sold" if coins.smallest >= 0 else "bought",
        (
            Posting(COINS_FREE, -coins),
            Posting(Accounts.CONVERSION, coins),
            Posting(CASH, proceeds),
            Posting(Accounts.CONVERSION, -proceeds),
        ),
    )


def costs_paid(what: str, money: Money) -> Entry:
    """Dollars leave for power, wages, interest or machines."""
    return _move(what, Accounts.expense(what), CASH, money)


def hedge_flow(trade: str, money: Money, memo: str) -> Entry:
    """A hedge pays us (positive) or we pay it, in the currency it settles in."""
    account = COINS_FREE if money.currency.code in COINS else CASH
    return _move(f"{memo} {trade}", account, Accounts.hedge(trade), money)


def venue_margin(venue: str, coins: Money) -> Entry:
    """Coins posted to a venue as margin, or returned where negative."""
    return _move(f"margin at {venue}", Accounts.coins_posted(venue), COINS_FREE, coins)


def collateral(dealer: str, money: Money, *, ours: bool) -> Entry:
    """Cash we post to a dealer (``ours``) or it posts to us; negative is returned."""
    if ours:
        return _move(f"collateral to {dealer}", Accounts.cash_posted(dealer), CASH, money)
    return _move(f"collateral from {dealer}", CASH, Accounts.cash_held(dealer), money)


def collateral_coins(dealer: str, coins: Money) -> Entry:
    """Coins we post to a dealer, returned where negative."""
    return _move(f"collateral to {dealer}", Accounts.coins_posted(dealer), COINS_FREE, coins)


def line_drawn(money: Money) -> Entry:
    """Dollars drawn on the credit line, or paid back where negative."""
    return _move("credit line", CASH, CREDIT_LINE, money)


def coins_overdue(coins: Money) -> Entry:
    """Coins owed that could not be found, as a liability; paid where negative."""
    return _move("coins overdue", COINS_FREE, Accounts.OVERDUE, coins)


def dollars_overdue(money: Money) -> Entry:
    """Dollars of a stablecoin owed to a venue, as a liability; paid where negative."""
    return _move("overdue", CASH, Accounts.OVERDUE, money)


def promise(month: Month, coins: Money, *, firm: bool, memo: str) -> Entry:
    """Coins of a month promised (or only floored) by a trade; negative when delivered or released."""
    account = Accounts.firm(month) if firm else Accounts.floored(month)
    return _move(f"{memo} {month}", account, Accounts.production(month), coins)
