"""Dealers' quotes on a request: what stands, how it is shown, and who fills how much.

By the rules of Deribit's Block RFQ (API 2.1.1 and its walkthrough): makers never see each other; a
quote for any part is aggregated with others at its price, one for all or none stands alone, equals
the request's amount and comes first at the same price; each fill is at its maker's own price.
"""

from typing import cast

from headframe.paper.rpc import Json, RpcError

MOST_PER_REQUEST, MOST_PER_SIDE = 20, 10
ANONYMOUS = "ANONYMOUS"
_SIDES = {"buy": "bids", "sell": "asks"}


def standing(quotes: list[Json], now: int) -> list[Json]:
    """Quotes that could trade now."""
    return [
        one
        for one in quotes
        if one["quote_state"] == "open" and (one["expires_at"] is None or one["expires_at"] > now)
    ]


def levels(request: Json, now: int) -> tuple[list[Json], list[Json]]:
    """Bids and asks as the taker sees them, best first; any-part quotes of one price are one level."""
    found: dict[str, list[Json]] = {"bids": [], "asks": []}
    merged: dict[tuple[str, float], Json] = {}
    for one in standing(request["quotes"], now):
        side = _SIDES[one["direction"]]
        name = one["dealer"] if request["disclosed"] else ANONYMOUS
        key = (side, one["price"])
        part = one["execution_instruction"] == "any_part_of"
        level = merged.get(key) if part else None
        if level is None:
            level = _level(one, name)
            found[side].append(level)
            if part:
                merged[key] = level
            continue
        level["makers"].append(name)
        level["amount"] = min(level["amount"] + left(one), request["amount"])
        level["last_update_timestamp"] = max(
            level["last_update_timestamp"], one["last_update_timestamp"]
        )
        ends = [end for end in (level.get("expires_at"), one["expires_at"]) if end is not None]
        if ends:
            level["expires_at"] = min(ends)
    found["bids"].sort(key=lambda one: -one["price"])
    found["asks"].sort(key=lambda one: one["price"])
    return found["bids"], found["asks"]


def _level(quote: Json, name: str) -> Json:
    level = {
        "makers": [name],
        "price": quote["price"],
        "amount": left(quote),
        "last_update_timestamp": quote["last_update_timestamp"],
        "execution_instruction": quote["execution_instruction"],
    }
    return level if quote["expires_at"] is None else level | {"expires_at": quote["expires_at"]}


def left(quote: Json) -> float:
    """What of a quote has not been dealt."""
    return round(float(quote["amount"]) - float(quote["filled_amount"]), 8)


def matched(
    request: Json, direction: str, price: float, now: int
) -> list[tuple[Json, float]] | None:
    """Who fills the request at this price or better, whole; None where they do not suffice.

    Best price first; all or none before any part at one price; then the earlier. A quote for all or
    none takes part only when nothing has been taken before it.
    """
    sign = 1.0 if direction == "buy" else -1.0
    other = "sell" if direction == "buy" else "buy"
    fit = [
        one
        for one in standing(request["quotes"], now)
        if one["direction"] == other and sign * one["price"] <= sign * price + 1e-12
    ]
    fit.sort(
        key=lambda one: (
            sign * one["price"],
            one["execution_instruction"] != "all_or_none",
            one["creation_timestamp"],
            one["block_rfq_quote_id"],
        )
    )
    wanted, found = float(request["amount"]), cast("list[tuple[Json, float]]", [])
    for one in fit:
        if one["execution_instruction"] == "all_or_none":
            if not found and left(one) >= wanted:
                return [(one, wanted)]
            continue
        take = min(left(one), wanted)
        found.append((one, take))
        wanted = round(wanted - take, 8)
        if wanted <= 0.0:
            return found
    whole = [one for one in fit if one["execution_instruction"] == "all_or_none"]
    return [(whole[0], float(request["amount"]))] if whole else None


def check_new(request: Json, fresh: Json, now: int, but: int | None = None) -> None:
    """Refuse a quote that crosses its maker's other side, or one too many."""
    mine = [
        one
        for one in standing(request["quotes"], now)
        if one["dealer"] == fresh["dealer"] and one["block_rfq_quote_id"] != but
    ]
    if len(mine) >= MOST_PER_REQUEST:
        raise RpcError(13905, "too_many_quotes_per_block_rfq")
    same = [one for one in mine if one["direction"] == fresh["direction"]]
    if len(same) >= MOST_PER_SIDE:
        raise RpcError(13906, "too_many_quotes_per_block_rfq_side")
    sign = 1.0 if fresh["direction"] == "buy" else -1.0
    for one in mine:
        if one["direction"] != fresh["direction"] and sign * fresh["price"] >= sign * one["price"]:
            raise RpcError(13910, "quote_crossed", "it crosses your own quote on the other side")


def public_quote(quote: Json) -> Json:
    """A quote as its maker sees it."""
    hidden = {"dealer", "account"}
    return {key: value for key, value in quote.items() if key not in hidden and value is not None}
