"""A venue's settlement history held against the closed days: agreement, or breaks that stay open."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast

from headframe.book import Break, MarginTerms, Trade
from headframe.codec import from_json, to_json
from headframe.desk.days import settlement_of
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, Record
from headframe.desk.state import State
from headframe.lifecycle import (
    Booked,
    BookedSettlement,
    FlowCause,
    LegSettlement,
    PriceKind,
    PriceRecords,
    SessionResult,
    VenueSettlement,
    close_at,
    closes_after,
    funding_by_day,
    future_name,
    is_settlement,
    match_settlements,
)
from headframe.mandate import ORDER_BOOK
from headframe.units import CURRENCIES, Money, booked

_CLOSINGS = frozenset({"closed_out", "closed_also", "switched", "switched_also"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementsHeld:
    """What comparing with a venue came to: days compared, breaks of them all, agreed, funding apart."""

    days: int
    through: date | None
    agreed: tuple[str, ...]
    breaks: tuple[Break, ...]
    funding: tuple[tuple[date, str, str, Decimal], ...]
    recorded: bool
    """Whether the journal learned something: a break that is new, differs or has gone."""


def first_instant(office: Office) -> datetime | None:
    """Return from when on a venue's records matter: the open of the first session closed here."""
    first = _gathered(office).first
    return None if first is None else close_at(first) - timedelta(days=1)


@serialised
def hold(office: Office, theirs: Sequence[VenueSettlement]) -> SettlementsHeld:
    """Hold a venue's settlements against the closed days; keep the breaks and what has come to agree.

    Compared are trades dealt at the main venue, block or order book; bilateral trades are not. Nothing is
    written where nothing changed. The running desk does it by itself; a person needs the right to prepare.
    """
    state, venue = office.state(), office.settings().venue.name
    ours = _gathered(office).booked(state, office.settings().operation.coin)
    owner = state.mandate.people.approvers[0] if state.mandate else office.user
    found = match_settlements(ours, theirs, state.breaks, venue=venue, owner=owner)
    gone = tuple(key for key in found.agreed if key in state.breaks)
    new = [one for one in found.breaks if state.breaks.get(one.key) != one]
    if gone or new:
        body = {
            "source": f"settlement history of {venue}"[:200],
            "agreed": list(gone),
            "breaks": [to_json(one) for one in new],
        }
        office.record(Draft("statement", body), at=office.now())
    funding = funding_by_day(theirs)
    return SettlementsHeld(
        days=len(ours.days),
        through=max(ours.days, default=None),
        agreed=found.agreed,
        breaks=tuple(one for one in office.state().breaks.values() if is_settlement(one, venue)),
        funding=tuple((*key, amount) for key, amount in sorted(funding.items())),
        recorded=bool(gone or new),
    )


@dataclass(slots=True)
class _Gathered:
    """Closed days as the journal tells them, with corrections applied."""

    venue: str
    at_venue: set[str]
    """Requests sent to the venue or its order book."""
    trades: dict[str, Trade]
    first: date | None = None
    days: set[date] = field(default_factory=set[date])
    legs: dict[tuple[date, str, str], LegSettlement] = field(
        default_factory=dict[tuple[date, str, str], LegSettlement]
    )
    results: list[SessionResult] = field(default_factory=list[SessionResult])

    def take(self, record: Record) -> None:
        """Take one event of the journal."""
        if record.kind == "day_closed":
            self._closed(record)
        elif record.kind == "settlement_corrected":
            self._corrected(record)
        elif record.kind in _CLOSINGS:
            self._result(record)

    def _dealt_there(self, trade: str) -> bool:
        known = self.trades.get(trade)
        return known is not None and known.rfq in self.at_venue

    def _closed(self, record: Record) -> None:
        first, close = (date.fromisoformat(record.body[key]) for key in ("first", "close"))
        self.first = first if self.first is None else min(self.first, first)
        self.days |= {first + timedelta(days=n) for n in range((close - first).days + 1)}
        for row in record.body["settlements"]:
            if self._dealt_there(row["trade"]):
                leg = settlement_of(row)
                # An expiry inside a span of days is a settlement of its own day.
                day = min(close, leg.instrument.expiry.date())
                self.legs[day, leg.trade, leg.instrument.name] = leg

    def _corrected(self, record: Record) -> None:
        body = record.body
        for key, leg in self.legs.items():
            if (key[1], key[2]) == (body["trade"], body["instrument"]) and (
                key[0] == min(date.fromisoformat(body["close"]), leg.instrument.expiry.date())
            ):
                self.legs[key] = _at_price(leg, Decimal(body["after"]))

    def _result(self, record: Record) -> None:
        """Keep what a closing of a future realised in its session, before fees."""
        body = record.body
        name = str(body.get("closes") or "")
        if not self._dealt_there(name) or "closing" not in body:
            return
        closing = from_json(Trade, body["closing"])
        if closing.margin is not MarginTerms.VENUE or len(closing.legs) != 1:
            return
        instrument = closing.legs[0].instrument
        if instrument.is_option:
            return
        code = instrument.settled_in
        moved = sum(
            -int(text.replace(".", ""))
            for account, unit, text in cast("list[list[str]]", body["postings"])
            if account == f"income:hedge:{name}" and unit == code
        )
        fee = booked(closing.fee, CURRENCIES[code])
        self.results.append(
            SessionResult(
                day=closes_after(closing.at),
                instrument=instrument.name,
                amount=Money(CURRENCIES[code], moved) + fee,
            )
        )

    def booked(self, state: State, coin: str) -> Booked:
        """Return what was booked, variation at the official prices that are on record now."""
        records = PriceRecords(state.settlement_prices.values(), coin)
        legs: list[BookedSettlement] = []
        before: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
        for (day, trade, name), written in sorted(self.legs.items(), key=lambda row: row[0]):
            leg, key = written, (trade, name)
            if key in before and leg.entry == before[key][0]:
                leg = _from_entry(leg, before[key][1])
            if leg.cause is FlowCause.VARIATION and day < leg.instrument.expiry.date():
                leg = _restated(leg, records, day)
            before[key] = (written.price, leg.price)
            legs.append(BookedSettlement(day=day, leg=leg))
        return Booked(tuple(legs), tuple(self.results), frozenset(self.days))


def _restated(leg: LegSettlement, records: PriceRecords, day: date) -> LegSettlement:
    """Return variation at the price now on record: a correction moves cash between two days only."""
    known = records.find(day, PriceKind.SETTLEMENT, future_name(leg.instrument))
    return leg if known is None or known.price == leg.price else _at_price(leg, known.price)


def _at_price(leg: LegSettlement, price: Decimal) -> LegSettlement:
    return replace(leg, price=price, amount=leg.amount_at(price))


def _from_entry(leg: LegSettlement, entry: Decimal) -> LegSettlement:
    moved = replace(leg, entry=entry)
    return replace(moved, amount=moved.amount_at(leg.price)) if entry != leg.entry else leg


def _gathered(office: Office) -> _Gathered:
    state, venue = office.state(), office.settings().venue.name
    places = {venue, venue + ORDER_BOOK}
    at_venue = {name for name, one in state.rfqs.items() if one.venue in places}
    found = _Gathered(venue, at_venue, dict(state.trades))
    for record in office.journal.read():
        found.take(record)
    return found
