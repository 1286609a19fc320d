"""JSON numbers with the digits that were sent: money of a venue never passes through binary rounding."""

import json
from decimal import Decimal
from math import isfinite
from typing import Self

_DIGITS_MAX = 60
"""Digits before the point, or zeros after it, of a number that means something."""


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
    loaded: object = json.loads(text, parse_float=ExactFloat, parse_constant=_refuse_constant)
    return loaded


def _refuse_constant(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def exact_decimal(value: object) -> Decimal | None:
    """Return a number that ``load_exact`` read, to its last digit; None for anything else."""
    if isinstance(value, ExactFloat):
        exact = Decimal(value.text)
        return exact if -_DIGITS_MAX < exact.adjusted() < _DIGITS_MAX else None
    whole = exact_whole(value)
    return None if whole is None else Decimal(whole)


def exact_whole(value: object) -> int | None:
    """Return a whole number of JSON; None for anything else, a truth value among it, or beyond 60 digits."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**_DIGITS_MAX:
        return None
    return value


def exact_float(value: object) -> float | None:
    """Return a finite number of JSON as a float; None for anything else."""
    if isinstance(value, float):
        return float(value) if isfinite(value) else None
    whole = exact_whole(value)
    return None if whole is None else float(whole)
