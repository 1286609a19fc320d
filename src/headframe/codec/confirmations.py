"""Confirmations of trades from a table: one row a leg, several trades in one file.

Columns: trade (our id or the venue's), instrument, side (buy or sell, ours), amount, price; and where they
are stated dealer, day (YYYY-MM-DD), fee (of the trade, the same on each of its rows), fee_currency,
fixing_source (whose settlement prices the trade is fixed at, as they are imported) and value_date
(YYYY-MM-DD, on which premium and fee settle).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from headframe.book import Confirmation, ConfirmedLeg
from headframe.codec.rows import TableRow, each_row, pick
from headframe.units import Wrong, parse_day, parse_figure

NEEDED = ("trade", "instrument", "side", "amount", "price")
STATED = ("dealer", "day", "fee", "fee_currency", "fixing_source", "value_date")


@dataclass(frozen=True, slots=True)
class _Row:
    reference: str
    leg: ConfirmedLeg
    stated: tuple[str | None, ...]


def read_confirmations(rows: Sequence[TableRow], name: str) -> tuple[Confirmation, ...]:
    """The confirmations of a table in its order; Wrong names every bad row or contradiction."""
    if not rows:
        raise Wrong(f"{name} confirms nothing")
    missing = [column for column in NEEDED if column not in rows[0][1]]
    if missing:
        raise Wrong(f"{name} lacks the columns {', '.join(missing)}")
    found: dict[str, list[_Row]] = {}
    for row in each_row(rows, name, _row):
        found.setdefault(row.reference, []).append(row)
    return tuple(_confirmation(reference, legs, name) for reference, legs in found.items())


def _row(row: Mapping[str, str]) -> _Row:
    side = row["side"].lower()
    if side not in {"buy", "sell"}:
        raise Wrong(f"side is buy or sell, ours, was {row['side'][:20]!r}")
    amount = _decimal(row, "amount")
    if amount <= 0:
        raise Wrong(f"amount is above zero, the side says which way, was {row['amount'][:20]}")
    if not row["trade"] or not row["instrument"]:
        raise Wrong("trade and instrument must not be empty")
    leg = ConfirmedLeg(
        instrument=row["instrument"].upper(),
        amount=amount if side == "buy" else -amount,
        price=_decimal(row, "price"),
    )
    return _Row(row["trade"], leg, tuple(pick(row, column) for column in STATED))


def _confirmation(reference: str, rows: list[_Row], name: str) -> Confirmation:
    stated = {row.stated for row in rows}
    if len(stated) > 1:
        raise Wrong(f"{name}: {reference} states another {', '.join(STATED)} from row to row")
    dealer, day, fee, currency, fixing, value_date = rows[0].stated
    try:
        parsed = None if day is None else parse_day(day)
        settles = None if value_date is None else parse_day(value_date)
    except Wrong as error:
        shown = ", ".join(repr(one[:20]) for one in (day, value_date) if one is not None)
        raise Wrong(f"{name}: {reference} has no day YYYY-MM-DD but {shown}") from error
    return Confirmation(
        reference=reference,
        legs=tuple(row.leg for row in rows),
        dealer=dealer,
        day=parsed,
        fee=None if fee is None else _decimal({"fee": fee}, "fee"),
        fee_currency=currency,
        fixing_source=fixing,
        value_date=settles,
    )


def _decimal(row: Mapping[str, str], column: str) -> Decimal:
    """Return a number of a row; amounts may be coins, which have more than two decimals."""
    value = parse_figure(row[column], column, decimals=8 if column == "amount" else 2)
    if value and abs(value.adjusted()) > 20:
        raise Wrong(f"{column} is no number: {row[column][:40]!r}")
    return value
