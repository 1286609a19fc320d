"""What the market said at one instant, and how far it can be trusted."""

from headframe.market.quality import Finding, Flaw, findings, frozen
from headframe.market.sample import sample_market
from headframe.market.snapshot import ForwardQuote, OptionQuote, Snapshot, Ticker, TypedSmile

__all__ = [
    "Finding",
    "Flaw",
    "ForwardQuote",
    "OptionQuote",
    "Snapshot",
    "Ticker",
    "TypedSmile",
    "findings",
    "frozen",
    "sample_market",
]
