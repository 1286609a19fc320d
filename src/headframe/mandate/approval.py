"""An approval: a value that only this room can make, and that a request for quotes demands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from headframe.mandate.policy import People
from headframe.mandate.verdict import Verdict
from headframe.units import Wrong

_SEAL = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Approval of exactly one envelope of terms, under one version of the mandate, until an instant."""

    proposal: str
    envelope_sha256: str
    mandate_sha256: str
    preparer: str
    approver: str
    at: datetime
    expires_at: datetime
    seal: object

    def __post_init__(self) -> None:
        assert self.seal is _SEAL, "only the mandate can make an approval"
        assert self.preparer != self.approver


class NoApproval(StrEnum):
    """Why an approval was not given, in order of precedence."""

    VERDICT_REFUSES = "the mandate refuses the proposal"
    NOT_AN_APPROVER = "the person is not among the mandate's approvers (M-8.2)"
    SAME_PERSON = "preparer and approver are the same person (M-8.3)"


def approve(
    verdict: Verdict,
    people: People,
    *,
    proposal: str,
    preparer: str,
    approver: str,
    envelope_sha256: str,
    mandate_sha256: str,
    at: datetime,
) -> Approval | NoApproval:
    """An approval of these terms by another person than their preparer, or the reason there is none."""
    if not verdict.allowed:
        return NoApproval.VERDICT_REFUSES
    if approver not in people.approvers:
        return NoApproval.NOT_AN_APPROVER
    if _person(approver) == _person(preparer):
        return NoApproval.SAME_PERSON
    return Approval(
        proposal=proposal,
        envelope_sha256=envelope_sha256,
        mandate_sha256=mandate_sha256,
        preparer=preparer,
        approver=approver,
        at=at,
        expires_at=at + timedelta(minutes=people.approval_minutes),
        seal=_SEAL,
    )


def _person(name: str) -> str:
    """A person, however the name is typed."""
    return name.strip().casefold()


def recall_approval(
    *,
    proposal: str,
    envelope_sha256: str,
    mandate_sha256: str,
    preparer: str,
    approver: str,
    at: datetime,
    expires_at: datetime,
) -> Approval:
    """An approval given before, as the journal remembers it; for the codec alone."""
    if preparer == approver:
        raise Wrong(f"the approval of {proposal} is by {approver}, who prepared it (M-8.3)")
    return Approval(
        proposal=proposal,
        envelope_sha256=envelope_sha256,
        mandate_sha256=mandate_sha256,
        preparer=preparer,
        approver=approver,
        at=at,
        expires_at=expires_at,
        seal=_SEAL,
    )
