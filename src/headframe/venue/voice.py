"""Quotes heard by chat or telephone and typed in: the same ladder, the same award, the same record.

Nothing is sent. A deal is a fact when the person who heard it says so; what nobody says is not known.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from headframe.desk.ports import Clock, Opened, Refused, Unreachable, VenueDeal, VenueFinding
from headframe.pricing import Surface
from headframe.rfq import Direction, Fill, Quote, Request, Taking
from headframe.risk import leg_price
from headframe.units import iso

LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Said:
    """What a dealer said: a price for the whole size, good for so many seconds."""

    dealer: str
    price: float
    seconds: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said of one proposal: quotes, whom we dealt with, or that an earlier one came to nothing."""

    said: tuple[Said, ...]
    dealt: str | None = None
    nothing: bool = False


class VoiceVenue:
    """Quotes that were typed in, and whom the person who heard them dealt with."""

    name = "voice"
    matches = False
    spoken = True
    rests = False
    directs = True

    def __init__(
        self,
        clock: Clock,
        spoken: Spoken,
        *,
        surface: Surface,
        at: datetime,
    ) -> None:
        self._clock = clock
        self._said = spoken.said
        self._surface = surface
        self._at = at
        self._dealt = spoken.dealt
        self._nothing = spoken.nothing
        self._refused = False
        self._request: Request | None = None

    async def alive(self) -> None:
        """A voice is always there."""

    async def open(self, request: Request) -> Opened:
        """Nothing is sent: the quotes are in."""
        self._request = request
        return Opened(f"voice-{request.id[:8]}", self._clock.now() + LIFE)

    async def quotes(self, venue_id: str) -> tuple[Quote, ...]:
        """What was typed in, heard just now."""
        assert self._request is not None, venue_id
        request, now = self._request, self._clock.now()
        other = Direction.SELL if request.direction is Direction.BUY else Direction.BUY
        return tuple(
            Quote(
                dealer=one.dealer,
                direction=other,
                price=one.price,
                size=float(request.amount),
                received_at=now,
                good_until=now + timedelta(seconds=one.seconds),
                all_or_none=True,
            )
            for one in self._said
        )

    async def accept(self, venue_id: str, request: Request, taking: Taking) -> tuple[Fill, ...]:
        """What the person says was dealt; another dealer than the rule's is refused."""
        winners, price = [taking.dealer], taking.price
        if self._dealt not in winners:
            who, self._refused = " or ".join(winners), True
            raise Refused(
                f"the rule awards {who} at {price}: deal with {who}, then say so with --dealt {winners[0]}"
            )
        return (self._fill(venue_id, request, self._dealt, price),)

    def _fill(self, venue_id: str, request: Request, dealer: str, price: Decimal) -> Fill:
        """Legs at the model's prices, the difference to the net price on the first."""
        side = 1 if request.direction is Direction.BUY else -1
        digits = 0 if request.in_usd else 4
        legs = request.structure.legs
        prices = [
            Decimal(repr(round(leg_price(leg.instrument, self._surface, self._at), digits)))
            for leg in legs
        ]
        rest = sum(
            (leg.ratio * one for leg, one in zip(legs[1:], prices[1:], strict=True)), Decimal(0)
        )
        prices[0] = (price - rest) / legs[0].ratio
        rows = [
            (leg.instrument.name, request.amount * leg.ratio * side, one)
            for leg, one in zip(legs, prices, strict=True)
        ]
        if request.hedge is not None:
            hedge = request.hedge
            rows.append((hedge.instrument.name, hedge.amount, hedge.price))
        return Fill(
            venue_trade_id=f"{venue_id}-{dealer}",
            dealer=dealer,
            price=price,
            amount=request.amount,
            legs=tuple(rows),
            fee=Decimal(0),
            fee_currency=legs[0].instrument.settled_in,
            at=self._clock.now(),
        )

    async def held(self, venue_id: str, request: Request) -> tuple[Fill, ...] | None:
        """A voice says yes or no before anything is typed."""
        return await self.evidence(venue_id, request)

    async def rest(self, venue_id: str, request: Request, price: Decimal) -> tuple[Fill, ...]:
        """Nothing rests with a voice."""
        raise Refused(f"{venue_id}: no price of {price} for {request.id[:8]} rests by voice")

    async def take_back(self, venue_id: str) -> None:
        """Nothing rests with a voice."""
        assert venue_id

    async def closed(self, request: Request) -> str:
        """A voice has no least size."""
        assert request.structure.legs
        return ""

    async def sweep(self, request: Request) -> float | None:
        """No lit book is looked at."""
        assert request.structure.legs
        return None

    async def mid(self, request: Request) -> float | None:
        """No marks are heard."""
        assert request.structure.legs
        return None

    async def cancel(self, venue_id: str) -> None:
        """Nothing stands anywhere."""
        assert venue_id

    async def evidence(self, venue_id: str, request: Request) -> tuple[Fill, ...]:
        """What the person says was dealt, after the fact; nothing where he says nothing."""
        if self._refused:
            return ()
        known = next((one for one in self._said if one.dealer == self._dealt), None)
        if known is None and self._nothing:
            return ()
        if known is None:
            raise Unreachable(
                "only who spoke knows what came of it: --dealt DEALER with the quote, or --nothing"
            )
        return (self._fill(venue_id, request, known.dealer, Decimal(repr(known.price))),)

    async def orphans(self, ended: Collection[str]) -> tuple[str, ...]:
        """Nothing can come late that was never sent."""
        assert isinstance(ended, Collection)
        return ()

    async def dealt(self, since: datetime, coin: str) -> tuple[VenueDeal, ...]:
        """Refused: nobody keeps a record of what was said but the people who said it."""
        raise Refused(f"there is no record of what was dealt by voice in {coin} since {iso(since)}")

    async def find(self, request_id: str) -> VenueFinding | None:
        """Every request of ours is known to the person who made it, and none is open."""
        return VenueFinding(f"voice-{request_id[:8]}", open=False)
