"""Workspaces: opened, created, forked, backed up and restored."""

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from headframe.desk import checkpoint, users
from headframe.desk.clock import VirtualClock
from headframe.desk.office import Office
from headframe.desk.ports import (
    Broken,
    Clock,
    DiskTrouble,
    Draft,
    Head,
    Invalid,
    Journal,
    NotFound,
)
from headframe.desk.state import State
from headframe.desk.workspace import FILES, begin_workspace, sample_file
from headframe.market import Snapshot
from headframe.store import (
    DATABASE,
    Folder,
    Place,
    SqlitePlace,
    TrialJournal,
    place_of,
    read_backup,
    write_backup,
)
from headframe.units import iso
from headframe.wiring.environment import database_url, token_given, user_name


def has_workspace(folder: Path, database: str | None) -> bool:
    """Whether there is a journal to work with."""
    return place_of(folder, database_url(database)).exists()


def _found(folder: Path, database: str | None) -> Place:
    place = place_of(folder, database_url(database))
    if not place.exists():
        raise NotFound(f"{folder} is no workspace (no {place.name}); run headframe init {folder}")
    return place


def open_office(
    folder: Path, *, user: str | None, database: str | None = None, dry_run: bool = False
) -> Office:
    """The desk of an existing workspace; its clock stands where the journal ends.

    In a dry run what is written is read back and thrown away: the journal and the files stay as they are.
    """
    journal: Journal = _found(folder, database).open()
    if dry_run:
        journal = TrialJournal(journal)
    return _office(folder, journal, user, keeps=not dry_run)


def audit_office(folder: Path, *, user: str | None, database: str | None = None) -> Office:
    """The desk of a workspace whose journal may be damaged: nothing is folded yet."""
    return _unread(folder, _found(folder, database).open(), user)


def _unread(folder: Path, journal: Journal, user: str | None) -> Office:
    return Office(
        journal=journal,
        clock=VirtualClock(datetime(2009, 1, 3, tzinfo=UTC)),
        files=Folder(folder),
        user=user_name(user),
        token=token_given(),
    )


def _office(folder: Path, journal: Journal, user: str | None, *, keeps: bool = True) -> Office:
    office = _unread(folder, journal, user)
    kept = _checkpoint(folder, journal)
    if kept is not None:
        office.begin_at(kept)
    office.user = _owner(office, user)
    folded = 0 if kept is None else kept.head.count
    state = office.journal_state()
    if keeps and state.head.count - folded >= checkpoint.EVERY:
        keep_checkpoint(office, folder)
    if state.clock is not None:
        office.clock = _clock(_mode(office, state), state.clock)
    return office


def _mode(office: Office, state: State) -> str:
    """The mode of the ledger; until it is opened that of the files, paper where they cannot be read."""
    if state.opened is not None:
        return state.mode
    try:
        return office.state().mode
    except (Invalid, NotFound):
        return "paper"  # the command itself says what is wrong; nothing deals before the opening


def _owner(office: Office, given: str | None) -> str:
    """Who acts: as said, else whose token it is."""
    held = office.journal_state().tokens.get(users.digest(office.token)) if office.token else None
    return held.name if held is not None and given is None else office.user


def _checkpoint(folder: Path, journal: Journal) -> State | None:
    """The state kept in the workspace, where it stands on this journal."""
    try:
        text = (folder / checkpoint.NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    state = checkpoint.read(text)
    return state if state is not None and checkpoint.stands_on(state, journal) else None


def keep_checkpoint(office: Office, folder: Path) -> None:
    """Keep the state for the next start; where it cannot be written, the next start is slower."""
    with suppress(Broken):
        Folder(folder).write(checkpoint.NAME, checkpoint.written(office.journal_state()))


def _clock(mode: str, stands: datetime) -> Clock:
    """Live money is traded by our own time; paper has a clock that stands where its journal ends."""
    if mode == "paper":
        return VirtualClock(stands)
    from headframe.venue import SystemClock  # noqa: PLC0415 - start-up time

    return SystemClock()


def create_office(
    folder: Path, snapshot: Snapshot, *, user: str | None, database: str | None = None
) -> Office:
    """A new workspace: commented files where there are none, and a journal that opens with the market.

    The journal appears under its name when it is complete, so that a crash leaves no half workspace.
    """
    place = place_of(folder, database_url(database))
    if place.exists():
        raise Invalid(f"{folder} holds a workspace already; choose another folder")
    if folder.exists() and not folder.is_dir():
        raise Invalid(f"{folder} is a file, not a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskTrouble(f"{folder} cannot be made: {error}") from error
    files = Folder(folder)
    for name in FILES:
        if not (folder / name).exists():
            files.write(name, sample_file(name))
    journal = place.fresh()
    office = _office(folder, journal, user)
    begin_workspace(office, snapshot, office.settings())
    place.keep(journal)
    return open_office(folder, user=user, database=database)


def fork_office(office: Office, source: Path, target: Path) -> Office:
    """A copy of a workspace, to walk another course with; the original is not touched."""
    if target.exists():
        raise Invalid(f"{target} exists already; choose another folder")
    try:
        target.mkdir(parents=True)
        for name in FILES:
            shutil.copyfile(source / name, target / name)
    except OSError as error:
        raise DiskTrouble(f"{target} cannot be written: {error}") from error
    place = SqlitePlace(target / DATABASE, target)
    journal = place.fresh()
    journal.adopt(office.journal.rows())
    place.keep(journal)
    return _office(target, place.open(), office.user)


def back_up(folder: Path, database: str | None, path: Path) -> Head:
    """Write a workspace's backup; others may go on writing."""
    journal = _found(folder, database).open()
    return write_backup(journal, folder, path)


def restore(folder: Path, database: str | None, path: Path, *, user: str | None = None) -> Head:
    """Bring a workspace back from a backup, into a folder and a place that hold none.

    An event says so: nothing trades until what venues dealt since the backup is adopted.
    """

    def after(journal: Journal, head: Head) -> None:
        last = next(iter(journal.read(head.count - 1)), None) if head.count else None
        if last is None:
            return
        body = {"backup": str(head), "since": iso(last.at), "lineage": token_hex(4)}
        journal.append(
            [Draft("restored", body)], at=last.at, author=user_name(user), after=head.count
        )

    return read_backup(path, folder, place_of(folder, database_url(database)), after)
