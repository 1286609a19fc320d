"""Blocks and payouts from an Esplora-style REST API, as mempool and Blockstream's Electrs serve it.

``GET /blocks/tip/height``, ``/block-height/{height}`` (a hash), ``/block/{hash}`` (JSON with
``height``, ``timestamp``, ``bits``, ``difficulty``), ``/address/{address}/txs/chain[/{last}]`` (25
confirmed transactions a page, newest first), ``/address/{address}`` (how many there are).
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from headframe.chain import PERIOD, Chain, Retarget, chain_of
from headframe.codec import exact_whole, load_exact
from headframe.desk.ports import Broken, Malformed, Refused, Stale
from headframe.units import Wrong, instant_since_1970, parse_whole

Get = Callable[[str], str]
_HASH = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"[A-Za-z0-9]{20,90}")
_MOST_PAGES = 2_000
PAGE_ROWS = 25
"""Confirmed transactions a page, by the API's documentation."""
_LATEST = 4_102_444_800


def tip_height(get: Get) -> int:
    """The height of the newest block."""
    text = get("/blocks/tip/height").strip()
    try:
        return parse_whole(text, digits_max=9)
    except Wrong as error:
        raise Malformed(f"a height was expected, was {text[:40]!r}") from error


def period_start(get: Get, height: int) -> Retarget:
    """The first block of a period by its height."""
    name = get(f"/block-height/{height}").strip()
    if not _HASH.fullmatch(name):
        raise Malformed(f"a block hash was expected at height {height}, was {name[:80]!r}")
    return block_from(get(f"/block/{name}"), height)


def block_from(text: str, height: int) -> Retarget:
    """A block's height, time and bits; Malformed where they are not what was asked for."""
    try:
        found = cast("dict[str, Any]", load_exact(text))
        bits, time, at = (whole_of(found[key]) for key in ("bits", "timestamp", "height"))
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


def whole_of(value: object) -> int:
    """Return a whole number of an answer; ValueError for anything else."""
    whole = exact_whole(value)
    if whole is None:
        raise ValueError(f"expected a whole number, got {str(value)[:30]!r}")
    return whole


def retarget_from(height: int, time: int, bits: int) -> Retarget:
    """A period's start from a header's figures."""
    if not 0 <= time < _LATEST:
        raise Wrong(f"a block's time lies between 1970 and 2100, was {str(time)[:30]}")
    at = instant_since_1970(time * 1_000)
    return Retarget(height=height, at=at, bits=bits, difficulty=chain_of("BTC").difficulty(bits))


def periods_from(start: Callable[[int], Retarget], tip: int, after: int) -> tuple[Retarget, ...]:
    """The starts of all periods above a height, up to the tip, asked for one by one."""
    first = (after // PERIOD + 1) * PERIOD
    return tuple(start(height) for height in range(first, tip + 1, PERIOD))


def check_same_chain(start: Callable[[int], Retarget], known: Retarget, whose: str) -> None:
    """Raise Refused where the block at a known height has other bits or another time than is known."""
    block = start(known.height)
    if block.bits != known.bits or (known.exact and block.at != known.at):
        raise Refused(
            f"{whose} is on another chain: its block {known.height:,} has bits {block.bits or 0:08x} at "
            f"{block.at:%Y-%m-%d %H:%M:%S}, known are {known.bits or 0:08x} at {known.at:%Y-%m-%d %H:%M:%S}; "
            "nothing was taken from it"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One output to an address in a transaction that spends none of our own coins."""

    txid: str
    output: int
    at: datetime
    coins: Decimal
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingReceipt:
    """A receipt that is not deep enough yet, and the height at which it will be; about when, too."""

    receipt: Receipt
    coinbase: bool
    due_height: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressReceipts:
    """What addresses received: deep enough, waiting, and transactions of our own, which are no receipts.

    ``outputs`` has every output of the transactions received from: place, address, coins.
    """

    receipts: tuple[Receipt, ...]
    waiting: tuple[WaitingReceipt, ...]
    transfers: frozenset[str]
    outputs: dict[str, tuple[tuple[int, str, Decimal], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRules:
    """How deep a receipt must be, which addresses are our own besides those read, and the least tip.

    ``known_height`` is the highest block known here: a server that stands below it lags or is on another
    chain.
    """

    chain: Chain
    confirmations: int
    own: frozenset[str] = frozenset()
    known_height: int = 0


def receipts(get: Get, addresses: Sequence[str], rules: ReceiptRules) -> AddressReceipts:
    """Return what addresses received, oldest first; change and transfers of our own are no receipts."""
    for address in addresses:
        _checked(address)
    tip = tip_height(get)
    check_tip(tip, rules.known_height, "the server")
    own = rules.own | set(addresses)
    seen: dict[str, dict[str, Any]] = {}
    for address in addresses:
        for one in _transactions(get, address):
            seen[one["txid"]] = one
    transfers = frozenset(txid for txid, one in seen.items() if _spends(one, own))
    deep: list[Receipt] = []
    waiting: list[WaitingReceipt] = []
    for txid, one in seen.items():
        if txid not in transfers:
            found, later = _read(one, frozenset(addresses), rules, tip)
            deep += found
            waiting += later
    return AddressReceipts(
        receipts=tuple(sorted(deep, key=lambda row: (row.at, row.txid, row.output))),
        waiting=tuple(sorted(waiting, key=lambda row: (row.due_height, row.receipt.txid))),
        transfers=transfers,
        outputs={txid: _outputs(one) for txid, one in seen.items() if txid not in transfers},
    )


def check_tip(tip: int, known_height: int, whose: str, says: str = "") -> None:
    """Raise Stale where a tip lies below a height that is known here."""
    if tip < known_height:
        raise Stale(
            f"{whose}'s tip {tip:,} lies below the heights that are known here (to {known_height:,}): it is "
            f"not synchronised, or on another chain{says}; nothing was taken from it"
        )


def _read(
    one: dict[str, Any], addresses: frozenset[str], rules: ReceiptRules, tip: int
) -> tuple[list[Receipt], list[WaitingReceipt]]:
    """Return the outputs of one transaction to our addresses: deep enough, and waiting."""
    height, at = _placed(one)
    coinbase = _is_coinbase(one)
    needed = max(rules.confirmations, rules.chain.coinbase_maturity if coinbase else 0)
    due = height + needed - 1
    found = [
        Receipt(txid=one["txid"], output=place, at=at, coins=coins, address=address)
        for place, address, coins in _outputs(one)
        if address in addresses and coins
    ]
    if tip >= due:
        return found, []
    due_at = at + timedelta(seconds=float(rules.chain.spacing_seconds) * (due - height))
    return [], [
        WaitingReceipt(receipt=row, coinbase=coinbase, due_height=due, due_at=due_at)
        for row in found
    ]


def _placed(one: dict[str, Any]) -> tuple[int, datetime]:
    """Return the height and the time of a transaction's block."""
    try:
        status = one["status"]
        height, time = whole_of(status["block_height"]), whole_of(status["block_time"])
        return height, instant_since_1970(time * 1_000)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Malformed(f"transaction {one['txid'][:16]} has no block: {error}") from error


def _checked(address: str) -> None:
    if not _ADDRESS.fullmatch(address):
        raise Wrong(f"an address has 20 to 90 letters and digits, was {address[:100]!r}")


def _spends(one: dict[str, Any], own: AbstractSet[str]) -> bool:
    """Return whether a transaction spends coins of our own addresses."""
    try:
        spent = [cast("dict[str, Any] | None", row.get("prevout")) for row in one["vin"]]
        return any(row is not None and row.get("scriptpubkey_address") in own for row in spent)
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(f"transaction {one['txid'][:16]} has no inputs: {error}") from error


def _is_coinbase(one: dict[str, Any]) -> bool:
    """Return whether a transaction creates the coins of a block: its input spends no output."""
    return any(row.get("is_coinbase") or row.get("txid") == "0" * 64 for row in one["vin"])


def _transactions(get: Get, address: str) -> Iterator[dict[str, Any]]:
    """Yield every confirmed transaction of an address, once, newest first, page by page.

    The last page is short or empty. A server that gives the same full page again does not page; one that
    counts more transactions of the address than it gave has not given them all: both are Malformed.
    """
    seen: set[str] = set()
    last = ""
    for _ in range(_MOST_PAGES):
        page = _page(get(f"/address/{address}/txs/chain{last}"))
        fresh = [one for one in page if one["txid"] not in seen]
        if not fresh:
            _whole(get, address, len(seen), repeated=len(page))
            return
        for one in fresh:
            seen.add(one["txid"])
            yield one
        last = f"/{fresh[-1]['txid']}"
    raise Malformed(f"{address} has more than {_MOST_PAGES * PAGE_ROWS:,} transactions")


def _whole(get: Get, address: str, count: int, *, repeated: int) -> None:
    """Raise Malformed where the transactions that came are not all the server has."""
    if repeated >= PAGE_ROWS:
        raise Malformed(
            f"the server gave the same {repeated} transactions of {address} again instead of the next page: "
            f"it cannot be known that {count} are all"
        )
    total = _transaction_count(get, address)
    if total is not None and total > count:
        raise Malformed(
            f"the server gave {count} of the {total} confirmed transactions it counts for {address}"
        )


def _transaction_count(get: Get, address: str) -> int | None:
    """Return how many confirmed transactions the server counts; None where it does not say."""
    try:
        found: object = json.loads(get(f"/address/{address}"))
    except (Broken, ValueError, RecursionError):
        return None
    stats = cast("dict[str, Any]", found).get("chain_stats") if isinstance(found, dict) else None
    count = cast("dict[str, Any]", stats).get("tx_count") if isinstance(stats, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) else None


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


def _outputs(one: dict[str, Any]) -> tuple[tuple[int, str, Decimal], ...]:
    """Return every output of a transaction: its place, its address (empty where it has none), its coins."""
    try:
        found: list[tuple[int, str, Decimal]] = []
        for place, row in enumerate(one["vout"]):
            value = whole_of(row["value"])
            address = str(row.get("scriptpubkey_address") or "")
            found.append((place, address, Decimal(max(value, 0)).scaleb(-8)))
        return tuple(found)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Malformed(
            f"transaction {str(one.get('txid'))[:16]} cannot be read: {error}"
        ) from error
