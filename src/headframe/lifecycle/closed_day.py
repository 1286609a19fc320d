"""One closed day as a person sees it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from headframe.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedDay:
    """One day as it was closed, or would be: prices with their sources, what hedges paid, what ended."""

    day: date
    first: date
    """The first day this close stands for: days without open positions are closed together."""
    index: Decimal | None
    sources: tuple[str, ...]
    paid: tuple[tuple[str, str, Money], ...]
    """By trade and cause what was received, below zero where paid."""
    ended: tuple[tuple[str, str], ...]
    shortfall: str
