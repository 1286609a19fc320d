"""Which server is asked, and in which language."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from urllib.parse import urlsplit

from headframe.chain import Retarget
from headframe.codec import PoolApi, read_pool_payouts
from headframe.feed import deribit, esplora, node, settlements
from headframe.feed.http import Http
from headframe.lifecycle import SettlementPrice, index_name
from headframe.market import Snapshot, Ticker


def fetch_periods(source: str, url: str, after: int) -> tuple[Retarget, ...]:
    """The starts of all Bitcoin periods above a height, from a ``node`` or an ``esplora`` server."""
    http = Http(url)
    if source == "node":
        tip = node.tip_height(http.post)
        return esplora.periods_from(partial(node.period_start, http.post), tip, after)
    tip = esplora.tip_height(http.get)
    return esplora.periods_from(partial(esplora.period_start, http.get), tip, after)


def fetch_payouts(url: str, address: str) -> tuple[tuple[date, Decimal], ...]:
    """Coins received at an address by day."""
    return tuple(esplora.payouts(Http(url).get, address).items())


def fetch_receipts(url: str, address: str, confirmations: int) -> tuple[esplora.Receipt, ...]:
    """What an address received, transaction by transaction, so many confirmations deep."""
    return esplora.receipts(Http(url).get, address, confirmations=confirmations)


def fetch_pool(api: PoolApi, secret: str, since: date) -> tuple[tuple[str, datetime, Decimal], ...]:
    """What a pool says it paid since a day, by the fields the settings name."""
    asked = urlsplit(api.url.replace("{since}", since.isoformat()))
    query = f"?{asked.query}" if asked.query else ""
    http = Http(f"{asked.scheme}://{asked.netloc}", {api.header: secret} if api.header else None)
    return read_pool_payouts(http.get(asked.path + query), api)


def fetch_market(url: str | None, *, via: str, coin: str, settled: str) -> Snapshot:
    """A live snapshot of Deribit's public data, or of a server that speaks it, over ``http`` or ``ws``."""
    base = url or deribit.PRODUCTION
    Http(base)  # a URL that is none is refused before anything is asked
    name = f"Deribit public data at {base.split('@')[-1].split('//')[-1].rstrip('/')}"
    if via == "ws":
        with deribit.over_websocket(base) as ask:
            return deribit.snapshot(ask, coin=coin, settled=settled, source=name)
    return deribit.snapshot(deribit.over_http(base), coin=coin, settled=settled, source=name)


def fetch_ticker(url: str | None, name: str) -> Ticker:
    """One instrument's quote."""
    return deribit.ticker(deribit.over_http(url or deribit.PRODUCTION), name)


def fetch_deliveries(
    url: str | None, *, coin: str, settled: str, days: int | None
) -> tuple[tuple[date, Decimal], ...]:
    """Return delivery prices of a coin's index, the newest first; all there are where no days are given."""
    index = f"{coin.lower()}_{'usd' if settled == 'coin' else 'usdc'}"
    return settlements.delivery_prices(
        deribit.over_http(url or deribit.PRODUCTION), index, days=days
    )


def fetch_settlement_prices(
    url: str | None, *, coin: str, since: date, futures: Iterable[str] | None = None
) -> tuple[SettlementPrice, ...]:
    """Return the venue's delivery prices of a coin's index and settlement prices of its futures since a day.

    ``futures`` names those to ask for, none of them where it is empty; every future where it is None.
    """
    ask = deribit.over_http(url or deribit.PRODUCTION)
    index = settlements.delivery_prices(ask, index_name(coin), since=since)
    settled = settlements.settled_futures(ask, coin, since=since, instruments=futures)
    return (*settlements.delivered_index(index, coin), *settled)
