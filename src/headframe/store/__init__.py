"""The journal in SQLite, in PostgreSQL and in memory: append-only, hash-chained."""

from headframe.store.backup import read_backup, write_backup
from headframe.store.chain import GENESIS, event_hash
from headframe.store.folder import Folder
from headframe.store.lock import TradingLock
from headframe.store.memory import MemoryJournal
from headframe.store.place import DATABASE, Place, SqlitePlace, place_of
from headframe.store.postgres import PostgresJournal, PostgresPlace
from headframe.store.sqlite import SqliteJournal, library_is_safe
from headframe.store.trial import TrialJournal

__all__ = [
    "DATABASE",
    "GENESIS",
    "Folder",
    "MemoryJournal",
    "Place",
    "PostgresJournal",
    "PostgresPlace",
    "SqliteJournal",
    "SqlitePlace",
    "TradingLock",
    "TrialJournal",
    "event_hash",
    "library_is_safe",
    "place_of",
    "read_backup",
    "write_backup",
]
