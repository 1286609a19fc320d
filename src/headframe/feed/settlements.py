"""Deribit's public delivery and settlement prices, read to the end: pages by offset and by continuation.

``public/get_delivery_prices`` tells the delivery price of an index by day, in pages of ``offset`` and
``count`` with the whole number in ``records_total``. ``public/get_last_settlements_by_currency`` and
``_by_instrument`` tell what settled, the newest first, in pages that a ``continuation`` joins; the row of a
daily settlement carries the settlement price of its future in ``mark_price``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from headframe.codec import exact_decimal, exact_whole
from headframe.desk.ports import Malformed
from headframe.instrument import parse_instrument
from headframe.lifecycle import (
    VENUE_SOURCE,
    PriceKind,
    SettlementPrice,
    close_at,
    future_name,
    index_name,
)
from headframe.units import Wrong, instant_since_1970, parse_day

Ask = Callable[[str, Mapping[str, str | int | bool]], object]
_PAGE = 1_000
_PAGES_MAX = 200
"""Pages of one answer; more is a server that never ends."""
_NEAR_CLOSE_SECONDS = 3_600
"""A daily settlement is stamped within an hour of 08:00 UTC; any other is extraordinary and closes no day."""


def delivery_prices(
    ask: Ask, name: str, *, days: int | None = None, since: date | None = None
) -> tuple[tuple[date, Decimal], ...]:
    """Return delivery prices of an index, the newest first: so many, back to a day, or all there are.

    Raises Malformed where an answer is only a part, or two prices of one day differ.
    """
    if days is not None and days < 1:
        raise Wrong(f"days: expected 1 or more delivery prices, got {days}")
    found: dict[date, Decimal] = {}
    offset, total = 0, 1
    for _ in range(_PAGES_MAX):
        wanted = total if days is None else min(days, total)
        if offset >= wanted or (since is not None and found and min(found) <= since):
            break
        size = _PAGE if days is None else min(_PAGE, days - offset)
        page = _table(
            ask(
                "public/get_delivery_prices", {"index_name": name, "offset": offset, "count": size}
            ),
            "get_delivery_prices",
        )
        total = _total(page)
        rows = _rows(page.get("data"), "get_delivery_prices")
        if not rows and offset < total:
            raise Malformed(
                f"get_delivery_prices of {name}: expected {total} prices, got {offset} and an empty page"
            )
        for row in rows:
            _keep(found, *_delivery(row))
        offset += len(rows)
    else:
        raise Malformed(f"get_delivery_prices of {name} did not end after {_PAGES_MAX} pages")
    newest = sorted(found.items(), reverse=True)
    return tuple(row for row in newest if since is None or row[0] >= since)


def _keep(found: dict[date, Decimal], day: date, price: Decimal) -> None:
    known = found.setdefault(day, price)
    if known != price:
        raise Malformed(f"delivery prices of {day}: expected one, got {known} and {price}")


def _total(page: Mapping[str, Any]) -> int:
    total = exact_whole(page.get("records_total"))
    if total is None or total < 0:
        raise Malformed(
            f"records_total: expected a whole number, got {str(page.get('records_total'))[:30]}"
        )
    return total


def _delivery(row: Mapping[str, Any]) -> tuple[date, Decimal]:
    try:
        day = parse_day(str(row.get("date")))
    except Wrong as error:
        raise Malformed(f"a delivery price of no day: {str(row)[:80]!r}") from error
    return day, _price(row, "delivery_price", str(day))


def _price(row: Mapping[str, Any], key: str, where: str) -> Decimal:
    price = exact_decimal(row.get(key))
    if price is None or not 0 < price < Decimal(10) ** 9:
        raise Malformed(f"{where}: expected {key} as a price, got {str(row.get(key))[:30]}")
    return price


def settled_futures(
    ask: Ask, coin: str, *, since: date, instruments: Iterable[str] | None = None
) -> tuple[SettlementPrice, ...]:
    """Return the official daily settlement prices of a coin's futures, back to a day.

    Named instruments are asked one by one, otherwise every future settled in the coin
    and its perpetual. Options and settlements at another hour than 08:00 UTC close no day and are left out.
    """
    if instruments is None:
        asked: list[dict[str, str]] = [{"currency": coin}]
    else:
        asked = [{"instrument_name": name} for name in instruments]
    found: dict[str, SettlementPrice] = {}
    for params in asked:
        for row in _settlements(ask, params, since):
            price = _settled(row, coin)
            if price is None or price.day < since:
                continue
            known = found.setdefault(price.key, price)
            if known.price != price.price:
                raise Malformed(
                    f"{price.key}: expected one price, got {known.price}, {price.price}"
                )
    return tuple(found.values())


def _settlements(ask: Ask, params: Mapping[str, str], since: date) -> Iterator[dict[str, Any]]:
    """Yield the rows of every page until one is older than a day, or there are no more."""
    by = "instrument" if "instrument_name" in params else "currency"
    method = f"public/get_last_settlements_by_{by}"
    continuation = ""
    for _ in range(_PAGES_MAX):
        more = {"continuation": continuation} if continuation else {}
        page = _table(ask(method, {**params, "type": "settlement", "count": _PAGE, **more}), method)
        rows = _rows(page.get("settlements"), method)
        yield from rows
        after = _continuation(page, method)
        if not after or not rows or min(_stamp(row).date() for row in rows) < since:
            return
        if after == continuation:
            raise Malformed(f"{method}: the same page came twice")
        continuation = after
    raise Malformed(f"{method} did not end after {_PAGES_MAX} pages")


def _continuation(page: Mapping[str, Any], method: str) -> str:
    """Return where the next page begins; empty where there is none, which the venue writes in three ways."""
    value: object = page.get("continuation")
    if value is None or value == "none":
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{method}: expected continuation as a text, got {str(value)[:30]}")
    return value


def _stamp(row: Mapping[str, Any]) -> datetime:
    value: object = row.get("timestamp")
    stamp = exact_whole(value)
    if stamp is None:
        raise Malformed(f"timestamp: expected milliseconds, got {str(value)[:30]}")
    try:
        return instant_since_1970(stamp)
    except Wrong as error:
        raise Malformed(f"timestamp: expected milliseconds, got {value}") from error


def _settled(row: Mapping[str, Any], coin: str) -> SettlementPrice | None:
    """Return the settlement price of a row, or None where it closes no day of a future of the coin."""
    at, name = _stamp(row), str(row.get("instrument_name"))
    if row.get("type") != "settlement":
        return None
    day = at.date()
    if abs((at - close_at(day)).total_seconds()) > _NEAR_CLOSE_SECONDS:
        return None
    try:
        future = parse_instrument(name)
    except Wrong:
        return None  # a product of another family, such as a spread
    if future.is_option or future.coin != coin or future_name(future) != name:
        return None
    if future.expiry.date() <= day:
        return None  # its last day is a delivery
    return SettlementPrice(
        day=day,
        instrument=name,
        kind=PriceKind.SETTLEMENT,
        price=_price(row, "mark_price", f"{name} {day}"),
        source=VENUE_SOURCE,
    )


def delivered_index(rows: Iterable[tuple[date, Decimal]], coin: str) -> tuple[SettlementPrice, ...]:
    """Return delivery prices of a coin's index as records of the venue."""
    return tuple(
        SettlementPrice(
            day=day,
            instrument=index_name(coin),
            kind=PriceKind.DELIVERY,
            price=price,
            source=VENUE_SOURCE,
        )
        for day, price in rows
    )


def _table(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{what}: expected an object, got {str(value)[:60]!r}")
    return cast("dict[str, Any]", value)


def _rows(value: object, what: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise Malformed(f"{what}: expected a list, got {str(value)[:60]!r}")
    return [_table(row, what) for row in cast("list[object]", value)]
