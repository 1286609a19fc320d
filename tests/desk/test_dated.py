"""Two dates of a flow: the books show when it happened, the journal keeps when it was recorded."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from headframe.desk.dated import dated_postings


def _record(kind: str, **body: Any) -> Any:
    return SimpleNamespace(kind=kind, body=body, at=datetime(2026, 9, 20, 12, tzinfo=UTC), seq=7)


POSTINGS = [
    ["expenses:power", "USD", "40.00"], ["assets:cash", "USD", "-40.00"],
    ["assets:coins:free", "BTC", "0.20000000"], ["income:mined", "BTC", "-0.20000000"],
]  # fmt: skip


def test_each_flow_is_a_transaction_of_its_own_day_and_a_close_of_its_close() -> None:
    parts = [["b", "2026-09-02T01:00:00Z", 2], ["a", "2026-08-30T01:00:00Z", 2]]
    flows = _record("flows", postings=POSTINGS, parts=parts)
    closed = _record("day_closed", postings=POSTINGS[:2], close="2026-09-01")
    found = dated_postings([flows, closed])
    days = [(part.at.date(), part.label) for part in found]
    assert days == [
        (date(2026, 8, 30), "flows a"),
        (date(2026, 9, 1), "day_closed"),
        (date(2026, 9, 2), "flows b"),
    ]
    assert [len(part.postings) for part in found] == [2, 2, 2]
    assert found[0].postings[0][0] == "assets:coins:free"


def test_a_journal_without_parts_is_dated_by_its_record() -> None:
    (found,) = dated_postings([_record("flows", postings=POSTINGS)])
    assert (found.at.date(), len(found.postings)) == (date(2026, 9, 20), 4)
