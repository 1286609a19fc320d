"""Stress: what a move of the price within a month would do to hedges, margin and liquidity."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from headframe.counterparty import CollateralTerms
from headframe.pricing import Surface
from headframe.risk.margin import (
    NOTHING_POSTED,
    Liquidity,
    Posted,
    posted_after_calls,
    requirement_of,
)
from headframe.risk.marks import Units
from headframe.risk.netting import NettedBook

HORIZON = timedelta(days=30)
MOVES = (-0.60, -0.40, -0.20, 0.0, 0.20, 0.40, 0.60)


@dataclass(frozen=True, slots=True, kw_only=True)
class StressRow:
    """A month after a move of the price: what the hedges are worth, what is called, what is left."""

    move: float
    price: float
    hedge_usd: float
    margin_usd: float
    call_usd: float
    liquidity_usd: float


def stress(
    move: float,
    book: NettedBook,
    terms: Mapping[str, CollateralTerms],
    surface: Surface,
    at: datetime,
    *,
    liquidity: Liquidity,
    posted: Mapping[str, Posted] = NOTHING_POSTED,
) -> StressRow:
    """A programme a month after the price moved by ``move`` (0.6 is sixty per cent up).

    ``posted`` is what lies with each dealer today. The call is counted once today's calls are met, and each
    dealer's by its agreement: threshold, minimum transfer amount, rounding; below zero, margin comes back.
    """
    later = at + HORIZON
    moved = surface.at_spot(surface.spot * (1.0 + move), later)
    today = requirement_of(book, terms, surface, at, posted)
    lying = posted_after_calls(book, terms, Units(surface, at), posted)
    then = requirement_of(book, terms, moved, later, lying)
    return StressRow(
        move=move,
        price=moved.spot,
        hedge_usd=book.value_usd(moved, later),
        margin_usd=then.posted_usd,
        call_usd=then.initial_usd - today.initial_usd + then.variation_usd + then.called_usd,
        liquidity_usd=liquidity.at(moved.spot),
    )
