"""Funding of perpetuals: accrual from recorded rates, coverage of a day, and the close that pays it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import CASH, Accounts, Ledger, Position, TradeLeg, opening
from headframe.instrument import parse_instrument, perpetual_of
from headframe.lifecycle import (
    ClosePrices,
    FlowCause,
    FundingDue,
    FundingRate,
    FundingRecords,
    MissingPrice,
    PriceKind,
    RunOffPolicy,
    SettlementPrice,
    accrued,
    close_at,
    funding_dues,
    funding_flows,
    missing_funding,
    settle_day,
)
from headframe.mandate import Unwind
from headframe.units import BTC, USD, USDC, Money, Month, Wrong, booked
from lifecycle.test_settle_day import ledger, start
from tests_support import FUTURE

DAY = date(2026, 11, 3)
INVERSE, LINEAR = perpetual_of("BTC"), perpetual_of("BTC", "USDC")


def rate(begin: Any, hours: Any, value: Any, **changes: Any) -> FundingRate:
    facts: dict[str, Any] = {
        "instrument": "BTC-PERPETUAL", "start": begin, "end": begin + timedelta(hours=hours),
        "rate": Decimal(value), "index": Decimal(80_000), "source": "a test",
    }  # fmt: skip
    return FundingRate(**facts | changes)


def hours(day: date, value: Any = "0.0001", **changes: Any) -> list[FundingRate]:
    """The 24 hours to a close."""
    begin = close_at(day) - timedelta(days=1)
    return [rate(begin + timedelta(hours=n), 1, value, **changes) for n in range(24)]


def short(instrument: Any, amount: Any, price: Any = 80_000) -> Position:
    leg = TradeLeg(instrument=instrument, amount=Decimal(amount), price=Decimal(price))
    return Position(
        trade=replace(FUTURE.trade, legs=(leg,), at=datetime(2026, 11, 1, tzinfo=UTC)),
        remaining=FUTURE.remaining,
    )


def closed(position: Position, price: Any, books: Any = None, **changes: Any) -> Any:
    name = position.trade.legs[0].instrument.name
    facts: dict[str, Any] = {"funding": FundingRecords(hours(DAY, instrument=name))}
    prices = ClosePrices(
        day=DAY, index=Decimal(80_000),
        futures={position.trade.legs[0].instrument.name: Decimal(price)}, deliveries={},
    )  # fmt: skip
    held = ledger((position,)) if books is None else books
    return settle_day(start(DAY, (position,), held, **facts | changes), prices)


def flow(end: Any, cause: FlowCause) -> Money:
    (one,) = [each for each in end.flows if each.cause is cause]
    money: Money = one.money
    return money


def test_a_perpetual_is_an_instrument_without_an_expiry() -> None:
    assert parse_instrument("BTC-PERPETUAL") == INVERSE
    assert (INVERSE.name, INVERSE.amount_in_usd, INVERSE.is_perpetual) == (
        "BTC-PERPETUAL",
        True,
        True,
    )
    assert parse_instrument("BTC_USDC-PERPETUAL") == LINEAR
    assert (LINEAR.name, LINEAR.amount_in_usd, LINEAR.settled_in) == (
        "BTC_USDC-PERPETUAL", False, "USDC",
    )  # fmt: skip
    for name in ("BTC-PERPETUAL-FWD", "BTC-PERPETUAL-70000-P", "BTC-PERP", "btc-PERPETUAL"):
        with pytest.raises(Wrong):
            parse_instrument(name)


def test_a_short_inverse_perpetual_receives_a_positive_rate_in_coins() -> None:
    """0.01 % an hour for 24 hours on 800,000 USD at 80,000: 10 coins times 0.24 %."""
    end = closed(short(INVERSE, -800_000), 80_000)
    assert flow(end, FlowCause.FUNDING) == booked("0.024", BTC)
    assert flow(end, FlowCause.VARIATION) == booked("0", BTC)
    assert end.positions[0].last_mark == 80_000


def test_a_linear_perpetual_pays_variation_and_funding_in_usdc() -> None:
    end = closed(short(LINEAR, -10), 79_000)
    assert flow(end, FlowCause.VARIATION) == booked("10000", USDC)
    assert flow(end, FlowCause.FUNDING) == booked("1920", USDC)
    books = ledger(())
    for entry in end.entries:
        if any(p.money.currency == USDC for p in entry.postings):
            books.post(entry)
    assert books.balance(CASH, USDC) == booked("11920", USDC)


def test_usdc_that_is_not_there_is_overdue_and_what_comes_in_pays_it_first() -> None:
    position = short(LINEAR, -10)
    books = ledger((position,))
    lost = closed(position, 81_000, books)
    assert "could not be found" in lost.shortfall
    for entry in lost.entries:
        books.post(entry)
    owed = booked("8080", USDC)  # 10,000 lost and 1,920 received on the same day
    assert books.balance(Accounts.OVERDUE, USDC) == -owed
    assert books.balance(CASH, USDC) == Money(USDC, 0)
    day = DAY + timedelta(days=1)
    prices = ClosePrices(
        day=day, index=Decimal(80_000), futures={LINEAR.name: Decimal(80_000)}, deliveries={}
    )
    rates = FundingRecords(hours(day, "0", instrument=LINEAR.name))
    begin = start(day, lost.positions, books, funding=rates)
    for entry in settle_day(begin, prices).entries:
        books.post(entry)
    assert books.balance(Accounts.OVERDUE, USDC) == Money(USDC, 0)
    assert books.balance(CASH, USDC) == booked("1920", USDC)


@given(
    st.lists(st.integers(-50, 50), min_size=24, max_size=24),
    st.integers(0, 23 * 3600),
    st.booleans(),
)
def test_accrual_is_the_sum_over_hours_whatever_the_moment_of_the_trade(
    basis: list[int], after: int, linear: bool
) -> None:
    """A second implementation: a loop over seconds, in floats."""
    begin = close_at(DAY) - timedelta(days=1)
    one = LINEAR if linear else INVERSE
    amount = Decimal(-10) if linear else Decimal(-800_000)
    records = FundingRecords(
        rate(begin + timedelta(hours=n), 1, Decimal(points).scaleb(-6), index=Decimal(70_000 + 100 * n), instrument=one.name)
        for n, points in enumerate(basis)
    )  # fmt: skip
    pieces, gap = records.pieces(one.name, begin + timedelta(seconds=after), close_at(DAY))
    assert gap is None
    expected = 0.0
    for n, points in enumerate(basis):
        held = min(max((n + 1) * 3600 - after, 0), 3600)
        index = 70_000 + 100 * n
        value = 10.0 * index if linear else 800_000.0 / index
        expected += value * points * 1e-6 * held / 3600
    assert float(accrued(one, amount, pieces)) == pytest.approx(expected, abs=1e-9)


def test_a_missing_hour_is_named_and_the_venues_own_record_decides() -> None:
    position = short(INVERSE, -800_000)
    dues = list(funding_dues(DAY, (position,), ()))
    assert [(one.start, one.end) for one in dues] == [
        (close_at(DAY - timedelta(days=1)), close_at(DAY))
    ]
    known = hours(DAY)
    (missing,) = missing_funding(DAY, dues, FundingRecords(known[:5] + known[6:]))
    assert missing == MissingPrice(DAY, PriceKind.FUNDING, "BTC-PERPETUAL", "", ("T-1",)) or (
        missing.needed_for == (position.trade.id,)
    )
    assert "funding rates of BTC-PERPETUAL" in str(missing)
    begin = close_at(DAY) - timedelta(days=1)
    day_rate = rate(begin, 24, "0.0048")
    assert missing_funding(DAY, dues, FundingRecords([day_rate])) == ()
    half = [replace(one, rate=Decimal(0), source="deribit") for one in known[12:]]
    (paid,) = funding_flows(dues, FundingRecords([day_rate, *half]))
    assert paid.money == booked("0.024", BTC)  # half of 0.48 %, the venue's hours say nothing


def test_what_was_dealt_back_before_the_close_is_paid_to_its_own_instant() -> None:
    part = FundingDue(
        trade="T-1", instrument=INVERSE, quantity=Decimal(-400_000),
        start=close_at(DAY) - timedelta(days=1), end=close_at(DAY) - timedelta(hours=12),
        coins=((Month(2026, 11), Decimal(5)),),
    )  # fmt: skip
    (paid,) = funding_flows(funding_dues(DAY, (), (part,)), FundingRecords(hours(DAY)))
    assert paid.money == booked("0.006", BTC)
    assert paid.months == ((Month(2026, 11), paid.money),)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rate": Decimal("0.01")}, "at most 0.05 for 8 hours"),
        ({"instrument": "BTC-25DEC26"}, "expected a perpetual"),
        ({"index": Decimal(0)}, "index: expected"),
        ({"end": close_at(DAY)}, "after"),
        ({"end": close_at(DAY) + timedelta(hours=25)}, "at most 24 hours"),
        ({"source": " "}, "source: expected"),
    ],
)
def test_a_rate_that_cannot_be_is_refused(changes: Any, words: str) -> None:
    with pytest.raises(Wrong, match=words):
        rate(close_at(DAY), 1, "0.0001", **changes)


def test_funding_is_no_price() -> None:
    with pytest.raises(Wrong, match="market funding"):
        SettlementPrice(
            day=DAY, instrument="BTC-PERPETUAL", kind=PriceKind.FUNDING, price=Decimal(1), source="x"
        )  # fmt: skip


@pytest.mark.parametrize("unwind", list(Unwind))
def test_a_perpetual_is_due_after_its_month_whatever_the_policy(unwind: Unwind) -> None:
    position = short(INVERSE, -800_000)
    month = Month(2026, 11)
    due = RunOffPolicy(unwind, 5).due(month, position.trade.expiry)
    assert due == month.end + timedelta(days=5)
    assert FUTURE.trade.expiry == RunOffPolicy(Unwind.AT_EXPIRY, 5).due(month, FUTURE.trade.expiry)


def test_variation_and_funding_add_up_over_days_to_the_payoff_and_the_rates() -> None:
    prices = [80_000, 82_500, 76_000, 79_000]
    position, total = short(INVERSE, -800_000), Fraction(0)
    books = Ledger()
    books.post(
        opening(
            cash=booked("0", USD), free=booked("50", BTC), pledged=Money(BTC, 0), loan=Money(USD, 0)
        )
    )
    for n, price in enumerate(prices[1:]):
        day = DAY + timedelta(days=n)
        at = ClosePrices(
            day=day, index=Decimal(80_000), futures={INVERSE.name: Decimal(price)}, deliveries={}
        )
        end = settle_day(
            start(day, (position,), ledger((position,)), funding=FundingRecords(hours(day))), at
        )
        total += sum(Fraction(one.money.smallest, BTC.scale) for one in end.flows)
        (position,) = end.positions
    exact = -800_000 * (Fraction(1, 80_000) - Fraction(1, 79_000)) + 3 * Fraction("0.024")
    assert abs(total - exact) <= Fraction(6, BTC.scale)
