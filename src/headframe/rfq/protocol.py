"""The life of a request as a table: which step leads where, and what is never allowed."""

from enum import StrEnum
from types import MappingProxyType


class RfqState(StrEnum):
    """Where a request stands; UNKNOWN is left by evidence from the venue only."""

    DRAFT = "draft"
    APPROVED = "approved"
    OPENING = "opening"
    OPEN = "open"
    AWARDING = "awarding"
    AWAITING_DEALER = "awaiting_dealer"
    FILLED = "filled"
    PARTIALLY_FILLED = "partially_filled"
    NOT_FILLED = "not_filled"
    NO_AWARD = "no_award"
    UNKNOWN = "unknown"


class RfqStep(StrEnum):
    """What can happen to a request."""

    APPROVE = "approve"
    INTEND_OPEN = "intend_open"
    OPENED = "opened"
    OPEN_REFUSED = "open_refused"
    QUOTED = "quoted"
    INTEND_AWARD = "intend_award"
    DECLINE = "decline"
    ACCEPTED = "accepted"
    FILLED = "filled"
    PARTLY_FILLED = "partly_filled"
    NOT_FILLED = "not_filled"
    LOST_SIGHT = "lost_sight"
    FENCED_FILLED = "fenced_filled"
    FENCED_EMPTY = "fenced_empty"


_S, _T = RfqState, RfqStep
TRANSITIONS = MappingProxyType(
    {
        (_S.DRAFT, _T.APPROVE): _S.APPROVED,
        (_S.APPROVED, _T.INTEND_OPEN): _S.OPENING,
        (_S.OPENING, _T.OPENED): _S.OPEN,
        (_S.OPENING, _T.OPEN_REFUSED): _S.NOT_FILLED,
        (_S.OPENING, _T.LOST_SIGHT): _S.UNKNOWN,
        (_S.OPEN, _T.QUOTED): _S.OPEN,
        (_S.OPEN, _T.INTEND_AWARD): _S.AWARDING,
        (_S.OPEN, _T.DECLINE): _S.NO_AWARD,
        (_S.OPEN, _T.LOST_SIGHT): _S.UNKNOWN,
        (_S.AWARDING, _T.ACCEPTED): _S.AWAITING_DEALER,
        (_S.AWARDING, _T.FILLED): _S.FILLED,
        (_S.AWARDING, _T.PARTLY_FILLED): _S.PARTIALLY_FILLED,
        (_S.AWARDING, _T.NOT_FILLED): _S.NOT_FILLED,
        (_S.AWARDING, _T.LOST_SIGHT): _S.UNKNOWN,
        (_S.AWAITING_DEALER, _T.FILLED): _S.FILLED,
        (_S.AWAITING_DEALER, _T.PARTLY_FILLED): _S.PARTIALLY_FILLED,
        (_S.AWAITING_DEALER, _T.NOT_FILLED): _S.NOT_FILLED,
        (_S.AWAITING_DEALER, _T.LOST_SIGHT): _S.UNKNOWN,
        (_S.UNKNOWN, _T.FENCED_FILLED): _S.FILLED,
        (_S.UNKNOWN, _T.FENCED_EMPTY): _S.NOT_FILLED,
    }
)
TERMINAL = frozenset({_S.FILLED, _S.PARTIALLY_FILLED, _S.NOT_FILLED, _S.NO_AWARD})


def after(state: RfqState, step: RfqStep) -> RfqState | None:
    """The state a step leads to, or None where the table has no such step."""
    return TRANSITIONS.get((state, step))
