"""The lit order book: depth of the street's own, and orders of whoever has a key.

A taker walks the depth that is shown; what it took is gone until the book changes. A resting order is
filled when the book comes to it.
"""

from collections.abc import Callable

from headframe.paper.accounts import Account
from headframe.paper.memory import StreetMemory
from headframe.paper.rpc import Json, Params, RpcError, invalid
from headframe.paper.settle import dealt_in_book
from headframe.paper.world import Listed, World, on_tick

_LIVES = ("good_til_cancelled", "good_til_day", "fill_or_kill", "immediate_or_cancel")
_TYPES = ("limit", "market", "market_limit")
Told = Callable[[Account, Json, list[Json]], None]
Booked = Callable[[Account, list[Json]], None]


class LitBook:
    """Orders and their fills."""

    def __init__(self, world: World, memory: StreetMemory, told: Told, booked: Booked) -> None:
        self.world = world
        self.memory = memory
        self.orders: dict[str, Json] = {}
        self._owners: dict[str, Account] = {}
        self._told = told
        self._booked = booked
        self._eaten: dict[tuple[str, int, float], float] = {}
        self._numbers = self._filled = sum(len(deal["trades"]) for deal in memory.deals)

    def place(self, params: Params, owner: Account, direction: str) -> Json:
        """Buy or sell: fills what it can at once, rests, or ends."""
        if params.given("valid_until") and params.number("valid_until") <= self.world.now_ms():
            raise RpcError(13888, "timed_out", "it came after its valid_until")
        one = self.world.find_any(params.text("instrument_name"))
        kind = params.choice("type", _TYPES, "limit")
        life = params.choice("time_in_force", _LIVES, "good_til_cancelled")
        size = "amount" if params.given("amount") else "contracts"
        amount = params.number(size) * (one.rules.least if size == "contracts" else 1.0)
        steps = amount / one.rules.least
        if amount < one.rules.least or abs(steps - round(steps)) > 1e-6 or amount > 1e9:
            raise RpcError(10021, "invalid_amount", f"in steps of {one.rules.least:g}")
        price = self._price(params, one, kind, direction)
        if params.flag("post_only", default=False) and self._crosses(one, direction, price):
            raise RpcError(11054, "post_only_reject", "it would trade at once")
        if params.flag("reduce_only", default=False):
            held = owner.positions.get(one.name)
            size_held = held.size if held else 0.0
            sign = 1.0 if direction == "buy" else -1.0
            if size_held * sign >= 0.0 or abs(size_held) < amount:
                raise RpcError(11029, "invalid_arguments", "reduce_only would not reduce")
        order = self._fresh(params, one, direction, amount, price)
        self._owners[order["order_id"]] = owner
        fills = self._walk(order, one, owner)
        left = round(amount - order["filled_amount"], 8)
        if left and (kind != "limit" or life in {"fill_or_kill", "immediate_or_cancel"}):
            order |= {"order_state": "cancelled", "cancel_reason": "user_request"}
        if not left:
            order["order_state"] = "filled"
        self.orders[order["order_id"]] = order
        self._told(owner, order, fills)
        return {"order": dict(order), "trades": fills}

    def _price(self, params: Params, one: Listed, kind: str, direction: str) -> float:
        if kind != "limit":
            return float("inf") if direction == "buy" else float("-inf")
        price = params.number("price")
        if not (0.0 < price <= 1e9 or (one.legs and abs(price) <= 1e9)):
            raise RpcError(10007, "invalid_price", "above zero")
        if not on_tick(price, one.rules.tick):
            raise RpcError(10043, "price_wrong_tick", f"ticks of {one.rules.tick:g}")
        return price

    def _fresh(self, params: Params, one: Listed, side: str, amount: float, price: float) -> Json:
        self._numbers += 1
        now = self.world.now_ms()
        kind, life = params.text("type", "limit"), params.text("time_in_force", _LIVES[0])
        return {
            "order_id": f"{one.terms.coin}-{self._numbers}",
            "order_state": "open",
            "order_type": kind,
            "time_in_force": life,
            "instrument_name": one.name,
            "creation_timestamp": now,
            "last_update_timestamp": now,
            "direction": side,
            "price": price if kind == "limit" else "market_price",
            "label": params.text("label", ""),
            "post_only": params.flag("post_only", default=False),
            "reduce_only": params.flag("reduce_only", default=False),
            "api": True,
            "web": False,
            "mmp": False,
            "replaced": False,
            "is_liquidation": False,
            "amount": amount,
            "contracts": round(amount / one.rules.least, 8),
            "filled_amount": 0.0,
            "average_price": 0.0,
            "max_show": amount,
        }

    def sides(self, name: str) -> tuple[list[list[float]], list[list[float]]]:
        """The book as shown: the street's depth less what was taken, and resting orders."""
        bids, asks = self.world.book(name)
        found: list[list[list[float]]] = []
        for side, rows in ((0, bids), (1, asks)):
            kept = {price: size - self._eaten.get((name, side, price), 0.0) for price, size in rows}
            word = "buy" if side == 0 else "sell"
            for order in self._resting(name, word):
                price = float(order["price"])
                kept[price] = kept.get(price, 0.0) + order["amount"] - order["filled_amount"]
            shown = [[price, round(size, 8)] for price, size in kept.items() if size > 1e-9]
            found.append(sorted(shown, key=lambda row: row[0] if side else -row[0]))
        return found[0], found[1]

    def _resting(self, name: str, direction: str) -> list[Json]:
        return [
            one
            for one in self.orders.values()
            if one["order_state"] == "open"
            and one["instrument_name"] == name
            and one["direction"] == direction
        ]

    def _crosses(self, one: Listed, direction: str, price: float) -> bool:
        bids, asks = self.sides(one.name)
        if direction == "buy":
            return bool(asks) and price >= asks[0][0]
        return bool(bids) and price <= bids[0][0]

    def _walk(self, order: Json, one: Listed, owner: Account) -> list[Json]:
        """Take what the other side shows at the order's price or better."""
        buys = order["direction"] == "buy"
        limit = float("inf" if buys else "-inf")
        if order["price"] != "market_price":
            limit = float(order["price"])
        bids, asks = self.sides(one.name)
        fit = [r for r in (asks if buys else bids) if (r[0] <= limit if buys else r[0] >= limit)]
        wanted = order["amount"]
        if order["time_in_force"] == "fill_or_kill" and sum(r[1] for r in fit) < wanted - 1e-9:
            return []
        parts: list[tuple[float, float]] = []
        left = round(wanted - order["filled_amount"], 8)
        for price, size in fit:
            if left <= 0.0:
                break
            parts.append((price, min(left, size)))
            left = round(left - parts[-1][1], 8)
        fills = self._fill(order, owner, parts, "T") if parts else []
        for price, size in parts:
            self._take(one, price, size, buys=buys)
        return fills

    def _take(self, one: Listed, price: float, amount: float, *, buys: bool) -> None:
        """What another order gave is that order's fill; the rest came of the street's depth."""
        for order in self._resting(one.name, "sell" if buys else "buy"):
            if order["price"] == price and amount > 0.0:
                part = min(amount, round(order["amount"] - order["filled_amount"], 8))
                owner = self._owners[order["order_id"]]
                fills = self._fill(order, owner, [(price, part)], "M")
                if order["filled_amount"] >= order["amount"]:
                    order["order_state"] = "filled"
                self._told(owner, order, fills)
                amount = round(amount - part, 8)
        if amount > 0.0:
            key = (one.name, 1 if buys else 0, price)
            self._eaten[key] = self._eaten.get(key, 0.0) + amount

    def _fill(
        self, order: Json, owner: Account, parts: list[tuple[float, float]], liquidity: str
    ) -> list[Json]:
        """What an order took at once, a trade a price: kept whole on the disk, booked, added to the order."""
        name, side = order["instrument_name"], order["direction"]
        trades: list[Json] = []
        of_order = {key: order[key] for key in ("order_id", "label", "order_type")}
        for number, (price, amount) in enumerate(parts, start=self._filled + 1):
            row = (name, side, amount, price)
            found = dealt_in_book(self.world, row, f"L{number}", number, liquidity)
            trades.append(found | of_order)
            for leg in found.get("legs", ()):
                leg.update(of_order)
        self.memory.keep_deal({"kind": "lit", "account": owner.client_id, "trades": trades})
        self._filled += len(trades)
        self._booked(owner, trades)
        for price, amount in parts:
            done = order["filled_amount"]
            paid = order["average_price"] * done + price * amount
            order["average_price"] = paid / (done + amount)
            order["filled_amount"] = round(done + amount, 8)
        order["last_update_timestamp"] = self.world.now_ms()
        return trades

    def tick(self) -> None:
        """The book has changed: what was taken stands again, and resting orders it has come to are filled."""
        self._eaten.clear()
        now = self.world.clock.now()
        for order in [one for one in self.orders.values() if one["order_state"] == "open"]:
            owner, name = self._owners[order["order_id"]], order["instrument_name"]
            if self.world.known(name).terms.expiry <= now:
                order |= {"order_state": "cancelled", "cancel_reason": "settlement"}
                self._told(owner, order, [])
                continue
            bids, asks = self.world.book(name)
            rows = asks if order["direction"] == "buy" else bids
            price = float(order["price"])
            if rows and (
                rows[0][0] <= price if order["direction"] == "buy" else rows[0][0] >= price
            ):
                part = round(order["amount"] - order["filled_amount"], 8)
                fills = self._fill(order, owner, [(price, part)], "M")
                order["order_state"] = "filled"
                self._told(owner, order, fills)

    def edit(self, params: Params, owner: Account) -> Json:
        """Change amount and price of an open order; it loses its place and may trade at once."""
        order = self._open(params.text("order_id"), owner)
        one = self.world.find_any(order["instrument_name"])
        amount = params.number("amount", order["amount"])
        price = params.number("price", float(order["price"]))
        if amount <= order["filled_amount"] or amount < one.rules.least:
            raise RpcError(10021, "invalid_amount", "below what is filled")
        if not on_tick(price, one.rules.tick) or price <= 0.0:
            raise RpcError(10043, "price_wrong_tick", f"ticks of {one.rules.tick:g}")
        order |= {"amount": amount, "price": price, "replaced": True}
        order["last_update_timestamp"] = self.world.now_ms()
        fills = self._walk(order, one, owner)
        if order["filled_amount"] >= order["amount"]:
            order["order_state"] = "filled"
        self._told(owner, order, fills)
        return {"order": dict(order), "trades": fills}

    def cancel(self, order_id: str, owner: Account, reason: str = "user_request") -> Json:
        """Take back an open order."""
        order = self._open(order_id, owner)
        order |= {"order_state": "cancelled", "cancel_reason": reason}
        order["last_update_timestamp"] = self.world.now_ms()
        self._told(owner, order, [])
        return dict(order)

    def cancel_all(self, owner: Account, keep: Callable[[Json], bool], reason: str) -> int:
        """Take back every open order of an account that is meant."""
        mine = [one for one in self.of(owner) if one["order_state"] == "open" and keep(one)]
        for order in mine:
            self.cancel(order["order_id"], owner, reason)
        return len(mine)

    def of(self, owner: Account) -> list[Json]:
        """An account's orders, oldest first."""
        return [one for key, one in self.orders.items() if self._owners[key] is owner]

    def state(self, order_id: str, owner: Account) -> Json:
        """An order of an account, whatever its state."""
        order = self.orders.get(order_id)
        if order is None or self._owners[order_id] is not owner:
            raise RpcError(10004, "order_not_found")
        return dict(order)

    def _open(self, order_id: str, owner: Account) -> Json:
        self.state(order_id, owner)
        order = self.orders[order_id]
        if order["order_state"] != "open":
            raise RpcError(11044, "not_open_order", f"the order is {order['order_state']}")
        return order

    def trades(self, owner: Account | None) -> list[Json]:
        """Fills of an account, or everybody's, oldest first; a combination's whole, then its legs."""
        return [
            each
            for deal in self.memory.deals
            if owner is None or deal["account"] == owner.client_id
            for trade in deal["trades"]
            for each in (trade, *trade.get("legs", ()))
        ]


def wanted_instrument(params: Params) -> Callable[[Json], bool]:
    """Which orders or trades are meant: by instrument, by currency, by label, or all.

    A combination's trade is meant by its own name; by currency its legs' trades stand for it.
    """
    if params.given("instrument_name"):
        name = params.text("instrument_name")
        return lambda order: order["instrument_name"] == name
    if params.given("label"):
        label = params.text("label")
        return lambda order: order["label"] == label
    if params.given("currency"):
        coin = params.text("currency")
        if coin not in {"BTC", "ETH", "USDC", "USDT", "any"}:
            raise invalid("currency", "is not known")
        return lambda one: (
            "legs" not in one and (coin == "any" or one["instrument_name"].startswith(coin))
        )
    return lambda _: True
