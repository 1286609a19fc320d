"""Builds a desk from a folder and settings: the only module that knows every adapter."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.codec import Settings, VenueSettings
from headframe.desk import checkpoint, quotes, users
from headframe.desk.clock import VirtualClock
from headframe.desk.office import Office, Trading
from headframe.desk.ports import (
    Broken,
    Clock,
    Declined,
    DiskTrouble,
    Head,
    Invalid,
    Journal,
    NotFound,
    Refused,
    Unreachable,
)
from headframe.desk.state import State
from headframe.desk.workspace import FILES, open_workspace, sample_file
from headframe.mandate import ORDER_BOOK
from headframe.market import Snapshot
from headframe.store import (
    DATABASE,
    Folder,
    Place,
    SqlitePlace,
    place_of,
    read_backup,
    write_backup,
)
from headframe.units import iso

if TYPE_CHECKING:
    from headframe.desk.ports import Route
    from headframe.paper import Exchange, PacedClock
    from headframe.venue import Client, Credentials, DeribitAccount, Spoken

MEMORY = "street.jsonl"


def user_name(given: str | None) -> str:
    """Who acts: ``--as``, else HEADFRAME_USER, else treasurer."""
    return given or os.environ.get("HEADFRAME_USER", "") or "treasurer"


def token_given() -> str | None:
    """The token to act with: HEADFRAME_TOKEN."""
    return os.environ.get("HEADFRAME_TOKEN", "") or None


def password_hash(word: str) -> str:
    """A password as argon2id (RFC 9106)."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - start-up time

    return str(PasswordHasher().hash(word))


def password_fits(hashed: str, word: str) -> bool:
    """Whether a password is the one that was hashed."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - start-up time
    from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415

    try:
        return bool(PasswordHasher().verify(hashed, word))
    except (Argon2Error, InvalidHashError):
        return False


def source_url(name: str) -> str | None:
    """Where a source of facts is: HEADFRAME_<name>_URL, which may carry a user and a password."""
    return os.environ.get(f"HEADFRAME_{name}_URL", "") or None


def colours_wanted() -> bool:
    """Whether the environment leaves colours on: NO_COLOR (no-color.org) turns them off."""
    return not os.environ.get("NO_COLOR")


def has_workspace(folder: Path, database: str | None) -> bool:
    """Whether there is a journal to work with."""
    return place_of(folder, database_url(database)).exists()


def database_url(given: str | None) -> str | None:
    """Where the journal is: ``--database``, else HEADFRAME_DATABASE, else in the workspace."""
    return given or os.environ.get("HEADFRAME_DATABASE", "") or None


def _found(folder: Path, database: str | None) -> Place:
    place = place_of(folder, database_url(database))
    if not place.exists():
        raise NotFound(f"{folder} is no workspace (no {place.name}); run headframe init {folder}")
    return place


def open_office(folder: Path, *, user: str | None, database: str | None = None) -> Office:
    """The desk of an existing workspace; its clock stands where the journal ends."""
    return _office(folder, _found(folder, database).open(), user)


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


def _office(folder: Path, journal: Journal, user: str | None) -> Office:
    office = _unread(folder, journal, user)
    kept = _checkpoint(folder, journal)
    if kept is not None:
        office.begin_at(kept)
    office.user = _owner(office, user)
    folded = 0 if kept is None else kept.head.count
    state = office.state()
    if state.head.count - folded >= checkpoint.EVERY:
        keep_checkpoint(office, folder)
    if state.clock is not None:
        office.clock = _clock(state.mode, state.clock)
    return office


def _owner(office: Office, given: str | None) -> str:
    """Who acts: as said, else whose token it is."""
    held = office.state().tokens.get(users.digest(office.token)) if office.token else None
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
        Folder(folder).write(checkpoint.NAME, checkpoint.written(office.state()))


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
    open_workspace(office, snapshot, office.settings())
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


def restore(folder: Path, database: str | None, path: Path) -> Head:
    """Bring a workspace back from a backup, into a folder and a place that hold none."""
    return read_backup(path, folder, place_of(folder, database_url(database)))


@asynccontextmanager
async def trading(
    office: Office, folder: Path, *, database: str | None = None, venue: str | None = None
) -> AsyncGenerator[Trading]:
    """The desk at a venue of the settings, the first where none is named; with no address the paper street.

    ``venue`` may also be a venue's order book, which lies on the same line.
    """
    settings = office.settings()
    chosen = settings.venue_of(venue or settings.venue.name)
    if chosen is None:
        known = ", ".join(one.name for one in (settings.venue, *settings.venues))
        raise NotFound(
            f"there is no venue {venue!r} in headframe.toml; known: {known}, and their -book"
        )
    resolved = main_venue(settings) if chosen is settings.venue else chosen
    lock = place_of(folder, database_url(database)).lock()
    try:
        inside = not resolved.url
        line = _inside(office, folder, settings) if inside else _outside(office, folder, resolved)
        async with line as at_work:
            there = at_work.at(venue or chosen.name)
            assert there is not None
            yield replace(there, hold=lock.hold)
    finally:
        lock.release()


async def depths(office: Office, folder: Path, names: Sequence[str]) -> dict[str, float]:
    """What the main venue's order books show near their best; nothing of instruments it does not list."""
    from headframe.venue import DeribitBook  # noqa: PLC0415 - start-up time

    found: dict[str, float] = {}
    main = office.settings().venue.name
    async with trading(office, folder, venue=main + ORDER_BOOK) as line:
        book = line.venue
        if isinstance(book, DeribitBook):
            for name in names:
                with suppress(Refused):
                    depth = await book.depth(name)
                    if depth is not None:
                        found[name] = depth
    return found


def by_voice(line: Trading, spoken: "Spoken") -> Trading:
    """The same line with what was heard by chat or telephone in the venue's place."""
    from headframe.venue import VoiceVenue  # noqa: PLC0415 - start-up time

    office = line.office
    surface = quotes.surface_in(office.state())
    venue = VoiceVenue(office.clock, spoken, surface=surface, at=office.now())
    return replace(line, venue=venue)


def main_venue(settings: Settings) -> VenueSettings:
    """The first venue; HEADFRAME_VENUE_URL, _HTTP_URL and _CLIENT_ID come before the settings."""
    one = settings.venue
    return replace(
        one,
        url=os.environ.get("HEADFRAME_VENUE_URL", "") or one.url,
        http_url=os.environ.get("HEADFRAME_VENUE_HTTP_URL", "") or one.http_url,
        client_id=os.environ.get("HEADFRAME_VENUE_CLIENT_ID", "") or one.client_id,
    )


def alert_routes(settings: Settings, folder: Path) -> "list[Route]":
    """The ways by which the settings let alerts go out, their secrets from where they are kept."""
    from headframe.notify import FileRoute, MailRoute, WebhookRoute  # noqa: PLC0415 - start-up time
    from headframe.venue import secret_from  # noqa: PLC0415 - start-up time

    found: list[Route] = []
    alerts = settings.alerts
    if alerts.file is not None:
        found.append(FileRoute(f"file {alerts.file}", folder / alerts.file))
    if alerts.mail is not None:
        mail = alerts.mail
        word = secret_from(mail.secret, os.environ, folder) if mail.user else ""
        found.append(
            MailRoute(
                name=f"mail {mail.host}",
                host=mail.host,
                port=mail.port,
                sender=mail.sender,
                to=mail.to,
                user=mail.user,
                password=word,
                starttls=mail.starttls,
            )
        )
    for hook in alerts.webhooks:
        word = secret_from(hook.secret, os.environ, folder)
        name = f"webhook {hook.name}"
        route = WebhookRoute(
            name=name, url=hook.url, secret=word, clock=time.time, inside=hook.inside
        )
        found.append(route)
    return found


def credentials_of(venue: VenueSettings, folder: Path) -> "Credentials":
    """The venue's key, its secret from where it is kept."""
    from headframe.venue import Credentials, secret_from  # noqa: PLC0415 - start-up time

    if not venue.client_id:
        raise Invalid(f"{venue.name} asks for a key: set its client_id in headframe.toml")
    secret = secret_from(venue.secret, os.environ, folder)
    return Credentials(venue.client_id, secret, venue.grant, venue.scope)


@asynccontextmanager
async def venue_client(venue: VenueSettings, folder: Path) -> AsyncGenerator["Client"]:
    """A signed-in client: over WebSocket, or over HTTP where only that can be reached."""
    from headframe.venue import HttpClient, JsonRpcClient  # noqa: PLC0415 - start-up time

    key = credentials_of(venue, folder)
    socket = JsonRpcClient(venue.url, key)
    try:
        await socket.__aenter__()
    except Unreachable:
        if not venue.http_url:
            raise
        async with HttpClient(venue.http_url, key) as client:
            yield client
        return
    try:
        yield socket
    finally:
        await socket.__aexit__()


@asynccontextmanager
async def _outside(office: Office, folder: Path, chosen: VenueSettings) -> AsyncGenerator[Trading]:
    """A venue that the settings name, on its clock where money is paper and on ours where it is live."""
    from headframe.venue import (  # noqa: PLC0415 - start-up time
        SKEW_SECONDS,
        DeribitAccount,
        DeribitBook,
        DeribitVenue,
        FollowedClock,
    )

    async with venue_client(chosen, folder) as client:
        account = DeribitAccount(client)
        said = await account.time()
        stands = office.state().clock
        if office.state().mode == "live":
            _same_time(said, office.now())
        else:
            if stands is not None and (stands - said).total_seconds() > SKEW_SECONDS:
                raise Declined(
                    f"the venue's clock stands at {iso(said)}, before this workspace's {iso(stands)}: "
                    "nothing new is sent to a venue of another time"
                )
            clock = FollowedClock(said)
            office.clock = clock
        following = asyncio.create_task(_following(account, office))
        venue = DeribitVenue(client, office.clock, chosen.name)
        book = DeribitBook(client, office.clock, venue)
        try:
            yield Trading(office, venue, others={book.name: book})
        finally:
            await venue.close()
            following.cancel()


def _same_time(said: datetime, ours: datetime) -> None:
    from headframe.venue import SKEW_SECONDS  # noqa: PLC0415 - start-up time

    apart = abs((said - ours).total_seconds())
    if apart > SKEW_SECONDS:
        raise Declined(
            f"our clock is {apart:.1f} s from the venue's ({iso(said)}): more than {SKEW_SECONDS:g} s "
            "stops new risk; set the clock of this machine"
        )


async def _following(account: "DeribitAccount", office: Office) -> None:
    """Look at a paper venue's clock now and then, so that ours keeps to it."""
    from headframe.venue import FollowedClock  # noqa: PLC0415 - start-up time

    while isinstance(office.clock, FollowedClock):
        await asyncio.sleep(0.2)
        with suppress(Broken):
            office.clock.saw(await account.time())


@asynccontextmanager
async def _inside(office: Office, folder: Path, settings: Settings) -> AsyncGenerator[Trading]:
    """The paper street, served on loopback and spoken to over WebSocket, on a clock that jumps."""
    from headframe.paper import Exchange, Fees, StreetMemory, StreetServer, World  # noqa: PLC0415
    from headframe.venue import (  # noqa: PLC0415 - start-up time
        Credentials,
        DeribitBook,
        DeribitVenue,
        JsonRpcClient,
    )

    clock = office.clock
    assert isinstance(clock, VirtualClock)
    fees = Fees(
        option_coins=settings.venue.option_fee_coins,
        option_cap_share=settings.venue.option_fee_cap_share,
        future_share=settings.venue.future_fee_share,
        forward_spread=settings.venue.forward_spread,
    )
    surface = quotes.surface_in(office.state())
    world = World(clock, office.market(), surface, fees, settings.workspace.seed)
    exchange = Exchange(world, StreetMemory(folder / MEMORY), [("headframe", "paper", None)])
    key = Credentials("headframe", "paper")
    async with StreetServer(exchange) as server, JsonRpcClient(server.url, key) as client:
        venue = DeribitVenue(client, clock, settings.venue.name)
        book = DeribitBook(client, clock, venue)
        clock.settlers.append(venue.alive)
        try:
            yield Trading(office, venue, others={book.name: book})
        finally:
            clock.settlers.remove(venue.alive)


@asynccontextmanager
async def street_served(
    snapshot: Snapshot,
    *,
    port: int,
    seed: int,
    speed: float,
    vol: float,
    keys: Sequence[tuple[str, str, str | None]],
    memory: Path | None,
) -> AsyncGenerator[str]:
    """The paper street served on loopback for anybody's client; gives host and port."""
    from headframe.paper import (  # noqa: PLC0415 - start-up time
        Exchange,
        Fees,
        PacedClock,
        StreetMemory,
        StreetServer,
        World,
    )
    from headframe.pricing import surface_of  # noqa: PLC0415

    clock = PacedClock(snapshot.as_of, speed)
    fees = Fees(
        option_coins=0.0003, option_cap_share=0.125, future_share=0.0005, forward_spread=0.0004
    )
    world = World(clock, snapshot, surface_of(snapshot), fees, seed, vol)
    exchange = Exchange(world, StreetMemory(memory), list(keys), welcomes=not keys)
    exchange.accounts.wall_ms = lambda: int(time.time() * 1000)
    async with StreetServer(exchange, port=port) as server:
        beating = asyncio.create_task(_beating(exchange, clock))
        try:
            yield server.address
        finally:
            beating.cancel()
            clock.end()


async def _beating(exchange: "Exchange", clock: "PacedClock") -> None:
    """A beat every second of the street's time, and the pause of its settlement at 08:00 UTC."""
    while True:
        at = clock.now()
        exchange.settling = (at.hour, at.minute) == (8, 0) and at.second < 5
        await exchange.tick()
        await clock.wait_until(at + timedelta(seconds=1))
