"""A market typed in: one row an expiry with its forward and volatilities by delta.

Columns: as_of, index, expiry (26-MAR-27 or 2027-03-26), forward, and any of 10P, 25P, ATM, 25C, 10C in
per cent a year; open_interest, spread (bid-ask of options as a share of mid) and coin where they are known.
"""

from collections.abc import Mapping

from headframe.codec import number, rows_of, settled_points
from headframe.market import ForwardQuote, Snapshot, TypedSmile
from headframe.units import Wrong, instant, parse_expiry

COLUMNS = ("as_of", "index", "expiry", "forward")
_DELTAS = {"10p": 0.90, "25p": 0.75, "atm": None, "25c": 0.25, "10c": 0.10}
_FIGURES = ("index", "forward", *_DELTAS, "open_interest", "spread")
_MOST = 200


def read_typed_csv(text: str, *, name: str) -> Snapshot:
    """The snapshot of a typed market; raises Wrong naming every bad line, up to ten."""
    table = settled_points(rows_of(text, name), _FIGURES)
    rows = [row for _, row in table]
    if not 1 <= len(rows) <= _MOST:
        raise Wrong(f"{name}: a typed market has 1 to {_MOST} expiries, was {len(rows)}")
    forwards: list[ForwardQuote] = []
    smiles: list[TypedSmile] = []
    wrong: list[str] = []
    for line, row in table:
        try:
            forward, smile = _row(row)
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
    spread = first.get("spread")
    order = sorted(range(len(forwards)), key=lambda place: forwards[place].expiry)
    return Snapshot(
        as_of=instant(first["as_of"]),
        coin=(first.get("coin") or "BTC").strip(),
        index=number(first["index"], "index"),
        source=f"{name}, typed in",
        forwards=tuple(forwards[place] for place in order),
        typed=tuple(smiles[place] for place in order),
        spread=number(spread, "spread") if spread else None,
    )


def _row(row: Mapping[str, str]) -> tuple[ForwardQuote, TypedSmile]:
    expiry = parse_expiry(row["expiry"].strip())
    interest = row.get("open_interest")
    vols = tuple(
        (delta, number(said, column) / 100.0)
        for column, delta in _DELTAS.items()
        if (said := row.get(column))
    )
    if not vols:
        raise Wrong(f"no volatility in any of {', '.join(_DELTAS).upper()}")
    forward = ForwardQuote(
        expiry=expiry,
        price=number(row["forward"], "forward"),
        open_interest=number(interest, "open_interest") if interest else None,
    )
    return forward, TypedSmile(expiry=expiry, vols=vols)
