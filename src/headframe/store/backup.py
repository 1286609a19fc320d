"""A backup: one file with every event up to an instant and the workspace's own files, all hashed.

A zip of ``journal.jsonl`` (one event a line, as kept), the files under ``files/``, and
``manifest.json``, written last: the head of the journal and the hash of every file. The chain is
checked when it is written and when it is read, so that what comes back is history or nothing.
"""

import json
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Protocol, cast
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from headframe.desk.ports import DiskTrouble, Head, Invalid, Journal, JournalBroken
from headframe.store.chain import GENESIS, Row, checked
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
STREET = "street.jsonl"
"""The record of a paper street in the workspace: it only ever grows."""
_LARGEST_FILE = 1024 * 1024 * 1024
_LARGEST_MANIFEST = _LONGEST_LINE = 64 * 1024 * 1024
_PIECE = 1024 * 1024
_MOST_FILES = 1_000


After = Callable[[Journal, Head], None]
"""Writes the events that follow a journal's last one when it is brought back."""


class Rows(Protocol):
    """A journal whose events can be read as they are kept."""

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Events after a place, all of one instant."""
        ...


def write_backup(journal: Rows, folder: Path, path: Path) -> Head:
    """Write a backup whole or not at all; returns the head it holds. Writers need not wait.

    The manifest names the folder it was made of, where a paper street may go on living.
    """
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
        for row in checked(journal.rows()):
            lines.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            head = Head(row[0], row[5])
    hashes: dict[str, str] = {}
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.is_symlink() and not file.name.endswith(LEFT_OUT):
            with file.open("rb") as source, archive.open(f"files/{file.name}", "w") as kept:
                hashes[file.name] = _copied(source, kept, file.name)
    manifest = {
        "schema": SCHEMA,
        "head": str(head),
        "files": hashes,
        "folder": str(folder.resolve()),
    }
    archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    return head


def _copied(source: IO[bytes], target: IO[bytes], name: str) -> str:
    """Copy a file piece by piece; returns its hash."""
    digest, size = sha256(), 0
    while piece := source.read(_PIECE):
        size += len(piece)
        if size > _LARGEST_FILE:
            raise Invalid(f"{name} is larger than 1 GiB: a backup does not keep it; move it away")
        digest.update(piece)
        target.write(piece)
    return digest.hexdigest()


def read_backup(path: Path, folder: Path, place: Place, after: After = lambda _, __: None) -> Head:
    """Bring a workspace back into a folder that holds none, and its journal to a place that has none.

    The files come first and the journal last, when the whole of it has been checked against the manifest;
    where anything is refused the files are taken away again. ``after`` writes what follows the last event,
    before the journal has its name: none is without it. Returns the head of the backup.
    """
    if place.exists():
        raise Invalid(f"{place.name} holds a journal already; restore into another folder")
    try:
        with ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            return _unpacked(archive, manifest, folder, place, after)
    except FileNotFoundError as error:
        raise Invalid(f"there is no file {path}") from error
    except (BadZipFile, EOFError, UnicodeDecodeError, KeyError, RuntimeError) as error:
        raise Invalid(f"{path} is no backup of headframe, or a damaged one: {error}") from error
    except OSError as error:
        raise DiskTrouble(f"{folder} cannot be written: {error}") from error


def _unpacked(
    archive: ZipFile, manifest: dict[str, Any], folder: Path, place: Place, after: After
) -> Head:
    files = [
        (name, digest)
        for name, digest in _listed(manifest)
        if not (name == STREET and _goes_on(archive, folder / STREET))
    ]
    held = [name for name, _ in files if (folder / name).exists()]
    if held:
        raise Invalid(f"{folder} holds {held[0]} already; restore into another folder")
    folder.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    try:
        for name, digest in files:
            _file(archive, name, digest, folder, made)
        _street_lives_on(archive, Path(str(manifest.get("folder", ""))), folder)
        return _journal(archive, place, str(manifest.get("head")), after)
    except BaseException:
        for file in made:
            file.unlink(missing_ok=True)
        raise


def _goes_on(archive: ZipFile, file: Path) -> bool:
    """Whether a paper street's record on the disk is the backup's with what came after it."""
    if not file.is_file() or f"files/{STREET}" not in archive.namelist():
        return False
    with archive.open(f"files/{STREET}") as kept, file.open("rb") as lives:
        while piece := kept.read(_PIECE):
            if lives.read(len(piece)) != piece:
                return False
    return True


def _street_lives_on(archive: ZipFile, origin: Path, folder: Path) -> None:
    """Take the paper street's record as it stands in the folder the backup was made of.

    The street is a venue: a backup of the desk does not turn it back. Where that folder is gone, or its
    street has become another one, the record is the backup's.
    """
    source, target = origin / STREET, folder / STREET
    if origin == Path() or source.resolve() == target.resolve() or not source.is_file():
        return
    begun = f"files/{STREET}" in archive.namelist()
    if begun and not _goes_on(archive, source):
        return
    with source.open("rb") as lives, target.open("wb") as kept:
        _copied(lives, kept, STREET)


def _manifest(archive: ZipFile, path: Path) -> dict[str, Any]:
    with archive.open("manifest.json") as file:
        text = file.read(_LARGEST_MANIFEST)
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
        if name.endswith(LEFT_OUT):
            raise Invalid(
                f"the backup holds {name[:40]!r}, which no backup keeps: it is not believed"
            )
        if name in {"", ".", ".."} or "/" in name or "\\" in name or "\0" in name:
            raise Invalid(f"the backup names a file outside its folder: {name[:40]!r}")
        found.append((name, str(digest)))
    return found


def _file(archive: ZipFile, name: str, digest: str, folder: Path, made: list[Path]) -> None:
    with archive.open(f"files/{name}") as kept, (folder / name).open("xb") as target:
        made.append(folder / name)
        if _copied(kept, target, name) != digest:
            raise Invalid(f"the backup's {name} is not the file that was kept")


def _journal(archive: ZipFile, place: Place, anchor: str, after: After) -> Head:
    journal = place.fresh()
    try:
        with archive.open("journal.jsonl") as lines:
            journal.adopt(_anchored(checked(_rows(lines)), anchor))
    except JournalBroken as error:
        raise Invalid(f"the backup's journal is damaged: {error}") from error
    head = journal.head()
    after(journal, head)
    place.keep(journal)
    return head


def _anchored(rows: Iterator[Row], anchor: str) -> Iterator[Row]:
    """Rows that end where the manifest says, else Invalid before any of them is kept."""
    head = Head(0, GENESIS)
    for row in rows:
        head = Head(row[0], row[5])
        yield row
    if str(head) != anchor:
        raise Invalid(f"the backup ends at {head}, its manifest says {anchor[:80]}")


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
