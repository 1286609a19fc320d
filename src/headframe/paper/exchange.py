"""The venue as a whole: every method by name, what it needs, and who hears what it changes."""

import asyncio
from collections.abc import Awaitable, Callable
from fractions import Fraction
from functools import partial
from typing import Any

from headframe.paper.accounts import Account, Accounts, may
from headframe.paper.blocks import Blocks
from headframe.paper.combos import Combos
from headframe.paper.holdings import Holdings
from headframe.paper.listing import Listing
from headframe.paper.lit import LitBook, wanted_instrument
from headframe.paper.makers import Makers
from headframe.paper.memory import StreetMemory
from headframe.paper.news import News
from headframe.paper.past import Past
from headframe.paper.records import BookedFill
from headframe.paper.rpc import Json, Params, RpcError
from headframe.paper.session import Session, Sessions
from headframe.paper.settle import split
from headframe.paper.street import Street
from headframe.paper.world import World

VERSION = "1.2.26"
Handler = Callable[[Session, Params], Any]
Private = Callable[[Params, Account], Any]


class Exchange:
    """A street with its accounts, books and callers."""

    def __init__(
        self,
        world: World,
        memory: StreetMemory,
        keys: list[tuple[str, str, str | None]],
        *,
        welcomes: bool = False,
    ) -> None:
        self.world = world
        self.accounts = Accounts(world, keys, welcomes=welcomes)
        self.street = Street(world, memory)
        self.combos = Combos(world, memory)
        self.lit = LitBook(world, memory, self._order_told, self._lit_booked)
        self.blocks = Blocks(world, memory, self.accounts)
        self.listing = Listing(world, self.lit, self.street)
        self.holdings = Holdings(world, self.listing)
        self.past = Past(self.accounts, self.listing.records, self._trades_of)
        self.sessions = Sessions()
        self.makers = Makers(self.street)
        self.news = News(self.sessions, self.street, self.listing, self.lit)
        self.settling = False
        self._later: list[Callable[[], Awaitable[None]]] = []
        self.street.listeners.append(self.news.request)
        self.street.block_listeners.append(self._block_booked)
        self.street.dealers = lambda: [one for one in self.accounts.all() if one.dealer]
        self.street.by_name = lambda name: next(
            (one for one in self.accounts.all() if one.client_id == name), None
        )
        self._remembered()
        self._methods = self._public() | self._session_methods()
        self._guarded = self._rfq() | self._classic() | self._trading() | self._account()

    def _remembered(self) -> None:
        """Positions follow from what is remembered."""
        by_id = {one.client_id: one for one in self.accounts.all()}
        for request in self.street.memory.requests.values():
            for block in request["blocks"]:
                owner = by_id.get(request["account"])
                if owner is not None:
                    self._book(owner, block["trades"], 1.0)
        for deal in self.street.memory.deals:
            owner = by_id.get(deal["account"])
            if owner is not None:
                self._book(owner, deal["trades"], 1.0)
            other = by_id.get(str(deal.get("taker")))
            if other is not None:
                self._book(other, deal["trades"], -1.0)

    def _book(self, owner: Account, trades: list[Json], turned: float) -> None:
        for trade in trades:
            if "legs" in trade:
                self._book(owner, trade["legs"], turned)
                continue
            one = self.world.known(trade["instrument_name"])
            sign = turned if trade["direction"] == "buy" else -turned
            owner.take(one.name, one.terms, sign * trade["amount"], trade["price"], trade["fee"])
            amount, price, fee = (Fraction(str(trade[k])) for k in ("amount", "price", "fee"))
            signed = amount if sign > 0 else -amount
            owner.fills.append(BookedFill(one.name, one.terms, signed, price, fee, trade))

    # ---- calls --------------------------------------------------------------
    async def call(self, session: Session, method: str, values: Json) -> object:
        """The result of one call; RpcError where the venue says no."""
        params = Params(values)
        handler = self._methods.get(method)
        if handler is not None:
            found = handler(session, params)
        else:
            entry = self._guarded.get(method)
            if entry is None:
                raise RpcError(-32601, "Method not found", method[:60])
            subject, level, private = entry
            account = self.guard(session, params, subject, level)
            if self.settling and level == "read_write" and subject != "account":
                raise RpcError(10041, "settlement_in_progress")
            found = private(params, account)
        if asyncio.iscoroutine(found):
            found = await found
        return found

    def guard(self, session: Session, params: Params, subject: str, level: str) -> Account:
        """The account that calls, and whether its key may."""
        account, scope = session.account, session.scope
        if params.given("access_token"):
            account, scope = self.accounts.by_token(params.text("access_token", longest=200))
        if account is None:
            raise RpcError(13009, "unauthorized", "sign in with public/auth")
        if not may(scope, subject, level):
            raise RpcError(13021, "forbidden", f"{subject}:{level} is not in the key's scope")
        self.deliver(account)
        return account

    def deliver(self, account: Account) -> None:
        """Pay an account what has expired since it was last looked at."""
        now = self.world.clock.now()
        for name, held in account.positions.items():
            if held.size and held.terms.expiry <= now:
                price = self.past.worth(held.terms)
                account.take(name, held.terms, -held.size, price, 0.0)

    async def settle(self) -> None:
        """Tell everybody what the last call changed."""
        await self.street.opened()
        waiting, self._later = self._later, []
        for told in waiting:
            await told()

    def _public(self) -> dict[str, Handler]:
        listing = self.listing
        plain: dict[str, Callable[[Params], Any]] = {
            "public/test": lambda _: {"version": VERSION},
            "public/get_time": lambda _: self.world.now_ms(),
            "public/status": lambda _: {"locked": "false", "locked_indices": []},
            "public/get_instruments": listing.instruments,
            "public/get_instrument": listing.instrument,
            "public/get_book_summary_by_currency": listing.summaries,
            "public/get_book_summary_by_instrument": listing.summary,
            "public/ticker": listing.ticker,
            "public/get_order_book": listing.order_book,
            "public/get_index_price": listing.index_price,
            "public/get_index_price_names": lambda _: listing.index_names(),
            "public/get_supported_index_names": lambda _: listing.index_names(),
            "public/get_delivery_prices": listing.delivery_prices,
            "public/get_last_settlements_by_currency": self.past.last_settlements,
            "public/get_last_settlements_by_instrument": self.past.last_settlements,
            "public/get_funding_rate_history": listing.records.funding.history,
            "public/get_funding_chart_data": listing.records.funding.chart,
            "public/get_currencies": listing.currencies,
            "public/get_contract_size": listing.contract_size,
            "public/get_expirations": listing.expirations,
            "public/get_last_trades_by_instrument": listing.last_trades,
            "public/get_last_trades_by_currency": listing.last_trades,
            "public/get_block_rfq_trades": listing.rfq_trades,
            "public/get_combos": self.combos.every,
            "public/get_combo_ids": self.combos.ids,
            "public/get_combo_details": self.combos.of,
            "public/get_announcements": lambda _: [],
        }

        def of(one: Callable[[Params], Any]) -> Handler:
            return lambda _, params: one(params)

        return {name: of(one) for name, one in plain.items()}

    def _session_methods(self) -> dict[str, Handler]:
        sessions = self.sessions

        def hello(_: Session, params: Params) -> Json:
            params.text("client_name", "")
            return {"version": VERSION}

        def subscribe(session: Session, params: Params) -> list[str]:
            return sessions.subscribe(session, params, private=False)

        def private_subscribe(session: Session, params: Params) -> list[str]:
            self.guard(session, params, "account", "read")
            return sessions.subscribe(session, params, private=True)

        def drop_all(session: Session, _: Params) -> str:
            session.channels.clear()
            return "ok"

        def beat_off(session: Session, _: Params) -> str:
            session.heartbeat = 0.0
            return "ok"

        return {
            "public/auth": self._auth,
            "public/hello": hello,
            "public/subscribe": subscribe,
            "private/subscribe": private_subscribe,
            "public/unsubscribe": sessions.unsubscribe,
            "private/unsubscribe": sessions.unsubscribe,
            "public/unsubscribe_all": drop_all,
            "private/unsubscribe_all": drop_all,
            "public/set_heartbeat": sessions.set_heartbeat,
            "public/disable_heartbeat": beat_off,
            "private/enable_cancel_on_disconnect": self._cancels(on=True),
            "private/disable_cancel_on_disconnect": self._cancels(on=False),
            "private/get_cancel_on_disconnect": lambda session, params: {
                "scope": params.text("scope", "connection"),
                "enabled": session.cancels,
            },
            "private/logout": self._logout,
        }

    def _auth(self, session: Session, params: Params) -> Json:
        account, tokens = self.accounts.grant(params)
        session.account, session.scope = account, str(tokens["scope"])
        return tokens

    def _logout(self, session: Session, params: Params) -> None:
        account = self.guard(session, params, "account", "none")
        if params.flag("invalidate_token", default=True):
            self.accounts.drop(account)
        session.account, session.scope, session.cancels = None, "", False
        session.closed = True

    def _cancels(self, *, on: bool) -> Handler:
        def change(session: Session, params: Params) -> str:
            self.guard(session, params, "account", "read_write")
            scope = params.choice("scope", ("connection", "account"), "connection")
            if session.send is None and scope == "connection":
                raise RpcError(10049, "cod_not_enabled", "a connection of its own is needed")
            session.cancels = on
            return "ok"

        return change

    def _rfq(self) -> dict[str, tuple[str, str, Private]]:
        street, makers = self.street, self.makers
        return {
            "private/create_block_rfq": ("block_rfq", "read_write", street.create),
            "private/accept_block_rfq": ("block_rfq", "read_write", street.accept),
            "private/cancel_block_rfq": ("block_rfq", "read_write", street.cancel),
            "private/cancel_block_rfq_trigger": ("block_rfq", "read_write", street.cancel_trigger),
            "private/get_block_rfqs": ("block_rfq", "read", street.listed),
            "private/get_block_rfq_makers": ("block_rfq", "read", lambda _, __: street.makers()),
            "private/get_block_rfq_user_info": ("block_rfq", "read", self._who),
            "private/add_block_rfq_quote": (
                "block_rfq",
                "read_write",
                self._maker(makers.add_quote),
            ),
            "private/edit_block_rfq_quote": (
                "block_rfq",
                "read_write",
                self._maker(makers.edit_quote),
            ),
            "private/cancel_block_rfq_quote": (
                "block_rfq",
                "read_write",
                self._maker(makers.cancel_quote),
            ),
            "private/cancel_all_block_rfq_quotes": (
                "block_rfq",
                "read_write",
                self._maker(makers.cancel_quotes),
            ),
            "private/get_block_rfq_quotes": ("block_rfq", "read", makers.quotes_of),
            "private/get_leg_prices": ("block_rfq", "read", self._leg_prices),
        }

    def _classic(self) -> dict[str, tuple[str, str, Private]]:
        return {
            "private/verify_block_trade": ("block_trade", "read_write", self.blocks.verify),
            "private/execute_block_trade": ("block_trade", "read_write", self._execute),
            "private/simulate_block_trade": (
                "block_trade",
                "read",
                lambda params, _: self.blocks.simulate(params),
            ),
            "private/invalidate_block_trade_signature": (
                "block_trade",
                "read_write",
                lambda params, _: self.blocks.invalidate(params),
            ),
            "private/get_block_trades": ("block_trade", "read", self._block_trades),
            "private/get_block_trade": ("block_trade", "read", self._block_trade),
        }

    @staticmethod
    def _maker(work: Callable[[Params, Account], Awaitable[Any]]) -> Private:
        def checked(params: Params, account: Account) -> Awaitable[Any]:
            if account.dealer is None:
                raise RpcError(13021, "forbidden", "quoting needs a dealer's key")
            return work(params, account)

        return checked

    def _who(self, _: Params, account: Account) -> Json:
        mine = {
            "user_id": account.user_id,
            "identity": account.dealer or account.client_id,
            "is_maker": account.dealer is not None,
            "taker_rating": self._rating(account),
        }
        return {
            "parent": {"identity": mine["identity"], "is_maker": mine["is_maker"]},
            "users": [mine],
        }

    def _rating(self, account: Account) -> float:
        """Share of ended requests that traded, in per cent."""
        mine = [
            self.street.state(one)
            for one in self.street.memory.requests.values()
            if one["account"] == account.client_id
        ]
        ended = [state for state in mine if state != "open"]
        return round(100.0 * ended.count("filled") / len(ended), 1) if ended else 100.0

    def _leg_prices(self, params: Params, _: Account) -> Json:
        rows = params.rows("legs", 20)
        amounts = [row.number("amount") for row in rows]
        unit = min(amounts)
        legs = [
            {
                "instrument_name": self.world.find(row.text("instrument_name")).name,
                "direction": row.choice("direction", ("buy", "sell")),
                "ratio": round(amount / unit),
            }
            for row, amount in zip(rows, amounts, strict=True)
        ]
        prices = split(self.world, legs, params.number("price"))
        return {
            "amount": unit,
            "legs": [leg | {"price": price} for leg, price in zip(legs, prices, strict=True)],
        }

    def _block_trades(self, params: Params, account: Account) -> list[Json]:
        count = params.whole("count", 20, low=1, high=1_000)
        number = params.whole("block_rfq_id") if params.given("block_rfq_id") else None
        requests = self.street.memory.requests
        rows = [
            block
            for key in sorted(requests, reverse=True)
            if (number is None or key == number) and self._party(requests[key], account)
            for block in self.street.blocks(requests[key])
        ]
        if number is not None:
            self.street.request(number)
        else:
            rows += self.blocks.of(account)
        return rows[:count]

    def _party(self, request: Json, account: Account) -> bool:
        dealers = [one["dealer"] for one in request["blocks"]]
        return request["account"] == account.client_id or account.dealer in dealers

    def _block_trade(self, params: Params, account: Account) -> Json:
        wanted = params.text("id")
        everything = self._block_trades(Params({"count": 1_000}), account)
        for block in everything:
            if block["id"] == wanted:
                return block
        raise RpcError(11029, "invalid_arguments", "no such block trade")

    def _execute(self, params: Params, account: Account) -> Json:
        block = self.blocks.execute(params, account)
        self._later.append(partial(self.news.trades, account, block["trades"]))
        return block

    def _trading(self) -> dict[str, tuple[str, str, Private]]:
        lit = self.lit

        def cancel_all(params: Params, account: Account) -> int:
            return lit.cancel_all(account, wanted_instrument(params), "user_request")

        def open_orders(params: Params, account: Account) -> list[Json]:
            meant = wanted_instrument(params)
            return [one for one in lit.of(account) if one["order_state"] == "open" and meant(one)]

        def history(params: Params, account: Account) -> list[Json]:
            meant, count = wanted_instrument(params), params.whole("count", 20, low=1, high=1_000)
            return [one for one in lit.of(account)[::-1] if meant(one)][:count]

        reads: dict[str, Private] = {
            "private/get_open_orders": open_orders,
            "private/get_open_orders_by_currency": open_orders,
            "private/get_open_orders_by_instrument": open_orders,
            "private/get_open_orders_by_label": open_orders,
            "private/get_order_history_by_currency": history,
            "private/get_order_history_by_instrument": history,
            "private/get_order_state": lambda p, a: lit.state(p.text("order_id"), a),
            "private/get_user_trades_by_currency": self._user_trades,
            "private/get_user_trades_by_instrument": self._user_trades,
            "private/get_user_trades_by_order": lambda p, a: [
                one for one in lit.trades(a) if one["order_id"] == p.text("order_id")
            ],
            "private/get_margins": lambda p, _: self.holdings.margins(p),
            **self.past.of_trades(),
        }
        writes: dict[str, Private] = {
            "private/create_combo": lambda p, _: self.combos.create(p),
            "private/buy": lambda p, a: lit.place(p, a, "buy"),
            "private/sell": lambda p, a: lit.place(p, a, "sell"),
            "private/edit": lit.edit,
            "private/cancel": lambda p, a: lit.cancel(p.text("order_id"), a),
            "private/cancel_all": cancel_all,
            "private/cancel_all_by_currency": cancel_all,
            "private/cancel_all_by_instrument": cancel_all,
            "private/cancel_by_label": cancel_all,
            "private/close_position": self._close,
        }
        return {name: ("trade", "read", work) for name, work in reads.items()} | {
            name: ("trade", "read_write", work) for name, work in writes.items()
        }

    def _user_trades(self, params: Params, account: Account) -> Json:
        """Trades of an account by currency or instrument, newest first unless asked otherwise."""
        count = params.whole("count", 10, low=1, high=1_000)
        rows = self._trades_of(account, wanted_instrument(params))
        if params.given("start_timestamp"):
            start = params.whole("start_timestamp")
            rows = [one for one in rows if one["timestamp"] >= start]
        if params.choice("sorting", ("asc", "desc", "default"), "default") == "asc":
            rows = rows[::-1]
        return {"trades": rows[:count], "has_more": len(rows) > count}

    def _trades_of(self, account: Account, meant: Callable[[Json], bool]) -> list[Json]:
        """Everything an account has traded that is meant, newest first."""
        blocks = self._block_trades(Params({"count": 1_000}), account)
        rows = self.lit.trades(account) + [one for block in blocks for one in block["trades"]]
        rows = [one for one in rows if meant(one | {"label": one.get("label", "")})]
        return sorted(rows, key=lambda one: -one["timestamp"])

    def _close(self, params: Params, account: Account) -> Json:
        name = params.text("instrument_name")
        held = account.positions.get(name)
        if held is None or not held.size:
            raise RpcError(11029, "invalid_arguments", "there is no position")
        order = Params(params.values | {"amount": abs(held.size)})
        return self.lit.place(order, account, "sell" if held.size > 0 else "buy")

    def _account(self) -> dict[str, tuple[str, str, Private]]:
        holdings = self.holdings

        def summaries(params: Params, account: Account) -> Json:
            rows = [
                holdings.summary(Params(params.values | {"currency": code}), account)
                for code in account.cash
            ]
            return {"summaries": rows, "id": account.user_id, "username": account.client_id}

        reads: dict[str, Private] = {
            "private/get_account_summary": holdings.summary,
            "private/get_account_summaries": summaries,
            "private/get_position": holdings.position,
            "private/get_positions": holdings.positions,
            "private/simulate_portfolio": holdings.simulated,
            "private/get_transaction_log": self.past.transaction_log,
            "private/get_subaccounts": lambda _, account: [
                {"id": account.user_id, "username": account.client_id, "type": "main"}
            ],
        }
        return {name: ("account", "read", work) for name, work in reads.items()}

    # ---- what follows of a trade ---------------------------------------------
    def _block_booked(self, block: Json, account: Account | None, role: str) -> None:
        if account is None:
            return
        turned = 1.0 if role == "taker" else -1.0
        self._book(account, block["trades"], turned)
        self._later.append(partial(self.news.trades, account, block["trades"]))

    def _lit_booked(self, owner: Account, trades: list[Json]) -> None:
        self._book(owner, trades, 1.0)

    def _order_told(self, owner: Account, order: Json, fills: list[Json]) -> None:
        self._later.append(partial(self.news.order, owner, dict(order), fills))

    async def tick(self) -> None:
        """A beat of the market: resting orders, tickers, books and the index."""
        self.lit.tick()
        await self.news.beat()
        await self.settle()

    def left(self, session: Session) -> None:
        """A connection is gone: its orders are cancelled where it asked for that."""
        self.sessions.open.discard(session)
        if session.cancels and session.account is not None:
            self.lit.cancel_all(session.account, lambda _: True, "cancel_on_disconnect")
