"""A dealer's collateral annex at an instant: what lies where, what either side may call, by when."""

from dataclasses import dataclass
from datetime import date, datetime

from headframe.book import Position
from headframe.counterparty import CollateralTerms, call_amount
from headframe.pricing import Surface
from headframe.risk.margin import collateral_due_to_us, collateral_wanted
from headframe.risk.marks import position_value_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnexRow:
    """One agreement today, in USD: what lies where, what either side may call, and by when it is due."""

    dealer: str
    terms: CollateralTerms
    value_usd: float
    posted_usd: float
    """Ours with the dealer, after haircuts."""
    held_usd: float
    """The dealer's with us, after haircuts."""
    open_usd: float
    """Called and not delivered: by the dealer, less what we called."""
    they_may_call_usd: float
    we_may_call_usd: float
    due: date | None
    """When a call made now is to be met; none: today none is made."""
    close_out_usd: float
    """What closing out at mark would bring us, all collateral settled; below zero we would pay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """Collateral of one dealer in USD: cash and coins (at the price) of ours, its own here, open calls.

    ``lost_posted`` and ``lost_held`` are what haircuts take off cash in other currencies, ours and its own.
    """

    dollars: float
    coins_usd: float
    held: float
    called_by_them: float
    called_by_us: float
    lost_posted: float = 0.0
    lost_held: float = 0.0


def annex_row(
    dealer: str,
    terms: CollateralTerms,
    positions: tuple[Position, ...],
    lying: Lying,
    surface: Surface,
    at: datetime,
) -> AnnexRow:
    """The annex of one dealer on its bilateral positions; what is called already is not called again."""
    value = sum(position_value_usd(one, surface, at) for one in positions)
    wanted = collateral_wanted(positions, terms, surface, at) if positions else 0.0
    owed = collateral_due_to_us(positions, terms, surface, at) if positions else 0.0
    posted = lying.dollars - lying.lost_posted + lying.coins_usd * (1.0 - terms.haircut)
    held = lying.held - lying.lost_held
    to_them, to_us = call_amount(terms, wanted, posted), call_amount(terms, owed, held)
    theirs, ours = lying.called_by_them, lying.called_by_us
    return AnnexRow(
        dealer=dealer,
        terms=terms,
        value_usd=value,
        posted_usd=posted,
        held_usd=held,
        open_usd=theirs - ours,
        they_may_call_usd=_fresh(terms, max(to_them, 0.0) + max(-to_us, 0.0), theirs),
        we_may_call_usd=_fresh(terms, max(to_us, 0.0) + max(-to_them, 0.0), ours),
        due=terms.due(at),
        close_out_usd=value - lying.held + lying.dollars + lying.coins_usd,
    )


def _fresh(terms: CollateralTerms, needed: float, outstanding: float) -> float:
    """What may be called beyond what is called already."""
    left = needed - outstanding
    return left if left >= max(terms.minimum_transfer_usd, 0.01) or not outstanding else 0.0
