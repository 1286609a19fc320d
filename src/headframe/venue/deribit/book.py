"""The order book as a place to deal: one listed instrument or combination, the whole size or nothing.

No order is sent before the award: the request is ours alone, the book's depth is its only quote. Several legs
are dealt as one combination with a book of its own, never leg by leg. The order carries our id and an instant
after which the venue refuses it, so that one that was lost cannot come late: when that instant has passed,
what the venue shows under our id is all there will ever be.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from headframe.desk.ports import Clock, Malformed, Opened, Refused, VenueDeal, VenueFinding
from headframe.instrument import Leg
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
_NEAR = 0.05


@dataclass(frozen=True, slots=True)
class _Place:
    """What is dealt for a structure: the instrument's name, and 1 where buying it buys the structure."""

    name: str
    side: int

    def direction(self, ours: Direction) -> Direction:
        """The side of the order for a side of the structure."""
        if self.side > 0:
            return ours
        return Direction.SELL if ours is Direction.BUY else Direction.BUY


class DeribitBook:
    """The lit book of a venue on the line to it."""

    matches = False
    spoken = True
    rests = False
    directs = False

    def __init__(self, client: Client, clock: Clock, venue: DeribitVenue) -> None:
        self.name = venue.name + ORDER_BOOK
        self._account = DeribitAccount(client)
        self._clock = clock
        self._venue = venue
        self._asked: dict[str, Request] = {}
        self._places: dict[str, _Place] = {}

    async def alive(self) -> None:
        """Return when the venue answers."""
        await self._venue.alive()

    async def _place(self, request: Request) -> _Place:
        """Where a request is dealt; the same combination is made, or found, as often as it is asked."""
        known = self._places.get(request.id)
        if known is None:
            legs = [(leg.instrument.name, leg.ratio) for leg in request.structure.legs]
            if len(legs) == 1:
                known = _Place(legs[0][0], 1)
            else:
                known = _Place(*await self._account.combination(legs, request.amount))
            self._places[request.id] = known
        return known

    async def open(self, request: Request) -> Opened:
        """Nothing is sent but what several legs are: the book stands open to everybody."""
        if len(request.structure.legs) == 1 and request.structure.legs[0].ratio != 1:
            raise Refused("an order book deals one of an instrument at a time")
        if request.hedge is not None:
            raise Refused("an order book knows no hedge leg")
        await self._place(request)
        number = f"book-{request.id[:8]}"
        self._asked[number] = request
        return Opened(number, self._clock.now() + _LIFE, await self._venue.mid(request))

    async def quotes(self, venue_id: str) -> tuple[Quote, ...]:
        """The price at which the book holds the whole size, worst level taken; none where it does not."""
        request = self._asked[venue_id]
        place = await self._place(request)
        bids, asks = await self._account.book(place.name, 100)
        price, left = None, float(request.amount)
        for level, size in asks if place.direction(request.direction) is Direction.BUY else bids:
            price, left = level, left - size
            if left <= 1e-9:
                break
        if price is None or left > 1e-9:
            return ()
        buys = request.direction is Direction.BUY
        one = Quote(
            dealer=self.name,
            direction=Direction.SELL if buys else Direction.BUY,
            price=place.side * price,
            size=float(request.amount),
            received_at=self._clock.now(),
            good_until=None,
            all_or_none=True,
        )
        return (one,)

    async def accept(self, venue_id: str, request: Request, taking: Taking) -> tuple[Fill, ...]:
        """One order, fill or kill, refused by the venue where it comes too late."""
        until = request.opened_at + timedelta(seconds=VALID_SECONDS)
        place = await self._place(request)
        if self._clock.now() >= until:
            raise Refused(
                f"the award came more than {VALID_SECONDS} s after the request was opened"
            )
        done = await self._account.fill_or_kill(
            str(place.direction(request.direction)),
            place.name,
            amount=request.amount,
            price=place.side * taking.price,
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
        """Which leg's order would be below its least size."""
        for leg in request.structure.legs:
            name = leg.instrument.name
            least = (await self._account.minimum(name)).minimum
            if float(request.amount) * abs(leg.ratio) < least:
                return f"{name}: an order is at least {least:g}"
        return ""

    async def depth(self, name: str) -> float | None:
        """How much of an instrument stands within five per cent of the best price, on the thinner side."""
        sides = await self._account.book(name, 100)
        if not all(sides):
            return None
        near = [
            sum(size for price, size in side if abs(price / side[0][0] - 1.0) <= _NEAR)
            for side in sides
        ]
        return min(near)

    async def sweep(self, request: Request) -> float | None:
        """Mean price of taking the size out of the legs' books."""
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

    async def dealt(self, since: datetime, coin: str) -> tuple[VenueDeal, ...]:
        """Orders of ours that were dealt, from the venue's list of our trades in a coin and in USDC."""
        rows = [
            row
            for currency in (coin, "USDC")
            for row in await self._account.trades_since(currency, since)
        ]
        return parse.book_deals_of(rows, since)

    async def find(self, request_id: str) -> VenueFinding | None:
        """Nothing of ours stands open; whether it was dealt is read from the trades."""
        return VenueFinding(f"book-{request_id[:8]}", open=False)

    async def _dealt(self, venue_id: str, request: Request) -> tuple[Fill, ...]:
        """The order's trades as one fill at their mean price; Malformed unless they are the whole size."""
        place = await self._place(request)
        rows = await self._account.trades(place.name, request.id, request.opened_at)
        if not rows:
            return ()
        side = str(place.direction(request.direction))
        total, paid = _added(rows, inverse=False)
        if total != request.amount or {parse.text(row, "direction") for row in rows} != {side}:
            raise Malformed(
                f"{venue_id}: the venue shows {total} of {request.amount} dealt, not all to {side}: "
                "book it by hand"
            )
        parts = {
            leg.instrument.name: [one for row in rows for one in _parts(row, leg.instrument.name)]
            for leg in request.structure.legs
        }
        legs = tuple(
            _leg(request, leg, parts[leg.instrument.name]) for leg in request.structure.legs
        )
        fees = [Decimal(repr(parse.number(row, "fee"))) for some in parts.values() for row in some]
        fill = Fill(
            venue_trade_id=parse.text(rows[0], "order_id"),
            dealer=self.name,
            price=legs[0][2] if len(legs) == 1 else place.side * paid,
            amount=request.amount,
            legs=legs,
            fee=sum(fees, Decimal(0)),
            fee_currency=parse.text(next(iter(parts.values()))[0], "fee_currency"),
            at=parse.stamp(rows[-1], "timestamp"),
        )
        return (fill,)


def _parts(row: Json, name: str) -> list[Json]:
    """The trades of one instrument in a trade: itself, or a leg of a combination's."""
    if row.get("legs") is None:
        return [row]
    return [
        leg
        for leg in parse.rows(row.get("legs"), "legs")
        if parse.text(leg, "instrument_name") == name
    ]


def _leg(request: Request, leg: Leg, rows: list[Json]) -> tuple[str, Decimal, Decimal]:
    """One leg of a fill: name, signed amount, mean price; Malformed where it is not what was asked."""
    side = leg.ratio * (1 if request.direction is Direction.BUY else -1)
    total, mean = _added(rows, inverse=leg.instrument.amount_in_usd)
    sides = {parse.text(row, "direction") for row in rows}
    wanted = request.amount * abs(leg.ratio)
    if total != wanted or sides != {"buy" if side > 0 else "sell"}:
        raise Malformed(
            f"{leg.instrument.name}: the venue shows {total} of {wanted}, {sorted(sides)}"
        )
    return leg.instrument.name, request.amount * side, mean


def _added(rows: Sequence[Json], *, inverse: bool) -> tuple[Decimal, Decimal]:
    """How much trades deal together, and their mean price; no trades are nothing at nothing."""
    amounts = [Decimal(repr(parse.number(row, "amount"))) for row in rows]
    prices = [Decimal(repr(parse.number(row, "price"))) for row in rows]
    return sum(amounts, Decimal(0)), _mean(prices, amounts, inverse=inverse) if rows else Decimal(0)


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
