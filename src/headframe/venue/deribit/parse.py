"""Deribit's messages to domain values: pure, and strict about what money depends on."""

from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, cast

from headframe.desk.ports import Malformed
from headframe.rfq import Direction, Fill, Quote, Request

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
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Malformed(f"the venue's {key} is no number: {str(value)[:30]}")
    return float(value)


def stamp(row: Json, key: str) -> datetime:
    """An instant from milliseconds, or Malformed."""
    value = number(row, key)
    try:
        return datetime.fromtimestamp(value / 1000.0, UTC)
    except (OverflowError, ValueError, OSError) as error:
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
    return {
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
    value = level.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float("nan")
    return float(value)


def fill_of(block: Json, dealer: str, request: Request, price: float) -> Fill:
    """The fill a block trade reports; Malformed unless every leg is there in its full amount."""
    side = 1 if request.direction is Direction.BUY else -1
    wanted = {
        leg.instrument.name: request.amount * leg.ratio * side for leg in request.structure.legs
    }
    legs: list[tuple[str, Decimal, Decimal]] = []
    fee, currencies = Decimal(0), set[str]()
    for trade in rows(block.get("trades"), "trades"):
        sign = 1 if text(trade, "direction") == "buy" else -1
        amount = Decimal(repr(number(trade, "amount"))) * sign
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
        price=Decimal(repr(price)),
        amount=request.amount,
        legs=tuple(legs),
        fee=fee,
        fee_currency=currencies.pop(),
        at=stamp(block, "timestamp"),
    )


def _decimal(row: Json, key: str) -> Decimal:
    return Decimal(repr(number(row, key)))


def winner_of(message: Json) -> tuple[str, float]:
    """Who filled a request and at what price; Malformed when several did."""
    trades = rows(message.get("trades", []), "trades")
    makers = {text(trade, "maker") for trade in trades}
    if len(makers) != 1:
        raise Malformed(f"a request filled by {len(makers)} dealers must be booked by hand")
    return makers.pop(), number(trades[0], "price")
