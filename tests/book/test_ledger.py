from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import (
    CASH,
    COINS_FREE,
    CREDIT_LINE,
    Accounts,
    Entry,
    Ledger,
    Overdrawn,
    Posting,
    allocate,
    coins_mined,
    coins_sold,
    costs_paid,
    fund,
    hedge_flow,
    opening,
    promise,
    repay,
    venue_margin,
)
from headframe.units import BTC, USD, Money, Month, Wrong, booked


def ledger(cash: Any = "1000", free: Any = "10") -> Any:
    made = Ledger()
    made.post(
        opening(
            cash=booked(cash, USD),
            free=booked(free, BTC),
            pledged=booked("5", BTC),
            loan=booked("200", USD),
        )
    )
    return made


def balance(made: Any, account: Any, currency: Any = USD) -> Any:
    return str(made.balance(account, currency))


def test_an_entry_sums_to_zero_in_every_currency() -> None:
    with pytest.raises(Wrong, match="sum to zero"):
        Entry("bad", (Posting(CASH, booked("1", USD)), Posting(COINS_FREE, booked("-1", BTC))))
    with pytest.raises(Wrong, match="no account"):
        Entry("bad", (Posting("cash", booked("0", USD)),))


def test_nothing_is_spent_pledged_or_promised_twice() -> None:
    made = ledger()
    made.post(venue_margin("paper", booked("6", BTC)))
    before = list(made.trial_balance())
    with pytest.raises(Overdrawn, match=r"assets:coins:free holds 4\.00000000 BTC"):
        made.post(coins_sold(booked("4.00000001", BTC), booked("100", USD)))
    with pytest.raises(Overdrawn):
        made.post(costs_paid("power", booked("1000.01", USD)))
    with pytest.raises(Overdrawn):
        made.post(promise(Month(2026, 9), booked("-1", BTC), firm=True, memo="T-1"))
    assert list(made.trial_balance()) == before, "a refused entry changes nothing"
    made.post(costs_paid("power", booked("1000.00", USD)))
    assert balance(made, CASH) == "0.00"


def test_a_sale_moves_coins_and_dollars_and_both_worlds_balance() -> None:
    made = ledger()
    made.post(coins_mined(booked("1.5", BTC)))
    made.post(coins_sold(booked("1.5", BTC), booked("115500", USD)))
    made.post(hedge_flow("T-1", booked("-250", USD), "premium"))
    assert balance(made, CASH) == "116250.00"
    assert balance(made, Accounts.hedge("T-1")) == "250.00"
    assert made.imbalance() == {}
    assert made.overdrawn() == ()


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(-(10**12), 10**12)),
        max_size=40,
    )
)
def test_any_sequence_of_lawful_entries_sums_to_zero(moves: Any) -> None:
    made = Ledger()
    for debit, credit, cents in moves:
        money = Money(USD, cents)
        made.post(
            Entry("x", (Posting(f"equity:{debit}", money), Posting(f"equity:{credit}", -money)))
        )
    assert made.imbalance() == {}


def test_replaying_postings_gives_the_same_balances() -> None:
    made, again = ledger(), Ledger()
    again.replay(
        (line.account, line.balance.currency.code, line.balance.smallest)
        for line in made.trial_balance()
    )
    assert list(again.trial_balance()) == list(made.trial_balance())


def test_missing_coins_are_bought_and_missing_dollars_drawn_up_to_the_line() -> None:
    made = ledger(cash="1000", free="1")
    found = fund(
        made,
        coins=booked("1.5", BTC),
        dollars=booked("100", USD),
        spot=Fraction(3000),
        line=booked("800", USD),
    )
    for entry in found.entries:
        made.post(entry)
    assert balance(made, COINS_FREE, BTC) == "1.50000000"
    assert balance(made, CASH) == "100.00"
    assert balance(made, CREDIT_LINE) == "-600.00"
    assert found.short.smallest == 0
    short = fund(
        made,
        coins=booked("0", BTC),
        dollars=booked("500", USD),
        spot=Fraction(1),
        line=booked("800", USD),
    )
    assert str(short.short) == "200.00"
    for entry in short.entries:
        made.post(entry)
    assert balance(made, Accounts.OVERDUE) == "-200.00"
    made.post(coins_sold(booked("1", BTC), booked("2000", USD)))
    for entry in repay(made, keep=booked("100", USD)):
        made.post(entry)
    assert balance(made, Accounts.OVERDUE) == "0.00"
    assert balance(made, CREDIT_LINE) == "0.00"


MONTHS = tuple(Month(2026, 10).plus(n) for n in range(3))


def test_a_block_is_shared_out_by_largest_remainder() -> None:
    shares = allocate(Decimal(100), tuple((m, Decimal(1)) for m in MONTHS))
    assert [str(shares[m]) for m in MONTHS] == ["33.34", "33.33", "33.33"]


@given(st.integers(1, 10**7), st.lists(st.integers(0, 10**6), min_size=3, max_size=3))
def test_shares_add_up_exactly_and_stay_within_a_step_of_fair(cents: Any, weights: Any) -> None:
    size = Decimal(cents) / 100
    if sum(weights) == 0:
        return
    shares = allocate(size, tuple((m, Decimal(w)) for m, w in zip(MONTHS, weights, strict=True)))
    assert sum(shares.values()) == size
    for month, weight in zip(MONTHS, weights, strict=True):
        fair = size * weight / sum(weights)
        assert abs(shares.get(month, Decimal(0)) - fair) < Decimal("0.01")


def test_blocks_that_cannot_be_shared_are_refused() -> None:
    for size, weights in (("0", [1]), ("1.005", [1]), ("1", [0]), ("1", [-1])):
        with pytest.raises(Wrong):
            allocate(Decimal(size), tuple((MONTHS[0], Decimal(w)) for w in weights))
