"""Dealing an approved proposal by request for quotes: intent first, then the world, then what came back.

A request whose outcome is not known is never sent again. It is fenced: cancelled at the venue and
read there, or outlived; only that evidence books it as dealt or as empty.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial

from headframe.codec import canonical, sha256, to_json
from headframe.desk import adopting, closing, production, programme, switching, users
from headframe.desk.approvals import proposal_of
from headframe.desk.award_decision import accepted_record, decide
from headframe.desk.awarding import Watch, distance_of, ladder_json, marks_at, rules_of
from headframe.desk.fencing import Tell, ended, lost, moved, reconcile
from headframe.desk.late_quotes import bounded, end_to_ask_again, late_json, next_panel
from headframe.desk.office import Office, Trading
from headframe.desk.ports import (
    Broken,
    Declined,
    Draft,
    Invalid,
    Json,
    Malformed,
    Moved,
    Opened,
    Pending,
    Refused,
    Stopped,
    Unreachable,
)
from headframe.desk.taking import Case, Dealt, Followed, OnTheWay, leave, rest, take
from headframe.hedge import (
    Bucket,
    Candidate,
    Proposal,
    Rated,
    Situation,
    rate_again,
    worst_by_mandate,
)
from headframe.mandate import ORDER_BOOK, Approval, Stage, is_order_book, judge
from headframe.rfq import (
    Award,
    Direction,
    LateAction,
    LateDecision,
    NoAward,
    Outside,
    Part,
    Request,
    RfqStep,
    next_clip,
    open_request,
    outside,
    resting_price,
)
from headframe.units import iso, shared_out

_COIN_STEP, _USD_STEP = Decimal("0.1"), Decimal(10)
"""Steps of the amounts that blocks are shared out in."""


@dataclass(frozen=True, slots=True)
class Key:
    """A caller's own name for an action, and what it was for: what is sent again is not done again."""

    key: str
    fingerprint: str


async def deal(
    trading: Trading,
    name: str,
    tell: Tell = lambda _: None,
    *,
    key: Key | None = None,
    asked: Callable[[Request], None] = lambda _: None,
    watch: Watch | None = None,
) -> Dealt:
    """Ask the street for an approved proposal and award by the mandate's rule.

    ``asked`` is called when the intent is on the disk and before anything is sent; with a ``watch`` the
    rule still says who wins, and a person says when.
    """
    users.allowed(trading.office, users.Action.TRADE)
    adopting.require(trading.office)
    await reconcile(trading, tell, trading.dealing())
    begin = partial(_intended, name=name, venue=trading.venue.name, busy=trading.busy)
    case = await _begun(trading, name, partial(begin, key=key))
    dealt = await _in_hand(trading, case, tell, watch, asked=asked)
    while dealt.again is not None:
        tell(dealt.outcome)
        follow = partial(begin, key=None, followed=dealt.again)
        try:
            case = await _begun(trading, name, follow)
        except Stopped as error:
            raise type(error)(f"{dealt.outcome}; it was not asked again: {error}") from error
        earlier = (*dealt.earlier, dealt)
        dealt = replace(await _in_hand(trading, case, tell, watch, asked=asked), earlier=earlier)
    return dealt


async def _begun(trading: Trading, name: str, intend: Callable[[Office], Case]) -> Case:
    """Write the intent of a request, once the venue shows no trade under its approval that we do not know."""
    await adopting.require_known(trading, name)
    trading.hold()
    return await trading.apart(intend)


async def _in_hand(
    trading: Trading,
    case: Case,
    tell: Tell,
    watch: Watch | None,
    *,
    asked: Callable[[Request], None],
) -> Dealt:
    """Deal a request whose intent is written; nobody else settles it meanwhile."""
    try:
        asked(case.request)
        return await _asked(trading, case, tell, watch)
    finally:
        trading.busy.discard(case.request.id)


async def deal_all(
    trading: Trading, name: str, tell: Tell = lambda _: None
) -> tuple[tuple[Dealt, ...], Stopped | None]:
    """Clip after clip, each judged anew, until all is dealt, one comes to nothing or none may follow."""
    dealt = [await deal(trading, name, tell)]
    office = trading.office
    while dealt[-1].trades and not office.state().traded(name):
        pause = timedelta(minutes=office.mandate().rfq.clip_minutes)
        after_it = max(trade.at for trade in dealt[-1].trades) + pause
        tell(
            f"{office.state().dealt(name)} coins of {name} are dealt, the next clip at {iso(after_it)}"
        )
        await office.clock.wait_until(after_it)
        try:
            dealt.append(await deal(trading, name, tell))
        except Stopped as stopped:
            return tuple(dealt), stopped
    return tuple(dealt), None


def done_before(office: Office, key: Key | None) -> str | None:
    """The request a caller's key has made already; Invalid where it was used for something else."""
    known = None if key is None else office.state().keyed.get(key.key)
    if known is None or key is None:
        return None
    if known.fingerprint != key.fingerprint:
        raise Invalid("this Idempotency-Key was used for something else")
    return known.rfq


def _intended(
    office: Office,
    name: str,
    venue: str,
    key: Key | None,
    busy: set[str],
    *,
    followed: Followed | None = None,
) -> Case:
    """Every check, and the intent on the disk: nothing has been sent yet.

    The request is among the ``busy`` before anybody can read of it, so that nobody settles what is only
    about to be sent.
    """
    while True:
        with office.deciding(), suppress(Moved):
            return _intended_once(office, name, venue, key, busy, followed=followed)


def _intended_once(
    office: Office,
    name: str,
    venue: str,
    key: Key | None,
    busy: set[str],
    *,
    followed: Followed | None,
) -> Case:
    """One try of it; Moved where somebody wrote since its first look."""
    before = done_before(office, key)
    if before is not None:
        raise Twice(before)
    adopting.require(office)
    proposal, approval = _approved(office, name)
    found, rated = _again(office, proposal, venue=venue)
    request = _request(office, proposal, approval, found, rated, followed=followed)
    intent: Json = {
        "request": to_json(request),
        "proposal": proposal.id,
        "venue": venue,
        "marks": marks_at(office, request.structure, office.now()),
    }
    if key is not None:
        intent["key"] = {"key": key.key, "fingerprint": key.fingerprint}
    if followed is not None:
        intent["follows"] = followed.rfq
        if followed.bound is not None:
            intent["bound"] = str(followed.bound)
    bearing = office.state().bearing
    busy.add(request.id)
    try:
        office.record(Draft("asked", intent), at=office.now())
    except BaseException:
        busy.discard(request.id)
        raise
    return Case(request, proposal, found, bearing, followed)


class Twice(Exception):
    """A caller's key has made a request already, whose id this is."""


def judged(office: Office, name: str, venue: str | None = None) -> tuple[Request, Rated]:
    """The request that would be sent, after every check, with nothing sent: the dry run."""
    users.allowed(office, users.Action.READ)
    proposal, approval = _approved(office, name)
    found, rated = _again(office, proposal, venue=venue)
    return _request(office, proposal, approval, found, rated), rated


def _approved(office: Office, name: str) -> tuple[Proposal, Approval]:
    """A proposal that may be dealt: not dealt yet, approved, under the mandate in force."""
    state = office.state()
    proposal = proposal_of(state, name)
    if state.halted is not None:
        raise Declined(
            f"trading is halted by {state.halted.by}: {state.halted.reason}; headframe resume lifts it"
        )
    if state.traded(name):
        raise Declined(f"{name} was dealt already")
    out = next((one for one in state.live_rfqs() if one.proposal == name), None)
    if out is not None:
        raise Declined(f"{name} is being asked already, by request {out.request.id[:8]} (M-6.3)")
    approval = state.approvals.get(name)
    if approval is None:
        raise Pending(f"{name} waits for an approval: headframe approve {name} --as APPROVER")
    if approval.mandate_sha256 != state.mandate_sha256:
        raise Declined(f"the mandate changed after {name} was approved (M-1.1): approve it again")
    held = production.version_of(state, proposal.forecast_id)
    if proposal.closes:
        return proposal, approval
    if held.approved_by is None or state.forecast_in_force != held.id:
        raise Declined(
            f"{name} stands on {held.id}, which is not the approved forecast in force "
            f"({state.forecast_in_force}); run headframe plan again"
        )
    return proposal, approval


def _again(
    office: Office, proposal: Proposal, but: str | None = None, venue: str | None = None
) -> tuple[Situation, Rated]:
    """The proposal priced and judged on the market now; Declined names every clause against it.

    ``but`` is the request being awarded: it is not in its own way.
    """
    place = venue or proposal.facts.venue
    book = is_order_book(place)
    if book and not proposal.listed:
        raise Declined(f"{proposal.id}: order books deal what is listed; this is asked as a block")
    if proposal.closes:
        case = closing.again(office, proposal, but, venue)
        _lawful(proposal, *case)
        return case
    if proposal.replaces:
        case = switching.again(office, proposal, but, venue)
        _lawful(proposal, *case)
        return case
    margined = office.settings().venue.name
    cleared = proposal.kind.is_future or book
    if cleared and place.removesuffix(ORDER_BOOK) not in {margined, "voice"}:
        raise Declined(
            f"{proposal.id}: what is margined by a venue is at one, {margined}, not at {place}"
        )
    found, _ = programme.situation(
        office, proposal.preparer, but=but, venue=place, proposal=proposal.id
    )
    left = proposal.size - office.state().dealt(proposal.id)
    most = found.mandate.rfq.clip_coins_max
    bucket = Bucket(
        expiry=proposal.expiry,
        listed=proposal.listed,
        needs=proposal.needs,
        clip=next_clip(left, None if most is None else Decimal(repr(most))),
    )
    rated = rate_again(found, bucket, proposal.kind)
    if rated is None:
        raise Declined(f"{proposal.id}: this hedge can no longer be priced on the market")
    _lawful(proposal, found, rated)
    return found, rated


def _lawful(proposal: Proposal, found: Situation, rated: Rated) -> None:
    verdict = judge(found.mandate, rated.facts, Stage.ASK)
    if not verdict.allowed:
        raise Declined(f"{proposal.id}: " + "; ".join(str(b) for b in verdict.breaches if b.blocks))


def _request(
    office: Office,
    proposal: Proposal,
    approval: Approval,
    found: Situation,
    rated: Rated,
    *,
    followed: Followed | None = None,
) -> Request:
    one = rated.candidate
    named = proposal.closes and not one.kind.is_future
    disclosed = found.mandate.rfq.disclosed or found.by_book or bool(named)
    if not disclosed and not one.kind.is_future:
        raise Declined(
            f"{proposal.id}: an anonymous answer names no dealer, and this hedge would draw on a dealer's "
            "line (M-4.2): set disclosed = true in the mandate, or hedge with listed futures"
        )
    panel = next_panel(rated.panel, followed)
    if len(panel) < len(rated.panel) and len(panel) < found.mandate.rfq.dealers_min:
        raise Declined(
            f"{proposal.id}: {len(panel)} dealers are left to ask, M-6.1 asks for "
            f"{found.mandate.rfq.dealers_min}"
        )
    state = office.state()
    identity = f"{state.seed}:{state.head.hash}:{proposal.id}"
    made = open_request(
        proposal.envelope,
        sha256(canonical(to_json(proposal.envelope))),
        approval,
        one.structure,
        request_id=sha256(identity)[:24] + adopting.approval_tag(approval),
        direction=Direction.BUY if one.bought else Direction.SELL,
        size=one.size,
        amount=one.amount,
        panel=panel,
        disclosed=disclosed,
        at=office.now(),
        response_seconds=found.mandate.rfq.response_seconds,
        reference=one.mid,
        gross=one.gross,
        forward=one.forward_usd,
        spot=Decimal(repr(found.snapshot.index)),
        accounts=_accounts(office, found, one),
        hedge=one.hedge,
    )
    if isinstance(made, tuple):
        reasons = ", ".join(str(reason) for reason in made)
        raise Declined(
            f"{proposal.id} left its approved envelope: {reasons}; run headframe plan again"
        )
    if proposal.replaces or proposal.closes or not made.buys:
        return made
    return replace(made, limit=min(made.limit, worst_by_mandate(found, one)))


def _accounts(office: Office, found: Situation, one: Candidate) -> tuple[Part, ...]:
    """The block shared out to the venue's accounts as the settings say; an order in a book is not shared."""
    venue = None if found.by_book else office.settings().venue_of(found.venue)
    if venue is None or not venue.accounts:
        return ()
    step = _USD_STEP if one.kind.is_future else _COIN_STEP
    parts = shared_out(one.amount, [Decimal(repr(each.share)) for each in venue.accounts], step)
    return tuple(
        Part(account=each.name, user_id=each.user_id, amount=part)
        for each, part in zip(venue.accounts, parts, strict=True)
        if part
    )


async def _asked(trading: Trading, case: Case, tell: Tell, watch: Watch | None) -> Dealt:
    office, request = trading.office, case.request
    dealers = "dealer" if len(request.panel) == 1 else "dealers"
    tell(f"asked {len(request.panel)} {dealers}: {', '.join(request.panel)}")
    opened = await _opened(trading, request)
    swept = await _swept(trading, request)
    try:
        ladder, decision = await decide(trading, case, opened, tell, watch)
    except (Unreachable, Malformed, Refused) as error:
        raise lost(office, request, error) from error
    on = OnTheWay(case, opened, ladder)
    moved(
        office,
        request,
        RfqStep.QUOTED,
        ladder=ladder_json(ladder),
        **accepted_record(case, decision),
    )
    if isinstance(decision, LateDecision):
        if decision.action is LateAction.REFUSE:
            kept = late_json(case.found.mandate.rfq.late_quotes, decision)
            return await leave(trading, on, decision.reason, late=kept)
        return await end_to_ask_again(trading, on, decision)
    if not isinstance(decision, Award):
        rules = rules_of(request, case.found, matches=trading.venue.matches)
        rules = bounded(rules, case.followed)
        price = resting_price(ladder, rules, tick=request.tick)
        if decision is not NoAward.ALL_REJECTED or price is None or not _may_rest(trading, case):
            return await leave(trading, on, str(decision))
        still = partial(_void, office, case, float(price), opened)
        return await rest(trading, on, price, swept, still)
    still = partial(_void, office, case, decision.winner.price, opened)
    return await take(trading, on, decision, swept, still)


def _may_rest(trading: Trading, case: Case) -> bool:
    """Whether the mandate and the venue allow a price to rest."""
    return case.found.mandate.rfq.resting and trading.venue.rests


async def _opened(trading: Trading, request: Request) -> Opened:
    """The request as the venue took it. A refusal is believed when the venue knows nothing of our id."""
    office, venue = trading.office, trading.venue
    try:
        closed = await venue.closed(request)
    except Broken as error:
        closed = f"whether {venue.name} takes it could not be asked: {error}"
    if closed:
        moved(office, request, RfqStep.OPEN_REFUSED, outcome=closed)
        raise Declined(closed)
    try:
        opened = await venue.open(request)
    except Refused as refusal:
        try:
            finding = await venue.find(request.id)
            if finding is not None:
                await ended(trading, finding.venue_id, request)
        except (Unreachable, Malformed, Refused) as error:
            raise lost(office, request, error) from error
        moved(office, request, RfqStep.OPEN_REFUSED, outcome=str(refusal))
        raise Declined(str(refusal)) from refusal
    except (Unreachable, Malformed) as error:
        raise lost(office, request, error) from error
    moved(office, request, RfqStep.OPENED, venue_id=opened.venue_id)
    return opened


def _void(office: Office, case: Case, price: float, opened: Opened) -> str:
    """Why the award may not be made at the moment it is made; empty when it may.

    The approval and its envelope, the mandate's version, a stop, a fresh market, the price against a
    second reference; and where anything came into the journal since the request that bears on credit,
    margin or the market, the whole judgment again.
    """
    state, request = office.state(), case.request
    if state.halted is not None:
        return f"trading was halted while quotes were out: {state.halted.reason}"
    if request.approval.mandate_sha256 != state.mandate_sha256:
        return "the mandate changed while quotes were out (M-1.1)"
    assert state.market is not None
    exact = Decimal(repr(price))
    reasons = outside(
        case.proposal.envelope,
        request.structure,
        size=request.size,
        price=exact,
        bought=request.direction is Direction.BUY,
        spot=Decimal(repr(state.market.index)),
        at=office.now(),
    )
    beyond = exact > request.limit if request.buys else exact < request.limit
    words = ", ".join(str(reason) for reason in reasons) or (str(Outside.PRICE) if beyond else "")
    if words:
        return f"the award would leave its approved envelope: {words}"
    if opened.mark is not None and abs(price - opened.mark) > 2.0 * distance_of(
        request, case.found
    ):
        return f"the price lies too far from the venue's own mark of {opened.mark:g}"
    try:
        programme.fresh(office)
        if state.bearing != case.bearing:
            _again(office, case.proposal, but=request.id, venue=case.found.venue)
    except Stopped as error:
        return str(error)
    return ""


async def _swept(trading: Trading, request: Request) -> float | None:
    """What taking the size out of the lit book would cost: worth knowing, never worth failing for."""
    try:
        return await trading.venue.sweep(request)
    except (Unreachable, Malformed, Refused):
        return None
