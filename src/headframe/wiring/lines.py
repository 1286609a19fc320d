"""Lines to venues: the paper street inside, a venue outside, voice; and the street served for anybody."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from headframe.codec import Settings, VenueSettings
from headframe.desk import quotes
from headframe.desk.clock import VirtualClock
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Broken, Declined, Invalid, NotFound, Refused, Unreachable
from headframe.mandate import ORDER_BOOK
from headframe.market import Snapshot
from headframe.store import place_of
from headframe.units import iso
from headframe.wiring.environment import database_url, main_venue, secret_at, unix_time

if TYPE_CHECKING:
    from headframe.paper import Exchange, PacedClock
    from headframe.venue import Client, Credentials, DeribitAccount, Spoken

MEMORY = "street.jsonl"


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


def credentials_of(venue: VenueSettings, folder: Path) -> "Credentials":
    """The venue's key, its secret from where it is kept."""
    from headframe.venue import Credentials  # noqa: PLC0415 - start-up time

    if not venue.client_id:
        raise Invalid(f"{venue.name} asks for a key: set its client_id in headframe.toml")
    secret = secret_at(venue.secret, folder)
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
    premium: float = 0.0,
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
    world = World(clock, snapshot, surface_of(snapshot), fees, seed, vol, premium=premium)
    exchange = Exchange(world, StreetMemory(memory), list(keys), welcomes=not keys)
    exchange.accounts.wall_ms = lambda: int(unix_time() * 1000)
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
