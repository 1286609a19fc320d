"""price: a batch pricer for quants."""

import csv
import sys
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Any

import click

from headframe.cli.frame import Call, command
from headframe.units import Wrong

_NEEDED = ("kind", "style", "forward", "strike", "vol", "years", "discount")
_NEEDED_IMPLIED = ("kind", "style", "forward", "strike", "price", "years", "discount")
_OUT_IMPLIED = ("implied_vol", "reason")
_OUT = ("price", "delta", "gamma", "vega", "theta")
_KINDS = {"call": 1.0, "put": -1.0, "forward": 0.0}
_STYLES = {"linear": False, "inverse": True}
_RANGES = {
    "forward": (0.0, 1e15, True),
    "strike": (0.0, 1e15, True),
    "vol": (0.0, 100.0, False),
    "price": (0.0, 1e15, False),
    "years": (0.0, 1000.0, False),
    "discount": (0.0, 100.0, True),
}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--implied",
    is_flag=True,
    help="The other way round: a column price in place of vol; appends implied_vol and reason.",
)
@command
def price(call: Call, file: Path, implied: bool) -> int:
    """Price the rows of FILE, a CSV with kind, style, forward, strike, vol, years, discount.

    Appends price, delta and gamma per unit of forward, vega per 1.00 of volatility, theta per year;
    inverse prices and greeks are in coin. Bad rows are named on stderr, all rows are printed, and
    the exit status is then 2.
    """
    from headframe.feed import read_text
    from headframe.pricing import price_batch

    if implied:
        return _implied(call, read_text(file), file.name)
    rows, header = _rows(read_text(file), file.name, _NEEDED, _OUT)
    good: list[tuple[float, bool, float, float, float, float, float]] = []
    places: list[int | None] = []
    wrong = 0
    for line, row in rows:
        try:
            good.append(_parse(row))
            places.append(len(good) - 1)
        except Wrong as error:
            wrong += 1
            places.append(None)
            call.talk(f"{file.name} line {line}: {error}")
    priced = price_batch(good) if good else None
    figures: list[tuple[float | None, ...]] = [
        (None,) * 5 if place is None or priced is None else tuple(float(x) for x in priced[place])
        for place in places
    ]
    if call.as_json:
        answers = [
            {
                **{name: row.get(name) for name in header},
                **dict(zip(_OUT, found, strict=True)),
            }
            for (_, row), found in zip(rows, figures, strict=True)
        ]
        call.answer("price", {"rows": answers, "bad_rows": wrong})
    else:
        _write(header, [row for _, row in rows], figures)
    return 2 if wrong else 0


def _implied(call: Call, text: str, name: str) -> int:
    """The volatility of each row's price, or the reason there is none; bad rows as in pricing."""
    from headframe.pricing import implied_batch

    rows, header = _rows(text, name, _NEEDED_IMPLIED, _OUT_IMPLIED)
    good: list[tuple[float, bool, float, float, float, float, float]] = []
    places: list[int | None] = []
    for line, row in rows:
        try:
            good.append(_parse_implied(row))
            places.append(len(good) - 1)
        except Wrong as error:
            places.append(None)
            call.talk(f"{name} line {line}: {error}")
    vols, reasons = implied_batch(good)
    wrong = places.count(None)
    answers: list[dict[str, Any]] = []
    for (_, row), place in zip(rows, places, strict=True):
        reason = None if place is None else reasons[place]
        vol = None if place is None or reason is not None else float(vols[place])
        found = {"implied_vol": vol, "reason": None if reason is None else str(reason)}
        answers.append({**{column: row.get(column) for column in header}, **found})
    if call.as_json:
        call.answer("implied", {"rows": answers, "bad_rows": wrong})
    else:
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow([*header, *_OUT_IMPLIED])
        for answer in answers:
            vol = answer["implied_vol"]
            shown = ["" if vol is None else repr(vol), answer["reason"] or ""]
            out.writerow([*(answer[column] or "" for column in header), *shown])
    return 2 if wrong else 0


def _write(
    header: list[str], rows: list[dict[str | None, Any]], figures: list[tuple[float | None, ...]]
) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([*header, *_OUT])
    for row, found in zip(rows, figures, strict=True):
        shown = ["" if one is None else repr(one) for one in found]
        out.writerow([*(row.get(name) or "" for name in header), *shown])


def _rows(
    text: str, name: str, needed: tuple[str, ...], appended: tuple[str, ...]
) -> tuple[list[tuple[int, dict[str | None, Any]]], list[str]]:
    reader = csv.DictReader(StringIO(text))
    try:
        header = [str(field).strip() for field in reader.fieldnames or ()]
        reader.fieldnames = header
        missing = [column for column in needed if column not in header]
        if missing:
            raise Wrong(f"{name}: the first line lacks the columns {', '.join(missing)}")
        if len(set(header)) != len(header) or any(column in header for column in appended):
            raise Wrong(
                f"{name}: a column is named twice, or one of {', '.join(appended)} is there already"
            )
        return [(reader.line_num, row) for row in reader], header
    except csv.Error as error:
        raise Wrong(f"{name}: not readable as CSV: {error}") from error


def _parse(row: dict[str | None, Any]) -> tuple[float, bool, float, float, float, float, float]:
    if None in row:
        raise Wrong("more cells than the first line has columns")
    kind, style = str(row["kind"] or "").strip(), str(row["style"] or "").strip()
    if kind not in _KINDS:
        raise Wrong(f"kind must be call, put or forward, was {kind[:20]!r}")
    if style not in _STYLES:
        raise Wrong(f"style must be linear or inverse, was {style[:20]!r}")
    figures = {
        name: _figure(name, str(row[name] or ""), kind) for name in _RANGES if name != "price"
    }
    return (
        _KINDS[kind],
        _STYLES[style],
        figures["forward"],
        figures["strike"],
        figures["vol"],
        figures["years"],
        figures["discount"],
    )


def _parse_implied(
    row: dict[str | None, Any],
) -> tuple[float, bool, float, float, float, float, float]:
    """A row with a price: only calls and puts have a volatility."""
    if str(row["kind"] or "").strip() == "forward":
        raise Wrong("a forward implies no volatility: kind must be call or put")
    typed = str(row["price"] or "")
    sign, inverse, forward, strike, _, years, discount = _parse({**row, "vol": "0"})
    return sign, inverse, forward, strike, _figure("price", typed, ""), years, discount


def _figure(name: str, text: str, kind: str) -> float:
    text = text.strip()
    if not text and name == "vol" and kind == "forward":
        return 0.0
    low, high, open_below = _RANGES[name]
    allowed = f"{name} must be a number {'above' if open_below else 'from'} {low:g} to {high:g}"
    try:
        value = float(text) if text.isascii() and "_" not in text else float("nan")
    except ValueError:
        value = float("nan")
    if not isfinite(value) or not (low < value if open_below else low <= value) or value > high:
        raise Wrong(f"{allowed}, was {text[:20]!r}")
    return value
