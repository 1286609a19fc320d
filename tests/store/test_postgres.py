"""What only a server can do wrong: races of connections, lost answers, guards, URLs."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headframe.desk.ports import DiskTrouble, Draft, Invalid, JournalBroken, JournalLocked, Moved
from headframe.store import PostgresJournal, PostgresPlace, place_of

AT = datetime(2026, 8, 22, 15, 33, tzinfo=UTC)


def made(url: str) -> PostgresJournal:
    return PostgresJournal(PostgresPlace(url), create=True)


def test_racing_writers_lose_nothing_and_never_overlap(postgres_url: str) -> None:
    made(postgres_url).close()
    moved = [0] * 4

    def write(me: int) -> None:
        journal = PostgresPlace(postgres_url).open()
        for number in range(25):
            while True:
                try:
                    journal.append(
                        [Draft("noted", {"me": me, "n": number})],
                        at=AT,
                        author="me",
                        after=journal.head().count,
                    )
                    break
                except Moved:
                    moved[me] += 1
        journal.close()

    threads = [threading.Thread(target=write, args=(me,)) for me in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal = PostgresPlace(postgres_url).open()
    assert journal.verify() == ()
    for me in range(4):
        mine = [r.body["n"] for r in journal.read() if r.body["me"] == me]
        assert mine == list(range(25))
    journal.close()


def test_an_answer_lost_at_the_commit_is_read_again(postgres_url: str) -> None:
    """The server keeps the event, the client never hears of it: the outcome is read, not assumed."""
    journal = made(postgres_url)
    journal.append([Draft("noted", {"n": 0})], at=AT, author="me", after=0)
    real = journal._db

    class Cut:
        """A connection whose next commit succeeds and is never heard of."""

        closed = False

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def transaction(self) -> Any:
            import psycopg

            owner = self

            class Lost:
                def __enter__(self) -> None:
                    self.inner = real.transaction()
                    self.inner.__enter__()

                def __exit__(self, *error: object) -> None:
                    self.inner.__exit__(*error)
                    real.close()
                    owner.closed = True
                    raise psycopg.OperationalError("the line was cut")

            return Lost()

    journal._db = Cut()
    head = journal.append([Draft("noted", {"n": 1})], at=AT, author="me", after=1)
    assert head.count == 2
    assert journal.head() == head
    journal.close()


def ended_by_the_server(journal: PostgresJournal) -> None:
    """The server ends the journal's connection, as a restart of it does."""
    other = journal.place.connect()
    other.execute("SELECT pg_terminate_backend(%s)", (journal._db.info.backend_pid,))
    other.close()


def test_a_line_cut_before_the_commit_is_no_success_and_the_next_command_has_a_new_one(
    postgres_url: str,
) -> None:
    journal = made(postgres_url)
    ended_by_the_server(journal)
    with pytest.raises(DiskTrouble, match="failed"):
        journal.append([Draft("noted", {"n": 1})], at=AT, author="me", after=0)
    again = PostgresPlace(postgres_url).open()
    assert again.head().count == 0
    again.close()
    assert journal.append([Draft("noted", {"n": 1})], at=AT, author="me", after=0).count == 1
    ended_by_the_server(journal)
    with pytest.raises(DiskTrouble, match="failed"):
        list(journal.read())
    assert [record.body["n"] for record in journal.read()] == [1]
    journal.close()


def test_a_lock_that_went_with_its_connection_is_not_held(postgres_url: str) -> None:
    place = PostgresPlace(postgres_url)
    held = place.lock()
    held.hold()
    other = place.connect()
    other.execute("SELECT pg_terminate_backend(%s)", (held._db.info.backend_pid,))
    other.close()
    with pytest.raises(JournalLocked, match="went with the connection"):
        held.hold()
    place.lock().release()


def test_the_table_refuses_changes_and_missing_guards_are_found(postgres_url: str) -> None:
    import psycopg

    journal = made(postgres_url)
    journal.append([Draft("noted", {"n": 1})], at=AT, author="me", after=0)
    events = f"{journal.place.schema}.events"
    for statement in (
        f"UPDATE {events} SET author = 'x'",
        f"DELETE FROM {events}",
        f"TRUNCATE {events}",
    ):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            journal._db.execute(statement)
    assert journal.verify() == ()
    journal._db.execute(f"ALTER TABLE {events} DISABLE TRIGGER events_never_leave")
    assert "guards" in journal.verify()[0].detail
    journal._db.execute(f"ALTER TABLE {events} DISABLE TRIGGER events_never_change")
    journal._db.execute(f"UPDATE {events} SET author = 'x'")
    assert any("hash" in fault.detail for fault in journal.verify())
    journal.close()


def test_one_program_deals_at_a_time(postgres_url: str) -> None:
    place = PostgresPlace(postgres_url)
    held = place.lock()
    with pytest.raises(JournalLocked, match="another program is dealing"):
        place.lock()
    held.release()
    place.lock().release()


def test_what_is_no_journal_is_refused_and_no_password_is_shown(
    postgres_url: str, tmp_path: Path
) -> None:
    with pytest.raises(JournalBroken, match="no journal"):
        PostgresPlace(postgres_url).open()
    journal = made(postgres_url)
    journal._db.execute(f"UPDATE {journal.place.schema}.format SET version = 99")
    journal.close()
    with pytest.raises(JournalBroken, match="newer headframe"):
        PostgresPlace(postgres_url).open()
    away = PostgresPlace("postgresql://me:hush@127.0.0.1:1/none")
    with pytest.raises(DiskTrouble, match="cannot be reached") as caught:
        away.open()
    assert "hush" not in str(caught.value)
    assert "hush" not in away.name
    with pytest.raises(Invalid, match="schema"):
        PostgresPlace("postgresql://h/d?schema=a;drop")
    with pytest.raises(Invalid, match="mysql"):
        place_of(tmp_path, "mysql://h/d")
