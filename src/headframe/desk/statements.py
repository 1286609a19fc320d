"""Statements held against the books as they stood, and the breaks that are open."""

from collections.abc import Sequence
from datetime import datetime

from headframe.book import Break, Ledger, Matched, Stated, match
from headframe.codec import to_json
from headframe.desk import users
from headframe.desk.fold import fold
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, Invalid
from headframe.desk.state import State
from headframe.units import Money, Wrong, iso


@serialised
def take(office: Office, stated: Sequence[Stated], source: str) -> Matched:
    """Hold a statement against the ledger at each balance's own instant; keep what came of it, all or none.

    A break stays open, with its age, until a later statement of the same balance agrees.
    """
    users.allowed(office, users.Action.REVIEW)
    state, at = office.state(), office.now()
    late = [one for one in stated if one.at > at]
    if late:
        raise Invalid(f"{source} states a balance of {iso(late[0].at)}, after our {iso(at)}")
    unknown = sorted(
        {one.account for one in stated} - {key[0] for key, _ in state.ledger.balances()}
    )
    if unknown:
        raise Invalid(
            f"{source} names accounts the ledger does not know: {', '.join(unknown[:5])[:200]}"
        )
    ledgers = _ledgers(office, sorted({one.at for one in stated}))

    def ours(one: Stated) -> Money:
        return ledgers[one.at].balance(one.account, one.balance.currency)

    owner = state.mandate.people.approvers[0] if state.mandate else office.user
    try:
        found = match(stated, ours, state.breaks, source=source[:200], owner=owner)
    except Wrong as error:
        raise Invalid(str(error)) from error
    body = {
        "source": source[:200],
        "agreed": list(found.agreed),
        "breaks": [to_json(one) for one in found.breaks],
    }
    office.record(Draft("statement", body), at=at)
    return found


def open_breaks(office: Office) -> tuple[Break, ...]:
    """Breaks that stand, the oldest first."""
    users.allowed(office, users.Action.READ)
    return tuple(sorted(office.state().breaks.values(), key=lambda one: one.since))


def _ledgers(office: Office, instants: Sequence[datetime]) -> dict[datetime, Ledger]:
    """The ledger as it stood at each instant, in one pass over the journal."""
    found: dict[datetime, Ledger] = {}
    state = State()
    waiting = list(instants)
    for record in office.journal.read():
        while waiting and record.at > waiting[0]:
            found[waiting.pop(0)] = state.ledger.copy()
        fold(state, [record])
    for at in waiting:
        found[at] = state.ledger.copy()
    return found
