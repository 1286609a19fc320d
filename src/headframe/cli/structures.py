"""collar, basis: structures at no cost, and how well one price hedges another."""

from datetime import datetime
from pathlib import Path

import click

from headframe.cli.frame import Call, Expiry, Figure, Whole, command


@click.command()
@click.option("--put", "put_strike", type=Figure(), required=True, help="Strike bought, USD.")
@click.option(
    "--expiry",
    type=Expiry(),
    required=True,
    help="25-DEC-26 or 2026-12-25; beyond the listed ones an estimate.",
)
@click.option("--lower", "lower_strike", type=Figure(), help="Strike of a put sold: a three-way.")
@command
def collar(call: Call, *, put_strike: float, expiry: datetime, lower_strike: float | None) -> None:
    """The call that pays for a put: exactly, and on the listed strikes with their residual both ways."""
    from math import isfinite

    from headframe.codec import to_json
    from headframe.desk import structures
    from headframe.report import zero_cost_table
    from headframe.units import Wrong, iso

    for strike in (put_strike, lower_strike):
        if strike is not None and not (isfinite(strike) and 0.0 < strike < 1e9):
            raise Wrong(f"a strike lies above 0 and below 1e9 USD, was {strike}")
    found = structures.collar(
        call.office(), put_strike=put_strike, expiry=expiry, lower_strike=lower_strike
    )
    data = {**to_json(found.pair), "expiry": iso(found.expiry), "spot": found.spot}
    call.answer(
        "collar",
        {**data, "extrapolated": found.extrapolated},
        zero_cost_table(
            found.pair, expiry=found.expiry, spot=found.spot, extrapolated=found.extrapolated
        ),
    )


@click.command()
@click.argument("item", type=click.Path(path_type=Path))
@click.argument("hedge", type=click.Path(path_type=Path))
@click.option(
    "--horizon", type=Whole(1, 366), default=30, show_default=True, help="Days to settlement."
)
@command
def basis(call: Call, *, item: Path, hedge: Path, horizon: int) -> None:
    """How well HEDGE hedges ITEM, two CSVs with date and price: a mine's own sales against a future.

    The ratio of least variance with its 95 % interval, R2 and tracking error over the horizon; for a
    coin without a listed market, its proxy in bitcoin or ether.
    """
    from headframe.codec import prices_from_text, to_json
    from headframe.feed import read_text
    from headframe.report import effectiveness_table
    from headframe.risk import effectiveness

    one, other = (
        [(at.date(), price) for at, price in prices_from_text(read_text(path), path.name)]
        for path in (item, hedge)
    )
    found = effectiveness(one, other, days=horizon)
    call.answer("basis", to_json(found), effectiveness_table(found, item.stem, hedge.stem))
