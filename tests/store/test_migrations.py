"""A journal of an older format is opened by a newer version; a crash in between leaves one or the other."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw
import pytest

from headframe.desk.ports import Broken, Draft, JournalBroken
from headframe.store import PostgresPlace, SqliteJournal, migrations
from headframe.store.migrations import Step, steps_from

AT = datetime(2026, 8, 22, 15, 33, tzinfo=UTC)
SECOND = Step(
    2,
    sqlite=("CREATE INDEX by_kind ON events(kind)",),
    postgres=("CREATE INDEX by_kind ON {0}.events(kind)",),
)
THIRD = Step(
    3,
    sqlite=("CREATE TABLE notes (seq INTEGER PRIMARY KEY, text TEXT) STRICT",),
    postgres=("CREATE TABLE {0}.notes (seq bigint PRIMARY KEY, text text)",),
)
BAD = Step(
    3, sqlite=(*THIRD.sqlite, "CREATE NONSENSE"), postgres=(*THIRD.postgres, "CREATE NONSENSE")
)


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """How a journal of the first format is opened again, with an event in it."""
    if request.param == "sqlite":
        made: Any = SqliteJournal(tmp_path / "j.db", create=True)
        again: Any = lambda: SqliteJournal(tmp_path / "j.db")  # noqa: E731
    else:
        place = PostgresPlace(request.getfixturevalue("postgres_url"))
        made, again = place.fresh(), place.open
    made.append([Draft("noted", {"n": 1})], at=AT, author="me", after=0)
    made.close()
    return again


def version(journal: Any) -> int:
    if isinstance(journal, SqliteJournal):
        return int(str(journal._one("PRAGMA user_version")))
    return int(journal._version())


def test_an_older_format_is_brought_up_step_by_step_and_once(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "STEPS", (THIRD, SECOND))
    for _ in range(2):
        journal = opened()
        assert version(journal) == 3
        assert [record.body["n"] for record in journal.read()] == [1]
        assert journal.verify() == ()
        journal.close()
    monkeypatch.setattr(migrations, "STEPS", (SECOND,))
    with pytest.raises(JournalBroken, match="newer headframe"):
        opened()


def test_a_step_that_fails_leaves_the_format_before_it(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "STEPS", (SECOND, BAD))
    with pytest.raises((Broken, apsw.Error)):
        opened()
    monkeypatch.setattr(migrations, "STEPS", (SECOND,))
    journal = opened()
    assert version(journal) == 2
    journal.close()
    monkeypatch.setattr(migrations, "STEPS", (SECOND, THIRD))
    journal = opened()
    assert version(journal) == 3, "nothing of the failed step stands in its way"
    journal.close()


def test_steps_come_in_order() -> None:
    assert [step.version for step in steps_from(1, (THIRD, SECOND))] == [2, 3]
    assert steps_from(3, (THIRD, SECOND)) == ()
