"""Confirmations: what the other side says of each trade, held against the books, kept with what differs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from headframe.book import Confirmation, ConfirmedLeg, Difference, Trade, differences
from headframe.codec import to_json
from headframe.desk import users
from headframe.desk.known import Confirmed
from headframe.desk.office import Office, Trading, serialised
from headframe.desk.ports import Broken, Declined, Draft, Invalid
from headframe.desk.state import State
from headframe.rfq import Fill


@dataclass(frozen=True, slots=True)
class Standing:
    """One trade and what stands of its confirmation: none yet, agreed, or where it differs."""

    trade: Trade
    confirmed: Confirmed | None

    @property
    def words(self) -> str:
        """Waiting, confirmed, or differs."""
        if self.confirmed is None:
            return "waiting"
        return "differs" if self.confirmed.differences else "confirmed"


def standing(office: Office) -> tuple[tuple[Standing, ...], tuple[Confirmed, ...]]:
    """Every trade with its confirmation, oldest first; and confirmations of trades we do not have."""
    users.allowed(office, users.Action.READ)
    state = office.state()
    every = (*state.trades.values(), *state.closings.values())
    rows = tuple(Standing(one, state.confirmed.get(one.id)) for one in every)
    return rows, tuple(state.strangers.values())


@serialised
def take(office: Office, given: Sequence[Confirmation], source: str) -> tuple[Confirmed, ...]:
    """Hold confirmations against the books and keep what came of it, all or none.

    One that agrees is kept as agreed; one that differs with its differences, until a later one agrees; one
    of a trade we do not have is kept as such: it may be an event that was lost. Whoever dealt does not
    confirm.
    """
    person = users.allowed(office, users.Action.REVIEW)
    state = office.state()
    known = _by_reference(state)
    at = office.now()
    found: list[Confirmed] = []
    for one in given:
        trade = known.get(one.reference)
        if trade is not None and state.rfqs[trade.rfq].by == person:
            raise Declined(
                f"{trade.id} was dealt by {person}: another person confirms it (--as NAME)"
            )
        found.append(_held(one, trade, person, source, at))
    names = [one.trade or one.reference for one in found]
    if len(set(names)) < len(names):
        raise Invalid(f"{source} confirms a trade twice, once by our id and once by the venue's")
    if found:
        office.record(*(Draft("confirmed", to_json(one)) for one in found), at=at)
    return tuple(found)


def _held(
    one: Confirmation, trade: Trade | None, person: str, source: str, at: datetime
) -> Confirmed:
    if trade is None:
        strange = (Difference("trade", "none", one.reference),)
        return Confirmed("", one.reference, person, source[:200], at, strange)
    fixing = (one.fixing_source or "")[:100].strip()
    return Confirmed(
        trade.id,
        one.reference,
        person,
        source[:200],
        at,
        differences(trade, one),
        fixing,
        one.value_date,
    )


def _by_reference(state: State) -> dict[str, Trade]:
    """Trades and closings by our id and by the venue's; a trade that replaced one with what it closed."""
    found = state.trades | state.closings
    for name, other in state.came_with.items():
        whole = (*found[name].legs, *found[other].legs)
        found[name] = replace(found[name], legs=whole)
    return found | {fill_id: found[name] for fill_id, name in state.filled_as.items()}


async def ask(trading: Trading) -> tuple[Confirmed, ...]:
    """Hold the venue's own records of every trade dealt there that is not confirmed against ours."""
    office = trading.office
    state = office.state()
    given: list[Confirmation] = []
    every = (*state.trades.values(), *state.closings.values())
    for rfq in dict.fromkeys(one.rfq for one in every):
        record = state.rfqs[rfq]
        open_ones = [one for one in state.booked_of(rfq) if not state.agreed(one.id)]
        line = trading.at(record.venue)
        if line is None or record.venue_id is None or not open_ones:
            continue
        fills = await line.venue.evidence(record.venue_id, record.request)
        if not fills:
            raise Broken(f"{record.venue} shows no trade of request {rfq[:8]}, which is booked")
        given += [_of_fill(fill) for fill in fills]
    return take(office, given, f"{trading.venue.name}, its own records")


def _of_fill(fill: Fill) -> Confirmation:
    return Confirmation(
        reference=fill.venue_trade_id,
        legs=tuple(
            ConfirmedLeg(instrument=name, amount=amount, price=price)
            for name, amount, price in fill.legs
        ),
        dealer=fill.dealer,
        day=fill.at.date(),
        fee=fill.fee,
        fee_currency=fill.fee_currency,
    )
