"""The fold of contracts on a schedule: drafted, approved, dealt, fixed day by day, closed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from headframe.codec import from_json
from headframe.desk.known import ContractRecord
from headframe.desk.ports import JournalBroken, Record
from headframe.desk.state import State


def fix(state: State, rows: Sequence[Sequence[str]]) -> None:
    """Days of contracts that were fixed: which contract, which day, at what."""
    for name, day, fixing in rows:
        record = state.contracts[name]
        assert record.held is not None
        held, _ = record.held.fixed(date.fromisoformat(day), Decimal(fixing))
        state.contracts[name] = replace(record, held=held)


def _drafted(state: State, record: Record) -> None:
    made = from_json(ContractRecord, record.body["contract"])
    if made.id != f"K-{len(state.contracts) + 1}":
        raise JournalBroken(f"event {record.seq}: {made.id} after {len(state.contracts)} contracts")
    state.contracts[made.id] = made


def _moved(state: State, record: Record) -> None:
    """A step of a contract that is on record."""
    made = from_json(ContractRecord, record.body["contract"])
    before = state.contracts[made.id]
    if before.held is not None and made.held is None:
        raise JournalBroken(f"event {record.seq}: {made.id} was dealt before")
    state.contracts[made.id] = made


def _dealt(state: State, record: Record) -> None:
    """A contract is dealt once."""
    name = record.body["contract"]["id"]
    if state.contracts[name].held is not None:
        raise JournalBroken(f"event {record.seq}: {name} was dealt before")
    _moved(state, record)


def _closed(state: State, record: Record) -> None:
    """A contract is closed once."""
    name = record.body["contract"]["id"]
    held = state.contracts[name].held
    if held is None or held.closed:
        raise JournalBroken(f"event {record.seq}: there is nothing of {name} to close")
    _moved(state, record)
    state.closed_usd += float(record.body["earned_usd"])


def _fixed(state: State, record: Record) -> None:
    fix(state, record.body["fixed"])
    state.closed_usd += float(record.body["earned_usd"])


CONTRACTS: Mapping[str, Callable[[State, Record], None]] = MappingProxyType(
    {
        "contract_drafted": _drafted,
        "contract_approved": _moved,
        "contract_declined": _moved,
        "contract_dealt": _dealt,
        "contract_confirmed": _moved,
        "contract_closing": _moved,
        "contract_closed": _closed,
        "contract_fixed": _fixed,
    }
)
