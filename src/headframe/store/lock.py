"""One trading program at a time: a lock that dies with its holder, on every system SQLite knows."""

from pathlib import Path

import apsw

from headframe.desk.ports import DiskTrouble, JournalLocked


class TradingLock:
    """Held while requests are dealt in a workspace; kill -9 of the holder lets go of it."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = apsw.Connection(str(path))
            self._db.execute("BEGIN EXCLUSIVE")  # pyright: ignore[reportUnknownMemberType] - its stub names buffers
        except (apsw.BusyError, apsw.LockedError) as error:
            raise JournalLocked(
                "another program is dealing in this workspace; try again when it has finished"
            ) from error
        except apsw.Error as error:
            raise DiskTrouble(f"{path.name} cannot be locked: {error}") from error

    def hold(self) -> None:
        """Return while it is held: a lock of the file system is held until it is let go."""

    def release(self) -> None:
        """Let go."""
        self._db.close()
