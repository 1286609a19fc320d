"""Days on which a bank or a dealer works, in UTC."""

from dataclasses import dataclass
from datetime import date, timedelta

from headframe.units.wrong import Wrong

_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    """Every day but holidays and, unless ``weekends``, Saturdays and Sundays."""

    weekends: bool = True
    holidays: tuple[date, ...] = ()

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return (self.weekends or day.weekday() < 5) and day not in self.holidays

    def on_or_after(self, day: date) -> date:
        """The day itself, or the next that works; Wrong where none does within two months."""
        for ahead in range(_LONGEST):
            found = day + timedelta(days=ahead)
            if self.works(found):
                return found
        raise Wrong(f"no working day within {_LONGEST} days of {day}: too many holidays")

    def on_or_before(self, day: date) -> date:
        """The day itself, or the last before it that works."""
        for back in range(_LONGEST):
            found = day - timedelta(days=back)
            if self.works(found):
                return found
        raise Wrong(f"no working day within {_LONGEST} days of {day}: too many holidays")

    def plus(self, day: date, count: int) -> date:
        """So many working days after a day; 0: the first on or after it."""
        found = self.on_or_after(day)
        for _ in range(count):
            found = self.on_or_after(found + timedelta(days=1))
        return found

    def between(self, first: date, last: date) -> int:
        """Working days after ``first`` up to and with ``last``."""
        span = (last - first).days
        return sum(self.works(first + timedelta(days=one)) for one in range(1, span + 1))
