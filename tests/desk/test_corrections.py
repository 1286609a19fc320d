"""Late prices of futures: which day's mark is adjusted, and by how much of what is left."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from desk.test_daily_close import advance, price, record
from desk.test_switching import sold
from headframe.desk import audit, daily_close, settlement_prices
from headframe.desk.office import Office
from headframe.instrument import parse_instrument
from headframe.lifecycle import FlowCause, LegSettlement, PriceKind, SettlementPrice, future_name
from headframe.units import BTC, Money, Month, booked
from headframe.wiring import open_office

__all__ = ["sold"]
FIRST, LAST = date(2026, 8, 23), date(2026, 8, 27)


@pytest.fixture
def office(sold: Path) -> Office:
    """Short a listed future, five days closed, the last two at one price."""
    office = open_office(sold, user="treasurer")
    advance(office, LAST)
    record(office, FIRST, LAST, 77_000)
    every = [FIRST + timedelta(days=n) for n in range(5)]
    figures = (77_500, 78_000, 77_000, 76_000, 76_000)
    rows = [_settled_at(office, day, one) for day, one in zip(every, figures, strict=True)]
    settlement_prices.record(office, rows)
    assert not daily_close.close_days(office).missing
    return office


def _settled_at(office: Office, day: date, figure: int) -> SettlementPrice:
    name = future_name(office.state().trades["T-1"].legs[0].instrument)
    return replace(price(day, figure), instrument=name, kind=PriceKind.SETTLEMENT)


def _received(office: Office) -> int:
    return -office.state().ledger.balance("income:hedge:T-1", BTC).smallest


def test_a_day_that_later_ones_have_settled_against_is_not_adjusted(office: Office) -> None:
    before = _received(office)
    done = settlement_prices.record(office, [_settled_at(office, LAST - timedelta(days=1), 75_000)])
    assert done.corrected == ()
    assert _received(office) == before
    assert office.state().last_marks["T-1"] == 76_000


def test_the_last_mark_is_adjusted_and_the_next_day_pays_from_it(office: Office) -> None:
    before = _received(office)
    dollars = Fraction(office.state().trades["T-1"].legs[0].amount)
    for figure in (75_000, 74_000):
        settlement_prices.record(office, [_settled_at(office, LAST, figure)])
        moved = dollars * (1 / Fraction(76_000) - 1 / Fraction(figure))
        assert abs(_received(office) - before - moved * BTC.scale) < 3
        assert office.state().last_marks["T-1"] == figure
    day = LAST + timedelta(days=1)
    advance(office, day)
    record(office, day, day, 77_000)
    settlement_prices.record(office, [_settled_at(office, day, 77_000)])
    daily_close.close_days(office)
    moved = dollars * (1 / Fraction(76_000) - 1 / Fraction(77_000))
    assert abs(_received(office) - before - moved * BTC.scale) < 4
    assert audit.verify(office).sound


def test_what_was_dealt_back_since_is_not_adjusted() -> None:
    months = (Month(2026, 9), Month(2026, 10))
    leg = LegSettlement(
        trade="T-1",
        cause=FlowCause.VARIATION,
        instrument=parse_instrument("BTC-25DEC26"),
        quantity=Decimal(-700_000),
        entry=Decimal(70_000),
        price=Decimal(71_000),
        amount=Money(BTC, 0),
        coins=((months[0], Decimal(6)), (months[1], Decimal(4))),
    )
    whole = leg.of_coins({months[0]: Decimal(6), months[1]: Decimal(4)})
    assert whole == leg
    part = leg.of_coins({months[1]: Decimal("2.5")})
    assert part.coins == ((months[1], Decimal("2.5")),)
    exact = Fraction(-700_000, 4) * (1 / Fraction(70_000) - 1 / Fraction(72_000))
    assert part.amount_at(Decimal(72_000)) == booked(exact, BTC)
    assert leg.of_coins({}).coins == ()
