"""A backup comes back as history or not at all."""

import json
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import adopting, audit
from headframe.desk.ports import Draft, Invalid, Moved, OutcomeUnknown
from headframe.store import place_of, read_backup, write_backup
from headframe.wiring import audit_office, back_up, open_office, restore


def test_a_workspace_comes_back_with_its_files(approved: Path, tmp_path: Path) -> None:
    file = tmp_path / "kept.headframe"
    head = back_up(approved, None, file)
    target = tmp_path / "again"
    assert restore(target, None, file) == head
    *_, last = open_office(target, user="me").journal.read()
    assert (last.seq, last.kind, last.body["backup"]) == (head.count + 1, "restored", str(head))
    for name in ("headframe.toml", "mandate.toml", "counterparties.toml"):
        assert (target / name).read_bytes() == (approved / name).read_bytes()
    assert _history(target, head.count) == _history(approved, head.count)
    with pytest.raises(Invalid, match="already"):
        restore(target, None, file)
    with pytest.raises(Invalid, match="exists already"):
        back_up(approved, None, file)


def _history(folder: Path, count: int) -> list[Any]:
    """The first events of a workspace as they are kept."""
    return list(open_office(folder, user="x").journal.rows())[:count]


def test_between_databases_nothing_changes(
    approved: Path, tmp_path: Path, postgres_url: str
) -> None:
    file, back = tmp_path / "a.headframe", tmp_path / "b.headframe"
    head = back_up(approved, None, file)
    assert restore(tmp_path / "pg", postgres_url, file) == head
    server = open_office(tmp_path / "pg", user="x", database=postgres_url)
    assert audit.verify(server, head).sound
    assert list(server.journal.rows())[: head.count] == _history(approved, head.count)
    assert back_up(tmp_path / "pg", postgres_url, back) == server.journal.head()
    office = server.acting("trader")
    with pytest.raises(OutcomeUnknown, match="restored from a backup"):
        adopting.require(office)


def test_a_refused_restore_leaves_no_event_in_a_server(
    approved: Path, tmp_path: Path, postgres_url: str
) -> None:
    file = tmp_path / "a.headframe"
    head = back_up(approved, None, file)
    bad = rewritten(file, cut)
    with pytest.raises(Invalid, match="its manifest says"):
        restore(tmp_path / "pg", postgres_url, bad)
    assert not place_of(tmp_path / "pg", postgres_url).exists()
    assert list((tmp_path / "pg").iterdir()) == []
    assert restore(tmp_path / "pg", postgres_url, file) == head


def test_a_large_file_is_kept_whole_or_refused(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headframe.store import backup

    (mine / "history.csv").write_bytes(bytes(range(256)) * 20_000)
    back_up(mine, None, tmp_path / "a.headframe")
    restore(tmp_path / "again", None, tmp_path / "a.headframe")
    kept = (tmp_path / "again" / "history.csv").read_bytes()
    assert kept == (mine / "history.csv").read_bytes()
    monkeypatch.setattr(backup, "_LARGEST_FILE", 1_000_000)
    with pytest.raises(Invalid, match=r"history\.csv is larger"):
        back_up(mine, None, tmp_path / "b.headframe")
    assert not (tmp_path / "b.headframe").exists()


def test_under_load_a_backup_is_an_exact_prefix(mine: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        office, number = open_office(mine, user="loader"), 0
        while not stop.is_set():
            try:
                office.state()
                office.record(Draft("noted", {"n": number}), Draft("noted", {"n": -number}))
                number += 1
            except Moved:
                continue

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    heads: list[Any] = []
    try:
        heads.extend(back_up(mine, None, tmp_path / f"{n}.headframe") for n in range(5))
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert heads[-1].count > heads[0].count
    rows = list(audit_office(mine, user="x").journal.rows())
    for number, head in enumerate(heads):
        target = tmp_path / f"again{number}"
        restore(target, None, tmp_path / f"{number}.headframe")
        back = audit_office(target, user="x")
        assert list(back.journal.rows())[:-1] == rows[: head.count]
        assert audit.verify(back, head).sound


def rewritten(file: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    """The same archive with its members changed."""
    target = file.with_name("bad.headframe")
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            found = change(name, source.read(name))
            if found is not None:
                out.writestr(*found)
    return target


def manifest(**changes: Any) -> Callable[[str, bytes], tuple[str, bytes] | None]:
    def change(name: str, content: bytes) -> tuple[str, bytes]:
        if name == "manifest.json":
            content = json.dumps(json.loads(content) | changes).encode()
        return name, content

    return change


def swap(name: str, old: bytes, new: bytes) -> Callable[[str, bytes], tuple[str, bytes] | None]:
    return lambda n, content: (n, content.replace(old, new, 1) if n == name else content)


def without(name: str) -> Callable[[str, bytes], tuple[str, bytes] | None]:
    return lambda n, content: None if n == name else (n, content)


def cut(name: str, content: bytes) -> tuple[str, bytes]:
    """The journal's first two events alone."""
    short = b"\n".join(content.split(b"\n")[:2]) + b"\n"
    return name, short if name == "journal.jsonl" else content


DAMAGES: dict[str, tuple[Any, str]] = {
    "an event changed": (swap("journal.jsonl", b"board", b"bored"), "damaged"),
    "a line that is no event": (swap("journal.jsonl", b"[2,", b"{2,"), "no event"),
    "the tail cut": (
        cut,
        "its manifest says",
    ),
    "a file changed": (swap("files/mandate.toml", b"a", b"b"), "not the file"),
    "a file gone": (without("files/mandate.toml"), "damaged one"),
    "another schema": (manifest(schema="headframe/backup/99"), "this version reads"),
    "a way out": (manifest(files={"../evil": "0"}), "outside its folder"),
    "no manifest": (without("manifest.json"), "damaged one"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_backup_restores_nothing(what: str, approved: Path, tmp_path: Path) -> None:
    change, words = DAMAGES[what]
    file = tmp_path / "a.headframe"
    back_up(approved, None, file)
    bad = rewritten(file, change)
    target = tmp_path / "again"
    with pytest.raises(Invalid, match=words):
        restore(target, None, bad)
    assert not place_of(target, None).exists()
    assert not (target / "mandate.toml").exists()
    (tmp_path / "text.headframe").write_text("not a zip")
    for name in ("text.headframe", "absent.headframe"):
        with pytest.raises(Invalid):
            restore(target, None, tmp_path / name)


def test_a_broken_journal_is_not_backed_up(tmp_path: Path) -> None:
    from headframe.desk.ports import JournalBroken
    from headframe.store import MemoryJournal

    journal = MemoryJournal()
    for number in range(3):
        journal.append(
            [Draft("noted", {"n": number})],
            at=open_at(),
            author="me",
            after=number,
        )
    journal.kept[1] = (*journal.kept[1][:4], '{"n":9}', journal.kept[1][5])
    with pytest.raises(JournalBroken):
        write_backup(journal, tmp_path, tmp_path / "a.headframe")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Invalid):
        read_backup(tmp_path / "none", tmp_path / "x", place_of(tmp_path / "x", None))


def open_at() -> Any:
    from datetime import UTC, datetime

    return datetime(2026, 8, 22, tzinfo=UTC)
