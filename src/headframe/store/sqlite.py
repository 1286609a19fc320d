"""The journal in SQLite: WAL with synchronous=FULL, through a library free of the WAL-reset bug.

``apsw`` carries its own SQLite (3.51.3 or later: https://sqlite.org/wal.html, "WAL-reset bug").
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import cast

import apsw

from headframe.desk.ports import (
    DiskTrouble,
    Draft,
    Fault,
    Head,
    Invalid,
    JournalBroken,
    JournalLocked,
    Moved,
    Record,
)
from headframe.store import migrations
from headframe.store.chain import GENESIS, Row, body_text, faults, following, records
from headframe.store.migrations import latest, steps_from
from headframe.units import iso

APPLICATION_ID = 0x48454144  # "HEAD"
SAFE_LIBRARY = (3, 51, 3)
_BUSY_MS = 5_000
_LAST = "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"
_INSERT = "INSERT INTO events VALUES (?,?,?,?,?,?)"
_SCHEMA = (
    """CREATE TABLE events (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, author TEXT NOT NULL, kind TEXT NOT NULL,
  body TEXT NOT NULL, hash TEXT NOT NULL
) STRICT""",
    """CREATE TRIGGER events_never_change BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    """CREATE TRIGGER events_never_leave BEFORE DELETE ON events
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
)


class SqliteJournal:
    """One journal in one file; ``append`` returns when the events are on the disk."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        if not library_is_safe():
            raise JournalBroken(
                f"SQLite {apsw.sqlite_lib_version()} may lose commits (WAL-reset bug): "
                "install an apsw that carries 3.51.3 or later"
            )
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
        with _translated(path):
            self._db = apsw.Connection(str(path), flags=flags)
            self._db.set_busy_timeout(_BUSY_MS)
            self._prepare(create=create)

    def _prepare(self, *, create: bool) -> None:
        version = self._one("PRAGMA user_version")
        application = self._one("PRAGMA application_id")
        empty = not self._one("SELECT count(*) FROM sqlite_schema")
        if empty and create:
            self._run("PRAGMA journal_mode=WAL")
            with self._db:
                for statement in _SCHEMA:
                    self._run(statement)
                self._run(f"PRAGMA application_id={APPLICATION_ID}")
                self._run("PRAGMA user_version=1")
            self._migrate()
        elif application != APPLICATION_ID:
            raise JournalBroken(f"{self.path.name} is not a journal of headframe")
        elif isinstance(version, int) and version > latest(migrations.STEPS):
            raise JournalBroken(
                f"{self.path.name} was written by a newer headframe (format {version}, this one "
                f"reads {latest(migrations.STEPS)}): use that version"
            )
        else:
            self._migrate()
        self._run("PRAGMA synchronous=FULL")

    def _migrate(self) -> None:
        """Bring an older format up to this version's, one transaction a step."""
        while steps := steps_from(cast("int", self._one("PRAGMA user_version")), migrations.STEPS):
            self._run("BEGIN IMMEDIATE")
            with self._db:
                found = cast("int", self._one("PRAGMA user_version"))
                if found == steps[0].version - 1:  # nobody else was faster
                    for statement in steps[0].sqlite:
                        self._run(statement)
                    self._run(f"PRAGMA user_version={steps[0].version}")
            self._run("COMMIT")

    def _run(self, sql: str, values: tuple[int | str, ...] = ()) -> Iterator[tuple[object, ...]]:
        return _run(self._db, sql, values)

    def _one(self, sql: str) -> object:
        row = next(self._run(sql), None)
        return row[0] if row else None

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def adopt(self, rows: Iterable[Row]) -> None:
        """Take over the events of another journal, all or none, into an empty one."""
        with _translated(self.path):
            if self._head().count:
                raise Invalid(f"{self.path.name} holds a journal already")
            with self._db:
                for row in rows:
                    self._run(_INSERT, row)

    def head(self) -> Head:
        """Count and hash of the last event."""
        with _translated(self.path):
            return self._head()

    def _head(self) -> Head:
        row = next(self._run(_LAST), None)
        return Head(cast("int", row[0]), str(row[1])) if row else Head(0, GENESIS)

    def read(self, after: int = 0) -> Iterator[Record]:
        """Events after a place, each checked against the chain."""
        with _translated(self.path):
            previous = GENESIS
            if after:
                row = next(self._run("SELECT hash FROM events WHERE seq=?", (after,)), None)
                previous = str(row[0]) if row else GENESIS
            yield from records(self.rows(after), after=after, previous=previous)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Events after a place as they are kept, all of one instant."""
        sql = "SELECT seq, at, author, kind, body, hash FROM events WHERE seq>? ORDER BY seq"
        for row in self._run(sql, (after,)):
            yield cast("Row", row)

    def append(self, drafts: Sequence[Draft], *, at: datetime, author: str, after: int) -> Head:
        """Write all drafts or none, durably; raises Moved when somebody wrote in between."""
        bodies = [(draft.kind, body_text(draft.body)) for draft in drafts]
        stamp = iso(at)
        with _translated(self.path):
            self._run("BEGIN IMMEDIATE")
            try:
                head = self._append(bodies, stamp, author, after)
            except BaseException:
                if self._db.in_transaction:  # a full disk has rolled back by itself
                    self._run("ROLLBACK")
                raise
            try:
                self._run("COMMIT")
            except apsw.Error:
                if not self._db.in_transaction and self.head() == head:
                    return head  # the commit did reach the disk: the outcome was read again
                if self._db.in_transaction:
                    self._run("ROLLBACK")
                raise
        return head

    def _append(self, bodies: list[tuple[str, str]], stamp: str, author: str, after: int) -> Head:
        head = self._head()
        if head.count != after:
            raise Moved
        for row in following(head, bodies, stamp, author):
            self._run(_INSERT, row)
            head = Head(row[0], row[5])
        return head

    def _unguarded(self) -> Iterator[Fault]:
        """The table and the triggers that forbid change, word for word as they were made."""
        sql = "SELECT sql FROM sqlite_schema WHERE sql NOT NULL"
        added = {statement for step in migrations.STEPS for statement in step.sqlite}
        if {str(row[0]) for row in self._run(sql)} != {*_SCHEMA, *added}:
            yield Fault(0, "the table or its guards against change are not as they were made")

    def verify(self, anchor: Head | None = None) -> tuple[Fault, ...]:
        """Every fault of the file and of the chain."""
        try:
            with _translated(self.path):
                broken = [
                    Fault(0, f"the database file is damaged: {row[0]}")
                    for row in self._run("PRAGMA integrity_check(10)")
                    if row[0] != "ok"
                ]
                return (*broken, *self._unguarded(), *faults(self.rows(), anchor))
        except JournalBroken as error:
            return (Fault(0, str(error)),)


@contextmanager
def _translated(path: Path) -> Generator[None]:
    """The library's errors as the desk's."""
    try:
        yield
    except (apsw.BusyError, apsw.LockedError) as error:
        raise JournalLocked(
            f"{path.name} is held by another program; try again when it has finished"
        ) from error
    except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError) as error:
        raise JournalBroken(f"{path.name} is damaged ({error}); restore a backup") from error
    except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError) as error:
        raise DiskTrouble(
            f"{path.name} cannot be written ({error}): the disk is full, failing or read-only; "
            "nothing of this command was kept"
        ) from error
    except (apsw.SQLError, apsw.ConstraintError) as error:
        raise JournalBroken(f"{path.name} is not a journal of headframe ({error})") from error


def library_is_safe() -> bool:
    """Whether the linked SQLite is free of the WAL-reset bug."""
    parts = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    return parts >= SAFE_LIBRARY


def _run(
    db: apsw.Connection, sql: str, values: tuple[int | str, ...] = ()
) -> Iterator[tuple[object, ...]]:
    """Run one statement; its rows as they come."""
    return cast("Iterator[tuple[object, ...]]", db.execute(sql, values))  # pyright: ignore[reportUnknownMemberType] - its stub names buffers
