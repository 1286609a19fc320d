"""collar, basis, contract: structures at no cost, how prices hedge each other, contracts on production."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import click

from headframe.cli.frame import Call, Instant, Whole, command
from headframe.cli.scenario import Amount


@click.command()
@click.option("--put", "put_strike", type=float, required=True, help="Strike bought, USD.")
@click.option("--expiry", required=True, help="Like 25-DEC-26; beyond the listed ones an estimate.")
@click.option("--lower", "lower_strike", type=float, help="Strike of a put sold: a three-way.")
@command
def collar(call: Call, *, put_strike: float, expiry: str, lower_strike: float | None) -> None:
    """The call that pays for a put: exactly, and on the listed strikes with their residual both ways."""
    from math import isfinite

    from headframe.codec import to_json
    from headframe.desk import structures
    from headframe.report import zero_cost_table
    from headframe.units import Wrong, iso, parse_expiry

    for strike in (put_strike, lower_strike):
        if strike is not None and not (isfinite(strike) and 0.0 < strike < 1e9):
            raise Wrong(f"a strike lies above 0 and below 1e9 USD, was {strike}")
    found = structures.collar(
        call.office(), put_strike=put_strike, expiry=parse_expiry(expiry), lower_strike=lower_strike
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


@click.group()
def contract() -> None:
    """Contracts on production: what they are worth on the engine's paths, and their fair rate."""


_FROM = click.option("--from", "first", type=Instant(), required=True, help="First day.")
_TO = click.option("--to", "last", type=Instant(), required=True, help="Last day, inclusive.")
_PATHS = click.option("--paths", type=Whole(2, 1_000_000), default=20_000, show_default=True)


@contract.command(name="hashprice")
@_FROM
@_TO
@click.option("--phs", type=Amount(), default="1", show_default=True, help="PH/s sold.")
@click.option("--fixed", type=Amount(), required=True, help="USD, or coins, per PH/s and day.")
@click.option("--in-coin", is_flag=True, help="Fixed and settled in coin.")
@_PATHS
@command
def hashprice(
    call: Call,
    *,
    first: datetime,
    last: datetime,
    phs: Decimal,
    fixed: Decimal,
    in_coin: bool,
    paths: int,
) -> None:
    """Hashrate sold at a fixed hashprice, settled every day against the index."""
    from headframe.codec import to_json
    from headframe.desk import structures
    from headframe.instrument import HashpriceForward
    from headframe.risk import forward_initial

    terms = HashpriceForward(
        first=first.date(), last=last.date(), phs=phs, fixed=fixed, in_coin=in_coin
    )
    office = call.office()
    found = structures.hashprice_forward(office, terms, paths=paths)
    unit = "coins" if in_coin else "USD"
    asked = forward_initial(terms, office.now().date())
    words = "" if asked.in_force else ", not in force that day"
    margin = f"{asked.amount:,.8f}" if in_coin else f"{asked.amount:,.2f}"
    call.answer(
        "hashprice-forward",
        {**to_json(found), "initial": to_json(asked)},
        f"fair {found.fair:.8f} {unit} per PH/s and day (error {found.fair_se:.8f})"
        if in_coin
        else f"fair {found.fair:,.2f} {unit} per PH/s and day (error {found.fair_se:.2f})",
        f"worth {found.value_usd:,.0f} USD to the seller (error {found.value_se:,.0f}), "
        f"undiscounted, on {found.paths:,} paths",
        f"initial margin {margin} {unit} by {asked.schedule}{words}",
    )


@contract.command(name="difficulty")
@_FROM
@_TO
@click.option("--fixed", type=Amount(), required=True, help="Mean difficulty in T.")
@click.option("--usd-per-t", type=Amount(), default="1000", show_default=True)
@_PATHS
@command
def difficulty(
    call: Call, *, first: datetime, last: datetime, fixed: Decimal, usd_per_t: Decimal, paths: int
) -> None:
    """The mean difficulty of every block of a time against a fixed one; the buyer gains as it rises."""
    from headframe.codec import to_json
    from headframe.desk import structures
    from headframe.instrument import DifficultySwap

    terms = DifficultySwap(first=first.date(), last=last.date(), fixed_t=fixed, usd_per_t=usd_per_t)
    found = structures.difficulty_swap(call.office(), terms, paths=paths)
    call.answer(
        "difficulty-swap",
        to_json(found),
        f"fair {found.fair:,.2f} T (error {found.fair_se:.2f})",
        f"worth {found.value_usd:,.0f} USD to the buyer (error {found.value_se:,.0f}), "
        f"undiscounted, on {found.paths:,} paths",
    )
