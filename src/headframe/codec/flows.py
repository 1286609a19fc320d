"""Payouts, sales, costs and pledges from a table.

Columns: id, kind (payout, sale, cost, pledge, release, lend, recall, interest, convert, capital,
distribution), at (an instant); coins, usd, fee_usd and memo as the kind asks, or amount, currency and fee for
cash of any currency; into and into_currency of a conversion; venue of a sale, or the counterparty of coins
lent; coin, BTC where it is not given, of a payout or a sale.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from headframe.book import Flow, FlowKind
from headframe.codec.rows import TableRow, each_row, pick
from headframe.units import (
    BTC,
    COINS,
    CURRENCIES,
    USD,
    Currency,
    Money,
    Wrong,
    instant,
    parse_decimal,
)

_NEEDED = ("id", "kind", "at")
_ID = re.compile(r"[!-~]{1,100}")
_MEMO = re.compile(r"[a-z0-9 -]{0,40}")


def read_flows(rows: Sequence[TableRow], name: str) -> tuple[Flow, ...]:
    """The flows of a table; Wrong names every bad row, and an id that comes twice."""
    if not rows:
        raise Wrong(f"{name} says nothing")
    missing = [column for column in _NEEDED if column not in rows[0][1]]
    if missing:
        raise Wrong(f"{name} lacks the columns {', '.join(missing)}")
    found = tuple(each_row(rows, name, _row))
    ids = [flow.id for flow in found]
    twice = sorted({one for one in ids if ids.count(one) > 1}) if len(set(ids)) < len(ids) else []
    if twice:
        raise Wrong(f"{name} has {', '.join(twice[:5])} twice: each is booked once")
    return found


def _row(row: Mapping[str, str]) -> Flow:
    if not _ID.fullmatch(row["id"]):
        raise Wrong("id is a plain word of at most 100 characters: what its source calls it")
    try:
        kind = FlowKind(row["kind"].lower())
    except ValueError as error:
        known = ", ".join(FlowKind)
        raise Wrong(f"kind is one of {known}, was {row['kind'][:20]!r}") from error
    coin = (pick(row, "coin") or BTC.code).upper()
    if coin not in COINS:
        known = ", ".join(sorted(COINS))
        raise Wrong(f"coin {coin[:12]!r} is not in these books; known: {known}")
    memo = (pick(row, "memo") or "").lower()
    if not _MEMO.fullmatch(memo):
        raise Wrong("memo is at most 40 letters, digits, spaces and hyphens")
    currency = _currency(row, "currency")
    cash = _money(row, "usd", USD)
    if currency != USD or pick(row, "amount") is not None:
        if cash.smallest:
            raise Wrong("give usd, or amount with currency, not both")
        cash = _money(row, "amount", currency)
    dollars = currency == USD and pick(row, "fee") is None
    fee = _money(row, "fee_usd", USD) if dollars else _money(row, "fee", currency)
    into = _money(row, "into", _currency(row, "into_currency"))
    return Flow(
        id=row["id"],
        kind=kind,
        at=instant(row["at"]),
        coins=_money(row, "coins", CURRENCIES[coin]),
        cash=cash,
        fee=fee,
        memo=memo,
        into=into if into.smallest else None,
        venue=_venue(row),
    )


def _venue(row: Mapping[str, str]) -> str:
    found = (pick(row, "venue") or "").lower()
    if not _MEMO.fullmatch(found.replace("_", "-")):
        raise Wrong("venue is at most 40 letters, digits, spaces, hyphens and underscores")
    return found


def _currency(row: Mapping[str, str], name: str) -> Currency:
    """The currency of a column, dollars where it is left out."""
    code = (pick(row, name) or USD.code).upper()
    found = CURRENCIES.get(code)
    if found is None:
        known = ", ".join(sorted(CURRENCIES))
        raise Wrong(f"{name} {code[:12]!r} is not in these books; known: {known}")
    return found


def _money(row: Mapping[str, str], name: str, currency: Currency) -> Money:
    text = pick(row, name)
    if text is None:
        return Money(currency, 0)
    amount = parse_decimal(text) * currency.scale
    if amount != amount.to_integral_value() or abs(amount) > Decimal(10) ** 17:
        raise Wrong(f"{name} {text[:40]} has more digits than {currency.code} has")
    return Money(currency, int(amount))
