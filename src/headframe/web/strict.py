"""What callers send, read strictly: no NaN, no endless numbers, no key twice, nothing too deep."""

import json
from math import isfinite
from typing import Any

from headframe.desk.ports import Invalid

LARGEST_BODY = 65_536
Json = dict[str, Any]


def body_of(text: bytes) -> Json:
    """A JSON object, or Invalid in words that repeat nothing of what was sent."""
    if not text.strip():
        return {}
    try:
        found: object = json.loads(
            text.decode("utf-8"),
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_real,
            object_pairs_hook=_once,
        )
    except RecursionError as error:
        raise Invalid("the body is nested too deep") from error
    except ValueError as error:
        raise Invalid("the body is not JSON in UTF-8") from error
    if not isinstance(found, dict):
        raise Invalid("the body must be a JSON object")
    return found  # pyright: ignore[reportUnknownVariableType] - of anything


def _no_constant(_: str) -> float:
    raise Invalid("NaN and Infinity are no numbers")


def _whole(text: str) -> int:
    if len(text) > 19:
        raise Invalid("a whole number has at most 18 digits")
    return int(text)


def _real(text: str) -> float:
    if len(text) > 40 or not isfinite(float(text)):
        raise Invalid("a number is too long or too large")
    return float(text)


def _once(pairs: list[tuple[str, object]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Invalid("a key comes twice")
    return found


def only(body: Json, **kinds: type) -> Json:
    """The body's fields, each known and of its type; Invalid names the first that is not."""
    for name in body:
        if name not in kinds:
            raise Invalid(f"the body takes {', '.join(kinds) or 'no fields'}")
    for name, kind in kinds.items():
        value = body.get(name)
        if value is not None and (
            not isinstance(value, kind) or isinstance(value, bool) != (kind is bool)
        ):
            raise Invalid(f"{name} must be a {kind.__name__}")
    return body
