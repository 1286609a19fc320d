"""Settlement prices that a close lacks, asked of the venue that the workspace trades at."""

from collections.abc import Sequence

from headframe.codec import Settings
from headframe.desk.daily_close import Fetch
from headframe.feed import fetch_settlement_prices
from headframe.lifecycle import VENUE_SOURCE, MissingPrice, PriceKind, SettlementPrice
from headframe.wiring.environment import main_venue

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

    def fetch(missing: Sequence[MissingPrice]) -> Sequence[SettlementPrice]:
        """Return the venue's prices from the first day on which it lacks one that the venue can tell."""
        wanted = [one for one in missing if one.source in {"", VENUE_SOURCE}]
        if not wanted:
            return ()
        futures = {one.instrument for one in wanted if one.kind is PriceKind.SETTLEMENT}
        return fetch_settlement_prices(
            url, coin=coin, since=min(one.day for one in wanted), futures=sorted(futures)
        )

    return fetch
