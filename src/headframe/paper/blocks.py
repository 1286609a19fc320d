"""Classic block trades: one side signs the terms, the other executes them, once.

Deribit API 2.1.1, verify_block_trade and execute_block_trade: directions are the maker's, both sides
name the same timestamp, nonce and trades, and a signature is good for five minutes around its stamp.
"""

import hmac
import json
from hashlib import sha256

from headframe.paper.accounts import Account, Accounts
from headframe.paper.memory import StreetMemory
from headframe.paper.rpc import Json, Params, RpcError, invalid
from headframe.paper.settle import trade_of
from headframe.paper.world import World, on_tick

_GOOD_MS = 300_000
_FLIP = {"buy": "sell", "sell": "buy"}


class Blocks:
    """Signatures given, and blocks executed."""

    def __init__(self, world: World, memory: StreetMemory, accounts: Accounts) -> None:
        self.world = world
        self.memory = memory
        self.accounts = accounts
        self._void: set[str] = set()
        self.done = {str(deal["terms"]): deal for deal in memory.deals if deal["kind"] == "block"}

    def verify(self, params: Params, caller: Account) -> Json:
        """The caller's signature of the terms, for the other side to execute."""
        terms, role, _ = self._terms(params)
        stamp = params.whole("timestamp")
        self._fresh(stamp)
        return {"signature": self._sign(caller, terms, role), "expires_at": stamp + _GOOD_MS}

    def _sign(self, caller: Account, terms: str, role: str) -> str:
        word = hmac.new(caller.secret.encode(), f"{role}|{terms}".encode(), sha256).hexdigest()
        return f"{caller.user_id}.{word[:48]}"

    def _fresh(self, stamp: int) -> None:
        apart = min(abs(stamp - self.world.now_ms()), abs(stamp - self.accounts.wall_ms()))
        if apart > _GOOD_MS:
            raise invalid("timestamp", "is over five minutes away")

    def _terms(self, params: Params) -> tuple[str, str, list[tuple[str, str, float, float]]]:
        role = params.choice("role", ("maker", "taker"))
        nonce, stamp = params.text("nonce", longest=200), params.whole("timestamp")
        rows: list[tuple[str, str, float, float]] = []
        for row in params.rows("trades", 20):
            one = self.world.find(row.text("instrument_name"))
            amount, price = row.number("amount"), row.number("price")
            if amount < one.rules.block_least:
                least = f"a block of {one.name} is at least {one.rules.block_least:g}"
                raise RpcError(10021, "invalid_amount", least)
            if price < 0.0 or not on_tick(price, one.rules.block_tick):
                raise RpcError(10043, "price_wrong_tick", f"ticks of {one.rules.block_tick:g}")
            rows.append((one.name, row.choice("direction", ("buy", "sell")), amount, price))
        return json.dumps([nonce, stamp, rows]), role, rows

    def simulate(self, params: Params) -> bool:
        """Whether the terms could be traded."""
        self._terms(params)
        return True

    def invalidate(self, params: Params) -> str:
        """Take a signature back."""
        self._void.add(params.text("signature", longest=100))
        return "ok"

    def execute(self, params: Params, caller: Account) -> Json:
        """Trade on the other side's signature, at most once for its nonce and stamp."""
        terms, role, rows = self._terms(params)
        given = params.text("counterparty_signature", longest=100)
        user, _, _ = given.partition(".")
        other = self.accounts.of_user(int(user)) if user.isascii() and user.isdigit() else None
        opposite = {"maker": "taker", "taker": "maker"}[role]
        if (
            other is None
            or given in self._void
            or not hmac.compare_digest(
                self._sign(other, terms, opposite).encode(), given.encode("utf-8", "replace")
            )
        ):
            raise RpcError(
                11029, "invalid_arguments", "the counterparty's signature does not match"
            )
        if terms in self.done:
            raise RpcError(11029, "invalid_arguments", "this block was executed before")
        self._fresh(params.whole("timestamp"))
        block = self._execute(terms, rows, caller, other, role)
        return self.shown(block, caller)

    def _execute(
        self,
        terms: str,
        rows: list[tuple[str, str, float, float]],
        caller: Account,
        other: Account,
        role: str,
    ) -> Json:
        number = len(self.memory.deals) + 1
        block_id = f"BLOCK-C{number}"
        maker, taker = (caller, other) if role == "maker" else (other, caller)
        trades: list[Json] = [
            trade_of(self.world, row, f"C{number}-{at}", at)
            | {"block_trade_id": block_id, "block_trade_leg_count": len(rows)}
            for at, row in enumerate(rows, start=1)
        ]
        deal: Json = {
            "kind": "block",
            "id": block_id,
            "timestamp": self.world.now_ms(),
            "terms": terms,
            "account": maker.client_id,
            "taker": taker.client_id,
            "trades": trades,
        }
        self.memory.keep_deal(deal)
        self.done[terms] = deal
        for trade in trades:
            instrument = self.world.find(trade["instrument_name"]).terms
            sign = 1.0 if trade["direction"] == "buy" else -1.0
            for account, side in ((maker, sign), (taker, -sign)):
                amount = side * trade["amount"]
                account.take(
                    trade["instrument_name"], instrument, amount, trade["price"], trade["fee"]
                )
        return deal

    def shown(self, deal: Json, caller: Account) -> Json:
        """A block as one of its sides sees it: its own directions."""
        is_maker = deal["account"] == caller.client_id
        trades = [
            trade
            | {
                "direction": trade["direction"] if is_maker else _FLIP[trade["direction"]],
                "liquidity": "M" if is_maker else "T",
            }
            for trade in deal["trades"]
        ]
        return {"id": deal["id"], "timestamp": deal["timestamp"], "trades": trades}

    def of(self, caller: Account) -> list[Json]:
        """Classic blocks of an account, newest first."""
        return [
            self.shown(deal, caller)
            for deal in reversed(self.done.values())
            if caller.client_id in {deal["account"], deal["taker"]}
        ]
