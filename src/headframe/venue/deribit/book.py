"""The order book as a place to deal: one listed instrument, the whole size at a limit or nothing.

Nothing is sent before the award: the request is ours alone, the book's depth is its only quote. The order
carries our id and an instant after which the venue refuses it, so that one that was lost cannot come late:
when that instant has passed, what the venue shows under our id is all there will ever be.
"""

from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from headframe.desk.ports import Clock, Malformed, Opened, Refused, VenueFinding
from headframe.mandate import ORDER_BOOK
from headframe.rfq import Direction, Fill, Quote, Request, Taking
from headframe.venue.deribit import parse
from headframe.venue.deribit.account import DeribitAccount
from headframe.venue.deribit.client import Client
from headframe.venue.deribit.venue import DeribitVenue

Json = dict[str, Any]
VALID_SECONDS = 8
"""How long after its opening a request may still send its order."""
_LIFE = timedelta(seconds=60)


class DeribitBook:
    """The lit book of a venue on the line to it."""

    matches = False
    spoken = True
    rests = False

    def __init__(self, client: Client, clock: Clock, venue: DeribitVenue) -> None:
        self.name = venue.name + ORDER_BOOK
        self._account = DeribitAccount(client)
        self._clock = clock
        self._venue = venue
        self._asked: dict[str, Request] = {}

    async def alive(self) -> None:
        """Return when the venue answers."""
        await self._venue.alive()

    async def open(self, request: Request) -> Opened:
        """Nothing is sent: the book stands open to everybody."""
        if len(request.structure.legs) != 1 or request.structure.legs[0].ratio != 1:
            raise Refused("an order book deals one instrument at a time")
        number = f"book-{request.id[:8]}"
        self._asked[number] = request
        return Opened(number, self._clock.now() + _LIFE, await self._venue.mid(request))

    async def quotes(self, venue_id: str) -> tuple[Quote, ...]:
        """The price at which the book holds the whole size, worst level taken; none where it does not."""
        request = self._asked[venue_id]
        buys = request.direction is Direction.BUY
        bids, asks = await self._account.book(request.structure.legs[0].instrument.name, 100)
        price, left = None, float(request.amount)
        for level, size in asks if buys else bids:
            price, left = level, left - size
            if left <= 1e-9:
                break
        if price is None or left > 1e-9:
            return ()
        one = Quote(
            dealer=self.name,
            direction=Direction.SELL if buys else Direction.BUY,
            price=price,
            size=float(request.amount),
            received_at=self._clock.now(),
            good_until=None,
            all_or_none=True,
        )
        return (one,)

    async def accept(self, venue_id: str, request: Request, taking: Taking) -> tuple[Fill, ...]:
        """One order, fill or kill, refused by the venue where it comes too late."""
        until = request.opened_at + timedelta(seconds=VALID_SECONDS)
        if self._clock.now() >= until:
            raise Refused(
                f"the award came more than {VALID_SECONDS} s after the request was opened"
            )
        done = await self._account.fill_or_kill(
            str(request.direction),
            request.structure.legs[0].instrument.name,
            amount=request.amount,
            price=taking.price,
            label=request.id,
            until=until,
        )
        return await self._dealt(venue_id, request) if done.filled else ()

    async def held(self, venue_id: str, request: Request) -> tuple[Fill, ...] | None:
        """There is no last look in a book."""
        return await self.evidence(venue_id, request)

    async def rest(self, venue_id: str, request: Request, price: Decimal) -> tuple[Fill, ...]:
        """No order of ours rests in a book."""
        raise Refused(f"{venue_id}: no order at {price} for {request.id[:8]} rests in the book")

    async def take_back(self, venue_id: str) -> None:
        """Nothing rests."""
        assert venue_id

    async def closed(self, request: Request) -> str:
        """Whether the order would be below the least size."""
        name = request.structure.legs[0].instrument.name
        least = (await self._account.minimum(name)).minimum
        return "" if float(request.amount) >= least else f"{name}: an order is at least {least:g}"

    async def sweep(self, request: Request) -> float | None:
        """Mean price of taking the size out of the book."""
        return await self._venue.sweep(request)

    async def mid(self, request: Request) -> float | None:
        """The venue's own mark."""
        return await self._venue.mid(request)

    async def cancel(self, venue_id: str) -> None:
        """A fill-or-kill order never stands."""
        assert venue_id

    async def evidence(self, venue_id: str, request: Request) -> tuple[Fill, ...]:
        """What the venue shows under our id, when nothing can be added to it any more."""
        found = await self._dealt(venue_id, request)
        if not found:
            await self._clock.wait_until(request.opened_at + timedelta(seconds=VALID_SECONDS + 1))
            found = await self._dealt(venue_id, request)
        return found

    async def orphans(self, ended: Collection[str]) -> tuple[str, ...]:
        """No order comes late: the venue refuses it."""
        assert isinstance(ended, Collection)
        return ()

    async def find(self, request_id: str) -> VenueFinding | None:
        """Nothing of ours stands open; whether it was dealt is read from the trades."""
        return VenueFinding(f"book-{request_id[:8]}", open=False)

    async def _dealt(self, venue_id: str, request: Request) -> tuple[Fill, ...]:
        """The order's trades as one fill at their mean price; Malformed unless they are the whole size."""
        leg = request.structure.legs[0].instrument
        rows = await self._account.trades(leg.name, request.id, request.opened_at)
        if not rows:
            return ()
        sides = {parse.text(row, "direction") for row in rows}
        amounts = [Decimal(repr(parse.number(row, "amount"))) for row in rows]
        if sum(amounts) != request.amount or sides != {str(request.direction)}:
            raise Malformed(
                f"{venue_id}: the venue shows {sum(amounts)} of {request.amount} dealt, {sorted(sides)}: "
                "book it by hand"
            )
        prices = [Decimal(repr(parse.number(row, "price"))) for row in rows]
        fees = [Decimal(repr(parse.number(row, "fee"))) for row in rows]
        mean = _mean(prices, amounts, inverse=leg.inverse)
        side = 1 if request.direction is Direction.BUY else -1
        fill = Fill(
            venue_trade_id=parse.text(rows[0], "order_id"),
            dealer=self.name,
            price=mean,
            amount=request.amount,
            legs=((leg.name, request.amount * side, mean),),
            fee=sum(fees, Decimal(0)),
            fee_currency=parse.text(rows[0], "fee_currency"),
            at=parse.stamp(rows[-1], "timestamp"),
        )
        return (fill,)


def _mean(prices: list[Decimal], amounts: list[Decimal], *, inverse: bool) -> Decimal:
    """The one price that is worth what several were: harmonic where the contract is settled in coin."""
    total = Fraction(sum(amounts))
    pairs = [(Fraction(price), Fraction(size)) for price, size in zip(prices, amounts, strict=True)]
    if len(set(prices)) == 1:
        return prices[0]
    if inverse:
        mean = total / sum((size / price for price, size in pairs), Fraction(0))
    else:
        mean = sum((size * price for price, size in pairs), Fraction(0)) / total
    return (Decimal(mean.numerator) / Decimal(mean.denominator)).quantize(Decimal("0.00000001"))
