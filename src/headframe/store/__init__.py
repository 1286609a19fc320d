"""The journal on disk and in memory: append-only, hash-chained."""

from headframe.store.chain import GENESIS, event_hash
from headframe.store.folder import Folder
from headframe.store.lock import TradingLock
from headframe.store.memory import MemoryJournal
from headframe.store.sqlite import SqliteJournal, library_is_safe

__all__ = [
    "GENESIS",
    "Folder",
    "MemoryJournal",
    "SqliteJournal",
    "TradingLock",
    "event_hash",
    "library_is_safe",
]
