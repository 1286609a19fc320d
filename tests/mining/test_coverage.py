"""What each series that a forecast reads leaves open, series by series: early ends, late beginnings, gaps."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from headframe.mining import (
    KNOWN_MACHINES,
    Batch,
    difficulty_notes,
    estimate,
    fee_notes,
    fleet_notes,
    hashrate_notes,
    market_notes,
    power_notes,
    price_notes,
    start_of,
)
from headframe.units import Month
from mines import BTC, HISTORY, START, mine, site

DAY = timedelta(days=1)
LAST = HISTORY[-1].at
AT = LAST + 10 * DAY
LONG = datetime(2016, 1, 1, tzinfo=UTC)


def closes(begin: datetime, end: datetime, *gaps: tuple[datetime, datetime]) -> Any:
    days = (LONG + number * DAY for number in range(4_000))
    return tuple(
        (day, 30_000.0 + 37.0 * (day.toordinal() % 101))
        for day in days
        if begin <= day < end and not any(low <= day < high for low, high in gaps)
    )


def noted(rows: Any, *, as_of: datetime = AT, name: str | None = "prices.csv") -> tuple[str, ...]:
    start = start_of(BTC, HISTORY, estimate(HISTORY, prices=rows, default_answer=True))
    return price_notes(start, HISTORY, rows, name=name, as_of=as_of)


def test_a_whole_price_history_needs_no_word() -> None:
    assert noted(closes(LONG, AT)) == ()


def test_no_price_history_is_said_with_the_default_and_its_error() -> None:
    (note,) = noted((), name=None)
    assert "default elasticity, 0.14 in all with a standard error of 0.11" in note
    litecoin = replace(BTC, coin="LTC")
    start = start_of(litecoin, HISTORY, estimate(HISTORY, chain=litecoin, default_answer=True))
    (note,) = price_notes(start, HISTORY, (), name=None, as_of=AT)
    assert "LTC has no default elasticity" in note


@pytest.mark.parametrize(
    ("periods", "words"), [(1, "1 retarget period "), (4, "4 retarget periods ")]
)
def test_a_price_history_that_ends_early_is_said(periods: int, words: str) -> None:
    (note,) = noted(closes(LONG, HISTORY[-1 - periods].at))
    assert words in note
    assert "spread evenly" in note


def test_closes_that_end_between_the_last_retarget_and_the_forecast_are_said_after_a_week() -> None:
    assert noted(closes(LONG, LAST + DAY), as_of=LAST + 7 * DAY) == ()
    (note,) = noted(closes(LONG, LAST + DAY), as_of=LAST + 12 * DAY)
    assert "present price" in note


def test_a_late_beginning_and_gaps_are_counted() -> None:
    (note,) = noted(closes(HISTORY[-101].at, AT))
    assert "100 of 208" in note
    gaps = [(HISTORY[-50].at, HISTORY[-49].at), (HISTORY[-30].at, HISTORY[-28].at)]
    (note,) = noted(closes(LONG, AT, *gaps))
    assert "no close for a week or more in 3 retarget periods" in note
    assert f"{HISTORY[-50].at:%Y-%m-%d}" in note


def test_closes_too_few_for_an_estimate_leave_the_default() -> None:
    found = noted(closes(HISTORY[-31].at, AT))
    assert "fewer than 40 retargets" in found[0]
    assert "30 of 208" in found[1]
    found = noted(closes(LONG, datetime(2017, 1, 1, tzinfo=UTC)))
    assert any("covers no retarget period" in note for note in found)
    assert noted((), name="prices.csv")[-1].startswith("prices.csv has no close up to")


def test_a_difficulty_history_that_ends_early_or_begins_late_is_said() -> None:
    assert difficulty_notes(START, LAST + 17 * DAY, 208) == ()
    (note,) = difficulty_notes(START, LAST + 18 * DAY, 208)
    assert "ends 18 days before" in note
    (note,) = difficulty_notes(START, LAST + DAY, 40)
    assert "holds 40 changes" in note
    # a chain with a retarget every three and a half days is late after five
    fast = replace(START, period=504)
    assert difficulty_notes(fast, LAST + 4 * DAY) == ()
    assert len(difficulty_notes(fast, LAST + 5 * DAY)) == 1


def test_the_present_price_is_of_today_or_its_age_is_said() -> None:
    assert market_notes(77_054.0, AT, AT + DAY) == ()
    (note,) = market_notes(77_054.0, AT, AT + 3 * DAY)
    assert "77,054 USD" in note
    assert "3 days" in note
    assert "nothing answers the price" in market_notes(None, None, AT)[0]


def test_fees_that_end_early_are_said() -> None:
    as_of = datetime(2026, 8, 22, tzinfo=UTC)
    assert fee_notes(Month(2026, 7), 24, name="fees.csv", as_of=as_of) == ()
    assert fee_notes(Month(2026, 6), 24, name="fees.csv", as_of=as_of) == ()
    (note,) = fee_notes(Month(2025, 12), 24, name="fees.csv", as_of=as_of)
    assert "ends 2025-12, 7 full months before" in note


def test_months_without_an_hour_of_power_prices_are_said() -> None:
    hours = tuple((40.0, 60.0) if month not in {1, 2} else () for month in range(12))
    operation = mine(sites=(site(power_hours=hours),))
    (note,) = power_notes(operation, {"a": "hours.csv"})
    assert "month 2, 3" in note
    assert power_notes(mine(), {"a": None}) == ()


def test_an_arrival_that_has_passed_and_is_still_drawn_is_said() -> None:
    s21 = KNOWN_MACHINES["Antminer S21"]
    late = Batch(site="a", machine=s21, count=500, since=date(2026, 7, 1), delay_days=20.0)
    assert "were due 2026-07-01" in fleet_notes(mine(fleet=(late,)), AT)[0]
    for sure in (replace(late, delay_days=0.0), replace(late, since=date(2027, 1, 1))):
        assert fleet_notes(mine(fleet=(sure,)), AT) == ()


def test_a_recorded_hashrate_that_is_not_the_plan_s_or_has_ended_is_said() -> None:
    operation = mine()
    planned = operation.hashrate_hs(Month.of(AT))
    recent = [(AT - number * DAY).date() for number in range(1, 40)]
    near: dict[date, float] = {day: planned * 1.04 for day in recent}  # noqa: C420 - typed as floats
    far: dict[date, float] = {day: planned * 0.8 for day in recent}  # noqa: C420 - typed as floats
    assert hashrate_notes(operation, near, AT) == ()
    (note,) = hashrate_notes(operation, far, AT)
    assert f"on 30 days to {recent[0]} is {planned * 0.8 / 1e18:.2f} EH/s" in note
    (note,) = hashrate_notes(operation, {AT.date() - 40 * DAY: planned}, AT)
    assert "recorded hashrate ends" in note
    assert hashrate_notes(operation, {}, AT) == ()
