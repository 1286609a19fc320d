"""Contracts on a schedule in the book: fixed once a day in order, coins and promises that add up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import (
    Contract,
    ContractTerms,
    Designation,
    HeldContract,
    Ledger,
    contract_dealt,
    contract_paid,
    contract_released,
    opening,
)
from headframe.instrument import AveragedOption, HashpriceForward, Kind, StructureKind
from headframe.units import BTC, USD, Money, Month, Wrong

FIRST, LAST = date(2026, 10, 20), date(2026, 11, 10)
AT = datetime(2026, 8, 22, tzinfo=UTC)
MONTHS = (Month(2026, 10), Month(2026, 11))


def forward(*, in_coin: bool = False) -> ContractTerms:
    rate = Decimal("0.00044") if in_coin else Decimal("34.5")
    sold = HashpriceForward(first=FIRST, last=LAST, phs=Decimal(900), fixed=rate, in_coin=in_coin)
    return ContractTerms(kind=StructureKind.HASHPRICE_FORWARD, coin="BTC", forward=sold)


def option(kind: Kind, coins: int, strike: int = 70_000) -> AveragedOption:
    return AveragedOption(
        kind=kind, strike=Decimal(strike), coins=Decimal(coins), first=FIRST, last=LAST
    )


def collar() -> ContractTerms:
    legs = (option(Kind.PUT, 9), option(Kind.CALL, -9, 95_000))
    return ContractTerms(kind=StructureKind.AVERAGE_COLLAR, coin="BTC", options=legs)


def held(
    terms: ContractTerms, price: str = "34.5", coins: Sequence[str] = ("5", "4")
) -> HeldContract:
    parts = zip(MONTHS[-len(coins) :], coins, strict=True)
    return HeldContract(
        contract=Contract(
            id="K-1",
            dealer="amber",
            at=AT,
            terms=terms,
            price=Decimal(price),
            designations=tuple(
                Designation(month=month, coins=Decimal(part), words="", hedge_for_accounts=True)
                for month, part in parts
            ),
            spot=Decimal(77_000),
            fee=Decimal("12.5"),
        )
    )


def test_a_hashprice_forward_pays_fixed_less_index_every_day() -> None:
    one = held(forward())
    after, paid = one.fixed(FIRST, Decimal("30.00"))
    assert paid == 900 * Fraction("4.5")
    assert after.days_left[0] == FIRST + timedelta(days=1)
    dear, lost = after.fixed(after.days_left[0], Decimal("40.00"))
    assert lost == -900 * Fraction("5.5")
    assert len(dear.fixings) == 2
    (entry,) = contract_paid(one.contract, lost, "settled")
    assert entry.memo == "settled K-1"
    assert {posting.money.currency for posting in entry.postings} == {USD}


def test_one_in_coin_pays_coins_and_hedges_a_satoshi() -> None:
    one = held(forward(in_coin=True), "0.00044", ("0.00000001",))
    _, paid = one.fixed(FIRST, Decimal("0.00040"))
    assert paid == 900 * Fraction("0.00004")
    (entry,) = contract_paid(one.contract, paid, "settled")
    assert {posting.money.currency for posting in entry.postings} == {BTC}
    assert one.remaining == ((MONTHS[1], Decimal("0.00000001")),)


def test_a_day_is_fixed_once_and_in_its_order() -> None:
    one = held(forward())
    with pytest.raises(Wrong, match="next day of K-1 to be fixed is 2026-10-20, was 2026-10-21"):
        one.fixed(FIRST + timedelta(days=1), Decimal(30))
    after, _ = one.fixed(FIRST, Decimal(30))
    with pytest.raises(Wrong, match="next day of K-1 to be fixed is 2026-10-21"):
        after.fixed(FIRST, Decimal(30))
    with pytest.raises(Wrong, match="every day of K-1 is fixed"):
        replace(one, closed=True).fixed(FIRST, Decimal(30))


def test_an_option_pays_on_its_last_fixing_alone() -> None:
    one = held(collar(), "100")
    total = Fraction(0)
    for day in one.days_left:
        assert total == 0
        one, paid = one.fixed(day, Decimal(60_000))
        total += paid
    assert total == 9 * 10_000
    assert one.days_left == ()
    with pytest.raises(Wrong, match="a fixing lies above 0"):
        held(collar(), "100").fixed(FIRST, Decimal(0))


@given(
    st.lists(st.integers(1, 200_000), min_size=22, max_size=22),
    st.sampled_from(["forward", "coin", "collar"]),
)
def test_what_is_promised_is_released_to_the_last_satoshi(prices: list[int], what: str) -> None:
    one = {
        "forward": held(forward(), "34.5", ("5.31", "4.47")),
        "coin": held(forward(in_coin=True), "0.00044", ("0.00000001",)),
        "collar": held(collar(), "-75"),
    }[what]
    ledger = Ledger()
    rich = {"cash": Money(USD, 10**15), "free": Money(BTC, 10**15)}
    ledger.post(opening(**rich, pledged=Money(BTC, 0), loan=Money(USD, 0)))
    for entry in contract_dealt(one.contract):
        ledger.post(entry)
    left = one.coins
    for price in prices:
        scale = Decimal("1e-8") if what == "coin" else Decimal(1)
        after, paid = one.fixed(one.days_left[0], price * scale)
        for entry in (
            *contract_released(one, after),
            *contract_paid(one.contract, paid, "settled"),
        ):
            ledger.post(entry)
        assert after.coins <= left
        one, left = after, after.coins
    assert one.coins == 0
    assert not ledger.imbalance()
    assert not [line for line in ledger.trial_balance() if line.account.startswith("promises:")]


def test_what_it_promises_is_firm_unless_it_only_floors() -> None:
    put = ContractTerms(kind=StructureKind.AVERAGE_PUT, coin="BTC", options=(option(Kind.PUT, 9),))
    names = {
        posting.account
        for entry in contract_dealt(held(put, "2000").contract)
        for posting in entry.postings
    }
    assert "promises:floored:2026-10" in names
    assert not [name for name in names if name.startswith("promises:firm")]


def test_premium_and_fee_are_paid_at_once() -> None:
    put = ContractTerms(kind=StructureKind.AVERAGE_PUT, coin="BTC", options=(option(Kind.PUT, 9),))
    one = held(put, "2000").contract
    assert one.premium == 18_000
    entries = {entry.memo: entry.postings[0].money for entry in contract_dealt(one)}
    assert str(entries["premium K-1"]) == "-18000.00"
    assert str(entries["fee K-1"]) == "-12.50"
    assert one.trade.legs[0].price == 2000
    assert not one.trade.sells_upside


def test_only_a_producers_terms_are_terms() -> None:
    with pytest.raises(Wrong, match="sells some PH/s"):
        ContractTerms(kind=StructureKind.HASHPRICE_FORWARD, coin="BTC")
    bought = HashpriceForward(first=FIRST, last=LAST, phs=Decimal(-5), fixed=Decimal(30))
    with pytest.raises(Wrong, match="a producer sells hashrate, was -5 PH/s"):
        ContractTerms(kind=StructureKind.HASHPRICE_FORWARD, coin="BTC", forward=bought)
    with pytest.raises(Wrong, match="is no contract on a schedule"):
        ContractTerms(kind=StructureKind.FORWARD, coin="BTC", options=(option(Kind.PUT, 9),))
    with pytest.raises(Wrong, match="buys the put"):
        ContractTerms(kind=StructureKind.AVERAGE_PUT, coin="BTC", options=(option(Kind.PUT, -9),))
    with pytest.raises(Wrong, match="one call of as many coins"):
        ContractTerms(
            kind=StructureKind.AVERAGE_COLLAR,
            coin="BTC",
            options=(option(Kind.PUT, 9), option(Kind.CALL, -8, 95_000)),
        )
    with pytest.raises(Wrong, match="struck at its put or above"):
        ContractTerms(
            kind=StructureKind.AVERAGE_COLLAR,
            coin="BTC",
            options=(option(Kind.PUT, 9), option(Kind.CALL, -9, 60_000)),
        )
    with pytest.raises(Wrong, match="is one put"):
        ContractTerms(
            kind=StructureKind.AVERAGE_PUT,
            coin="BTC",
            options=(option(Kind.PUT, 9), option(Kind.CALL, -9, 95_000)),
        )
    fine = replace(option(Kind.PUT, 9), coins=Decimal("9.001"))
    with pytest.raises(Wrong, match="dealt in hundredths"):
        ContractTerms(kind=StructureKind.AVERAGE_PUT, coin="BTC", options=(fine,))
