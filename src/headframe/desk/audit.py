"""Is the record whole, do the books balance, and the canonical export that shows it."""

import re
from dataclasses import dataclass

from headframe.codec import canonical, to_json
from headframe.desk import checkpoint
from headframe.desk.dated import dated_postings
from headframe.desk.entitlement import Entitlement
from headframe.desk.fold import fold
from headframe.desk.office import Office
from headframe.desk.ports import Fault, Head, Invalid, JournalBroken, Json, NotFound
from headframe.desk.state import State
from headframe.report import Booked

_ANCHOR = re.compile(r"([0-9]{1,15}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was checked: the chain, the state machines and the ledger."""

    head: Head
    faults: tuple[Fault, ...]
    imbalance: dict[str, int]
    overdrawn: tuple[str, ...]
    checkpoint: str = ""
    """Hash of the workspace's checkpoint, where it follows from the journal."""

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not (self.faults or self.imbalance or self.overdrawn)


def parse_anchor(text: str) -> Head:
    """An anchor as it was printed: COUNT:HASH."""
    match = _ANCHOR.fullmatch(text.strip()) if text.isascii() else None
    if match is None:
        raise Invalid(f"an anchor is written COUNT:HASH as reports print it, was {text[:30]!r}")
    return Head(int(match[1]), match[2])


def verify(office: Office, anchor: Head | None = None) -> Audit:
    """Recompute every hash, replay every event, hold every trade against its approval, sum the books."""
    faults = list(office.journal.verify(anchor))
    state, kept, entitlement, held = State(), _kept(office), Entitlement(), ""
    try:
        for record in office.journal.read():
            faults += entitlement.faults(state, record)
            fold(state, [record])
            if kept is not None and state.head == kept.head:
                if checkpoint.written(state) != checkpoint.written(kept):
                    faults.append(Fault(state.head.count, _NOT_FOLLOWING))
                else:
                    held = kept.cached
                kept = None
    except JournalBroken as error:
        if not faults:
            faults.append(Fault(state.head.count + 1, str(error)))
    return Audit(
        head=office.journal.head() if not faults else state.head,
        faults=tuple(faults),
        imbalance=state.ledger.imbalance(),
        overdrawn=state.ledger.overdrawn(),
        checkpoint=held,
    )


_NOT_FOLLOWING = f"{checkpoint.NAME} does not follow from the journal: delete it"


def _kept(office: Office) -> State | None:
    """The checkpoint of the workspace, if it can be read."""
    try:
        return checkpoint.read(office.files.text(checkpoint.NAME))
    except (NotFound, Invalid):
        return None


def bookings(office: Office) -> tuple[Booked, ...]:
    """Return every transaction of the books by the day it happened, whenever it was recorded."""
    return tuple(
        Booked(part.record.seq, part.at.date(), part.label, part.record.author, part.postings)
        for part in dated_postings(office.journal.read())
    )


def export(office: Office) -> str:
    """The canonical export: every event and the state they fold to, the same bytes on every replay."""
    state = State()
    events: list[Json] = []
    for record in office.journal.read():
        fold(state, [record])
        events.append(
            {
                "seq": record.seq,
                "at": to_json(record.at),
                "author": record.author,
                "kind": record.kind,
                "body": record.body,
                "hash": record.hash,
            }
        )
    return canonical(
        {
            "schema": "headframe/export/1",
            "head": str(state.head),
            "events": events,
            "state": _state(state),
        }
    )


def _state(state: State) -> Json:
    held = {name: one.held for name, one in sorted(state.contracts.items())}
    contracts = {
        name: {str(month): str(coins) for month, coins in one.remaining}
        for name, one in held.items()
        if one is not None
    }
    return ({"contracts": contracts} if contracts else {}) | {
        "balances": [
            [line.account, line.balance.currency.code, str(line.balance)]
            for line in state.ledger.trial_balance()
        ],
        "clock": None if state.clock is None else to_json(state.clock),
        "counterparties": {name: str(stands) for name, stands in sorted(state.standing.items())},
        "mandate_sha256": state.mandate_sha256,
        "proposals": sorted(state.proposals),
        "approvals": sorted(state.approvals),
        "rfqs": {key: str(record.state) for key, record in sorted(state.rfqs.items())},
        "trades": {
            key: {str(month): str(coins) for month, coins in sorted(left.items())}
            for key, left in sorted(state.remaining.items())
        },
        "last_day": None if state.last_day is None else state.last_day.isoformat(),
    }
