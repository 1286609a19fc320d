"""The best-execution record of every request, gathered from the journal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from headframe.book import Trade
from headframe.codec import to_json
from headframe.desk.known import RfqRecord
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, NotFound
from headframe.desk.state import State
from headframe.hedge import Proposal, fee_usd
from headframe.rfq import Direction, Heard, RfqState, Told
from headframe.units import instant, iso

Json = Mapping[str, Any]


def told(state: State, record: RfqRecord) -> Told:
    """One request as the record keeps it."""
    request = record.request
    proposal = state.proposals[record.proposal]
    trades = state.booked_of(request.id)
    approval = state.approvals.get(record.proposal)
    index = record.marks.get("index", request.forward)
    usd = 1.0 if request.in_usd else float(index)
    size = float(sum(one.size for one in trades))
    price = _price(state, trades)
    return Told(
        id=request.id,
        proposal=record.proposal,
        venue=record.venue,
        structure="; ".join(
            f"{leg.ratio:+d} {leg.instrument.name}" for leg in request.structure.legs
        ),
        sign=1 if request.direction is Direction.BUY else -1,
        coins=size or float(request.size),
        usd=usd,
        forward=request.forward,
        panel=request.panel,
        disclosed=request.disclosed,
        opened_at=request.opened_at,
        respond_by=request.respond_by,
        quotes=tuple(_heard(row) for row in record.ladder if row["side"] != request.direction),
        awarded=record.awarded,
        winner="+".join(one.dealer for one in trades) or None,
        price=price,
        cover=None if record.cover is None else float(record.cover),
        filled_at=max((one.at for one in trades), default=None),
        mid_asked=request.reference,
        mid_awarded=record.marks.get("mid"),
        mids_after=record.after,
        marks=_marks(record),
        sweep=record.marks.get("sweep"),
        fee_usd=sum(fee_usd(one) for one in trades),
        criterion=str(record.marks.get("criterion", "")),
        preparer=proposal.preparer,
        approver="" if approval is None else approval.approver,
        outcome=record.outcome,
        kind=kind_of(proposal),
        follows=record.follows,
        late=tuple(str(one["reason"]) for one in record.late),
    )


def kind_of(proposal: Proposal) -> str:
    """Return the kind of structure a request is measured with: a roll is the calendar spread it deals."""
    rolls = proposal.replaces and proposal.kind.is_future
    return "calendar_spread" if rolls else str(proposal.kind)


def _price(state: State, trades: Sequence[Trade]) -> float | None:
    """Return the net price of the whole structure as the venue filled it, weighed by size; None unfilled."""
    filled = {name: float(state.fills[fill].price) for fill, name in state.filled_as.items()}
    rows = [(filled.get(one.id), float(one.size), float(one.net_price)) for one in trades]
    kept = [(price, size) for price, size, _ in rows if price is not None]
    kept = kept or [(price, size) for _, size, price in rows]
    total = sum(size for _, size in kept)
    return sum(price * size for price, size in kept) / total if total else None


def _marks(record: RfqRecord) -> dict[str, Json]:
    """Marks by moment, as far as the record has them."""
    kept = {
        "asked": record.marks_asked,
        "first": record.marks.get("first", {}),
        "awarded": record.marks,
    }
    numbers = {
        moment: {name: value for name, value in marks.items() if isinstance(value, float)}
        for moment, marks in kept.items()
    }
    return {moment: marks for moment, marks in numbers.items() if marks}


def shown(state: State, name: str) -> dict[str, Any]:
    """One request with its ladder and trades, as every face shows it; prices are decimal strings."""
    record = state.rfqs[name]
    trades = [to_json(one) for one in state.booked_of(name)]
    return {
        "id": name,
        "proposal": record.proposal,
        "state": str(record.state),
        "outcome": record.outcome,
        "venue": record.venue,
        "venue_id": record.venue_id,
        "panel": list(record.request.panel),
        "opened_at": iso(record.request.opened_at),
        "respond_by": iso(record.request.respond_by),
        "cover": record.cover,
        "price_currency": state.proposals[record.proposal].price_currency,
        "request": to_json(record.request),
        "ladder": list(record.ladder),
        "trade": trades[0] if trades else None,
        "trades": trades,
        "follows": record.follows or None,
        "bound": record.bound,
        "followed_by": _followed_by(state, name),
        "late": list(record.late),
        "earlier": [
            {"id": one, "outcome": state.rfqs[one].outcome} for one in earlier(state, name)
        ],
    }


def _followed_by(state: State, name: str) -> str | None:
    """Return the request that a decision went on with after this one."""
    return next((key for key, one in state.rfqs.items() if one.follows == name), None)


def latest(state: State, name: str) -> str:
    """Return the last request of the decision that a request belongs to."""
    following = _followed_by(state, name)
    while following is not None:
        name, following = following, _followed_by(state, following)
    return name


def earlier(state: State, name: str) -> tuple[str, ...]:
    """Return the requests of the same decision before this one, oldest first."""
    found: list[str] = []
    before = state.rfqs[name].follows
    while before in state.rfqs:
        found.insert(0, before)
        before = state.rfqs[before].follows
    return tuple(found)


def _heard(row: Json) -> Heard:
    return Heard(
        dealer=row["dealer"],
        price=float(row["price"]),
        cost=float(row["cost"]),
        received_at=instant(row["received_at"]),
        good_until=None if row["good_until"] is None else instant(row["good_until"]),
        rejection=row["rejection"],
    )


def every(office: Office, since: datetime | None, until: datetime | None) -> tuple[Told, ...]:
    """Requests that were opened in a period and have ended, oldest first."""
    state = office.state()
    ended = {
        RfqState.FILLED,
        RfqState.PARTIALLY_FILLED,
        RfqState.NOT_FILLED,
        RfqState.NO_AWARD,
    }
    return tuple(
        told(state, record)
        for record in state.rfqs.values()
        if record.state in ended
        and (since is None or record.request.opened_at >= since)
        and (until is None or record.request.opened_at < until)
    )


def one(office: Office, name: str) -> Told:
    """One request by the beginning of its id."""
    state = office.state()
    found = [record for key, record in state.rfqs.items() if key.startswith(name) and name]
    if len(found) != 1:
        known = ", ".join(key[:8] for key in state.rfqs) or "none"
        raise NotFound(f"no one request begins with {name[:32]!r}; known: {known}")
    return told(state, found[0])


@serialised
def note_after(office: Office, rfq: str, seconds: int, mid: float) -> None:
    """Keep how the mid stood some time after an award."""
    office.state()
    body = {"rfq": rfq, "seconds": seconds, "mid": mid}
    office.record(Draft("rfq_after", body), at=office.now())
