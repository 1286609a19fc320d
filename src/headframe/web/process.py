"""The execution process: reconcile first, then ready; every request a task; the venue's line kept alive."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import cast

from headframe.desk import (
    adopting,
    audit,
    daily_close,
    execution,
    executions,
    fencing,
    users,
    venue_settlements,
)
from headframe.desk.clock import VirtualClock
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Broken, Invalid, NotFound, OutcomeUnknown, Stopped
from headframe.rfq import AFTER_SECONDS, Request, RfqState
from headframe.venue import Spoken
from headframe.wiring import (
    audit_office,
    by_voice,
    main_venue,
    open_office,
    price_fetcher,
    settlements_there,
    trading,
)

RETRY_SECONDS = 1.0
CLOSE_SECONDS = 60.0
"""How often a running desk looks whether a day is to be closed."""


@dataclass
class Readiness:
    """What stands between the process and trading; ready when nothing does."""

    connected: bool = False
    reconciled: bool = False
    chain: str = "not verified yet"
    trouble: str = "starting"
    closing: str = ""
    """What keeps a day that is due from being closed; empty where nothing does."""

    @property
    def ready(self) -> bool:
        """Whether trading verbs are taken."""
        return self.connected and self.reconciled


@dataclass
class DeskProcess:
    """One workspace's execution process."""

    folder: Path
    database: str | None
    office: Office
    readiness: Readiness = field(default_factory=Readiness)
    at_work: Trading | None = None
    outcomes: dict[str, "asyncio.Task[None]"] = field(
        default_factory=dict[str, "asyncio.Task[None]"]
    )
    _apart: Office | None = None
    _compared: date | None = None
    """The last close that the venue's own settlements were held against."""
    _watching: set["asyncio.Task[None]"] = field(default_factory=set["asyncio.Task[None]"])
    _worker: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _in_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _broken: asyncio.Event = field(default_factory=asyncio.Event)

    # ---- the line to the venue ----------------------------------------------
    async def run(self) -> None:
        """Connect, reconcile, be ready; when the line breaks, begin again. Never returns by itself."""
        verifying = asyncio.create_task(self._verify())
        closing = asyncio.create_task(self._close_days())
        try:
            while True:
                self.readiness.connected = self.readiness.reconciled = False
                try:
                    async with trading(self.office, self.folder, database=self.database) as line:
                        await self._on(line)
                except (Broken, Stopped) as error:
                    self.readiness.trouble = str(error)
                self.at_work = None
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            verifying.cancel()
            closing.cancel()

    async def _on(self, line: Trading) -> None:
        """While the line holds: reconcile until nothing is unknown, then keep looking."""
        self.at_work, self._broken = line, asyncio.Event()
        self.readiness.connected = True
        while not self._broken.is_set():
            try:
                line.hold()
                await line.venue.alive()
                if not self.readiness.reconciled or self._unsettled(line):
                    await fencing.reconcile(line, lambda _: None, line.dealing())
                adopting.require(self.office)
                self.readiness.reconciled, self.readiness.trouble = True, ""
            except (OutcomeUnknown, Broken) as error:
                self.readiness.reconciled, self.readiness.trouble = False, str(error)
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._broken.wait(), RETRY_SECONDS)

    def _unsettled(self, line: Trading) -> bool:
        """Whether a request is out that nobody is dealing."""
        live = self.office.state().live_rfqs()
        return any(one.request.id not in line.busy for one in live)

    async def _close_days(self) -> None:
        """Close each day that is due, as soon as its prices are known or fetched; trouble ends nothing."""
        while True:
            try:
                self.readiness.closing = await self._close_due()
                await self._compare()
            except (Broken, Stopped) as error:
                self.readiness.closing = str(error)
            await asyncio.sleep(CLOSE_SECONDS)

    async def _close_due(self) -> str:
        """Close what is due and return what is missing.

        The venue is asked in a thread of its own: one that does not answer must not delay an award.
        """
        fetch = price_fetcher(self.office.settings())
        run = await self._closed()
        while run is not None and run.missing and fetch is not None:
            prices = await asyncio.to_thread(fetch, run.missing)
            work = partial(daily_close.record_fetched, prices=prices)
            if not await self._aside(work, self.office.user, self.office.token):
                break
            run = await self._closed()
        return "" if run is None else "; ".join(map(str, run.missing[:3]))

    async def _closed(self) -> daily_close.CloseRun | None:
        work = daily_close.close_due_itself
        run = await self._aside(work, self.office.user, self.office.token)
        return cast("daily_close.CloseRun | None", run)

    async def _compare(self) -> None:
        """Hold each new close against the venue's own settlements, once it can be reached."""
        settings, through = self.office.settings(), self.office.state().closed_through
        if through == self._compared or not main_venue(settings).url:
            return
        user, token = self.office.user, self.office.token
        since = await self._aside(venue_settlements.first_instant, user, token)
        if isinstance(since, datetime):
            theirs = await asyncio.to_thread(settlements_there, settings, self.folder, since)
            await self._aside(partial(venue_settlements.hold, theirs=theirs), user, token)
        self._compared = through

    async def _verify(self) -> None:
        """The whole chain in the background; a journal that does not hold stops trading."""

        def look() -> tuple[str, str]:
            office = audit_office(self.folder, user=self.office.user, database=self.database)
            found = audit.verify(office)
            office.journal.close()
            trouble = str(found.faults[:1] or "the books do not balance")
            return "whole" if found.sound else trouble, found.checkpoint

        try:
            self.readiness.chain, held = await asyncio.to_thread(look)
            if self.readiness.chain == "whole":
                self.office.believe(held)
        except (Broken, Stopped) as error:
            self.readiness.chain = str(error)

    # ---- trading verbs ------------------------------------------------------
    def key_of(self, key: str | None, *words: str) -> execution.Key:
        """The caller's key for an action that trades, and what it is for."""
        if key is None:
            raise Invalid(
                "an action that trades needs an Idempotency-Key: a name of your own for it"
            )
        if not 8 <= len(key) <= 100 or not key.isascii() or not key.isprintable():
            raise Invalid("an Idempotency-Key is 8 to 100 printable ASCII characters")
        return execution.Key(key, sha256("\n".join(words).encode()).hexdigest())

    async def ask(
        self, proposal: str, who: str, token: str | None, key: execution.Key, venue: str | None
    ) -> str:
        """Begin a request for quotes; returns its id when the intent is on the disk."""
        before = execution.done_before(self.office, key)
        if before is not None:
            return before
        line = self._line()
        place = line.at(venue or self._place_of(proposal))
        if place is None:
            raise NotFound(
                f"this desk deals at {line.venue.name} and {', '.join(line.others)} alone"
            )
        return await self._begun(place, proposal, who, token, key)

    async def hear(
        self, proposal: str, who: str, token: str | None, key: execution.Key, spoken: Spoken
    ) -> str | None:
        """Award on quotes heard by chat or telephone; none where only an earlier request was settled."""
        before = execution.done_before(self.office, key)
        if before is not None:
            return before
        if self.at_work is None:
            raise NotReady(self.readiness.trouble or "reconciling")
        line = by_voice(self.at_work, spoken)
        settling = replace(line, office=line.office.acting(who, token))
        await fencing.reconcile_at(settling, lambda _: None, line.dealing())
        if not spoken.said:
            return None
        self._line()
        return await self._begun(line, proposal, who, token, key)

    async def _begun(
        self, line: Trading, proposal: str, who: str, token: str | None, key: execution.Key
    ) -> str:
        """Deal as a task of its own; the request's id when its intent is on the disk."""
        mine = replace(line, office=line.office.acting(who, token), aside=self._aside)
        begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._deal(mine, proposal, key, begun))
        task.add_done_callback(partial(_heard, begun))
        made = await asyncio.shield(begun)
        if made not in self.outcomes and not task.done():
            self.outcomes[made] = task
            task.add_done_callback(lambda _: self.outcomes.pop(made, None))
        return made

    def _place_of(self, proposal: str) -> str:
        """Where a proposal was planned to be dealt."""
        known = self.office.state().proposals.get(proposal)
        return self.office.settings().venue.name if known is None else known.facts.venue

    def _line(self) -> Trading:
        """The line to the venue, or why nothing is traded now."""
        if not self.readiness.ready or self.at_work is None:
            raise NotReady(self.readiness.trouble or "reconciling")
        if not self.readiness.chain.startswith(("whole", "not verified")):
            raise NotReady(f"the journal does not hold: {self.readiness.chain}")
        return self.at_work

    async def _deal(
        self, mine: Trading, proposal: str, key: execution.Key, begun: "asyncio.Future[str]"
    ) -> None:
        """Deal in turn; the same key sent twice at once deals once."""

        def asked(request: Request) -> None:
            if not begun.done():
                begun.set_result(request.id)

        async with self._turn():
            try:
                dealt = await execution.deal(mine, proposal, key=key, asked=asked)
                if dealt.trades and not isinstance(self.office.clock, VirtualClock):
                    watched = asyncio.create_task(self._watch(dealt.request))
                    self._watching.add(watched)
                    watched.add_done_callback(self._watching.discard)
            except execution.Twice as again:
                if not begun.done():
                    begun.set_result(str(again))

    async def _watch(self, request: Request) -> None:
        """Look at the mid a second, a minute, five minutes and an hour after an award."""
        begun = self.office.now()
        for seconds in AFTER_SECONDS:
            await self.office.clock.wait_until(begun + timedelta(seconds=seconds))
            line = self.at_work
            with suppress(Broken):  # a figure that cannot be had is left out
                mid = None if line is None else await line.venue.mid(request)
                if mid is not None:
                    executions.note_after(self.office, request.id, seconds, mid)

    async def _aside(self, work: Callable[[Office], object], who: str, token: str | None) -> object:
        """Pricing and judging, which take long, in a thread with a desk of its own: quotes go on coming."""

        def done() -> object:
            if self._apart is None:
                self._apart = open_office(self.folder, user=who, database=self.database)
            self._apart.clock = self.office.clock
            return work(self._apart.acting(who, token))

        return await asyncio.get_running_loop().run_in_executor(self._worker, done)

    def _turn(self) -> AbstractAsyncContextManager[object]:
        """Requests at the built-in street take turns, since its clock jumps; others run side by side."""
        return self._in_turn if isinstance(self.office.clock, VirtualClock) else nullcontext()

    async def outcome(self, rfq: str, seconds: float) -> None:
        """Return when a request has ended, or after so many seconds."""
        task = self.outcomes.get(rfq)
        if task is not None and not task.done():
            await asyncio.wait({task}, timeout=seconds)

    def unknown(self) -> list[str]:
        """Requests whose outcome is not known."""
        live = self.office.state().live_rfqs()
        return [one.request.id for one in live if one.state is RfqState.UNKNOWN]

    def broke(self) -> None:
        """Whoever finds the line broken says so."""
        self._broken.set()


class NotReady(Stopped):
    """Trading verbs are not taken now: reconciling, or without a venue."""

    status = 5


def _heard(begun: "asyncio.Future[str]", task: "asyncio.Task[None]") -> None:
    """Why nothing was begun goes to the caller; how it ended is in the journal."""
    error = None if task.cancelled() else task.exception()
    if not begun.done():
        begun.set_exception(error or OutcomeUnknown("the desk was stopped before it asked"))


def allowed(process: DeskProcess, action: users.Action, who: str, token: str | None) -> Office:
    """The desk with the caller at it, where the caller may."""
    office = process.office.acting(who, token)
    office.state()
    users.allowed(office, action)
    return office
