"""The desk itself: a journal, a clock, the workspace's files, and who is sitting at it."""

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from headframe.book import Entry
from headframe.codec import Problem, Settings, power_from_text, read_settings
from headframe.desk.fold import fold
from headframe.desk.opening import NOT_OPEN, opened_by_files, require_open
from headframe.desk.ports import (
    Clock,
    Declined,
    Draft,
    Files,
    Head,
    Invalid,
    Journal,
    Moved,
    NotFound,
    Record,
    Venue,
)
from headframe.desk.state import State, postings_json
from headframe.mandate import Mandate
from headframe.market import Snapshot
from headframe.mining import grouped_hours
from headframe.units import Wrong

P = ParamSpec("P")
R = TypeVar("R")
_ATTEMPTS = 20


_SETTINGS = "headframe.toml"


def _valid(found: Settings | tuple[Problem, ...]) -> Settings:
    if isinstance(found, tuple):
        raise Invalid("\n".join(str(problem) for problem in found))
    return found


@dataclass
class Office:
    """One person at one workspace."""

    journal: Journal
    clock: Clock
    files: Files
    user: str
    token: str | None = field(default=None, repr=False)
    _state: State = field(default_factory=State)
    _pinned: int | None = field(default=None, repr=False)
    """How many events had been written when the decision being made first read; none between decisions."""
    _deciding: bool = field(default=False, repr=False)
    _joined: list[tuple[Draft, datetime]] | None = field(default=None, repr=False)
    """Events of a decision that is written whole at its end; none outside of one."""

    _unopened: tuple[Head, str, State] | None = field(default=None, repr=False)
    """The state shown while the ledger is not open: the head and the text it was made of, and itself."""

    def acting(self, user: str, token: str | None = None) -> "Office":
        """The same desk with another person at it; what one reads, all have read."""
        return replace(self, user=user, token=token)

    def begin_at(self, state: State) -> None:
        """Start from a state that was kept; what was written since is folded on top of it."""
        self._state = state

    def state(self) -> State:
        """The state now: what was folded before and what has been written since.

        Until the ledger is opened its books, name, mode and seed are those of the files: a copy that
        nothing is written on. Raises Invalid where the file they stand in has problems.
        """
        state = self.journal_state()
        if state.opened is not None or not state.head.count:
            return state
        return self._opened_by_files(state)

    def journal_state(self) -> State:
        """The state by the journal alone: without opening balances until the ledger is opened."""
        state = fold(self._state, self.journal.read(self._state.head.count))
        if self._deciding and self._pinned is None:
            self._pinned = state.head.count
        return state

    def _opened_by_files(self, state: State) -> State:
        """The state with the file's figures; made anew when an event was written or the file edited."""
        text = self.files.text(_SETTINGS)
        if self._unopened is None or self._unopened[:2] != (state.head, text):
            settings = _valid(read_settings(text))
            self._unopened = (state.head, text, opened_by_files(state, settings))
        return self._unopened[2]

    def rederive(self) -> None:
        """Fold every event of the journal where the state began at a checkpoint: nothing trades on a cache.

        The hash of each event is checked on the way; raises JournalBroken where the journal was changed.
        """
        if self._state.cached:
            self._state.replace_by(fold(State(), self.journal.read()))

    def believe(self, digest: str) -> None:
        """Take the checkpoint of a hash as folded: an audit has held it against every event."""
        if self._state.cached == digest:
            self._state.cached = ""

    @contextmanager
    def deciding(self) -> Generator[None]:
        """One decision: what it writes stands on what it first read, whatever it reads again meanwhile.

        Within another decision it is one of its own; what comes after it begins anew.
        """
        outer = self._deciding
        self._deciding, self._pinned = True, None
        try:
            yield
        finally:
            self._deciding, self._pinned = outer, None

    @contextmanager
    def together(self) -> Generator[None]:
        """Write everything recorded within at once at the end; nothing where it ends with an error."""
        self.rederive()
        kept = self._state
        after = self.state().head.count
        self._state, self._joined = kept.copy(), []
        try:
            yield
            joined = self._joined
        finally:
            self._state, self._joined = kept, None
        if joined:
            drafts, at = [draft for draft, _ in joined], max(at for _, at in joined)
            self.journal.append(drafts, at=at, author=self.user, after=after)
            self._pinned = None

    def now(self) -> datetime:
        """The workspace's instant: its clock's, never before the last event that was read."""
        now, last = self.clock.now(), self._state.clock
        return now if last is None else max(now, last)

    def settings(self) -> Settings:
        """The operation as the file says, or Invalid with every problem of the file."""
        return self._with_power(_valid(read_settings(self.files.text(_SETTINGS))))

    def _with_power(self, settings: Settings) -> Settings:
        """The settings with the hourly prices of the sites that name a file of them."""
        operation = settings.operation
        if not any(site.power_file for site in operation.sites):
            return settings
        try:
            sites = tuple(
                site
                if site.power_file is None
                else replace(
                    site,
                    power_hours=grouped_hours(
                        power_from_text(self.files.text(site.power_file), site.power_file)
                    ),
                )
                for site in operation.sites
            )
        except Wrong as error:
            raise Invalid(str(error)) from error
        return replace(settings, operation=replace(operation, sites=sites))

    def mandate(self) -> Mandate:
        """The mandate in force, or Declined."""
        mandate = self.state().mandate
        if mandate is None:
            raise Declined("M-1.1 not_signed: no mandate is in force; run headframe mandate sign")
        return mandate

    def market(self) -> Snapshot:
        """The market last imported, or NotFound."""
        market = self.state().market
        if market is None:
            raise NotFound("no market was imported; run headframe market import")
        return market

    def record(self, *drafts: Draft, at: datetime | None = None, evidence: bool = False) -> None:
        """Write events on top of exactly the state that was read; raises Moved otherwise.

        That is the state a decision read first, and outside of one the state that was read last. They are
        folded into a copy of the state first: nothing is written that could not be read. A decision made on
        a checkpoint raises Moved too, with the whole journal folded: it is made again on what is true. Only
        ``evidence`` (what a venue says of a request, a stop) is written without that.
        """
        if self._state.cached and not evidence:
            self.rederive()
            raise Moved
        require_open(self._state, drafts)
        stamp = at or self.now()
        after = self._state.head.count
        if self._pinned is not None and self._pinned != after:
            raise Moved
        trial = (
            Record(after + number, stamp, self.user, draft.kind, draft.body, "")
            for number, draft in enumerate(drafts, start=1)
        )
        if self._joined is not None:
            fold(self._state, trial)
            self._joined += [(draft, stamp) for draft in drafts]
            self._pinned = None
            return
        fold(self._state.copy(), trial)
        self.journal.append(drafts, at=stamp, author=self.user, after=after)
        self._pinned = None

    def entries(self, entries: Iterable[Entry]) -> list[list[str]]:
        """Entries checked against the books as they stand, as the journal writes them."""
        if self._state.opened is None:
            raise Declined(NOT_OPEN)
        kept = tuple(entries)
        trial = self._state.ledger.copy()
        for entry in kept:
            trial.post(entry)
        return postings_json(kept)


def serialised(
    act: Callable[Concatenate[Office, P], R],
) -> Callable[Concatenate[Office, P], R]:
    """Run a decision again when somebody wrote while it was made: decisions never overlap."""

    @wraps(act)
    def again(office: Office, /, *args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(_ATTEMPTS):
            try:
                with office.deciding():
                    return act(office, *args, **kwargs)
            except Moved:
                continue
        raise Declined("the workspace is too busy: others keep writing; try again")

    return again


@dataclass(frozen=True, slots=True)
class Trading:
    """An office with a venue to trade at; ``busy`` are requests that somebody is dealing just now."""

    office: Office
    venue: Venue
    busy: set[str] = field(default_factory=set[str])
    hold: Callable[[], None] = lambda: None
    """Returns while this is the one program that deals; raises JournalLocked when it is no longer."""

    others: Mapping[str, Venue] = field(default_factory=dict[str, Venue])
    """Other places on the same line by name: the venue's order book."""

    aside: Callable[[Callable[[Office], object], str, str | None], Awaitable[object]] | None = None
    """Where long work is done apart, for one person, when a process has other things to attend to."""

    async def apart(self, work: Callable[[Office], R]) -> R:
        """Do long work on a desk: here, or apart where there is such a place."""
        if self.aside is None:
            return work(self.office)
        return cast("R", await self.aside(work, self.office.user, self.office.token))

    def at(self, name: str) -> "Trading | None":
        """The same line at another place on it; None where it does not lead there."""
        if name == self.venue.name:
            return self
        other = self.others.get(name)
        return (
            None
            if other is None
            else replace(self, venue=other, others={self.venue.name: self.venue})
        )

    def dealing(self) -> frozenset[str]:
        """The requests that need no reconciling, since somebody is at them."""
        return frozenset(self.busy)


def require_person(office: Office) -> str:
    """Who is acting; Invalid where nobody says."""
    name = office.user.strip()
    if not name or not name.isprintable() or len(name) > 60:
        raise Invalid("say who you are with --as NAME (a printable name of at most 60 characters)")
    return name
