"""The port of the desk onto Deribit's Block RFQ: ask, listen, accept fill-or-kill, cancel, find."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from headframe.desk.ports import Clock, Malformed, Opened, VenueFinding
from headframe.rfq import Direction, Fill, Quote, Request
from headframe.venue.deribit import parse
from headframe.venue.deribit.client import JsonRpcClient, VenueError

Json = dict[str, Any]
_NOT_FILLED = (13907, "not_fully_filled")
_NOT_OPEN = 11044


class DeribitVenue:
    """One signed-in client as a venue."""

    def __init__(self, client: JsonRpcClient, clock: Clock, name: str) -> None:
        self.name = name
        self.matches = True
        self._client = client
        self._clock = clock
        self._seen: dict[str, list[Quote]] = {}
        self._wrong: list[Malformed] = []
        client.on_notification = self._heard

    async def settle(self) -> None:
        """Return when everything the venue sent before this call has been taken in."""
        await self._client.call("public/get_time")

    async def open(self, request: Request) -> Opened:
        """Subscribe first, then create, so that no quote is missed."""
        await self._client.call("private/subscribe", channels=["block_rfq.taker.any"])
        created = parse.table(
            await self._client.call("private/create_block_rfq", **parse.creation(request)),
            "request",
        )
        number = created.get("block_rfq_id")
        if isinstance(number, bool) or not isinstance(number, int):
            raise Malformed(f"the venue's block_rfq_id is no integer: {str(number)[:30]}")
        return Opened(str(number), parse.stamp(created, "expiration_timestamp"))

    async def quotes(self, venue_id: str) -> tuple[Quote, ...]:
        """Every quote heard so far, oldest first; a withdrawn one is good until it was withdrawn."""
        await self.settle()
        if self._wrong:
            raise self._wrong[0]
        return tuple(self._seen.get(venue_id, ()))

    def _heard(self, message: Json) -> None:
        try:
            data = parse.table(
                parse.table(message.get("params"), "notification").get("data"), "notification"
            )
            now = self._clock.now()
            self._remember(str(data.get("block_rfq_id")), parse.quotes_of(data, now), now)
        except Malformed as error:
            self._wrong.append(error)

    def _remember(self, venue_id: str, shown: tuple[Quote, ...], now: datetime) -> None:
        known = self._seen.setdefault(venue_id, [])
        standing = {_key(quote) for quote in shown}
        for index, quote in enumerate(known):
            gone = _key(quote) not in standing
            if gone and (quote.good_until is None or quote.good_until > now):
                known[index] = replace(quote, good_until=now)
        before = {
            _key(quote) for quote in known if quote.good_until is None or quote.good_until > now
        }
        known.extend(quote for quote in shown if _key(quote) not in before)

    async def accept(self, venue_id: str, request: Request, price: Decimal) -> Fill | None:
        """Deal at this price or better, whole or not at all."""
        try:
            result = await self._client.call(
                "private/accept_block_rfq",
                block_rfq_id=int(venue_id),
                direction=str(request.direction),
                price=float(price),
                amount=float(request.amount),
                legs=parse.legs_of(request),
                time_in_force="fill_or_kill",
            )
        except VenueError as error:
            if (error.code, error.message) == _NOT_FILLED or error.code == _NOT_OPEN:
                return None
            raise
        blocks = parse.rows(parse.table(result, "acceptance").get("block_trades"), "block_trades")
        if not blocks:
            return None
        return await self._filled(venue_id, request, blocks[0])

    async def _filled(self, venue_id: str, request: Request, block: Json) -> Fill:
        shown = await self._one(venue_id)
        dealer, price = parse.winner_of(shown)
        return parse.fill_of(block, dealer, request, price)

    async def _one(self, venue_id: str) -> Json:
        answer = await self._client.call("private/get_block_rfqs", block_rfq_id=int(venue_id))
        listed = parse.rows(parse.table(answer, "requests").get("block_rfqs"), "block_rfqs")
        if not listed:
            raise Malformed(f"the venue no longer lists its request {venue_id}")
        return listed[0]

    async def cancel(self, venue_id: str) -> None:
        """End the request; one that has ended already is fine."""
        try:
            await self._client.call("private/cancel_block_rfq", block_rfq_id=int(venue_id))
        except VenueError as error:
            if error.code != _NOT_OPEN:
                raise

    async def find(self, request_id: str) -> VenueFinding | None:
        """What the venue knows of the request that carries our id as its label."""
        answer = await self._client.call("private/get_block_rfqs", count=1000, currency="any")
        for row in parse.rows(parse.table(answer, "requests").get("block_rfqs"), "block_rfqs"):
            if row.get("label") == request_id:
                return VenueFinding(str(row.get("block_rfq_id")), row.get("state") == "open")
        return None

    async def evidence(self, venue_id: str, request: Request) -> Fill | None:
        """The fill of a request, from the venue's own list of block trades; None where there is none."""
        answer = await self._client.call("private/get_block_trades", block_rfq_id=int(venue_id))
        blocks = parse.rows(answer, "block trades")
        return await self._filled(venue_id, request, blocks[0]) if blocks else None


def _key(quote: Quote) -> tuple[str, Direction, str, str]:
    """A quote's identity on the ladder; a repeated level is the same quote."""
    return (quote.dealer, quote.direction, repr(quote.price), repr(quote.size))
