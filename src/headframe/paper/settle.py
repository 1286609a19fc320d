"""What a match becomes: leg prices that make the net price, trades with fees, one block for all legs."""

from headframe.paper.rpc import Json
from headframe.paper.world import World

_FLIP = {"buy": "sell", "sell": "buy"}


def split(world: World, legs: list[Json], net: float) -> list[float]:
    """Leg prices at their marks, the difference to the net price on the first leg."""
    signs = [leg["ratio"] * (1 if leg["direction"] == "buy" else -1) for leg in legs]
    terms = [world.find(leg["instrument_name"]).terms for leg in legs]
    digits = 4 if terms[0].is_option and terms[0].inverse else 0
    prices = [round(world.price(one), digits) for one in terms]
    rest = sum(sign * price for sign, price in zip(signs[1:], prices[1:], strict=True))
    prices[0] = round((net - rest) / signs[0], 6)
    if prices[0] < 0.0 and len(prices) > 1:
        prices[1] = round(prices[1] + prices[0] * signs[0] / -signs[1], 6)
        prices[0] = 0.0
    return prices


def block_of(
    world: World, request: Json, direction: str, quote: Json, amount: float, place: int
) -> Json:
    """The block trade of one maker's part, all legs and the hedge, as the taker sees it."""
    number = request["block_rfq_id"]
    block_id = f"BLOCK-{number}" if place == 1 else f"BLOCK-{number}-{place}"
    legs, count = request["legs"], len(request["legs"]) + (request["hedge"] is not None)
    quoted = [leg.get("price") for leg in quote["legs"]]
    prices = split(world, legs, quote["price"]) if None in quoted else quoted
    rows = [
        (
            leg["instrument_name"],
            leg["direction"] if direction == "buy" else _FLIP[leg["direction"]],
            round(amount * leg["ratio"], 8),
            float(price),
        )
        for leg, price in zip(legs, prices, strict=True)
    ]
    hedge = request["hedge"]
    if hedge is not None:
        side = hedge["direction"] if direction == "buy" else _FLIP[hedge["direction"]]
        share = amount / request["amount"]
        rows.append(
            (hedge["instrument_name"], side, round(hedge["amount"] * share, 8), hedge["price"])
        )
    trades = [
        trade_of(world, row, f"{number}-{place}-{at}" if place > 1 else f"{number}-{at}", at)
        | {
            "block_trade_id": block_id,
            "block_rfq_id": number,
            "block_rfq_quote_id": quote["block_rfq_quote_id"],
            "block_trade_leg_count": count,
            "trade_allocations": _shares(request, amount),
        }
        for at, row in enumerate(rows, start=1)
    ]
    return {
        "id": block_id,
        "timestamp": world.now_ms(),
        "trades": trades,
        "dealer": quote["dealer"],
    }


def _shares(request: Json, amount: float) -> list[Json]:
    share = amount / request["amount"]
    return [
        one | {"amount": round(float(one["amount"]) * share, 8)}
        for one in request["trade_allocations"]
    ]


def dealt_in_book(
    world: World, row: tuple[str, str, float, float], trade_id: str, seq: int, liquidity: str
) -> Json:
    """One trade of the lit book; a combination's carries its legs' trades, whose prices make its own."""
    name, side, amount, price = row
    one = world.find_any(name)
    if not one.legs:
        return trade_of(world, row, trade_id, seq, liquidity)
    legs: list[Json] = [
        {"instrument_name": leg, "ratio": abs(ratio), "direction": "buy" if ratio > 0 else "sell"}
        for leg, ratio in one.legs
    ]
    prices = split(world, legs, price)
    marks = {"combo_id": name, "combo_trade_id": trade_id}
    found: list[Json] = [
        trade_of(
            world,
            (
                leg["instrument_name"],
                leg["direction"] if side == "buy" else _FLIP[leg["direction"]],
                round(amount * leg["ratio"], 8),
                paid,
            ),
            f"{trade_id}-{place}",
            seq,
            liquidity,
        )
        | marks
        for place, (leg, paid) in enumerate(zip(legs, prices, strict=True), start=1)
    ]
    whole = trade_of(world, row, trade_id, seq, liquidity)
    fee = round(sum(leg["fee"] for leg in found), 8)
    return whole | {"fee": fee, "mark_price": world.mark(one), "legs": found}


def trade_of(
    world: World, row: tuple[str, str, float, float], trade_id: str, seq: int, liquidity: str = "T"
) -> Json:
    """One trade in the venue's shape: instrument, side, amount, price."""
    name, side, amount, price = row
    one = world.find_any(name)
    index = world.index()
    found: Json = {
        "trade_id": trade_id,
        "trade_seq": seq,
        "instrument_name": name,
        "direction": side,
        "price": price,
        "amount": amount,
        "contracts": round(amount / one.rules.least * 1.0, 8),
        "fee": world.fee(one.terms, amount, price),
        "fee_currency": one.terms.settled_in,
        "index_price": index,
        "mark_price": world.price(one.terms),
        "timestamp": world.now_ms(),
        "tick_direction": 0,
        "liquidity": liquidity,
        "order_id": f"O-{trade_id}",
        "matching_id": None,
        "state": "filled",
        "api": True,
        "post_only": False,
        "reduce_only": False,
        "mmp": False,
        "order_type": "limit",
        "profit_loss": 0.0,
    }
    if one.terms.is_option and not one.legs:
        found |= {
            "iv": round(100.0 * world.vol_of(one.terms), 2),
            "underlying_price": world.forward(one.terms),
        }
    return found
