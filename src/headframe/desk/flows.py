"""Payouts, sales, costs and pledges into the books: each once, all of a file or none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from headframe.book import (
    CASH,
    Accounts,
    Entry,
    Flow,
    FlowKind,
    Ledger,
    Transit,
    entries_of,
    still,
)
from headframe.codec import canonical, sha256, to_json
from headframe.desk import users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid
from headframe.desk.state import State, postings_json
from headframe.hedge import MonthResult, with_flows
from headframe.units import BTC, USD, Money, Wrong, iso


@dataclass(frozen=True, slots=True)
class Taken:
    """What was booked, and what had been booked before."""

    booked: tuple[Flow, ...]
    known: tuple[str, ...]


@serialised
def take(office: Office, flows: Sequence[Flow], source: str) -> Taken:
    """Book what is new of a table, oldest first; what was booked before under its id is left alone.

    Declined where coins or cash would go below nothing, where an id was booked with other figures, and where
    the workspace walks a course of the price, whose coins come with the clock.
    """
    users.allowed(office, users.Action.PREPARE)
    state, at = office.state(), office.now()
    if state.course:
        raise Declined(
            f"this workspace walks the {state.course} course: its coins come with the clock"
        )
    late = [one for one in flows if one.at > at]
    if late:
        raise Invalid(f"{source}: {late[0].id} is of {iso(late[0].at)}, after our {iso(at)}")
    early = [one for one in flows if state.opened is not None and one.at < state.opened]
    if early:
        raise Invalid(
            f"{source}: {early[0].id} is of {iso(early[0].at)}, before the opening balances, which have it in"
        )
    known = [one for one in flows if one.id in state.flows]
    for one in known:
        if state.flows[one.id] != digest(one):
            raise Declined(f"{source}: {one.id} was booked before with other figures")
    fresh = sorted((one for one in flows if one.id not in state.flows), key=lambda one: one.at)
    if fresh:
        trial = state.ledger.copy()
        entries = _entries(trial, fresh, source)
        body = {
            "source": source[:200],
            "flows": [[one.id, digest(one)] for one in fresh],
            "months": [to_json(one) for one in _months(office, state, trial, fresh)],
            "postings": postings_json(entries),
        }
        transit = _transit(office, fresh)
        if transit:
            body["transit"] = to_json(transit)
        office.record(Draft("flows", body), at=at)
    return Taken(tuple(fresh), tuple(one.id for one in known))


def digest(flow: Flow) -> str:
    """What a flow was booked as; what has no conversion and no venue as it was before there were any."""
    told = to_json(flow)
    told["usd"] = told.pop("cash")
    for name in ("into", "venue"):
        if not told[name]:
            del told[name]
    return sha256(canonical(told))


def _transit(office: Office, flows: Sequence[Flow]) -> tuple[Transit, ...]:
    """Proceeds of sales in dollars that are not there yet, by the bank's calendar."""
    bank, today = office.settings().bank, office.now().date()
    found = (
        Transit(source="sale", usd=one.cash - one.fee, there=bank.value_on(one.at))
        for one in flows
        if bank is not None
        and one.kind is FlowKind.SALE
        and one.cash.currency == USD
        and one.cash.smallest > one.fee.smallest
    )
    return still(tuple(found), today)


def _entries(ledger: Ledger, flows: Sequence[Flow], source: str) -> list[Entry]:
    """Entries in order, posted to the ledger they are tried on."""
    made: list[Entry] = []
    for flow in flows:
        for entry in entries_of(flow):
            try:
                ledger.post(entry)
            except Wrong as error:
                raise Declined(f"{source}: {flow.id}: {error}") from error
            made.append(entry)
    return made


def _months(
    office: Office, state: State, ledger: Ledger, flows: Sequence[Flow]
) -> list[MonthResult]:
    """The months they fall into; the last with what is posted and in cash after all of them."""
    opening = office.settings().operation.treasury.cash_usd
    bare = opening if state.cash_unhedged is None else state.cash_unhedged

    def worth(money: Money, at: datetime) -> float:
        usd = state.usd_of(money, at)
        if usd is None:
            raise Declined(
                f"no rate of {money.currency.code} within a week of {at:%Y-%m-%d}: "
                f"headframe fx {money.currency.code}=... --at {iso(at)}"
            )
        return usd

    *before, last = with_flows(state.months, flows, bare, worth).values()
    spot = state.market.index if state.market is not None else 0.0
    margin = float(ledger.total(Accounts.cash_posted(""), USD))
    margin += float(ledger.total(Accounts.coins_posted(""), BTC)) * spot
    cash = float(ledger.balance(CASH, USD))
    return [*before, replace(last, margin_usd=margin, cash_usd=cash)]
