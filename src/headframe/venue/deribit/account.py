"""The account at the venue: positions, margin, the simulated portfolio, and the lit book for small sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from headframe.desk.ports import Malformed
from headframe.venue.deribit import parse
from headframe.venue.deribit.client import Client

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldThere:
    """A position as the venue shows it; positive is bought."""

    instrument: str
    size: float
    average_price: float
    mark_price: float
    delta: float
    initial_margin: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountThere:
    """One currency of the account."""

    currency: str
    equity: float
    available: float
    initial_margin: float
    maintenance_margin: float
    delta_total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderThere:
    """An order of ours in the lit book."""

    id: str
    instrument: str
    side: str
    amount: float
    filled: float
    price: float | None
    average_price: float
    state: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimums:
    """What the venue's own data says of an instrument's blocks and ticks."""

    instrument: str
    block_minimum: float
    block_tick: float
    block_fee: float
    tick: float
    minimum: float


class DeribitAccount:
    """Reading the account, and orders in the lit book, over one client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def positions(self, currency: str = "any") -> tuple[HeldThere, ...]:
        """Every position that is not zero."""
        answer = await self._client.call("private/get_positions", currency=currency)
        return tuple(_held(row) for row in parse.rows(answer, "positions"))

    async def summary(self, currency: str) -> AccountThere:
        """Equity and margin in one currency."""
        answer = await self._client.call("private/get_account_summary", currency=currency)
        return _account(parse.table(answer, "account summary"))

    async def simulated(self, currency: str, changes: Mapping[str, Decimal]) -> AccountThere:
        """The same with positions added: what a trade would do to the margin before it is sent."""
        answer = await self._client.call(
            "private/simulate_portfolio",
            currency=currency,
            add_positions=True,
            simulated_positions={name: float(size) for name, size in changes.items()},
        )
        return _account(parse.table(answer, "simulated portfolio"))

    async def margins(
        self, instrument: str, amount: Decimal, price: Decimal
    ) -> tuple[float, float]:
        """What buying and selling an amount would ask."""
        answer = parse.table(
            await self._client.call(
                "private/get_margins",
                instrument_name=instrument,
                amount=float(amount),
                price=float(price),
            ),
            "margins",
        )
        return parse.number(answer, "buy"), parse.number(answer, "sell")

    async def minimums(self, currency: str) -> dict[str, Minimums]:
        """Least block, tick and fee of every listed instrument, from the venue's own data."""
        answer = await self._client.call("public/get_instruments", currency=currency)
        rows = parse.rows(answer, "instruments")
        return {parse.text(row, "instrument_name"): _minimums(row) for row in rows}

    async def minimum(self, instrument: str) -> Minimums:
        """The same of one instrument."""
        answer = await self._client.call("public/get_instrument", instrument_name=instrument)
        return _minimums(parse.table(answer, "instrument"))

    async def combination(
        self, legs: Sequence[tuple[str, int]], amount: Decimal
    ) -> tuple[str, int]:
        """The venue's combination of legs with signed ratios, new or known: its name, and 1 or -1.

        -1 where the venue has it the other way round: buying our structure is selling the combination.
        Malformed where it is made of other legs.
        """
        answer = parse.table(
            await self._client.call(
                "private/create_combo",
                trades=[
                    {
                        "instrument_name": name,
                        "amount": float(amount * abs(ratio)),
                        "direction": "buy" if ratio > 0 else "sell",
                    }
                    for name, ratio in legs
                ],
            ),
            "combination",
        )
        there = {
            parse.text(row, "instrument_name"): round(parse.number(row, "amount"))
            for row in parse.rows(answer.get("legs"), "legs")
        }
        for side in (1, -1):
            if there == {name: side * ratio for name, ratio in legs}:
                return parse.text(answer, "id"), side
        raise Malformed(f"the venue made another combination: {there} of {dict(legs)}")

    async def book(
        self, instrument: str, depth: int = 20
    ) -> tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]:
        """Bids and asks as price and amount, best first."""
        answer = parse.table(
            await self._client.call(
                "public/get_order_book", instrument_name=instrument, depth=depth
            ),
            "order book",
        )
        return parse.levels(answer.get("bids")), parse.levels(answer.get("asks"))

    async def time(self) -> datetime:
        """What time it is there."""
        answer = await self._client.call("public/get_time")
        return parse.stamp({"time": answer}, "time")

    async def order(
        self, side: str, instrument: str, amount: Decimal, price: Decimal, label: str
    ) -> OrderThere:
        """Buy or sell at a limit, at once or not at all; our own id travels as the label."""
        answer = parse.table(
            await self._client.call(
                f"private/{side}",
                instrument_name=instrument,
                amount=float(amount),
                price=float(price),
                type="limit",
                time_in_force="immediate_or_cancel",
                label=label,
            ),
            "order",
        )
        return _order(parse.table(answer.get("order"), "order"))

    async def fill_or_kill(
        self,
        side: str,
        instrument: str,
        *,
        amount: Decimal,
        price: Decimal,
        label: str,
        until: datetime,
    ) -> OrderThere:
        """The whole amount at a limit or nothing; an order that comes after ``until`` is refused there."""
        answer = parse.table(
            await self._client.call(
                f"private/{side}",
                instrument_name=instrument,
                amount=float(amount),
                price=float(price),
                type="limit",
                time_in_force="fill_or_kill",
                valid_until=int(until.timestamp() * 1000),
                label=label,
            ),
            "order",
        )
        return _order(parse.table(answer.get("order"), "order"))

    async def trades(self, instrument: str, label: str, since: datetime) -> tuple[Json, ...]:
        """Our trades of an instrument that carry a label, oldest first."""
        answer = parse.table(
            await self._client.call(
                "private/get_user_trades_by_instrument",
                instrument_name=instrument,
                start_timestamp=int(since.timestamp() * 1000),
                count=1000,
                sorting="asc",
            ),
            "trades",
        )
        rows = parse.rows(answer.get("trades"), "trades")
        mine = [row for row in rows if row.get("label") == label]
        return tuple(sorted(mine, key=lambda row: parse.number(row, "timestamp")))

    async def trades_since(self, currency: str, since: datetime) -> tuple[Json, ...]:
        """Our trades in a currency since an instant, oldest first, however many there are."""
        found: dict[str, Json] = {}
        start = int(since.timestamp() * 1000)
        while True:
            answer = parse.table(
                await self._client.call(
                    "private/get_user_trades_by_currency",
                    currency=currency,
                    start_timestamp=start,
                    count=1000,
                    sorting="asc",
                ),
                "trades",
            )
            rows = parse.rows(answer.get("trades"), "trades")
            fresh = {str(row.get("trade_id")): row for row in rows} | found
            last = max((int(parse.number(row, "timestamp")) for row in rows), default=start)
            if len(fresh) == len(found) or not answer.get("has_more"):
                return tuple(sorted(fresh.values(), key=lambda row: parse.number(row, "timestamp")))
            found, start = fresh, last

    async def orders(self, label: str, currency: str) -> tuple[OrderThere, ...]:
        """Our orders that carry a label, whatever became of them."""
        answer = await self._client.call(
            "private/get_order_history_by_currency",
            currency=currency,
            count=1000,
            include_unfilled=True,
        )
        done = [_order(row) for row in parse.rows(answer, "orders")]
        answer = await self._client.call(
            "private/get_open_orders_by_label", label=label, currency=currency
        )
        alive = [_order(row) for row in parse.rows(answer, "orders")]
        known = {one.id: one for one in (*done, *alive) if one.label == label}
        return tuple(known.values())

    async def cancel_label(self, label: str) -> int:
        """Take back every open order that carries a label."""
        answer = await self._client.call("private/cancel_by_label", label=label)
        if isinstance(answer, bool) or not isinstance(answer, int):
            raise Malformed("the venue's count of cancelled orders is no number")
        return answer

    async def verify_block(self, trades: list[Json], role: str, nonce: str, stamp_ms: int) -> str:
        """Our signature under a classic block trade, for the counterparty to execute."""
        answer = await self._client.call(
            "private/verify_block_trade", timestamp=stamp_ms, nonce=nonce, role=role, trades=trades
        )
        return parse.text(parse.table(answer, "signature"), "signature")

    async def execute_block(
        self, trades: list[Json], role: str, nonce: str, stamp_ms: int, signature: str
    ) -> Json:
        """Execute a classic block trade under the counterparty's signature; at most once by its nonce."""
        answer = await self._client.call(
            "private/execute_block_trade",
            timestamp=stamp_ms,
            nonce=nonce,
            role=role,
            trades=trades,
            counterparty_signature=signature,
        )
        return parse.table(answer, "block trade")


def _minimums(row: Json) -> Minimums:
    tick, least = parse.number(row, "tick_size"), parse.number(row, "min_trade_amount")
    return Minimums(
        instrument=parse.text(row, "instrument_name"),
        block_minimum=_or(row, "block_trade_min_trade_amount", least),
        block_tick=_or(row, "block_trade_tick_size", tick),
        block_fee=_or(row, "block_trade_commission", 0.0),
        tick=tick,
        minimum=least,
    )


def _or(row: Json, key: str, default: float) -> float:
    return parse.number(row, key) if row.get(key) is not None else default


def _held(row: Json) -> HeldThere:
    size = parse.number(row, "size")
    return HeldThere(
        instrument=parse.text(row, "instrument_name"),
        size=-abs(size) if row.get("direction") == "sell" else size,
        average_price=parse.number(row, "average_price"),
        mark_price=parse.number(row, "mark_price"),
        delta=_or(row, "delta", 0.0),
        initial_margin=_or(row, "initial_margin", 0.0),
    )


def _account(row: Json) -> AccountThere:
    return AccountThere(
        currency=str(row.get("currency", "")),
        equity=parse.number(row, "equity"),
        available=parse.number(row, "available_funds"),
        initial_margin=parse.number(row, "initial_margin"),
        maintenance_margin=parse.number(row, "maintenance_margin"),
        delta_total=_or(row, "delta_total", 0.0),
    )


def _order(row: Json) -> OrderThere:
    price = row.get("price")
    return OrderThere(
        id=parse.text(row, "order_id"),
        instrument=parse.text(row, "instrument_name"),
        side=parse.text(row, "direction"),
        amount=parse.number(row, "amount"),
        filled=_or(row, "filled_amount", 0.0),
        price=None if isinstance(price, str) else parse.number(row, "price"),
        average_price=_or(row, "average_price", 0.0),
        state=parse.text(row, "order_state"),
        label=str(row.get("label", "")),
    )
