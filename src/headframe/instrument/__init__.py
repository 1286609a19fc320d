"""What can be traded: terms, never worth; and the exact payoff of one settlement."""

from headframe.instrument.payoff import cash_flow, payoff
from headframe.instrument.terms import (
    Instrument,
    Kind,
    Leg,
    Structure,
    StructureKind,
    parse_instrument,
)

__all__ = [
    "Instrument",
    "Kind",
    "Leg",
    "Structure",
    "StructureKind",
    "cash_flow",
    "parse_instrument",
    "payoff",
]
