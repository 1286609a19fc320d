"""Interest by the close: accrued each day to the cent, paid on the first working day of a month."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from headframe.book import CASH, Accounts, PaymentDue, collateral, deferred, hedge_flow, settled_on
from headframe.lifecycle import ClosePrices, daily_interest, settle_day
from headframe.units import BTC, USD, Money, Wrong, booked
from lifecycle.test_settle_day import ledger, start
from tests_support import TERMS, operation

DEALER = min(TERMS)


def rated(**changes: Any) -> Any:
    return TERMS | {DEALER: replace(TERMS[DEALER], interest_rate=0.036, **changes)}


def mine(**changes: Any) -> Any:
    found = operation()
    return replace(found, treasury=replace(found.treasury, **changes))


def walk(books: Any, first: date, days: int, **changes: Any) -> None:
    """Close so many days without a position."""
    for n in range(days):
        day = first + timedelta(days=n)
        begin = replace(start(day, (), books), moves_collateral=False, **changes)
        prices = ClosePrices(day=day, index=Decimal(77_000), futures={}, deliveries={})
        for entry in settle_day(begin, prices).entries:
            books.post(entry)


def test_posted_dollars_bear_interest_that_is_paid_at_the_months_begin() -> None:
    """1,000,000 USD at 3.6 % a year of 360 days: 100.00 a day; November's 30 days on 1 December."""
    books = ledger(())
    books.post(collateral(DEALER, booked("1000000", USD), ours=True))
    before = books.balance(CASH, USD)
    walk(books, date(2026, 11, 2), 29, terms=rated())
    assert books.balance(Accounts.interest_receivable(DEALER), USD) == booked("2900", USD)
    assert books.balance(CASH, USD) == before
    walk(books, date(2026, 12, 1), 1, terms=rated())
    assert books.balance(CASH, USD) == before + booked("2900", USD)
    assert books.balance(Accounts.interest_receivable(DEALER), USD) == booked("100", USD)
    assert books.balance(Accounts.INTEREST, USD) == booked("-3000", USD)
    assert books.imbalance() == {}


def test_dollars_of_the_dealer_with_us_cost_interest_on_its_calendar() -> None:
    books = ledger(())
    books.post(collateral(DEALER, booked("360000", USD), ours=False))
    before = books.balance(CASH, USD)
    walk(books, date(2026, 8, 30), 3, terms=rated(weekends=False))
    assert books.balance(CASH, USD) == before - booked("72", USD)  # Tuesday 1 September
    assert books.balance(Accounts.interest_payable(DEALER), USD) == booked("-36", USD)
    walk(books, date(2026, 10, 31), 3, terms=rated(weekends=False))
    assert books.balance(CASH, USD) == before - booked("180", USD)  # Monday 2 November


def test_the_loan_accrues_where_the_treasury_states_its_rate() -> None:
    books, plain = ledger(()), ledger(())
    for one in (books, plain):
        one.replay(
            [("liabilities:loan", "USD", -365_000_00), ("equity:opening", "USD", 365_000_00)]
        )
    walk(books, date(2026, 11, 2), 2, operation=mine(loan_rate=0.10))
    assert books.balance(Accounts.interest_payable("loan"), USD) == booked("-200", USD)
    assert books.balance(Accounts.expense("interest loan"), USD) == booked("200", USD)
    walk(plain, date(2026, 11, 2), 2)
    assert plain.balance(Accounts.interest_payable("loan"), USD) == Money(USD, 0)


@pytest.mark.parametrize(
    ("usd", "rate", "cents"),
    [("100", 0.05, 1), ("1", 0.05, 0), ("123456.78", 0.0433, 1485), ("0", 0.5, 0)],
)
def test_a_days_interest_is_rounded_once(usd: str, rate: float, cents: int) -> None:
    assert daily_interest(booked(usd, USD), rate, 360) == Money(USD, cents)


def test_premium_waits_until_its_value_date_and_profit_does_not() -> None:
    paid, received = booked("-125000", USD), booked("7000", USD)
    entries = [hedge_flow("T-1", paid, "premium"), hedge_flow("T-1", received, "closed out")]
    books = ledger(())
    cash = books.balance(CASH, USD)
    made, dues = deferred(entries, "T-1", "amber", date(2026, 11, 4))
    for entry in made:
        books.post(entry)
    assert books.balance(CASH, USD) == cash
    assert books.balance(Accounts.hedge("T-1"), USD) == booked("118000", USD)
    assert books.balance(Accounts.payable("amber"), USD) == paid
    assert books.balance(Accounts.receivable("amber"), USD) == received
    assert settled_on(dues, date(2026, 11, 3)) == []
    for entry in settled_on(dues, date(2026, 11, 5)):
        books.post(entry)
    assert books.balance(CASH, USD) == cash + booked("-118000", USD)
    assert not books.balance(Accounts.payable("amber"), USD).smallest
    assert not books.balance(Accounts.receivable("amber"), USD).smallest


def test_a_close_moves_what_is_due_on_its_day_and_nothing_else() -> None:
    books = ledger(())
    due = PaymentDue(trade="T-1", dealer="amber", money=booked("-500", USD), due=date(2026, 11, 3))
    coins = PaymentDue(
        trade="T-2", dealer="amber", money=booked("-0.5", BTC), due=date(2026, 11, 4)
    )
    for one in (due, coins):
        books.replay(
            [(one.account, one.money.currency.code, one.money.smallest), ("income:hedge:T", one.money.currency.code, -one.money.smallest)]
        )  # fmt: skip
    free, cash = books.balance("assets:coins:free", BTC), books.balance(CASH, USD)
    walk(books, date(2026, 11, 3), 1, payments=(due, coins))
    assert books.balance(CASH, USD) == cash + due.money
    assert books.balance("assets:coins:free", BTC) == free
    walk(books, date(2026, 11, 4), 1, payments=(coins,))
    assert books.balance("assets:coins:free", BTC) == free + coins.money


def test_terms_that_cannot_be_are_refused() -> None:
    for changes in ({"interest_rate": 0.51}, {"interest_rate": float("nan")}, {"premium_days": 31}):
        with pytest.raises(Wrong):
            replace(TERMS[DEALER], **changes)
