"""A market typed in: one row an expiry with its forward and volatilities by delta.

Columns: as_of, index, expiry (26-MAR-27 or 2027-03-26), forward, and any of 10P, 25P, ATM, 25C, 10C in
per cent a year; open_interest, spread (bid-ask of options as a share of mid) and coin where they are known.
"""

import csv
from collections.abc import Collection, Mapping
from io import StringIO

from headframe.codec import number
from headframe.market import ForwardQuote, Snapshot, TypedSmile
from headframe.units import Wrong, instant, parse_expiry

COLUMNS = ("as_of", "index", "expiry", "forward")
_DELTAS = {"10P": 0.90, "25P": 0.75, "ATM": None, "25C": 0.25, "10C": 0.10}
_MOST = 200


def read_typed_csv(text: str, *, name: str) -> Snapshot:
    """The snapshot of a typed market; raises Wrong naming every bad line, up to ten."""
    rows = list(csv.DictReader(StringIO(text)))
    if not 1 <= len(rows) <= _MOST:
        raise Wrong(f"{name}: a typed market has 1 to {_MOST} expiries, was {len(rows)}")
    forwards: list[ForwardQuote] = []
    smiles: list[TypedSmile] = []
    wrong: list[str] = []
    for line, row in enumerate(rows, start=2):
        try:
            forward, smile = _row(row, [*row.keys(), *row.values()])
        except Wrong as error:
            wrong.append(f"line {line}: {error}")
            continue
        forwards.append(forward)
        smiles.append(smile)
    wrong += [
        f"{column} differs from row to row"
        for column in ("as_of", "index", "spread", "coin")
        if len({(row.get(column) or "").strip() for row in rows}) > 1
    ]
    if wrong:
        raise Wrong(f"{name}: " + "; ".join(wrong[:10]))
    first = rows[0]
    spread = (first.get("spread") or "").strip()
    order = sorted(range(len(forwards)), key=lambda place: forwards[place].expiry)
    return Snapshot(
        as_of=instant(first["as_of"]),
        coin=(first.get("coin") or "BTC").strip(),
        index=number(first["index"].strip()),
        source=f"{name}, typed in",
        forwards=tuple(forwards[place] for place in order),
        typed=tuple(smiles[place] for place in order),
        spread=number(spread) if spread else None,
    )


def _row(row: Mapping[str, str], cells: Collection[object]) -> tuple[ForwardQuote, TypedSmile]:
    if None in cells:
        raise Wrong("its cells are not as many as the first line's")
    expiry = parse_expiry(row["expiry"].strip())
    interest = (row.get("open_interest") or "").strip()
    vols = tuple(
        (delta, number(said) / 100.0)
        for column, delta in _DELTAS.items()
        if (said := (row.get(column) or "").strip())
    )
    if not vols:
        raise Wrong(f"no volatility in any of {', '.join(_DELTAS)}")
    forward = ForwardQuote(
        expiry=expiry,
        price=number(row["forward"].strip()),
        open_interest=number(interest) if interest else None,
    )
    return forward, TypedSmile(expiry=expiry, vols=vols)
