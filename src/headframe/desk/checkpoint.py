"""The state as it stood at an event, kept so that a long journal need not be folded again.

A checkpoint names the head it stands on; it is used only where the journal holds exactly that event with
exactly that hash, and ``audit verify`` folds the whole journal and compares. It is a convenience: without
it, or with a damaged one, everything is folded from the beginning. Its hash finds damage and not forgery:
whoever can write the folder can write another one. So it only ever answers reads; before anything is
decided and written the whole journal is folded (``Office.rederive``).
"""

import json
from dataclasses import fields
from typing import Any, get_type_hints

from headframe.book import Ledger
from headframe.codec import canonical, from_json, read_mandate, sha256, to_json
from headframe.desk.ports import Head, Journal
from headframe.desk.state import State
from headframe.mandate import Mandate
from headframe.units import Wrong, instant

NAME = "checkpoint.json"
SCHEMA = "headframe/checkpoint/6"
EVERY = 20_000
"""Events folded before a checkpoint is worth its writing."""
_APART = frozenset({"ledger", "mandate", "head", "steps", "cached"})
Json = dict[str, Any]


def written(state: State) -> str:
    """A state as text."""
    plain: Json = {
        field.name: _in_order(getattr(state, field.name))
        for field in fields(State)
        if field.name not in _APART
    }
    plain["ledger"] = [[*key, str(smallest)] for key, smallest in state.ledger.balances()]
    plain["steps"] = to_json(state.steps)
    body: Json = {"schema": SCHEMA, "head": str(state.head), "state": plain}
    return canonical(body | {"sha256": sha256(canonical(body))})


def _in_order(value: object) -> object:
    """Tables as pairs: the order in which trades and requests came is part of the state."""
    plain = to_json(value)
    return list(plain.items()) if isinstance(value, dict) else plain


def read(text: str) -> State | None:
    """The state of a text, or None where it is damaged or of another version."""
    try:
        body: Json = json.loads(text)
        digest = body.pop("sha256")
        if body["schema"] != SCHEMA or sha256(canonical(body)) != digest:
            return None
        state = _state(body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Wrong):
        return None
    state.cached = digest
    return state


def _state(body: Json) -> State:
    hints, plain = get_type_hints(State), body["state"]
    state = State()
    for field in fields(State):
        if field.name not in _APART:
            value = plain[field.name]
            table = isinstance(getattr(state, field.name), dict)
            setattr(
                state, field.name, from_json(hints[field.name], dict(value) if table else value)
            )
    count, _, digest = body["head"].partition(":")
    state.head = Head(int(count), digest)
    state.ledger = Ledger({(a, code): int(smallest) for a, code, smallest in plain["ledger"]})
    state.steps = [step | {"at": instant(step["at"])} for step in plain["steps"]]
    if state.mandate_sha256:
        mandate = read_mandate(state.mandate_texts[state.mandate_sha256])
        if not isinstance(mandate, Mandate):
            raise Wrong("the mandate in force cannot be read")
        state.mandate = mandate
    return state


def stands_on(state: State, journal: Journal) -> bool:
    """Whether the journal holds the very event a checkpoint was made at."""
    row = next(iter(journal.rows(state.head.count - 1)), None) if state.head.count else None
    return row is not None and (row[0], row[5]) == (state.head.count, state.head.hash)
