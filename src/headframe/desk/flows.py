"""Payouts, sales, costs and pledges into the books: each once, all of a file or none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from headframe.book import (
    CASH,
    Accounts,
    Bank,
    Entry,
    Flow,
    FlowKind,
    Ledger,
    Transit,
    entries_of,
    still,
)
from headframe.codec import canonical, sha256, to_json
from headframe.counterparty import Standing
from headframe.desk import users
from headframe.desk.known import Sale
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, Invalid
from headframe.desk.state import State, postings_json
from headframe.hedge import (
    SaleFill,
    Sold,
    sold_by_venue,
)
from headframe.lifecycle import (
    MonthResult,
    with_flows,
)
from headframe.units import BTC, CURRENCIES, USD, Money, Month, Wrong, booked, iso


@dataclass(frozen=True, slots=True)
class Taken:
    """What was booked, and what had been booked before."""

    booked: tuple[Flow, ...]
    known: tuple[str, ...]


@serialised
def take(office: Office, flows: Sequence[Flow], source: str) -> Taken:
    """Book what is new of a table, oldest first; what was booked before under its id is left alone.

    Declined where coins or cash would go below nothing, where an id was booked with other figures, and where
    a flow is of a day that a price scenario closed with coins of its own.
    """
    users.allowed(office, users.Action.PREPARE)
    state, at = office.state(), office.now()
    invented = [one for one in flows if state.last_day and one.at.date() <= state.last_day]
    fresh_invented = [one for one in invented if one.id not in state.flows]
    if fresh_invented:
        raise Declined(
            f"{source}: {fresh_invented[0].id} is of {iso(fresh_invented[0].at)}, a day that the price "
            f"scenario {state.course} closed with coins of its own, through {state.last_day}"
        )
    late = [one for one in flows if one.at > at]
    if late:
        raise Invalid(f"{source}: {late[0].id} is of {iso(late[0].at)}, after our {iso(at)}")
    early = [one for one in flows if state.opened is not None and one.at < state.opened]
    if early:
        raise Invalid(
            f"{source}: {early[0].id} is of {iso(early[0].at)}, before the opening balances, which have it in"
        )
    _borrowers(state, flows, source)
    known = [one for one in flows if one.id in state.flows]
    for one in known:
        if state.flows[one.id] != digest(one):
            raise Declined(f"{source}: {one.id} was booked before with other figures")
    fresh = sorted((one for one in flows if one.id not in state.flows), key=lambda one: one.at)
    if fresh:
        office.record(_event(office, state, fresh, source), at=at)
    return Taken(tuple(fresh), tuple(one.id for one in known))


def _borrowers(state: State, flows: Sequence[Flow], source: str) -> None:
    """Raises where coins are lent to nobody on record, or newly to one that does not stand approved."""
    for one in flows:
        if not one.lent or one.id in state.flows:
            continue
        if one.venue not in state.dossiers:
            known = ", ".join(sorted(state.dossiers)) or "none"
            raise Declined(
                f"{source}: {one.id} is with {one.venue!r}, who is no counterparty; known: {known}"
            )
        if one.kind is FlowKind.LEND and state.standing[one.venue] is not Standing.APPROVED:
            raise Declined(
                f"{source}: {one.id} lends to {one.venue}, who is {state.standing[one.venue]}: coins are "
                "lent to approved counterparties"
            )


def _event(office: Office, state: State, fresh: Sequence[Flow], source: str) -> Draft:
    """The event of flows that are new: what was booked, the months, sales by venue, what is on its way."""
    trial = state.ledger.copy()
    entries = _entries(trial, fresh, source)
    body = {
        "source": source[:200],
        "flows": [[one.id, digest(one)] for one in fresh],
        "months": [to_json(one) for one in _months(office, state, trial, fresh)],
        "postings": postings_json(entries),
        "through": max(one.at for one in fresh).date().isoformat(),
    }
    sales = [_sale(one) for one in fresh if one.kind is FlowKind.SALE]
    if sales:
        body["sales"] = to_json(sales)
    transit = _transit(office, fresh)
    if transit:
        body["transit"] = to_json(transit)
    return Draft("flows", body)


def take_receipts(
    office: Office, found: Sequence[tuple[str, datetime, Decimal]], source: str
) -> Taken:
    """Book what an address received, transaction by transaction; what is older than the books is in them.

    What is dated after our clock waits for it.
    """
    opened, now = office.state().opened, office.now()
    none = Money(USD, 0)
    made = [
        Flow(
            id=f"tx-{txid}", kind=FlowKind.PAYOUT, at=at, coins=booked(coins, BTC), cash=none,
            fee=none, memo="",
        )
        for txid, at, coins in found
        if (opened is None or at >= opened) and at <= now
    ]  # fmt: skip
    return take(office, made, source)


def _sale(one: Flow) -> Sale:
    return Sale(id=one.id, at=one.at, coins=one.coins, cash=one.cash, fee=one.fee, venue=one.venue)


def sold(office: Office) -> tuple[Sold, ...]:
    """Sales by month and venue, oldest first; a currency without a rate at the time counts for nothing."""
    users.allowed(office, users.Action.READ)
    state, bank = office.state(), office.settings().bank
    fills: dict[str, list[SaleFill]] = {}
    for one in state.sales:
        usd, fee = state.usd_of(one.cash, one.at, bank), state.usd_of(one.fee, one.at, bank)
        if usd is not None and fee is not None:
            code = one.coins.currency.code
            venue = one.venue if code == BTC.code else f"{code} {one.venue}".strip()
            fill = SaleFill(Month.of(one.at), venue, float(one.coins), usd, fee)
            fills.setdefault(code, []).append(fill)
    every = [row for some in fills.values() for row in sold_by_venue(some)]
    return tuple(sorted(every, key=lambda row: row.month))


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
    opening, bank = office.settings().operation.treasury.cash_usd, office.settings().bank
    bare = opening if state.cash_unhedged is None else state.cash_unhedged

    def worth(money: Money, at: datetime) -> float:
        usd = state.usd_of(money, at, bank)
        if usd is None:
            raise Declined(
                f"no rate of {money.currency.code} within {(bank or Bank()).fx_days_max} days of "
                f"{at:%Y-%m-%d}: "
                f"headframe fx {money.currency.code}=... --at {iso(at)}"
            )
        return usd

    *before, last = with_flows(state.months, flows, bare, worth).values()
    spot = state.market.index if state.market is not None else 0.0
    margin = float(ledger.total(Accounts.cash_posted(""), USD)) + state.all_others_usd(ours=True)
    margin += float(ledger.total(Accounts.coins_posted(""), BTC)) * spot
    at = office.now()
    held = (
        Money(CURRENCIES[code], n) for (account, code), n in ledger.balances() if account == CASH
    )
    cash = sum(state.usd_of(money, at, bank) or 0.0 for money in held)
    return [*before, replace(last, margin_usd=margin, cash_usd=cash)]
