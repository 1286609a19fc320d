"""Capacity that requests hold while they are out: as if each were filled, until it has ended."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from headframe.book import Position
from headframe.desk.booking import trade_of
from headframe.desk.known import RfqRecord
from headframe.desk.state import State
from headframe.pricing import Surface
from headframe.rfq import Direction, Fill
from headframe.risk import leg_price


def reserved(state: State, record: RfqRecord, surface: Surface, at: datetime) -> Position:
    """A live request as the position it may become: its capacity is taken until it has ended.

    An unknown outcome keeps it; only a terminal state frees it, or turns it into the trade itself.
    """
    request = record.request
    side = 1 if request.direction is Direction.BUY else -1
    legs = tuple(
        (
            leg.instrument.name,
            request.amount * leg.ratio * side,
            Decimal(repr(round(leg_price(leg.instrument, surface, at), 8))),
        )
        for leg in request.structure.legs
    )
    fill = Fill(
        venue_trade_id="",
        dealer=request.panel[0],
        price=request.limit,
        amount=request.amount,
        legs=legs,
        fee=Decimal(0),
        fee_currency=request.structure.legs[0].instrument.settled_in,
        at=request.opened_at,
    )
    trade = trade_of(state, request, state.proposals[record.proposal], fill, request.size)
    return Position(
        trade=replace(trade, id=reserved_id(record)),
        remaining=tuple((part.month, part.coins) for part in trade.designations),
    )


def reserved_id(record: RfqRecord) -> str:
    """What the trade of a request is called before it is one."""
    return f"R-{record.request.id[:8]}"
