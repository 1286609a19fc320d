"""What can be traded: terms, never worth; and the exact payoff of one settlement."""

from headframe.instrument.averaged import AveragedOption
from headframe.instrument.payoff import cash_flow, payoff
from headframe.instrument.production import (
    DifficultySwap,
    HashpriceForward,
    Perpetual,
    funding_rate_8h,
)
from headframe.instrument.settlement import (
    Delivery,
    SettlementRule,
    delivers,
    delivery_price,
    delivery_window,
    settlement_rule,
)
from headframe.instrument.terms import (
    Instrument,
    Kind,
    Leg,
    Structure,
    StructureKind,
    pair_of,
    parse_instrument,
    perpetual_of,
)

__all__ = [
    "AveragedOption",
    "Delivery",
    "DifficultySwap",
    "HashpriceForward",
    "Instrument",
    "Kind",
    "Leg",
    "Perpetual",
    "SettlementRule",
    "Structure",
    "StructureKind",
    "cash_flow",
    "delivers",
    "delivery_price",
    "delivery_window",
    "funding_rate_8h",
    "pair_of",
    "parse_instrument",
    "payoff",
    "perpetual_of",
    "settlement_rule",
]
