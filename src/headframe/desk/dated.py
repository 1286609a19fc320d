"""Postings by the instant they happened: an event's record carries a second instant, when it was recorded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from headframe.desk.ports import Record
from headframe.units import instant


@dataclass(frozen=True, slots=True)
class DatedPostings:
    """One transaction: when it happened, the event that recorded it, and account, currency, amount."""

    at: datetime
    record: Record
    label: str
    postings: tuple[tuple[str, str, str], ...]


def dated_postings(records: Iterable[Record]) -> list[DatedPostings]:
    """Return every transaction, oldest first; those of one instant keep the journal's order."""
    return sorted((part for record in records for part in _parts(record)), key=lambda part: part.at)


def _parts(record: Record) -> Iterator[DatedPostings]:
    """Yield an event's transactions: each flow on its own instant, a daily close at 08:00 UTC of its day."""
    postings = [(account, code, text) for account, code, text in record.body.get("postings") or ()]
    begin = 0
    for name, at, count in record.body.get("parts", ()):
        yield DatedPostings(
            instant(at), record, f"{record.kind} {name}", tuple(postings[begin : begin + count])
        )
        begin += count
    rest = tuple(postings[begin:])
    if rest:
        # journals written before flows named their parts date an event's postings by its record
        close = record.body.get("close") if record.kind == "day_closed" else None
        at = record.at if close is None else instant(f"{close}T08:00:00Z")
        yield DatedPostings(at, record, record.kind, rest)
