"""Calendar months as values, in UTC."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache

from headframe.units.wrong import Wrong

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC; months compare, shift and know their edges."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (2009 <= self.year <= 2140 and 1 <= self.number <= 12):
            raise Wrong(
                f"a month must lie in 2009-01 to 2140-12, was {self.year}-{self.number:02d}"
            )

    @classmethod
    def parse(cls, text: str) -> "Month":
        """The month written as ``2026-09``."""
        return _parsed(text)

    @classmethod
    def of(cls, at: datetime | date) -> "Month":
        """The month an instant or a day lies in."""
        return cls(at.year, at.month)

    def plus(self, months: int) -> "Month":
        """The month this many months later."""
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)

    @property
    def start(self) -> datetime:
        """The first instant of the month."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first instant after the month."""
        return self.plus(1).start

    @property
    def last_day(self) -> date:
        """The day of the month's last sale."""
        return date(self.year, self.number, self.days)

    @property
    def days(self) -> int:
        """Days in the month."""
        return monthrange(self.year, self.number)[1]

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Month:
    """Return the month of a text; few months are read many times."""
    match = _MONTH.fullmatch(text) if text.isascii() else None
    if match is None:
        raise Wrong(f"a month is written 2026-09, was {text[:20]!r}")
    return Month(int(match[1]), int(match[2]))


def months_from(first: Month, count: int) -> tuple[Month, ...]:
    """So many months in a row."""
    return tuple(first.plus(step) for step in range(count))


def months_to(at: datetime, expiry: datetime) -> int:
    """Months from an instant to an expiry, the last begun one counted."""
    whole = (expiry.year - at.year) * 12 + expiry.month - at.month
    return whole + (1 if (expiry.day, expiry.hour) > (at.day, at.hour) else 0)
