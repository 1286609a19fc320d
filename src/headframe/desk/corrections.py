"""Late corrections of settlement and delivery prices: an adjusting event, never an edit of a closed day."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from headframe.book import Entry, hedge_flow
from headframe.desk.booking import funded
from headframe.desk.days import settlement_of
from headframe.desk.office import Office
from headframe.desk.ports import Draft
from headframe.desk.state import State, postings_json
from headframe.lifecycle import (
    FlowCause,
    LegSettlement,
    PriceKind,
    PriceRecords,
    SettlementPrice,
    future_name,
    split,
)
from headframe.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a corrected price changes for one settled leg: more received, or less where negative."""

    close: date
    leg: LegSettlement
    before: Decimal
    price: Decimal
    money: Money
    mark: bool
    """Whether the corrected price is the last mark of a future that is still open."""
    entries: tuple[Entry, ...] = ()


def needed(office: Office, state: State, prices: Sequence[SettlementPrice]) -> list[Correction]:
    """Return what new prices change in days that are closed.

    Each settled leg of such a day is held at the price that it stands at now (the close's, or the last
    correction's) against the price that the close would take today: the named source's, else the
    venue's own, else the last recorded. So a correction may be corrected again, or taken back.

    Variation that a later close has settled against nets to nothing and is not adjusted: the next day's
    variation carried the difference. What is adjusted is a delivery, or the last mark of a future.
    """
    through = state.closed_through
    days = {price.day for price in prices if through is not None and price.day <= through}
    if not days:
        return []
    known = {**state.settlement_prices, **{price.key: price for price in prices}}
    for price in prices:  # what is recorded last stands last
        known[price.key] = known.pop(price.key)
    records = PriceRecords(known.values(), office.settings().operation.coin)
    found = (_corrected(state, one, records) for one in _settled(office, days))
    return [_with_entries(office, state, one) for one in found if one is not None]


@dataclass(frozen=True, slots=True)
class _Settled:
    """One leg of a closed day and the price that its booked amounts come to."""

    close: date
    leg: LegSettlement
    price: Decimal

    @property
    def delivered(self) -> bool:
        """Whether the leg had expired at the close."""
        return self.leg.instrument.expiry.date() <= self.close


def _settled(office: Office, days: Collection[date]) -> Iterable[_Settled]:
    """Return the legs settled on the prices of some days, with corrections so far applied."""
    found: dict[tuple[str, str, str], _Settled] = {}
    for record in office.journal.read():
        body = record.body
        if record.kind == "day_closed":
            close = date.fromisoformat(body["close"])
            for row in body["settlements"]:
                leg = settlement_of(row)
                one = _Settled(close, leg, leg.price)
                if (leg.instrument.expiry.date() if one.delivered else close) in days:
                    found[leg.trade, body["close"], leg.instrument.name] = one
        elif record.kind == "settlement_corrected":
            key = (body["trade"], body["close"], body["instrument"])
            if key in found:
                found[key] = replace(found[key], price=Decimal(body["after"]))
    return found.values()


def _corrected(state: State, one: _Settled, records: PriceRecords) -> Correction | None:
    """Return the correction of a settled leg; none where its price stands or it no longer matters."""
    leg = one.leg
    if one.delivered:
        confirmed = state.confirmed.get(leg.trade)
        source = "" if confirmed is None else confirmed.fixing_source
        price = records.delivery(leg.instrument.expiry.date(), leg.instrument, source)
    else:
        price = records.find(one.close, PriceKind.SETTLEMENT, future_name(leg.instrument))
    if price is None or price.price == one.price:
        return None
    if not one.delivered:
        if one.close != state.closed_through:
            return None
        leg = leg.of_coins(state.remaining.get(leg.trade, {}))
        if not leg.coins:
            return None
    money = leg.amount_at(price.price) - leg.amount_at(one.price)
    return Correction(
        close=one.close,
        leg=leg,
        before=one.price,
        price=price.price,
        money=money,
        mark=not one.delivered,
    )


def _with_entries(office: Office, state: State, one: Correction) -> Correction:
    if not one.money.smallest:
        return one
    spot = Decimal(repr(state.spot if state.spot is not None else 1.0))
    entries = funded(office, state, [hedge_flow(one.leg.trade, one.money, "correction")], spot)
    return replace(one, entries=tuple(entries))


def draft(one: Correction) -> Draft:
    """Return the adjusting event of a correction, its amount shared to the months as at the close."""
    shares = split(one.money, dict(one.leg.coins))
    code = one.money.currency.code
    months = [[str(month), str(part)] for month, part in shares if part.smallest]
    return Draft(
        "settlement_corrected",
        {
            "trade": one.leg.trade,
            "close": one.close.isoformat(),
            "instrument": one.leg.instrument.name,
            "before": format(one.before, "f"),
            "after": format(one.price, "f"),
            "marks": [[one.leg.trade, format(one.price, "f")]] if one.mark else [],
            "flows_by_month": [[one.leg.trade, FlowCause.CORRECTION.value, code, months]]
            if months
            else [],
            "postings": postings_json(one.entries),
        },
    )
