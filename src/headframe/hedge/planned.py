"""Proposals as if they were dealt: what a plan would put on, before anybody is asked."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from headframe.book import Trade
from headframe.hedge.proposal import Proposal
from headframe.instrument import StructureKind
from headframe.mandate import is_order_book
from headframe.risk import HedgedLeg, netting_of

_STEP = Decimal("0.1")


def open_proposals(proposals: Iterable[Proposal], trades: Iterable[Trade]) -> tuple[Proposal, ...]:
    """The last plan's proposals that are not dealt, of those dealt in part what is left."""
    dealt: dict[str, Decimal] = {}
    for trade in trades:
        dealt[trade.proposal] = dealt.get(trade.proposal, Decimal(0)) + trade.size
    left: list[Proposal] = []
    for one in proposals:
        rest = one.size - dealt.get(one.id, Decimal(0))
        if rest >= _STEP and not (one.closes or one.replaces):
            left.append(replace(one, size=rest, amount=one.amount * rest / one.size))
    latest = max((one.at for one in left), default=None)
    return tuple(one for one in left if one.at == latest)


def as_dealt(proposals: Iterable[Proposal]) -> tuple[tuple[HedgedLeg, ...], float]:
    """Their legs at the planned prices, each with the first dealer of its panel, and the USD paid for all."""
    legs: list[HedgedLeg] = []
    upfront = 0.0
    for one in proposals:
        legs.extend(_legs(one))
        upfront += one.chosen.upfront_usd * float(one.size)
    return tuple(legs), upfront


def _legs(proposal: Proposal) -> list[HedgedLeg]:
    side = 1 if proposal.bought else -1
    futures = proposal.kind.is_future
    venue = futures or is_order_book(proposal.facts.venue)
    dealer = "" if venue else proposal.panel[0]
    found: list[HedgedLeg] = []
    for leg in proposal.structure.legs:
        unit = proposal.amount if leg.instrument.amount_in_usd else proposal.size
        amount: Decimal = side * leg.ratio * unit
        sold = amount < 0 and proposal.kind is not StructureKind.PROTECTIVE_PUT
        found.append(
            HedgedLeg(
                instrument=leg.instrument,
                amount=float(amount),
                entry=proposal.forward_usd,
                netting=netting_of(leg.instrument, bought=amount > 0, dealer=dealer),
                margined=float(proposal.size) if sold else 0.0,
                months=proposal.needs,
            )
        )
    return found
