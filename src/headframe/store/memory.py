"""A journal in memory, for tests and for trying out."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from headframe.desk.ports import Draft, Fault, Head, Moved, Record
from headframe.store.chain import GENESIS, Row, body_text, faults, following, records
from headframe.units import iso


class MemoryJournal:
    """Rows in a list, with the same chain as on disk."""

    def __init__(self) -> None:
        self.kept: list[Row] = []

    def close(self) -> None:
        """Nothing is held."""

    def head(self) -> Head:
        """Count and hash of the last event."""
        return Head(len(self.kept), self.kept[-1][5] if self.kept else GENESIS)

    def read(self, after: int = 0) -> Iterator[Record]:
        """Events after a place."""
        previous = self.kept[after - 1][5] if after else GENESIS
        return records(self.kept[after:], after=after, previous=previous)

    def append(self, drafts: Sequence[Draft], *, at: datetime, author: str, after: int) -> Head:
        """Write all drafts, or raise Moved."""
        if after != len(self.kept):
            raise Moved
        bodies = [(draft.kind, body_text(draft.body)) for draft in drafts]
        self.kept.extend(following(self.head(), bodies, iso(at), author))
        return self.head()

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Events after a place as they are kept."""
        return iter(self.kept[after:])

    def verify(self, anchor: Head | None = None) -> tuple[Fault, ...]:
        """Every fault of the chain."""
        return tuple(faults(self.kept, anchor))
