"""What the desk needs of the world, as protocols, and how the world can break.

Broken
├── Unreachable     nothing was sent, or we cannot know whether it was
├── Refused         the other side said no; asking again will not help
├── Malformed       what came back is not what was agreed; a person must look
├── JournalBroken   the journal on disk is not what was written
├── JournalLocked   another program holds the journal
└── DiskTrouble     the disk is full or failing
Stopped             the desk will not go on, with the exit status of its reason
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from headframe.rfq import Fill, Quote, Request, Taking


class Broken(Exception):
    """The world did not do what it should; the cause is kept."""


class Unreachable(Broken):
    """Nothing was sent, or we cannot know whether it was: the outcome may be unknown."""


class Refused(Broken):
    """The other side refused; asking again will not help."""


class Malformed(Broken):
    """What came back cannot be read; a person must look."""


class JournalBroken(Broken):
    """The journal is not what was written: a row was changed, lost or added from outside."""


class JournalLocked(Broken):
    """Another program holds the journal."""


class DiskTrouble(Broken):
    """The disk is full or failing; nothing of the command was kept."""


class Moved(Exception):
    """The journal grew between reading and writing: decide again."""


class Stopped(Exception):
    """The desk stops with one line for a person; ``status`` is the documented exit status."""

    status = 1


class NotFound(Stopped):
    """What was named does not exist."""

    status = 3


class Declined(Stopped):
    """The mandate, a limit or a permission says no, or nobody won."""

    status = 4


class OutcomeUnknown(Stopped):
    """The venue or the network failed; the outcome is unknown until it is reconciled."""

    status = 5


class Stale(Stopped):
    """The market is too old to act on."""

    status = 6


class Pending(Stopped):
    """An approval is missing."""

    status = 7


class Invalid(Stopped):
    """What was given cannot be used; nothing was changed."""

    status = 2


Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """An event to be written."""

    kind: str
    body: Json


@dataclass(frozen=True, slots=True)
class Record:
    """An event as written: its place, its instant, its author, and the hash of all before and it."""

    seq: int
    at: datetime
    author: str
    kind: str
    body: Json
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """How many events there are and the hash of the last: what an anchor remembers."""

    count: int
    hash: str

    def __str__(self) -> str:
        return f"{self.count}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a journal, at an event (0 for the whole)."""

    seq: int
    detail: str


class Journal(Protocol):
    """The record of what happened: append-only, hash-chained, durable when ``append`` returns."""

    def head(self) -> Head:
        """Count and hash of the last event."""
        ...

    def read(self, after: int = 0) -> Iterator[Record]:
        """Events after a place, in order; raises JournalBroken where the chain does not hold."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...

    def rows(self, after: int = 0) -> Iterator[tuple[int, str, str, str, str, str]]:
        """Events after a place as they are kept: seq, at, author, kind, canonical body, hash."""
        ...

    def append(self, drafts: Sequence[Draft], *, at: datetime, author: str, after: int) -> Head:
        """Write all drafts or none; raises Moved unless the journal holds exactly ``after`` events."""
        ...

    def verify(self, anchor: Head | None = None) -> tuple[Fault, ...]:
        """Every fault of the chain; with an anchor also a truncated tail or a full rewrite."""
        ...


class Clock(Protocol):
    """The workspace's time."""

    def now(self) -> datetime:
        """The present instant."""
        ...

    async def wait_until(self, at: datetime) -> None:
        """Return when the instant has come."""
        ...


class Appointments(Clock, Protocol):
    """A clock that also keeps appointments: what a simulated street lives by."""

    def call_at(self, at: datetime, task: Callable[[], Awaitable[None]]) -> None:
        """Do something when its instant comes."""
        ...


class Route(Protocol):
    """A way by which alerts go out."""

    @property
    def name(self) -> str:
        """What it is called, and remembered by."""
        ...

    def send(self, told: Json) -> None:
        """Send one; raises Broken where it did not go, and may be sent again."""
        ...


class Files(Protocol):
    """The workspace's own files."""

    def text(self, name: str) -> str:
        """The text of a file; raises NotFound."""
        ...

    def write(self, name: str, text: str) -> str:
        """Write a file whole or not at all; returns its path."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A request the venue has taken: its own id and when it ends there."""

    venue_id: str
    expires_at: datetime
    mark: float | None = None
    """The venue's own mark of the structure, where it says one."""


@dataclass(frozen=True, slots=True)
class VenueFinding:
    """What the venue says of a request when it is asked by our own id: the evidence of a fence."""

    venue_id: str
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueDeal:
    """A trade as a venue's own record lists it: under which id of ours, what, how much, since when.

    ``label`` is our own id of the request, empty where it carries none; ``instruments`` the names dealt.
    """

    venue_id: str
    label: str
    at: datetime
    instruments: tuple[str, ...]
    amount: Decimal
    hedged: bool = False
    """Whether a hedge leg went with it."""


class Venue(Protocol):
    """A place where requests for quotes are dealt.

    ``matches`` says that the venue fills the best price itself and no dealer can be chosen;
    ``spoken`` that its quotes are in as soon as they are asked for.
    """

    name: str
    matches: bool
    spoken: bool
    rests: bool
    """Whether a price may be left there to rest."""
    directs: bool
    """Whether a request there goes to the dealers it names and to nobody else."""

    async def open(self, request: Request) -> Opened:
        """Send the request; raises Unreachable when it may or may not have arrived."""
        ...

    async def alive(self) -> None:
        """Return when the venue answers; raises Unreachable where the line is gone."""
        ...

    async def quotes(self, venue_id: str) -> tuple[Quote, ...]:
        """Every quote seen so far, oldest first, also those since withdrawn."""
        ...

    async def accept(
        self, venue_id: str, request: Request, taking: Taking
    ) -> tuple[Fill, ...] | None:
        """Take it, fill or kill: each dealer's part, none when nothing was dealt; None for a last look.

        Where the venue matches, at its price or better; else the dealer's order, or the quote by its id.
        """
        ...

    async def held(self, venue_id: str, request: Request) -> tuple[Fill, ...] | None:
        """What a last look came to: fills, none where the dealer said no, None while he still looks."""
        ...

    async def rest(self, venue_id: str, request: Request, price: Decimal) -> tuple[Fill, ...]:
        """Leave a price: dealt at once, or when a dealer meets it before it is taken back."""
        ...

    async def take_back(self, venue_id: str) -> None:
        """Take a resting price back; one that is gone already is fine."""
        ...

    async def closed(self, request: Request) -> str:
        """Why the venue would not take the request by its own data (least sizes); empty when it would."""
        ...

    async def sweep(self, request: Request) -> float | None:
        """Net price of taking the request's size out of the lit book; None where it does not hold so much."""
        ...

    async def mid(self, request: Request) -> float | None:
        """The structure's mid at the venue now, by its own marks."""
        ...

    async def cancel(self, venue_id: str) -> None:
        """End the request; nothing can be dealt on it afterwards."""
        ...

    async def evidence(self, venue_id: str, request: Request) -> tuple[Fill, ...]:
        """The fills of a request from the venue's own records; none where there are none."""
        ...

    async def orphans(self, ended: Collection[str]) -> tuple[str, ...]:
        """Requests open at the venue that carry one of these ids of ours: they came late."""
        ...

    async def dealt(self, since: datetime, coin: str) -> tuple[VenueDeal, ...]:
        """What was dealt here for our account since an instant, by the venue's own record, oldest first."""
        ...

    async def find(self, request_id: str) -> VenueFinding | None:
        """What the venue knows of our own id, or None when it never arrived."""
        ...
