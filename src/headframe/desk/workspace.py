"""Opening a workspace, checking its files, and its clock."""

from datetime import datetime
from importlib.resources import files as package_files

from headframe.book import opening
from headframe.codec import (
    Problem,
    Settings,
    fees_from_text,
    locate,
    power_from_text,
    prices_from_text,
    read_counterparties,
    read_mandate,
    read_settings,
)
from headframe.desk import quotes
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Files, Invalid, NotFound
from headframe.desk.state import postings_json
from headframe.mandate import Mandate
from headframe.market import Snapshot
from headframe.units import BTC, USD, Month, Wrong, booked, iso

_ANY = Month(2026, 1)
FILES = ("headframe.toml", "mandate.toml", "counterparties.toml")


def sample_file(name: str) -> str:
    """One of the three files of the sample mine, every key explained."""
    assert name in FILES
    return (package_files("headframe.desk") / "sample" / name).read_text(encoding="utf-8")


def open_workspace(office: Office, snapshot: Snapshot, settings: Settings) -> None:
    """Write the first events: opening balances at the snapshot's instant, and the market itself."""
    if office.state().head.count:
        raise Invalid("this workspace is open already")
    treasury = settings.operation.treasury
    entry = opening(
        cash=booked(treasury.cash_usd, USD),
        free=booked(treasury.coins_free, BTC),
        pledged=booked(treasury.coins_pledged, BTC),
        loan=booked(treasury.loan_usd, USD),
    )
    workspace = settings.workspace
    body = {
        "name": workspace.name,
        "mode": workspace.mode,
        "seed": workspace.seed,
        "postings": postings_json([entry]),
    }
    office.record(
        Draft("opened", body),
        quotes.market_draft(snapshot, settings.operation.coin),
        at=snapshot.as_of,
    )


def check_files(files: Files) -> tuple[Problem, ...]:
    """Every problem of the three files, and where they contradict each other."""
    settings = read_settings(files.text(FILES[0]))
    mandate = read_mandate(files.text(FILES[1]))
    dossiers = read_counterparties(files.text(FILES[2]))
    problems: list[Problem] = []
    for found in (settings, mandate, dossiers):
        if isinstance(found, tuple):
            problems += [problem for problem in found if isinstance(problem, Problem)]
    if isinstance(settings, Settings):
        problems += _overloaded(settings)
        problems += _tables(files, settings)
    if isinstance(settings, Settings) and isinstance(mandate, Mandate):
        problems += _across(settings, mandate, files.text(FILES[1]))
    return tuple(problems)


def _overloaded(settings: Settings) -> list[Problem]:
    """Sites that draw more than their connection carries, before a lot leaves or after one arrives."""
    operation = settings.operation
    arrive = {Month.of(b.since).plus(1) for b in operation.fleet if b.since is not None}
    leave = {Month.of(b.until).plus(-1) for b in operation.fleet if b.until is not None}
    months = arrive | leave or {_ANY}
    found: list[Problem] = []
    for month in sorted(months):
        for site in operation.overloaded(month):
            text = f"{site} draws more than its capacity_mw in {month}: move machines or raise it"
            found.append(Problem(FILES[0], 1, text))
    return found


def _tables(files: Files, settings: Settings) -> list[Problem]:
    """Tables the settings name that are not there or cannot be read."""
    named = [(settings.history.prices, prices_from_text), (settings.history.fees, fees_from_text)]
    named += [(site.power_file, power_from_text) for site in settings.operation.sites]
    found: list[Problem] = []
    for name, read in named:
        if name is None:
            continue
        try:
            read(files.text(name), name)
        except (Wrong, NotFound, Invalid) as error:
            found += [Problem(name, 1, line) for line in str(error).split("\n")]
    return found


def _across(settings: Settings, mandate: Mandate, text: str) -> list[Problem]:
    """What each file allows and the other contradicts."""
    lines = locate(text)
    found: list[Problem] = []
    scope, operation = mandate.scope, settings.operation
    if scope.entity != operation.entity:
        line = lines.get(("scope", "entity"), 1)
        text = f'entity "{scope.entity}" is not the operation\'s "{operation.entity}"'
        found.append(Problem(FILES[1], line, text))
    if scope.coin != operation.coin:
        line = lines.get(("scope", "coin"), 1)
        found.append(Problem(FILES[1], line, f"coin {scope.coin} is not mined here"))
    if not any(mandate.may_deal(settings.venue.name, kind) for kind in scope.structures):
        line = lines.get(("where", 0), 1)
        text = f'nothing may be dealt at venue "{settings.venue.name}" of headframe.toml'
        found.append(Problem(FILES[1], line, text))
    return found


@serialised
def advance_clock(office: Office, to: datetime) -> str:
    """Move the paper clock forward; nothing else happens on the way."""
    state = office.state()
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
