"""The street's matching: requests, quotes, fills, by the rules of Deribit's Block RFQ.

Sources: Deribit API 2.1.1, private/create_block_rfq, accept_block_rfq, cancel_block_rfq,
get_block_rfqs; error codes of docs.deribit.com, "RPC error codes". A maker's price is the price paid.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, cast

from headframe.desk.ports import Appointments
from headframe.instrument import Instrument, Kind, parse_instrument
from headframe.market import Snapshot
from headframe.paper.dealers import HABITS, Answer, answer
from headframe.paper.memory import StreetMemory
from headframe.pricing import Surface
from headframe.risk import leg_price
from headframe.units import Wrong

Json = dict[str, Any]
LIFE_SECONDS = 300
BLIND_SECONDS = 5
LEAST_OPTION_COINS = 25.0
LEAST_FUTURE_USD = 200_000.0
MOST_LEGS = 20
MOST_OPEN = 10


class RpcError(Exception):
    """An error of the venue's own table: code and message, with a reason where it helps."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fees:
    """What the street charges."""

    option_coins: float
    option_cap_share: float
    future_share: float
    forward_spread: float


Listener = Callable[[Json], Awaitable[None]]


class Street:
    """Requests and their quotes, on one clock."""

    def __init__(
        self,
        clock: Appointments,
        snapshot: Snapshot,
        surface: Surface,
        fees: Fees,
        memory: StreetMemory,
        seed: int,
    ) -> None:
        self.clock = clock
        self.snapshot = snapshot
        self.surface = surface
        self.fees = fees
        self.memory = memory
        self.seed = seed
        self.listeners: list[Listener] = []

    def makers(self) -> list[str]:
        """Dealers that may be asked."""
        return list(HABITS)

    def now_ms(self) -> int:
        """The street's instant in milliseconds."""
        return ms(self.clock.now())

    def create(self, params: Json) -> Json:
        """Take a request and let every asked dealer make up its mind."""
        legs, amount = self._legs(params)
        makers = _makers(params) or self.makers()
        label = params.get("label", "")
        if not isinstance(label, str) or len(label) > 64:
            raise RpcError(-32602, "Invalid params", "label must be at most 64 characters")
        alive = [r for r in self.memory.requests.values() if self._state(r) == "open"]
        if len(alive) >= MOST_OPEN:
            raise RpcError(13907, "too_many_open_block_rfqs")
        now = self.clock.now()
        number = len(self.memory.requests) + 1
        request: Json = {
            "block_rfq_id": number,
            "role": "taker",
            "state": "open",
            "creation_timestamp": ms(now),
            "expiration_timestamp": ms(now) + 1000 * LIFE_SECONDS,
            "amount": amount,
            "min_trade_amount": amount,
            "legs": legs,
            "combo_id": None,
            "hedge": None,
            "makers": makers,
            "bids": [],
            "asks": [],
            "disclosed": bool(params.get("disclosed", True)),
            "taker": "headframe",
            "taker_rating": "1-2",
            "label": label,
            "app_name": "headframe",
            "mark_price": self._net(legs),
            "index_prices": {f"{self.snapshot.coin.lower()}_usd": self.snapshot.index},
            "trades": [],
            "trade_trigger": None,
            "included_in_taker_rating": True,
        }
        self.memory.keep(request)
        for dealer in makers:
            reply = answer(
                dealer, seed=self.seed, number=number, half_spread=self._half_spread(legs)
            )
            if reply is not None:
                self.clock.call_at(
                    now + timedelta(seconds=reply.delay), self._quoting(number, reply)
                )
        return request | {"state": "created"}

    def _quoting(self, number: int, reply: Answer) -> Callable[[], Awaitable[None]]:
        async def quote() -> None:
            request = self.memory.requests[number]
            if self._state(request) != "open":
                return
            mid = float(request["mark_price"]) + reply.shift
            tick = 1.0 if self._in_usd(request["legs"]) else 0.0001
            until = self.clock.now() + timedelta(seconds=reply.life)
            for side, sign in (("bids", -1), ("asks", 1)):
                price = _tick(mid + sign * reply.half, tick, up=sign > 0)
                request[side].append(self._level(request, reply, price, until))
            await self._tell(request)
            self.clock.call_at(until, self._withdrawing(number))
            blind = instant_of(request["creation_timestamp"]) + timedelta(seconds=BLIND_SECONDS)
            if self.clock.now() < blind:
                self.clock.call_at(blind, self._withdrawing(number))

        return quote

    def _level(self, request: Json, reply: Answer, price: float, until: datetime) -> Json:
        return {
            "makers": [reply.dealer],
            "price": price,
            "amount": request["amount"],
            "last_update_timestamp": self.now_ms(),
            "execution_instruction": "all_or_none" if reply.dealer == "amber" else "any_part_of",
            "expires_at": ms(until),
        }

    def _withdrawing(self, number: int) -> Callable[[], Awaitable[None]]:
        async def withdraw() -> None:
            await self._tell(self.memory.requests[number])

        return withdraw

    async def _tell(self, request: Json) -> None:
        shown = self.shown(request)
        for listener in self.listeners:
            await listener(shown)

    def shown(self, request: Json) -> Json:
        """A request as its taker sees it: no quotes in the first seconds, none that have expired."""
        now = self.now_ms()
        blind = now < request["creation_timestamp"] + 1000 * BLIND_SECONDS

        def live(levels: list[Json]) -> list[Json]:
            return [] if blind else [one for one in levels if one["expires_at"] > now]

        return request | {
            "state": self._state(request),
            "bids": sorted(live(request["bids"]), key=lambda one: -one["price"]),
            "asks": sorted(live(request["asks"]), key=lambda one: one["price"]),
        }

    def _state(self, request: Json) -> str:
        if request["state"] == "open" and self.now_ms() >= request["expiration_timestamp"]:
            return "expired"
        return str(request["state"])

    def request(self, number: object) -> Json:
        """A request by its id."""
        if isinstance(number, bool) or not isinstance(number, int):
            raise RpcError(-32602, "Invalid params", "block_rfq_id must be an integer")
        found = self.memory.requests.get(number)
        if found is None:
            raise RpcError(11029, "invalid_arguments", f"no block_rfq_id {number}")
        return found

    def accept(self, params: Json) -> Json:
        """Deal the whole amount at this price or better, or nothing: fill or kill."""
        request = self.request(params.get("block_rfq_id"))
        if self._state(request) != "open":
            raise RpcError(11044, "not_open_order", f"block rfq is {self._state(request)}")
        if params.get("time_in_force") != "fill_or_kill":
            raise RpcError(-32602, "Invalid params", "this street fills or kills")
        direction, price = params.get("direction"), params.get("price")
        if direction not in {"buy", "sell"}:
            raise RpcError(-32602, "Invalid params", "direction must be buy or sell")
        if params.get("legs") != request["legs"] or params.get("amount") != request["amount"]:
            raise RpcError(-32602, "Invalid params", "legs and amount must be those of the request")
        if isinstance(price, bool) or not isinstance(price, int | float) or not isfinite(price):
            raise RpcError(-32602, "Invalid params", "price must be a number")
        best = self._best(request, str(direction), float(price))
        if best is None:
            raise RpcError(13907, "not_fully_filled")
        trade = self._trade(request, str(direction), best)
        filled = request | {
            "state": "filled",
            "trades": [
                {
                    "direction": direction,
                    "price": best["price"],
                    "amount": request["amount"],
                    "maker": best["makers"][0],
                }
            ],
            "block_trade": trade,
        }
        self.memory.keep(filled)
        return {"block_trades": [trade]}

    def _best(self, request: Json, direction: str, price: float) -> Json | None:
        """Best price first; all-or-none before any part at the same price; then the earlier."""
        shown = self.shown(request)
        levels = cast("list[Json]", shown["asks"] if direction == "buy" else shown["bids"])
        sign = 1.0 if direction == "buy" else -1.0
        fit = [one for one in levels if sign * one["price"] <= sign * price + 1e-12]
        return min(
            fit,
            default=None,
            key=lambda one: (
                sign * one["price"],
                one["execution_instruction"] != "all_or_none",
                one["last_update_timestamp"],
            ),
        )

    def _trade(self, request: Json, direction: str, best: Json) -> Json:
        number = request["block_rfq_id"]
        legs = self.split(request["legs"], best["price"])
        flip = {"buy": "sell", "sell": "buy"}
        trades: list[Json] = []
        for index, (leg, price) in enumerate(zip(request["legs"], legs, strict=True), start=1):
            terms = parse_instrument(leg["instrument_name"])
            amount = request["amount"] * leg["ratio"]
            side = leg["direction"] if direction == "buy" else flip[leg["direction"]]
            trades.append(
                {
                    "trade_id": f"{number}-{index}",
                    "trade_seq": index,
                    "instrument_name": leg["instrument_name"],
                    "direction": side,
                    "price": price,
                    "amount": amount,
                    "fee": self._fee(terms, amount, price),
                    "fee_currency": terms.settled_in,
                    "index_price": self.snapshot.index,
                    "mark_price": self._price(terms),
                    "timestamp": self.now_ms(),
                    "liquidity": "T",
                    "block_trade_id": f"BLOCK-{number}",
                    "block_rfq_id": number,
                    "block_trade_leg_count": len(request["legs"]),
                }
            )
        return {"id": f"BLOCK-{number}", "timestamp": self.now_ms(), "trades": trades}

    def split(self, legs: list[Json], net: float) -> list[float]:
        """Leg prices at their marks, the difference to the net price on the first leg."""
        signs = [leg["ratio"] * (1 if leg["direction"] == "buy" else -1) for leg in legs]
        digits = 0 if self._in_usd(legs) else 4
        prices = [
            round(self._price(parse_instrument(leg["instrument_name"])), digits) for leg in legs
        ]
        rest = sum(sign * price for sign, price in zip(signs[1:], prices[1:], strict=True))
        prices[0] = round((net - rest) / signs[0], 6)
        if prices[0] < 0.0:
            prices[1] = round(prices[1] + prices[0] * signs[0] / -signs[1], 6)
            prices[0] = 0.0
        return prices

    def _fee(self, terms: Instrument, amount: float, price: float) -> float:
        if terms.is_option:
            if not terms.inverse:
                return 0.0
            each = min(self.fees.option_coins, self.fees.option_cap_share * price)
            return round(each * amount, 8)
        if terms.amount_in_usd:
            return round(self.fees.future_share * amount / price, 8)
        return 0.0

    def cancel(self, params: Json) -> Json:
        """End a request; a filled one stays filled."""
        request = self.request(params.get("block_rfq_id"))
        if self._state(request) != "open":
            raise RpcError(11044, "not_open_order", f"block rfq is {self._state(request)}")
        self.memory.keep(request | {"state": "cancelled"})
        return self.shown(self.memory.requests[int(request["block_rfq_id"])])

    def _legs(self, params: Json) -> tuple[list[Json], float]:
        """Legs with whole ratios and the amount they share, checked against the block minimums."""
        raw = params.get("legs")
        if not isinstance(raw, list) or not 1 <= len(cast("list[object]", raw)) <= MOST_LEGS:
            raise RpcError(-32602, "Invalid params", f"legs must be a list of 1 to {MOST_LEGS}")
        rows = [self._leg(row) for row in cast("list[object]", raw)]
        amounts = [amount for _, _, amount in rows]
        unit = min(amounts)
        if any(abs(amount / unit - round(amount / unit)) > 1e-9 for amount in amounts):
            raise RpcError(10021, "invalid_amount", "leg amounts must be in whole ratios")
        if not any(side == "buy" for _, side, _ in rows):
            raise RpcError(-32602, "Invalid params", "at least one leg must be buy")
        if len({terms for terms, _, _ in rows}) != len(rows):
            raise RpcError(-32602, "Invalid params", "each instrument once")
        if len({(terms.inverse, terms.is_option) for terms, _, _ in rows}) != 1:
            raise RpcError(11029, "invalid_arguments", "legs must share their quote currency")
        legs = [
            {"instrument_name": terms.name, "direction": side, "ratio": round(amount / unit)}
            for terms, side, amount in rows
        ]
        return legs, unit

    def _leg(self, row: object) -> tuple[Instrument, str, float]:
        if not isinstance(row, dict):
            raise RpcError(-32602, "Invalid params", "a leg is an object")
        leg = cast("Json", row)
        name, side, amount = leg.get("instrument_name"), leg.get("direction"), leg.get("amount")
        try:
            terms = parse_instrument(str(name))
        except Wrong as error:
            raise RpcError(10020, "invalid_or_unsupported_instrument", str(error)) from error
        if terms.coin != self.snapshot.coin or terms.expiry <= self.clock.now():
            raise RpcError(10020, "invalid_or_unsupported_instrument", f"{name} does not trade")
        if side not in {"buy", "sell"}:
            raise RpcError(-32602, "Invalid params", "a leg's direction is buy or sell")
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not isfinite(amount):
            raise RpcError(10021, "invalid_amount", "a leg's amount is a number")
        least = LEAST_FUTURE_USD if terms.amount_in_usd else LEAST_OPTION_COINS
        if not least <= amount <= 1e9:
            raise RpcError(10021, "invalid_amount", f"a block of {name} is at least {least:g}")
        return terms, str(side), float(amount)

    def _in_usd(self, legs: list[Json]) -> bool:
        terms = parse_instrument(legs[0]["instrument_name"])
        return not (terms.is_option and terms.inverse)

    def _price(self, terms: Instrument) -> float:
        return leg_price(terms, self.surface, self.snapshot.as_of)

    def _net(self, legs: list[Json]) -> float:
        total = 0.0
        for leg in legs:
            sign = 1 if leg["direction"] == "buy" else -1
            total += (
                sign * int(leg["ratio"]) * self._price(parse_instrument(leg["instrument_name"]))
            )
        return total

    def _half_spread(self, legs: list[Json]) -> float:
        """Half the market's bid-ask of the structure: of its futures, or of its options' premiums."""
        share = 2.0 * self.snapshot.half_spread
        total = 0.0
        for leg in legs:
            terms = parse_instrument(leg["instrument_name"])
            spread = share if terms.kind in {Kind.PUT, Kind.CALL} else self.fees.forward_spread
            total += 0.5 * spread * leg["ratio"] * self._price(terms)
        return total


def _makers(params: Json) -> list[str]:
    raw: object = params.get("makers") or []
    if not isinstance(raw, list) or not all(
        isinstance(one, str) for one in cast("list[object]", raw)
    ):
        raise RpcError(-32602, "Invalid params", "makers is a list of names")
    names = cast("list[str]", raw)
    return list(dict.fromkeys(names))


def _tick(price: float, tick: float, *, up: bool) -> float:
    """A price on the tick, rounded away from the mid."""
    steps = price / tick
    whole = -(-steps // 1) if up else steps // 1
    return round(whole * tick, 6)


def ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def instant_of(stamp: int) -> datetime:
    """The instant of a stamp in milliseconds."""
    return datetime.fromtimestamp(stamp / 1000, UTC)
