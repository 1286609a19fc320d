"""A request for quotes, from asking to award."""

from headframe.rfq.award import (
    Award,
    AwardRules,
    Ladder,
    NoAward,
    Rejection,
    Rung,
    award,
    rank,
)
from headframe.rfq.envelope import Envelope, Outside, outside
from headframe.rfq.protocol import TERMINAL, TRANSITIONS, RfqState, RfqStep, after
from headframe.rfq.request import Direction, Fill, Quote, Request, open_request

__all__ = [
    "TERMINAL",
    "TRANSITIONS",
    "Award",
    "AwardRules",
    "Direction",
    "Envelope",
    "Fill",
    "Ladder",
    "NoAward",
    "Outside",
    "Quote",
    "Rejection",
    "Request",
    "RfqState",
    "RfqStep",
    "Rung",
    "after",
    "award",
    "open_request",
    "outside",
    "rank",
]
