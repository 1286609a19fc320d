"""Settlement and delivery prices from a table, or from the venue's own answer as it was saved.

Columns: date (YYYY-MM-DD, of the close at 08:00 UTC), instrument (an index such as btc_usd, or a future such
as BTC-26MAR27; an expiry alone is the mine's own future), price (USD per coin); and where they are stated
kind (settlement, delivery or index), source and observed_at (an instant). Deribit's answer to
``public/get_delivery_prices`` holds dates and delivery prices of one index.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from headframe.codec.exact import exact_decimal, load_exact
from headframe.codec.rows import TableRow, each_row, pick
from headframe.instrument import parse_instrument
from headframe.lifecycle import PriceKind, SettlementPrice, close_at, future_of, index_name
from headframe.units import Wrong, instant, parse_day, parse_expiry, parse_figure

NEEDED = ("date", "instrument", "price")
_FIRST_DAY = date(2009, 1, 3)
_OBSERVED_BEFORE = timedelta(days=1)
_OBSERVED_AFTER = timedelta(hours=1)
"""A price seen later is not that of the close."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDefaults:
    """What a row takes where it states none: the mine's coin, and who says so."""

    coin: str
    source: str


def read_settlement_prices(
    rows: Sequence[TableRow], name: str, defaults: PriceDefaults
) -> tuple[SettlementPrice, ...]:
    """Return the prices of a table; Wrong names every bad row and two prices of one fact."""
    if not rows:
        raise Wrong(f"{name}: expected rows of prices, got none")
    missing = [column for column in NEEDED if column not in rows[0][1]]
    if missing:
        raise Wrong(
            f"{name}: expected the columns {', '.join(NEEDED)}, got no {', '.join(missing)}"
        )
    found = each_row(rows, name, lambda row: _row(row, defaults))
    return _each_once(found, name)


def _row(row: Mapping[str, str], defaults: PriceDefaults) -> SettlementPrice:
    day = _day(row["date"])
    instrument = _instrument(row["instrument"], defaults.coin)
    observed = pick(row, "observed_at")
    return SettlementPrice(
        day=day,
        instrument=instrument,
        kind=_kind(pick(row, "kind"), instrument, day),
        price=parse_figure(row["price"], "price"),
        source=pick(row, "source") or defaults.source,
        observed_at=None if observed is None else _observed(observed, day),
    )


def _day(text: str) -> date:
    try:
        day = parse_day(text)
    except Wrong as error:
        raise Wrong(f"date: expected YYYY-MM-DD, got {text[:30]!r}") from error
    if day < _FIRST_DAY:
        raise Wrong(f"date: expected {_FIRST_DAY} (the first block) or later, got {text[:30]!r}")
    return day


def _observed(text: str, day: date) -> datetime:
    at = instant(text)
    close = close_at(day)
    if not close - _OBSERVED_BEFORE <= at <= close + _OBSERVED_AFTER:
        raise Wrong(
            f"observed_at: expected an instant in the day before the close of {close:%Y-%m-%dT%H:%MZ} or "
            f"within an hour after it, got {text[:40]}; fix: give the price of the close"
        )
    return at


def _instrument(text: str, coin: str) -> str:
    """Return an index or a future by its venue's name; an expiry alone is the coin's own future."""
    plain = text.strip()
    if plain.lower() in {index_name(coin), f"{coin.lower()}-usd", "index"}:
        return index_name(coin)
    if plain.lower().endswith("_usd"):
        return plain.lower()
    try:
        return parse_instrument(plain.upper()).name
    except Wrong:
        return future_of(coin, parse_expiry(plain.upper()))


def _kind(text: str | None, instrument: str, day: date) -> PriceKind:
    """Return the kind a row states; an index delivers, a future settles until the day it expires."""
    if text is not None:
        try:
            return PriceKind(text.lower())
        except ValueError as error:
            known = ", ".join(PriceKind)
            raise Wrong(f"kind: expected one of {known}, got {text[:20]!r}") from error
    if instrument.endswith("_usd"):
        return PriceKind.DELIVERY
    expires = parse_instrument(instrument).expiry.date()
    return PriceKind.DELIVERY if expires == day else PriceKind.SETTLEMENT


def _each_once(found: Sequence[SettlementPrice], name: str) -> tuple[SettlementPrice, ...]:
    by_key: dict[str, SettlementPrice] = {}
    for price in found:
        known = by_key.setdefault(price.key, price)
        if known.price != price.price:
            raise Wrong(
                f"{name}: expected one price of {price.key}, got {known.price} and {price.price}"
            )
    return tuple(by_key.values())


def read_delivery_answer(
    text: str, name: str, defaults: PriceDefaults
) -> tuple[SettlementPrice, ...]:
    """Return the delivery prices of an answer of ``public/get_delivery_prices``, which must be whole."""
    try:
        body: Any = load_exact(text)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{name}: expected a table or JSON, got neither: {error}") from error
    if isinstance(body, dict) and "result" in body:
        body = cast("dict[str, Any]", body)["result"]
    table = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
    data = table.get("data")
    if not isinstance(data, list):
        raise Wrong(f"{name}: expected result.data of public/get_delivery_prices, got none")
    rows = cast("list[dict[str, Any]]", data)
    total = table.get("records_total")
    if isinstance(total, int) and total > len(rows):
        raise Wrong(
            f"{name}: expected all {total} delivery prices, got {len(rows)}; fix: fetch the other pages too, "
            "or use headframe market deliveries fetch"
        )
    return delivery_rows(rows, name, defaults)


def delivery_rows(
    rows: Sequence[Mapping[str, Any]], name: str, defaults: PriceDefaults
) -> tuple[SettlementPrice, ...]:
    """Return delivery prices of the coin's index from rows of date and delivery_price."""
    found: list[SettlementPrice] = []
    for row in rows:
        price = exact_decimal(row.get("delivery_price"))
        if price is None:
            raise Wrong(f"{name}: expected delivery_price as a number, got {str(row)[:80]}")
        found.append(
            SettlementPrice(
                day=_day(str(row.get("date"))),
                instrument=index_name(defaults.coin),
                kind=PriceKind.DELIVERY,
                price=price,
                source=defaults.source,
            )
        )
    return _each_once(found, name)
