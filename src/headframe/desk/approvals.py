"""Approving a proposal: another person, the same terms, the mandate in force."""

from dataclasses import replace

from headframe.codec import canonical, sha256, to_json
from headframe.desk import production, users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, NotFound
from headframe.desk.state import State
from headframe.hedge import ContractEnvelope, Proposal, worst_debit_share
from headframe.mandate import Approval, Facts, Stage, approve, judge
from headframe.rfq import Envelope


def proposal_of(state: State, name: str) -> Proposal:
    """A proposal by its id, or NotFound naming those that are open."""
    proposal = state.proposals.get(name)
    if proposal is None:
        known = ", ".join(key for key in state.proposals if not state.traded(key)) or "none"
        raise NotFound(f"no proposal {name[:20]!r}; open: {known}")
    return proposal


def forecast_drafts(state: State, name: str, forecast_id: str, person: str) -> list[Draft]:
    """The approval of the forecast that a proposal or contract stands on, where nobody gave it yet."""
    held = production.version_of(state, forecast_id)
    if state.forecast_in_force != held.id:
        raise Declined(
            f"{name} stands on {held.id}, and {state.forecast_in_force} is in force; make it again"
        )
    if held.approved_by is not None:
        return []
    refusal = production.refused(state, held, person)
    if refusal:
        raise Declined(f"{name} stands on {held.id}, which is not approved: {refusal}")
    return [production.approval_draft(held)]


@serialised
def give(office: Office, name: str) -> Approval:
    """Approve a proposal's envelope; Declined names the clause where the mandate says no.

    The facts of the proposal are judged again under the mandate in force, and the hash of the
    envelope is computed again from its terms.
    """
    person = users.allowed(office, users.Action.APPROVE)
    state = office.state()
    proposal = proposal_of(state, name)
    if state.traded(name):
        raise Declined(f"{name} was dealt already")
    if proposal.mandate_sha256 != state.mandate_sha256:
        raise Declined(f"{name} was made under another mandate (M-1.1); run headframe plan again")
    # the worst price of the envelope is what is approved: it keeps M-5.4 too, fees in
    facts = replace(proposal.facts, debit_share=worst_debit_share(proposal))
    given = approval(
        office, name, facts, proposal.envelope, preparer=proposal.preparer, person=person
    )
    stands_on = (
        [] if proposal.closes else forecast_drafts(state, name, proposal.forecast_id, person)
    )
    drafts = [*stands_on, Draft("approved", {"approval": to_json(given)})]
    office.record(*drafts, at=given.at)
    return given


def approval(
    office: Office,
    name: str,
    facts: Facts,
    envelope: Envelope | ContractEnvelope,
    *,
    preparer: str,
    person: str,
) -> Approval:
    """The approval of an envelope by a person, its facts judged again under the mandate in force.

    Declined where the terms are out of date, the mandate refuses them, or the person may not approve them.
    """
    mandate, at = office.mandate(), office.now()
    if at >= envelope.valid_until:
        raise Declined(f"the terms of {name} are out of date (M-8.4); make it again")
    verdict = judge(mandate, facts, Stage.PROPOSE)
    if not verdict.allowed:
        raise Declined(f"{name}: " + "; ".join(str(b) for b in verdict.breaches if b.blocks))
    given = approve(
        verdict,
        mandate.people,
        proposal=name,
        preparer=preparer,
        approver=person,
        envelope_sha256=sha256(canonical(to_json(envelope))),
        mandate_sha256=office.state().mandate_sha256,
        at=at,
    )
    if not isinstance(given, Approval):
        raise Declined(f"{name} is not approved: {given}")
    return given
