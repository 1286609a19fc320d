"""One reading of instants, days and exact amounts for every input: files, answers, settings, options."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

from headframe.units.instant import parse_expiry
from headframe.units.money import Currency, Money, parse_decimal
from headframe.units.wrong import Wrong

_STAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?: ?(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_EPOCH = re.compile(r"(?:[0-9]{9,10}|[0-9]{12,13})")
"""Seconds have 9 or 10 digits, milliseconds 12 or 13: from 1973 on, no number is both."""
_EPOCH_MAX_SECONDS = 4_102_444_800
_THOUSANDS_OR_DECIMALS = re.compile(r"[+-]?[0-9]{1,3}\.[0-9]{3}")


def instant(text: str) -> datetime:
    """Return the UTC instant of an ISO 8601 text, or of seconds or milliseconds since 1970.

    A missing time is midnight, a missing zone is UTC. Text after the instant is refused.
    """
    text = text.strip(" ")
    if text.isascii() and _EPOCH.fullmatch(text):
        return _of_epoch(text)
    match = _STAMP.fullmatch(text) if text.isascii() else None
    if match is None:
        raise Wrong(f"an instant is written 2026-08-22T15:33:00Z, was {text[:40]!r}")
    day, clock, seconds, zone = match.groups()
    zone = "Z" if zone in {None, "UTC"} else zone
    whole = f"{day}T{clock or '00:00'}{(seconds or ':00')[:10]}{zone}"
    try:
        return datetime.fromisoformat(whole).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Wrong(f"no such instant: {text[:40]!r}") from error


def _of_epoch(text: str) -> datetime:
    seconds = int(text) / (1_000 if len(text) > 10 else 1)
    if seconds >= _EPOCH_MAX_SECONDS:
        raise Wrong(f"a time lies beyond 2100: {text}")
    return datetime.fromtimestamp(seconds, UTC)


def expiry_instant(text: str) -> datetime:
    """Return the expiry that a text states: a day is 08:00 UTC of it, an instant itself."""
    try:
        return parse_expiry(text)
    except Wrong:
        return instant(text)


def parse_day(text: str) -> date:
    """Return the UTC day of a date ``2026-09-01`` or of an instant with or without an offset."""
    try:
        return instant(text).date()
    except Wrong as error:
        raise Wrong(
            f"a day is written 2026-09-01 (or an instant of it), was {text[:40]!r}"
        ) from error


def parse_amount(text: str, currency: Currency, name: str) -> Money:
    """Return the exact amount typed; refuse what is finer than the currency or beyond its largest amount.

    Three decimals of a currency of two could be a thousands separator: refused, never guessed.
    """
    text = text.strip(" ")
    if currency.decimals == 2 and _THOUSANDS_OR_DECIMALS.fullmatch(text):
        plain = Decimal(text).quantize(Decimal("0.01"))
        raise Wrong(
            f"{name} {text} is ambiguous: {currency.code} has two decimals, so the point may "
            f"separate thousands; write {plain} or {text.replace('.', '')}"
        )
    amount = parse_decimal(text)
    if abs(amount) > currency.amount_max:
        raise Wrong(
            f"{name} {text[:40]} is beyond the largest amount, {currency.amount_max:,} {currency.code}"
        )
    smallest = amount * currency.scale
    if smallest != smallest.to_integral_value():
        raise Wrong(f"{name} {text[:40]} has more digits than {currency.code} has")
    return Money(currency, int(smallest))
