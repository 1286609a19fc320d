"""Onboarding as a table: where a counterparty stands and which steps lead on."""

from enum import StrEnum
from types import MappingProxyType

from headframe.units import Wrong


class Standing(StrEnum):
    """Where a counterparty stands with us."""

    PROSPECT = "prospect"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    WATCH = "watch"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Step(StrEnum):
    """What can be done to a standing."""

    SUBMIT = "submit"
    APPROVE = "approve"
    DECLINE = "decline"
    WATCH = "watch"
    SUSPEND = "suspend"
    CLOSE = "close"


TRANSITIONS = MappingProxyType(
    {
        (Standing.PROSPECT, Step.SUBMIT): Standing.IN_REVIEW,
        (Standing.PROSPECT, Step.CLOSE): Standing.CLOSED,
        (Standing.IN_REVIEW, Step.APPROVE): Standing.APPROVED,
        (Standing.IN_REVIEW, Step.DECLINE): Standing.PROSPECT,
        (Standing.IN_REVIEW, Step.CLOSE): Standing.CLOSED,
        (Standing.APPROVED, Step.SUBMIT): Standing.IN_REVIEW,
        (Standing.APPROVED, Step.WATCH): Standing.WATCH,
        (Standing.APPROVED, Step.SUSPEND): Standing.SUSPENDED,
        (Standing.APPROVED, Step.CLOSE): Standing.CLOSED,
        (Standing.WATCH, Step.APPROVE): Standing.APPROVED,
        (Standing.WATCH, Step.SUBMIT): Standing.IN_REVIEW,
        (Standing.WATCH, Step.SUSPEND): Standing.SUSPENDED,
        (Standing.WATCH, Step.CLOSE): Standing.CLOSED,
        (Standing.SUSPENDED, Step.SUBMIT): Standing.IN_REVIEW,
        (Standing.SUSPENDED, Step.CLOSE): Standing.CLOSED,
    }
)


def advance(standing: Standing, step: Step) -> Standing:
    """The standing a step leads to; Wrong where the table has no such step."""
    after = TRANSITIONS.get((standing, step))
    if after is None:
        steps = sorted(taken for stood, taken in TRANSITIONS if stood is standing)
        allowed = ", ".join(steps) or "nothing"
        raise Wrong(f"a counterparty that is {standing} cannot {step}; allowed: {allowed}")
    return after
