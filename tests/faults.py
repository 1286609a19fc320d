"""A whole desk on virtual time against a venue that misbehaves, from one seed; and bugs that can be planted.

The venue keeps its own truth. Between it and the desk lies a layer of faults; between the desk and its
disk lies the chance of a crash before or after every write. After the faults stop, the desk has thirty
seconds of its own time to know everything, and the truths are compared.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

from headframe.desk import booking, execution, fencing, taking
from headframe.desk.clock import VirtualClock
from headframe.desk.office import Office, Trading
from headframe.desk.ports import (
    Head,
    Malformed,
    Opened,
    OutcomeUnknown,
    Refused,
    Stopped,
    Unreachable,
    VenueDeal,
    VenueFinding,
)
from headframe.desk.state import State
from headframe.rfq import Direction, Fill, Quote, Request, RfqState, RfqStep, Taking
from headframe.store import MemoryJournal

RATE = 0.1
LIFE = timedelta(seconds=300)
KINDS = (
    "lost request", "lost reply", "late request", "refused after effect", "garbled reply", "twice", "refused before effect",
    "venue restarts", "dealers withdraw", "parts", "other account", "reordered", "last look", "far prices",
    "half open", "expiry in flight", "clock skew",
)  # fmt: skip


class Crash(BaseException):
    """kill -9: nothing of the process is left but what is on the disk."""


@dataclass
class There:
    """A request as the venue knows it."""

    number: int
    request: Request
    opened: datetime
    state: str = "open"
    fills: tuple[Fill, ...] = ()
    far: bool = False
    held: str = ""
    rests: Decimal | None = None


@dataclass
class Truth:
    """The venue itself: requests, quotes and fills, without any fault."""

    clock: VirtualClock
    draw: random.Random
    there: dict[int, There] = field(default_factory=dict[int, There])
    trades: int = 0
    withdrawn: set[int] = field(default_factory=set[int])
    in_parts: bool = False

    def create(self, request: Request) -> int:
        number = len(self.there) + 1
        self.there[number] = There(number, request, self.clock.now())
        return number

    def state(self, one: There) -> str:
        if one.state == "open" and self.clock.now() >= one.opened + LIFE:
            one.state = "expired"
        return one.state

    def quotes(self, number: int) -> tuple[Quote, ...]:
        one = self.there[number]
        if self.state(one) != "open" or number in self.withdrawn:
            return ()
        at = one.opened + timedelta(seconds=10)
        other = Direction.SELL if one.request.direction is Direction.BUY else Direction.BUY
        sign = 1 if one.request.direction is Direction.BUY else -1
        off = 0.02 if one.far else 0.0
        return tuple(
            Quote(
                dealer=name, direction=other, price=round(one.request.reference + sign * (gap + off), 4),
                size=float(one.request.amount), received_at=at, good_until=at + timedelta(minutes=4), all_or_none=False,
            )
            for name, gap in (("amber", 0.0), ("basalt", 0.0001), ("cobalt", 0.0002))
            if name in one.request.panel
        )  # fmt: skip

    def accept(self, number: int, price: Decimal) -> tuple[Fill, ...]:
        one = self.there[number]
        if self.state(one) != "open" or number in self.withdrawn:
            return ()
        shares = (Decimal(1),) if not self.in_parts else (Decimal("0.4"), Decimal("0.6"))
        one.fills = tuple(
            self._fill(one.request, price, share, dealer)
            for share, dealer in zip(shares, ("amber", "basalt"), strict=False)
        )
        one.state = "filled"
        return one.fills

    def _fill(self, request: Request, price: Decimal, share: Decimal, dealer: str) -> Fill:
        self.trades += 1
        hedge = request.hedge
        legs = [
            (name, amount, _price(request, hedge is not None and name == hedge.instrument.name))
            for name, amount in request.asked(request.amount * share).items()
        ]
        return Fill(
            venue_trade_id=f"B-{self.trades}", dealer=dealer, price=price, amount=request.amount * share, legs=tuple(legs),
            fee=Decimal("0.01"), fee_currency="BTC", at=self.clock.now(),
        )  # fmt: skip

    def hold(self, number: int, price: Decimal) -> None:
        """A dealer takes a last look: he says yes, says no, or says nothing for long."""
        one = self.there[number]
        if self.state(one) != "open" or number in self.withdrawn:
            one.held = "no"
            return
        one.held = "looking"

        def answer() -> None:
            one.held = "no"
            if self.draw.random() < 0.5 and self.accept(number, price):
                one.held = "yes"

        self.clock.call_at(
            self.clock.now() + timedelta(seconds=self.draw.uniform(0, 9)), _later(answer)
        )

    def rest(self, number: int, price: Decimal) -> None:
        """A price is left: a dealer may meet it at any time until it is taken back."""
        one = self.there[number]
        if self.state(one) != "open":
            return
        one.rests = price

        def meet() -> None:
            if one.rests is not None:
                self.accept(number, price)

        self.clock.call_at(
            self.clock.now() + timedelta(seconds=self.draw.uniform(0, 500)), _later(meet)
        )

    def take_back(self, number: int) -> None:
        self.there[number].rests = None

    def cancel(self, number: int) -> None:
        one = self.there[number]
        if self.state(one) == "open":
            one.state = "cancelled"

    def restart(self) -> None:
        for one in self.there.values():
            self.cancel(one.number)


def _price(request: Request, fixed: bool) -> Decimal:
    """A leg's price: of the hedge leg as it was fixed, of options a twentieth of a coin, else the forward."""
    if fixed and request.hedge is not None:
        return request.hedge.price
    option = request.structure.legs[0].instrument.is_option
    return Decimal("0.05") if option else Decimal(repr(round(request.forward, 1)))


@dataclass
class FaultyVenue:
    """The venue as the desk sees it: every call may go wrong, in ways that are counted."""

    truth: Truth
    draw: random.Random
    rate: float = RATE
    crash: Callable[[], None] = lambda: None
    seen: dict[str, int] = field(default_factory=dict[str, int])
    name: str = "paper"
    matches: bool = True
    spoken: bool = False
    rests: bool = True
    directs: bool = True

    def _kind(self) -> str:
        if self.draw.random() >= self.rate:
            return ""
        kind = self.draw.choice(KINDS)
        self.seen[kind] = self.seen.get(kind, 0) + 1
        return kind

    async def _call(self, work: Callable[[], Any], *, writes: bool) -> Any:
        """One call through the faults: before its effect, after it, later, or twice."""
        self.crash()
        kind = self._kind()
        self._before(kind)
        if kind == "late request" and writes:
            self.truth.clock.call_at(
                self.truth.clock.now() + timedelta(seconds=self.draw.uniform(0, 20)), _later(work)
            )
            raise Unreachable("no answer in time")
        found = work()
        if kind == "twice" and writes:
            work()
        self.crash()
        self._after(kind, writes=writes)
        return found

    def _before(self, kind: str) -> None:
        if kind == "venue restarts":
            self.truth.restart()
            raise Unreachable("the venue restarted")
        if kind == "lost request":
            raise Unreachable("the request was lost")
        if kind == "half open":
            raise Unreachable("no answer in 10 s: the line was dead")
        if kind == "expiry in flight":
            for one in self.truth.there.values():
                if one.state == "open":
                    one.state = "expired"
        if kind == "refused before effect":
            raise Refused("10028 too_many_requests")

    @staticmethod
    def _after(kind: str, *, writes: bool) -> None:
        if kind in {"lost reply", "late request"}:
            raise Unreachable("the reply was lost")
        if kind == "refused after effect" and writes:
            raise Refused("10040 retry")
        if kind == "garbled reply":
            raise Malformed("half a reply")

    async def alive(self) -> None:
        await self._call(lambda: None, writes=False)

    async def open(self, request: Request) -> Opened:
        made: list[int] = []

        def create() -> int:
            made.append(self.truth.create(request))
            return made[0]

        number = await self._call(create, writes=True)
        kind = self._kind()
        if kind == "dealers withdraw":
            self.truth.withdrawn.add(number)
        self.truth.there[number].far = kind == "far prices"
        return Opened(str(number), self.truth.clock.now() + LIFE)

    async def quotes(self, venue_id: str) -> tuple[Quote, ...]:
        found = list(await self._call(lambda: self.truth.quotes(int(venue_id)), writes=False))
        kind = self._kind()
        if kind == "reordered":
            self.draw.shuffle(found)
            found += found[:1]
        if kind == "other account" and found:
            found.append(replace(found[0], dealer="stranger", price=found[0].price - 1.0))
        if kind == "dealers withdraw":
            self.truth.withdrawn.add(int(venue_id))
        if kind == "clock skew":
            off = timedelta(seconds=self.draw.choice((-3, 3)))
            found = [replace(one, received_at=one.received_at + off) for one in found]
        return tuple(found)

    async def accept(
        self, venue_id: str, request: Request, taking: Taking
    ) -> tuple[Fill, ...] | None:
        del request
        kind = self._kind()
        if kind == "last look":
            await self._call(lambda: self.truth.hold(int(venue_id), taking.price), writes=True)
            return None
        self.truth.in_parts = kind == "parts"
        return tuple(
            await self._call(lambda: self.truth.accept(int(venue_id), taking.price), writes=True)
        )

    async def held(self, venue_id: str, request: Request) -> tuple[Fill, ...] | None:
        del request
        one = self.truth.there[int(venue_id)]
        held = await self._call(lambda: one.held, writes=False)
        return {"no": (), "yes": one.fills}.get(held)

    async def rest(self, venue_id: str, request: Request, price: Decimal) -> tuple[Fill, ...]:
        del request
        await self._call(lambda: self.truth.rest(int(venue_id), price), writes=True)
        return ()

    async def take_back(self, venue_id: str) -> None:
        await self._call(lambda: self.truth.take_back(int(venue_id)), writes=True)

    async def closed(self, request: Request) -> str:
        del request
        return ""

    async def sweep(self, request: Request) -> float | None:
        await self._call(lambda: None, writes=False)
        return request.reference

    async def mid(self, request: Request) -> float | None:
        return request.reference

    async def cancel(self, venue_id: str) -> None:
        await self._call(lambda: self.truth.cancel(int(venue_id)), writes=True)

    async def evidence(self, venue_id: str, request: Request) -> tuple[Fill, ...]:
        del request
        return tuple(await self._call(lambda: self.truth.there[int(venue_id)].fills, writes=False))

    async def dealt(self, since: datetime, coin: str) -> tuple[VenueDeal, ...]:
        def look() -> tuple[VenueDeal, ...]:
            return tuple(
                VenueDeal(
                    venue_id=str(one.number),
                    label=one.request.id,
                    at=one.request.opened_at,
                    instruments=tuple(leg.instrument.name for leg in one.request.structure.legs),
                    amount=one.request.amount,
                )
                for one in self.truth.there.values()
                if one.fills and one.request.opened_at >= since and coin
            )

        return tuple(await self._call(look, writes=False))

    async def find(self, request_id: str) -> VenueFinding | None:
        def look() -> VenueFinding | None:
            for one in self.truth.there.values():
                if one.request.id == request_id:
                    return VenueFinding(str(one.number), self.truth.state(one) == "open")
            return None

        found: VenueFinding | None = await self._call(look, writes=False)
        return found

    async def orphans(self, ended: Collection[str]) -> tuple[str, ...]:
        def look() -> tuple[str, ...]:
            return tuple(
                str(one.number)
                for one in self.truth.there.values()
                if self.truth.state(one) == "open" and one.request.id in ended
            )

        return tuple(await self._call(look, writes=False))


def _later(work: Callable[[], Any]) -> Callable[[], Any]:
    async def arrive() -> None:
        work()

    return arrive


class CrashingJournal(MemoryJournal):
    """A disk that the process may die beside: before a write, or after it."""

    def __init__(self, crash: Callable[[], None]) -> None:
        super().__init__()
        self.crash = crash

    def append(self, drafts: Any, *, at: datetime, author: str, after: int) -> Head:
        self.crash()
        head = super().append(drafts, at=at, author=author, after=after)
        self.crash()
        return head


@dataclass
class Template:
    """A mine with approved proposals, priced once: what every session starts from."""

    rows: list[Any]
    state: State
    files: Any
    priced: dict[str, tuple[Any, Any]]


def template(office: Office, **rules: Any) -> Template:
    """The start of every session, with the pricing that a session does not repeat, under changed rules."""
    state = office.state()
    priced = {
        name: _ruled(execution._again(office, one), {"resting": True} | rules)
        for name, one in state.proposals.items()
        if name in state.approvals and not state.traded(name)
    }
    return Template(list(office.journal.rows()), state, office.files, priced)


def _ruled(priced: tuple[Any, Any], changes: dict[str, Any]) -> tuple[Any, Any]:
    """The same under a mandate with other rules of asking: one that lets a price rest, where none is given."""
    found, rated = priced
    rules = replace(found.mandate.rfq, **changes)
    return replace(found, mandate=replace(found.mandate, rfq=rules)), rated


@dataclass
class Report:
    """What a run of sessions came to."""

    sessions: int = 0
    asked: int = 0
    filled: int = 0
    crashes: int = 0
    faults: dict[str, int] = field(default_factory=dict[str, int])
    double: int = 0
    lost: int = 0
    invented: int = 0
    unknown: int = 0
    unlawful: int = 0

    @property
    def clean(self) -> bool:
        return not (self.double or self.lost or self.invented or self.unknown or self.unlawful)


class Session:
    """One desk, one venue, one seed."""

    def __init__(
        self,
        base: Template,
        seed: int,
        rate: float = RATE,
        crash_rate: float = 0.01,
        truth: type[Truth] = Truth,
    ) -> None:
        self.base, self.draw = base, random.Random(seed)
        self.crash_rate, self.crashes = crash_rate, 0
        assert base.state.clock is not None
        self.clock = VirtualClock(base.state.clock)
        self.truth = truth(self.clock, self.draw)
        self.venue = FaultyVenue(self.truth, self.draw, rate, self._maybe_crash)
        self.journal = CrashingJournal(self._maybe_crash)
        self.journal.kept = list(base.rows)
        self.office = self._start(base.state.copy())

    def _maybe_crash(self) -> None:
        if self.draw.random() < self.crash_rate:
            self.crashes += 1
            raise Crash

    def _start(self, state: State | None = None) -> Office:
        """The process begins: all it knows is what the journal says."""
        return Office(self.journal, self.clock, self.base.files, "trader", None, state or State())

    async def run(self, turns: int = 5) -> None:
        names = list(self.base.priced)[:2]
        for _ in range(turns):
            line = Trading(self.office, self.venue)
            try:
                await execution.deal(line, self.draw.choice(names))
            except Stopped:
                pass
            except Crash:
                self.office = self._start()
            await self.clock.wait_until(
                self.clock.now() + timedelta(seconds=self.draw.uniform(0, 15))
            )
        self.venue.rate, self.crash_rate = 0.0, 0.0
        line = Trading(self.office, self.venue)
        await self.clock.wait_until(self.clock.now() + timedelta(seconds=5))
        for _ in range(2):
            try:
                await fencing.reconcile(line, lambda _: None)
            except OutcomeUnknown:
                continue
        await self.clock.wait_until(self.clock.now() + timedelta(seconds=25))

    def judge(self, report: Report, check: Callable[[State], bool]) -> None:
        """Compare the venue's truth with the books."""
        again = Office(self.journal, self.clock, self.base.files, "auditor").state()
        filled = [one for one in self.truth.there.values() if one.fills]
        known = {fill.venue_trade_id for fill in again.fills.values()} - set(self.base.state.fills)
        there = {fill.venue_trade_id for one in filled for fill in one.fills}
        by_proposal: dict[str, set[int]] = {}
        for one in filled:
            proposal = again.rfqs[one.request.id].proposal if one.request.id in again.rfqs else "?"
            by_proposal.setdefault(proposal, set()).add(one.number)
        report.sessions += 1
        report.asked += len(self.truth.there)
        report.filled += len(filled)
        report.crashes += self.crashes
        for kind, count in self.venue.seen.items():
            report.faults[kind] = report.faults.get(kind, 0) + count
        report.double += sum(len(ones) - 1 for ones in by_proposal.values())
        report.lost += len(there - known) + ("?" in by_proposal)
        report.invented += len(known - there)
        live = again.live_rfqs()
        report.unknown += len(live)
        books = {one.rfq for one in (*again.trades.values(), *again.closings.values())}
        wrong = [
            record
            for record in again.rfqs.values()
            if (record.state is RfqState.FILLED) != (record.request.id in books)
        ]
        report.unlawful += len(wrong) + bool(again.ledger.imbalance()) + (not check(again))


def simulate(
    base: Template,
    seeds: range,
    bug: str = "",
    rate: float = RATE,
    check: Callable[[State], bool] = lambda _: True,
    truth: type[Truth] = Truth,
) -> Report:
    """So many sessions; with a bug planted where one is named, and what else must hold of each state."""
    report = Report()
    with priced_once(base), BUGS[bug]() if bug else _sound():
        for seed in seeds:
            session = Session(base, seed, rate, truth=truth)
            try:
                asyncio.run(session.run())
            except Crash:
                report.crashes += 1
            session.judge(report, check)
    return report


@contextmanager
def priced_once(base: Template) -> Generator[None]:
    """Every judgement is the template's: the market stands still and is always fresh."""

    def priced(
        office: Office, proposal: Any, but: str | None = None, venue: str | None = None
    ) -> Any:
        del office, but, venue
        return base.priced[proposal.id]

    with (
        mock.patch.object(execution, "_again", priced),
        mock.patch("headframe.desk.programme.fresh", return_value=None),
    ):
        yield


@contextmanager
def _sound() -> Generator[None]:
    yield


# ---- bugs that real systems had ---------------------------------------------------


@contextmanager
def _blind_retry() -> Generator[None]:
    """A time-out taken for a failure: the request is marked as empty, and the next one is free to go."""

    async def settle(trading: Trading, record: Any, tell: Any) -> None:
        del tell
        if record.state is not RfqState.UNKNOWN:
            fencing.moved(trading.office, record.request, RfqStep.LOST_SIGHT, outcome="planted")
        fencing.moved(trading.office, record.request, RfqStep.FENCED_EMPTY, outcome="planted")

    with mock.patch.object(fencing, "settle", settle):
        yield


@contextmanager
def _query_then_retry() -> Generator[None]:
    """The venue is asked, but nothing is cancelled first: what is still on its way deals later."""

    async def ended(trading: Trading, venue_id: str, request: Request) -> tuple[Fill, ...]:
        return await trading.venue.evidence(venue_id, request)

    async def sweep(trading: Trading, tell: Any) -> None:
        del trading, tell

    with (
        mock.patch.object(fencing, "ended", ended),
        mock.patch.object(execution, "ended", ended),
        mock.patch.object(taking, "ended", ended),
        mock.patch.object(fencing, "_sweep", sweep),
    ):
        yield


@contextmanager
def _no_reconciliation() -> Generator[None]:
    """After a restart the desk goes on as if nothing had been out."""

    async def reconcile(trading: Trading, tell: Any, but: Any = None) -> None:
        del trading, tell, but

    with (
        mock.patch.object(fencing, "reconcile", reconcile),
        mock.patch.object(execution, "reconcile", reconcile),
    ):
        yield


@contextmanager
def _acknowledged_before_commit() -> Generator[None]:
    """Writes are answered before they are on the disk: a crash takes the last dozen with it."""
    real = Session._start

    def start(self: Session, state: State | None = None) -> Office:
        if state is None:
            self.journal.kept = self.journal.kept[
                : max(len(self.base.rows), len(self.journal.kept) - 12)
            ]
        return real(self, state)

    with mock.patch.object(Session, "_start", start):
        yield


@contextmanager
def _booked_in_two() -> Generator[None]:
    """The request is marked as ended in one transaction, and the trade is written in another."""
    real = booking.book_fills

    def book(office: Office, request: Request, proposal: Any, fills: Any, step: Any) -> Any:
        assert isinstance(office.journal, CrashingJournal)
        try:
            office.journal.crash()
        except Crash:  # between the two: the first is on the disk, the second never was
            known = office.state().rfqs[request.id].state
            ended = RfqStep.FENCED_EMPTY if known is RfqState.UNKNOWN else RfqStep.NOT_FILLED
            with mock.patch.object(office.journal, "crash", return_value=None):
                fencing.moved(office, request, ended, outcome="the state first, the trade later")
            raise
        return real(office, request, proposal, fills, step)

    with (
        mock.patch.object(fencing, "book_fills", book),
        mock.patch.object(taking, "book_fills", book),
    ):
        yield


BUGS: dict[str, Callable[[], Any]] = {
    "blind retry": _blind_retry,
    "query, then retry": _query_then_retry,
    "no reconciliation at restart": _no_reconciliation,
    "acknowledged before commit": _acknowledged_before_commit,
    "booked in two transactions": _booked_in_two,
}
