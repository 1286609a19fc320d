"""kill -9 before one exact call that changes the disk or leaves the process: the n-th of a command.

``python -m kills N WORDS...`` runs ``headframe WORDS...`` and kills itself before its n-th such call: a write,
sync, truncation or deletion of SQLite (through a VFS of our own below it), an fsync or rename of any other file,
a frame on a socket. With N = 0 it runs to its end and says on stderr how many there were.
"""

import json
import os
import signal
import subprocess
import sys
from asyncio import selector_events
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

from waiting import LIMIT

HERE = Path(__file__).parent


class Counter:
    """Calls so far, and the one that is never made."""

    def __init__(self, fatal: int) -> None:
        self.fatal, self.count = fatal, 0

    def point(self) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def install(counter: Counter) -> Any:
    """Put the counter before every call that counts; keep what is returned alive."""

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            counter.point()
            return real(*args, **kwargs)

        return call

    def below(self: Any, name: Any, flags: Any) -> None:
        apsw.VFSFile.__init__(self, "unix", name, flags)

    def opened(self: Any, name: Any, flags: Any) -> Any:
        del self
        return file(name, flags)

    def registered(self: Any) -> None:
        apsw.VFS.__init__(self, "counted", "unix", makedefault=True)

    changing = ("xWrite", "xSync", "xTruncate")
    methods = {name: counted(getattr(apsw.VFSFile, name)) for name in changing}
    file: Any = type("CountedFile", (apsw.VFSFile,), {"__init__": below, **methods})
    deleting = counted(apsw.VFS.xDelete)
    vfs = {"__init__": registered, "xOpen": opened, "xDelete": deleting}
    os.fsync = counted(os.fsync)
    os.replace = counted(os.replace)
    transport: Any = vars(selector_events)["_SelectorSocketTransport"]
    transport.write = counted(transport.write)
    made: Any = type("CountedVfs", (apsw.VFS,), vfs)
    return made()


def run(fatal: int, folder: Path, *words: str) -> tuple[int, str, int]:
    """A command killed before its n-th call: its status, what it had answered, how many calls it made (0: killed)."""
    done = subprocess.run(
        [sys.executable, "-m", "kills", str(fatal), *words, "--workspace", str(folder), "--json"],
        capture_output=True, text=True, cwd=HERE, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    last = (done.stderr.splitlines() or [""])[-1]
    calls = int(last.removeprefix("calls ")) if last.startswith("calls ") else 0
    return done.returncode, done.stdout, calls


def judged(folder: Path, answer: str, words: tuple[str, ...]) -> dict[str, int]:
    """What a killed command left, after the same command was run again: counts of everything that is wrong."""
    from headframe.desk import audit
    from headframe.wiring import open_office

    status, again, _ = run(0, folder, *words)
    office = open_office(folder, user="auditor")
    state = office.state()
    dealt = [trade.rfq for trade in state.trades.values()]
    street = folder / "street.jsonl"
    rows = [json.loads(one) for one in street.read_text().splitlines()] if street.exists() else []
    there = {row["label"] for row in rows if row.get("state") == "filled"}
    said = [json.loads(one) for one in (answer, again) if one.strip().endswith("}")]
    booked = {one["trade"]["id"] for one in said if one.get("trade")}
    return {
        "next command fails": status not in {0, 4},
        "unsound": not audit.verify(office).sound,
        "lost": len(there - set(dealt)),
        "invented": len(set(dealt) - there),
        "dealt twice": len(state.trades) - len({one.proposal for one in state.trades.values()}),
        "acknowledged and lost": len(booked - set(state.trades)),
        "open": len(state.live_rfqs()),
    }


def main() -> None:
    """The command with the counter in it."""
    counter = Counter(int(sys.argv[1]))
    sys.argv = ["headframe", *sys.argv[2:]]
    kept = install(counter)
    from headframe.cli import main as headframe

    status: Any = 0
    try:
        headframe()
    except SystemExit as ended:
        status = ended.code
    sys.stdout.flush()
    sys.stderr.write(f"\ncalls {counter.count}\n")
    sys.stderr.flush()
    assert kept is not None
    os._exit(int(status or 0))


if __name__ == "__main__":
    main()
