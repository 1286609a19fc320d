"""Requests whose outcome is not known: settled from the venue's evidence, before anything new is sent.

A request is never sent twice. It is fenced: cancelled at the venue and its final state read there. One
that never arrived cannot trade, since nothing is dealt without an accept: after a while it is taken as
empty, and should it arrive later all the same it is found by our own id and cancelled as an orphan.
"""

from collections.abc import Callable
from datetime import timedelta

from headframe.book import Trade
from headframe.desk.booking import book_fills
from headframe.desk.known import RfqRecord
from headframe.desk.office import Office, Trading
from headframe.desk.ports import (
    Broken,
    Draft,
    Malformed,
    Moved,
    OutcomeUnknown,
    Refused,
    Unreachable,
)
from headframe.rfq import Fill, Request, RfqState, RfqStep, after

LATE_SECONDS = 10
"""How long a request that was not heard of again may still be on its way."""
Tell = Callable[[str], None]


def _advice(venue: str) -> str:
    if venue == "voice":
        return "headframe voice PROPOSAL --dealt DEALER or --nothing says it"
    return f"headframe rfq --venue {venue} asks it"


def moved(
    office: Office,
    request: Request,
    step: RfqStep,
    *,
    unless: Callable[[], str] = lambda: "",
    **body: object,
) -> str:
    """Write down a step of a request; what happened is written whatever others write meanwhile.

    Nothing is written where ``unless`` gives a reason, which is returned: the step stands on the very state
    that gave none.
    """
    while True:
        with office.deciding():
            known = office.state().rfqs[request.id]
            if after(known.state, step) is None:
                raise OutcomeUnknown(
                    f"request {request.id[:8]} is {known.state} already: somebody else moved it"
                )
            reason = unless()
            if reason:
                return reason
            try:
                draft = Draft("rfq", {"rfq": request.id, "step": str(step), **body})
                office.record(draft, at=office.now(), evidence=True)
            except Moved:
                continue
            return ""


def lost(office: Office, request: Request, error: Broken) -> OutcomeUnknown:
    """Sight of the request was lost: written down before anybody is told."""
    moved(office, request, RfqStep.LOST_SIGHT, outcome=str(error))
    return OutcomeUnknown(
        f"the outcome of request {request.id[:8]} is unknown: {error}; "
        f"the next headframe rfq asks the venue before anything else is sent"
    )


async def ended(trading: Trading, venue_id: str, request: Request) -> tuple[Fill, ...]:
    """End a request at the venue and read what it came to; nothing can be dealt on it afterwards."""
    await trading.venue.cancel(venue_id)
    return await trading.venue.evidence(venue_id, request)


async def prove_ended(trading: Trading, venue_id: str, request: Request) -> None:
    """End a request that nobody accepted; return when the venue's own record shows it closed and untraded.

    Raises Malformed where the record shows anything else: then its outcome is not known.
    """
    fills = await ended(trading, venue_id, request)
    finding = await trading.venue.find(request.id)
    if fills:
        raise Malformed("the venue shows a trade of a request that was never accepted")
    if finding is None or finding.open:
        state = "does not list" if finding is None else "shows open"
        raise Malformed(f"the venue {state} a request that was just cancelled there")


def book(
    trading: Trading, request: Request, proposal: str, fills: tuple[Fill, ...], step: RfqStep
) -> tuple[Trade, ...]:
    """Book what the venue says was dealt."""
    office = trading.office
    return book_fills(office, request, office.state().proposals[proposal], fills, step)


async def reconcile(trading: Trading, tell: Tell, but: frozenset[str] = frozenset()) -> None:
    """Settle every request without a known end; ``but`` are requests that somebody is dealing now."""
    for record in trading.office.state().live_rfqs():
        if record.request.id in but:
            continue
        line = trading.at(record.venue)
        if line is None:
            raise OutcomeUnknown(
                f"request {record.request.id[:8]} is not settled at {record.venue}, and only that venue "
                f"knows what came of it ({_advice(record.venue)})"
            )
        await settle(line, record, tell)
    for place in (trading.venue.name, *trading.others):
        line = trading.at(place)
        assert line is not None
        await _sweep(line, tell)


async def reconcile_at(trading: Trading, tell: Tell, but: frozenset[str] = frozenset()) -> None:
    """Settle the requests of this venue alone, ``but`` those somebody is dealing: others are for others."""
    for record in trading.office.state().live_rfqs():
        if record.venue == trading.venue.name and record.request.id not in but:
            await settle(trading, record, tell)


async def settle(trading: Trading, record: RfqRecord, tell: Tell) -> None:
    """Settle one request from the venue's evidence, or leave it unknown."""
    if record.state is not RfqState.UNKNOWN:
        outcome = "the program ended before the outcome was known"
        moved(trading.office, record.request, RfqStep.LOST_SIGHT, outcome=outcome)
    try:
        await _fence(trading, record, tell)
    except (Unreachable, Malformed, Refused) as error:
        raise OutcomeUnknown(
            f"request {record.request.id[:8]} stays unknown: {error}; nothing new is sent"
        ) from error


async def _fence(trading: Trading, record: RfqRecord, tell: Tell) -> None:
    office, venue, request = trading.office, trading.venue, record.request
    finding = await venue.find(request.id)
    if finding is None:
        await office.clock.wait_until(request.opened_at + timedelta(seconds=LATE_SECONDS))
        finding = await venue.find(request.id)
    fills: tuple[Fill, ...] = ()
    if finding is not None and finding.open:
        fills = await ended(trading, finding.venue_id, request)
    elif finding is not None:
        fills = await venue.evidence(finding.venue_id, request)
    if not fills:
        moved(office, request, RfqStep.FENCED_EMPTY, outcome="the venue shows no trade")
        tell(f"request {request.id[:8]}: the venue shows no trade")
        return
    trades = book(trading, request, record.proposal, fills, RfqStep.FENCED_FILLED)
    names = ", ".join(trade.id for trade in trades)
    tell(f"request {request.id[:8]}: the venue shows it dealt, booked as {names}")


async def _sweep(trading: Trading, tell: Tell) -> None:
    """Cancel requests of ours that reached the venue after they were taken as empty."""
    gone = {
        key
        for key, record in trading.office.state().rfqs.items()
        if record.state in {RfqState.NOT_FILLED, RfqState.NO_AWARD}
    }
    if not gone:
        return
    try:
        for venue_id in await trading.venue.orphans(gone):
            await trading.venue.cancel(venue_id)
            tell(f"request {venue_id} came to the venue late and was cancelled there")
    except (Unreachable, Malformed, Refused) as error:
        raise OutcomeUnknown(
            f"whether requests came late is not known: {error}; nothing new is sent"
        ) from error
