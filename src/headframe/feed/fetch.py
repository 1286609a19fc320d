"""Which server is asked, and in which language."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from headframe.chain import Retarget
from headframe.feed import deribit, esplora, funding, node, settlements
from headframe.feed.http import Http
from headframe.lifecycle import FundingRate, SettlementPrice, index_name
from headframe.market import Snapshot, Ticker


def fetch_periods(source: str, url: str, known: Sequence[Retarget]) -> tuple[Retarget, ...]:
    """Return the starts of all Bitcoin periods above the last exact one, of a ``node`` or ``esplora``.

    Stale where its tip lies below what is known or it still downloads; Refused where it is on another chain.
    """
    last = max((row for row in known if row.exact), key=lambda row: row.height)
    highest = max(row.height for row in known)
    http = Http(url)
    if source == "node":
        return _from_node(http, last, highest)
    tip = esplora.tip_height(http.get)
    esplora.check_tip(tip, highest, "the server")
    start = partial(esplora.period_start, http.get)
    esplora.check_same_chain(start, last, "the server")
    return esplora.periods_from(start, tip, last.height)


def _from_node(http: Http, last: Retarget, highest: int) -> tuple[Retarget, ...]:
    tip, said = node.tip_height(http.post), node.read_chain(http.post)
    esplora.check_tip(tip, highest, "the node", "" if said is None else said.words)
    node.check_synchronised(said)
    start = partial(node.period_start, http.post)
    esplora.check_same_chain(start, last, "the node")
    return esplora.periods_from(start, tip, last.height)


def fetch_receipts(
    url: str, addresses: Sequence[str], rules: esplora.ReceiptRules
) -> esplora.AddressReceipts:
    """Return what addresses received, output by output, as deep as the rules ask."""
    return esplora.receipts(Http(url).get, addresses, rules)


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


def fetch_funding(
    url: str | None, instrument: str, since: datetime, until: datetime
) -> tuple[FundingRate, ...]:
    """Return the venue's hourly funding rates of a perpetual between two instants."""
    ask = deribit.over_http(url or deribit.PRODUCTION)
    return funding.funding_rates(ask, instrument, since, until)


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
