"""Difficulty periods from a Bitcoin node's JSON-RPC: getblockcount, getblockhash, getblockheader.

Bitcoin Core, RPC documentation: results under ``result``, errors under ``error`` with a code.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from headframe.chain import Retarget, parse_bits
from headframe.codec import load_exact
from headframe.desk.ports import Broken, Malformed, Refused, Stale
from headframe.feed.esplora import retarget_from, whole_of
from headframe.units import Wrong

Post = Callable[[str], str]
_LAG_BLOCKS = 6
"""A node may be a few blocks behind the headers it has."""


def _call(post: Post, method: str, *params: object) -> object:
    """One call's result; Refused where the node says no."""
    text = post(json.dumps({"jsonrpc": "1.0", "id": 1, "method": method, "params": list(params)}))
    try:
        found: object = load_exact(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the node's answer to {method} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise Malformed(f"the node's answer to {method} is no object")
    answer = cast("dict[str, Any]", found)
    told: object = answer.get("error")
    if told is not None:
        words = (
            str(cast("dict[str, Any]", told).get("message", "")) if isinstance(told, dict) else ""
        )
        raise Refused(f"the node refused {method}: {words[:200] or 'no reason given'}")
    return answer.get("result")


def tip_height(post: Post) -> int:
    """The height of the newest block."""
    found = _call(post, "getblockcount")
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < 10**9:
        raise Malformed(f"a height was expected of getblockcount, was {str(found)[:40]}")
    return found


@dataclass(frozen=True, slots=True)
class NodeChain:
    """What a node says of its chain: its name, whether it still downloads, headers it knows of."""

    name: str
    downloading: bool
    blocks: int
    headers: int

    @property
    def words(self) -> str:
        """Return what speaks against it, for a message; empty where nothing does."""
        found = [] if self.name in {"", "main"} else [f"chain {self.name}"]
        if self.downloading:
            found.append("initial block download")
        elif self.headers > self.blocks + _LAG_BLOCKS:
            found.append(f"{self.blocks:,} of {self.headers:,} blocks read")
        return f" (it says: {', '.join(found)})" if found else ""


def read_chain(post: Post) -> NodeChain | None:
    """Return what getblockchaininfo says; None where the node does not know or allow the call."""
    try:
        found = _call(post, "getblockchaininfo")
    except Broken:
        return None
    if not isinstance(found, dict):
        return None
    said = cast("dict[str, Any]", found)
    blocks, headers = said.get("blocks"), said.get("headers")
    return NodeChain(
        name=str(said.get("chain") or ""),
        downloading=said.get("initialblockdownload") is True,
        blocks=blocks if isinstance(blocks, int) else 0,
        headers=headers if isinstance(headers, int) else 0,
    )


def check_synchronised(info: NodeChain | None) -> None:
    """Raise Refused of another chain than Bitcoin's, Stale of a node that has not all blocks yet."""
    if info is None or not info.words:
        return
    if info.name not in {"", "main"}:
        raise Refused(
            f"the node is on another chain than Bitcoin's{info.words}; nothing was taken from it"
        )
    raise Stale(f"the node is not synchronised{info.words}; nothing was taken from it")


def period_start(post: Post, height: int) -> Retarget:
    """The first block of a period by its height."""
    name = _call(post, "getblockhash", height)
    header = _call(post, "getblockheader", name, True)  # noqa: FBT003 - the node's own parameter
    if not isinstance(header, dict):
        raise Malformed(f"a header was expected at height {height}, was {str(header)[:40]}")
    found = cast("dict[str, Any]", header)
    try:
        at, time = whole_of(found["height"]), whole_of(found["time"])
        row = retarget_from(at, time, parse_bits(str(found["bits"])))
    except (KeyError, TypeError, ValueError, Wrong) as error:
        raise Malformed(f"the header at height {height} cannot be read: {error}") from error
    if at != height:
        raise Malformed(f"the header of height {height} was asked for, {at} came")
    return row
