"""Dealers that are late by a plan drawn from a seed, at a venue that fills the best price itself.

What is counted: decisions that end without an award and why, requests sent, what was given up against the
late quotes that were not dealt, quotes dealt although they came late, trades made twice.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from statistics import fmean
from typing import Any

import faults
from headframe.desk import execution
from headframe.desk.office import Trading
from headframe.desk.ports import Stopped
from headframe.desk.taking import Dealt
from headframe.rfq import Direction, Fill, Quote, Request

LATE_SHARE = 0.25
"""Share of answers that come late; every other one comes within the response time."""
LATE_SECONDS = 3.0
STEP = 0.0001


@dataclass(frozen=True)
class Answer:
    """One dealer's answer to one request: when it comes, how long it is good for, how far from mid."""

    delay: float
    life: float
    gap: float


class LateTruth(faults.Truth):
    """A venue whose dealers answer by their own delays and which fills the best standing quote."""

    late_share: float = LATE_SHARE

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.answers: dict[int, dict[str, Answer]] = {}
        self.overlaps = 0
        self.dealt_late = 0

    def create(self, request: Request) -> int:
        others = [one for one in self.there.values() if self.state(one) == "open"]
        self.overlaps += sum(one.request.approval == request.approval for one in others)
        number = super().create(request)
        respond = (request.respond_by - request.opened_at).total_seconds()
        self.answers[number] = {name: self._answer(respond) for name in request.panel}
        return number

    def _answer(self, respond: float) -> Answer:
        late = self.draw.random() < self.late_share
        over = self.draw.uniform(0.05, LATE_SECONDS)
        delay = respond + over if late else self.draw.uniform(5.0, respond)
        return Answer(delay, self.draw.uniform(60.0, 200.0), self.draw.randrange(-3, 6) * STEP)

    def quotes(self, number: int) -> tuple[Quote, ...]:
        one, now = self.there[number], self.clock.now()
        if self.state(one) != "open" or number in self.withdrawn:
            return ()
        buys = one.request.direction is Direction.BUY
        found = [
            Quote(
                dealer=name,
                direction=Direction.SELL if buys else Direction.BUY,
                price=round(one.request.reference + (made.gap if buys else -made.gap), 4),
                size=float(one.request.amount),
                received_at=one.opened + timedelta(seconds=made.delay),
                good_until=one.opened + timedelta(seconds=made.delay + made.life),
                all_or_none=False,
            )
            for name, made in self.answers[number].items()
        ]
        heard = [quote for quote in found if quote.received_at <= now]
        return tuple(sorted(heard, key=lambda quote: quote.received_at))

    def accept(self, number: int, price: Decimal) -> tuple[Fill, ...]:
        one, now = self.there[number], self.clock.now()
        sign = 1 if one.request.direction is Direction.BUY else -1
        standing = [
            quote
            for quote in self.quotes(number)
            if quote.good_until is not None
            and quote.good_until > now
            and sign * quote.price <= sign * float(price) + 1e-12
        ]
        if self.state(one) != "open" or not standing:
            return ()
        best = min(standing, key=lambda quote: (sign * quote.price, quote.received_at))
        self.dealt_late += best.received_at > one.request.respond_by
        dealt = Decimal(repr(best.price))
        one.fills = (self._fill(one.request, dealt, Decimal(1), best.dealer),)
        one.state = "filled"
        return one.fills


def punctual(share: float) -> type[LateTruth]:
    """Return a venue at which this share of the answers is late."""
    return type("SharedTruth", (LateTruth,), {"late_share": share})


@dataclass
class Count:
    """What a number of decisions came to; prices in basis points of the forward."""

    decisions: int = 0
    awarded: int = 0
    requests: int = 0
    seconds: list[float] = field(default_factory=list[float])
    reasons: Counter[str] = field(default_factory=Counter[str])
    given_up_bps: list[float] = field(default_factory=list[float])
    to_mid_bps: list[float] = field(default_factory=list[float])
    double: int = 0
    overlaps: int = 0
    dealt_late: int = 0

    @property
    def blocked(self) -> int:
        """Decisions that ended because a late quote stood in front."""
        return self.reasons["a late quote stood in front"]

    def line(self, name: str) -> str:
        """Return the figures as a row of a table."""
        given = fmean(self.given_up_bps) if self.given_up_bps else 0.0
        to_mid = fmean(self.to_mid_bps) if self.to_mid_bps else 0.0
        without = self.decisions - self.awarded
        return (
            f"| {name} | {self.decisions:,} | {without:,} ({without / self.decisions:.1%}) | {self.blocked:,} "
            f"| {self.requests / self.decisions:.2f} | {fmean(self.seconds):.0f} | {to_mid:.2f} "
            f"| {given:.2f} ({len(self.given_up_bps):,}) | {self.dealt_late:,} | {self.double} |"
        )


HEAD = (
    "| rule | decisions | without an award | because of a late quote | requests each | seconds each "
    "| cost to mid bp | given up bp (awards) | dealt late | dealt twice |\n|---|---|---|---|---|---|---|---|---|---|"
)


def count(
    base: faults.Template, seeds: range, truth: type[LateTruth] = LateTruth, *, directs: bool = True
) -> Count:
    """Return what one decision of each seed came to, with nothing failing but the dealers' punctuality."""
    found = Count()
    with faults.priced_once(base):
        for seed in seeds:
            session = faults.Session(base, seed, rate=0.0, crash_rate=0.0, truth=truth)
            session.venue.directs = directs
            begun = session.clock.now()
            outcome = asyncio.run(_decision(session))
            _add(found, session, outcome, (session.clock.now() - begun).total_seconds())
    return found


async def _decision(session: faults.Session) -> Dealt | str:
    try:
        return await execution.deal(
            Trading(session.office, session.venue), next(iter(session.base.priced))
        )
    except Stopped as stopped:
        return str(stopped)


def _add(found: Count, session: faults.Session, outcome: Dealt | str, seconds: float) -> None:
    truth, state = session.truth, session.office.state()
    assert isinstance(truth, LateTruth)
    filled = [one for one in truth.there.values() if one.fills]
    found.decisions += 1
    found.requests += len(truth.there)
    found.seconds.append(seconds)
    found.double += max(len(filled) - 1, 0)
    found.overlaps += truth.overlaps
    found.dealt_late += truth.dealt_late
    if not filled:
        words = outcome if isinstance(outcome, str) else outcome.outcome
        late = " came " in words or "late quote" in words
        found.reasons["a late quote stood in front" if late else words] += 1
        return
    found.awarded += 1
    (fill,) = filled[0].fills
    request = filled[0].request
    sign = 1 if request.direction is Direction.BUY else -1
    scale = 1e4 * (1.0 if not request.in_usd else 1.0 / request.forward)
    found.to_mid_bps.append(scale * sign * (float(fill.price) - request.reference))
    missed = [
        float(one["late_price"])
        for record in state.rfqs.values()
        for one in record.late
        if one["action"] != "accept"
    ]
    if missed:
        best = min(missed, key=lambda price: sign * price)
        found.given_up_bps.append(scale * sign * (float(fill.price) - best))


Plan = Callable[[int, Request], dict[str, Answer]]


def planned(plan: Plan) -> type[LateTruth]:
    """Return a venue whose dealers answer by a test's own plan: number of the request, request -> answers."""

    def create(self: LateTruth, request: Request) -> int:
        number = LateTruth.create(self, request)
        self.answers[number] = plan(number, request)
        return number

    return type("PlannedTruth", (LateTruth,), {"create": create})
