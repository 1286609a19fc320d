"""A venue's settlements against what was booked: agreement to the venue's unit, and every kind of break."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.book import Break, Matched
from headframe.instrument import parse_instrument
from headframe.lifecycle import (
    Booked,
    BookedSettlement,
    FlowCause,
    LegSettlement,
    SessionResult,
    SettlementKind,
    VenueSettlement,
    funding_by_day,
    match_settlements,
)
from headframe.units import BTC, Money, booked

DAY = date(2026, 10, 30)
STAMP = datetime(2026, 10, 30, 8, 0, 0, 43_000, UTC)
FUTURE, PUT = "BTC-25DEC26", "BTC-30OCT26-70000-P"


def future_leg(trade: str, usd: int, entry: str, price: str) -> LegSettlement:
    instrument = parse_instrument(FUTURE)
    exact = Fraction(usd) * (1 / Fraction(entry) - 1 / Fraction(price))
    return LegSettlement(
        trade=trade, cause=FlowCause.VARIATION, instrument=instrument, quantity=Decimal(usd),
        entry=Decimal(entry), price=Decimal(price), amount=booked(exact, BTC), coins=(),
    )  # fmt: skip


def put_leg(coins: str, index: str) -> LegSettlement:
    value = max(Fraction(70_000) - Fraction(index), Fraction(0)) / Fraction(index)
    return LegSettlement(
        trade="T-2", cause=FlowCause.EXERCISE, instrument=parse_instrument(PUT), quantity=Decimal(coins),
        entry=Decimal("0.03"), price=Decimal(index), amount=booked(Fraction(coins) * value, BTC), coins=(),
    )  # fmt: skip


def of(*legs: LegSettlement, results: tuple[SessionResult, ...] = ()) -> Booked:
    return Booked(
        tuple(BookedSettlement(day=DAY, leg=leg) for leg in legs), results, frozenset({DAY})
    )


def there(instrument: str, position: str, mark: str, amount: str = "0", **changes: object) -> VenueSettlement:  # fmt: skip
    made = VenueSettlement(
        kind=SettlementKind.SETTLEMENT, at=STAMP, instrument=instrument, currency="BTC",
        position=Decimal(position), mark_price=Decimal(mark), index_price=Decimal(mark),
        profit_loss=Decimal(0), session_profit_loss=Decimal(amount),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def held(
    ours: Booked, *theirs: VenueSettlement, standing: dict[str, Break] | None = None
) -> Matched:
    return match_settlements(ours, theirs, standing or {}, venue="paper", owner="cfo")


def test_legs_of_several_trades_are_netted_as_the_venue_nets_them() -> None:
    ours = of(
        future_leg("T-1", -1_000_000, "78000", "77000"), future_leg("T-3", 400_000, "77500", "77000")
    )  # fmt: skip
    exact = Fraction(-1_000_000, 78_000) - Fraction(-1_000_000, 77_000)
    exact += Fraction(400_000, 77_500) - Fraction(400_000, 77_000)
    amount = format(Decimal(exact.numerator) / Decimal(exact.denominator), ".9f")
    found = held(ours, there(FUTURE, "-600000", "77000.0", amount))
    assert found.breaks == ()
    assert found.agreed == (f"paper settlement {DAY} {FUTURE} BTC",)


def test_a_future_closed_in_part_is_held_in_whole_contracts_by_the_venue() -> None:
    leg = future_leg("T-1", -1_000_000, "76000", "77000")
    broken = replace(leg, quantity=Decimal("-1000003.21"), amount=booked("-0.17088230", BTC))
    whole = there(FUTURE, "-1000000", "77000", "-0.170881750")
    assert held(of(broken), whole).breaks == ()
    assert held(of(broken), replace(whole, position=Decimal(-999_990))).breaks != ()
    other = replace(whole, session_profit_loss=Decimal("-0.1708808"))
    assert held(of(broken), other).breaks != (), "more than the difference received"
    near = replace(whole, position=Decimal(-1_000_009))
    assert held(of(leg), near).breaks != (), "whole contracts are compared to the last dollar"


def test_an_option_is_its_position_times_its_value_at_delivery() -> None:
    row = there(
        PUT, "25.0", "0.093749999", kind=SettlementKind.DELIVERY, index_price=Decimal("64000.0"),
        session_profit_loss=Decimal("4088.9"),
    )  # fmt: skip
    assert held(of(put_leg("25", "64000")), row).breaks == ()
    short = replace(row, mark_price=Decimal("0.09374"))
    assert len(held(of(put_leg("25", "64000")), short).breaks) == 1


def test_an_option_worth_nothing_agrees_where_position_and_index_do() -> None:
    row = there(PUT, "25.0", "0.0", kind=SettlementKind.DELIVERY, index_price=Decimal("71000.5"))
    assert held(of(put_leg("25", "71000.5")), row).breaks == ()
    assert held(of(put_leg("24.9", "71000.5")), row).breaks != ()
    assert held(of(put_leg("25", "71010")), row).breaks != ()


@pytest.mark.parametrize(
    ("position", "mark", "amount"),
    [
        ("-999990", "77000", "-0.16650017"),
        ("-1000000", "77000.01", "-0.16650017"),
        ("-1000000", "77000", "-0.16650020"),
        ("1000000", "77000", "0.16650017"),
    ],
)
def test_another_position_price_or_amount_is_a_break(position: str, mark: str, amount: str) -> None:
    leg = future_leg("T-1", -1_000_000, "76000", "77000")
    assert str(leg.amount) == "-0.17088175"
    ours = of(replace(leg, amount=booked("-0.16650017", BTC)))
    assert held(ours, there(FUTURE, "-1000000", "77000", "-0.166500165")).breaks == ()
    (found,) = held(ours, there(FUTURE, position, mark, amount)).breaks
    assert found.owner == "cfo"
    assert found.ours == "position -1000000 at 77000, -0.16650017 received"
    assert found.since == datetime(2026, 10, 30, 8, tzinfo=UTC)


def test_what_only_one_side_has_is_a_break() -> None:
    leg = future_leg("T-1", -1_000_000, "76000", "77000")
    (unreported,) = held(of(leg)).breaks
    assert unreported.theirs == "nothing"
    (unknown,) = held(of(), there("BTC-26MAR27", "10", "80000", "0.001")).breaks
    assert unknown.ours == "nothing"
    assert "BTC-26MAR27" in unknown.account
    assert held(of(), there("BTC-26MAR27", "0", "80000", "0.0")).breaks == ()
    (shared,) = held(
        of(),
        there("shared losses", "0", "0", "-0.01", kind=SettlementKind.BANKRUPTCY),
    ).breaks
    assert "shared losses" in shared.account


def test_what_was_closed_in_the_session_is_a_part_of_its_result() -> None:
    leg = future_leg("T-1", -500_000, "76000", "77000")
    realised = booked("-0.05", BTC)
    result = SessionResult(day=DAY, instrument=FUTURE, amount=realised)
    amount = str(leg.amount + realised)
    assert held(of(leg, results=(result,)), there(FUTURE, "-500000", "77000", amount)).breaks == ()
    assert held(of(leg), there(FUTURE, "-500000", "77000", amount)).breaks != ()
    alone = there(FUTURE, "0", "77000", "-0.05")
    assert held(of(results=(result,)), alone).breaks == ()


def test_days_that_are_not_closed_are_not_compared() -> None:
    late = there(FUTURE, "-1000000", "77000", "1", at=STAMP + timedelta(days=1))
    assert held(of(), late) == Matched((), ())


@pytest.mark.parametrize(("seconds", "day"), [(-0.1, 30), (0.04, 30), (3_599, 30), (3_601, 31)])
def test_a_settlement_belongs_to_the_close_it_was_stamped_at(seconds: float, day: int) -> None:
    at = datetime(2026, 10, 30, 8, tzinfo=UTC) + timedelta(seconds=seconds)
    assert there(FUTURE, "1", "1", at=at).day == date(2026, 10, day)


def test_an_options_daily_row_and_funding_are_no_settlement_of_a_hedge() -> None:
    daily = there("BTC-25DEC26-70000-P", "25", "0.05", "0.2")
    assert held(of(), daily).breaks == ()
    swap = there("BTC-PERPETUAL", "0", "77000", "0", funding=Decimal("-0.000002511"))
    assert held(of(), swap).breaks == ()
    assert funding_by_day([swap, swap, daily]) == {
        (DAY, "BTC-PERPETUAL", "BTC"): Decimal("-0.000005022")
    }
    (found,) = held(of(), replace(swap, position=Decimal(10))).breaks
    assert "BTC-PERPETUAL" in found.account


def test_a_break_keeps_its_age_and_owner_until_it_agrees_or_has_gone() -> None:
    leg = future_leg("T-1", -1_000_000, "76000", "77000")
    (first,) = held(of(leg)).breaks
    old = replace(first, since=first.since - timedelta(days=9), owner="treasurer")
    (again,) = held(of(leg), standing={old.key: old}).breaks
    assert (again.since, again.owner) == (old.since, "treasurer")
    right = there(FUTURE, "-1000000", "77000", str(leg.amount))
    assert held(of(leg), right, standing={old.key: old}).agreed == (old.key,)
    assert held(of(), standing={old.key: old}).agreed == (old.key,)
    other = replace(old, account="assets:cash")
    assert held(of(), standing={other.key: other}).agreed == (), "a statement's break is another's"


@given(
    entry=st.integers(10_000, 200_000), price=st.integers(10_000, 200_000), lots=st.lists(st.integers(-9_999, 9_999).filter(bool), min_size=1, max_size=6)
)  # fmt: skip
def test_each_legs_rounding_is_within_the_tolerance_and_nothing_more(
    entry: int, price: int, lots: list[int]
) -> None:
    legs = [future_leg(f"T-{n}", 10 * lot, str(entry), str(price)) for n, lot in enumerate(lots)]
    usd = 10 * sum(lots)
    exact = Fraction(usd) * (Fraction(1, entry) - Fraction(1, price))
    near = Money(BTC, round(exact * 10**8))
    row = there(FUTURE, str(usd), str(price), str(near))
    assert held(of(*legs), row).breaks == ()
    off = Money(BTC, near.smallest + 2 * len(lots) + 4)
    assert held(of(*legs), there(FUTURE, str(usd), str(price), str(off))).breaks != ()
