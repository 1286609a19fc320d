"""Where a journal is: a file of the workspace, a file elsewhere, or a schema of a PostgreSQL database."""

from pathlib import Path

from headframe.desk.ports import Invalid, Journal
from headframe.store.lock import TradingLock
from headframe.store.postgres import PostgresPlace
from headframe.store.sqlite import SqliteJournal

DATABASE = "headframe.db"
LOCK = "trading.lock"


class SqlitePlace:
    """A file; a new journal appears under its name when it is complete, so that a crash leaves no half."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.name = path.name
        self._folder = folder

    def exists(self) -> bool:
        """Whether a journal is there."""
        return self.path.is_file()

    def open(self) -> SqliteJournal:
        """The journal that is there."""
        return SqliteJournal(self.path)

    def fresh(self) -> SqliteJournal:
        """A new journal beside its place; what a crash left there is removed."""
        fresh = self._fresh()
        for leftover in (fresh, Path(f"{fresh}-wal"), Path(f"{fresh}-shm")):
            leftover.unlink(missing_ok=True)
        return SqliteJournal(fresh, create=True)

    def keep(self, journal: Journal) -> None:
        """Give a fresh journal its name."""
        journal.close()
        self._fresh().replace(self.path)

    def lock(self) -> TradingLock:
        """The lock of the one program that deals."""
        return TradingLock(self._folder / LOCK)

    def _fresh(self) -> Path:
        return self.path.with_name(self.path.name + ".new")


Place = SqlitePlace | PostgresPlace


def place_of(folder: Path, database: str | None) -> Place:
    """In the workspace, or where ``--database`` says: sqlite:///PATH, postgresql://..., or a path."""
    if database is None:
        return SqlitePlace(folder / DATABASE, folder)
    scheme, mark, rest = database.partition("://")
    if not mark:
        return SqlitePlace(Path(database), folder)
    if scheme == "sqlite":
        return SqlitePlace(Path(rest.removeprefix("/")), folder)
    if scheme in {"postgresql", "postgres"}:
        return PostgresPlace(database)
    raise Invalid(f"--database takes sqlite:///PATH or postgresql://..., was {scheme[:20]}://...")
