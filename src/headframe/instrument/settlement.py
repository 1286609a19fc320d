"""How instruments end: expiry, delivery average and what an option delivers, as dated data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from headframe.instrument.terms import Instrument
from headframe.units import Wrong


class Delivery(StrEnum):
    """What an option in the money gives its holder."""

    CASH = "cash"
    FUTURE_THEN_CASH = "future_then_cash"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementRule:
    """A venue's settlement in force from a day: average of the index from and to a time, UTC."""

    venue: str
    since: date
    until: date | None
    average_from: time
    average_to: time
    inverse_option_delivers: Delivery
    source: str


RULES = (
    SettlementRule(
        venue="deribit",
        since=date(2016, 1, 1),
        until=date(2026, 8, 1),
        average_from=time(7, 30),
        average_to=time(8, 0),
        inverse_option_delivers=Delivery.CASH,
        source="contract specifications: index averaged 07:30-08:00 UTC, cash settled",
    ),
    SettlementRule(
        venue="deribit",
        since=date(2026, 8, 1),
        until=None,
        average_from=time(7, 30),
        average_to=time(8, 0),
        inverse_option_delivers=Delivery.FUTURE_THEN_CASH,
        source="announcement of August 2026: inverse options deliver into a future that cash-settles",
    ),
)


def settlement_rule(on: date, venue: str = "deribit") -> SettlementRule:
    """The rule that an expiry on a day falls under."""
    for rule in RULES:
        if rule.venue == venue and rule.since <= on and (rule.until is None or on < rule.until):
            return rule
    raise Wrong(f"no settlement rule of {venue[:20]!r} covers {on}")


def delivers(instrument: Instrument, venue: str = "deribit") -> Delivery:
    """What an instrument gives at expiry: cash, but for options settled in coin since August 2026."""
    rule = settlement_rule(instrument.expiry.date(), venue)
    if instrument.is_option and instrument.inverse:
        return rule.inverse_option_delivers
    return Delivery.CASH


def delivery_window(instrument: Instrument, venue: str = "deribit") -> tuple[datetime, datetime]:
    """From when to when the index is averaged for an instrument's expiry."""
    day = instrument.expiry
    rule = settlement_rule(day.date(), venue)
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = timedelta(hours=rule.average_from.hour, minutes=rule.average_from.minute)
    ends = timedelta(hours=rule.average_to.hour, minutes=rule.average_to.minute)
    return midnight + starts, midnight + ends


def delivery_price(
    instrument: Instrument, samples: Sequence[tuple[datetime, Decimal]], venue: str = "deribit"
) -> Decimal:
    """The delivery price: each sample of the index counted for as long as it stood in the window."""
    begin, end = delivery_window(instrument, venue)
    ordered = sorted(samples)
    before = [price for at, price in ordered if at <= begin]
    inside = [(at, price) for at, price in ordered if begin < at < end]
    if not before:
        raise Wrong(
            f"no index price at or before {begin:%Y-%m-%d %H:%M} UTC to begin the average with"
        )
    points = [(begin, before[-1]), *inside, (end, Decimal(0))]
    total = Decimal(0)
    for (at, price), (until, _) in pairwise(points):
        if not price.is_finite() or price <= 0:
            raise Wrong(f"an index price above zero was expected at {at:%H:%M:%S}, was {price}")
        total += price * Decimal((until - at) // timedelta(microseconds=1))
    return total / Decimal((end - begin) // timedelta(microseconds=1))
