"""A journal in memory, for tests and for trying out."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from headframe.desk.ports import Draft, Fault, Head, Moved, Record
from headframe.store.chain import GENESIS, Row, body_text, event_hash, event_text, faults, records
from headframe.units import iso


class MemoryJournal:
    """Rows in a list, with the same chain as on disk."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def head(self) -> Head:
        """Count and hash of the last event."""
        return Head(len(self.rows), self.rows[-1][5] if self.rows else GENESIS)

    def read(self, after: int = 0) -> Iterator[Record]:
        """Events after a place."""
        previous = self.rows[after - 1][5] if after else GENESIS
        return records(self.rows[after:], after=after, previous=previous)

    def append(self, drafts: Sequence[Draft], *, at: datetime, author: str, after: int) -> Head:
        """Write all drafts, or raise Moved."""
        if after != len(self.rows):
            raise Moved
        fresh: list[Row] = []
        previous = self.head().hash
        for seq, draft in enumerate(drafts, start=after + 1):
            body = body_text(draft.body)
            previous = event_hash(previous, event_text(seq, iso(at), author, draft.kind, body))
            fresh.append((seq, iso(at), author, draft.kind, body, previous))
        self.rows.extend(fresh)
        return self.head()

    def verify(self, anchor: Head | None = None) -> tuple[Fault, ...]:
        """Every fault of the chain."""
        return tuple(faults(self.rows, anchor))
