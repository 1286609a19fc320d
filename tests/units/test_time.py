from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.units import (
    Month,
    Wrong,
    expiry_label,
    format_hashrate,
    instant,
    iso,
    months_from,
    parse_expiry,
    parse_hashrate,
    year_fraction,
)


def test_an_instant_is_read_in_any_zone_and_kept_in_utc() -> None:
    assert iso(instant("2026-08-22T17:33:00+02:00")) == "2026-08-22T15:33:00Z"
    assert iso(instant("2026-08-22")) == "2026-08-22T00:00:00Z"


@pytest.mark.parametrize(
    "text", ["", "22.08.2026", "2026-13-01", "2026-02-30", "2026-08-22T25:00Z", "x" * 99]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(Wrong):
        instant(text)


def test_an_expiry_is_eight_in_the_morning_however_it_is_written() -> None:
    wanted = datetime(2027, 3, 26, 8, tzinfo=UTC)
    assert parse_expiry("26-MAR-27") == parse_expiry("26mar27") == wanted
    assert expiry_label(wanted) == "26-MAR-27"
    for text in ("31-FEB-27", "26-FOO-27", "26/03/27"):
        with pytest.raises(Wrong):
            parse_expiry(text)


@given(st.integers(2009, 2139), st.integers(1, 12), st.integers(-24, 24))
def test_months_shift_and_meet_at_their_edges(year: Any, number: Any, shift: Any) -> None:
    month = Month(year, number)
    if 2009 * 12 <= year * 12 + number - 1 + shift < 2140 * 12:
        assert month.plus(shift).plus(-shift) == month
    assert month.end == month.plus(1).start
    assert (month.end - month.start) == timedelta(days=month.days)
    assert Month.parse(str(month)) == month


def test_a_year_ahead_is_twelve_months() -> None:
    assert [str(m) for m in months_from(Month(2026, 11), 3)] == ["2026-11", "2026-12", "2027-01"]


def test_years_are_actual_over_365() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert year_fraction(start, start + timedelta(days=73)) == 0.2


def test_hashrates_need_their_unit() -> None:
    assert parse_hashrate("7.15 EH/s") == 7.15e18
    assert format_hashrate(7.15e18) == "7.15 EH/s"
    assert format_hashrate(3e15) == "3.00 PH/s"
    for text in ("7.15", "7 EH", "nan EH/s", "-1 EH/s", "1e30 EH/s", "7 xh/s"):
        with pytest.raises(Wrong):
            parse_hashrate(text)
