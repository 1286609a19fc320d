"""Alerts: one a cause, raised when new, worse or overdue, quiet otherwise."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.risk import Severity, Watched, cause_of, changes, figure_text, figures_apart

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)


def limit(used: float, name: str = "premium spent", clause: str = "M-5.1", **more: Any) -> Watched:
    return Watched(clause=clause, name=name, used=used, allowed=100.0, unit="USD", **more)


def after(standing: Any, *rows: Watched, at: datetime = AT, first: int = 1) -> Any:
    return changes(standing, rows, at, owner=lambda clause: f"owner of {clause}", first=first)


def held(found: Any, standing: Any = None) -> Any:
    rows = {**(standing or {})}
    for one in (*found.raised, *found.moved):
        rows[one.cause] = one
    for one in found.ended:
        del rows[one.cause]
    return rows


def test_from_near_to_beyond_and_back_each_step_is_said_once() -> None:
    assert after({}, limit(70.0)).raised == ()
    near = after({}, limit(80.0))
    (one,) = near.raised
    assert (one.id, one.severity, one.owner) == ("A-1", Severity.NOTICE, "owner of M-5.1")
    assert one.deadline == AT + timedelta(hours=24), "money: a day, not three"
    standing = held(near)
    still = after(standing, limit(85.0), at=AT + timedelta(hours=1), first=2)
    assert (still.raised, still.moved, still.ended) == ((), (), ()), "the same alert, not another"
    worse = after(standing, limit(101.0), at=AT + timedelta(hours=2), first=2)
    (two,) = worse.raised
    assert (two.id, two.severity, two.since) == ("A-1", Severity.ALARM, AT)
    assert two.deadline == AT + timedelta(hours=6)
    standing = held(worse, standing)
    eased = after(standing, limit(95.0), at=AT + timedelta(hours=3), first=2)
    assert eased.raised == ()
    assert eased.moved[0].severity is Severity.WARNING
    assert eased.moved[0].deadline == two.deadline
    standing = held(eased, standing)
    gone = after(standing, limit(10.0), at=AT + timedelta(hours=4), first=2)
    assert [alert.id for alert in gone.ended] == ["A-1"]
    again = after({}, limit(80.0), first=2)
    assert again.raised[0].id == "A-2"


def test_a_deadline_that_passes_is_said_once() -> None:
    standing = held(after({}, limit(101.0)))
    late = after(standing, limit(102.0), at=AT + timedelta(hours=5), first=2)
    assert late.raised[0].overdue
    standing = held(late, standing)
    assert after(standing, limit(103.0), at=AT + timedelta(hours=9), first=2).raised == ()


def test_the_months_of_a_clause_are_one_cause_and_dealers_are_not() -> None:
    months = [limit(101.0 + n, f"2026-{n:02d} cover, most", "M-2.2") for n in range(1, 13)]
    found = after(
        {}, *months, limit(95.0, "amber exposure", "M-4.2"), limit(95.0, "basalt exposure", "M-4.2")
    )
    assert [(one.cause, one.others) for one in found.raised] == [
        ("M-2.2", 11), ("M-4.2 amber exposure", 0), ("M-4.2 basalt exposure", 0)
    ]  # fmt: skip
    assert found.raised[0].limit == "2026-12 cover, most", "the worst of them"
    assert [one.id for one in found.raised] == ["A-1", "A-2", "A-3"]
    fewer = after(held(found), *months[:3], limit(95.0, "amber exposure", "M-4.2"), first=4)
    assert [one.others for one in fewer.moved] == [2]
    assert [one.cause for one in fewer.ended] == ["M-4.2 basalt exposure"]


def test_what_cannot_be_measured_is_an_alarm() -> None:
    (one,) = after({}, limit(float("nan"))).raised
    assert one.severity is Severity.ALARM
    assert cause_of(limit(1.0)) == "M-5.1 premium spent"


@given(st.lists(st.floats(0.0, 200.0), min_size=1, max_size=30))
def test_whatever_a_figure_does_there_is_one_alert_at_most_and_no_repetition(
    path: list[float],
) -> None:
    standing: Any = {}
    made = 0
    for step, used in enumerate(path):
        found = after(standing, limit(used), at=AT + timedelta(seconds=step), first=made + 1)
        made += sum(one.cause not in standing for one in found.raised)
        for one in found.raised:
            before = standing.get(one.cause)
            assert before is None or one.severity.rank > before.severity.rank
        standing = held(found, standing)
        assert len(standing) <= 1
        assert bool(standing) == (used >= 75.0)


@given(
    st.lists(st.lists(st.sampled_from([70.0, 80.0, 101.0]), min_size=4, max_size=4), max_size=12)
)
def test_an_id_is_given_once_whatever_ends_worsens_or_begins(looks: list[list[float]]) -> None:
    """Found: one alert that grew worse in the same look let the next new one take a number twice."""
    standing: Any = {}
    given_to: dict[str, str] = {}
    last = 0
    for step, figures in enumerate(looks):
        rows = [limit(used, f"limit {n}") for n, used in enumerate(figures)]
        found = after(standing, *rows, at=AT + timedelta(hours=step), first=last + 1)
        for one in found.raised:
            if one.cause not in standing:
                assert one.id not in given_to, (one, given_to)
                given_to[one.id] = one.cause
                last = max(last, int(one.id.removeprefix("A-")))
        standing = held(found, standing)
        assert len({one.id for one in standing.values()}) == len(standing)


def test_ids_made_after_a_restore_differ_from_those_it_lost() -> None:
    rows = [limit(101.0)]
    (one,) = changes({}, rows, AT, owner=str, first=3, lineage="0a1b2c3d").raised
    assert one.id == "A-3-0a1b2c3d"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1_234_567.4, "USD", "1,234,567"), (0.853, "of P50", "85 %"), (0.0123, "of line", "1.2 %"), (12.345, "coins", "12.35"),
        (3.0, "days", "3"), (2.54, "minutes", "2.5"), (float("nan"), "USD", "-"), (99_999.0, "USD", "99,999"),
    ],
)  # fmt: skip
def test_figures_are_written_by_their_unit(value: float, unit: str, text: str) -> None:
    assert figure_text(value, unit) == text


def test_an_alert_reads_as_a_treasurer_writes_it() -> None:
    (one,) = after({}, limit(123456.0)).raised
    assert "123,456 against 100 USD" in str(one)
    assert "e+" not in str(one)


@pytest.mark.parametrize(
    ("used", "allowed", "unit", "texts"),
    [
        (0.2495, 0.25, "of P50", ("24.9 %", "25.0 %")),
        (0.24996, 0.25, "of P50", ("25.00 %", "25.00 %")),
        (0.5, 0.25, "of P50", ("50 %", "25 %")),
        (0.25, 0.25, "of P50", ("25 %", "25 %")),
        (1_000_000.4, 1_000_000.0, "USD", ("1,000,000.4", "1,000,000.0")),
    ],
)
def test_figures_that_differ_never_read_alike(
    used: float, allowed: float, unit: str, texts: tuple[str, str]
) -> None:
    found = figures_apart(used, allowed, unit)
    assert (found[0] == found[1]) == (used == allowed)
    if texts[0] != texts[1] or used == allowed:
        assert found == texts
