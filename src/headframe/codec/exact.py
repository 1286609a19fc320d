"""JSON numbers with the digits that were sent: money of a venue never passes through binary rounding."""

import json
from decimal import Decimal
from typing import Self


class ExactFloat(float):
    """A number of JSON with a fraction or an exponent; ``text`` is what was sent."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str | float) -> Self:
        """Return the number; its text is as given, or the shortest of a plain float."""
        made = super().__new__(cls, text)
        made.text = text if isinstance(text, str) else repr(text)
        return made


def load_exact(text: str | bytes) -> object:
    """Return the value of a JSON text; numbers with a fraction keep their digits.

    Raises ValueError or RecursionError as ``json.loads`` does.
    """
    loaded: object = json.loads(text, parse_float=ExactFloat)
    return loaded


def exact_decimal(value: object) -> Decimal | None:
    """Return a number that ``load_exact`` read, to its last digit; None for anything else."""
    if isinstance(value, ExactFloat):
        return Decimal(value.text)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return None
