"""Payouts, sales, costs and pledges from a table.

Columns: id, kind (payout, sale, cost, pledge, release, lend, recall, interest, convert, capital,
distribution), at (an instant); coins, usd, fee_usd and memo as the kind asks, or amount, currency and fee for
cash of any currency; into and into_currency of a conversion; venue of a sale, or the counterparty of coins
lent; coin, BTC where it is not given, of a payout or a sale; txid and output of the transaction a payout
came by.
"""

import re
from collections.abc import Mapping, Sequence

from headframe.book import Flow, FlowKind
from headframe.codec.coin_names import COIN_COLUMNS, coin_named
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
    parse_amount,
    parse_whole,
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
    coin = _coin(row, kind)
    memo = (pick(row, "memo") or "").lower()
    if not _MEMO.fullmatch(memo):
        raise Wrong("memo is at most 40 letters, digits, spaces and hyphens")
    currency = _currency(row, "currency")
    if kind is FlowKind.PAYOUT and currency.code in COINS:
        currency = USD  # of a payout it names the coin
    cash = _money(row, "usd", USD)
    if currency != USD or pick(row, "amount") is not None:
        if cash.smallest:
            raise Wrong("give usd, or amount with currency, not both")
        cash = _money(row, "amount", currency)
    dollars = currency == USD and pick(row, "fee") is None
    fee = _money(row, "fee_usd", USD) if dollars else _money(row, "fee", currency)
    txid, output = _receipt(row, kind)
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
        txid=txid,
        output=output,
    )


_COIN_COLUMNS = tuple(name for name in COIN_COLUMNS if name != "currency")
"""A currency is of cash, except of a payout, which has none."""
_RECEIPT = re.compile(r"(?:tx-)?([0-9a-fA-F]{64})(?::([0-9]{1,6}))?")


def _coin(row: Mapping[str, str], kind: FlowKind) -> str:
    """Return the coin a row names in any usual column; bitcoin where it names none."""
    columns = COIN_COLUMNS if kind is FlowKind.PAYOUT else _COIN_COLUMNS
    named = {coin_named(row[name]) for name in columns if row.get(name)}
    if len(named) > 1:
        raise Wrong(
            f"coin: expected one coin, got {', '.join(sorted(named))}; fix: keep one column"
        )
    said = named.pop() if named else BTC.code
    if said.upper() in COINS:
        return said.upper()
    if kind is FlowKind.PAYOUT and said.upper() in CURRENCIES and not pick(row, *_COIN_COLUMNS):
        return BTC.code  # the currency of a payout whose cash is left out
    known = ", ".join(sorted(COINS))
    raise Wrong(f"coin {said[:12]!r} is not in these books; known: {known}")


def _receipt(row: Mapping[str, str], kind: FlowKind) -> tuple[str, int | None]:
    """Return the transaction and output a payout names: by txid and output, or in its id."""
    if kind is not FlowKind.PAYOUT:
        return "", None
    named = pick(row, "txid", "tx_id", "txhash", "tx_hash", "transaction")
    match = _RECEIPT.fullmatch(named or row["id"])
    if match is None:
        return "", None
    place = match[2] or pick(row, "output", "vout")
    output = None if place is None else parse_whole(place, "output", digits_max=6)
    if output is not None and output < 0:
        raise Wrong(f"output: expected its place in the transaction, got {output}")
    return match[1].lower(), output


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
    return parse_amount(text, currency, name)
