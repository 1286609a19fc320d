"""Closing a trade before its coins are sold: proposed, approved and dealt like any other."""

from dataclasses import replace
from decimal import Decimal

from headframe.book import MarginTerms, Position
from headframe.codec import to_json
from headframe.desk import programme
from headframe.desk.office import Office, serialised
from headframe.desk.outlook import BLOCK_LEAST_COINS, BLOCK_LEAST_USD
from headframe.desk.ports import Declined, Draft, Invalid, NotFound
from headframe.desk.state import State
from headframe.hedge import (
    Proposal,
    Rated,
    Situation,
    closing_of,
    whole_steps,
    with_remainder,
)
from headframe.instrument import StructureKind
from headframe.mandate import is_order_book
from headframe.rfq import next_clip


def position_of(state: State, trade: str) -> Position:
    """What is left of a trade; NotFound where there is none of the name, Declined where nothing is left."""
    if trade not in state.trades:
        known = ", ".join(state.trades) or "none"
        raise NotFound(f"no trade {trade[:20]!r}; known: {known}")
    found = next((one for one in state.positions() if one.trade.id == trade), None)
    if found is None:
        raise Declined(f"nothing is left of {trade}: its coins are delivered or it was closed")
    assert state.clock is not None
    if found.trade.expiry <= state.clock:
        raise Declined(
            f"{trade}: expected a trade that is on, got one that expired "
            f"{found.trade.expiry:%Y-%m-%d %H:%M} UTC, settlement outstanding; fix: headframe close-day"
        )
    return found


@serialised
def propose(office: Office, trade: str, coins: Decimal | None) -> Proposal:
    """Propose to close so many coins of a trade, or all that is left, in tenths of a coin."""
    person = programme.preparer(office)
    state = office.state()
    position = position_of(state, trade)
    size = whole_steps(position.coins if coins is None else coins)
    if not 0 < size <= position.coins:
        raise Invalid(
            f"{trade} hedges {position.coins} coins: close between 0.1 and {whole_steps(position.coins)}"
        )
    record = state.rfqs[position.trade.rfq]
    found, version = programme.situation(office, person, venue=record.venue)
    rated = closing_of(found, position, record.request.structure, size)
    _require_dealable(found, position, rated)
    name = f"P-{len(state.proposals) + 1}"
    made = replace(programme.drafted(found, (rated,), rated, name), closes=trade)
    made = with_remainder(made, position, coins, size)
    assert made.forecast_id == version.id
    office.record(Draft("proposed", {"proposal": to_json(made)}), at=found.at)
    return made


def _require_dealable(found: Situation, position: Position, rated: Rated) -> None:
    """Refuse a closing that no place of the mandate deals, before anybody is asked to approve it."""
    trade, one = position.trade, rated.candidate
    places = [row for row in found.mandate.where if trade.structure in row.structures]
    small = any(
        row.venue == "voice" or (is_order_book(row.venue) and trade.margin is MarginTerms.VENUE)
        for row in places
    )
    future = trade.structure.is_future
    amount, least = (
        (float(one.amount), BLOCK_LEAST_USD) if future else (float(one.size), BLOCK_LEAST_COINS)
    )
    listed = trade.structure is not StructureKind.FORWARD
    if small or not listed or amount >= least or is_order_book(found.venue):
        return
    unit = "USD" if future else "coins"
    raise Declined(
        f"M-6.2 block_too_small: closing {one.size} coins of {trade.id}: expected a block of at least "
        f"{least:,.0f} {unit}, got {amount:,.0f}; fix: close more of it (it hedges {position.coins} coins), "
        "close it together with the next month's, hold it to its expiry, or have the mandate allow voice"
        f"{' or the order book' if trade.margin is MarginTerms.VENUE else ''} for it (M-1.4)"
    )


def again(
    office: Office, proposal: Proposal, but: str | None, venue: str | None
) -> tuple[Situation, Rated]:
    """The closing priced and judged on the market now, for what is left of it."""
    state = office.state()
    position = position_of(state, proposal.closes)
    record = state.rfqs[position.trade.rfq]
    place = venue or proposal.facts.venue
    trade = position.trade
    if trade.margin is MarginTerms.BILATERAL and is_order_book(place):
        raise Declined(
            f"{proposal.id}: {trade.id} is a bilateral trade with {trade.dealer}: expected its own dealer, "
            f"got the order book {place}, where a second position would stand beside it; fix: headframe "
            f"rfq {proposal.id} without --venue"
        )
    found, _ = programme.situation(
        office, proposal.preparer, but=but, venue=place, proposal=proposal.id
    )
    left = min(proposal.size - state.dealt(proposal.id), whole_steps(position.coins))
    if left <= 0:
        raise Declined(f"{proposal.id}: nothing is left of {proposal.closes} to close")
    most = found.mandate.rfq.clip_coins_max
    size = next_clip(left, None if most is None else Decimal(repr(most)))
    return found, closing_of(found, position, record.request.structure, size)
