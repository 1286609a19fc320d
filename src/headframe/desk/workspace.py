"""Opening a workspace, checking its files, and its clock."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from importlib.resources import files as package_files

from headframe.codec import (
    Problem,
    Settings,
    agree,
    counterparties_in_part,
    fees_from_text,
    locate,
    mandate_in_part,
    power_from_text,
    prices_from_text,
    settings_in_part,
)
from headframe.desk import quotes, users
from headframe.desk.known import OpeningBalances
from headframe.desk.office import Office, require_person, serialised
from headframe.desk.opening import (
    NOT_OPEN,
    Difference,
    balances_of,
    correction_draft,
    differences,
    entry_of,
    opened_words,
    opening_draft,
)
from headframe.desk.ports import Declined, Draft, Files, Invalid, NotFound
from headframe.mandate import Mandate
from headframe.market import Snapshot
from headframe.units import Month, Wrong, iso

_LONGEST = 200
_ANY = Month(2026, 1)
FILES = ("headframe.toml", "mandate.toml", "counterparties.toml")


def sample_file(name: str) -> str:
    """One of the three files of the sample mine, every key explained."""
    assert name in FILES
    return (package_files("headframe.desk") / "sample" / name).read_text(encoding="utf-8")


def begin_workspace(office: Office, snapshot: Snapshot, settings: Settings) -> None:
    """Write the first event, the market at its own instant; the ledger is opened later, once."""
    if office.state().head.count:
        raise Invalid("this workspace has begun already")
    office.record(quotes.market_draft(snapshot, settings.operation.coin), at=snapshot.as_of)


@serialised
def open_ledger(office: Office) -> OpeningBalances:
    """Open the ledger with the figures of the files: once, before or without a signed mandate."""
    users.allowed(office, users.Action.PREPARE)
    require_person(office)
    state = office.state()
    if state.opened is not None:
        raise Declined(
            f"ledger: expected it not opened yet, got opened {iso(state.opened)}; fix: nothing to do, or "
            "headframe check for what the files say otherwise"
        )
    settings = office.settings()
    office.record(opening_draft(settings), at=office.now())
    return balances_of(settings)


@serialised
def correct_opening(office: Office, reason: str) -> tuple[Difference, ...]:
    """Book the difference between what the ledger was opened with and the file's figures."""
    person = _signatory(office)
    if not reason.strip() or len(reason) > _LONGEST or not reason.isprintable():
        raise Invalid(f"reason: expected one line of at most {_LONGEST} characters; fix: --reason")
    state, settings = office.state(), office.settings()
    if state.opened is None or state.opening is None:
        raise Declined(NOT_OPEN)
    found = tuple(one for one in differences(state, settings) if one.correctable)
    after = balances_of(settings)
    if not found:
        raise Declined("opening: expected a figure of the file to correct, got none that differs")
    entries = [entry_of(after, state.opening)]
    try:
        office.entries(entries)
    except Wrong as error:
        raise Declined(f"the correction by {person} cannot be booked: {error}") from error
    office.record(correction_draft(after, entries, reason), at=office.now())
    return found


def _signatory(office: Office) -> str:
    """Who corrects the opening: a signatory of the mandate in force, whose signature opened the ledger."""
    users.allowed(office, users.Action.READ)
    person, people = require_person(office), office.mandate().people
    if person not in people.signatories:
        allowed = ", ".join(people.signatories)
        raise Declined(f"{person} is not a signatory of the mandate; allowed: {allowed} (M-1.1)")
    return person


def opening_problems(office: Office) -> tuple[Problem, ...]:
    """Return each figure of headframe.toml that is not the one in the ledger, with the remedy."""
    text = texts_of(office.files)[FILES[0]]
    state, (settings, flaws) = office.journal_state(), settings_in_part(text)
    lines, opened = locate(text), opened_words(state)

    def found() -> Iterator[Problem]:
        for one in differences(state, settings):
            line = lines.get((one.table, one.field), 1)
            yield Problem(FILES[0], line, one.words(opened))

    return tuple(agree(found, flawed=bool(flaws)))


def check_files(files: Files) -> tuple[Problem, ...]:
    """Every problem of the three files, and where they contradict each other.

    What one file or table has wrong hides nothing of another: only the fields with a problem are left out
    where files are held against each other. Raises NotFound where a file is absent and nothing else is wrong.
    """
    texts, absent = _texts(files)
    settings, problems = settings_in_part(texts[FILES[0]])
    mandate, found = mandate_in_part(texts[FILES[1]])
    problems += found + counterparties_in_part(texts[FILES[2]])[1]
    checks: tuple[Callable[[], Iterable[Problem]], ...] = (
        lambda: _overloaded(settings),
        lambda: _tables(files, settings),
        lambda: _across(settings, mandate, texts[FILES[1]]),
    )
    across = [one for check in checks for one in agree(check, flawed=bool(problems))]
    found = tuple(one for one in (*problems, *across) if one.file not in absent)
    if absent and not found:
        raise next(iter(absent.values()))
    return (*found, *(Problem(name, 1, str(error)) for name, error in absent.items()))


def _texts(files: Files) -> tuple[dict[str, str], dict[str, NotFound | Invalid]]:
    """The texts of the three files, empty where one cannot be read, and why not."""
    texts: dict[str, str] = dict.fromkeys(FILES, "")
    absent: dict[str, NotFound | Invalid] = {}
    for name in FILES:
        try:
            texts[name] = files.text(name)
        except (NotFound, Invalid) as error:
            absent[name] = error
    return texts, absent


def texts_of(files: Files) -> dict[str, str]:
    """Return the texts of the three files, empty where one cannot be read."""
    return _texts(files)[0]


def _overloaded(settings: Settings) -> Iterator[Problem]:
    """Sites that draw more than their connection carries, before a lot leaves or after one arrives."""
    operation = settings.operation
    starts: list[object] = [b.since for b in operation.fleet]
    ends: list[object] = [b.until for b in operation.fleet]
    arrive = {Month.of(one).plus(1) for one in starts if isinstance(one, date)}
    leave = {Month.of(one).plus(-1) for one in ends if isinstance(one, date)}
    months = arrive | leave or {_ANY}
    for month in sorted(months):
        for site in operation.overloaded(month):
            text = f"{site} draws more than its capacity_mw in {month}: move machines or raise it"
            yield Problem(FILES[0], 1, text)


def _tables(files: Files, settings: Settings) -> list[Problem]:
    """Tables the settings name that are not there or cannot be read."""
    named: list[tuple[object, Callable[[str, str], object]]]
    named = [(settings.history.prices, prices_from_text), (settings.history.fees, fees_from_text)]
    named += [(site.power_file, power_from_text) for site in settings.operation.sites]
    found: list[Problem] = []
    for name, read in named:
        if not isinstance(name, str):
            continue
        try:
            read(files.text(name), name)
        except (Wrong, NotFound, Invalid) as error:
            found += [Problem(name, 1, line) for line in str(error).split("\n")]
    return found


def _across(settings: Settings, mandate: Mandate, text: str) -> Iterator[Problem]:
    """What each file allows and the other contradicts."""
    lines = locate(text)
    scope, operation = mandate.scope, settings.operation
    if scope.entity != operation.entity:
        line = lines.get(("scope", "entity"), 1)
        text = f'entity "{scope.entity}" is not the operation\'s "{operation.entity}"'
        yield Problem(FILES[1], line, text)
    if scope.coin != operation.coin:
        line = lines.get(("scope", "coin"), 1)
        yield Problem(FILES[1], line, f"coin {scope.coin} is not mined here")
    if not any(mandate.may_deal(settings.venue.name, kind) for kind in scope.structures):
        line = lines.get(("where", 0), 1)
        text = f'nothing may be dealt at venue "{settings.venue.name}" of headframe.toml'
        yield Problem(FILES[1], line, text)


@serialised
def advance_clock(office: Office, to: datetime) -> str:
    """Move the paper clock forward; nothing else happens on the way."""
    state = office.state()
    if state.users:
        users.allowed(office, users.Action.PREPARE)
    now = state.clock
    if state.mode == "live":
        raise Declined("a live workspace's clock is our own time: it is not moved")
    if now is None:
        raise NotFound("this workspace has no clock yet; run headframe init")
    if to < now:
        raise Invalid(
            f"the clock stands at {iso(now)} and does not run backwards (asked {iso(to)})"
        )
    if to.year > 2100:
        raise Invalid(f"the clock does not run beyond 2100 (asked {iso(to)})")
    if to > now:
        office.record(Draft("clock", {"to": iso(to)}), at=to)
    return iso(to)
