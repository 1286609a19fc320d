"""Statements of balances from a table.

Columns: account (of the ledger, as headframe ledger names it), currency, balance (ours: what we own is
positive, what we owe negative), and at (an instant) or day (YYYY-MM-DD, its end in UTC).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

from headframe.book import Stated
from headframe.codec.rows import TableRow, each_row, pick
from headframe.units import CURRENCIES, Wrong, instant, parse_amount, parse_day

_NEEDED = ("account", "currency", "balance")


def read_statement(rows: Sequence[TableRow], name: str) -> tuple[Stated, ...]:
    """The balances of a table; Wrong names every bad row."""
    if not rows:
        raise Wrong(f"{name} states nothing")
    missing = [column for column in _NEEDED if column not in rows[0][1]]
    if missing:
        raise Wrong(f"{name} lacks the columns {', '.join(missing)}")
    return tuple(each_row(rows, name, _row))


def _row(row: Mapping[str, str]) -> Stated:
    code = row["currency"].upper()
    currency = CURRENCIES.get(code)
    if currency is None:
        known = ", ".join(sorted(CURRENCIES))
        raise Wrong(f"currency {row['currency'][:12]!r} is not in the books; they know {known}")
    if not row["account"]:
        raise Wrong("account must not be empty")
    balance = parse_amount(row["balance"], currency, "balance")
    return Stated(account=row["account"], at=_at(row), balance=balance)


def _at(row: Mapping[str, str]) -> datetime:
    said, day = pick(row, "at"), pick(row, "day")
    if said is not None:
        return instant(said)
    if day is None:
        raise Wrong("a balance needs at (an instant) or day")
    try:
        ends = parse_day(day) + timedelta(days=1)
    except OverflowError as error:
        raise Wrong(f"day is no day YYYY-MM-DD but {day[:20]!r}") from error
    return datetime.combine(ends, time(), UTC)
