"""An exchange's daily file of outright margins.

Columns, by any of their names: the product's code (product code, clearing code, code, cc), the range of
contract months (start period, end period; 2026-09, 202609, 09/2026 or SEP-26), and maintenance in USD a
contract (with thousands separators and a currency) or with a % sign as a share of the contract's value.
"""

from collections.abc import Mapping, Sequence

from headframe.codec.rows import TableRow, each_row, pick
from headframe.risk import OutrightMargin
from headframe.units import Wrong, parse_contract_month, parse_grouped

_CODE = ("product code", "clearing code", "code", "cc")
_FIRST = ("start period", "start month", "from")
_LAST = ("end period", "end month", "to")
_MAINTENANCE = ("maintenance", "maintenance margin", "maint", "maintenance rate")


def read_outright_margins(rows: Sequence[TableRow], name: str) -> tuple[OutrightMargin, ...]:
    """The margins of the products of a file; Wrong names every bad row."""
    if not rows:
        raise Wrong(f"{name} says nothing")
    for names in (_CODE, _FIRST, _LAST, _MAINTENANCE):
        if not any(one in rows[0][1] for one in names):
            raise Wrong(f"{name} lacks the column {names[0]}")
    return tuple(each_row(rows, name, _row))


def _row(row: Mapping[str, str]) -> OutrightMargin:
    code, first, last = pick(row, *_CODE), pick(row, *_FIRST), pick(row, *_LAST)
    said = pick(row, *_MAINTENANCE)
    if code is None or first is None or said is None:
        raise Wrong("a row needs a product code, a start period and a maintenance margin")
    share = said.endswith("%")
    plain = said.removesuffix("%").upper().removesuffix("USD").removeprefix("USD").strip(" $")
    amount = parse_grouped(plain, "maintenance")
    return OutrightMargin(
        product=code.upper(),
        first=parse_contract_month(first),
        last=parse_contract_month(last or first),
        usd=None if share else amount,
        share=amount / 100.0 if share else None,
    )
