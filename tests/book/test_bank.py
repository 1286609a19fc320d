from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import (
    AtCost,
    Bank,
    Entry,
    FxRate,
    Ledger,
    Posting,
    Transit,
    at_cost,
    others_usd,
    still,
    under_way,
)
from headframe.units import CURRENCIES, USD, Money, WorkingDays, Wrong, booked

THANKSGIVING = date(2026, 11, 26)
BANK = Bank(cut_off=time(17), holidays=(THANKSGIVING,))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "there"),
    [
        (at(25, 8), 25),
        (at(25, 17), 25),
        (at(25, 17, 1), 27),  # after the cut-off, Thursday is a holiday
        (at(26, 8), 27),
        (at(27, 18), 30),  # Friday evening
        (at(28, 8), 30),
        (at(28, 23), 30),
    ],
)
def test_what_is_sent_late_or_on_a_holiday_is_there_on_the_next_working_day(
    sent: datetime, there: int
) -> None:
    assert BANK.value_on(sent) == date(2026, 11, there)


@given(
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
    st.integers(0, 15),
    st.sets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=8),
    st.booleans(),
)
def test_working_days_are_counted_both_ways(
    day: date, count: int, holidays: set[date], weekends: bool
) -> None:
    days = WorkingDays(weekends=weekends, holidays=tuple(sorted(holidays)))
    first = days.on_or_after(day)
    later = days.plus(day, count)
    assert days.works(later)
    assert days.between(first, later) == count
    assert days.on_or_before(later) == later
    assert all(not days.works(one) for one in [day] if one != first)


def test_too_many_holidays_are_no_calendar() -> None:
    every = tuple(date.fromordinal(date(2026, 1, 1).toordinal() + n) for n in range(80))
    closed = WorkingDays(holidays=every)
    with pytest.raises(Wrong, match="no working day"):
        closed.on_or_after(date(2026, 1, 1))
    with pytest.raises(Wrong, match="no working day"):
        closed.on_or_before(date(2026, 3, 10))


def test_what_is_on_its_way_is_there_on_its_day() -> None:
    rows = (
        Transit(source="sale", usd=Money(USD, 100), there=date(2026, 11, 30)),
        Transit(source="amber", usd=Money(USD, 50), there=date(2026, 11, 27)),
    )
    assert under_way(rows, date(2026, 11, 26)) == Money(USD, 150)
    assert under_way(rows, date(2026, 11, 26), "amber") == Money(USD, 50)
    assert under_way(rows, date(2026, 11, 27)) == Money(USD, 100)
    assert still(rows, date(2026, 11, 27)) == rows[:1]
    assert still(rows, date(2026, 11, 30)) == ()
    with pytest.raises(Wrong):
        Transit(source="sale", usd=Money(USD, 0), there=date(2026, 11, 30))


def test_other_currencies_count_less_their_haircut_and_only_with_a_fresh_rate() -> None:
    cad = CURRENCIES["CAD"]
    ledger = Ledger()
    money = Money(cad, 1_000_000)
    ledger.post(
        Entry("paid in", (Posting("assets:cash", money), Posting("equity:capital", -money)))
    )
    rates = {"CAD": FxRate(currency="CAD", usd=Decimal("0.73"), at=at(20, 12))}
    assert others_usd(ledger, rates, at(21, 12), None) == pytest.approx(10_000 * 0.73 * 0.98)
    assert others_usd(ledger, rates, at(21, 12), Bank(fx_haircut=0.5)) == pytest.approx(3_650)
    assert others_usd(ledger, rates, at(26, 13), None) == 0.0
    assert others_usd(ledger, {}, at(21, 12), None) == 0.0
    for code, usd in (("USD", "1"), ("ABC", "1"), ("CAD", "0"), ("CAD", "1e9")):
        with pytest.raises(Wrong):
            FxRate(currency=code, usd=Decimal(usd), at=at(20, 12))
    with pytest.raises(Wrong):
        Bank(fx_haircut=1.0)
    with pytest.raises(Wrong):
        Bank(fx_days_max=-1)


def test_a_currency_costs_what_came_in_and_gains_on_what_left() -> None:
    def cad(units: int) -> Money:
        return booked(units, CURRENCIES["CAD"])

    moves = [
        (cad(100), Decimal("0.70")),
        (cad(300), Decimal("0.74")),
        (cad(-200), Decimal("0.75")),
    ]
    found = at_cost(moves)
    assert found is not None
    assert found.cost_usd == Decimal("146.00"), "half of 70 and 222"
    assert found.realised_usd == Decimal("4.00")
    assert found.unrealised_usd(Decimal("0.72")) == Decimal("-2.00")
    assert at_cost([(cad(100), None)]) is None, "nothing is guessed"
    assert at_cost([]) == AtCost(held=Decimal(0), cost_usd=Decimal(0), realised_usd=Decimal(0))


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 200)), max_size=12))
def test_gains_add_up_to_what_was_received_less_paid(rows: list[tuple[int, int]]) -> None:
    """What is held at any rate, with what left at its own, is worth its cost and both gains."""
    moves: list[tuple[Money, Decimal | None]] = []
    held = 0
    flow = Decimal(0)
    for place, (units, cents) in enumerate(rows):
        signed = -min(units, held) if place % 3 == 2 else units
        held += signed
        rate = Decimal(cents) / 100
        flow -= signed * rate
        moves.append((booked(signed, CURRENCIES["CAD"]), rate))
    found = at_cost(moves)
    assert found is not None
    assert found.held == held
    both = found.realised_usd + found.unrealised_usd(Decimal("0.5"))
    assert abs(both - (flow + held * Decimal("0.5"))) < Decimal("1e-6")
