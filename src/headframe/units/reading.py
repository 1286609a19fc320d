"""The one parser of instants, days, months and numbers for every input: files, answers, settings, options."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from headframe.units.instant import parse_expiry
from headframe.units.money import Currency, Money, booked, parse_decimal
from headframe.units.month import Month
from headframe.units.wrong import Wrong

_STAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?: ?(Z|z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{6})?)?")
_EPOCH = re.compile(r"[0-9]{9,10}(?:\.[0-9]{1,9})?|[0-9]{12,13}(?:\.0{1,9})?")
"""Seconds have 9 or 10 digits, milliseconds 12 or 13: from 1973 on, no number is both."""
_EPOCH_MAX_SECONDS = 4_102_444_800
_UNIX_START = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = (1970, 2140)
"""Years of an instant: the last coin is mined in 2140; the year 0026 is a typing error."""
_THREE_DECIMALS = re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")
_GROUPED = re.compile(r"([+-]?)([0-9]{1,3}(?:,[0-9]{3})+)(\.[0-9]+)?")
_MONTH_NAMES = (
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
)  # fmt: skip


class CellNumber(str):
    """The text of a number whose point is known to be decimal, by its workbook or its column."""

    __slots__ = ()


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
    zone = "Z" if zone in {None, "UTC", "z"} else zone
    whole = f"{day}T{clock or '00:00'}{(seconds or ':00')[:10]}{zone}"
    try:
        at = datetime.fromisoformat(whole).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Wrong(f"no such instant: {text[:40]!r}") from error
    if not _YEARS[0] <= at.year <= _YEARS[1]:
        raise Wrong(f"an instant lies in {_YEARS[0]} to {_YEARS[1]}, was {text[:40]!r}")
    return at


def _of_epoch(text: str) -> datetime:
    millis = len(text.partition(".")[0]) > 10
    since = Decimal(text) * (1 if millis else 1_000)
    if since >= _EPOCH_MAX_SECONDS * 1_000:
        raise Wrong(f"a time lies beyond 2100: {text}")
    return instant_since_1970(since)


def instant_since_1970(millis: float | Decimal) -> datetime:
    """Return the instant of milliseconds since 1970, as venues stamp; Wrong outside 1970 to 2140."""
    if not 0 <= millis < 5_396_000_000_000:  # also refuses NaN and infinity
        raise Wrong(f"an instant lies in 1970 to 2140, was {str(millis)[:30]} milliseconds")
    return _UNIX_START + timedelta(microseconds=round(millis * 1_000))


def expiry_instant(text: str) -> datetime:
    """Return the expiry that a text states: a day is 08:00 UTC of it, an instant itself."""
    try:
        return parse_expiry(text)
    except Wrong:
        return instant(text)


def parse_day(text: str) -> date:
    """Return the UTC day of a date ``2026-09-01`` or of an instant with or without an offset."""
    match = _DAY.fullmatch(text)
    try:
        if match is not None and _YEARS[0] <= int(match[1]) <= _YEARS[1]:
            return date(int(match[1]), int(match[2]), int(match[3]))
        return instant(text).date()
    except ValueError as error:
        raise Wrong(
            f"a day is written 2026-09-01 (or an instant of it), was {text[:40]!r}"
        ) from error


def parse_clock(text: str) -> time:
    """Return a time of day in UTC, written ``08:00`` or ``08:00:00``."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise Wrong(f"a time of day is written 08:00, was {text[:20]!r}")
    return time.fromisoformat(text)


def parse_month(text: str) -> Month:
    """Return the month of ``2026-09``, or the UTC month of a day or an instant; never cut from the text."""
    text = text.strip(" ")
    return Month.parse(text) if len(text) == 7 else Month.of(parse_day(text))


def parse_contract_month(text: str) -> Month:
    """Return a contract month as exchanges write it: 2026-09, 202609, 09/2026 or SEP-26."""
    plain = text.strip(" ").upper()
    for pattern, year, month in ((r"(\d{4})-?(\d{2})", 1, 2), (r"(\d{2})/(\d{4})", 2, 1)):
        found = re.fullmatch(pattern, plain, re.ASCII)
        if found:
            return Month(int(found[year]), int(found[month]))
    found = re.fullmatch(r"([A-Z]{3})[ -]?(?:20)?(\d{2})", plain, re.ASCII)
    if found and found[1] in _MONTH_NAMES:
        return Month(2000 + int(found[2]), _MONTH_NAMES.index(found[1]) + 1)
    raise Wrong(f"a contract month was expected, like 2026-09, was {text[:20]!r}")


def parse_figure(text: str, name: str = "number", *, decimals: int = 2) -> Decimal:
    """Return a decimal number that a person or a file states; refuse one that could be read in two ways.

    Args:
        text: plain digits with a point, or an exponent.
        name: of the field, for the message.
        decimals: usual for the figure. Up to two, any three decimals may be thousands; from three on
            (coins), only three decimals that end in 0 may be.

    ``25.000`` and ``25,000`` are refused: 25 for one writer, 25 thousand for another.
    """
    plain = text.strip(" ")
    match = _GROUPED.fullmatch(plain)
    if match is not None or "," in plain[:40]:
        raise Wrong(f"{name}: expected a plain number, got {plain[:40]!r}; fix: {_comma(plain)}")
    if is_ambiguous(text, decimals):
        raise Wrong(
            f"{name} {plain} is ambiguous: the point may separate thousands or decimals; "
            f"fix: write {plain}0 or {plain.replace('.', '')}"
        )
    try:
        return parse_decimal(plain)
    except Wrong as error:
        raise Wrong(f"{name}: expected a plain finite number, was {plain[:40]!r}") from error


def _comma(text: str) -> str:
    """Return what to write in place of a number with a comma."""
    match = _GROUPED.fullmatch(text)
    if match is not None and (match[3] or text.count(",") > 1):
        return f"write {text.replace(',', '')}"
    if re.fullmatch(r"[+-]?[0-9]{1,12},[0-9]{1,12}", text):
        return f"write {text.replace(',', '.')}{'0' if match else ''} or {text.replace(',', '')}"
    return "write digits and one decimal point, like 1234.56"


def parse_figures(text: str, name: str = "numbers") -> tuple[Decimal, ...]:
    """Return numbers separated by commas; ``60,500`` could be one number and needs a space: ``60, 500``."""
    if re.search(r"(?:^|,)[+-]?[0-9]{1,3},[0-9]{3}(?:,|\.|$)", text.strip(" ")):
        raise Wrong(
            f"{name}: {text.strip(' ')[:40]!r} is ambiguous: a comma may separate thousands; "
            "fix: write numbers without it, and a space after a comma between two numbers"
        )
    return tuple(parse_figure(part, name) for part in text.split(","))


def is_ambiguous(text: str, decimals: int = 2) -> bool:
    """Return whether the point of a number may separate thousands as well as decimals."""
    if isinstance(text, CellNumber) or not _THREE_DECIMALS.fullmatch(text.strip(" ")):
        return False
    return decimals < 3 or text.strip(" ").endswith("0")


def parse_number(text: str, name: str = "number", *, decimals: int = 2) -> float:
    """Return a stated number for a model, as ``parse_figure`` reads it."""
    return float(parse_figure(text, name, decimals=decimals))


def parse_grouped(text: str, name: str = "number") -> float:
    """Return a number of a source that separates thousands with commas, as exchanges' margin files do."""
    plain = text.strip(" ")
    return parse_number(plain.replace(",", "") if _GROUPED.fullmatch(plain) else text, name)


def parse_whole(text: str, name: str = "number", *, digits_max: int = 19) -> int:
    """Return a whole number in plain ASCII digits; a fraction of nothing (``12.0``) counts for nothing."""
    plain = text.strip(" ").removesuffix(".0")
    digits = plain.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= digits_max):
        raise Wrong(f"{name}: expected a whole number, was {text[:40]!r}")
    return int(plain)


def parse_amount(text: str, currency: Currency, name: str) -> Money:
    """Return the exact amount stated; refuse what is finer than the currency or beyond its largest amount.

    A number that a workbook computed is rounded to the currency's unit. Three decimals of a currency of
    two could be a thousands separator: refused, never guessed; so are three that end in 0 of any other.
    """
    plain = text.strip(" ")
    if currency.decimals == 2 and is_ambiguous(text):
        cents = Decimal(plain).quantize(Decimal("0.01"))
        raise Wrong(
            f"{name} {plain} is ambiguous: {currency.code} has two decimals, so the point may "
            f"separate thousands; write {cents} or {plain.replace('.', '')}"
        )
    if not isinstance(text, CellNumber) and "e" in plain.lower():
        raise Wrong(f"{name}: expected digits with a point, got {plain[:40]!r}; fix: write it out")
    amount = parse_figure(text, name, decimals=currency.decimals)
    if abs(amount) > currency.amount_max:
        raise Wrong(
            f"{name} {plain[:40]} is beyond the largest amount, {currency.amount_max:,} {currency.code}"
        )
    if isinstance(text, CellNumber):
        return booked(amount, currency)
    smallest = amount * currency.scale
    if smallest != smallest.to_integral_value():
        raise Wrong(f"{name} {plain[:40]} has more digits than {currency.code} has")
    return Money(currency, int(smallest))
