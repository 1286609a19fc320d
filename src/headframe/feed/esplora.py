"""Blocks and payouts from an Esplora-style REST API, as mempool and Blockstream's Electrs serve it.

``GET /blocks/tip/height``, ``/block-height/{height}`` (a hash), ``/block/{hash}`` (JSON with
``height``, ``timestamp``, ``bits``, ``difficulty``), ``/address/{address}/txs/chain[/{last}]`` (25
confirmed transactions a page, newest first).
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, cast

from headframe.chain import PERIOD, Retarget, chain_of
from headframe.desk.ports import Malformed
from headframe.units import Wrong

Get = Callable[[str], str]
_HASH = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"[A-Za-z0-9]{20,90}")
_MOST_PAGES = 2_000
_LATEST = 4_102_444_800


def tip_height(get: Get) -> int:
    """The height of the newest block."""
    text = get("/blocks/tip/height").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Malformed(f"a height was expected, was {text[:40]!r}")
    return int(text)


def period_start(get: Get, height: int) -> Retarget:
    """The first block of a period by its height."""
    name = get(f"/block-height/{height}").strip()
    if not _HASH.fullmatch(name):
        raise Malformed(f"a block hash was expected at height {height}, was {name[:80]!r}")
    return block_from(get(f"/block/{name}"), height)


def block_from(text: str, height: int) -> Retarget:
    """A block's height, time and bits; Malformed where they are not what was asked for."""
    try:
        found = cast("dict[str, Any]", json.loads(text))
        bits, time, at = int(found["bits"]), int(found["timestamp"]), int(found["height"])
        row = retarget_from(at, time, bits)
    except (KeyError, TypeError, ValueError, RecursionError, Wrong) as error:
        raise Malformed(f"block {height} cannot be read: {error}") from error
    if at != height:
        raise Malformed(f"block {height} was asked for, {at} came")
    told = found.get("difficulty")
    if isinstance(told, int | float) and abs(told / row.difficulty - 1.0) > 1e-4:
        raise Malformed(
            f"block {height} says difficulty {told:,.0f}, its bits {bits:08x} are {row.difficulty:,.0f}"
        )
    return row


def retarget_from(height: int, time: int, bits: int) -> Retarget:
    """A period's start from a header's figures."""
    if not 0 <= time < _LATEST:
        raise Wrong(f"a block's time lies between 1970 and 2100, was {str(time)[:30]}")
    at = datetime.fromtimestamp(time, UTC)
    return Retarget(height=height, at=at, bits=bits, difficulty=chain_of("BTC").difficulty(bits))


def periods_from(start: Callable[[int], Retarget], tip: int, after: int) -> tuple[Retarget, ...]:
    """The starts of all periods above a height, up to the tip, asked for one by one."""
    first = (after // PERIOD + 1) * PERIOD
    return tuple(start(height) for height in range(first, tip + 1, PERIOD))


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Coins an address received in one confirmed transaction that spends none of its own."""

    txid: str
    at: datetime
    coins: Decimal


def receipts(get: Get, address: str, *, confirmations: int) -> tuple[Receipt, ...]:
    """What an address received, oldest first, as deep in the chain as asked; its own transfers left out."""
    _checked(address)
    tip = tip_height(get)
    found: list[Receipt] = []
    for one in _transactions(get, address):
        if _spends(one, address):
            continue
        try:
            height = int(one["status"]["block_height"])
            at = datetime.fromtimestamp(int(one["status"]["block_time"]), UTC)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Malformed(f"transaction {one['txid'][:16]} has no block: {error}") from error
        _, coins = _received(one, address)
        if coins and tip - height + 1 >= confirmations:
            found.append(Receipt(txid=one["txid"], at=at, coins=coins))
    return tuple(sorted(found, key=lambda receipt: (receipt.at, receipt.txid)))


def _checked(address: str) -> None:
    if not _ADDRESS.fullmatch(address):
        raise Wrong(f"an address has 20 to 90 letters and digits, was {address[:100]!r}")


def _spends(one: dict[str, Any], address: str) -> bool:
    """Whether a transaction spends coins of the address itself."""
    try:
        spent = [cast("dict[str, Any] | None", row.get("prevout")) for row in one["vin"]]
        return any(row is not None and row.get("scriptpubkey_address") == address for row in spent)
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"transaction {one['txid'][:16]} has no inputs: {error}") from error


def payouts(get: Get, address: str) -> dict[date, Decimal]:
    """Coins received at an address by day of confirmation, from every confirmed transaction."""
    found: dict[date, Decimal] = {}
    for one in _transactions(get, address):
        day, coins = _received(one, address)
        if coins:
            found[day] = found.get(day, Decimal(0)) + coins
    return dict(sorted(found.items()))


def _transactions(get: Get, address: str) -> Iterator[dict[str, Any]]:
    """Every confirmed transaction of an address, once, newest first, page by page."""
    _checked(address)
    seen: set[str] = set()
    last = ""
    for _ in range(_MOST_PAGES):
        page = _page(get(f"/address/{address}/txs/chain{last}"))
        fresh = [one for one in page if one["txid"] not in seen]
        if not fresh:
            return
        for one in fresh:
            seen.add(one["txid"])
            yield one
        last = f"/{fresh[-1]['txid']}"
    raise Malformed(f"{address} has more than {_MOST_PAGES * 25:,} transactions")


def _page(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"transactions cannot be read: {error}") from error
    if not isinstance(found, list) or not all(
        isinstance(one, dict) and _HASH.fullmatch(str(cast("dict[str, Any]", one).get("txid", "")))
        for one in cast("list[object]", found)
    ):
        raise Malformed("a list of transactions was expected")
    return cast("list[dict[str, Any]]", found)


def _received(one: dict[str, Any], address: str) -> tuple[date, Decimal]:
    try:
        day = datetime.fromtimestamp(int(one["status"]["block_time"]), UTC).date()
        satoshi = sum(
            int(out["value"])
            for out in one["vout"]
            if out.get("scriptpubkey_address") == address and int(out["value"]) >= 0
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Malformed(
            f"transaction {str(one.get('txid'))[:16]} cannot be read: {error}"
        ) from error
    return day, Decimal(satoshi).scaleb(-8)
