"""The hash chain: h(n) = SHA-256(h(n-1) || canonical event)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from headframe.codec import canonical
from headframe.desk.ports import Fault, Head, Invalid, JournalBroken, Record

GENESIS = "0" * 64
Row = tuple[int, str, str, str, str, str]
"""seq, at, author, kind, body as canonical JSON, hash."""


def event_text(seq: int, at: str, author: str, kind: str, body: str) -> str:
    """The canonical text of an event; ``body`` is canonical already."""
    name = json.dumps(author, ensure_ascii=False)
    return f'{{"at":"{at}","author":{name},"body":{body},"kind":"{kind}","seq":{seq}}}'


def event_hash(previous: str, text: str) -> str:
    """The hash of an event on top of the one before."""
    return sha256((previous + text).encode("utf-8", "surrogatepass")).hexdigest()


def body_text(body: object) -> str:
    """The canonical body of a draft; Invalid where it holds what no database keeps as text."""
    text = canonical(body)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Invalid("a text holds half a character (a lone surrogate); remove it") from error
    return text


def following(head: Head, bodies: Sequence[tuple[str, str]], at: str, author: str) -> list[Row]:
    """The rows that come next: kinds with canonical bodies, chained to the head."""
    rows: list[Row] = []
    seq, previous = head.count, head.hash
    for kind, body in bodies:
        seq += 1
        previous = event_hash(previous, event_text(seq, at, author, kind, body))
        rows.append((seq, at, author, kind, body, previous))
    return rows


def checked(rows: Iterable[Row], *, after: int = 0, previous: str = GENESIS) -> Iterator[Row]:
    """Rows as long as each follows from those before it, else JournalBroken."""
    for row in rows:
        seq, at, author, kind, body, found = row
        after += 1
        wanted = event_hash(previous, event_text(seq, at, author, kind, body))
        if seq != after or found != wanted:
            raise JournalBroken(
                f"the journal was changed from outside at event {after}; "
                "run headframe audit verify and restore a backup"
            )
        previous = found
        yield row


def records(rows: Iterable[Row], *, after: int, previous: str) -> Iterator[Record]:
    """Rows as records, each checked against the chain."""
    for seq, at, author, kind, body, found in checked(rows, after=after, previous=previous):
        try:
            stamp = datetime.fromisoformat(at)
            parsed = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise JournalBroken(f"event {seq} cannot be read: {error}") from error
        yield Record(seq, stamp, author, kind, parsed, found)


def faults(rows: Iterable[Row], anchor: Head | None) -> Iterator[Fault]:
    """Every break of the chain; after a break it is followed from the hash that stands there."""
    previous, expected, anchored = GENESIS, 0, None
    for seq, at, author, kind, body, found in rows:
        expected += 1
        if seq != expected:
            yield Fault(seq, f"expected event {expected}: events were removed, added or reordered")
            expected = seq
        if found != event_hash(previous, event_text(seq, at, author, kind, body)):
            yield Fault(seq, "its content does not match its hash")
        previous = found
        if anchor is not None and seq == anchor.count:
            anchored = found
    if anchor is None or anchor.count == 0:
        return
    if expected < anchor.count:
        yield Fault(0, f"{expected} events, the anchor remembers {anchor.count}: the tail is gone")
    elif anchored != anchor.hash:
        yield Fault(anchor.count, "its hash is not the anchored one: history was rewritten")
