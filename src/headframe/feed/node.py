"""Difficulty periods from a Bitcoin node's JSON-RPC: getblockcount, getblockhash, getblockheader.

Bitcoin Core, RPC documentation: results under ``result``, errors under ``error`` with a code.
"""

import json
from collections.abc import Callable
from typing import Any, cast

from headframe.chain import Retarget, parse_bits
from headframe.desk.ports import Malformed, Refused
from headframe.feed.esplora import retarget_from
from headframe.units import Wrong

Post = Callable[[str], str]


def _call(post: Post, method: str, *params: object) -> object:
    """One call's result; Refused where the node says no."""
    text = post(json.dumps({"jsonrpc": "1.0", "id": 1, "method": method, "params": list(params)}))
    try:
        found: object = json.loads(text)
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


def period_start(post: Post, height: int) -> Retarget:
    """The first block of a period by its height."""
    name = _call(post, "getblockhash", height)
    header = _call(post, "getblockheader", name, True)  # noqa: FBT003 - the node's own parameter
    if not isinstance(header, dict):
        raise Malformed(f"a header was expected at height {height}, was {str(header)[:40]}")
    found = cast("dict[str, Any]", header)
    try:
        at, time, bits = int(found["height"]), int(found["time"]), parse_bits(str(found["bits"]))
        row = retarget_from(at, time, bits)
    except (KeyError, TypeError, ValueError, Wrong) as error:
        raise Malformed(f"the header at height {height} cannot be read: {error}") from error
    if at != height:
        raise Malformed(f"the header of height {height} was asked for, {at} came")
    return row
