"""Dealing an approved proposal by request for quotes: intent first, then the world, then what came back.

A request whose outcome is not known is never sent again. It is fenced: cancelled at the venue and
read there, or outlived; only that evidence books it as dealt or as empty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from headframe.book import Trade
from headframe.codec import canonical, sha256, to_json
from headframe.desk import production, programme
from headframe.desk.approvals import proposal_of
from headframe.desk.booking import book_fill
from headframe.desk.office import Office, Trading, require_person
from headframe.desk.ports import (
    Broken,
    Declined,
    Draft,
    Json,
    Malformed,
    Moved,
    OutcomeUnknown,
    Pending,
    Refused,
    Unreachable,
)
from headframe.desk.state import RfqRecord
from headframe.hedge import Bucket, Proposal, Rated, Situation, rate_again
from headframe.mandate import Approval, Criterion, Stage, judge
from headframe.rfq import (
    Award,
    AwardRules,
    Direction,
    Ladder,
    Request,
    RfqState,
    RfqStep,
    after,
    award,
    open_request,
    outside,
    rank,
)
from headframe.risk import credit_charge_usd
from headframe.units import iso, year_fraction

FENCE_MARGIN = timedelta(seconds=30)
LIFE = timedelta(minutes=5)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """What a request led to: the ladder as it stood at the award, the cover, and the trade or why not."""

    request: Request
    ladder: Ladder
    cover: str | None
    trade: Trade | None
    outcome: str


async def deal(trading: Trading, name: str, tell: Tell = lambda _: None) -> Dealt:
    """Ask the street for an approved proposal and award by the mandate's rule."""
    office = trading.office
    require_person(office)
    await reconcile(trading, tell)
    while True:
        proposal, approval = _approved(office, name)
        found, rated = _again(office, proposal)
        request = _request(office, proposal, approval, found, rated)
        intent = {"request": to_json(request), "proposal": proposal.id, "venue": trading.venue.name}
        try:
            office.record(Draft("asked", intent), at=office.now())
        except Moved:
            continue
        return await _ask(trading, request, proposal, found, tell)


def preview(office: Office, name: str) -> Request:
    """The request that would be sent, after every check, with nothing sent: the dry run."""
    require_person(office)
    proposal, approval = _approved(office, name)
    found, rated = _again(office, proposal)
    return _request(office, proposal, approval, found, rated)


def _approved(office: Office, name: str) -> tuple[Proposal, Approval]:
    """A proposal that may be dealt: not dealt yet, approved, under the mandate in force."""
    state = office.state()
    proposal = proposal_of(state, name)
    if state.traded(name):
        raise Declined(f"{name} was dealt already")
    approval = state.approvals.get(name)
    if approval is None:
        raise Pending(f"{name} waits for an approval: headframe approve {name} --as APPROVER")
    if approval.mandate_sha256 != state.mandate_sha256:
        raise Declined(f"the mandate changed after {name} was approved (M-1.1): approve it again")
    held = production.version_of(state, proposal.forecast_id)
    if held.approved_by is None or state.forecast_in_force != held.id:
        raise Declined(
            f"{name} stands on {held.id}, which is not the approved forecast in force "
            f"({state.forecast_in_force}); run headframe plan again"
        )
    return proposal, approval


def _again(office: Office, proposal: Proposal) -> tuple[Situation, Rated]:
    """The proposal priced and judged on the market now; Declined names every clause against it."""
    found, _ = programme.situation(office, proposal.preparer)
    bucket = Bucket(expiry=proposal.expiry, listed=proposal.listed, needs=proposal.needs)
    rated = rate_again(found, bucket, proposal.kind)
    if rated is None:
        raise Declined(f"{proposal.id}: this hedge can no longer be priced on the market")
    verdict = judge(found.mandate, rated.facts, Stage.ASK)
    if not verdict.allowed:
        raise Declined(f"{proposal.id}: " + "; ".join(str(b) for b in verdict.breaches if b.blocks))
    return found, rated


def _request(
    office: Office, proposal: Proposal, approval: Approval, found: Situation, rated: Rated
) -> Request:
    one = rated.candidate
    state = office.state()
    identity = f"{state.seed}:{state.head.hash}:{proposal.id}"
    made = open_request(
        proposal.envelope,
        sha256(canonical(to_json(proposal.envelope))),
        approval,
        one.structure,
        request_id=sha256(identity)[:32],
        direction=Direction.BUY if one.bought else Direction.SELL,
        amount=one.amount,
        panel=rated.panel,
        disclosed=found.mandate.rfq.disclosed,
        at=found.at,
        response_seconds=found.mandate.rfq.response_seconds,
        reference=one.mid,
        gross=one.gross,
        forward=one.forward_usd,
        spot=Decimal(repr(found.snapshot.index)),
    )
    if isinstance(made, tuple):
        reasons = ", ".join(str(reason) for reason in made)
        raise Declined(
            f"{proposal.id} left its approved envelope: {reasons}; run headframe plan again"
        )
    return made


async def _ask(
    trading: Trading, request: Request, proposal: Proposal, found: Situation, tell: Tell
) -> Dealt:
    office, venue = trading.office, trading.venue
    tell(f"asked {len(request.panel)} dealers: {', '.join(request.panel)}")
    try:
        opened = await venue.open(request)
    except Refused as error:
        _moved(office, request, RfqStep.OPEN_REFUSED, outcome=str(error))
        raise Declined(str(error)) from error
    except (Unreachable, Malformed) as error:
        raise _lost(office, request, error) from error
    _moved(office, request, RfqStep.OPENED, venue_id=opened.venue_id)
    try:
        decided = timedelta(seconds=found.mandate.rfq.decision_seconds)
        await office.clock.wait_until(request.respond_by + decided)
        quotes = await venue.quotes(opened.venue_id)
    except (Unreachable, Malformed, Refused) as error:
        raise _lost(office, request, error) from error
    rules = _rules(request, found, matches=venue.matches)
    at = office.now()
    ladder = rank(quotes, rules, at=at)
    decision = award(quotes, rules, at=at)
    _moved(office, request, RfqStep.QUOTED, ladder=_ladder_json(ladder))
    if not isinstance(decision, Award):
        return await _declined(trading, request, opened.venue_id, ladder, str(decision))
    void = _void(office, request, proposal, decision)
    if void:
        return await _declined(trading, request, opened.venue_id, ladder, void)
    return await _accept(trading, request, proposal, opened.venue_id, decision, ladder)


def _void(office: Office, request: Request, proposal: Proposal, decision: Award) -> str:
    """Why the approval no longer covers the award at the moment it is made; empty when it does."""
    state = office.state()
    if request.approval.mandate_sha256 != state.mandate_sha256:
        return "the mandate changed while quotes were out (M-1.1)"
    assert state.market is not None
    reasons = outside(
        proposal.envelope,
        request.structure,
        size=request.size,
        price=Decimal(repr(decision.winner.price)),
        bought=request.direction is Direction.BUY,
        spot=Decimal(repr(state.market.index)),
        at=office.now(),
    )
    words = ", ".join(str(reason) for reason in reasons)
    return f"the award would leave its approved envelope: {words}" if reasons else ""


async def _declined(
    trading: Trading, request: Request, venue_id: str, ladder: Ladder, reason: str
) -> Dealt:
    try:
        await trading.venue.cancel(venue_id)
    except (Unreachable, Malformed, Refused) as error:
        raise _lost(trading.office, request, error) from error
    _moved(trading.office, request, RfqStep.DECLINE, outcome=reason)
    return Dealt(request=request, ladder=ladder, cover=None, trade=None, outcome=reason)


async def _accept(
    trading: Trading,
    request: Request,
    proposal: Proposal,
    venue_id: str,
    decision: Award,
    ladder: Ladder,
) -> Dealt:
    """Deal at the winner's price, fill or kill; the intent is on the disk before the first byte."""
    office = trading.office
    price = Decimal(repr(decision.winner.price))
    cover = None if decision.cover is None else repr(decision.cover.price)
    _moved(office, request, RfqStep.INTEND_AWARD, cover=cover, outcome=f"awarding at {price}")
    try:
        fill = await trading.venue.accept(venue_id, request, price)
    except Refused as error:
        _moved(office, request, RfqStep.NOT_FILLED, outcome=str(error))
        raise Declined(str(error)) from error
    except (Unreachable, Malformed) as error:
        raise _lost(office, request, error) from error
    if fill is None:
        await trading.venue.cancel(venue_id)
        reason = "the quote was gone when it was taken"
        _moved(office, request, RfqStep.NOT_FILLED, outcome=reason)
        return Dealt(request=request, ladder=ladder, cover=cover, trade=None, outcome=reason)
    trade = book_fill(office, request, proposal, fill, RfqStep.FILLED)
    return Dealt(request=request, ladder=ladder, cover=cover, trade=trade, outcome="filled")


def _rules(request: Request, found: Situation, *, matches: bool) -> AwardRules:
    """The mandate's rules of award with their figures for this request."""
    mandate = found.mandate
    in_usd = request.gross > 10.0
    distance = mandate.rfq.distance_max * (request.forward if in_usd else 1.0)
    charges: dict[str, float] = {}
    if mandate.rfq.criterion is Criterion.BEST_ALL_IN:
        years = year_fraction(found.at, request.structure.expiry)
        vol = found.surface.vol(years, request.forward)
        for dealer in request.panel:
            charge = credit_charge_usd(
                found.dossiers[dealer],
                found.at.date(),
                forward=request.forward,
                vol=vol,
                years=years,
            )
            charges[dealer] = charge if in_usd else charge / found.snapshot.index
    return AwardRules(
        direction=request.direction,
        panel=request.panel,
        responses_min=mandate.rfq.responses_min,
        respond_by=request.respond_by,
        size=float(request.amount),
        reference=request.reference,
        gross=request.gross,
        distance_max=distance,
        limit=float(request.limit),
        charges=charges,
        venue_matches=matches,
    )


def _ladder_json(ladder: Ladder) -> list[Json]:
    """The ladder as the journal keeps it: every quote, won and lost; a price that is none as text."""
    return [
        {
            "dealer": rung.quote.dealer,
            "side": str(rung.quote.direction),
            "price": repr(rung.quote.price),
            "cost": repr(rung.cost),
            "size": repr(rung.quote.size),
            "received_at": iso(rung.quote.received_at),
            "good_until": None if rung.quote.good_until is None else iso(rung.quote.good_until),
            "all_or_none": rung.quote.all_or_none,
            "rejection": None if rung.rejection is None else str(rung.rejection),
        }
        for rung in ladder.rungs
    ]


def _moved(office: Office, request: Request, step: RfqStep, **body: object) -> None:
    """Write down a step of a request; what happened is written whatever others write meanwhile."""
    while True:
        known = office.state().rfqs[request.id]
        if after(known.state, step) is None:
            raise OutcomeUnknown(
                f"request {request.id[:8]} is {known.state} already: somebody else moved it"
            )
        try:
            draft = Draft("rfq", {"rfq": request.id, "step": str(step), **body})
            office.record(draft, at=office.now())
        except Moved:
            continue
        return


def _lost(office: Office, request: Request, error: Broken) -> OutcomeUnknown:
    """Sight of the request was lost: written down before anybody is told."""
    _moved(office, request, RfqStep.LOST_SIGHT, outcome=str(error))
    return OutcomeUnknown(
        f"the outcome of request {request.id[:8]} is unknown: {error}; "
        f"the next headframe rfq asks the venue before anything else is sent"
    )


async def reconcile(trading: Trading, tell: Tell) -> None:
    """Settle every request without a known end from the venue's evidence, before anything new."""
    office = trading.office
    for record in office.state().live_rfqs():
        if record.state is not RfqState.UNKNOWN:
            outcome = "the program ended before the outcome was known"
            _moved(office, record.request, RfqStep.LOST_SIGHT, outcome=outcome)
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
        await office.clock.wait_until(request.opened_at + LIFE + FENCE_MARGIN)
        finding = await venue.find(request.id)
    if finding is not None and finding.open:
        await venue.cancel(finding.venue_id)
    fill = None if finding is None else await venue.evidence(finding.venue_id, request)
    if fill is None:
        _moved(office, request, RfqStep.FENCED_EMPTY, outcome="the venue shows no trade")
        tell(f"request {request.id[:8]}: the venue shows no trade")
        return
    proposal = office.state().proposals[record.proposal]
    trade = book_fill(office, request, proposal, fill, RfqStep.FENCED_FILLED)
    tell(f"request {request.id[:8]}: the venue shows it dealt, booked as {trade.id}")
