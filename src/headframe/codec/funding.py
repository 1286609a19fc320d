"""Funding rates of perpetuals from a table, or from the venue's own answer as it was saved.

Columns: instrument, rate (interest of the period as a share: 0.01 % is 0.0001), index (USD per coin), and the
period: start and end (instants), or date (the 24 hours to 08:00 UTC of that day); source where stated.
Deribit's answer to ``public/get_funding_rate_history`` has a row an hour: ``interest_1h`` is the rate of the
hour that ends at ``timestamp``, ``prev_index_price`` and ``index_price`` the index at its start and end.
``interest_8h`` is the rate of the trailing eight hours: it is not what an hour pays, and is not read.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from headframe.codec.exact import exact_decimal, load_exact
from headframe.codec.rows import TableRow, each_row, pick
from headframe.instrument import parse_instrument
from headframe.lifecycle import FundingRate, close_at
from headframe.units import Wrong, instant, instant_since_1970, parse_day, parse_figure

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def read_funding(rows: Sequence[TableRow], name: str, source: str) -> tuple[FundingRate, ...]:
    """Return the funding rates of a table; Wrong names every bad row and two rates of one fact."""
    if not rows:
        raise Wrong(f"{name}: expected rows of funding rates, got none")
    columns = rows[0][1]
    period = "date" in columns or {"start", "end"} <= set(columns)
    missing = [one for one in ("instrument", "rate", "index") if one not in columns]
    if missing or not period:
        raise Wrong(
            f"{name}: expected the columns instrument, rate, index and date (or start and end), got "
            f"{', '.join(columns)}"
        )
    return _each_once(each_row(rows, name, lambda row: _row(row, source)), name)


def _row(row: Mapping[str, str], source: str) -> FundingRate:
    day = pick(row, "date")
    if day is not None:
        end = close_at(parse_day(day))
        start = end - _DAY
    else:
        start, end = instant(row["start"]), instant(row["end"])
    return FundingRate(
        instrument=parse_instrument(row["instrument"].strip().upper()).name,
        start=start,
        end=end,
        rate=parse_figure(row["rate"], "rate", decimals=8),
        index=parse_figure(row["index"], "index"),
        source=pick(row, "source") or source,
    )


def read_funding_answer(
    text: str, name: str, instrument: str, source: str
) -> tuple[FundingRate, ...]:
    """Return the hourly rates of a saved answer of ``public/get_funding_rate_history``."""
    try:
        body: Any = load_exact(text)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{name}: expected a table or JSON, got neither: {error}") from error
    if isinstance(body, dict):
        body = cast("dict[str, Any]", body).get("result")
    if not isinstance(body, list):
        raise Wrong(f"{name}: expected result of public/get_funding_rate_history, got none")
    return funding_rows(cast("list[object]", body), name, instrument, source)


def funding_rows(
    rows: Sequence[object], name: str, instrument: str, source: str
) -> tuple[FundingRate, ...]:
    """Return hourly rates from rows of timestamp, interest_1h, prev_index_price and index_price."""
    return _each_once([_hour(row, name, instrument, source) for row in rows], name)


def _hour(row: object, name: str, instrument: str, source: str) -> FundingRate:
    shown = str(row)[:80]
    table = cast("dict[str, Any]", row) if isinstance(row, dict) else {}
    stamp = table.get("timestamp")
    rate, end_index = (exact_decimal(table.get(key)) for key in ("interest_1h", "index_price"))
    begin_index = exact_decimal(table.get("prev_index_price")) or end_index
    if isinstance(stamp, bool) or not isinstance(stamp, int):
        raise Wrong(f"{name}: expected timestamp in milliseconds, got {shown}")
    if rate is None or end_index is None or begin_index is None:
        raise Wrong(f"{name}: expected interest_1h and index_price as numbers, got {shown}")
    try:
        end = instant_since_1970(stamp)
    except Wrong as error:
        raise Wrong(f"{name}: expected timestamp in milliseconds, got {stamp}") from error
    return FundingRate(
        instrument=instrument,
        start=end - _HOUR,
        end=end,
        rate=rate,
        index=(begin_index + end_index) / 2,
        source=source,
    )


def _each_once(found: Sequence[FundingRate], name: str) -> tuple[FundingRate, ...]:
    by_key: dict[str, FundingRate] = {}
    for rate in found:
        known = by_key.setdefault(rate.key, rate)
        if known != rate:
            raise Wrong(
                f"{name}: expected one rate of {rate.key}, got {known.rate} and {rate.rate}"
            )
    return tuple(by_key.values())
