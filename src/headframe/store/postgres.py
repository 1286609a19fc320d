"""The journal in PostgreSQL: serializable transactions, retried whole, the same chain as on a laptop.

The driver is the extra ``postgres``. A journal is one schema of a database: ``headframe``, or what
``?schema=NAME`` at the end of the URL says.
"""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from headframe.desk.ports import (
    DiskTrouble,
    Draft,
    Fault,
    Head,
    Invalid,
    Journal,
    JournalBroken,
    JournalLocked,
    Moved,
    Record,
)
from headframe.store import migrations
from headframe.store.chain import GENESIS, Row, body_text, faults, following, records
from headframe.store.migrations import Step, latest, steps_from
from headframe.units import iso

R = TypeVar("R")
_ATTEMPTS = 60
_CHUNK = 1_000
_LOCK = 0x48454144  # "HEAD"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,50}")
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS {0};
CREATE TABLE {0}.events (
  seq bigint PRIMARY KEY, at text NOT NULL, author text NOT NULL, kind text NOT NULL,
  body text NOT NULL, hash text NOT NULL
);
CREATE TABLE {0}.format (version integer NOT NULL);
INSERT INTO {0}.format VALUES (1);
CREATE FUNCTION {0}.never() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN RAISE EXCEPTION ''the journal is append-only''; END';
CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE ON {0}.events
  FOR EACH ROW EXECUTE FUNCTION {0}.never();
CREATE TRIGGER events_never_leave BEFORE TRUNCATE ON {0}.events
  FOR EACH STATEMENT EXECUTE FUNCTION {0}.never();
"""
_GUARDS = """
SELECT tgname || ' ' || tgenabled::text || ' ' || tgtype::text FROM pg_trigger
WHERE tgrelid = '{0}.events'::regclass AND NOT tgisinternal ORDER BY tgname
"""
_WANTED = ("events_never_change O 27", "events_never_leave O 34")


class PostgresPlace:
    """A database and the schema in it; the URL's password is never shown."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        query = [pair for pair in parts.query.split("&") if pair]
        named = [pair[7:] for pair in query if pair.startswith("schema=")]
        self.schema = named[-1] if named else "headframe"
        if not _NAME.fullmatch(self.schema):
            raise Invalid("the schema of --database is small letters, digits and _")
        rest = "&".join(pair for pair in query if not pair.startswith("schema="))
        self._url = urlunsplit(parts._replace(query=rest))
        where = parts.hostname or "the local server"
        self.name = f"{where}{parts.path}, schema {self.schema}"

    def connect(self) -> Any:  # noqa: ANN401 - the driver is imported late
        """A connection whose commits are on the disk when they return."""
        psycopg = _driver()
        try:
            made = psycopg.connect(self._url, autocommit=True, connect_timeout=10)
            made.execute("SET default_transaction_isolation TO 'serializable'")
            made.execute("SET synchronous_commit TO on")
        except psycopg.Error as error:
            raise DiskTrouble(
                f"the database at {self.name} cannot be reached: {_first(error)}"
            ) from error
        return made

    def exists(self) -> bool:
        """Whether a journal with events is there."""
        with self.connect() as db:
            there = db.execute("SELECT to_regclass(%s)", (f"{self.schema}.events",)).fetchone()
            if there[0] is None:
                return False
            return bool(db.execute(f"SELECT 1 FROM {self.schema}.events LIMIT 1").fetchone())  # noqa: S608 - a checked name

    def open(self) -> "PostgresJournal":
        """The journal that is there."""
        return PostgresJournal(self)

    def fresh(self) -> "PostgresJournal":
        """A new journal; one without events, left by a crash, is taken as new."""
        return PostgresJournal(self, create=True)

    def keep(self, journal: Journal) -> None:
        """Give a fresh journal its name: here it has had it all along."""
        journal.close()

    def lock(self) -> "PostgresLock":
        """The lock of the one program that deals."""
        return PostgresLock(self)


class PostgresJournal:
    """One journal in one schema; ``append`` returns when the events are on the server's disk."""

    def __init__(self, place: PostgresPlace, *, create: bool = False) -> None:
        self.place = place
        self._events = f"{place.schema}.events"
        self._db = place.connect()
        version = self._version()
        if version is None and create:
            self._whole(lambda: self._db.execute(_SCHEMA.format(place.schema)))
        elif version is None:
            raise JournalBroken(f"{place.name} holds no journal of headframe")
        elif version > latest(migrations.STEPS):
            raise JournalBroken(
                f"{place.name} was written by a newer headframe (format {version}, this one "
                f"reads {latest(migrations.STEPS)}): use that version"
            )
        self._migrate()

    def _migrate(self) -> None:
        """Bring an older format up to this version's, one transaction a step."""
        while steps := steps_from(self._version() or 1, migrations.STEPS):
            self._whole(partial(self._step, steps[0]))

    def _step(self, step: Step) -> None:
        """One step, unless somebody else was faster."""
        if self._version() != step.version - 1:
            return
        for statement in step.postgres:
            self._line().execute(statement.format(self.place.schema))
        self._line().execute(
            f"UPDATE {self.place.schema}.format SET version = %s",  # noqa: S608 - a checked name
            (step.version,),
        )

    def _line(self) -> Any:  # noqa: ANN401 - a connection of the driver
        """The connection; a new one where the last one broke."""
        if self._db.closed:
            self._db = self.place.connect()
        return self._db

    def _version(self) -> int | None:
        with self._translated():
            there = self._one("SELECT to_regclass(%s)", f"{self.place.schema}.format")
            if there[0] is None:
                return None
            found = self._one(f"SELECT version FROM {self.place.schema}.format")  # noqa: S608 - a checked name
        return int(found[0])

    def _one(self, sql: str, *values: object) -> Any:  # noqa: ANN401 - a row of the driver
        return self._line().execute(sql, values or None).fetchone()

    def close(self) -> None:
        """Let go of the connection."""
        self._db.close()

    def __del__(self) -> None:
        with suppress(Exception):  # a journal dropped without a word lets go as a file does
            self._db.close()

    def head(self) -> Head:
        """Count and hash of the last event."""
        with self._translated():
            return self._head()

    def _head(self) -> Head:
        row = self._one(f"SELECT seq, hash FROM {self._events} ORDER BY seq DESC LIMIT 1")  # noqa: S608 - a checked name
        return Head(int(row[0]), str(row[1])) if row else Head(0, GENESIS)

    def read(self, after: int = 0) -> Iterator[Record]:
        """Events after a place, each checked against the chain."""
        previous = GENESIS
        if after:
            with self._translated():
                row = self._one(f"SELECT hash FROM {self._events} WHERE seq = %s", after)  # noqa: S608 - a checked name
            previous = str(row[0]) if row else GENESIS
        yield from records(self.rows(after), after=after, previous=previous)

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Events after a place as they are kept, up to the head at this moment."""
        last = self.head().count
        while after < last:
            with self._translated():
                found = (
                    self._line()
                    .execute(
                        f"SELECT seq, at, author, kind, body, hash FROM {self._events} "  # noqa: S608 - a checked name
                        "WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT %s",
                        (after, last, _CHUNK),
                    )
                    .fetchall()
                )
            yield from found
            after = last if not found else int(found[-1][0])

    def append(self, drafts: Sequence[Draft], *, at: datetime, author: str, after: int) -> Head:
        """Write all drafts or none, durably; raises Moved when somebody wrote in between."""
        bodies = [(draft.kind, body_text(draft.body)) for draft in drafts]

        def write() -> Head:
            head = self._head()
            if head.count != after:
                raise Moved
            rows = following(head, bodies, iso(at), author)
            with self._db.cursor() as cursor:
                cursor.executemany(
                    f"INSERT INTO {self._events} VALUES (%s, %s, %s, %s, %s, %s)",  # noqa: S608 - a checked name
                    rows,
                )
            return Head(rows[-1][0], rows[-1][5]) if rows else head

        return self._whole(write, self._kept)

    def adopt(self, rows: Iterator[Row]) -> None:
        """Take over the events of another journal, all or none, into an empty one."""

        def write() -> None:
            if self._head().count:
                raise Invalid(f"{self.place.name} holds a journal already")
            with self._db.cursor() as cursor:
                cursor.executemany(
                    f"INSERT INTO {self._events} VALUES (%s, %s, %s, %s, %s, %s)",  # noqa: S608 - a checked name
                    rows,
                )

        with self._translated(), self._line().transaction():
            write()

    def _kept(self, head: Head) -> bool:
        """Whether a commit whose answer was lost did reach the disk."""
        row = self._one(f"SELECT hash FROM {self._events} WHERE seq = %s", head.count)  # noqa: S608 - a checked name
        return row is not None and row[0] == head.hash

    def _whole(self, work: Callable[[], R], kept: Callable[[R], bool] = lambda _: False) -> R:
        """A transaction, run again from its beginning when another one got in its way.

        Where the connection breaks at the commit, the outcome is read again over a new one.
        """
        made: R | None = None
        for _ in range(_ATTEMPTS):
            try:
                made = None
                with self._translated(), self._line().transaction():
                    made = work()
            except _Again:
                continue
            except DiskTrouble:
                if made is None or not self._db.closed:
                    raise
                if kept(made):
                    return made
                raise
            return made
        raise JournalLocked("others keep writing to the journal; try again")

    @contextmanager
    def _translated(self) -> Generator[None]:
        """The driver's errors as the desk's."""
        psycopg = _driver()
        errors = psycopg.errors
        try:
            yield
        except (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation) as e:
            raise _Again from e
        except (errors.LockNotAvailable, errors.QueryCanceled) as error:
            raise JournalLocked(
                f"the journal at {self.place.name} is held; try again: {_first(error)}"
            ) from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise DiskTrouble(
                f"the database at {self.place.name} failed ({_first(error)}); what the journal "
                "holds is read again by the next command"
            ) from error
        except psycopg.Error as error:
            raise JournalBroken(
                f"{self.place.name} is not a journal of headframe ({_first(error)})"
            ) from error

    def verify(self, anchor: Head | None = None) -> tuple[Fault, ...]:
        """Every fault of the table's guards and of the chain."""
        try:
            with self._translated():
                found = self._line().execute(_GUARDS.format(self.place.schema)).fetchall()
            guards: tuple[Fault, ...] = ()
            if tuple(row[0] for row in found) != _WANTED:
                guards = (Fault(0, "the table's guards against change are not as they were made"),)
            return (*guards, *faults(self.rows(), anchor))
        except JournalBroken as error:
            return (Fault(0, str(error)),)


class PostgresLock:
    """One trading program at a time, on whatever machine: a lock of the session, gone with it."""

    def __init__(self, place: PostgresPlace) -> None:
        self._db = place.connect()
        held = self._db.execute(
            "SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_LOCK, place.schema)
        ).fetchone()
        if not held[0]:
            self._db.close()
            raise JournalLocked(
                "another program is dealing in this workspace; try again when it has finished"
            )

    def hold(self) -> None:
        """Return while it is held; JournalLocked when the server let it go with the connection."""
        psycopg = _driver()
        try:
            self._db.execute("SELECT 1")
        except psycopg.Error as error:
            raise JournalLocked(
                "the lock on dealing went with the connection to the database; begin again"
            ) from error

    def release(self) -> None:
        """Let go."""
        with suppress(Exception):
            self._db.close()


class _Again(Exception):
    """Another transaction got in the way: from the beginning."""


def _driver() -> Any:  # noqa: ANN401 - the driver's module
    try:
        return import_module("psycopg")
    except ImportError as error:
        raise Invalid(
            "a PostgreSQL journal needs the extra: pip install 'headframe[postgres]'"
        ) from error


def _first(error: Exception) -> str:
    """The first line of the driver's words."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
