"""The fold of the daily close: settlement prices, closed days, and what hedges brought by month."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import cast

from headframe.book import PendingCall, Trade, Transit
from headframe.codec import from_json
from headframe.desk.ports import JournalBroken, Record
from headframe.desk.state import State
from headframe.instrument import perpetual_of
from headframe.lifecycle import (
    Amount,
    FlowCause,
    FundingRate,
    PriceKind,
    SettlementPrice,
    close_at,
    closes_after,
    future_of,
    index_name,
    results_of,
)
from headframe.market import Snapshot
from headframe.units import CURRENCIES, Money, Month, booked

_ACCOUNT = "income:hedge:"
_NEAR_CLOSE_SECONDS = 3_600
"""How far from 08:00 UTC a snapshot may lie and still say the day's settlement prices."""
_CAUSES = MappingProxyType(
    {
        "closed_out": FlowCause.CLOSING,
        "closed_also": FlowCause.CLOSING,
        "switched": FlowCause.CLOSING,
        "switched_also": FlowCause.CLOSING,
        "contract_closed": FlowCause.CLOSING,
        "contract_fixed": FlowCause.FIXING,
        "settlement_corrected": FlowCause.CORRECTION,
    }
)
_DEALS = frozenset(
    {"filled", "dealt_also", "closed_out", "closed_also", "switched", "switched_also"}
)
"""Events that book a trade, the closing of one, or both."""


def _prices(state: State, record: Record) -> None:
    for row in record.body["rows"]:
        price = from_json(SettlementPrice, row)
        state.settlement_prices.pop(price.key, None)  # what is recorded last stands last
        state.settlement_prices[price.key] = price


def _rates(state: State, record: Record) -> None:
    for row in record.body["rows"]:
        rate = from_json(FundingRate, row)
        state.funding_rates[rate.key] = rate


def prices_of_market(state: State, snapshot: Snapshot) -> None:
    """Take a market imported within an hour of 08:00 UTC as the settlement prices of that close."""
    day = snapshot.as_of.date()
    off = (snapshot.as_of - close_at(day)).total_seconds()
    if abs(off) > _NEAR_CLOSE_SECONDS:
        return
    source = f"market {snapshot.source}"[:100].strip()
    rows = [(PriceKind.INDEX, index_name(snapshot.coin), snapshot.index)]
    rows += [
        (PriceKind.SETTLEMENT, future_of(snapshot.coin, one.expiry), one.price)
        for one in snapshot.forwards
    ]
    if snapshot.perpetual is not None:
        name = perpetual_of(snapshot.coin).name
        rows.append((PriceKind.SETTLEMENT, name, snapshot.perpetual.price))
    for kind, name, price in rows:
        made = SettlementPrice(
            day=day,
            instrument=name,
            kind=kind,
            price=Decimal(repr(float(price))),
            source=source,
            observed_at=snapshot.as_of,
        )
        state.settlement_prices[made.key] = made


def _closed(state: State, record: Record) -> None:
    """A day closed on recorded prices."""
    body = record.body
    day = date.fromisoformat(body["close"])
    if state.closed_through is not None and day <= state.closed_through:
        raise JournalBroken(f"event {record.seq}: {day} was closed before")
    for trade, month, coins in cast("list[list[str]]", body["positions"]):
        state.remaining[trade][Month.parse(month)] = Decimal(coins)
    for trade, price in cast("list[list[str]]", body["marks"]):
        state.last_marks[trade] = Decimal(price)
    for trade, how in cast("list[list[str]]", body["ended"]):
        state.ended[trade] = how
    state.closed_through = day
    state.payments_due = [one for one in state.payments_due if one.due > day]
    state.funding_due = [one for one in state.funding_due if one.end > close_at(day)]
    if body["index"] is not None:
        newer = state.market is not None and state.market.as_of > close_at(day)
        state.spot = state.spot if newer else float(body["index"])
    state.shortfalls.extend(body["shortfalls"])
    state.transit = [from_json(Transit, row) for row in body["transit"]]
    state.calls = [from_json(PendingCall, row) for row in body["calls"]]


def _corrected(state: State, record: Record) -> None:
    """An adjusting event: a price was corrected after its day was closed."""
    for trade, price in cast("list[list[str]]", record.body["marks"]):
        state.last_marks[trade] = Decimal(price)


def _nothing_more(state: State, record: Record) -> None:
    """An adjusting event of funding: its postings and its shares by month are all it changes."""


class Attribution:
    """Hedge amounts of one event shared out to designated months, from what its postings moved.

    What the event says of its shares is taken; the rest is shared by the coins that each trade hedged
    when it moved, so that every booked cent belongs to a month.
    """

    def __init__(self, state: State, record: Record) -> None:
        self._record = record
        sums: dict[tuple[str, str], int] = {}
        for account, code, text in record.body.get("postings", ()):
            if account.startswith(_ACCOUNT):
                key = (account.removeprefix(_ACCOUNT), code)
                sums[key] = sums.get(key, 0) - int(text.replace(".", ""))
        self._sums = sums
        self._before = {name: _hedged(state, name) for name, _ in sums}

    def add_to(self, state: State) -> None:
        """Add the event's amounts to the state, after the event itself was applied."""
        if not self._sums:
            return
        amounts = list(self._stated())
        for one in amounts:
            key = (one.trade, one.money.currency.code)
            self._sums[key] = self._sums.get(key, 0) - one.money.smallest
        amounts += [
            amount
            for (name, code), smallest in self._sums.items()
            if smallest
            for amount in self._inferred(state, name, Money(CURRENCIES[code], smallest))
        ]
        for result in results_of(amounts, self._cash_month(), self._price(state)):
            known = state.results.get(result.key)
            state.results[result.key] = result if known is None else known.plus(result)

    def _stated(self) -> Iterable[Amount]:
        for trade, cause, code, months in self._record.body.get("flows_by_month", ()):
            shares = tuple((Month.parse(m), _money(code, text)) for m, text in months)
            total = Money(CURRENCIES[code], sum(part.smallest for _, part in shares))
            yield Amount(trade=trade, cause=FlowCause(cause), money=total, months=shares)

    def _inferred(self, state: State, name: str, money: Money) -> Iterable[Amount]:
        body, kind = self._record.body, self._record.kind
        weights = self._before[name] or _hedged(state, name) or _designated(state, name)
        if body.get("closes") == name:
            weights = {
                Month.parse(part["month"]): Decimal(part["coins"])
                for part in body["closing"]["designations"]
            }
        new = kind in _DEALS and "trade" in body and body["trade"]["id"] == name
        if new:
            weights = _designated(state, name)
        if not any(weights.values()):
            weights = {self._cash_month(): Decimal(1)}
        cause = FlowCause.PREMIUM if new else _CAUSES.get(kind, FlowCause.OTHER)
        fee = _fee(state.trades[name], money) if new else None
        if fee is not None and fee.smallest:
            yield Amount.by_weight(name, FlowCause.FEE, -fee, weights)
            money = money + fee
        if money.smallest:
            yield Amount.by_weight(name, cause, money, weights)

    def _cash_month(self) -> Month:
        body = self._record.body
        if self._record.kind == "day":
            return Month.of(date.fromisoformat(body["day"]))
        if "close" in body:
            return Month.of(date.fromisoformat(body["close"]))
        return Month.of(self._record.at)

    def _price(self, state: State) -> Fraction:
        body = self._record.body
        for stated in (body.get("index"), body.get("spot")):
            if stated is not None:
                return Fraction(str(stated))
        for name in ("trade", "closing") if self._record.kind in _DEALS else ():
            if name in body:
                return Fraction(body[name]["spot"])
        if state.spot is not None:
            return Fraction(repr(state.spot))
        return Fraction(repr(state.market.index)) if state.market is not None else Fraction(1)


def _money(code: str, text: str) -> Money:
    return Money(CURRENCIES[code], int(text.replace(".", "")))


def _fee(trade: Trade, money: Money) -> Money | None:
    """Return the fee of a fill where it is in the currency of an amount."""
    if trade.legs[0].instrument.settled_in != money.currency.code:
        return None
    return booked(trade.fee, money.currency)


def _hedged(state: State, name: str) -> dict[Month, Decimal]:
    """Return the coins a trade or contract hedges now by month."""
    if name in state.remaining:
        return {month: coins for month, coins in state.remaining[name].items() if coins > 0}
    record = state.contracts.get(name)
    held = None if record is None else record.held
    return {} if held is None else {month: coins for month, coins in held.remaining if coins > 0}


def _designated(state: State, name: str) -> dict[Month, Decimal]:
    """Return the coins a trade or contract was dealt for by month."""
    trade = state.dealt_as(name)
    return {} if trade is None else {part.month: part.coins for part in trade.designations}


def next_close(state: State) -> date | None:
    """Return the day of the next close, after the last or after the first trade; None without any."""
    if state.closed_through is not None:
        return date.fromordinal(state.closed_through.toordinal() + 1)
    first = min((trade.at for trade in state.booked().values()), default=None)
    return None if first is None else closes_after(first)


LIFECYCLE: Mapping[str, Callable[[State, Record], None]] = MappingProxyType(
    {
        "settlement_prices": _prices,
        "funding_rates": _rates,
        "day_closed": _closed,
        "settlement_corrected": _corrected,
        "funding_corrected": _nothing_more,
    }
)
