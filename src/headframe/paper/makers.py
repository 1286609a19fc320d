"""The side of dealers with keys of their own: quotes added, edited, withdrawn."""

from headframe.paper.accounts import Account
from headframe.paper.quotes import check_new, public_quote, standing
from headframe.paper.rpc import Json, Params, RpcError, invalid
from headframe.paper.settle import split
from headframe.paper.street import Street
from headframe.paper.world import on_tick


class Makers:
    """What a dealer may do with its quotes on a street's requests."""

    def __init__(self, street: Street) -> None:
        self.street = street

    async def add_quote(self, params: Params, maker: Account) -> Json:
        """A dealer with a key of its own quotes."""
        request = self.street.request(params.whole("block_rfq_id"))
        if self.street.role(request, maker) != "maker":
            raise RpcError(11029, "invalid_arguments", "no such block_rfq_id")
        self.street.check_open(request)
        quote = self.street.fresh_quote(
            request, dealer=maker.dealer, **self._terms(params, request)
        )
        quote |= {"label": params.text("label", ""), "account": maker.client_id}
        check_new(request, quote, self.street.world.now_ms())
        self.street.stand(request, quote)
        await self.street.tell(self.street.memory.requests[int(request["block_rfq_id"])])
        return public_quote(quote)

    def _terms(self, params: Params, request: Json) -> Json:
        """Direction, net price, amount, instruction and life of a quote, checked against its request."""
        direction = params.choice("direction", ("buy", "sell"))
        style = params.choice(
            "execution_instruction", ("any_part_of", "all_or_none"), "any_part_of"
        )
        amount = params.number("amount")
        least = min(
            self.street.world.find(leg["instrument_name"]).rules.block_least / leg["ratio"]
            for leg in request["legs"]
        )
        if not min(least, request["amount"]) <= amount <= request["amount"]:
            raise RpcError(10021, "invalid_amount", "between the block minimum and the request")
        if style == "all_or_none" and amount != request["amount"]:
            raise RpcError(10021, "invalid_amount", "all or none quotes the whole amount")
        until = params.whole("expires_at") if params.given("expires_at") else None
        if until is not None and until <= self.street.world.now_ms():
            raise invalid("expires_at", "has passed")
        legs, price = self._quoted_legs(params, request)
        return {
            "direction": direction,
            "price": price,
            "amount": amount,
            "execution_instruction": style,
            "expires_at": until,
            "legs": legs,
        }

    def _quoted_legs(self, params: Params, request: Json) -> tuple[list[Json], float]:
        """A quote's legs in the request's own order and sides, and their net price."""
        asked = request["legs"]
        rows = params.rows("legs")
        if [(r.text("instrument_name"), r.whole("ratio"), r.text("direction")) for r in rows] != [
            (leg["instrument_name"], leg["ratio"], leg["direction"]) for leg in asked
        ]:
            raise invalid("legs", "must be those of the request, each with its price")
        if params.given("price") and not all(row.given("price") for row in rows):
            net = params.number("price")
            prices = split(self.street.world, asked, net)
        else:
            prices = [row.number("price") for row in rows]
            for leg, price in zip(asked, prices, strict=True):
                one = self.street.world.find(leg["instrument_name"])
                if price < 0.0 or not on_tick(price, one.rules.block_tick):
                    raise RpcError(10043, "price_wrong_tick", f"{one.name}: {price}")
            signed = (
                (1 if leg["direction"] == "buy" else -1) * leg["ratio"] * price
                for leg, price in zip(asked, prices, strict=True)
            )
            net = round(sum(signed), 8)
        legs = [leg | {"price": price} for leg, price in zip(asked, prices, strict=True)]
        return legs, net

    async def edit_quote(self, params: Params, maker: Account) -> Json:
        """Replace a quote's terms; it loses its place in time."""
        request, quote = self._quote(params, maker)
        terms = self._terms(params, request)
        fresh = (
            quote | terms | {"last_update_timestamp": self.street.world.now_ms(), "replaced": True}
        )
        fresh["creation_timestamp"] = fresh["last_update_timestamp"]
        check_new(request, fresh, self.street.world.now_ms(), but=quote["block_rfq_quote_id"])
        request["quotes"][request["quotes"].index(quote)] = fresh
        self.street.meet(request)
        await self.street.tell(self.street.memory.requests[int(request["block_rfq_id"])])
        return public_quote(fresh)

    async def cancel_quote(self, params: Params, maker: Account) -> Json:
        """Withdraw a quote."""
        request, quote = self._quote(params, maker)
        quote |= {"quote_state": "cancelled", "quote_state_reason": "user_request"}
        quote["last_update_timestamp"] = self.street.world.now_ms()
        await self.street.tell(request)
        return public_quote(quote)

    def _quote(self, params: Params, maker: Account) -> tuple[Json, Json]:
        """A maker's open quote by its id, or by its request and label."""
        number = params.whole("block_rfq_quote_id") if params.given("block_rfq_quote_id") else None
        for request in self.street.memory.requests.values():
            if number is None and request["block_rfq_id"] != params.whole("block_rfq_id"):
                continue
            for one in standing(request["quotes"], self.street.world.now_ms()):
                if one["account"] != maker.client_id:
                    continue
                if number is None and one["label"] == params.text("label"):
                    return request, one
                if one["block_rfq_quote_id"] == number:
                    return request, one
        raise RpcError(11044, "not_open_order", "no such quote is open")

    async def cancel_quotes(self, params: Params, maker: Account) -> int:
        """Withdraw every quote of a maker, or those on one request."""
        only = params.whole("block_rfq_id") if params.given("block_rfq_id") else None
        done = 0
        for request in list(self.street.memory.requests.values()):
            if only is not None and request["block_rfq_id"] != only:
                continue
            mine = [
                one
                for one in standing(request["quotes"], self.street.world.now_ms())
                if one["account"] == maker.client_id
            ]
            for one in mine:
                one |= {"quote_state": "cancelled", "quote_state_reason": "user_request"}
            done += len(mine)
            if mine:
                await self.street.tell(request)
        return done

    def quotes_of(self, params: Params, maker: Account) -> list[Json]:
        """A maker's quotes, newest first."""
        only = params.whole("block_rfq_id") if params.given("block_rfq_id") else None
        found = [
            public_quote(one)
            for request in self.street.memory.requests.values()
            if only is None or request["block_rfq_id"] == only
            for one in request["quotes"]
            if one["account"] == maker.client_id
        ]
        if params.given("label"):
            found = [one for one in found if one["label"] == params.text("label")]
        if params.given("block_rfq_quote_id"):
            number = params.whole("block_rfq_quote_id")
            found = [one for one in found if one["block_rfq_quote_id"] == number]
        return found[::-1]
