"""Canonical JSON and its hash: the same value always gives the same bytes.

Keys sorted, no white space, UTF-8, shortest round-trip floats: RFC 8785 but for the way exponents
are written. Booked amounts are decimal strings, so no amount depends on a float.
"""

import json
from hashlib import sha256 as _sha256


def canonical(value: object) -> str:
    """The canonical text of a JSON value; NaN and infinities have none."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes, in hex."""
    return _sha256(text.encode()).hexdigest()
