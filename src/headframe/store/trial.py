"""A journal for a dry run: what is written on top of a real one is read back and thrown away."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from headframe.desk.ports import Draft, Fault, Head, Journal, Moved, Record
from headframe.store.chain import GENESIS, Row, body_text, following, records
from headframe.units import iso


class TrialJournal:
    """The events of a journal up to its first trial event, then events in memory."""

    def __init__(self, base: Journal) -> None:
        self._base = base
        self._kept: list[Row] = []
        self._on: Head | None = None

    def close(self) -> None:
        """Let go of the journal below."""
        self._base.close()

    def head(self) -> Head:
        """Count and hash of the last event, tried or real."""
        if self._kept:
            return Head(self._kept[-1][0], self._kept[-1][5])
        return self._base.head()

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Events after a place as they are kept."""
        for row in self._base.rows(after):
            if self._on is not None and row[0] > self._on.count:
                break
            yield row
        yield from (row for row in self._kept if row[0] > after)

    def read(self, after: int = 0) -> Iterator[Record]:
        """Events after a place, each checked against the chain."""
        if not self._kept:
            return self._base.read(after)
        previous = next(self.rows(after - 1))[5] if after else GENESIS
        return records(self.rows(after), after=after, previous=previous)

    def append(self, drafts: Sequence[Draft], *, at: datetime, author: str, after: int) -> Head:
        """Keep all drafts in memory, or raise Moved."""
        head = self.head()
        if head.count != after:
            raise Moved
        if self._on is None:
            self._on = head
        bodies = [(draft.kind, body_text(draft.body)) for draft in drafts]
        self._kept += following(head, bodies, iso(at), author)
        return self.head()

    def verify(self, anchor: Head | None = None) -> tuple[Fault, ...]:
        """Every fault of the journal below."""
        return self._base.verify(anchor)
