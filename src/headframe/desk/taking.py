"""Taking what was awarded: fill or kill, a last look with an end, or a price left to rest; or leaving it.

The intent is on the disk before the first byte. What the venue says of it is believed when it says that
it was dealt; when it says no, the request is ended there and read once more before it is taken as empty.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from headframe.book import Trade
from headframe.desk.awarding import marks_of
from headframe.desk.booking import book_fills
from headframe.desk.fencing import ended, lost, moved
from headframe.desk.office import Trading
from headframe.desk.ports import Declined, Json, Malformed, Opened, Refused, Unreachable
from headframe.hedge import Proposal, Situation
from headframe.rfq import Award, Fill, Ladder, Request, RfqStep, Taking

LOOK_SECONDS = 0.5
"""How often it is looked whether a price that rests or is held was dealt."""
REST_MARGIN_SECONDS = 5
"""A resting price is taken back so long before the request ends by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The request that the next one of the same decision follows, and what the next one stands on.

    ``begun`` is when the first request was opened, ``number`` how many were sent; ``without`` are dealers
    left out, ``bound`` the best price that counted, where the next one may not be dealt at a worse price.
    """

    rfq: str
    begun: datetime
    number: int
    without: tuple[str, ...]
    bound: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """What a request led to: the ladder as it stood at the award, the cover, and the trades or why not."""

    request: Request
    ladder: Ladder
    cover: str | None
    trades: tuple[Trade, ...]
    outcome: str
    again: Followed | None = None
    """Where the decision goes on with another request: what that one stands on."""
    earlier: tuple["Dealt", ...] = ()
    """The requests of the same decision before it, oldest first."""

    @property
    def trade(self) -> Trade | None:
        """The trade, or the first of several dealers' parts."""
        return self.trades[0] if self.trades else None


@dataclass(frozen=True, slots=True)
class Case:
    """One request on its way: what it is for, the situation it was judged in, and how old that is."""

    request: Request
    proposal: Proposal
    found: Situation
    bearing: int
    followed: Followed | None = None
    """The request before it in the same decision."""


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """A case that is open at the venue, with the ladder as it stood at the decision."""

    case: Case
    opened: Opened
    ladder: Ladder

    def dealt(
        self, outcome: str, trades: tuple[Trade, ...] = (), cover: str | None = None
    ) -> Dealt:
        """What it led to."""
        return Dealt(
            request=self.case.request,
            ladder=self.ladder,
            cover=cover,
            trades=trades,
            outcome=outcome,
        )


async def leave(trading: Trading, on: OnTheWay, reason: str, **kept: Json) -> Dealt:
    """Nobody is awarded: the request is ended at the venue, its reason kept, with whatever else is."""
    request = on.case.request
    try:
        await trading.venue.cancel(on.opened.venue_id)
    except (Unreachable, Malformed, Refused) as error:
        raise lost(trading.office, request, error) from error
    body: Json = {"outcome": reason, **kept}
    moved(trading.office, request, RfqStep.DECLINE, **body)
    return on.dealt(reason)


async def take(
    trading: Trading,
    on: OnTheWay,
    decision: Award,
    swept: float | None,
    still: Callable[[], str],
) -> Dealt:
    """Deal at the winner's price, fill or kill; a dealer that asks for a last look has until its end.

    The intent is written only on a state on which ``still`` says nothing against it.
    """
    office, request, winner = trading.office, on.case.request, decision.winner
    price = Decimal(repr(winner.price))
    cover = None if decision.cover is None else repr(decision.cover.price)
    void = moved(
        office,
        request,
        RfqStep.INTEND_AWARD,
        unless=still,
        cover=cover,
        dealer=winner.dealer,
        outcome=f"awarding at {price}",
        marks=marks_of(office, request, on.case.found, swept, on.ladder),
    )
    if void:
        return await leave(trading, on, void)
    taking = Taking(price, winner.dealer, winner.id)
    reason = "the quote was gone when it was taken"
    refusal: Refused | None = None
    fills: tuple[Fill, ...] | None = ()
    try:
        try:
            fills = await trading.venue.accept(on.opened.venue_id, request, taking)
        except Refused as error:
            refusal, reason = error, str(error)
        if fills is None:
            moved(office, request, RfqStep.ACCEPTED, outcome=f"{winner.dealer} has a last look")
            fills, reason = await _looked_at(trading, on, winner.dealer)
        if not fills:
            fills = await ended(trading, on.opened.venue_id, request)
    except (Unreachable, Malformed, Refused) as error:
        raise lost(office, request, error) from error
    if fills:
        trades = book_fills(office, request, on.case.proposal, fills, RfqStep.FILLED)
        return on.dealt("filled", trades, cover)
    moved(office, request, RfqStep.NOT_FILLED, outcome=reason)
    if refusal is not None:
        raise Declined(reason) from refusal
    return on.dealt(reason, cover=cover)


async def _looked_at(trading: Trading, on: OnTheWay, dealer: str) -> tuple[tuple[Fill, ...], str]:
    """What a last look came to: fills, or why none; never held longer than the mandate allows."""
    clock, seconds = trading.office.clock, on.case.found.mandate.rfq.last_look_seconds_max
    end = clock.now() + timedelta(seconds=seconds)
    while True:
        fills = await trading.venue.held(on.opened.venue_id, on.case.request)
        if fills is not None:
            return fills, f"{dealer} said no at its last look"
        if clock.now() >= end:
            return (), f"{dealer} held the award longer than {seconds} s"
        await clock.wait_until(min(_soon(clock.now()), end))


async def rest(
    trading: Trading, on: OnTheWay, price: Decimal, swept: float | None, void: Callable[[], str]
) -> Dealt:
    """Leave a price at the venue until a dealer meets it, the request ends, or an award would be void.

    ``void`` says why an award at this price may no longer be made: it is asked at every look.
    """
    office, request, venue_id = trading.office, on.case.request, on.opened.venue_id
    against = moved(
        office,
        request,
        RfqStep.INTEND_AWARD,
        unless=void,
        outcome=f"resting at {price}",
        marks=marks_of(office, request, on.case.found, swept, on.ladder),
    )
    if against:
        return await leave(trading, on, against)
    end = on.opened.expires_at - timedelta(seconds=REST_MARGIN_SECONDS)
    reason = f"nobody met the price of {price}"
    try:
        try:
            fills = await trading.venue.rest(venue_id, request, price)
        except Refused as error:
            fills, reason, end = (), str(error), office.now()
        while not fills and office.now() < end:
            against = void()
            if against:
                reason = f"taken back while it rested: {against}"
                break
            await office.clock.wait_until(min(_soon(office.now()), end))
            with suppress(Unreachable):  # it rests on, and is looked at again
                fills = await trading.venue.evidence(venue_id, request)
        if not fills:
            await trading.venue.take_back(venue_id)
            fills = await ended(trading, venue_id, request)
    except (Unreachable, Malformed, Refused) as error:
        raise lost(office, request, error) from error
    if fills:
        trades = book_fills(office, request, on.case.proposal, fills, RfqStep.FILLED)
        return on.dealt("filled", trades)
    moved(office, request, RfqStep.NOT_FILLED, outcome=reason)
    return on.dealt(reason)


def _soon(now: datetime) -> datetime:
    return now + timedelta(seconds=LOOK_SECONDS)
