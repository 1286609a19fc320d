"""Histories of difficulty, price, fees and power from CSV, whatever their columns are called."""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from headframe.chain import Block, Chain, Retarget, parse_bits
from headframe.codec.rows import (
    TableRow,
    each_row,
    moment,
    number,
    pick,
    rows_of,
    settled_points,
    whole,
)
from headframe.units import Month, Wrong, parse_month

_HEIGHT = ("start_height", "height", "block_height")
_TIME = ("start_time_unix", "time", "timestamp", "start_time", "start_time_utc", "date", "day")
_BITS = ("nbits", "bits")
_PRICE = ("price", "close", "close_usd", "price_usd", "price_close")
_NUMBERS = (*_PRICE, "difficulty", "next_difficulty", "usd_mwh", "fee_share", "share")


def _series(text: str, name: str) -> list[TableRow]:
    """Return the rows of a series; a column that shows that its point is decimal is read as such."""
    return settled_points(rows_of(text, name), _NUMBERS)


def history_from_text(text: str, name: str, chain: Chain) -> tuple[Retarget, ...]:
    """Difficulty rows of a table, as they stand; of consecutive headers only the first of each period.

    Columns: height (or start_height), time (ISO or Unix seconds), bits (or nbits), difficulty. A
    table of the blocks that end periods (last_height, last_block_time_unix, next_nbits) is read as
    the start of the next. Where bits and difficulty are both given they must agree.
    """
    rows = each_row(_series(text, name), name, lambda row: _row(row, chain))
    found = tuple(r for r in rows if chain.period == 1 or r.height % chain.period == 0)
    if not found:
        raise Wrong(f"{name} holds no difficulty period")
    return found


def _row(row: Mapping[str, str], chain: Chain) -> Retarget:
    ends = pick(row, "last_height")
    height = pick(row, *_HEIGHT) if ends is None else str(whole(ends) + 1)
    time = pick(row, *_TIME, "last_block_time_unix")
    bits_text = pick(row, *_BITS, "next_nbits")
    typed = pick(row, "difficulty", "next_difficulty")
    if height is None or time is None or (bits_text is None and typed is None):
        raise Wrong("a row needs height, time, and bits or difficulty")
    bits = None if bits_text is None else parse_bits(bits_text)
    if bits is None:
        difficulty = number(typed or "")
    else:
        difficulty = chain.difficulty(bits)
        if typed is not None and abs(number(typed) / difficulty - 1.0) > 1e-4:
            raise Wrong(
                f"difficulty {number(typed):,.2f} contradicts bits {bits:08x}, which are {difficulty:,.2f}"
            )
    quality = pick(row, "start_time_quality", "quality")
    return Retarget(
        height=whole(height),
        at=moment(time),
        bits=bits,
        difficulty=difficulty,
        exact=quality in {None, "exact"},
    )


def blocks_from_text(text: str, name: str) -> tuple[Block, ...]:
    """Blocks of a difficulty window: time, and bits or difficulty."""
    return tuple(each_row(_series(text, name), name, _block))


def _block(row: Mapping[str, str]) -> Block:
    time, bits, difficulty = pick(row, "time"), pick(row, *_BITS), pick(row, "difficulty")
    if time is None or (bits is None and difficulty is None):
        raise Wrong("a row needs time and bits (or difficulty)")
    return Block(
        time=whole(time),
        bits=0 if bits is None else parse_bits(bits),
        difficulty=0 if difficulty is None else whole(difficulty),
    )


def prices_from_text(text: str, name: str) -> tuple[tuple[datetime, float], ...]:
    """Closing prices with their instants, oldest first; a day that comes twice must agree."""
    found: dict[datetime, float] = {}
    for at, price in each_row(_series(text, name), name, _price):
        if found.setdefault(at, price) != price:
            raise Wrong(f"{name} has two prices of {at:%Y-%m-%d}: {found[at]:g} and {price:g}")
    if len(found) < 2:
        raise Wrong(f"{name} holds fewer than two prices")
    return tuple(sorted(found.items()))


def _price(row: Mapping[str, str]) -> tuple[datetime, float]:
    time, price = pick(row, *_TIME), pick(row, *_PRICE)
    if time is None or price is None:
        raise Wrong("a row needs date and price")
    value = number(price)
    if not 0.0 < value < 1e9:
        raise Wrong(f"a price must lie between 0 and 1e9 USD, was {value:g}")
    return moment(time), value


def power_from_text(text: str, name: str) -> tuple[tuple[float, ...], ...]:
    """Power prices in USD/MWh by calendar month, January first, years together: one price a row."""
    found: list[list[float]] = [[] for _ in range(12)]
    for month, price in each_row(_series(text, name), name, _power):
        found[month - 1].append(price)
    if not any(found):
        raise Wrong(f"{name} holds no power price")
    return tuple(tuple(month) for month in found)


def _power(row: Mapping[str, str]) -> tuple[int, float]:
    time, price = pick(row, *_TIME, "hour", "month"), pick(row, "usd_mwh", "price")
    if time is None or price is None:
        raise Wrong("a row needs time (or month) and usd_mwh")
    value = number(price)
    if not -1_000.0 <= value <= 20_000.0:
        raise Wrong(f"a power price must lie between -1,000 and 20,000 USD/MWh, was {value:g}")
    return parse_month(time).number, value


def fees_from_text(text: str, name: str) -> tuple[float, ...]:
    """Monthly fees as shares of the subsidy, oldest first; months once each and without gaps."""
    return tuple(share for _, share in fee_months_from_text(text, name))


def fee_months_from_text(text: str, name: str) -> tuple[tuple[Month, float], ...]:
    """Return months with their fees as shares of the subsidy, oldest first, once each and without gaps."""
    rows = sorted(each_row(_series(text, name), name, _fee))
    for (before, _), (after, _) in pairwise(rows):
        if before == after:
            raise Wrong(f"{name}: {before} comes twice")
        if before.plus(1) != after:
            raise Wrong(f"{name} misses {before.plus(1)}; add its row")
    return tuple(rows)


def _fee(row: Mapping[str, str]) -> tuple[Month, float]:
    month, share = pick(row, "month", "date"), pick(row, "fee_share", "share")
    if month is None or share is None:
        raise Wrong("a row needs month and fee_share")
    value = number(share)
    if not 0.0 < value <= 10.0:
        raise Wrong(f"a fee share must lie above 0 and up to 10, was {value:g}")
    return parse_month(month), value
