"""What is asked: legs, hedge and allocations of a request, checked against the venue's rules."""

from headframe.paper.rpc import Json, Params, RpcError, invalid
from headframe.paper.world import Listed, World

MOST_LEGS = 20


def legs_of(world: World, params: Params) -> tuple[list[Json], float]:
    """Legs with whole ratios and the amount they share, checked against the block minimums."""
    rows = [_leg(world, row) for row in params.rows("legs", MOST_LEGS)]
    amounts = [amount for _, _, amount in rows]
    unit = min(amounts)
    if any(abs(amount / unit - round(amount / unit)) > 1e-9 for amount in amounts):
        raise RpcError(10021, "invalid_amount", "leg amounts must be in whole ratios")
    if not any(side == "buy" for _, side, _ in rows):
        raise invalid("legs", "at least one leg must be buy")
    if len({one.name for one, _, _ in rows}) != len(rows):
        raise invalid("legs", "each instrument once")
    if len({(one.terms.inverse, one.terms.is_option) for one, _, _ in rows}) != 1:
        raise RpcError(11029, "invalid_arguments", "legs must share their quote currency")
    legs = [
        {"instrument_name": one.name, "direction": side, "ratio": round(amount / unit)}
        for one, side, amount in rows
    ]
    return legs, unit


def _leg(world: World, row: Params) -> tuple[Listed, str, float]:
    one = world.find(row.text("instrument_name"))
    side = row.choice("direction", ("buy", "sell"))
    try:
        amount = row.number("amount")
    except RpcError as error:
        raise RpcError(10021, "invalid_amount", "a leg's amount is a number") from error
    least = one.rules.block_least
    if not least <= amount <= 1e9:
        raise RpcError(10021, "invalid_amount", f"a block of {one.name} is at least {least:g}")
    return one, side, amount


def hedge_of(world: World, params: Params, legs: list[Json]) -> Json | None:
    """The one hedge leg, a future of the same coin; refused beside plain futures."""
    row = params.table("hedge")
    if row is None:
        return None
    if not world.find(legs[0]["instrument_name"]).terms.is_option:
        raise RpcError(11029, "invalid_arguments", "a future leg takes no hedge leg")
    one = world.find(row.text("instrument_name"))
    if one.terms.is_option:
        raise RpcError(11029, "invalid_arguments", "the hedge leg is a future")
    amount, price = row.number("amount"), row.number("price")
    if amount < one.rules.least or price <= 0.0:
        raise RpcError(10021, "invalid_amount", f"a hedge of {one.name} is {one.rules.least:g}")
    side = row.choice("direction", ("buy", "sell"))
    return {
        "instrument_name": one.name,
        "direction": side,
        "price": price,
        "amount": row.values["amount"],
    }


def allocations_of(params: Params, amount: float) -> list[Json]:
    """Who of the taker's own accounts gets how much; the parts make the whole."""
    if not params.given("trade_allocations"):
        return []
    rows = params.rows("trade_allocations")
    total = sum(row.number("amount") for row in rows)
    if abs(total - amount) > 1e-9 * amount:
        raise invalid("trade_allocations", f"add up to {total:g}, the request is {amount:g}")
    return [row.values for row in rows]
