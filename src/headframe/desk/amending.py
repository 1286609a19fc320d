"""Amendments: a new version of a trade as both sides agreed on it; by one person, approved by another."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from headframe.book import Entry, Trade, TradeLeg, hedge_flow
from headframe.codec import to_json
from headframe.desk import users
from headframe.desk.known import Amendment
from headframe.desk.lifecycle import trade_of
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid, NotFound
from headframe.desk.state import State, postings_json
from headframe.instrument import StructureKind, cash_flow
from headframe.units import CURRENCIES, Wrong, booked

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
    made = Amendment(
        number=len(state.amendments) + 1,
        before=trade,
        after=_version(trade, prices, fee),
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


def _version(trade: Trade, prices: Mapping[str, Decimal], fee: Decimal | None) -> Trade:
    """The trade with other prices; Invalid where a leg is not there, a price is none, or nothing changes."""
    names = [leg.instrument.name for leg in trade.legs]
    strange = sorted(set(prices) - set(names))
    if strange:
        raise Invalid(f"{trade.id} has no leg {strange[0][:40]!r}; its legs: {', '.join(names)}")
    if any(not 0 < price < 10**9 for price in prices.values()):
        raise Invalid("a price lies above 0")
    if fee is not None and not 0 <= fee < 10**9:
        raise Invalid("a fee is 0 or above")
    legs = tuple(
        replace(leg, price=prices.get(leg.instrument.name, leg.price)) for leg in trade.legs
    )
    pairs = zip(legs, trade.legs, strict=True)
    net = trade.net_price + sum(
        (new.price - old.price) * (Decimal(1) if _firm(trade) else old.amount / trade.size)
        for new, old in pairs
    )
    after = replace(trade, legs=legs, net_price=net, fee=trade.fee if fee is None else fee)
    if after == trade:
        raise Invalid(f"nothing of {trade.id} would change")
    return after


def _firm(trade: Trade) -> bool:
    return trade.structure in {StructureKind.SHORT_FUTURE, StructureKind.FORWARD}


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
    state = office.state()
    found = _waiting(state, number)
    if person == found.by:
        raise Declined(f"{person} proposed amendment {number}: somebody else approves it")
    _whole(state, found.before)
    if state.trades[found.after.id] != found.before:
        raise Declined(f"{found.after.id} has changed since amendment {number} was proposed")
    trial, entries = state.ledger.copy(), list(_flows(found))
    for entry in entries:
        try:
            trial.post(entry)
        except Wrong as error:
            raise Declined(f"amendment {number} cannot be booked: {error}") from error
    made = replace(found, approved_by=person)
    body = {"amendment": to_json(made), "postings": postings_json(entries)}
    office.record(Draft("amendment_approved", body), at=office.now())
    return made


def _flows(one: Amendment) -> Iterator[Entry]:
    """What the new version pays or costs more at once: premium, then fee."""
    name = one.after.id
    for new, old in zip(one.after.legs, one.before.legs, strict=True):
        if not new.instrument.is_option:
            continue
        more = _premium(new) - _premium(old)
        money = booked(more, CURRENCIES[new.instrument.settled_in])
        if money.smallest:
            yield hedge_flow(name, money, "amended")
    legs = one.after.legs
    code = "BTC" if legs[0].instrument.inverse else "USD"
    fee = booked(one.before.fee - one.after.fee, CURRENCIES[code])
    if fee.smallest:
        yield hedge_flow(name, fee, "amended fee")


def _premium(leg: TradeLeg) -> Fraction:
    return cash_flow(leg.instrument, Fraction(leg.amount), Fraction(leg.price))
