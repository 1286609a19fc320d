"""A backup: one file with every event up to an instant and the workspace's own files, all hashed.

A zip of ``journal.jsonl`` (one event a line, as kept), the files under ``files/``, and
``manifest.json``, written last: the head of the journal and the hash of every file. The chain is
checked when it is written and when it is read, so that what comes back is history or nothing.
"""

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Protocol, cast
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from headframe.desk.ports import DiskTrouble, Head, Invalid, JournalBroken
from headframe.store.chain import GENESIS, Row, event_hash, event_text
from headframe.store.place import Place

SCHEMA = "headframe/backup/1"
LEFT_OUT = (
    ".db",
    ".db-wal",
    ".db-shm",
    ".lock",
    ".new",
    ".headframe",
    "desk.json",
    "checkpoint.json",
)
_LARGEST_FILE = 64 * 1024 * 1024
_LONGEST_LINE = 64 * 1024 * 1024
_MOST_FILES = 1_000


class Rows(Protocol):
    """A journal whose events can be read as they are kept."""

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Events after a place, all of one instant."""
        ...


def write_backup(journal: Rows, folder: Path, path: Path) -> Head:
    """Write a backup whole or not at all; returns the head it holds. Writers need not wait."""
    if path.exists():
        raise Invalid(f"{path} exists already; name another file")
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("wb") as file:
            with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=6) as archive:
                head = _write(archive, journal, folder)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise DiskTrouble(f"{path} cannot be written: {error}") from error
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return head


def _write(archive: ZipFile, journal: Rows, folder: Path) -> Head:
    head = Head(0, GENESIS)
    with archive.open("journal.jsonl", "w", force_zip64=True) as lines:
        for row in _checked(journal.rows()):
            lines.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            head = Head(row[0], row[5])
    hashes: dict[str, str] = {}
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.is_symlink() and not file.name.endswith(LEFT_OUT):
            content = file.read_bytes()
            if len(content) <= _LARGEST_FILE:
                hashes[file.name] = sha256(content).hexdigest()
                archive.writestr(f"files/{file.name}", content)
    manifest = {"schema": SCHEMA, "head": str(head), "files": hashes}
    archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    return head


def _checked(rows: Iterator[Row]) -> Iterator[Row]:
    """Rows as long as they chain, else JournalBroken."""
    previous = GENESIS
    for count, row in enumerate(rows, start=1):
        seq, at, author, kind, body, found = row
        if seq != count or found != event_hash(previous, event_text(seq, at, author, kind, body)):
            raise JournalBroken(f"event {count} does not follow from those before it")
        previous = found
        yield row


def read_backup(path: Path, folder: Path, place: Place) -> Head:
    """Bring a workspace back into a folder that holds none, and its journal to a place that has none."""
    if place.exists():
        raise Invalid(f"{place.name} holds a journal already; restore into another folder")
    try:
        with ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            files = {name: _file(archive, name, digest) for name, digest in _listed(manifest)}
            held = [name for name in files if (folder / name).exists()]
            if held:
                raise Invalid(f"{folder} holds {held[0]} already; restore into another folder")
            folder.mkdir(parents=True, exist_ok=True)
            head = _journal(archive, place, str(manifest.get("head")))
            for name, content in files.items():
                (folder / name).write_bytes(content)
    except FileNotFoundError as error:
        raise Invalid(f"there is no file {path}") from error
    except (BadZipFile, EOFError, UnicodeDecodeError, KeyError, RuntimeError) as error:
        raise Invalid(f"{path} is no backup of headframe, or a damaged one: {error}") from error
    except OSError as error:
        raise DiskTrouble(f"{folder} cannot be written: {error}") from error
    return head


def _manifest(archive: ZipFile, path: Path) -> dict[str, Any]:
    with archive.open("manifest.json") as file:
        text = file.read(_LARGEST_FILE)
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{path} is no backup of headframe: its manifest cannot be read") from error
    if not isinstance(found, dict) or cast("dict[str, Any]", found).get("schema") != SCHEMA:
        raise Invalid(f"{path} is no backup this version reads; it reads {SCHEMA}")
    return cast("dict[str, Any]", found)


def _listed(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """Names of files and their hashes; a name that leads out of the folder is refused."""
    files = manifest.get("files")
    if not isinstance(files, dict) or len(cast("dict[str, Any]", files)) > _MOST_FILES:
        raise Invalid("the backup's manifest lists no files")
    found: list[tuple[str, str]] = []
    for name, digest in cast("dict[str, Any]", files).items():
        if name in {"", ".", ".."} or "/" in name or "\\" in name or "\0" in name:
            raise Invalid(f"the backup names a file outside its folder: {name[:40]!r}")
        found.append((name, str(digest)))
    return found


def _file(archive: ZipFile, name: str, digest: str) -> bytes:
    with archive.open(f"files/{name}") as file:
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE or sha256(content).hexdigest() != digest:
        raise Invalid(f"the backup's {name} is not the file that was kept")
    return content


def _journal(archive: ZipFile, place: Place, anchor: str) -> Head:
    journal = place.fresh()
    try:
        with archive.open("journal.jsonl") as lines:
            journal.adopt(_checked(_rows(lines)))
        head = journal.head()
        if str(head) != anchor:
            raise Invalid(f"the backup ends at {head}, its manifest says {anchor[:80]}")
    except JournalBroken as error:
        raise Invalid(f"the backup's journal is damaged: {error}") from error
    place.keep(journal)
    return head


def _rows(lines: IO[bytes]) -> Iterator[Row]:
    while line := lines.readline(_LONGEST_LINE):
        try:
            row: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise JournalBroken("a line of it is no event") from error
        items = cast("list[object]", row) if isinstance(row, list) else []
        if len(items) != 6 or not isinstance(items[0], int):
            raise JournalBroken("a line of it is no event")
        at, author, kind, body, found = (str(item) for item in items[1:])
        yield items[0], at, author, kind, body, found
