"""Payouts, sales, costs and pledges into the books: each once, all of a file or none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headframe.book import CASH, Accounts, Entry, Flow, FlowKind, Ledger, entries_of
from headframe.codec import canonical, sha256, to_json
from headframe.desk import users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid
from headframe.desk.state import State, postings_json
from headframe.hedge import MonthResult
from headframe.units import BTC, USD, Month, Wrong, iso


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
        entries = _entries(state.ledger.copy(), fresh, source)
        body = {
            "source": source[:200],
            "flows": [[one.id, digest(one)] for one in fresh],
            "months": [to_json(one) for one in _months(office, state, fresh)],
            "postings": postings_json(entries),
        }
        office.record(Draft("flows", body), at=at)
    return Taken(tuple(fresh), tuple(one.id for one in known))


def digest(flow: Flow) -> str:
    """What a flow was booked as."""
    return sha256(canonical(to_json(flow)))


def _entries(ledger: Ledger, flows: Sequence[Flow], source: str) -> list[Entry]:
    made: list[Entry] = []
    for flow in flows:
        for entry in entries_of(flow):
            try:
                ledger.post(entry)
            except Wrong as error:
                raise Declined(f"{source}: {flow.id}: {error}") from error
            made.append(entry)
    return made


def _months(office: Office, state: State, flows: Sequence[Flow]) -> list[MonthResult]:
    """The months they fall into, with coins and dollars added."""
    opening = office.settings().operation.treasury.cash_usd
    bare = opening if state.cash_unhedged is None else state.cash_unhedged
    found: dict[Month, MonthResult] = {}
    for flow in flows:
        month = Month.of(flow.at)
        row = found.get(month) or state.months.get(month) or _empty(month)
        coins, usd, fee = float(flow.coins), float(flow.usd), float(flow.fee)
        if flow.kind is FlowKind.PAYOUT:
            row = replace(row, mined=round(row.mined + coins, 8))
        elif flow.kind is FlowKind.SALE:
            sold = round(row.sold + coins, 8)
            row = replace(row, sold=sold, spot_usd=row.spot_usd + usd - fee)
            bare += usd - fee
        elif flow.kind is FlowKind.COST:
            row = replace(row, costs_usd=row.costs_usd + usd)
            bare -= usd
        found[month] = replace(row, cash_unhedged_usd=bare)
    ledger = state.ledger.copy()
    for flow in flows:
        for entry in entries_of(flow):
            ledger.post(entry)
    last = max(found)
    spot = state.market.index if state.market is not None else 0.0
    margin = float(ledger.total(Accounts.cash_posted(""), USD))
    margin += float(ledger.total(Accounts.coins_posted(""), BTC)) * spot
    cash = float(ledger.balance(CASH, USD))
    found[last] = replace(found[last], margin_usd=margin, cash_usd=cash)
    return [found[month] for month in sorted(found)]


def _empty(month: Month) -> MonthResult:
    return MonthResult(
        month=month,
        mined=0.0,
        sold=0.0,
        spot_usd=0.0,
        hedge_usd=0.0,
        costs_usd=0.0,
        margin_usd=0.0,
        cash_usd=0.0,
        cash_unhedged_usd=0.0,
    )
