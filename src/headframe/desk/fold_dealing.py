"""The fold of requests: asked, moved, filled, closed, switched."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

from headframe.book import PaymentDue, Trade
from headframe.codec import from_json
from headframe.desk.known import (
    Keyed,
    RfqRecord,
)
from headframe.desk.ports import JournalBroken, Json, Record
from headframe.desk.state import State
from headframe.lifecycle import FundingDue, close_at, funded_from
from headframe.rfq import Fill, Request, RfqState, RfqStep, after


def _asked(state: State, record: Record) -> None:
    request = from_json(Request, record.body["request"])
    state.rfqs[request.id] = RfqRecord(
        request=request,
        proposal=record.body["proposal"],
        state=RfqState.OPENING,
        venue=record.body.get("venue", ""),
        marks_asked=record.body.get("marks", {}),
        by=record.author,
        follows=record.body.get("follows", ""),
        bound=record.body.get("bound"),
    )
    key = record.body.get("key")
    if key is not None:
        state.keyed[key["key"]] = Keyed(key["fingerprint"], request.id)


def _step(state: State, record: Record, step: RfqStep) -> RfqRecord:
    known = state.rfqs[record.body["rfq"]]
    following = after(known.state, step)
    if following is None:
        raise JournalBroken(f"event {record.seq}: a request that is {known.state} cannot {step}")
    moved = replace(known, state=following)
    state.rfqs[known.request.id] = moved
    return moved


def _rfq_moved(state: State, record: Record) -> None:
    """Any step of a request but its filling."""
    body = record.body
    moved = _step(state, record, RfqStep(body["step"]))
    state.rfqs[moved.request.id] = replace(
        moved,
        venue_id=body.get("venue_id", moved.venue_id),
        ladder=tuple(body["ladder"]) if "ladder" in body else moved.ladder,
        outcome=body.get("outcome", moved.outcome),
        cover=body.get("cover", moved.cover),
        awarded=body.get("dealer", moved.awarded),
        marks=body.get("marks", moved.marks),
        late=(*moved.late, body["late"]) if "late" in body else moved.late,
    )


def _rfq_after(state: State, record: Record) -> None:
    """How the mid stood some time after an award."""
    body = record.body
    known = state.rfqs[body["rfq"]]
    after_it = known.after | {int(body["seconds"]): float(body["mid"])}
    state.rfqs[body["rfq"]] = replace(known, after=after_it)


def _filled(state: State, record: Record) -> None:
    """A request is filled: the first dealer's part of it."""
    moved = _step(state, record, RfqStep(record.body["step"]))
    state.rfqs[moved.request.id] = replace(moved, outcome=_booked(state, record))


def _filled_also(state: State, record: Record) -> None:
    """Another dealer's part of a request that is filled."""
    known = state.rfqs[record.body["rfq"]]
    if known.state is not RfqState.FILLED:
        raise JournalBroken(f"event {record.seq}: a part of a request that is {known.state}")
    words = f"{known.outcome}, {_booked(state, record)}"
    state.rfqs[known.request.id] = replace(known, outcome=words)


def _booked(state: State, record: Record) -> str:
    """One dealer's part: a trade, the closing of one, or both; in words."""
    body = record.body
    fill = from_json(Fill, body["fill"])
    if fill.venue_trade_id in state.fills:
        raise JournalBroken(f"event {record.seq}: fill {fill.venue_trade_id} was booked before")
    made: list[Trade] = []
    state.payments_due += [from_json(PaymentDue, row) for row in body.get("due", ())]
    if "trade" in body:
        trade = from_json(Trade, body["trade"])
        state.trades[trade.id] = trade
        state.remaining[trade.id] = {part.month: part.coins for part in trade.designations}
        made.append(trade)
    if "closing" in body:
        made.append(_closing(state, body))
    state.fills[fill.venue_trade_id] = fill
    state.filled_as[fill.venue_trade_id] = made[0].id
    if len(made) > 1:
        state.came_with[made[0].id] = made[1].id
    return " and ".join(f"{one.id} with {one.dealer}" for one in made)


def _closing(state: State, body: Json) -> Trade:
    closing = from_json(Trade, body["closing"])
    state.closings[closing.id] = closing
    state.closes[closing.id] = body["closes"]
    left = state.remaining[body["closes"]]
    state.funding_due += _funding_due(state, closing, body["closes"])
    for part in closing.designations:
        if part.month in left:
            left[part.month] = max(left[part.month] - part.coins, Decimal(0))
    state.closed_usd += float(body["earned_usd"])
    return closing


def _funding_due(state: State, closing: Trade, name: str) -> list[FundingDue]:
    """Return the funding that what a closing deals back has accrued since the last close."""
    before = datetime.min.replace(tzinfo=UTC)
    if state.closed_through is not None:
        before = close_at(state.closed_through)
    start = funded_from(state.trades[name].at, before)
    return [
        FundingDue(
            trade=name,
            instrument=leg.instrument,
            quantity=-leg.amount,
            start=start,
            end=closing.at,
            coins=tuple((part.month, part.coins) for part in closing.designations),
        )
        for leg in closing.legs
        if leg.instrument.is_perpetual and start < closing.at
    ]


DEALING: Mapping[str, Callable[[State, Record], None]] = MappingProxyType(
    {
        "asked": _asked,
        "rfq": _rfq_moved,
        "rfq_after": _rfq_after,
        "filled": _filled,
        "closed_out": _filled,
        "switched": _filled,
        "dealt_also": _filled_also,
        "closed_also": _filled_also,
        "switched_also": _filled_also,
    }
)
