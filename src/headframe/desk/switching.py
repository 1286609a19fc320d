"""Replacing a short future by another hedge in one request: proposed, approved and dealt like any other."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from headframe.codec import to_json
from headframe.desk import closing, production, programme
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid, NotFound
from headframe.hedge import (
    Proposal,
    Rated,
    Situation,
    Switch,
    switched,
    whole_steps,
    with_remainder,
)
from headframe.instrument import StructureKind
from headframe.mandate import is_order_book
from headframe.rfq import next_clip
from headframe.units import Wrong

_STEP = Decimal("0.1")


@serialised
def propose(
    office: Office,
    trade: str,
    kind: StructureKind,
    expiry: datetime | None = None,
    coins: Decimal | None = None,
) -> Proposal:
    """Propose to replace so many coins of a short future, or all that is left, in tenths of a coin."""
    person = programme.preparer(office)
    state = office.state()
    position = closing.position_of(state, trade)
    size = whole_steps(position.coins if coins is None else coins)
    if not 0 < size <= position.coins:
        raise Invalid(
            f"{trade} hedges {position.coins} coins: replace 0.1 to {whole_steps(position.coins)}"
        )
    found, version = programme.situation(office, person)
    switch = _switched(office, found, trade, kind, expiry or position.trade.expiry, size)
    rated = switch.rated
    name = f"P-{len(state.proposals) + 1}"
    made = replace(
        programme.drafted(found, (rated,), rated, name, trade),
        replaces=trade,
        replaced_coins=switch.coins,
        crystallised_usd=round(switch.crystallised_usd, 2),
    )
    made = with_remainder(made, position, coins, switch.coins)
    assert made.forecast_id == version.id
    office.record(Draft("proposed", {"proposal": to_json(made)}), at=found.at)
    return made


def _switched(
    office: Office,
    found: Situation,
    trade: str,
    kind: StructureKind,
    expiry: datetime,
    size: Decimal,
    *,
    most: Decimal | None = None,
) -> Switch:
    position = closing.position_of(office.state(), trade)
    forecast = production.in_force(office).forecast
    try:
        switch = switched(found, forecast, position, kind, expiry, size, most=most)
    except Wrong as error:
        raise Invalid(str(error)) from error
    if switch is None:
        raise NotFound(f"{trade} cannot be replaced by a {kind}: nothing prices it on this market")
    return switch


def again(
    office: Office, proposal: Proposal, but: str | None, venue: str | None
) -> tuple[Situation, Rated]:
    """The switch priced and judged on the market now, for what is left of it."""
    place = venue or proposal.facts.venue
    if is_order_book(place):
        raise Declined(f"{proposal.id} replaces {proposal.replaces}: it is asked as one block")
    state = office.state()
    position = closing.position_of(state, proposal.replaces)
    found, _ = programme.situation(
        office, proposal.preparer, but=but, venue=place, proposal=proposal.id
    )
    dealt = state.dealt(proposal.id)
    share = Decimal(1) - dealt / proposal.size
    # to the step: contracts of ten dollars leave something over
    rest = (proposal.replaced_coins * share).quantize(_STEP)
    left = min(rest, whole_steps(position.coins))
    if left <= 0:
        raise Declined(f"{proposal.id}: nothing is left of {proposal.replaces} to replace")
    most = found.mandate.rfq.clip_coins_max
    size = next_clip(left, None if most is None else Decimal(repr(most)))
    open_size = proposal.size - dealt
    made = _switched(
        office, found, proposal.replaces, proposal.kind, proposal.expiry, size, most=open_size
    )
    return found, made.rated
