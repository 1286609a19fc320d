"""Closing a trade before its coins are sold: proposed, approved and dealt like any other."""

from dataclasses import replace
from decimal import Decimal

from headframe.book import Position
from headframe.codec import to_json
from headframe.desk import programme
from headframe.desk.office import Office, serialised
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
    name = f"P-{len(state.proposals) + 1}"
    made = replace(programme.drafted(found, (rated,), rated, name), closes=trade)
    made = with_remainder(made, position, coins, size)
    assert made.forecast_id == version.id
    office.record(Draft("proposed", {"proposal": to_json(made)}), at=found.at)
    return made


def again(
    office: Office, proposal: Proposal, but: str | None, venue: str | None
) -> tuple[Situation, Rated]:
    """The closing priced and judged on the market now, for what is left of it."""
    state = office.state()
    position = position_of(state, proposal.closes)
    record = state.rfqs[position.trade.rfq]
    found, _ = programme.situation(
        office,
        proposal.preparer,
        but=but,
        venue=venue or proposal.facts.venue,
        proposal=proposal.id,
    )
    left = min(proposal.size - state.dealt(proposal.id), whole_steps(position.coins))
    if left <= 0:
        raise Declined(f"{proposal.id}: nothing is left of {proposal.closes} to close")
    most = found.mandate.rfq.clip_coins_max
    size = next_clip(left, None if most is None else Decimal(repr(most)))
    return found, closing_of(found, position, record.request.structure, size)
