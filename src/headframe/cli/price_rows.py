"""Rows of a price table: columns, ranges, and what each style needs."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

from headframe.codec import TableRow, cells_of, settled_points
from headframe.units import Wrong, parse_number, parse_whole

if TYPE_CHECKING:
    from headframe.pricing import AverageOption, BarrierOption

Row = Mapping[str | None, Any]
European = tuple[float, bool, float, float, float, float, float]

_ALWAYS = ("kind", "style", "strike", "years")
_BY_STYLE = {
    "average": ("forward", "discount", "fixings", "first_fixing_years"),
    "barrier": ("vol", "spot", "barrier_type", "barrier"),
}
_EUROPEAN = ("vol", "forward", "discount")
_KINDS = {"call": 1.0, "put": -1.0, "forward": 0.0}
_STYLES = {"linear": False, "inverse": True}
_BARRIERS = {
    "down-in": (False, True),
    "down-out": (False, False),
    "up-in": (True, True),
    "up-out": (True, False),
}
_RANGES = {
    "forward": (0.0, 1e15, True),
    "spot": (0.0, 1e15, True),
    "strike": (0.0, 1e15, True),
    "barrier": (0.0, 1e15, True),
    "rebate": (0.0, 1e15, False),
    "fixed_so_far": (0.0, 1e15, False),
    "vol": (0.0, 100.0, False),
    "price": (0.0, 1e15, False),
    "years": (0.0, 1000.0, False),
    "first_fixing_years": (-1000.0, 1000.0, False),
    "carry": (-10.0, 10.0, False),
    "rate": (-10.0, 10.0, False),
    "discount": (0.0, 100.0, True),
}


def read_rows(
    text: str, name: str, *, implied: bool, appended: tuple[str, ...]
) -> tuple[list[tuple[int, Row]], list[str]]:
    """Rows with their lines, and the header; raises Wrong where a column is missing or named twice."""
    header, lines = cells_of(text, name)
    _demand(name, header, _ALWAYS)
    if any(column in header for column in appended):
        raise Wrong(f"{name}: one of the columns {', '.join(appended)} is there already")
    found = [(line, _row_of(header, cells)) for line, cells in lines]
    rows = _points_shown(found, header)
    styles = {str(row["style"] or "").strip() for _, row in rows}
    if implied:
        _demand(name, header, ("forward", "price", "discount"))
        return rows, header
    for style, needed in _BY_STYLE.items():
        _demand(name, header, needed if style in styles else ())
    if not styles or styles - set(_BY_STYLE):
        _demand(name, header, _EUROPEAN)
    return rows, header


def _row_of(header: list[str], cells: list[str]) -> Row:
    """Return a row by column; cells beyond the header, or none, stand under None."""
    row: dict[str | None, Any] = dict(zip(header, cells, strict=False))
    if len(cells) != len(header):
        row[None] = cells
    return row


def _points_shown(rows: list[tuple[int, Row]], header: list[str]) -> list[tuple[int, Row]]:
    """Return rows whose columns show that their points are decimal, read as such."""
    whole = [(line, cast("TableRow", (line, row))) for line, row in rows if None not in row]
    read = dict(settled_points([one for _, one in whole], header))
    return [(line, cast("Row", read.get(line, row))) for line, row in rows]


def _demand(name: str, header: list[str], needed: tuple[str, ...]) -> None:
    missing = [column for column in needed if column not in header]
    if missing:
        raise Wrong(f"{name}: the first line lacks the columns {', '.join(missing)}")


def style_of(row: Row) -> str:
    """The style of a row whose cells are as many as its columns."""
    if None in row:
        raise Wrong("more cells than the first line has columns")
    return str(row["style"] or "").strip()


def european(row: Row) -> European:
    """A row of style linear or inverse."""
    style, kind = style_of(row), _cell(row, "kind")
    if kind not in _KINDS:
        raise Wrong(f"kind must be call, put or forward, was {kind[:20]!r}")
    if style not in _STYLES:
        raise Wrong(f"style must be linear, inverse, average or barrier, was {style[:20]!r}")
    free = kind == "forward" and not _cell(row, "vol")
    return (
        _KINDS[kind],
        _STYLES[style],
        _figure(row, "forward"),
        _figure(row, "strike"),
        0.0 if free else _figure(row, "vol"),
        _figure(row, "years"),
        _figure(row, "discount"),
    )


def average(row: Row) -> "AverageOption":
    """A row of style average."""
    from headframe.pricing import AverageOption

    plain = AverageOption(
        sign=_sign(row),
        forward=_figure(row, "forward"),
        strike=_figure(row, "strike"),
        vol=_figure(row, "vol", 0.0) if _cell(row, "vols") else _figure(row, "vol"),
        years=_figure(row, "years"),
        discount=_figure(row, "discount"),
        fixings=_count(row, "fixings"),
        first_fixing_years=_figure(row, "first_fixing_years"),
        done=_count(row, "fixings_done") if _cell(row, "fixings_done") else 0,
        fixed=_figure(row, "fixed_so_far", 0.0),
        carry=_figure(row, "carry", 0.0),
    )
    return replace(plain, vols=_vols(_cell(row, "vols"), plain)) if _cell(row, "vols") else plain


def _vols(text: str, plain: "AverageOption") -> tuple[float, ...]:
    """Volatilities of the fixings to come: one each, or those of a curve given as years:vol."""
    from headframe.pricing import term_vols

    parts = [part.strip() for part in text.split(";")]
    if not any(":" in part for part in parts):
        return tuple(_vol(part) for part in parts)
    points: list[tuple[float, float]] = []
    for part in parts:
        years, _, vol = part.partition(":")
        points.append((_number(years), _vol(vol)))
    rising = all(a[0] < b[0] for a, b in pairwise(points))
    if not rising or not all(0.0 < years <= 1_000.0 for years, _ in points):
        raise Wrong(
            f"vols: expected points as years:vol, years above 0 and rising, got {text[:40]!r}; "
            "fix: for example 0.02:0.9; 0.25:0.6"
        )
    return term_vols(points, plain.times().tolist())


def _vol(text: str) -> float:
    value = _number(text)
    if not 0.0 <= value <= _RANGES["vol"][1]:
        raise Wrong(
            f"vols: expected volatilities from 0 to {_RANGES['vol'][1]:g} between semicolons, got "
            f"{text[:20]!r}; fix: for example 0.9; 0.8; 0.7, one for each fixing to come"
        )
    return value


def _number(text: str) -> float:
    """A number of plain digits, or not a number, which no range takes."""
    try:
        return parse_number(text)
    except Wrong:
        return float("nan")


def barrier(row: Row) -> "BarrierOption":
    """A row of style barrier; an empty carry or rate comes from forward and discount."""
    from headframe.pricing import BarrierOption, carry_and_rate

    kind = _cell(row, "barrier_type")
    if kind not in _BARRIERS:
        raise Wrong(f"barrier_type must be {', '.join(_BARRIERS)}, was {kind[:20]!r}")
    spot, years = _figure(row, "spot"), _figure(row, "years")
    carry, rate = _cell(row, "carry"), _cell(row, "rate")
    if not carry and not _cell(row, "forward"):
        raise Wrong("a barrier needs its carry, or a forward to take it from")
    if not rate and not _cell(row, "discount"):
        raise Wrong("a barrier needs its rate, or a discount to take it from")
    implied = carry_and_rate(
        spot, spot if carry else _figure(row, "forward"), _figure(row, "discount", 1.0), years
    )
    up, enters = _BARRIERS[kind]
    return BarrierOption(
        sign=_sign(row),
        up=up,
        enters=enters,
        spot=spot,
        strike=_figure(row, "strike"),
        barrier=_figure(row, "barrier"),
        rebate=_figure(row, "rebate", 0.0),
        vol=_figure(row, "vol"),
        years=years,
        carry=_figure(row, "carry") if carry else implied[0],
        rate=_figure(row, "rate") if rate else implied[1],
    )


def with_price(row: Row) -> European:
    """A row with a price in place of its volatility: only calls and puts have one."""
    if _cell(row, "kind") == "forward":
        raise Wrong("a forward implies no volatility: kind must be call or put")
    if style_of(row) in _BY_STYLE:
        raise Wrong("an implied volatility is of style linear or inverse")
    sign, inverse, forward, strike, _, years, discount = european({**row, "vol": "0"})
    return sign, inverse, forward, strike, _figure(row, "price"), years, discount


def _sign(row: Row) -> float:
    kind = _cell(row, "kind")
    if kind not in {"call", "put"}:
        raise Wrong(f"kind must be call or put, was {kind[:20]!r}")
    return _KINDS[kind]


def _cell(row: Row, name: str) -> str:
    cell = row.get(name)
    return cell if isinstance(cell, str) else ""


def _count(row: Row, name: str) -> int:
    text = _cell(row, name)
    count = parse_whole(text, name, digits_max=9)
    if count < 0:
        raise Wrong(f"{name} must be a whole number, was {text[:20]!r}")
    return count


def _figure(row: Row, name: str, empty: float | None = None) -> float:
    text = _cell(row, name)
    if not text and empty is not None:
        return empty
    low, high, open_below = _RANGES[name]
    allowed = f"{name} must be a number {'above' if open_below else 'from'} {low:g} to {high:g}"
    value = _number(text)
    if not isfinite(value) or not (low < value if open_below else low <= value) or value > high:
        raise Wrong(f"{allowed}, was {text[:20]!r}")
    return value
