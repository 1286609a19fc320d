"""Which server is asked, and in which language."""

from datetime import date
from decimal import Decimal
from functools import partial

from headframe.chain import Retarget
from headframe.feed import esplora, node
from headframe.feed.http import Http


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
