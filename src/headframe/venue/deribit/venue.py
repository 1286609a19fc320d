"""The port of the desk onto Deribit's Block RFQ: ask, listen, accept fill-or-kill, cancel, find."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from headframe.desk.ports import Broken, Clock, Malformed, Opened, VenueDeal, VenueFinding
from headframe.rfq import Direction, Fill, Quote, Request, Taking, sweep_price
from headframe.venue.deribit import parse
from headframe.venue.deribit.account import DeribitAccount
from headframe.venue.deribit.client import Client
from headframe.venue.deribit.errors import VenueError

Json = dict[str, Any]
_NOT_FILLED = (13907, "not_fully_filled")
_NOT_OPEN = 11044
_ANONYMOUS_FROM = 5
_NOT_LISTED = {10020, -32602}
ASK_SECONDS = 0.2
"""How often a venue that does not speak by itself is asked."""


class DeribitVenue:
    """One signed-in client as a venue."""

    def __init__(self, client: Client, clock: Clock, name: str) -> None:
        self.name = name
        self.matches = True
        self.spoken = False
        self.rests = True
        self.directs = True
        self._client = client
        self._clock = clock
        self._seen: dict[str, list[Quote]] = {}
        self._standing: dict[str, dict[tuple[str, Direction, str, str], int]] = {}
        self._wrong: list[Malformed] = []
        self._asking: dict[str, asyncio.Task[None]] = {}
        client.on_notification = self._heard

    async def close(self) -> None:
        """Stop asking."""
        for task in self._asking.values():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def alive(self) -> None:
        """Return when the venue answers; everything it sent before this call has been taken in."""
        await self._client.call("public/get_time")

    async def open(self, request: Request) -> Opened:
        """Subscribe first, then create, so that no quote is missed."""
        if self._client.hears:
            await self._client.call("private/subscribe", channels=["block_rfq.taker.any"])
        created = parse.table(
            await self._client.call("private/create_block_rfq", **parse.creation(request)),
            "request",
        )
        number = created.get("block_rfq_id")
        if isinstance(number, bool) or not isinstance(number, int):
            raise Malformed(f"the venue's block_rfq_id is no integer: {str(number)[:30]}")
        if not self._client.hears:
            self._asking[str(number)] = asyncio.create_task(self._ask_on(str(number)))
        mark = (
            parse.number(created, "mark_price") if created.get("mark_price") is not None else None
        )
        return Opened(str(number), parse.stamp(created, "expiration_timestamp"), mark)

    async def quotes(self, venue_id: str) -> tuple[Quote, ...]:
        """Every quote heard so far, oldest first; a withdrawn one is good until it was withdrawn."""
        if self._client.hears:
            await self.alive()
        else:
            await self._look(venue_id)
        if self._wrong:
            raise self._wrong[0]
        return tuple(self._seen.get(venue_id, ()))

    def standing(self, venue_id: str) -> tuple[Quote, ...]:
        """The quotes that stand as last heard: what a ladder is drawn from a thousand times a second."""
        known = self._seen.get(venue_id, [])
        return tuple(known[place] for place in self._standing.get(venue_id, {}).values())

    async def _look(self, venue_id: str) -> bool:
        """Ask what stands on a request; whether it is still open."""
        shown = await self._one(venue_id)
        now = self._clock.now()
        self._remember(venue_id, parse.quotes_of(shown, now), now)
        return shown.get("state") in {"open", "created"}

    async def _ask_on(self, venue_id: str) -> None:
        """Where nothing is heard by itself: ask again and again until the request has ended."""
        with suppress(Broken):  # the award asks once more and says what is the matter
            while await self._look(venue_id):  # noqa: ASYNC110 - the other side does not speak
                await asyncio.sleep(ASK_SECONDS)

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
        """Keep what is new, and end what is shown no more; only what stands is looked at."""
        known = self._seen.setdefault(venue_id, [])
        standing = self._standing.setdefault(venue_id, {})
        fresh = {_key(quote): quote for quote in shown}
        for key in [one for one in standing if one not in fresh]:
            place = standing.pop(key)
            if _stands(known[place], now):
                known[place] = replace(known[place], good_until=now)
        for key, quote in fresh.items():
            place = standing.get(key, -1)
            if place < 0 or not _stands(known[place], now):
                standing[key] = len(known)
                known.append(quote)

    async def accept(self, venue_id: str, request: Request, taking: Taking) -> tuple[Fill, ...]:
        """Deal at this price or better, whole or not at all."""
        try:
            result = await self._accept(venue_id, request, taking.price, "fill_or_kill")
        except VenueError as error:
            if (error.code, error.message) == _NOT_FILLED or error.code == _NOT_OPEN:
                return ()
            raise
        blocks = parse.rows(parse.table(result, "acceptance").get("block_trades"), "block_trades")
        return await self._filled(venue_id, request, blocks)

    async def rest(self, venue_id: str, request: Request, price: Decimal) -> tuple[Fill, ...]:
        """Leave a resting price: dealt at once, or when a dealer meets it; a free option for them."""
        result = await self._accept(venue_id, request, price, "good_til_cancelled")
        blocks = parse.rows(parse.table(result, "acceptance").get("block_trades"), "block_trades")
        return await self._filled(venue_id, request, blocks)

    async def held(self, venue_id: str, request: Request) -> tuple[Fill, ...] | None:
        """There is no last look here: what was dealt is on record at once."""
        return await self.evidence(venue_id, request)

    async def take_back(self, venue_id: str) -> None:
        """Cancel a resting price; one that is gone already is fine."""
        try:
            await self._client.call("private/cancel_block_rfq_trigger", block_rfq_id=int(venue_id))
        except VenueError as error:
            if error.code != _NOT_OPEN:
                raise

    async def _accept(self, venue_id: str, request: Request, price: Decimal, life: str) -> object:
        return await self._client.call(
            "private/accept_block_rfq",
            block_rfq_id=int(venue_id),
            direction=str(request.direction),
            price=float(price),
            amount=float(request.amount),
            legs=parse.legs_of(request),
            time_in_force=life,
            **({} if request.hedge is None else {"hedge": parse.hedge_of(request, request.hedge)}),
        )

    async def _filled(
        self, venue_id: str, request: Request, blocks: list[Json]
    ) -> tuple[Fill, ...]:
        """Each dealer's part, the dealers read from the request itself; none where nothing was dealt."""
        if not blocks:
            return ()
        shown = await self._one(venue_id)
        if not shown.get("trades"):
            shown = shown | {"trades": self._remembered(venue_id, request, blocks)}
        return parse.fills_of(blocks, shown, request)

    def _remembered(self, venue_id: str, request: Request, blocks: list[Json]) -> list[Json]:
        """Whose quote a block took, where the venue names nobody: the quote heard at the block's price."""
        found: list[Json] = []
        for block in blocks:
            net = parse.net_of(block, request)
            heard = [
                one
                for one in self._seen.get(venue_id, ())
                if one.direction is not request.direction and abs(one.price - float(net)) < 1e-9
            ]
            if heard:
                found.append({"maker": heard[0].dealer, "price": float(net)})
        return found

    async def _one(self, venue_id: str) -> Json:
        answer = await self._client.call("private/get_block_rfqs", block_rfq_id=int(venue_id))
        listed = parse.rows(parse.table(answer, "requests").get("block_rfqs"), "block_rfqs")
        if not listed:
            raise Malformed(f"the venue no longer lists its request {venue_id}")
        return listed[0]

    async def closed(self, request: Request) -> str:
        """Which leg lies below its least block, or is not listed."""
        if not request.disclosed and len(request.panel) < _ANONYMOUS_FROM:
            return f"{self.name} hides who asks from {_ANONYMOUS_FROM} dealers on, not {len(request.panel)}"
        account = DeribitAccount(self._client)
        for leg in request.structure.legs:
            name = leg.instrument.name
            try:
                known = await account.minimum(name)
            except VenueError as error:
                if error.code in _NOT_LISTED:
                    return f"{name} is not listed at {self.name}"
                raise
            if float(request.amount) * abs(leg.ratio) < known.block_minimum:
                return f"{name}: a block at {self.name} is at least {known.block_minimum:g}"
        return ""

    async def sweep(self, request: Request) -> float | None:
        """Net price of taking the request's size out of the lit book; None where it does not hold so much."""
        total = 0.0
        for leg in request.structure.legs:
            book = parse.table(
                await self._client.call(
                    "public/get_order_book", instrument_name=leg.instrument.name, depth=100
                ),
                "order book",
            )
            buys = (leg.ratio > 0) == (request.direction is Direction.BUY)
            levels = parse.levels(book.get("asks" if buys else "bids"))
            price = sweep_price(levels, float(request.amount) * abs(leg.ratio))
            if price is None:
                return None
            total += leg.ratio * price
        return total

    async def mid(self, request: Request) -> float | None:
        """The structure's mid at the venue now, by its own marks."""
        total = 0.0
        for leg in request.structure.legs:
            ticker = parse.table(
                await self._client.call("public/ticker", instrument_name=leg.instrument.name),
                "ticker",
            )
            total += leg.ratio * parse.number(ticker, "mark_price")
        return total

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
                alive = row.get("state") in {"open", "created"}
                return VenueFinding(str(row.get("block_rfq_id")), alive)
        return None

    async def makers(self) -> tuple[str, ...]:
        """Dealers that can be asked."""
        answer = await self._client.call("private/get_block_rfq_makers")
        if not isinstance(answer, list):
            raise Malformed("the venue's list of makers is no list")
        return tuple(str(one) for one in cast("list[object]", answer))

    async def history(self, count: int = 100) -> tuple[Json, ...]:
        """Our requests as the venue keeps them, newest first."""
        found: list[Json] = []
        before: dict[str, int | str] = {}
        while len(found) < count:
            answer = parse.table(
                await self._client.call(
                    "private/get_block_rfqs",
                    count=min(count - len(found), 1000),
                    currency="any",
                    role="taker",
                    **before,
                ),
                "requests",
            )
            found += parse.rows(answer.get("block_rfqs"), "block_rfqs")
            before = _following(answer, before)
            if not before:
                break
        return tuple(found)

    async def dealt(self, since: datetime, coin: str) -> tuple[VenueDeal, ...]:
        """Requests of ours that were dealt, from the venue's list of them; ``coin`` is not asked for."""
        assert coin
        found: list[Json] = []
        before: dict[str, int | str] = {}
        while True:
            answer = parse.table(
                await self._client.call(
                    "private/get_block_rfqs", count=1000, currency="any", role="taker", **before
                ),
                "requests",
            )
            page = parse.rows(answer.get("block_rfqs"), "block_rfqs")
            found += page
            before = _following(answer, before)
            oldest = [parse.stamp(row, "creation_timestamp") for row in page[-1:]]
            if not before or (oldest and oldest[0] < since):
                break
        deals = [parse.deal_of(row) for row in found if parse.was_dealt(row)]
        return tuple(sorted((one for one in deals if one.at >= since), key=lambda one: one.at))

    async def orphans(self, ended: Collection[str]) -> tuple[str, ...]:
        """Requests open at the venue that carry one of these ids of ours as their label."""
        answer = await self._client.call(
            "private/get_block_rfqs", count=1000, currency="any", state="open"
        )
        shown = parse.rows(parse.table(answer, "requests").get("block_rfqs"), "block_rfqs")
        return tuple(str(row.get("block_rfq_id")) for row in shown if row.get("label") in ended)

    async def evidence(self, venue_id: str, request: Request) -> tuple[Fill, ...]:
        """The fills of a request, from the venue's own list of block trades; none where there are none."""
        answer = await self._client.call("private/get_block_trades", block_rfq_id=int(venue_id))
        blocks = parse.rows(answer, "block trades")
        return await self._filled(venue_id, request, blocks)


def _stands(quote: Quote, now: datetime) -> bool:
    return quote.good_until is None or quote.good_until > now


def _key(quote: Quote) -> tuple[str, Direction, str, str]:
    """A quote's identity on the ladder; a repeated level is the same quote."""
    return (quote.dealer, quote.direction, repr(quote.price), repr(quote.size))


def _following(answer: Json, before: dict[str, int | str]) -> dict[str, int | str]:
    """Return where the next page begins, as the venue gave it; empty where this was the last.

    Malformed where it is neither a number nor a text, or the same as before: a part is never taken for all.
    """
    value = answer.get("continuation")
    if value in (None, "", "none"):
        return {}
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Malformed(f"the venue's continuation is neither number nor text: {str(value)[:30]}")
    token = (
        int(value) if isinstance(value, str) and value.isdecimal() and value.isascii() else value
    )
    if before.get("continuation") == token:
        raise Malformed(f"the venue's continuation does not move on: {str(token)[:30]}")
    return {"continuation": token}
