"""The street's Block RFQ: requests, quotes, awards, by the venue's rules, on the street's clock.

Sources: Deribit API 2.1.1, the methods of "Block RFQ"; error codes of docs.deribit.com, "RPC error
codes"; where they say nothing, numbers are settings here and say so.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from headframe.desk.ports import Appointments
from headframe.paper.accounts import Account
from headframe.paper.asked import allocations_of, hedge_of, legs_of
from headframe.paper.dealers import HABITS, Answer, answer
from headframe.paper.memory import StreetMemory
from headframe.paper.quotes import levels, matched
from headframe.paper.rpc import Json, Params, RpcError, invalid
from headframe.paper.settle import block_of
from headframe.paper.world import World, instant_of, later, ms, tick_price

LIFE_SECONDS = 300
BLIND_SECONDS = 5
MOST_OPEN = 10
LEAST_ANONYMOUS = 5
Listener = Callable[[Json], Awaitable[None]]
BlockListener = Callable[[Json, Account | None, str], None]


class Street:
    """Requests and their quotes, on one clock."""

    def __init__(self, world: World, memory: StreetMemory) -> None:
        self.world = world
        self.memory = memory
        self.listeners: list[Listener] = []
        self.block_listeners: list[BlockListener] = []
        self.dealers: Callable[[], list[Account]] = list
        self.by_name: Callable[[str], Account | None] = lambda _: None
        self._waiting: list[int] = []
        self._quotes = 0

    @property
    def clock(self) -> Appointments:
        """The street's clock."""
        return self.world.clock

    def makers(self) -> list[str]:
        """Dealers that may be asked."""
        return [*HABITS, *(one.dealer for one in self.dealers() if one.dealer)]

    # ---- the taker ----------------------------------------------------------
    def create(self, params: Params, taker: Account) -> Json:
        """Take a request and let every asked dealer make up its mind."""
        legs, amount = legs_of(self.world, params)
        named = params.texts("makers") if params.given("makers") else []
        makers = list(dict.fromkeys(named)) or self.makers()
        label = params.text("label", "")
        disclosed = params.flag("disclosed", default=True)
        if not disclosed and len(makers) < LEAST_ANONYMOUS:
            raise RpcError(
                11029, "invalid_arguments", f"anonymous takes {LEAST_ANONYMOUS} makers or more"
            )
        alive = [r for r in self.memory.requests.values() if self.state(r) == "open"]
        mine = [r for r in alive if r["account"] == taker.client_id]
        if len(mine) >= MOST_OPEN:
            raise RpcError(13907, "too_many_open_block_rfqs")
        now = self.clock.now()
        request: Json = {
            "block_rfq_id": len(self.memory.requests) + 1,
            "state": "open",
            "creation_timestamp": ms(now),
            "expiration_timestamp": ms(later(now, LIFE_SECONDS)),
            "amount": amount,
            "min_trade_amount": amount,
            "legs": legs,
            "hedge": hedge_of(self.world, params, legs),
            "makers": makers,
            "disclosed": disclosed,
            "label": label,
            "app_name": params.text("app_name", "") or None,
            "mark_price": self.world.net(legs),
            "index_prices": {f"{self.world.snapshot.coin.lower()}_usd": self.world.index()},
            "trades": [],
            "trade_allocations": allocations_of(params, amount),
            "included_in_taker_rating": True,
            "account": taker.client_id,
            "quotes": [],
            "triggers": {},
            "blocks": [],
        }
        self.memory.keep(request)
        self._ask(request)
        return self.shown(request, taker) | {"state": "created"}

    def _ask(self, request: Json) -> None:
        """The street's own dealers answer as is their habit; at its end everybody hears of it."""
        now, number = self.clock.now(), int(request["block_rfq_id"])
        half = self.world.half_spread(request["legs"])
        own = {one.dealer for one in self.dealers()}
        for dealer in request["makers"]:
            reply = answer(dealer, seed=self.world.seed, number=number, half_spread=half)
            if dealer not in own and reply is not None:
                self.clock.call_at(later(now, reply.delay), self._quoting(number, reply))
        ends = instant_of(request["expiration_timestamp"])
        self.clock.call_at(ends, self._telling(number))
        if own:
            self._waiting.append(number)

    async def opened(self) -> None:
        """Tell dealers with keys of their own about requests just made."""
        while self._waiting:
            await self.tell(self.memory.requests[self._waiting.pop(0)])

    def _quoting(self, number: int, reply: Answer) -> Callable[[], Awaitable[None]]:
        async def quote() -> None:
            request = self.memory.requests[number]
            if self.state(request) != "open":
                return
            mid = float(request["mark_price"]) + reply.shift
            if self.world.vol:
                mid = self.world.net(request["legs"]) + reply.shift
            tick = self._tick(request["legs"])
            until = later(self.clock.now(), reply.life)
            for side, sign in (("buy", -1), ("sell", 1)):
                request = self.memory.requests[number]  # a resting price may have met the last one
                price = tick_price(mid + sign * reply.half, tick, up=sign > 0)
                self.stand(request, self._dealers_quote(request, reply, side, price, until))
            await self.tell(self.memory.requests[number])
            self.clock.call_at(until, self._telling(number))
            blind = later(instant_of(request["creation_timestamp"]), BLIND_SECONDS)
            if self.clock.now() < blind:
                self.clock.call_at(blind, self._telling(number))

        return quote

    def _dealers_quote(
        self, request: Json, reply: Answer, side: str, price: float, until: datetime
    ) -> Json:
        return self.fresh_quote(
            request,
            dealer=reply.dealer,
            direction=side,
            price=price,
            amount=request["amount"],
            execution_instruction="all_or_none" if reply.dealer == "amber" else "any_part_of",
            expires_at=ms(until),
            legs=request["legs"],
        )

    def fresh_quote(self, request: Json, **terms: object) -> Json:
        """A quote with its number and stamps."""
        self._quotes += 1
        now = self.world.now_ms()
        return {
            "block_rfq_quote_id": self._quotes,
            "block_rfq_id": request["block_rfq_id"],
            "creation_timestamp": now,
            "last_update_timestamp": now,
            "quote_state": "open",
            "filled_amount": 0.0,
            "replaced": False,
            "label": "",
            "account": None,
            **terms,
        }

    def stand(self, request: Json, quote: Json) -> None:
        """Let a quote stand; a resting price may meet it at once."""
        request["quotes"].append(quote)
        self.meet(request)

    def _telling(self, number: int) -> Callable[[], Awaitable[None]]:
        async def tell() -> None:
            await self.tell(self.memory.requests[number])

        return tell

    async def tell(self, request: Json) -> None:
        """Tell everybody who listens."""
        for listener in self.listeners:
            await listener(request)

    def accept(self, params: Params, taker: Account) -> Json:
        """Deal the whole amount at this price or better: at once or not at all, or when a maker meets it."""
        request = self._mine(params, taker)
        self.check_open(request)
        rests = params.choice("time_in_force", ("fill_or_kill", "good_til_cancelled"))
        direction = params.choice("direction", ("buy", "sell"))
        if params.listed("legs") != request["legs"] or params.number("amount") != request["amount"]:
            raise invalid("legs", "legs and amount must be those of the request")
        hedge = params.table("hedge")
        if hedge is not None and (hedge.values or None) != request["hedge"]:
            raise invalid("hedge", "must be that of the request")
        price = params.number("price")
        now = self.world.now_ms()
        found = None if self.blind(request) else matched(request, direction, price, now)
        if found is not None:
            self._fill(request, direction, found)
            dealt = self.blocks(self.request(request["block_rfq_id"]))
            return {"block_trades": dealt, "trade_trigger": {}}
        if rests == "fill_or_kill":
            raise RpcError(13907, "not_fully_filled")
        trigger = {"state": "untriggered", "price": price, "direction": direction}
        request["triggers"][direction] = trigger
        self.memory.keep(request)
        return {"block_trades": [], "trade_trigger": trigger}

    def meet(self, request: Json) -> None:
        """Deal where a resting price is met by what has just come."""
        if self.state(request) != "open":
            return
        for direction, trigger in request["triggers"].items():
            if trigger["state"] != "untriggered":
                continue
            found = matched(request, direction, trigger["price"], self.world.now_ms())
            if found is not None:
                request["triggers"][direction] = trigger | {"state": "triggered"}
                self._fill(request, direction, found)
                return

    def _fill(self, request: Json, direction: str, found: list[tuple[Json, float]]) -> None:
        """Book what was matched: kept on the disk before anybody is told."""
        filled: Json = request | {"state": "filled", "trades": [], "blocks": []}
        for place, (quote, amount) in enumerate(found, start=1):
            block = block_of(self.world, request, direction, quote, amount, place)
            filled["blocks"].append(block)
            filled["trades"].append(
                {
                    "direction": direction,
                    "price": quote["price"],
                    "amount": amount,
                    "maker": quote["dealer"],
                }
            )
        filled["quotes"] = [dict(one) for one in request["quotes"]]
        dealt = {quote["block_rfq_quote_id"]: amount for quote, amount in found}
        for one in filled["quotes"]:
            took = dealt.get(one["block_rfq_quote_id"])
            if took is not None:
                one["filled_amount"] = round(one["filled_amount"] + took, 8)
            if one["quote_state"] == "open":
                one["quote_state"] = "filled" if took is not None else "cancelled"
                one["quote_state_reason"] = None if took is not None else "block_rfq_closed"
        self._untrigger(filled, "block_rfq_filled")
        self.memory.keep(filled)
        for block, (quote, _) in zip(filled["blocks"], found, strict=True):
            taker, maker = self.by_name(request["account"]), self.by_name(quote["account"] or "")
            for listener in self.block_listeners:
                listener(block, taker, "taker")
                listener(block, maker, "maker")
        self.clock.call_at(self.clock.now(), self._telling(int(request["block_rfq_id"])))

    @staticmethod
    def _untrigger(request: Json, reason: str) -> None:
        for direction, trigger in request["triggers"].items():
            if trigger["state"] == "untriggered":
                request["triggers"][direction] = trigger | {
                    "state": "cancelled",
                    "cancel_reason": reason,
                }

    @staticmethod
    def blocks(request: Json) -> list[Json]:
        """The block trades of a request, one for each maker that filled a part."""
        return [{k: v for k, v in one.items() if k != "dealer"} for one in request["blocks"]]

    def cancel(self, params: Params, taker: Account) -> Json:
        """End a request; a filled one stays filled."""
        request = self._mine(params, taker)
        self.check_open(request)
        ended = request | {"state": "cancelled", "triggers": dict(request["triggers"])}
        self._untrigger(ended, "block_rfq_cancelled")
        self.memory.keep(ended)
        self.clock.call_at(self.clock.now(), self._telling(int(request["block_rfq_id"])))
        return self.shown(ended, taker)

    def cancel_trigger(self, params: Params, taker: Account) -> Json:
        """Take back resting prices."""
        request = self._mine(params, taker)
        if not any(one["state"] == "untriggered" for one in request["triggers"].values()):
            raise RpcError(11044, "not_open_order", "no trigger is resting")
        ended = request | {"triggers": dict(request["triggers"])}
        self._untrigger(ended, "user_request")
        self.memory.keep(ended)
        return self.shown(ended, taker)

    def listed(self, params: Params, caller: Account) -> Json:
        """Requests of the caller, newest first, as taker or as maker."""
        count = params.whole("count", 20, low=1, high=1_000)
        role = params.choice("role", ("any", "taker", "maker"), "any")
        states = ("created", "open", "filled", "traded", "cancelled", "expired", "closed")
        state = params.choice("state", states, "") if params.given("state") else ""
        params.choice("currency", ("BTC", "ETH", "USDC", "USDT", "EURR", "any"), "any")
        if params.given("block_rfq_id"):
            one = self.request(params.whole("block_rfq_id"))
            found = [one] if self.role(one, caller) else []
            if not found:
                raise RpcError(11029, "invalid_arguments", "no such block_rfq_id")
        else:
            found = [self.memory.requests[key] for key in sorted(self.memory.requests)[::-1]]
        before = params.whole("continuation") if params.given("continuation") else None
        found = [
            one
            for one in found
            if self.role(one, caller) in ({"taker", "maker"} if role == "any" else {role})
            and (not state or _in_state(self.state(one), state))
            and (before is None or one["block_rfq_id"] < before)
        ]
        more = found[count - 1]["block_rfq_id"] if len(found) > count else None
        return {
            "block_rfqs": [self.shown(one, caller) for one in found[:count]],
            "continuation": None if more is None else str(more),
        }

    # ---- what is seen -------------------------------------------------------
    def role(self, request: Json, caller: Account) -> str | None:
        """What a caller is to a request."""
        if request["account"] == caller.client_id:
            return "taker"
        return "maker" if caller.dealer in request["makers"] else None

    def blind(self, request: Json) -> bool:
        """Whether its taker sees nothing yet."""
        return self.world.now_ms() < int(request["creation_timestamp"]) + 1000 * BLIND_SECONDS

    def shown(self, request: Json, caller: Account | None) -> Json:
        """A request as one side sees it: the taker no quotes in the first seconds, makers none ever."""
        hidden = {"account", "quotes", "triggers", "blocks", "trade_allocations"}
        base = {k: v for k, v in request.items() if k not in hidden and v is not None}
        base |= {"state": self.state(request), "taker_rating": "1-2"}
        if caller is not None and self.role(request, caller) == "maker":
            base.pop("makers")
            base.pop("label")
            if not request["disclosed"]:
                base.pop("app_name", None)
            taker = {"taker": request["account"]} if request["disclosed"] else {}
            return base | {"role": "maker"} | taker
        now = self.world.now_ms()
        bids, asks = ([], []) if self.blind(request) else levels(request, now)
        closed = base["state"] != "open"
        resting, parts = list(request["triggers"].values()), request["trade_allocations"]
        return base | {
            "role": "taker",
            "taker": request["account"],
            "bids": [] if closed else bids,
            "asks": [] if closed else asks,
            **({"trade_trigger": resting[-1]} if resting else {}),
            **({"trade_allocations": parts} if parts else {}),
        }

    def state(self, request: Json) -> str:
        """Where a request stands now."""
        if request["state"] == "open" and self.world.now_ms() >= request["expiration_timestamp"]:
            return "expired"
        return str(request["state"])

    def request(self, number: int) -> Json:
        """A request by its id."""
        found = self.memory.requests.get(number)
        if found is None:
            raise RpcError(11029, "invalid_arguments", f"no block_rfq_id {number}")
        return found

    def _mine(self, params: Params, taker: Account) -> Json:
        request = self.request(params.whole("block_rfq_id"))
        if request["account"] != taker.client_id:
            raise RpcError(11029, "invalid_arguments", "no such block_rfq_id")
        return request

    def check_open(self, request: Json) -> None:
        """Refuse what asks for an open request where it is none."""
        if self.state(request) != "open":
            raise RpcError(11044, "not_open_order", f"block rfq is {self.state(request)}")

    def _tick(self, legs: list[Json]) -> float:
        terms = self.world.find(legs[0]["instrument_name"]).terms
        return 0.0001 if terms.is_option and terms.inverse else 1.0


def _in_state(state: str, wanted: str) -> bool:
    groups = {
        "created": {"open"},
        "traded": {"filled"},
        "closed": {"filled", "cancelled", "expired"},
    }
    return state in groups.get(wanted, {wanted})
