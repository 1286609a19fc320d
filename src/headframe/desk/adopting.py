"""After a restore: what venues dealt since the backup is adopted, or stands as stray, before anything trades.

A journal that was brought back from a backup does not know what was dealt after it; a folder that was copied
does not know what the other copy deals. The venue's own record is the evidence. What carries our own id and
matches one approved proposal is booked as that proposal's trade; everything else stands as a stray trade
until an approver sets it aside with a reason. Where there is no record (voice) a person attests.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from headframe.codec import canonical, sha256, to_json
from headframe.desk import fencing, users
from headframe.desk.known import Restored, Stray
from headframe.desk.office import Office, Trading, serialised
from headframe.desk.ports import (
    Declined,
    Draft,
    Invalid,
    Json,
    Malformed,
    Moved,
    NotFound,
    OutcomeUnknown,
    Refused,
    Unreachable,
    VenueDeal,
)
from headframe.desk.state import State
from headframe.hedge import Proposal
from headframe.mandate import ORDER_BOOK, Approval
from headframe.rfq import Direction, Request, RfqStep, outside

VOICE = "voice"
"""Where no venue keeps a record; contracts on a schedule are dealt there too."""
MARGIN = timedelta(minutes=10)
"""How long before the backup's last event a venue's record is read from: clocks differ."""
_LABEL = 32
"""Characters of our own ids."""
_TAG = 8
"""Characters of them that say under which approval: a 32-bit hash."""
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What reading one venue's record came to: trades adopted, by request, and those that stand as stray."""

    venue: str
    adopted: tuple[str, ...]
    strays: tuple[Stray, ...]


def missing(office: Office) -> tuple[str, ...]:
    """The venues whose record since the last restore is neither read nor attested."""
    held = office.state().restored
    if held is None:
        return ()
    settings = office.settings()
    names = [one.name for one in (settings.venue, *settings.venues)]
    return tuple(one for one in (*dict.fromkeys(names), VOICE) if one not in held.reconciled)


def require(office: Office) -> None:
    """Raise OutcomeUnknown where a restore or a stray trade stands between the desk and trading."""
    waiting, state = missing(office), office.state()
    if waiting and state.restored is not None:
        raise OutcomeUnknown(
            f"this journal was restored from a backup of {state.restored.since:%Y-%m-%d %H:%M} UTC: what was "
            f"dealt since is not known at {', '.join(waiting)}; {_remedy(waiting)}"
        )
    if state.strays:
        raise OutcomeUnknown(
            f"{', '.join(state.strays)}: dealt at the venue and not in this journal; headframe reconcile "
            "shows why, and --dismiss sets one aside"
        )


def require_trader(office: Office) -> str:
    """Return the acting person, who may trade here and now."""
    person = users.allowed(office, users.Action.TRADE)
    require(office)
    return person


def _remedy(waiting: Sequence[str]) -> str:
    steps: list[str] = []
    if set(waiting) - {VOICE}:
        steps.append("headframe reconcile reads the venues' records")
    if VOICE in waiting:
        steps.append('headframe reconcile --attest "REASON" says what was dealt by voice')
    return "; ".join(steps)


async def require_known(trading: Trading, name: str) -> None:
    """Raise OutcomeUnknown where a venue shows a trade under this approval that is not in this journal."""
    given = trading.office.state().approvals.get(name)
    if given is None:
        return
    tag = approval_tag(given)
    for line in _lines(trading):
        for deal in await _record(line, given.at - MARGIN, main=line.venue is trading.venue):
            if deal.label.endswith(tag) and _unknown(trading.office.state(), line, deal):
                raise OutcomeUnknown(
                    f"{line.venue.name} shows {deal.venue_id} dealt at {deal.at:%Y-%m-%d %H:%M} UTC under "
                    f"the approval of {name}, and it is not in this journal: is this folder a copy? "
                    "headframe reconcile adopts it"
                )


def approval_tag(approval: Approval) -> str:
    """Return what ends every id of a request under an approval: any copy of the journal knows it again."""
    return sha256(canonical(to_json(approval)))[:_TAG]


def _lines(trading: Trading) -> Iterable[Trading]:
    for place in (trading.venue.name, *trading.others):
        line = trading.at(place)
        assert line is not None
        yield line


async def _record(line: Trading, since: datetime, *, main: bool) -> tuple[VenueDeal, ...]:
    """What a place on the line dealt since an instant; one beside the main place may keep no record."""
    coin = line.office.settings().operation.coin
    try:
        return await line.venue.dealt(since, coin)
    except Refused as error:
        if main and line.venue.name != VOICE:
            raise OutcomeUnknown(
                f"{line.venue.name} does not show its record: {error}; nothing is sent"
            ) from error
        return ()
    except (Unreachable, Malformed) as error:
        raise OutcomeUnknown(
            f"what {line.venue.name} dealt is not known: {error}; nothing new is sent"
        ) from error


def _unknown(state: State, line: Trading, deal: VenueDeal) -> bool:
    """Whether a trade carries an id like ours and is neither in the journal nor set aside."""
    ours = len(deal.label) == _LABEL and deal.label.isalnum()
    name = f"{line.venue.name}:{deal.venue_id}"
    return ours and deal.label not in state.rfqs and name not in state.dismissed


async def adopt(trading: Trading, tell: fencing.Tell = lambda _: None) -> tuple[Adoption, ...]:
    """Read the record of every place on the line since the restore, and adopt what this journal lacks.

    Without a restore the record since the workspace was opened is read, for trades under an approval of this
    journal: a copy of the folder may have made them. Nothing is sent. A trade that
    matches one approved proposal is booked from the venue's evidence; any other stands as stray.
    """
    office = trading.office
    users.allowed(office, users.Action.TRADE)
    await fencing.reconcile_at(trading, tell, trading.dealing())
    state = office.state()
    since = _since(state)
    made: list[Adoption] = []
    for line in _lines(trading):
        deals = await _record(line, since, main=line.venue is trading.venue)
        tags = None if state.restored else {approval_tag(one) for one in state.approvals.values()}
        fresh = [
            one
            for one in deals
            if _unknown(office.state(), line, one) and (tags is None or one.label[-_TAG:] in tags)
        ]
        done = [await _adopted(line, one, tell) for one in fresh]
        strays = tuple(one for one in done if isinstance(one, Stray))
        adopted = tuple(one for one in done if isinstance(one, str))
        names = tuple(f"{line.venue.name}:{deal.venue_id}" for deal in deals)
        found = Adoption(venue=line.venue.name, adopted=adopted, strays=strays)
        _keep(office, found, known=names)
        made.append(found)
    return tuple(made)


def _since(state: State) -> datetime:
    held: Restored | None = state.restored
    begun = state.opened or state.clock
    assert begun is not None
    return (held.since if held is not None else begun) - MARGIN


@serialised
def _keep(office: Office, found: Adoption, known: tuple[str, ...]) -> None:
    """Write down that a venue's record was read, where that changes anything."""
    state = office.state()
    ended = [
        name for name, stray in state.strays.items() if name in known and stray.label in state.rfqs
    ]
    fresh = [one for one in found.strays if state.strays.get(one.id) != one]
    main = found.venue.removesuffix(ORDER_BOOK)
    if not fresh and not ended and main not in missing(office):
        return
    body = {
        "venue": found.venue,
        "strays": [to_json(one) for one in fresh],
        "adopted": ended,
        "attested": "",
    }
    office.record(Draft("adopted", body), at=office.now())


async def _adopted(line: Trading, deal: VenueDeal, tell: fencing.Tell) -> Stray | str:
    """Book a trade as that of the one approved proposal it matches; else why it stands as stray."""
    office = line.office
    found = _request_of(office.state(), line.venue.name, deal)
    if isinstance(found, str):
        return _stray(line, deal, found)
    request, proposal = found
    _ask_again(office, line.venue.name, request, proposal)
    record = office.state().rfqs[request.id]
    await fencing.settle(line, record, tell)
    if not office.state().booked_of(request.id):
        return _stray(line, deal, "the venue lists it as dealt and shows no trade of it")
    return request.id


def _stray(line: Trading, deal: VenueDeal, reason: str) -> Stray:
    return Stray(
        venue=line.venue.name,
        venue_id=deal.venue_id,
        label=deal.label,
        at=deal.at,
        instruments=deal.instruments,
        amount=deal.amount,
        reason=reason,
    )


def _ask_again(office: Office, venue: str, request: Request, proposal: str) -> None:
    """The intent of a request that was sent after the backup, as the venue knows it: its end is not known."""
    words = "sent after the backup; adopted from the venue's record"
    while True:
        try:
            with office.deciding():
                at = max(office.now(), request.opened_at)
                office.state()
                office.record(
                    Draft(
                        "asked",
                        {"request": to_json(request), "proposal": proposal, "venue": venue},
                    ),
                    Draft(
                        "rfq",
                        {"rfq": request.id, "step": str(RfqStep.LOST_SIGHT), "outcome": words},
                    ),
                    at=at,
                )
        except Moved:
            continue
        return


def _request_of(state: State, venue: str, deal: VenueDeal) -> tuple[Request, str] | str:
    """The request that a trade must have come of and its proposal, or why there is not exactly one."""
    if deal.hedged:
        return "it has a hedge leg, whose terms only the lost request knew"
    names = set(deal.instruments)
    alike = [
        one
        for one in state.proposals.values()
        if {leg.instrument.name for leg in one.structure.legs} == names and not state.traded(one.id)
    ]
    if not alike:
        return "no open proposal has these instruments"
    fits = [one for one in alike if one.id in state.approvals and _within(state, one, deal)]
    if not fits:
        return f"{alike[0].id} has these instruments and no approval in this journal that covers it"
    if len(fits) > 1:
        return f"{', '.join(one.id for one in fits)} all fit"
    assert venue
    return _made(state, fits[0], deal), fits[0].id


def _within(state: State, proposal: Proposal, deal: VenueDeal) -> bool:
    """Whether a trade of this amount and instant lies inside a proposal's approved envelope."""
    given, envelope = state.approvals[proposal.id], proposal.envelope
    size = (proposal.size * deal.amount / proposal.amount).quantize(proposal.size)
    return (
        sha256(canonical(to_json(envelope))) == given.envelope_sha256
        and deal.at < given.expires_at
        and state.dealt(proposal.id) + size <= proposal.size
        and not outside(
            envelope,
            proposal.structure,
            size=size,
            price=None,
            bought=proposal.bought,
            spot=envelope.spot_low,
            at=deal.at,
        )
    )


def _made(state: State, proposal: Proposal, deal: VenueDeal) -> Request:
    """The request as it must have been sent, with our own id from the venue's record."""
    return Request(
        id=deal.label,
        approval=state.approvals[proposal.id],
        envelope_sha256=proposal.envelope_sha256,
        structure=proposal.structure,
        direction=Direction.BUY if proposal.bought else Direction.SELL,
        size=(proposal.size * deal.amount / proposal.amount).quantize(proposal.size),
        amount=deal.amount,
        panel=proposal.panel,
        disclosed=True,
        opened_at=deal.at,
        respond_by=deal.at + timedelta(seconds=1),
        limit=proposal.envelope.price_worst,
        reference=proposal.mid,
        gross=proposal.gross,
        forward=proposal.forward_usd,
    )


@serialised
def attest(office: Office, venue: str, reason: str) -> str:
    """Say for a venue that keeps no record, or cannot be reached any more, that all its trades are booked.

    By an approver, with a reason that is kept for ever.
    """
    person = users.allowed(office, users.Action.APPROVE)
    _approver(office, person)
    _said(reason)
    waiting = missing(office)
    if venue not in waiting:
        raise NotFound(
            f"nothing of {venue[:40]!r} waits to be attested; waiting: {', '.join(waiting) or 'none'}"
        )
    body: Json = {"venue": venue, "strays": [], "adopted": [], "attested": reason}
    office.record(Draft("adopted", body), at=office.now())
    return person


@serialised
def dismiss(office: Office, name: str, reason: str) -> str:
    """Set a stray trade aside: an approver says, for ever, why it is no trade of these books."""
    person = users.allowed(office, users.Action.APPROVE)
    _approver(office, person)
    _said(reason)
    strays = office.state().strays
    if name not in strays:
        raise NotFound(f"no stray trade {name[:60]!r}; standing: {', '.join(strays) or 'none'}")
    office.record(Draft("stray_dismissed", {"stray": name, "reason": reason}), at=office.now())
    return person


def _approver(office: Office, person: str) -> None:
    approvers = office.mandate().people.approvers
    if person not in approvers:
        raise Declined(f"{person} is not among the mandate's approvers (M-8.2)")


def _said(reason: str) -> None:
    if not reason.strip() or len(reason) > _LONGEST or not reason.isprintable():
        raise Invalid(f"a reason is one line of at most {_LONGEST} characters")
