"""Production from the record and the books, and which days a payout pays for."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.chain import chain_of, latest, retargets
from headframe.mining import (
    coins_of_whole_months,
    covered_days,
    expected,
    payouts,
    production_by_day,
)
from headframe.units import Month
from mines import mine as operation

MAY = date(2026, 5, 1)
DAYS = st.dictionaries(
    st.integers(0, 90).map(lambda n: MAY + timedelta(days=n)),
    st.integers(1, 10**10).map(lambda n: Decimal(n).scaleb(-8)),
    max_size=40,
)


def days(first: int, last: int, coins: str = "3") -> dict[date, Decimal]:
    return {date(2026, 5, n): Decimal(coins) for n in range(first, last + 1)}


def test_a_day_recorded_and_booked_counts_once_as_recorded() -> None:
    found = production_by_day({MAY: Decimal("3.1")}, [(MAY, Decimal("3.2"))])
    assert found == {MAY: Decimal("3.1")}


def test_a_weekly_payout_of_days_that_are_in_the_record_adds_only_what_is_beyond_them() -> None:
    recorded = days(1, 10)
    found = production_by_day(
        recorded, [(date(2026, 5, 4), Decimal(12)), (date(2026, 5, 11), Decimal(21))]
    )
    assert found == recorded | {date(2026, 5, 11): Decimal(3)}
    assert sum(found.values()) == 33


def test_payouts_without_a_record_are_the_production() -> None:
    rows = [(MAY, Decimal(1)), (MAY, Decimal(2)), (date(2026, 5, 8), Decimal(7))]
    assert production_by_day({}, rows) == {MAY: Decimal(3), date(2026, 5, 8): Decimal(7)}


@given(DAYS, DAYS)
def test_nothing_is_counted_twice_and_nothing_is_lost(
    recorded: dict[date, Decimal], paid: dict[date, Decimal]
) -> None:
    found = production_by_day(recorded, paid.items())
    total, both = sum(found.values()), sum(recorded.values()) + sum(paid.values())
    assert sum(recorded.values()) <= total <= both
    assert {day: found[day] for day in recorded} == recorded
    assert production_by_day(recorded, ()) == recorded
    assert production_by_day({}, paid.items()) == paid
    assert production_by_day(found, paid.items()) == found, "again is the same"


@given(DAYS)
def test_the_days_of_payouts_lie_side_by_side(paid: dict[date, Decimal]) -> None:
    covered = covered_days(paid, MAY - timedelta(days=3))
    assert [one.last for one in covered] == sorted(paid)
    assert sum(one.coins for one in covered) == sum(paid.values())
    for before, after in pairwise(covered):
        assert after.first == before.last + timedelta(days=1)


def test_the_first_payout_covers_the_usual_number_of_days_as_far_as_there_is_a_hashrate() -> None:
    mondays = {date(2026, 5, n): Decimal(1) for n in (4, 11, 18)}
    assert covered_days(mondays)[0].first == date(2026, 4, 28)
    clipped = covered_days(mondays, MAY)[0]
    assert (clipped.first, clipped.partial, len(clipped.days)) == (MAY, True, 4)
    (single,) = covered_days({date(2026, 5, 4): Decimal(1)}, MAY)
    assert (single.first, single.partial) == (MAY, True)
    assert covered_days({}) == ()


def test_whole_months_are_those_every_day_of_which_is_paid_for() -> None:
    daily = {MAY + timedelta(days=n): Decimal(3) for n in range(31)}
    assert coins_of_whole_months(daily) == {Month(2026, 5): pytest.approx(93.0)}
    gap = dict(daily)
    del gap[date(2026, 5, 17)]
    assert coins_of_whole_months(gap) == {}, "a missing day is not made up by its neighbour"
    weekly = {date(2026, 4, 27) + timedelta(days=7 * n): Decimal(21) for n in range(10)}
    assert coins_of_whole_months(weekly) == {Month(2026, 5): pytest.approx(93.0)}
    assert coins_of_whole_months({MAY: Decimal(93)}) == {}


def earned(first: date, last: date, hashes: float = 5e18) -> Decimal:
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    return Decimal(
        repr(
            expected(
                chain_of("BTC"),
                (*retargets(), latest()),
                hashrate_hs=hashes,
                start=begin,
                end=end,
                fee_share=0.01,
                pool_fee=operation().pool.fee,
            ).coins
        )
    )


@pytest.mark.parametrize("rhythm", [1, 2, 3, 7, 10])
def test_a_pool_that_pays_what_it_should_differs_by_nothing_in_any_rhythm(rhythm: int) -> None:
    hashing = {MAY + timedelta(days=n): 5e18 for n in range(30)}
    paid: dict[date, Decimal] = {}
    for start in range(0, 30, rhythm):
        end = min(start + rhythm, 30) - 1
        first, last = MAY + timedelta(days=start), MAY + timedelta(days=end)
        paid[last] = earned(first, last)
    found = payouts(
        chain_of("BTC"), (*retargets(), latest()), operation(), paid=paid, hashrates=hashing,
        fee_share=0.01,
    )  # fmt: skip
    (month,) = found.months
    assert (month.days, month.payouts) == (30, len(paid))
    assert month.difference == pytest.approx(0.0, abs=1e-9)


def test_payouts_of_days_without_a_hashrate_are_left_out_and_said() -> None:
    hashing = {MAY + timedelta(days=n): 5e18 for n in range(14) if n != 8}
    paid = {
        date(2026, 5, n): earned(date(2026, 5, max(n - 6, 1)), date(2026, 5, n)) for n in (3, 10)
    }
    paid[date(2026, 5, 12)] = earned(date(2026, 5, 11), date(2026, 5, 12))
    found = payouts(
        chain_of("BTC"), (*retargets(), latest()), operation(), paid=paid, hashrates=hashing,
        fee_share=0.01,
    )  # fmt: skip
    (month,) = found.months
    assert (month.payouts, month.days) == (2, 4)
    said = " / ".join(found.notes)
    assert "1 payouts" in said
    assert "left out, since days they pay for have no hashrate: the first is of 2026-05-10" in said
    assert "2 days with a hashrate after the last payout are not paid yet" in said
