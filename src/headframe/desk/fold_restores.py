"""The fold of restores: a journal that began again at a backup, venues' records adopted, trades set aside."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from headframe.codec import from_json
from headframe.desk.known import Restored, Stray
from headframe.desk.ports import JournalBroken, Record
from headframe.desk.state import State
from headframe.units import instant


def _restored(state: State, record: Record) -> None:
    body = record.body
    if body["backup"] != str(state.head):
        raise JournalBroken(f"event {record.seq}: restored from {body['backup'][:80]}")
    state.restored = Restored(
        head=body["backup"], since=instant(body["since"]), at=record.at, lineage=body["lineage"]
    )


def _adopted(state: State, record: Record) -> None:
    """A venue's record was read, or attested by a person: what could not be adopted stands as stray."""
    body = record.body
    for row in body["strays"]:
        stray = from_json(Stray, row)
        state.strays[stray.id] = stray
    for name in body["adopted"]:
        state.strays.pop(name, None)
    held = state.restored
    if held is not None and body["venue"] not in held.reconciled:
        state.restored = replace(held, reconciled=(*held.reconciled, body["venue"]))


def _dismissed(state: State, record: Record) -> None:
    name = record.body["stray"]
    del state.strays[name]
    state.dismissed[name] = record.body["reason"]


RESTORES: Mapping[str, Callable[[State, Record], None]] = MappingProxyType(
    {"restored": _restored, "adopted": _adopted, "stray_dismissed": _dismissed}
)
