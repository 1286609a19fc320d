"""Funding that a close pays: of perpetuals still held, and of parts dealt back since the last close."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from headframe.book import Position
from headframe.lifecycle.flows import FlowCause, HedgeFlow, split
from headframe.lifecycle.funding import FundingDue, FundingRecords, accrued
from headframe.lifecycle.settlement_prices import MissingPrice, PriceKind, close_at
from headframe.units import CURRENCIES, booked


def funding_dues(
    day: date, positions: Iterable[Position], dealt_back: Sequence[FundingDue]
) -> Iterator[FundingDue]:
    """Yield what accrues funding up to a close, from the close before it or from the trade."""
    end, before = close_at(day), close_at(day - timedelta(days=1))
    for position in positions:
        start = funded_from(position.trade.at, before)
        for leg in position.trade.legs:
            if leg.instrument.is_perpetual and start < end:
                yield FundingDue(
                    trade=position.trade.id,
                    instrument=leg.instrument,
                    quantity=position.amount(leg),
                    start=start,
                    end=end,
                    coins=tuple((month, left) for month, left in position.remaining if left > 0),
                )
    yield from (one for one in dealt_back if one.end <= end)


def funded_from(dealt_at: datetime, last_close: datetime) -> datetime:
    """Return when a perpetual begins to accrue what the next close pays."""
    return max(dealt_at, last_close)


def missing_funding(
    day: date, dues: Iterable[FundingDue], records: FundingRecords
) -> tuple[MissingPrice, ...]:
    """Return the perpetuals whose funding is not known for all the time they were held."""
    trades: dict[str, list[str]] = {}
    for one in dues:
        _, gap = records.pieces(one.instrument.name, one.start, one.end)
        if gap is not None:
            trades.setdefault(one.instrument.name, []).append(one.trade)
    return tuple(
        MissingPrice(day, PriceKind.FUNDING, name, "", tuple(dict.fromkeys(some)))
        for name, some in trades.items()
    )


def funding_flows(dues: Iterable[FundingDue], records: FundingRecords) -> Iterator[HedgeFlow]:
    """Yield what each position receives as funding, rounded once; every rate must be known."""
    for one in dues:
        pieces, gap = records.pieces(one.instrument.name, one.start, one.end)
        assert gap is None, "a day whose funding is missing is not closed"
        exact = accrued(one.instrument, one.quantity, pieces)
        money = booked(exact, CURRENCIES[one.instrument.settled_in])
        yield HedgeFlow(
            trade=one.trade,
            cause=FlowCause.FUNDING,
            money=money,
            months=split(money, dict(one.coins)),
        )
