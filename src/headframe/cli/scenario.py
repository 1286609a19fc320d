"""scenario."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import click

from headframe.cli.frame import Call, Expiry, command
from headframe.units import Wrong, parse_figure, parse_figures


class Amount(click.ParamType[Any]):
    """A plain decimal number; ``decimals`` are those usual for it, eight of coins."""

    name = "number"

    def __init__(self, limit: int = 10**12, decimals: int = 2) -> None:
        self.limit = limit
        self.decimals = decimals

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """The number, or a usage error."""
        try:
            return _amount(str(value), self.limit, self.decimals)
        except Wrong as error:
            self.fail(str(error), param, ctx)


class Amounts(click.ParamType[Any]):
    """Numbers separated by commas."""

    name = "numbers"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """The numbers, or a usage error."""
        if isinstance(value, tuple):
            return value  # pyright: ignore[reportUnknownVariableType] - click passes its own default
        try:
            return tuple(_bounded(number, 10**12) for number in parse_figures(str(value)))
        except Wrong as error:
            self.fail(str(error), param, ctx)


def _amount(text: str, limit: int = 10**12, decimals: int = 2) -> Decimal:
    return _bounded(parse_figure(text, decimals=decimals), limit)


def _bounded(number: Decimal, limit: int) -> Decimal:
    if abs(number) >= limit:
        raise Wrong(f"a figure must be below {limit:.0e}, was {str(number)[:40]}")
    return number


@click.command()
@click.option("--coins", type=Amount(decimals=8), help="Coins hedged.")
@click.option("--cost", type=Amount(), help="Cost per coin, USD.")
@click.option("--spot", type=Amount(), help="Price today, USD; without --prices, moves around it.")
@click.option("--put", type=Amount(), help="Strike of the put, USD.")
@click.option("--call", "call_strike", type=Amount(), help="Strike of the call, USD.")
@click.option(
    "--prices", type=Amounts(), default=(), help="Prices at settlement, separated by commas."
)
@click.option("--forward", type=Amount(), help="Price of the short future, USD.")
@click.option("--put-premium", type=Amount(), help="Premium of the put, USD per coin.")
@click.option("--call-premium", type=Amount(), help="Premium of the call, USD per coin.")
@click.option(
    "--expiry",
    type=Expiry(),
    help="Expiry of the workspace's market to take prices from, 25-DEC-26 or 2026-12-25.",
)
@command
def scenario(
    call: Call,
    coins: Decimal | None,
    cost: Decimal | None,
    spot: Decimal | None,
    put: Decimal | None,
    call_strike: Decimal | None,
    prices: tuple[Decimal, ...],
    forward: Decimal | None,
    put_premium: Decimal | None,
    call_premium: Decimal | None,
    expiry: datetime | None,
) -> None:
    """Revenue and profit of each strategy by price; in a workspace its market fills what is not typed."""
    from headframe.desk.scenarios import Asked, scenario
    from headframe.report import scenario_table

    office = call.office() if call.has_workspace else None
    asked = Asked(
        coins=coins,
        cost=cost,
        spot=spot,
        put=put,
        call=call_strike,
        prices=prices,
        forward=forward,
        put_premium=put_premium,
        call_premium=call_premium,
        expiry=expiry,
    )
    found = scenario(asked, office)
    for note in found.notes:
        call.talk(note)
    rows = [
        {
            "price": float(row.price),
            "strategy": str(row.strategy),
            "revenue_per_coin": float(row.revenue_per_coin),
            "profit_per_coin": float(row.profit_per_coin),
            "revenue": float(row.revenue),
            "profit": float(row.profit),
        }
        for row in found.rows
    ]
    call.answer("scenario", {"rows": rows}, scenario_table(found.rows, found.terms.coins))
