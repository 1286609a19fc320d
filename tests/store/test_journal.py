import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

from headframe.desk.ports import (
    DiskTrouble,
    Draft,
    Head,
    Invalid,
    JournalBroken,
    JournalLocked,
    Moved,
)
from headframe.store import (
    GENESIS,
    Folder,
    MemoryJournal,
    PostgresJournal,
    PostgresPlace,
    SqliteJournal,
    library_is_safe,
)
from headframe.store.sqlite import _SCHEMA

AT = datetime(2026, 8, 22, 15, 33, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def journal(request: Any, tmp_path: Path) -> Generator[Any]:
    """The contract below holds for every adapter of the port."""
    if request.param == "memory":
        yield MemoryJournal()
        return
    if request.param == "sqlite":
        made: Any = SqliteJournal(tmp_path / "j.db", create=True)
    else:
        place = PostgresPlace(request.getfixturevalue("postgres_url"))
        made = PostgresJournal(place, create=True)
    yield made
    made.close()


def draft(number: Any) -> Any:
    return Draft("noted", {"n": number, "text": 'é " \\ \u2028'})


def fill(journal: Any, count: Any) -> None:
    for number in range(count):
        journal.append([draft(number)], at=AT, author="me", after=number)


def test_what_was_written_is_read_back_in_order(journal: Any) -> None:
    assert journal.head() == Head(0, GENESIS)
    fill(journal, 3)
    head = journal.append([draft(3), draft(4)], at=AT, author="mé", after=3)
    records = list(journal.read())
    assert [record.body["n"] for record in records] == [0, 1, 2, 3, 4]
    assert records[-1].author == "mé"
    assert records[-1].at == AT
    assert (head.count, head.hash) == (5, records[-1].hash)
    assert [record.seq for record in journal.read(after=3)] == [4, 5]
    assert journal.verify() == ()
    assert journal.verify(head) == ()


def test_nothing_is_written_on_top_of_what_was_not_read(journal: Any) -> None:
    fill(journal, 2)
    with pytest.raises(Moved):
        journal.append([draft(9)], at=AT, author="me", after=1)
    assert journal.head().count == 2


def test_every_journal_chains_alike(journal: Any) -> None:
    one = MemoryJournal()
    fill(one, 4)
    fill(journal, 4)
    assert one.head() == journal.head()
    assert list(one.rows()) == list(journal.rows())
    assert list(one.rows(after=2)) == list(journal.rows(after=2))


def test_a_text_no_database_keeps_is_refused_and_nothing_is_written(journal: Any) -> None:
    fill(journal, 1)
    with pytest.raises(Invalid, match="half a character"):
        journal.append([Draft("noted", {"text": "\ud800"})], at=AT, author="me", after=1)
    journal.append([Draft("noted", {"text": "\u0000 \u2028"})], at=AT, author="me", after=1)
    assert [record.body.get("text") for record in journal.read(after=1)] == ["\u0000 \u2028"]


def tamper(path: Any, *statements: Any) -> None:
    db = apsw.Connection(str(path))
    db.execute("DROP TRIGGER events_never_change; DROP TRIGGER events_never_leave")
    for statement in (*statements, *_SCHEMA[1:]):
        db.execute(statement)
    db.close()


TAMPERINGS = {
    "a flipped byte": ["UPDATE events SET body = replace(body, '2', '7') WHERE seq = 3"],
    "another author": ["UPDATE events SET author = 'you' WHERE seq = 2"],
    "another time": ["UPDATE events SET at = '2026-08-22T15:34:00Z' WHERE seq = 2"],
    "a deleted row": ["DELETE FROM events WHERE seq = 3"],
    "swapped rows": ["UPDATE events SET seq = 99 WHERE seq = 2", "UPDATE events SET seq = 2 WHERE seq = 3", "UPDATE events SET seq = 3 WHERE seq = 99"],
    "an inserted row": ["INSERT INTO events SELECT 6, at, author, kind, body, hash FROM events WHERE seq = 1"],
    "a forged hash": ["UPDATE events SET hash = '" + "0" * 64 + "' WHERE seq = 5"],
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampering_is_found(what: Any, tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, create=True)
    fill(journal, 5)
    journal.close()
    tamper(path, *TAMPERINGS[what])
    again = SqliteJournal(path)
    assert again.verify()
    with pytest.raises(JournalBroken, match="changed from outside"):
        list(again.read())


def test_a_cut_tail_and_a_rewrite_are_found_with_the_anchor_alone(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, create=True)
    fill(journal, 5)
    anchor = journal.head()
    journal.close()
    tamper(path, "DELETE FROM events WHERE seq = 5")
    cut = SqliteJournal(path)
    assert cut.verify() == ()
    assert "tail is gone" in cut.verify(anchor)[0].detail
    other = SqliteJournal(tmp_path / "k.db", create=True)
    for number in range(5):
        other.append([draft(number + 1)], at=AT, author="me", after=number)
    assert other.verify() == ()
    assert "rewritten" in other.verify(anchor)[0].detail


def test_missing_guards_are_found(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = SqliteJournal(path, create=True)
    fill(journal, 3)
    assert journal.verify() == ()
    db = apsw.Connection(str(path))
    db.execute("DROP TRIGGER events_never_leave")
    db.close()
    assert "guards" in SqliteJournal(path).verify()[0].detail


def test_the_table_itself_refuses_changes(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db", create=True)
    fill(journal, 1)
    db = apsw.Connection(str(tmp_path / "j.db"))
    for statement in ("UPDATE events SET author = 'x'", "DELETE FROM events"):
        with pytest.raises(apsw.ConstraintError, match="append-only"):
            db.execute(statement)


def test_durable_by_a_library_without_the_wal_reset_bug(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "j.db", create=True)
    db = apsw.Connection(str(tmp_path / "j.db"))
    assert db.pragma("journal_mode") == "wal"
    assert library_is_safe()


def test_what_is_no_journal_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text(
        "not a database at all, but long enough to be read as one" * 40
    )
    with pytest.raises(JournalBroken):
        SqliteJournal(tmp_path / "text.db")
    apsw.Connection(str(tmp_path / "other.db")).execute("CREATE TABLE events (x)")
    with pytest.raises(JournalBroken, match="not a journal of headframe"):
        SqliteJournal(tmp_path / "other.db")
    SqliteJournal(tmp_path / "new.db", create=True).close()
    apsw.Connection(str(tmp_path / "new.db")).execute("PRAGMA user_version=99")
    with pytest.raises(JournalBroken, match="newer headframe"):
        SqliteJournal(tmp_path / "new.db")
    with pytest.raises(DiskTrouble):
        SqliteJournal(tmp_path / "absent" / "j.db", create=True)


def test_a_locked_journal_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headframe.store.sqlite._BUSY_MS", 50)
    journal = SqliteJournal(tmp_path / "j.db", create=True)
    other = apsw.Connection(str(tmp_path / "j.db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalLocked, match="held by another program"):
        journal.append([draft(1)], at=AT, author="me", after=0)
    other.execute("ROLLBACK")
    journal.append([draft(1)], at=AT, author="me", after=0)


def test_a_full_disk_loses_nothing_and_is_one_line(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "j.db", create=True)
    fill(journal, 2)
    journal._db.execute("PRAGMA max_page_count=12")
    with pytest.raises(DiskTrouble, match="nothing of this command was kept"):
        journal.append([Draft("noted", {"text": "x" * 200_000})], at=AT, author="me", after=2)
    assert journal.head().count == 2
    journal._db.execute("PRAGMA max_page_count=100000")
    journal.append([draft(2)], at=AT, author="me", after=2)
    assert journal.verify() == ()


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from headframe.desk.ports import Draft
from headframe.store import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]))
count = journal.head().count
while True:
    journal.append([Draft("noted", {"n": count}), Draft("noted", {"n": -count})],
                   at=datetime(2026, 8, 22, tzinfo=UTC), author="me", after=count)
    count += 2
    print(count, flush=True)
"""


def test_kill_nine_at_any_moment_loses_no_acknowledged_event_and_leaves_no_half(
    tmp_path: Path,
) -> None:
    path = tmp_path / "j.db"
    SqliteJournal(path, create=True).close()
    acknowledged = 0
    for round_number in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(20 + 13 * round_number):
            acknowledged = int(writer.stdout.readline())
        time.sleep(0.003 * round_number)
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.communicate()[0].split()
        acknowledged = max([acknowledged, *(int(one) for one in rest if one.isdigit())])
        journal = SqliteJournal(path)
        assert journal.verify() == ()
        assert journal.head().count >= acknowledged
        assert journal.head().count % 2 == 0, "half of a pair was kept"
        journal.close()


def test_files_are_written_whole(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("a.txt", "one")
    folder.write("a.txt", "two")
    assert folder.text("a.txt") == "two"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]
    with pytest.raises(DiskTrouble):
        Folder(Path("/proc/none")).write("a", "b")
