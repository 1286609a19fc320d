"""Deribit's public data, live: one snapshot over HTTP or over a WebSocket, of any server that speaks it.

Methods, parameters and results as the venue documents them (API v2.1.1): ``get_instruments``,
``get_book_summary_by_currency``, ``ticker``, ``get_index_price``. A row's own
``creation_timestamp`` is its age: rows older than the newest by more than two minutes are left
without sides, because a quote nobody renews is no quote.
"""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any, cast
from urllib.parse import quote, urlencode

from headframe.codec import exact_float, load_exact
from headframe.desk.ports import Malformed, Refused, Unreachable
from headframe.feed.deribit_summary import read_book_summary
from headframe.feed.http import Http
from headframe.market import Snapshot, Ticker
from headframe.units import Wrong, instant_since_1970

PRODUCTION = "https://www.deribit.com"
Ask = Callable[[str, Mapping[str, str | int | bool]], object]
"""A public method and its parameters to its result."""
_OLDEST_MS = 120_000.0
_SECONDS = 10.0
_LARGEST = 16 * 1024 * 1024
_COINS = ("BTC", "ETH")


def snapshot(ask: Ask, *, coin: str = "BTC", settled: str = "coin", source: str) -> Snapshot:
    """Options, futures and index of one coin, settled in the coin or in USDC."""
    if coin not in _COINS or settled not in {"coin", "usdc"}:
        raise Wrong(
            f"a market is of {' or '.join(_COINS)}, settled in coin or usdc, was {coin[:10]!r}"
        )
    currency = coin if settled == "coin" else "USDC"
    pair = coin if settled == "coin" else f"{coin}_USDC"
    live = {
        str(row.get("instrument_name"))
        for kind in ("option", "future")
        for row in _listed(ask, currency, kind)
        if row.get("is_active") is not False
    }  # fmt: skip
    index = index_price(ask, f"{coin.lower()}_{'usd' if settled == 'coin' else 'usdc'}")
    rows: list[dict[str, Any]] = []
    for kind in ("option", "future"):
        asked = {"currency": currency, "kind": kind}
        rows += [
            row
            for row in _rows(ask("public/get_book_summary_by_currency", asked))
            if row.get("instrument_name") in live
            and str(row.get("instrument_name")).startswith(f"{pair}-")
        ]
    if not rows:
        raise Malformed(f"{source} lists nothing on {pair}")
    rows = [{**_renewed(row, _newest(rows)), "estimated_delivery_price": index} for row in rows]
    return read_book_summary(json.dumps(rows), name=source, as_of=None, coin=coin)


def _listed(ask: Ask, currency: str, kind: str) -> list[dict[str, Any]]:
    asked: dict[str, str | int | bool] = {"currency": currency, "kind": kind, "expired": False}
    return _rows(ask("public/get_instruments", asked))


def index_price(ask: Ask, name: str) -> float:
    """The index now, in USD."""
    price = _number(_object(ask("public/get_index_price", {"index_name": name})), "index_price")
    if price is None or not 0.0 < price < 1e9:
        raise Malformed(f"an index price of {name} was expected, was {price}")
    return price


def ticker(ask: Ask, name: str) -> Ticker:
    """One instrument's quote."""
    row = _object(ask("public/ticker", {"instrument_name": name}))
    if row.get("instrument_name") != name:
        raise Malformed(f"a ticker of {name} was expected, was {str(row)[:80]!r}")
    greeks: object = row.get("greeks")
    known = cast("dict[str, object]", greeks) if isinstance(greeks, dict) else {}
    index, stamp = _number(row, "index_price"), _number(row, "timestamp")
    if index is None or stamp is None:
        raise Malformed(f"the ticker of {name} lacks its index_price or its timestamp")
    return Ticker(
        name=name,
        at=_stamp(stamp, name),
        bid=_number(row, "best_bid_price") or None,
        ask=_number(row, "best_ask_price") or None,
        mark=_number(row, "mark_price"),
        mark_vol=_share(row, "mark_iv"),
        bid_vol=_share(row, "bid_iv"),
        ask_vol=_share(row, "ask_iv"),
        underlying=_number(row, "underlying_price"),
        index=index,
        delta=_number(known, "delta"),
    )


def _stamp(millis: float, name: str) -> datetime:
    try:
        return instant_since_1970(millis)
    except Wrong as error:
        raise Malformed(f"the ticker of {name}: {error}") from error


def over_http(base: str) -> Ask:
    """Methods as paths under /api/v2, parameters in the query."""
    http = Http(base.rstrip("/") + "/api/v2")

    def ask(method: str, parameters: Mapping[str, str | int | bool]) -> object:
        query = urlencode(
            {k: str(v).lower() if isinstance(v, bool) else v for k, v in parameters.items()}
        )
        return _result(http.get(f"/{quote(method)}?{query}"))

    return ask


@contextmanager
def over_websocket(base: str) -> Generator[Ask]:
    """JSON-RPC over one WebSocket at /ws/api/v2."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI  # noqa: PLC0415
    from websockets.sync.client import connect  # noqa: PLC0415 - costs 60 ms

    url = base.rstrip("/").replace("http", "ws", 1) + "/ws/api/v2"
    ids = count(1)
    try:
        connection = connect(url, open_timeout=_SECONDS, max_size=_LARGEST)
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI, ValueError) as error:
        raise Unreachable(f"cannot reach {url}: {error}") from error

    def ask(method: str, parameters: Mapping[str, str | int | bool]) -> object:
        number = next(ids)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": dict(parameters)}
        try:
            connection.send(json.dumps(body))
            while True:
                said = connection.recv(timeout=_SECONDS)
                text = said if isinstance(said, str) else said.decode(errors="replace")
                if _id_of(text) == number:
                    return _result(text)
        except (ConnectionClosed, OSError, TimeoutError) as error:
            raise Unreachable(f"{url} did not answer {method}: {error}") from error

    with connection:
        yield ask


def _loaded(text: str) -> dict[str, object]:
    try:
        found: object = load_exact(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the venue's answer is no JSON: {str(error)[:80]}") from error
    if not isinstance(found, dict):
        raise Malformed(f"the venue's answer is no object: {text[:60]!r}")
    return cast("dict[str, object]", found)


def _id_of(text: str) -> object:
    return _loaded(text).get("id")


def _result(text: str) -> object:
    found = _loaded(text)
    error = found.get("error")
    if isinstance(error, dict):
        said = cast("dict[str, object]", error)
        raise Refused(f"the venue refused with {said.get('code')} {str(said.get('message'))[:80]}")
    if "result" not in found:
        raise Malformed(f"the venue's answer has no result: {text[:80]!r}")
    return found["result"]


def _object(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise Malformed(f"the venue was to answer with an object, was {str(found)[:60]!r}")
    return cast("dict[str, Any]", found)


def _rows(found: object) -> list[dict[str, Any]]:
    if not isinstance(found, list):
        raise Malformed(f"the venue was to answer with a list, was {str(found)[:60]!r}")
    rows = cast("list[object]", found)
    if not all(isinstance(row, dict) for row in rows):
        raise Malformed("every row of the venue's list is an object")
    return cast("list[dict[str, Any]]", rows)


def _newest(rows: list[dict[str, Any]]) -> float:
    return max((_number(row, "creation_timestamp") or 0.0) for row in rows)


def _renewed(row: dict[str, Any], newest: float) -> dict[str, Any]:
    """The row, without its sides where it is older than the newest by more than is allowed."""
    stamp = _number(row, "creation_timestamp")
    if stamp is not None and newest - stamp > _OLDEST_MS:
        return {**row, "bid_price": None, "ask_price": None}
    return row


def _number(row: Mapping[str, Any], key: str) -> float | None:
    value: object = row.get(key)
    if value is None:
        return None
    number = exact_float(value)
    if number is None:
        raise Malformed(f"{key} must be a finite number or null, was {str(value)[:20]!r}")
    return number


def _share(row: Mapping[str, Any], key: str) -> float | None:
    """A figure in per cent as a fraction; 0, which the venue says for none, is none."""
    value = _number(row, key)
    return value / 100.0 if value else None
