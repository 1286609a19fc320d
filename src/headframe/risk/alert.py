"""Alerts: limits that are used too far, one alert a cause, with owner and deadline; what changed since."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from headframe.risk.watch import Status, Watched, figures_apart

_MONTH = re.compile(r"^\d{4}-\d{2} ")
_SOON = ("M-5", "M-10", "cash", "loan", "I")
"""Clauses where money or the books are at stake: hours, not days."""


class Severity(StrEnum):
    """How bad: near a limit, so near that nothing may be added, beyond it."""

    NOTICE = "notice"
    WARNING = "warning"
    ALARM = "alarm"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return list(Severity).index(self)


_OF = {
    Status.AMBER: Severity.NOTICE,
    Status.STOP: Severity.WARNING,
    Status.BREACH: Severity.ALARM,
}
_HOURS = {Severity.NOTICE: (72, 24), Severity.WARNING: (48, 8), Severity.ALARM: (24, 4)}
"""Hours to the deadline of a severity: of ordinary clauses, and of those where money is at stake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One cause that stands: its worst limit with figures, how many others, who and until when."""

    id: str
    cause: str
    clause: str
    limit: str
    severity: Severity
    used: float
    allowed: float
    unit: str
    others: int
    owner: str
    since: datetime
    deadline: datetime
    overdue: bool = False

    def __str__(self) -> str:
        more = f" and {self.others} more" if self.others else ""
        used, allowed = figures_apart(self.used, self.allowed, self.unit)
        return (
            f"{self.severity} {self.id}: {self.clause} {self.limit}{more}: "
            f"{used} against {allowed} {self.unit}; "
            f"{self.owner} by {self.deadline:%Y-%m-%d %H:%M} UTC"
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look changed: alerts that are new, worse or overdue; those that only moved; those that ended."""

    raised: tuple[Alert, ...]
    moved: tuple[Alert, ...]
    ended: tuple[Alert, ...]


def cause_of(row: Watched) -> str:
    """What limits share when one event breaks them all: the months of one clause are one cause."""
    name = _MONTH.sub("", row.name)
    return row.clause if name != row.name else f"{row.clause} {name}"


def changes(
    standing: Mapping[str, Alert],
    watched: Sequence[Watched],
    at: datetime,
    *,
    owner: Callable[[str], str],
    first: int,
    lineage: str = "",
) -> Changes:
    """Hold the limits against the alerts that stand; ``first`` is the number of the next alert.

    ``lineage`` ends the ids made after a restore: numbers given after the backup are lost, and sent already.

    An alert is raised when its cause is new, when it is worse than before, and once when its deadline has
    passed. Figures that move without it are kept and not raised again.
    """
    rows: dict[str, list[Watched]] = {}
    for row in watched:
        if row.status is not Status.OK:
            rows.setdefault(cause_of(row), []).append(row)
    raised: list[Alert] = []
    moved: list[Alert] = []
    number = first
    for cause, found in rows.items():
        worst = max(found, key=lambda row: (_OF[row.status].rank, row.use))
        before = standing.get(cause)
        now = _alert(worst, len(found) - 1, at, owner(worst.clause), before)
        if before is None:
            now = replace(now, id=f"A-{number}" + (f"-{lineage}" if lineage else ""))
            number += 1
        if before is None or now.severity.rank > before.severity.rank:
            raised.append(now)
        elif at >= before.deadline and not before.overdue:
            raised.append(replace(now, overdue=True))
        elif (now.severity, now.limit, now.others) != (
            before.severity,
            before.limit,
            before.others,
        ):
            moved.append(now)
    ended = tuple(alert for cause, alert in standing.items() if cause not in rows)
    return Changes(tuple(raised), tuple(moved), ended)


def _alert(worst: Watched, others: int, at: datetime, owner: str, before: Alert | None) -> Alert:
    severity = _OF[worst.status]
    worse = before is None or severity.rank > before.severity.rank
    soon = worst.clause.startswith(_SOON)
    hours = _HOURS[severity][1 if soon else 0]
    return Alert(
        id="" if before is None else before.id,
        cause=cause_of(worst),
        clause=worst.clause,
        limit=worst.name,
        severity=severity,
        used=worst.used,
        allowed=worst.allowed,
        unit=worst.unit,
        others=others,
        owner=owner,
        since=at if before is None else before.since,
        deadline=at + timedelta(hours=hours) if before is None or worse else before.deadline,
        overdue=False if before is None or worse else before.overdue,
    )
