"""Prices that a close lacks, and what was settled, asked of the venue that the workspace trades at."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from headframe.codec import Settings
from headframe.desk import users, venue_settlements
from headframe.desk.daily_close import Fetch, Fetched
from headframe.desk.office import Office
from headframe.desk.ports import NotFound
from headframe.feed import fetch_funding, fetch_settlement_prices
from headframe.lifecycle import (
    VENUE_SOURCE,
    MissingPrice,
    PriceKind,
    VenueSettlement,
    close_at,
)
from headframe.wiring.environment import main_venue
from headframe.wiring.lines import venue_client

_AHEAD = timedelta(days=28)
"""How far beyond the first missing day funding is read at once, so that a backlog needs few requests."""
_SOCKET_PATH = "/ws/api/v2"


def public_url(settings: Settings) -> str | None:
    """Return where the venue's public data is; None where the workspace trades on the built-in street."""
    url = main_venue(settings).url
    if not url:
        return None
    return url.rstrip("/").removesuffix(_SOCKET_PATH).replace("ws", "http", 1)


def price_fetcher(settings: Settings) -> Fetch | None:
    """Return how a missing price is asked of the venue; None where the workspace has no venue to ask."""
    url = public_url(settings)
    if url is None:
        return None
    coin = settings.operation.coin

    def fetch(missing: Sequence[MissingPrice]) -> Sequence[Fetched]:
        """Return the venue's prices from the first day on which it lacks one that the venue can tell."""
        wanted = [one for one in missing if one.source in {"", VENUE_SOURCE}]
        if not wanted:
            return ()
        futures = {one.instrument for one in wanted if one.kind is PriceKind.SETTLEMENT}
        since = min(one.day for one in wanted)
        prices = fetch_settlement_prices(url, coin=coin, since=since, futures=sorted(futures))
        rates = [
            rate
            for name in sorted({o.instrument for o in wanted if o.kind is PriceKind.FUNDING})
            for rate in fetch_funding(
                url, name, close_at(since - timedelta(days=1)), close_at(since + _AHEAD)
            )
        ]
        return (*prices, *rates)

    return fetch


def compare_with_venue(office: Office, folder: Path) -> venue_settlements.SettlementsHeld | None:
    """Hold the venue's settlement history against the closed days; None where no day has been closed.

    For a person who may prepare. Raises NotFound where the workspace has no venue outside.
    """
    users.allowed(office, users.Action.PREPARE)
    settings = office.settings()
    if not main_venue(settings).url:
        raise NotFound(
            "this workspace trades on the paper street built in, which keeps no settlement records; name "
            "another venue by url in [venue] of headframe.toml or HEADFRAME_VENUE_URL"
        )
    since = venue_settlements.first_instant(office)
    if since is None:
        return None
    return venue_settlements.hold(office, settlements_there(settings, folder, since))


def settlements_there(
    settings: Settings, folder: Path, since: datetime
) -> tuple[VenueSettlement, ...]:
    """Return what the venue settled since an instant, in the coin and in USDC, of every account in use."""
    from headframe.venue import DeribitRecords  # noqa: PLC0415 - start-up time

    one = main_venue(settings)
    accounts: list[int | None] = [share.user_id for share in one.accounts] or [None]

    async def read() -> tuple[VenueSettlement, ...]:
        async with venue_client(one, folder) as client:
            records = DeribitRecords(client)
            return tuple(
                [
                    row
                    for currency in (settings.operation.coin, "USDC")
                    for account in accounts
                    for row in await records.settlements(currency, since, account=account)
                ]
            )

    return asyncio.run(read())
