"""price: a batch pricer for quants."""

import csv
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from headframe.cli.frame import Call, command
from headframe.cli.price_rows import (
    European,
    Row,
    average,
    barrier,
    european,
    read_rows,
    style_of,
    with_price,
)
from headframe.units import Wrong

if TYPE_CHECKING:
    from headframe.pricing import AverageOption, BarrierOption

_OUT_IMPLIED = ("implied_vol", "reason")
_OUT = ("price", "delta", "gamma", "vega", "theta")
T = TypeVar("T")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--implied",
    is_flag=True,
    help="The other way round: a column price in place of vol; appends implied_vol and reason.",
)
@command
def price(call: Call, file: Path, implied: bool) -> int:
    """Price the rows of FILE, a CSV with kind, style, strike, years and what each style needs.

    linear, inverse: forward, vol, discount. average: forward, vol, discount, fixings (evenly spaced
    to years), first_fixing_years; fixings_done and fixed_so_far (their mean); carry; vols in place of
    vol (one for each fixing to come, or years:vol points, between semicolons). barrier: spot,
    vol, barrier_type (down-in, down-out, up-in, up-out), barrier, rebate; carry and rate, or forward
    and discount in their place.

    Appends price, delta and gamma per unit of forward, vega per 1.00 of volatility, theta per year;
    inverse prices and greeks are in coin. Bad rows are named on stderr, all rows are printed, and
    the exit status is then 2.
    """
    from headframe.feed import read_text

    text = read_text(file)
    if implied:
        return _implied(call, text, file.name)
    rows, header = read_rows(text, file.name, implied=False, appended=_OUT)
    terms = _each(call, file.name, rows, _terms)
    figures = _figures(call, file.name, rows, terms)
    answers = [
        {
            **{name: row.get(name) for name in header},
            **dict(zip(_OUT, found or (None,) * len(_OUT), strict=True)),
        }
        for (_, row), found in zip(rows, figures, strict=True)
    ]
    return _give(call, "price", header, _OUT, answers, figures.count(None))


def _terms(row: Row) -> "European | AverageOption | BarrierOption":
    style = style_of(row)
    if style == "average":
        return average(row)
    return barrier(row) if style == "barrier" else european(row)


def _figures(
    call: Call,
    name: str,
    rows: Sequence[tuple[int, Row]],
    terms: Sequence["European | AverageOption | BarrierOption | None"],
) -> list[tuple[float, ...] | None]:
    """The five figures of every row that has terms, European rows all at once."""
    from headframe.pricing import AverageOption, price_batch

    plain = [one for one in terms if isinstance(one, tuple)]
    priced = price_batch(plain)
    place = 0
    figures: list[tuple[float, ...] | None] = []
    for (line, _), one in zip(rows, terms, strict=True):
        found: tuple[float, ...] | None = None
        if isinstance(one, tuple):
            found = tuple(float(x) for x in priced[place])
            place += 1
        elif one is not None:
            try:
                found = one.figures()[0] if isinstance(one, AverageOption) else one.figures()
            except Wrong as error:
                call.talk(f"{name} line {line}: {error}")
        figures.append(found)
    return figures


def _each(
    call: Call, name: str, rows: Sequence[tuple[int, Row]], parse: Callable[[Row], T]
) -> list[T | None]:
    """Every row's terms; a bad one is named and left out."""
    found: list[T | None] = []
    for line, row in rows:
        try:
            found.append(parse(row))
        except Wrong as error:
            call.talk(f"{name} line {line}: {error}")
            found.append(None)
    return found


def _implied(call: Call, text: str, name: str) -> int:
    """The volatility of each row's price, or the reason there is none; bad rows as in pricing."""
    from headframe.pricing import implied_batch

    rows, header = read_rows(text, name, implied=True, appended=_OUT_IMPLIED)
    terms = _each(call, name, rows, with_price)
    vols, reasons = implied_batch([one for one in terms if one is not None])
    answers: list[dict[str, Any]] = []
    place = 0
    for (_, row), one in zip(rows, terms, strict=True):
        vol, reason = None, None
        if one is not None:
            vol, reason = float(vols[place]), reasons[place]
            place += 1
        found = {
            "implied_vol": None if reason is not None else vol,
            "reason": None if reason is None else str(reason),
        }
        answers.append({**{column: row.get(column) for column in header}, **found})
    return _give(call, "implied", header, _OUT_IMPLIED, answers, terms.count(None))


def _give(
    call: Call,
    schema: str,
    header: list[str],
    appended: tuple[str, ...],
    answers: list[dict[str, Any]],
    wrong: int,
) -> int:
    """All rows as CSV or JSON, figures in full precision; 2 where one was bad."""
    if call.as_json:
        call.answer(schema, {"rows": answers, "bad_rows": wrong})
    else:
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow([*header, *appended])
        for answer in answers:
            cells = [answer[name] for name in (*header, *appended)]
            out.writerow([repr(one) if isinstance(one, float) else one or "" for one in cells])
    return 2 if wrong else 0
