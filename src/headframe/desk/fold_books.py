"""The fold of the books: flows, rates, calls, amendments, days, confirmations, statements."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import cast

from headframe.book import (
    COINS_FREE,
    Accounts,
    Break,
    FxRate,
    MatchedPayout,
    Payout,
    PayoutSource,
    PendingCall,
    Transit,
    still,
)
from headframe.codec import from_json
from headframe.counterparty import Standing
from headframe.desk.fold_contracts import fix
from headframe.desk.known import (
    Amendment,
    Confirmed,
    MarginCall,
    Sale,
)
from headframe.desk.ports import JournalBroken, Record
from headframe.desk.state import State
from headframe.lifecycle import CoinSale, MonthBooks, MonthResult
from headframe.units import CURRENCIES, Money, Month


def _flows(state: State, record: Record) -> None:
    for name, digest in cast("list[list[str]]", record.body["flows"]):
        if name in state.flows:
            raise JournalBroken(f"event {record.seq}: {name} was booked before")
        state.flows[name] = digest
    rows = record.body.get("payouts")
    paid = _payouts_of_postings(record) if rows is None else [from_json(Payout, r) for r in rows]
    state.payouts |= {one.id: one for one in paid}
    state.sales += [from_json(Sale, row) for row in record.body.get("sales", ())]
    fresh = [from_json(Transit, row) for row in record.body.get("transit", ())]
    state.transit = [*still(state.transit, record.at.date()), *fresh]
    through = record.body.get("through")
    if through is not None:
        day = date.fromisoformat(through)
        state.recorded_through = max(day, state.recorded_through or day)
    for row in record.body["months"]:
        result = from_json(MonthResult, row)
        _into_month(state, result)
        state.cash_unhedged = result.cash_unhedged_usd


_TXID = re.compile(r"tx-([0-9a-f]{64})")


def _payouts_of_postings(record: Record) -> list[Payout]:
    """Return the payouts of an event that kept none, where all its flows are payouts; no instant is known.

    Journals from before payouts were kept: what was read from a chain or a pool was an event of its own.
    """
    ids = [name for name, _ in cast("list[list[str]]", record.body["flows"])]
    postings = cast("list[list[str]]", record.body.get("postings", ()))
    coins = [
        Money(CURRENCIES[code], int(text.replace(".", "")))
        for account, code, text in postings
        if account == COINS_FREE
    ]
    mined = sum(account == Accounts.MINED for account, _, _ in postings)
    if not len(ids) == len(coins) == mined or len(postings) != 2 * mined:
        return []
    return [
        Payout(
            id=name,
            at=None,
            coins=money,
            source=PayoutSource.POOL if name.startswith("tx-") else PayoutSource.FILE,
            txid=match[1] if (match := _TXID.fullmatch(name)) else "",
        )
        for name, money in zip(ids, coins, strict=True)
    ]


def _payouts_read(state: State, record: Record) -> None:
    """Payouts that another source told again, instants learned of old ones, and addresses of our own."""
    body = record.body
    for row in body["matches"]:
        one = from_json(MatchedPayout, row)
        state.matched_payouts[one.id] = one
    for row in body["dated"]:
        paid = from_json(Payout, row)
        state.payouts[paid.id] = paid
    known = state.own_addresses
    state.own_addresses = [*known, *(one for one in body["addresses"] if one not in known)]


def _payouts_reversed(state: State, record: Record) -> None:
    """Payouts that were none; their ids stay known, so that they are not booked again."""
    for name in cast("list[str]", record.body["payouts"]):
        del state.payouts[name]
    for row in record.body["months"]:
        _into_month(state, from_json(MonthResult, row))


def _into_month(state: State, result: MonthResult) -> None:
    """Take a month as an event says it stands, and what the event added to its exact books."""
    books = state.month_books.get(result.month, MonthBooks(month=result.month))
    state.month_books[result.month] = books.moved(state.months.get(result.month), result)
    state.months[result.month] = result


def _fx(state: State, record: Record) -> None:
    for row in record.body["rates"]:
        rate = from_json(FxRate, row)
        held = {one.at: one for one in state.fx.get(rate.currency, ())} | {rate.at: rate}
        state.fx[rate.currency] = tuple(one for _, one in sorted(held.items()))


def _amendment(state: State, record: Record) -> None:
    """An amendment proposed, declined, or approved: then the trade is its new version, confirmed anew."""
    made = from_json(Amendment, record.body["amendment"])
    if made.open:
        state.amendments.append(made)
        return
    state.amendments[made.number - 1] = made
    if made.declined_by:
        return
    state.trades[made.after.id] = made.after
    state.confirmed.pop(made.after.id, None)


def _merged(state: State, record: Record) -> None:
    """A counterparty became another: its trades face that one, as new versions."""
    name, into = record.body["name"], record.body["into"]
    for one in list(state.trades.values()):
        if one.dealer == name:
            after_it = replace(one, dealer=into)
            state.trades[one.id] = after_it
            state.amendments.append(
                Amendment(
                    number=len(state.amendments) + 1,
                    before=one,
                    after=after_it,
                    reason=f"{name} became {into}: {record.body['reason']}",
                    by=record.author,
                    at=record.at,
                    approved_by=record.author,
                )
            )
    for contract in list(state.contracts.values()):
        held = contract.held
        if held is not None and held.contract.dealer == name:
            moved = replace(held, contract=replace(held.contract, dealer=into))
            state.contracts[contract.id] = replace(contract, held=moved)
    state.calls = [replace(one, dealer=into) if one.dealer == name else one for one in state.calls]
    state.transit = [
        replace(one, source=into) if one.source == name else one for one in state.transit
    ]
    state.standing[name] = Standing.CLOSED


def _called(state: State, record: Record) -> None:
    made = from_json(MarginCall, record.body["call"])
    if made.number != len(state.margin_calls) + 1:
        raise JournalBroken(
            f"event {record.seq}: call {made.number} after {len(state.margin_calls)}"
        )
    state.margin_calls.append(made)


def _call_moved(state: State, record: Record) -> None:
    """A call agreed on, or settled in part or whole."""
    made = from_json(MarginCall, record.body["call"])
    state.margin_calls[made.number - 1] = made


def _day(state: State, record: Record) -> None:
    body = record.body
    for trade, month, coins in cast("list[list[str]]", body["positions"]):
        state.remaining[trade][Month.parse(month)] = Decimal(coins)
    for trade, price in cast("list[list[str]]", body["marks"]):
        state.last_marks[trade] = Decimal(price)
    result = from_json(MonthResult, body["month"])
    before = state.month_books.get(result.month, MonthBooks(month=result.month))
    _into_month(state, result)
    after_it = state.month_books[result.month]
    if after_it.sold != before.sold:
        noon = datetime.combine(date.fromisoformat(body["day"]), time(12), record.at.tzinfo)
        sold, usd = after_it.sold - before.sold, after_it.proceeds - before.proceeds
        state.scenario_sales.append(CoinSale(at=noon, coins=sold, proceeds=usd))
    if "scenario" in body:
        first, start = body["scenario"]
        state.scenario_from, state.scenario_start = date.fromisoformat(first), float(start)
    elif state.scenario_from is None and state.market is not None:
        # journals from before scenarios said where they began: at the market in force then
        state.scenario_from = state.market.as_of.date() + timedelta(days=1)
        state.scenario_start = state.market.index
    state.last_day = date.fromisoformat(body["day"])
    state.closed_through = state.last_day + timedelta(days=1)
    _settled_by_scenario(state, state.closed_through)
    state.spot = body["spot"]
    state.course = body["course"]
    state.closed_usd = 0.0
    state.cash_unhedged = result.cash_unhedged_usd
    state.shortfalls.extend(body["shortfalls"])
    state.transit = [from_json(Transit, row) for row in body.get("transit", ())]
    for trade, how in cast("list[list[str]]", body.get("ended", [])):
        state.ended[trade] = how
    state.calls = [from_json(PendingCall, row) for row in body.get("calls", ())]
    fix(state, body.get("fixed", ()))


def _settled_by_scenario(state: State, day: date) -> None:
    """Drop what a price scenario's day has settled; it trades perpetuals at the index, without funding."""
    state.payments_due = [one for one in state.payments_due if one.due > day]
    state.funding_due = []


def _confirmed(state: State, record: Record) -> None:
    found = from_json(Confirmed, record.body)
    if found.trade:
        state.confirmed[found.trade] = found
        if found.value_date is not None:
            state.payments_due = [
                replace(one, due=found.value_date) if one.trade == found.trade else one
                for one in state.payments_due
            ]
        other = state.came_with.get(found.trade)
        if other is not None:
            state.confirmed[other] = replace(found, trade=other)
    else:
        state.strangers[found.reference] = found


def _statement(state: State, record: Record) -> None:
    for key in record.body["agreed"]:
        state.breaks.pop(key, None)
    for row in record.body["breaks"]:
        found = from_json(Break, row)
        state.breaks[found.key] = found


BOOKS: Mapping[str, Callable[[State, Record], None]] = MappingProxyType(
    {
        "flows": _flows,
        "payouts_read": _payouts_read,
        "payouts_reversed": _payouts_reversed,
        "fx": _fx,
        "amendment_proposed": _amendment,
        "amendment_approved": _amendment,
        "amendment_declined": _amendment,
        "counterparty_merged": _merged,
        "margin_call": _called,
        "margin_call_agreed": _call_moved,
        "margin_call_settled": _call_moved,
        "day": _day,
        "confirmed": _confirmed,
        "statement": _statement,
    }
)
