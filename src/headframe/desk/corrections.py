"""Late corrections of settlement and delivery prices: an adjusting event, never an edit of a closed day."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from headframe.book import Entry, hedge_flow
from headframe.desk.booking import funded
from headframe.desk.days import settlement_of
from headframe.desk.office import Office
from headframe.desk.ports import Draft, Record
from headframe.desk.state import State, postings_json
from headframe.lifecycle import (
    FlowCause,
    LegSettlement,
    PriceKind,
    SettlementPrice,
    future_name,
    index_name,
    split,
)
from headframe.units import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a corrected price changes for one settled leg: more received, or less where negative."""

    close: date
    leg: LegSettlement
    price: Decimal
    money: Money
    mark: bool
    """Whether the corrected price is the last mark of a future that is still open."""
    entries: tuple[Entry, ...] = ()


def needed(office: Office, state: State, prices: Sequence[SettlementPrice]) -> list[Correction]:
    """Return what new prices change in days that are closed, from the closes as they were written.

    Variation that a later close has settled against nets to nothing and is not adjusted: the next day's
    variation carried the difference. What is adjusted is a delivery, or the last mark of a future.
    """
    through = state.closed_through
    changed: dict[date, list[SettlementPrice]] = {}
    for price in prices:
        if through is not None and price.day <= through:
            changed.setdefault(price.day, []).append(price)
    if not changed:
        return []
    index = index_name(office.settings().operation.coin)
    found: list[Correction] = []
    for record in office.journal.read():
        if record.kind == "day_closed":
            found += _of_close(state, record, changed, index)
    return [_with_entries(office, state, one) for one in found]


def _of_close(
    state: State, record: Record, changed: Mapping[date, list[SettlementPrice]], index: str
) -> Iterator[Correction]:
    """Yield what new prices change of one closed day."""
    close = date.fromisoformat(record.body["close"])
    for row in record.body["settlements"]:
        leg = settlement_of(row)
        day = leg.instrument.expiry.date() if _delivered(leg, close) else close
        for price in changed.get(day, ()):
            if price.price != leg.price and _settles(state, price, leg, index, close=close):
                found = _corrected(state, leg, price, close)
                if found is not None:
                    yield found


def _delivered(leg: LegSettlement, close: date) -> bool:
    return leg.instrument.expiry.date() <= close


def _settles(
    state: State, price: SettlementPrice, leg: LegSettlement, index: str, *, close: date
) -> bool:
    """Return whether a price is one at which a leg was settled, by its source too."""
    confirmed = state.confirmed.get(leg.trade)
    source = "" if confirmed is None else confirmed.fixing_source
    if source and source != price.source:
        return False
    delivered = _delivered(leg, close)
    wanted = PriceKind.DELIVERY if delivered else PriceKind.SETTLEMENT
    names = (future_name(leg.instrument), *((index,) if delivered else ()))
    return price.kind is wanted and price.instrument in names


def _corrected(
    state: State, leg: LegSettlement, price: SettlementPrice, close: date
) -> Correction | None:
    mark = not _delivered(leg, close)
    if mark and state.last_marks.get(leg.trade) != leg.price:
        return None
    money = leg.amount_at(price.price) - leg.amount_at(leg.price)
    return Correction(close=close, leg=leg, price=price.price, money=money, mark=mark)


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
            "before": format(one.leg.price, "f"),
            "after": format(one.price, "f"),
            "marks": [[one.leg.trade, format(one.price, "f")]] if one.mark else [],
            "flows_by_month": [[one.leg.trade, FlowCause.CORRECTION.value, code, months]]
            if months
            else [],
            "postings": postings_json(one.entries),
        },
    )
