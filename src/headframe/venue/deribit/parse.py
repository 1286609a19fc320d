"""Deribit's messages to domain values: pure, and strict about what money depends on."""

from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from headframe.codec import exact_float
from headframe.desk.ports import Malformed, VenueDeal
from headframe.rfq import Direction, Fill, HedgeLeg, Quote, Request
from headframe.units import Wrong, instant_since_1970

Json = dict[str, Any]


def table(value: object, what: str) -> Json:
    """An object, or Malformed."""
    if not isinstance(value, dict):
        raise Malformed(f"the venue's {what} is no object")
    return cast("Json", value)


def rows(value: object, what: str) -> list[Json]:
    """A list of objects, or Malformed."""
    if not isinstance(value, list):
        raise Malformed(f"the venue's {what} is no list")
    return [table(row, what) for row in cast("list[object]", value)]


def text(row: Json, key: str) -> str:
    """A string, or Malformed."""
    value = row.get(key)
    if not isinstance(value, str):
        raise Malformed(f"the venue's {key} is missing")
    return value


def number(row: Json, key: str) -> float:
    """A finite number, or Malformed."""
    value = row.get(key)
    found = exact_float(value)
    if found is None:
        raise Malformed(f"the venue's {key} is no number: {str(value)[:30]}")
    return found


def stamp(row: Json, key: str) -> datetime:
    """An instant from milliseconds, or Malformed."""
    value = number(row, key)
    try:
        return instant_since_1970(value)
    except Wrong as error:
        raise Malformed(f"the venue's {key} is no instant: {value}") from error


def legs_of(request: Request) -> list[Json]:
    """The structure's legs as the venue wants them at the award: names, sides, ratios."""
    return [
        {
            "instrument_name": leg.instrument.name,
            "direction": "buy" if leg.ratio > 0 else "sell",
            "ratio": abs(leg.ratio),
        }
        for leg in request.structure.legs
    ]


def creation(request: Request) -> Json:
    """Parameters of private/create_block_rfq; our own id travels as the label."""
    parts = [{"user_id": one.user_id, "amount": float(one.amount)} for one in request.accounts]
    shared: Json = {"trade_allocations": parts} if parts else {}
    if request.hedge is not None:
        shared["hedge"] = hedge_of(request, request.hedge)
    return shared | {
        "legs": [
            {
                "instrument_name": leg.instrument.name,
                "direction": "buy" if leg.ratio > 0 else "sell",
                "amount": float(request.amount * abs(leg.ratio)),
            }
            for leg in request.structure.legs
        ],
        "makers": list(request.panel),
        "disclosed": request.disclosed,
        "label": request.id,
    }


def hedge_of(request: Request, hedge: HedgeLeg) -> Json:
    """The hedge leg as the venue takes it: its direction is that of whoever buys the structure."""
    buys = (hedge.amount > 0) == (request.direction is Direction.BUY)
    return {
        "instrument_name": hedge.instrument.name,
        "direction": "buy" if buys else "sell",
        "price": float(hedge.price),
        "amount": float(abs(hedge.amount)),
    }


def quotes_of(message: Json, received_at: datetime) -> tuple[Quote, ...]:
    """The quotes a Block RFQ object shows: one for each maker of each level.

    A price that is no number is kept as NaN, so that the award can refuse it by name.
    """
    found: list[Quote] = []
    for key, direction in (("bids", Direction.BUY), ("asks", Direction.SELL)):
        for level in rows(message.get(key, []), key):
            makers = level.get("makers")
            names = cast("list[object]", makers) if isinstance(makers, list) else [makers]
            found.extend(_quote(level, str(name), direction, received_at) for name in names)
    return tuple(found)


def _quote(level: Json, dealer: str, direction: Direction, received_at: datetime) -> Quote:
    return Quote(
        dealer=dealer,
        direction=direction,
        price=_maybe(level, "price"),
        size=_maybe(level, "amount"),
        received_at=received_at,
        good_until=stamp(level, "expires_at") if level.get("expires_at") is not None else None,
        all_or_none=level.get("execution_instruction") == "all_or_none",
    )


def _maybe(level: Json, key: str) -> float:
    found = exact_float(level.get(key))
    return float("nan") if found is None else found


def was_dealt(row: Json) -> bool:
    """Whether a request, as its taker sees it, led to a trade."""
    return row.get("state") in {"filled", "traded"} or bool(row.get("trades"))


def deal_of(row: Json) -> VenueDeal:
    """A request that was dealt, as the venue lists it."""
    legs = rows(row.get("legs"), "legs")
    return VenueDeal(
        venue_id=str(row.get("block_rfq_id")),
        label=str(row.get("label") or ""),
        at=stamp(row, "creation_timestamp"),
        instruments=tuple(text(leg, "instrument_name") for leg in legs),
        amount=_decimal(row, "amount"),
        hedged=row.get("hedge") is not None,
    )


def book_deals_of(trades: list[Json], since: datetime) -> tuple[VenueDeal, ...]:
    """Orders of ours that were dealt in an order book, each by its label; blocks are not among them."""
    orders: dict[str, list[Json]] = {}
    for row in trades:
        if row.get("label") and row.get("block_trade_id") is None:
            orders.setdefault(text(row, "label"), []).append(row)
    found = [
        VenueDeal(
            venue_id=str(group[0].get("order_id")),
            label=label,
            at=min(stamp(row, "timestamp") for row in group),
            instruments=tuple(dict.fromkeys(text(row, "instrument_name") for row in group)),
            amount=max(
                sum(
                    (_decimal(row, "amount") for row in group if row["instrument_name"] == name),
                    Decimal(0),
                )
                for name in {row["instrument_name"] for row in group}
            )
            or Decimal(0),
        )
        for label, group in orders.items()
    ]
    return tuple(sorted((one for one in found if one.at >= since), key=lambda one: one.at))


def fills_of(blocks: list[Json], shown: Json, request: Request) -> tuple[Fill, ...]:
    """One fill for each dealer that took a part; Malformed unless every leg is there in its full amount.

    ``shown`` is the request as its taker sees it: whose part was how much, at which price.
    """
    parts = rows(shown.get("trades", []), "trades")
    if len(parts) != len(blocks):
        raise Malformed(
            f"the venue shows {len(parts)} dealers and {len(blocks)} block trades: book them by hand"
        )
    found: list[Fill] = []
    for block in blocks:
        amount = _amount(block, request)
        fits = [
            one for one in parts if one.get("amount") is None or _decimal(one, "amount") == amount
        ]
        part = fits[0] if fits else None
        if part is None:
            raise Malformed(f"no dealer took the {amount} of block {block.get('id')}")
        parts.remove(part)
        found.append(_fill(block, text(part, "maker"), request, amount, _decimal(part, "price")))
    if sum(fill.amount for fill in found) != request.amount:
        raise Malformed(f"the venue filled another amount than the {request.amount} asked")
    return tuple(found)


def _amount(block: Json, request: Request) -> Decimal:
    """How much of the structure a block is, by its first leg."""
    first = request.structure.legs[0]
    for trade in rows(block.get("trades"), "trades"):
        if trade.get("instrument_name") == first.instrument.name:
            return _decimal(trade, "amount") / abs(first.ratio)
    raise Malformed(f"the venue reports a block without {first.instrument.name}")


def net_of(block: Json, request: Request) -> Decimal:
    """The net price per unit of a block, from the prices of its legs."""
    prices = {
        text(trade, "instrument_name"): _decimal(trade, "price")
        for trade in rows(block.get("trades"), "trades")
    }
    total = Decimal(0)
    for leg in request.structure.legs:
        if leg.instrument.name not in prices:
            raise Malformed(f"the venue reports a block without {leg.instrument.name}")
        total += leg.ratio * prices[leg.instrument.name]
    return total


def _fill(block: Json, dealer: str, request: Request, part: Decimal, price: Decimal) -> Fill:
    wanted = request.asked(part)
    legs: list[tuple[str, Decimal, Decimal]] = []
    fee, currencies = Decimal(0), set[str]()
    for trade in rows(block.get("trades"), "trades"):
        sign = 1 if text(trade, "direction") == "buy" else -1
        amount = _decimal(trade, "amount") * sign
        legs.append((text(trade, "instrument_name"), amount, _decimal(trade, "price")))
        fee += _decimal(trade, "fee")
        currencies.add(text(trade, "fee_currency"))
    dealt = {name: amount for name, amount, _ in legs}
    if len(dealt) != len(legs) or dealt != wanted:
        raise Malformed(f"the venue reports other legs than were asked: {dealt}, asked {wanted}")
    if len(currencies) != 1:
        raise Malformed("the venue charges fees in several currencies")
    return Fill(
        venue_trade_id=text(block, "id"),
        dealer=dealer,
        price=price,
        amount=part,
        legs=tuple(legs),
        fee=fee,
        fee_currency=currencies.pop(),
        at=stamp(block, "timestamp"),
    )


def _decimal(row: Json, key: str) -> Decimal:
    return Decimal(repr(number(row, key)))


def levels(value: object) -> tuple[tuple[float, float], ...]:
    """One side of an order book as price and amount, best first."""
    if not isinstance(value, list):
        raise Malformed("the venue's book is no list")
    found: list[tuple[float, float]] = []
    for level in cast("list[object]", value):
        items = cast("list[object]", level) if isinstance(level, list) else []
        if len(items) != 2:
            raise Malformed("a level of the venue's book is no pair")
        row = {"price": items[0], "amount": items[1]}
        found.append((number(row, "price"), number(row, "amount")))
    return tuple(found)
