"""Every trade of a journal held against its approval, and every approval against what it approved.

From the events alone, in their order, and from the texts as they were written: an envelope's hash is
computed from the proposal's own event. Nothing here believes what the program checked when it dealt.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from headframe.codec import canonical, from_json, sha256
from headframe.desk.known import Amendment, ContractRecord, RfqRecord
from headframe.desk.ports import Fault, Json, Record
from headframe.desk.state import State
from headframe.mandate import Approval
from headframe.rfq import Direction, Fill, Request, RfqState, RfqStep, outside

_ROUNDING = Decimal("0.00000001")
"""What the parts of a request may exceed it by, each rounded to a satoshi."""


class Entitlement:
    """The approvals of a journal read so far; ``faults`` is asked of each event before it is folded."""

    def __init__(self) -> None:
        self._envelopes: dict[str, str] = {}
        self._contracts: dict[str, str] = {}
        self._filled: dict[str, Decimal] = {}
        self._checks: Mapping[str, Callable[[State, Record], Iterator[str]]] = {
            "proposed": self._proposed,
            "approved": self._approved,
            "asked": self._asked,
            "rfq": self._awarded,
            "filled": self._filled_by,
            "dealt_also": self._filled_by,
            "closed_out": self._filled_by,
            "closed_also": self._filled_by,
            "switched": self._filled_by,
            "switched_also": self._filled_by,
            "contract_approved": self._contract_approved,
            "contract_dealt": self._contract_dealt,
            "amendment_approved": self._amended,
            "contract_closed": self._contract_closed,
        }

    def faults(self, state: State, record: Record) -> Iterator[Fault]:
        """Each way in which an event lacks the approval it needs; ``state`` is the one before it."""
        check = self._checks.get(record.kind)
        if check is None:
            return
        try:
            for words in check(state, record):
                yield Fault(record.seq, words)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            yield Fault(record.seq, f"its approval cannot be checked: {error}")

    def _proposed(self, _: State, record: Record) -> Iterator[str]:
        body: Json = record.body["proposal"]
        name = body["id"]
        if name in self._envelopes:
            yield f"{name} is proposed a second time"
        self._envelopes[name] = _hash(body["envelope"])
        if self._envelopes[name] != body["envelope_sha256"]:
            yield f"the envelope of {name} is not the one hashed in its proposal"
        if any(row.get("blocks", True) for row in body["verdict"]["breaches"]):
            yield f"{name} is proposed although the mandate refused it"

    def _approved(self, state: State, record: Record) -> Iterator[str]:
        approval = from_json(Approval, record.body["approval"])
        known = self._envelopes.get(approval.proposal)
        if known is None:
            yield f"approves {approval.proposal}, which no event before it proposes"
            return
        if state.proposals[approval.proposal].preparer != approval.preparer:
            yield f"approves {approval.proposal} for another preparer than proposed it"
        yield from _given(state, record, approval, known)

    def _asked(self, state: State, record: Record) -> Iterator[str]:
        request, name = from_json(Request, record.body["request"]), record.body["proposal"]
        given = state.approvals.get(name)
        if given is None or name not in self._envelopes:
            yield f"asks for {name} without an approval of it"
            return
        if request.approval != given:
            yield f"asks for {name} under another approval than the journal's"
        if request.envelope_sha256 != self._envelopes[name]:
            yield f"asks for {name} on other terms than were approved"
        if request.opened_at >= given.expires_at:
            yield f"asks for {name} after its approval has ended"
        yield from self._inside(state, name, request, None)
        yield from _follows(state, record)

    def _awarded(self, state: State, record: Record) -> Iterator[str]:
        """An award is decided while its envelope holds."""
        if record.body["step"] != RfqStep.INTEND_AWARD:
            return
        known = state.rfqs[record.body["rfq"]]
        proposal = state.proposals.get(known.proposal)
        if proposal is None or record.at >= proposal.envelope.valid_until:
            yield f"awards {known.proposal} after the life of its envelope"

    def _filled_by(self, state: State, record: Record) -> Iterator[str]:
        known = state.rfqs.get(record.body["rfq"])
        if known is None:
            yield "a trade of a request that no event asks"
            return
        request, name = known.request, known.proposal
        fill = from_json(Fill, record.body["fill"])
        given = state.approvals.get(name)
        if given is None or name not in self._envelopes:
            yield f"a trade of {name} without an approval"
            return
        yield from self._booked(state, record, known)
        asked = request.asked(fill.amount)
        if {leg for leg, _, _ in fill.legs} != set(asked):
            yield f"a trade of {name} in other instruments than were asked"
        yield from self._inside(state, name, request, fill.price)
        done = self._filled.get(request.id, Decimal(0)) + fill.amount
        self._filled[request.id] = done
        if done > request.amount + _ROUNDING:
            yield f"trades of {name} add up to {done}, {request.amount} were asked"

    @staticmethod
    def _booked(state: State, record: Record, known: RfqRecord) -> Iterator[str]:
        """Each way in which what a fill is booked as is not what was approved."""
        name = known.proposal
        dealt = state.dealt(name)
        for part in ("trade", "closing"):
            made = record.body.get(part)
            if made and (made["rfq"] != known.request.id or made["proposal"] not in {name, ""}):
                yield f"{made['id']} is booked to another proposal than was asked, {name}"
            if made and made["proposal"] == name:
                dealt += Decimal(made["size"])
        if dealt > state.proposals[name].size + _ROUNDING:
            yield f"{dealt} coins of {name} are dealt, {state.proposals[name].size} were approved"

    @staticmethod
    def _inside(state: State, name: str, request: Request, price: Decimal | None) -> Iterator[str]:
        """Each way in which a request, or the price dealt, lies outside the approved envelope."""
        envelope = state.proposals[name].envelope
        wrong = outside(
            envelope,
            request.structure,
            size=request.size,
            price=price,
            bought=request.direction is Direction.BUY,
            spot=envelope.spot_low,  # the spot of then is judged when it is awarded
            at=request.opened_at,
        )
        for reason in wrong:
            yield f"{name} lies outside its approved envelope: {reason}"

    def _contract_approved(self, state: State, record: Record) -> Iterator[str]:
        body: Json = record.body["contract"]
        name = body["id"]
        digest = _hash(body["envelope"])
        drafted = state.contracts.get(name)
        if drafted is None:
            yield f"approves {name}, which no event before it drafts"
            return
        given = from_json(ContractRecord, body).approval
        if given is None:
            yield f"approves {name} without an approval"
            return
        self._contracts[name] = digest
        yield from _given(state, record, given, drafted.envelope_sha256)

    def _contract_dealt(self, state: State, record: Record) -> Iterator[str]:
        body: Json = record.body["contract"]
        name = body["id"]
        drafted = state.contracts.get(name)
        given = None if drafted is None else drafted.approval
        if given is None or name not in self._contracts:
            yield f"deals {name} without an approval of it"
            return
        if _hash(body["envelope"]) != self._contracts[name]:
            yield f"deals {name} on other terms than were approved"
        if record.at >= given.expires_at:
            yield f"deals {name} after its approval has ended"
        held = from_json(ContractRecord, body).held
        if held is None:
            yield f"deals {name} without a contract"
            return
        limit, sells = from_json(ContractRecord, body).envelope.limit, held.contract.terms.forward
        price = held.contract.price
        if (price < limit) if sells is not None else (price > limit):
            yield f"deals {name} at {price}, worse than the approved {limit}"

    def _amended(self, state: State, record: Record) -> Iterator[str]:
        made = from_json(Amendment, record.body["amendment"])
        known = next((one for one in state.amendments if one.number == made.number), None)
        if known is None or not known.open:
            yield f"approves amendment {made.number}, which does not wait"
        elif known.after != made.after:
            yield f"amendment {made.number} is approved on other terms than were proposed"
        if made.by == record.author or made.approved_by != record.author:
            yield f"amendment {made.number} is approved by who proposed it"

    def _contract_closed(self, state: State, record: Record) -> Iterator[str]:
        name = record.body["contract"]["id"]
        known = state.contracts.get(name)
        if known is None or known.closing is None:
            yield f"closes {name}, of which no close was proposed"
        elif known.closing.by == record.author:
            yield f"the close of {name} is approved by who proposed it"


def _follows(state: State, record: Record) -> Iterator[str]:
    """Each way in which a request follows one that it may not follow: only one that has ended, untraded."""
    before = record.body.get("follows")
    if before is None:
        return
    name, known = record.body["proposal"], state.rfqs.get(before)
    if known is None or known.proposal != name:
        yield f"asks for {name} after a request that no event asks for it"
    elif known.state is not RfqState.NO_AWARD or not known.late:
        yield f"asks for {name} after a request that a late quote did not end"


def _given(state: State, record: Record, approval: Approval, envelope: str) -> Iterator[str]:
    """Each way in which an approval is not one of these terms, by an approver, under the mandate in force."""
    name = approval.proposal
    if approval.envelope_sha256 != envelope:
        yield f"the approval of {name} is of another envelope than was proposed"
    if approval.mandate_sha256 != state.mandate_sha256 or state.mandate is None:
        yield f"the approval of {name} is not under the mandate in force"
        return
    if approval.approver != record.author:
        yield f"the approval of {name} is {approval.approver}'s and was written by {record.author}"
    if approval.approver not in state.mandate.people.approvers:
        yield f"{approval.approver} approves {name} and is no approver of the mandate (M-8.2)"


def _hash(body: Json) -> str:
    return sha256(canonical(body))
