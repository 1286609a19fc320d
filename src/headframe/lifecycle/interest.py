"""Interest that a close accrues: on dollars given as collateral by either side, on the loan, on the line.

Accrued for each day on what stood at its beginning, simple, rounded to the cent each day: ACT/360 on
collateral, as annexes have it, ACT/365 on loan and line. It is income or expense of its day and waits as
receivable or payable; on the first working day of each month the close moves what has accrued before it.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from headframe.book import CASH, CREDIT_LINE, LOAN, Accounts, Entry, Ledger, Posting
from headframe.counterparty import CollateralTerms
from headframe.lifecycle.day_start import DayStart
from headframe.units import USD, Money, WorkingDays, booked

_COLLATERAL_YEAR, _LOAN_YEAR = 360, 365


def interest_of_day(start: DayStart) -> list[Entry]:
    """Return what a close moves of the interest of months before, and what it accrues for its day."""
    day, ledger = start.closes_at.date(), start.ledger
    found: list[Entry] = []
    for dealer, terms in sorted(start.terms.items()):
        found += _paid_collateral(ledger, dealer, day, terms.days)
        found += _on_collateral(ledger, dealer, terms)
    treasury = start.operation.treasury
    bank = WorkingDays() if start.bank is None else start.bank.days
    for name, account, rate in (
        ("loan", LOAN, treasury.loan_rate),
        ("credit line", CREDIT_LINE, treasury.credit_line_rate),
    ):
        found += _paid_debt(ledger, name, day, bank)
        owed = Money(USD, max(-ledger.balance(account, USD).smallest, 0))
        accrued = daily_interest(owed, rate, _LOAN_YEAR)
        if accrued.smallest:
            found.append(
                _entry(
                    f"interest of the {name}",
                    Accounts.expense(f"interest {name}"),
                    Accounts.interest_payable(name),
                    accrued,
                )
            )
    return found


def bears_interest(start_terms: CollateralTerms, ledger: Ledger, dealer: str) -> bool:
    """Return whether dollars that lie with a dealer, or its own with us, bear interest."""
    lies = (
        ledger.balance(Accounts.cash_posted(dealer), USD).smallest
        or ledger.balance(Accounts.cash_held(dealer), USD).smallest
    )
    return bool(lies) and start_terms.interest_rate != 0.0


def daily_interest(balance: Money, rate: float, year: int) -> Money:
    """Return simple interest of one day in whole cents."""
    exact = Fraction(balance.smallest, balance.currency.scale) * Fraction(Decimal(repr(rate)))
    return booked(exact / year, balance.currency)


def _on_collateral(ledger: Ledger, dealer: str, terms: CollateralTerms) -> Iterator[Entry]:
    """Yield the day's interest on dollars posted, which we receive, and on dollars held, which we pay."""
    posted = ledger.balance(Accounts.cash_posted(dealer), USD)
    held = -ledger.balance(Accounts.cash_held(dealer), USD)
    received = daily_interest(posted, terms.interest_rate, _COLLATERAL_YEAR)
    paid = daily_interest(held, terms.interest_rate, _COLLATERAL_YEAR)
    words = f"interest on collateral {dealer}"
    if received.smallest:
        yield _entry(words, Accounts.interest_receivable(dealer), Accounts.INTEREST, received)
    if paid.smallest:
        account = Accounts.expense("interest collateral")
        yield _entry(words, account, Accounts.interest_payable(dealer), paid)


def _paid_collateral(
    ledger: Ledger, dealer: str, day: date, calendar: WorkingDays
) -> Iterator[Entry]:
    if day != calendar.on_or_after(day.replace(day=1)):
        return
    due = ledger.balance(Accounts.interest_receivable(dealer), USD)
    if due.smallest:
        yield _entry(f"interest from {dealer}", CASH, Accounts.interest_receivable(dealer), due)
    yield from _paid_debt(ledger, dealer, day, calendar)


def _paid_debt(ledger: Ledger, name: str, day: date, calendar: WorkingDays) -> Iterator[Entry]:
    owed = -ledger.balance(Accounts.interest_payable(name), USD)
    if owed.smallest and day == calendar.on_or_after(day.replace(day=1)):
        yield _entry(f"interest to {name}", Accounts.interest_payable(name), CASH, owed)


def _entry(memo: str, debit: str, credit: str, money: Money) -> Entry:
    return Entry(memo, (Posting(debit, money), Posting(credit, -money)))
