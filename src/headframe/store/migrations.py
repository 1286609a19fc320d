"""Steps from one format of the journal to the next, for both databases.

A release opens the journals of the one before it: the steps between are run when the journal is opened,
each in one transaction with its version, so that a crash leaves the old format or the new. Events are
never touched; a step adds what lies beside them. There is one format so far, so there are no steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """To which format, by which statements; ``{0}`` is the schema in PostgreSQL."""

    version: int
    sqlite: tuple[str, ...]
    postgres: tuple[str, ...]


STEPS: tuple[Step, ...] = ()


def steps_from(version: int, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that lead on from a format, in order."""
    return tuple(sorted((one for one in steps if one.version > version), key=lambda s: s.version))


def latest(steps: Sequence[Step]) -> int:
    """The format this version writes."""
    return max((one.version for one in steps), default=1)
