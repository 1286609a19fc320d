"""The answer of Deribit's ``public/get_book_summary_by_currency`` (kind option or any), saved as JSON."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from statistics import median
from typing import Any, cast

from headframe.codec import exact_float, load_exact
from headframe.feed.chain_csv import assemble
from headframe.instrument import Kind, pair_of, parse_instrument
from headframe.market import ForwardQuote, OptionQuote, Snapshot
from headframe.units import NO_EXPIRY, Wrong, instant_since_1970

_SPOT = re.compile(r"[A-Z0-9]{2,10}_[A-Z0-9]{2,10}|[a-z0-9]{2,10}_[a-z0-9]{2,10}")
_PERPETUAL = re.compile(r"[A-Z0-9]{2,10}(_[A-Z0-9]{2,10})?-PERPETUAL")
_COMBINATION = re.compile(
    r"[A-Z0-9]{2,10}(_[A-Z0-9]{2,10})?-(?!PERPETUAL)[A-Z][A-Z0-9]{0,9}-[0-9A-Z_./-]{1,60}"
)
"""Future and option combinations: ``BTC-FS-25DEC26_PERP``, ``BTC-CS-25DEC26-70000_80000``."""


def read_book_summary(
    text: str, *, name: str, as_of: datetime | None, coin: str | None = None
) -> Snapshot:
    """The snapshot of one summary: the JSON-RPC envelope, or its result alone.

    Options settled in dollars are divided by their expiry's forward, so that every price is in coin per
    coin. The coin is read from the rows: mixed coins, mixed settlement and another coin than ``coin`` are
    refused. The perpetual settled in coin is kept with its mark and open interest. Combinations, spot pairs
    and linear perpetuals have no forward or volatility of their own: the source counts the rows left out.
    The stamp is the newest ``creation_timestamp``; the index is the estimated delivery price.
    """
    rows = list(_rows(text, name))
    options: list[OptionQuote] = []
    futures: dict[datetime, list[float]] = defaultdict(list)
    indexes: list[float] = []
    stamps: list[float] = []
    pairs: set[tuple[str, str]] = set()
    left_out = 0
    perpetual: ForwardQuote | None = None
    for number, row in enumerate(rows, start=1):
        try:
            if _is_left_out(row, pairs):
                quote = _perpetual(row)
                perpetual = perpetual or quote
                left_out += quote is None
                continue
            _take(row, options, futures)
            stamps.extend(_maybe(row, "creation_timestamp"))
            indexes.extend(_maybe(row, "estimated_delivery_price"))
        except Wrong as error:
            raise Wrong(f"{name}: entry {number}: {error}") from error
    told = _coin_of(pairs, name)
    if coin is not None and told != coin:
        raise Wrong(f"{name} is a market of {told}, where {coin} was expected")
    if not stamps and as_of is None:
        raise Wrong(f"{name}: no creation_timestamp; say when it was taken with --as-of")
    if not indexes:
        raise Wrong(f"{name}: no estimated_delivery_price to take the index from")
    source = f"{name}, {left_out} rows left out" if left_out else name
    taken = as_of or instant_since_1970(max(stamps))
    found = assemble(options, futures, index=median(indexes), as_of=taken, source=source, coin=told)
    return replace(found, perpetual=perpetual)


def _pair(row: dict[str, Any]) -> tuple[str, str]:
    """Return coin and settlement currency that a row's name says; a base_currency beside it must agree."""
    name = row.get("instrument_name")
    if not isinstance(name, str):
        raise Wrong("an entry lacks its instrument_name")
    pair = pair_of(name)
    base = row.get("base_currency")
    if base is not None and base not in pair:
        raise Wrong(f"{name[:40]} is of {pair[0]}, and its base_currency says {str(base)[:12]}")
    return pair


def _is_left_out(row: dict[str, Any], pairs: set[tuple[str, str]]) -> bool:
    """Return whether a row has no forward or volatility of its own; note the coin of what has a term.

    Spot pairs and indices say nothing of the market's coin: ETH_BTC is listed among bitcoin's.
    """
    name = row.get("instrument_name")
    if isinstance(name, str) and _SPOT.fullmatch(name):
        return True
    pairs.add(_pair(row))
    return any(form.fullmatch(str(name)) for form in (_PERPETUAL, _COMBINATION))


def _perpetual(row: dict[str, Any]) -> ForwardQuote | None:
    """Return the mark and the open interest in coins of a perpetual settled in coin; None of other rows."""
    name = str(row.get("instrument_name"))
    if not _PERPETUAL.fullmatch(name) or not parse_instrument(name).inverse:
        return None
    price, interest = _one(row, "mark_price"), _one(row, "open_interest")
    if not price:
        return None
    return ForwardQuote(
        expiry=NO_EXPIRY,
        price=price,
        open_interest=None if interest is None else interest / price,
    )


def _coin_of(pairs: set[tuple[str, str]], name: str) -> str:
    """Return the one coin of all rows, settled in one currency."""
    coins = sorted({coin for coin, _ in pairs})
    settled = sorted({currency for _, currency in pairs})
    if not coins:
        raise Wrong(f"{name}: no option or future in it")
    if len(coins) > 1:
        raise Wrong(f"{name} mixes markets of {', '.join(coins[:5])}: give one coin's rows")
    if len(settled) > 1:
        raise Wrong(
            f"{name} mixes instruments settled in {', '.join(settled[:5])}: give the rows of one settlement"
        )
    return coins[0]


def _rows(text: str, name: str) -> Iterator[dict[str, Any]]:
    try:
        loaded: object = load_exact(text)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{name}: not readable as JSON: {str(error)[:80]}") from error
    if isinstance(loaded, dict):
        loaded = cast("dict[str, object]", loaded).get("result")
    if not isinstance(loaded, list) or not loaded:
        raise Wrong(
            f"{name}: expected a book summary: a list, or an object with a list as its result"
        )
    for row in cast("list[object]", loaded):
        if not isinstance(row, dict):
            raise Wrong(f"{name}: every entry of a book summary is an object")
        yield cast("dict[str, Any]", row)


def _take(
    row: dict[str, Any], options: list[OptionQuote], futures: dict[datetime, list[float]]
) -> None:
    name = row.get("instrument_name")
    if not isinstance(name, str):
        raise Wrong("an entry lacks its instrument_name")
    terms = parse_instrument(name)
    if terms.kind is Kind.FUTURE:
        futures[terms.expiry].extend(_maybe(row, "mark_price"))
        return
    assert terms.strike is not None
    underlying = _one(row, "underlying_price")
    if not terms.inverse and not underlying:
        return
    futures[terms.expiry].extend([underlying] if underlying else [])
    unit = 1.0 if terms.inverse or not underlying else underlying
    vol = _one(row, "mark_iv")
    options.append(
        OptionQuote(
            expiry=terms.expiry,
            strike=float(terms.strike),
            is_call=terms.kind is Kind.CALL,
            bid=_over(_one(row, "bid_price"), unit),
            ask=_over(_one(row, "ask_price"), unit),
            mark=_over(_one(row, "mark_price"), unit),
            vol=None if vol is None else vol / 100.0,
            open_interest=_one(row, "open_interest"),
            volume=_one(row, "volume"),
        )
    )


def _one(row: dict[str, Any], key: str) -> float | None:
    value: object = row.get(key)
    if value is None:
        return None
    number = exact_float(value)
    if number is None:
        raise Wrong(f"{key} must be a finite number or null, was {str(value)[:20]!r}")
    return number


def _over(price: float | None, unit: float) -> float | None:
    return None if price is None else price / unit


def _maybe(row: dict[str, Any], key: str) -> list[float]:
    value = _one(row, key)
    return [value] if value else []
