"""Tables on disk: difficulty histories, windows of blocks, coins mined, hashrates."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

from headframe.chain import Block, Chain, Retarget
from headframe.codec import (
    COIN_COLUMNS,
    TableRow,
    blocks_from_text,
    coin_named,
    each_row,
    history_from_text,
)
from headframe.feed.files import read_text
from headframe.units import BTC, CURRENCIES, Wrong, parse_amount, parse_day, parse_hashrate


def read_history(path: Path, chain: Chain) -> tuple[Retarget, ...]:
    """Difficulty rows of a file, as they stand."""
    return history_from_text(read_text(path), path.name, chain)


def read_blocks(path: Path) -> tuple[Block, ...]:
    """Blocks of a difficulty window."""
    return blocks_from_text(read_text(path), path.name)


def mined_rows(
    rows: Sequence[TableRow], name: str, coin: str = "BTC"
) -> tuple[tuple[date, str], ...]:
    """Coins by day, to the satoshi; rows of one day add up, every bad row is named at once.

    A row that names another coin than the mine's is a bad row.
    """
    found: dict[date, Decimal] = {}
    for day, coins in each_row(rows, name, partial(_mined, coin)):
        found[day] = found.get(day, Decimal(0)) + coins
    if not found:
        raise Wrong(f"{name} holds no day with coins")
    return tuple((day, f"{coins:.8f}") for day, coins in sorted(found.items()))


def _mined(coin: str, row: Mapping[str, str]) -> tuple[date, Decimal]:
    named = next((row[name] for name in COIN_COLUMNS if row.get(name)), coin)
    if coin_named(named) != coin:
        raise Wrong(f"coin: expected {coin}, got {named[:20]!r}; fix: leave its rows out")
    day = row.get("day") or row.get("date") or ""
    text = row.get("coins") or row.get("btc") or row.get("amount") or ""
    coins = Decimal(str(parse_amount(text, CURRENCIES.get(coin, BTC), "coins")))
    if not 0 <= coins <= 1_000_000 or coins != round(coins, 8):
        raise Wrong(f"coins lie between 0 and 1,000,000 with 8 decimals, was {text[:30]}")
    return parse_day(day), coins


def telemetry_rows(rows: Sequence[TableRow], name: str) -> tuple[tuple[date, str], ...]:
    """Mean hashes per second by day; a day comes once, every bad row is named at once."""
    found = each_row(rows, name, _hashrate)
    days = [day for day, _ in found]
    if not days or len(set(days)) < len(days):
        twice = next((str(day) for day in days if days.count(day) > 1), "no day")
        raise Wrong(f"{name} must have each day once, was {twice}")
    return tuple(sorted(found))


def _hashrate(row: Mapping[str, str]) -> tuple[date, str]:
    text = row.get("hashrate") or ""
    hashes = parse_hashrate(text or f"{row.get('hashrate_ehs', '')} EH/s")
    return parse_day(row.get("day") or row.get("date") or ""), repr(hashes)
