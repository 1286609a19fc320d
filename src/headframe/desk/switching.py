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
    replaced_by,
    switched,
    whole_steps,
    with_remainder,
)
from headframe.instrument import StructureKind
from headframe.mandate import is_order_book
from headframe.rfq import next_clip
from headframe.units import Wrong


@serialised
def propose(
    office: Office,
    trade: str,
    kind: StructureKind,
    expiry: datetime | None = None,
    coins: Decimal | None = None,
) -> Proposal:
    """Propose to replace so many coins of a short future, in tenths of a coin, or all that is left."""
    person = programme.preparer(office)
    state = office.state()
    position = closing.position_of(state, trade)
    size = _replaced(trade, position.coins, coins, kind)
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


def _replaced(trade: str, held: Decimal, coins: Decimal | None, kind: StructureKind) -> Decimal:
    """Return the coins to replace: as asked, or all; what dealers of options cannot deal stays on."""
    size = whole_steps(held if coins is None else coins)
    if kind.is_future and coins in {None, held}:
        size = held
    if not 0 < size <= held:
        raise Invalid(f"{trade} hedges {held} coins: replace 0.1 to {whole_steps(held)}")
    return size


def _switched(
    office: Office,
    found: Situation,
    trade: str,
    kind: StructureKind,
    expiry: datetime,
    size: Decimal,
    *,
    approved: Decimal | None = None,
) -> Switch:
    position = closing.position_of(office.state(), trade)
    forecast = production.in_force(office).forecast
    try:
        switch = switched(found, forecast, position, kind, expiry, size, size=approved)
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
    open_size = proposal.size - state.dealt(proposal.id)
    most = found.mandate.rfq.clip_coins_max
    approved = next_clip(open_size, None if most is None else Decimal(repr(most)))
    coins = replaced_by(proposal, approved)
    if coins > position.coins:
        raise Declined(
            f"{proposal.id} replaces {coins} coins of {proposal.replaces}, which hedges {position.coins} "
            f"now; fix: headframe switch {proposal.replaces} proposes it again"
        )
    made = _switched(
        office,
        found,
        proposal.replaces,
        proposal.kind,
        proposal.expiry,
        coins,
        approved=approved,
    )
    return found, made.rated
