"""The live ladder in a real pseudo-terminal: typed size, refusals, leaving."""

import os
import pty
import re
import select
import sys
import time
from pathlib import Path

import pytest

from headframe.desk import audit
from headframe.wiring import open_office
from waiting import LIMIT


def session(
    folder: Path, answers: list[tuple[str, str]], seconds: float = LIMIT
) -> tuple[str, int]:
    """Run rfq P-1 in a terminal; when a text appears, type its answer."""
    child, handle = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ["COLUMNS"], os.environ["LINES"] = "160", "50"
        os.execv(
            sys.executable, [sys.executable, "-m", "headframe", "rfq", "P-1", "--as", "trader"]
        )
    seen, waiting, end = "", list(answers), time.monotonic() + seconds
    while time.monotonic() < end:
        ready, _, _ = select.select([handle], [], [], 0.1)
        if ready:
            try:
                seen += os.read(handle, 65_536).decode("utf-8", "replace")
            except OSError:
                break
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
        if waiting and re.search(waiting[0][0], plain):
            os.write(handle, waiting.pop(0)[1].encode())
    _, status = os.waitpid(child, 0)
    os.close(handle)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen), os.waitstatus_to_exitcode(status)


def test_a_person_accepts_by_typing_the_size(approved: Path) -> None:
    size = open_office(approved, user="x").state().proposals["P-1"].envelope.size
    seen, status = session(
        approved,
        [
            (r"accept is off: nobody quoted", "\n"),
            (r"by the rule \w+ at", "1\r"),
            (r"1 is not the size of the request", f"9\x7f{size}\r"),
        ],
    )
    assert status == 0, seen[-2000:]
    assert "nothing to accept" in seen
    assert "can win" in seen
    office = open_office(approved, user="x")
    (trade,) = office.state().trades.values()
    (record,) = office.state().rfqs.values()
    assert trade.dealer in record.outcome
    assert office.now() < record.request.respond_by, "the person did not wait for the response time"
    assert audit.verify(office).sound


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_a_person_leaves_and_nothing_is_dealt(approved: Path, key: str) -> None:
    seen, status = session(approved, [(r"accept is off", key)])
    assert status == 4, seen[-2000:]
    office = open_office(approved, user="x")
    assert office.state().trades == {}
    (record,) = office.state().rfqs.values()
    assert "left it" in record.outcome
    assert audit.verify(office).sound
