"""The venue itself: what it says of our account, our requests, and what can be traded there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from headframe.cli.frame import Call, Whole, command

if TYPE_CHECKING:
    from datetime import datetime

    from headframe.desk.venue_settlements import SettlementsHeld
    from headframe.report import Table
    from headframe.venue import Client

R = TypeVar("R")


@click.group()
def venue() -> None:
    """The venue named in headframe.toml: account, positions, requests, least sizes, its records."""


def _there(call: Call, work: "Callable[[Client], Awaitable[R]]") -> R:
    """Run work with a signed-in client of the workspace's venue."""
    from headframe.desk.ports import NotFound
    from headframe.wiring import main_venue, venue_client

    one = main_venue(call.office().settings())
    if not one.url:
        raise NotFound(
            "this workspace trades on the paper street built in; name another venue by url in [venue] of "
            "headframe.toml or HEADFRAME_VENUE_URL"
        )

    async def run() -> R:
        async with venue_client(one, call.folder) as client:
            return await work(client)

    return asyncio.run(run())


@venue.command()
@command
def status(call: Call) -> None:
    """Whether it can be reached, whose key we have, what it may do, how far its clock is from ours."""
    from headframe.units import iso
    from headframe.venue import DeribitAccount, HttpClient
    from headframe.wiring import main_venue

    office = call.office()
    one = main_venue(office.settings())

    async def look(client: "Client") -> dict[str, Any]:
        account = DeribitAccount(client)
        coin = office.settings().operation.coin
        summary = await account.summary(coin)
        return {
            "name": one.name,
            "url": one.url,
            "over": "http" if isinstance(client, HttpClient) else "websocket",
            "client_id": client.key_id,
            "scope": client.scope,
            "time": iso(await account.time()),
            "clock": iso(office.now()),
            "currency": coin,
            "equity": summary.equity,
            "available": summary.available,
            "initial_margin": summary.initial_margin,
            "maintenance_margin": summary.maintenance_margin,
            "delta_total": summary.delta_total,
        }

    found = _there(call, look)
    call.answer("venue", found, *(f"{key}: {value}" for key, value in found.items()))


@venue.command()
@command
def positions(call: Call) -> None:
    """What we hold there, as the venue says it."""
    from headframe.codec import to_json
    from headframe.report import held_there_table
    from headframe.venue import DeribitAccount

    rows = _there(call, lambda client: DeribitAccount(client).positions())
    data = [to_json(row) for row in rows]
    call.answer("venue-positions", {"positions": data}, held_there_table(data))


@venue.command()
@click.option("--count", type=Whole(1, 1_000), default=20, show_default=True)
@command
def requests(call: Call, count: int) -> None:
    """Our requests for quotes as the venue keeps them, newest first."""
    from headframe.report import requests_there_table
    from headframe.venue import DeribitVenue

    office = call.office()

    async def look(client: "Client") -> list[dict[str, Any]]:
        found = await DeribitVenue(client, office.clock, "venue").history(count)
        return list(found)

    rows = _there(call, look)
    call.answer("venue-requests", {"requests": rows}, requests_there_table(rows))


@venue.command()
@command
def makers(call: Call) -> None:
    """Dealers that can be asked there."""
    from headframe.venue import DeribitVenue

    office = call.office()

    async def look(client: "Client") -> list[str]:
        return list(await DeribitVenue(client, office.clock, "venue").makers())

    names = _there(call, look)
    call.answer("venue-makers", {"makers": names}, ", ".join(names) or "none")


@venue.command()
@command
def minimums(call: Call) -> None:
    """Least block, tick and fee of every listed instrument, from the venue's own data."""
    from headframe.codec import to_json
    from headframe.report import minimums_table
    from headframe.venue import DeribitAccount

    coin = call.office().settings().operation.coin
    found = _there(call, lambda client: DeribitAccount(client).minimums(coin))
    data = [to_json(one) for one in found.values()]
    call.answer("venue-minimums", {"instruments": data}, minimums_table(data))


@venue.command()
@command
def settlements(call: Call) -> int:
    """Compare what the venue says it settled with what was booked, by day and instrument.

    What differs, what only the venue reports and what only the books have is a break: it is kept, shown by
    headframe statement and watched (I16) until it agrees. Status 4 where a break is open.
    """
    from headframe.wiring import compare_with_venue

    office = call.office()
    held = compare_with_venue(office, call.folder)
    if held is None:
        call.answer("venue-settlements", {"days": 0, "breaks": []}, "no day has been closed yet")
        return 0
    shown = settlements_shown(held, office.now())
    call.answer("venue-settlements", settlements_json(held), *shown)
    return 4 if held.breaks else 0


def settlements_json(held: "SettlementsHeld") -> dict[str, Any]:
    """Return a comparison with the venue as JSON."""
    from headframe.codec import to_json

    return {
        "days": held.days,
        "through": None if held.through is None else held.through.isoformat(),
        "agreed": list(held.agreed),
        "breaks": [to_json(one) for one in held.breaks],
        "funding": [
            {"day": str(day), "instrument": name, "currency": code, "amount": str(amount)}
            for day, name, code, amount in held.funding
        ],
        "recorded": held.recorded,
    }


def settlements_shown(held: "SettlementsHeld", now: "datetime") -> "list[Table | str]":
    """Return a comparison with the venue as a table of breaks and sentences."""
    from headframe.report import breaks_table

    shown: list[Table | str] = [breaks_table(held.breaks, now)] if held.breaks else []
    shown += [
        f"funding of {name} {day}: {amount} {code}" for day, name, code, amount in held.funding
    ]
    shown.append(
        f"{len(held.agreed)} settlements agree over {held.days} closed days; "
        f"{len(held.breaks)} breaks are open"
    )
    return shown


_SINCE = click.option("--days", type=Whole(1, 10_000), default=30, show_default=True)
_CURRENCY = click.option("--currency", help="Default: the mine's coin.")


@venue.command(name="log")
@_SINCE
@_CURRENCY
@command
def transaction_log(call: Call, *, days: int, currency: str | None) -> None:
    """Everything that moved the balance there: trades, settlements, deliveries, transfers, deposits."""
    from datetime import timedelta

    from headframe.codec import to_json
    from headframe.report import transactions_table
    from headframe.venue import DeribitAccount, DeribitRecords

    code = currency or call.office().settings().operation.coin

    async def look(client: "Client") -> list[dict[str, Any]]:
        until = await DeribitAccount(client).time()
        since = until - timedelta(days=days)
        rows = await DeribitRecords(client).transactions(code, since, until)
        return [to_json(one) for one in rows]

    rows = _there(call, look)
    call.answer("venue-log", {"entries": rows}, transactions_table(rows))


@venue.command(name="trades")
@_SINCE
@_CURRENCY
@command
def trades_there(call: Call, *, days: int, currency: str | None) -> None:
    """Trades of the account as the venue keeps them, recent and historical."""
    from datetime import timedelta

    from headframe.codec import to_json
    from headframe.report import trades_there_table
    from headframe.venue import DeribitAccount, DeribitRecords

    code = currency or call.office().settings().operation.coin

    async def look(client: "Client") -> list[dict[str, Any]]:
        until = await DeribitAccount(client).time()
        since = until - timedelta(days=days)
        rows = await DeribitRecords(client).trades(code, since, until)
        return [to_json(one) for one in rows]

    rows = _there(call, look)
    call.answer("venue-trades", {"trades": rows}, trades_there_table(rows))
