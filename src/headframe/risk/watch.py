"""Limits under watch: each with its use and its status."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

AMBER = 0.75
STOP = 0.90


class Status(StrEnum):
    """How far a limit is used: amber from 75 %, stop adding from 90 %, breach above 100 %."""

    OK = "ok"
    AMBER = "amber"
    STOP = "stop_adding"
    BREACH = "breach"


def figure_text(value: float, unit: str) -> str:
    """Return a figure beside its unit: whole dollars, coins to 2 decimals, shares in per cent."""
    if not isfinite(value):
        return "-"
    if unit.startswith("of "):
        return f"{value:.0%}".replace("%", " %") if abs(value) >= 0.1 else f"{value * 100:.1f} %"
    if unit == "coins":
        return f"{value:,.2f}"
    whole = unit == "USD" or value == int(value)
    return f"{value:,.0f}" if whole else f"{value:,.1f}"


def figures_apart(used: float, allowed: float, unit: str) -> tuple[str, str]:
    """Return two figures of one unit; with more decimals where they differ and read alike."""
    texts = figure_text(used, unit), figure_text(allowed, unit)
    if used == allowed or texts[0] != texts[1] or not (isfinite(used) and isfinite(allowed)):
        return texts
    scale, sign = (100.0, " %") if unit.startswith("of ") else (1.0, "")
    for decimals in range(1, 7):
        texts = (
            f"{used * scale:,.{decimals}f}{sign}",
            f"{allowed * scale:,.{decimals}f}{sign}",
        )
        if texts[0] != texts[1]:
            break
    return texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One limit: clause, name, what is used of what is allowed, both in ``unit``."""

    clause: str
    name: str
    used: float
    allowed: float
    unit: str
    low_is_bad: bool = False
    amber_from: float = AMBER

    @property
    def use(self) -> float:
        """Share of the limit used; for a least value, how much of it is missing, from 1 upwards."""
        if self.low_is_bad:
            return 1.0 if self.used <= 0.0 < self.allowed else self.allowed / max(self.used, 1e-12)
        if self.allowed == 0.0:
            return 0.0 if self.used <= 0.0 else float(self.used) + 1.0
        return self.used / self.allowed

    @property
    def status(self) -> Status:
        """The status its use has reached; a figure that is no number is a breach."""
        if not isfinite(self.used):
            return Status.BREACH
        if self.low_is_bad:
            return Status.OK if self.used >= self.allowed else Status.BREACH
        use = self.use
        if use > 1.0 + 1e-9:
            return Status.BREACH
        if use >= max(STOP, self.amber_from):
            return Status.STOP
        return Status.AMBER if use >= self.amber_from else Status.OK
