"""What callers send, read strictly: no NaN, no endless numbers, no key twice, nothing too deep."""

import json
from typing import Any, cast

from headframe.codec import number
from headframe.desk.ports import Invalid
from headframe.units import Wrong, parse_decimal, parse_whole
from headframe.venue import Said, Spoken

LARGEST_BODY, MOST_QUOTES = 65_536, 50
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
    try:
        return parse_whole(text, digits_max=18)
    except Wrong as error:
        raise Invalid("a whole number has at most 18 digits") from error


def _real(text: str) -> float:
    try:
        return float(parse_decimal(text[:80]))
    except Wrong as error:
        raise Invalid("a number is too long or too large") from error


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


def spoken_of(body: Json) -> Spoken:
    """What was heard: quotes with dealer, price and the seconds they are good for, whom we dealt with."""
    rows = cast("list[object]", body.get("quotes") or [])
    if len(rows) > MOST_QUOTES:
        raise Invalid(f"at most {MOST_QUOTES} quotes")
    return Spoken(
        tuple(_said(row) for row in rows), body.get("dealt"), bool(body.get("nothing", False))
    )


def _said(row: object) -> Said:
    if not isinstance(row, dict):
        raise Invalid("a quote is an object with dealer, price and seconds")
    found = only(cast("Json", row), dealer=str, price=object, seconds=int)
    dealer, price, seconds = found.get("dealer"), found.get("price"), found.get("seconds", 60)
    if not isinstance(dealer, str) or not dealer.strip():
        raise Invalid("a quote names its dealer")
    if not isinstance(seconds, int) or not 1 <= seconds <= 99_999:
        raise Invalid("seconds is how long a quote is good, 1 to 99999")
    if isinstance(price, bool) or not isinstance(price, int | float | str):
        raise Invalid("price is a number or a decimal text")
    try:
        return Said(
            dealer.strip(), number(price) if isinstance(price, str) else float(price), seconds
        )
    except Wrong as error:
        raise Invalid("a price is a plain finite number") from error
