"""Instants in UTC: naive datetimes do not exist here."""

import re
from datetime import UTC, datetime, timedelta

from headframe.units.wrong import Wrong

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_EXPIRY = re.compile(r"([0-9]{1,2})-?([A-Z]{3})-?([0-9]{2})")
_ISO_DAY = re.compile(r"20([0-9]{2})-([0-9]{2})-([0-9]{2})")
_YEAR_SECONDS = 365 * 86_400
EXPIRY_HOUR = 8
"""Listed instruments live until 08:00:00.000 UTC of their expiry day."""
NO_EXPIRY = datetime(2140, 12, 31, EXPIRY_HOUR, tzinfo=UTC)
"""The expiry of a perpetual: after every expiry that can be written, in the last month there is."""


def is_utc(at: datetime) -> bool:
    """Whether the instant carries UTC itself."""
    return at.tzinfo is UTC or (at.tzinfo is not None and at.utcoffset() == timedelta(0))


def iso(at: datetime) -> str:
    """The instant as ``2026-08-22T15:33:00Z``, with microseconds only where there are any."""
    assert is_utc(at), "naive datetimes do not exist"
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def expiry_label(at: datetime) -> str:
    """The day of an expiry as ``26-MAR-27``; ``PERPETUAL`` if there is none."""
    if at == NO_EXPIRY:
        return "PERPETUAL"
    return f"{at.day:02d}-{_MONTHS[at.month - 1]}-{at.year % 100:02d}"


def parse_expiry(text: str) -> datetime:
    """08:00 UTC of the day written ``26-MAR-27``, ``2027-03-26`` or, as venues write it, ``26MAR27``."""
    iso_day = _ISO_DAY.fullmatch(text) if text.isascii() else None
    if iso_day is not None:
        month = int(iso_day[2])
        text = f"{iso_day[3]}-{_MONTHS[month - 1] if 1 <= month <= 12 else '???'}-{iso_day[1]}"
    match = _EXPIRY.fullmatch(text.upper()) if text.isascii() else None
    if match is None or match[2] not in _MONTHS:
        raise Wrong(f"an expiry is written 26-MAR-27, was {text[:20]!r}")
    try:
        return datetime(
            2000 + int(match[3]),
            _MONTHS.index(match[2]) + 1,
            int(match[1]),
            EXPIRY_HOUR,
            tzinfo=UTC,
        )
    except ValueError as error:
        raise Wrong(f"no such day: {text[:20]!r}") from error


def year_fraction(start: datetime, end: datetime) -> float:
    """ACT/365 years from one instant to another; negative when the second comes first.

    To NO_EXPIRY it is 0: funding holds a perpetual to the index, so its forward is the spot.
    """
    if end == NO_EXPIRY:
        return 0.0
    return (end - start).total_seconds() / _YEAR_SECONDS
