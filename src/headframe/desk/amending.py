"""Amendments: a new version of a trade as both sides agreed on it; by one person, approved by another."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from headframe.book import Trade, version, version_flows
from headframe.codec import to_json
from headframe.desk import adopting, users
from headframe.desk.known import Amendment
from headframe.desk.lifecycle import trade_of
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid, NotFound
from headframe.desk.state import State, postings_json
from headframe.units import Wrong

_LONGEST = 200


@serialised
def amend(
    office: Office,
    name: str,
    prices: Mapping[str, Decimal],
    fee: Decimal | None,
    reason: str,
) -> Amendment:
    """Propose a new version of a trade with other prices of its legs or another fee, as both sides agreed.

    Only while none of its coins are delivered or closed and nothing of it was settled: then closing and
    dealing anew is the way.
    """
    person = users.allowed(office, users.Action.PREPARE)
    state = office.state()
    trade = trade_of(state, name)
    if not reason.strip() or len(reason) > _LONGEST or not reason.isprintable():
        raise Invalid(f"a reason is one line of at most {_LONGEST} characters")
    if any(one.open and one.after.id == name for one in state.amendments):
        raise Declined(f"an amendment of {name} waits for approval already")
    _whole(state, trade)
    try:
        after = version(trade, prices, fee)
    except Wrong as error:
        raise Invalid(str(error)) from error
    made = Amendment(
        number=len(state.amendments) + 1,
        before=trade,
        after=after,
        reason=reason,
        by=person,
        at=office.now(),
    )
    office.record(Draft("amendment_proposed", {"amendment": to_json(made)}), at=made.at)
    return made


def _whole(state: State, trade: Trade) -> None:
    left = sum(state.remaining[trade.id].values(), Decimal(0))
    if left != trade.size:
        raise Declined(f"{trade.size - left} coins of {trade.id} are delivered: close it instead")
    if trade.id in state.last_marks:
        raise Declined(f"{trade.id} has settled variation: close it and deal anew")


def _waiting(state: State, number: int) -> Amendment:
    found = next((one for one in state.amendments if one.number == number), None)
    if found is None or not found.open:
        waiting = ", ".join(str(one.number) for one in state.amendments if one.open)
        raise NotFound(f"no amendment {number} waits; waiting: {waiting or 'none'}")
    return found


@serialised
def decline(office: Office, number: int) -> Amendment:
    """Put an amendment away: the trade stays as it is, and another may be proposed."""
    person = users.allowed(office, users.Action.PREPARE)
    made = replace(_waiting(office.state(), number), declined_by=person)
    office.record(Draft("amendment_declined", {"amendment": to_json(made)}), at=office.now())
    return made


@serialised
def approve(office: Office, number: int) -> Amendment:
    """Put an amendment in force, by another person than proposed it; what it pays or costs is booked."""
    person = users.allowed(office, users.Action.REVIEW)
    adopting.require(office)
    state = office.state()
    found = _waiting(state, number)
    if person == found.by:
        raise Declined(f"{person} proposed amendment {number}: somebody else approves it")
    _whole(state, found.before)
    if state.trades[found.after.id] != found.before:
        raise Declined(f"{found.after.id} has changed since amendment {number} was proposed")
    trial, entries = state.ledger.copy(), list(version_flows(found.before, found.after))
    for entry in entries:
        try:
            trial.post(entry)
        except Wrong as error:
            raise Declined(f"amendment {number} cannot be booked: {error}") from error
    made = replace(found, approved_by=person)
    body = {"amendment": to_json(made), "postings": postings_json(entries)}
    office.record(Draft("amendment_approved", body), at=office.now())
    return made
