"""Payouts, sales, costs and pledges into the books: each once, all of a file or none."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from headframe.book import (
    CASH,
    Accounts,
    Bank,
    Entry,
    Flow,
    FlowKind,
    Ledger,
    MatchedPayout,
    Matching,
    Output,
    Payout,
    PayoutSource,
    Transit,
    entries_of,
    match_payouts,
    still,
)
from headframe.codec import canonical, sha256, to_json
from headframe.counterparty import Standing
from headframe.desk import users
from headframe.desk.known import Sale
from headframe.desk.office import Office, serialised
from headframe.desk.opening import cash_at_opening
from headframe.desk.ports import Declined, Draft, Invalid
from headframe.desk.price_checks import check_confirmed, check_sales, confirmed_prices
from headframe.desk.production_record import check_payouts
from headframe.desk.reversals import reverse_transfers
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
from headframe.units import BTC, CURRENCIES, USD, Money, Month, Wrong, iso


@dataclass(frozen=True, slots=True)
class Taken:
    """What was booked, what had been booked before, and what was left out or taken for the same, in words."""

    booked: tuple[Flow, ...]
    known: tuple[str, ...]
    same: tuple[MatchedPayout, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Payouts as a pool or a chain says them, with what must be known to tell them from booked ones."""

    payouts: tuple[Payout, ...]
    outputs: Mapping[str, tuple[Output, ...]] = field(default_factory=dict[str, tuple[Output, ...]])
    """By transaction, where it was read from a chain."""
    addresses: tuple[str, ...] = ()
    """The addresses that were read: our own from now on."""
    transfers: frozenset[str] = frozenset()
    """Transactions that spend coins of ours: what they pay to us is no income."""


@serialised
def take(
    office: Office, flows: Sequence[Flow], source: str, confirmed: Collection[str] = ()
) -> Taken:
    """Book what is new of a table, oldest first; what was booked before under its id is left alone.

    Declined where coins or cash would go below nothing, where an id was booked with other figures, and where
    a flow is of a day that a price scenario closed with coins of its own. A payout that another source told
    is left alone too; coins beyond what can have been paid are Invalid, and so is a sale far off the prices
    known unless its id is among ``confirmed``.
    """
    paid = tuple(
        Payout(
            id=one.id,
            at=one.at,
            coins=one.coins,
            source=PayoutSource.FILE,
            txid=one.txid,
            output=one.output,
        )
        for one in flows
        if one.kind is FlowKind.PAYOUT
    )
    return _take(office, flows, source, Receipts(payouts=paid), confirmed)


def _take(
    office: Office,
    flows: Sequence[Flow],
    source: str,
    receipts: Receipts,
    confirmed: Collection[str] = (),
) -> Taken:
    users.allowed(office, users.Action.PREPARE)
    state, at = office.state(), office.now()
    _timely(state, flows, source, at)
    check_confirmed(flows, source, confirmed)
    _borrowers(state, flows, source)
    paid = {one.id: one for one in receipts.payouts}
    known = [one for one in flows if one.id in state.flows]
    for one in known:
        if not _agrees(state, one, paid.get(one.id)):
            raise Declined(f"{source}: {one.id} was booked before with other figures")
    matching = match_payouts(
        [one for one in receipts.payouts if one.id not in state.flows],
        state.payouts,
        state.matched_payouts,
        receipts.outputs,
    )
    new = {one.id for one in matching.fresh}
    fresh = [one for one in flows if one.id not in state.flows]
    fresh = sorted((one for one in fresh if one.id in new or one.id not in paid), key=_happened)
    check_payouts(state, office.settings(), fresh, source)
    check_sales(state, office.settings(), fresh, source, confirmed)
    drafts = [*_read_event(state, known, matching, receipts, source)]
    if fresh:
        event = _event(office, state, fresh, source)
        event.body["payouts"] = to_json([paid[one.id] for one in fresh if one.id in paid])
        event.body.update(confirmed_prices(fresh, confirmed))
        drafts.insert(0, event)
    if drafts:
        office.record(*drafts, at=at)
    told = (*(one.id for one in known), *matching.known)
    return Taken(tuple(fresh), told, matching.same, matching.unclear)


def _timely(state: State, flows: Sequence[Flow], source: str, at: datetime) -> None:
    """Raise where a flow is of a day closed by a scenario, of the future, or from before the opening."""
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


def _happened(one: Flow) -> datetime:
    return one.at


def _agrees(state: State, flow: Flow, paid: Payout | None) -> bool:
    """Return whether a flow is what was booked under its id; a pool or a chain may tell another instant."""
    if state.flows[flow.id] == digest(flow):
        return True
    before = state.payouts.get(flow.id)
    told = paid is not None and paid.source is not PayoutSource.FILE
    return told and before is not None and before.coins == flow.coins


def _read_event(
    state: State, known: Sequence[Flow], matching: Matching, receipts: Receipts, source: str
) -> tuple[Draft, ...]:
    """Return the event of what reading told beyond new payouts; none where it told nothing."""
    paid = {one.id: one for one in receipts.payouts}
    dated: dict[str, Payout] = {}
    for flow in known:
        before = state.payouts.get(flow.id)
        if flow.id in paid and (before is None or before.at is None):
            dated[flow.id] = paid[flow.id]
    for match in matching.same:
        before = state.payouts.get(match.booked_as)
        if before is not None and before.at is None:
            dated[before.id] = replace(before, at=paid[match.id].at)
    addresses = [one for one in receipts.addresses if one not in state.own_addresses]
    if not (matching.same or dated or addresses):
        return ()
    body = {
        "source": source[:200],
        "matches": to_json(matching.same),
        "dated": to_json(list(dated.values())),
        "addresses": addresses,
    }
    return (Draft("payouts_read", body),)


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
        "parts": [[one.id, iso(one.at), _postings_count(one)] for one in fresh],
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


def _postings_count(flow: Flow) -> int:
    """Return how many of the event's postings are the flow's own."""
    return sum(len(entry.postings) for entry in entries_of(flow))


@serialised
def take_receipts(office: Office, receipts: Receipts, source: str) -> Taken:
    """Book what a pool paid or an address received, each once; what is older than the books is in them.

    What is dated after our clock waits for it. What a transaction of our own pays to us is no income: a
    payout booked of one before its address was known is taken back.
    """
    state, now = office.state(), office.now()
    none = Money(USD, 0)
    kept = tuple(
        one
        for one in receipts.payouts
        if one.at is not None
        and (state.opened is None or one.at >= state.opened)
        and one.at <= now
        and one.txid not in receipts.transfers
    )
    made = [
        Flow(
            id=one.id,
            kind=FlowKind.PAYOUT,
            at=one.at or now,
            coins=one.coins,
            cash=none,
            fee=none,
            memo="",
            txid=one.txid,
            output=one.output,
        )
        for one in kept
    ]
    taken = _take(office, made, source, replace(receipts, payouts=kept))
    reversed_ = reverse_transfers(office, receipts.transfers, source)
    early = [
        one
        for one in receipts.payouts
        if state.opened is not None and one.at is not None and one.at < state.opened
    ]
    left = [f"payouts left out, before the opening balances, which have them in: {len(early)}"]
    return replace(taken, notes=(*taken.notes, *reversed_, *(left if early else ())))


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
    """What a flow was booked as; what has no conversion and no venue as it was before there were any.

    The transaction is no part of it: a journal may hold the flow from before it was read.
    """
    told = to_json(flow)
    told["usd"] = told.pop("cash")
    del told["txid"], told["output"]
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
    settings = office.settings()
    opening, bank = cash_at_opening(state, settings), settings.bank
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
