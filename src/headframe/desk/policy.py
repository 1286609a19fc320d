"""The mandate: showing, signing, and what a draft changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from headframe.codec import read_mandate, sha256, to_json
from headframe.desk import users
from headframe.desk.office import Office, serialised
from headframe.desk.opening import opening_draft
from headframe.desk.ports import Declined, Draft, Invalid
from headframe.mandate import Mandate

FILE = "mandate.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateView:
    """The mandate in force or, without one, the draft; who signed and who is missing."""

    mandate: Mandate
    sha256: str
    in_force: bool
    signed_by: tuple[tuple[str, datetime], ...]
    missing: tuple[str, ...]
    draft_differs: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that a draft changes."""

    key: str
    before: str
    after: str


def draft(office: Office) -> tuple[Mandate, str]:
    """The mandate as the file says and the hash of its text, or Invalid with all problems."""
    text = office.files.text(FILE)
    found = read_mandate(text)
    if isinstance(found, tuple):
        raise Invalid("\n".join(str(problem) for problem in found))
    return found, text


def show(office: Office) -> MandateView:
    """The mandate in force with its signatures, or the unsigned draft."""
    state = office.state()
    written, text = draft(office)
    mandate, digest = state.mandate, state.mandate_sha256
    if mandate is None:
        mandate, digest = written, sha256(text)
    signed = tuple((one.signer, one.at) for one in state.signatures if one.sha256 == digest)
    names = {name for name, _ in signed}
    return MandateView(
        mandate=mandate,
        sha256=digest,
        in_force=state.mandate is not None,
        signed_by=signed,
        missing=tuple(name for name in mandate.people.signatories if name not in names),
        draft_differs=sha256(text) != digest,
    )


@serialised
def sign(office: Office) -> MandateView:
    """Sign the file as it stands; it is in force when every signatory has signed the same text.

    The signature that puts the first mandate in force opens the ledger with the figures of the files.
    """
    person = users.allowed(office, users.Action.READ)
    state = office.state()
    mandate, text = draft(office)
    if person not in mandate.people.signatories:
        allowed = ", ".join(mandate.people.signatories)
        raise Declined(f"{person} is not a signatory of this mandate; allowed: {allowed} (M-1.1)")
    digest = sha256(text)
    if not any((one.signer, one.sha256) == (person, digest) for one in state.signatures):
        drafts = [Draft("mandate_signed", {"signer": person, "sha256": digest, "text": text})]
        signers = {one.signer for one in state.signatures if one.sha256 == digest} | {person}
        if state.opened is None and signers >= set(mandate.people.signatories):
            drafts.append(opening_draft(office.settings()))
        office.record(*drafts, at=office.now())
    return show(office)


def diff(office: Office) -> tuple[Change, ...]:
    """Every setting in which the file differs from the mandate in force."""
    in_force = office.mandate()
    written, _ = draft(office)
    return changes(in_force, written)


def changes(old: object, new: object) -> tuple[Change, ...]:
    """Return every setting in which two values of one type differ."""
    before, after = dict(_flat("", to_json(old))), dict(_flat("", to_json(new)))
    keys = sorted(before.keys() | after.keys())
    return tuple(
        Change(key, before.get(key, "-"), after.get(key, "-"))
        for key in keys
        if before.get(key) != after.get(key)
    )


def _flat(prefix: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return [row for key, item in pairs for row in _flat(f"{prefix}.{key}".strip("."), item)]
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [r for n, item in enumerate(items, 1) for r in _flat(f"{prefix}[{n}]", item)]
    return [(prefix, str(value))]
