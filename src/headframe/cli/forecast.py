"""forecast."""

import click

from headframe.cli.frame import Call, command


@click.command()
@click.option("--months", type=click.IntRange(1, 36), default=12, show_default=True)
@click.option("--paths", type=click.IntRange(1000, 1_000_000), default=20_000, show_default=True)
@click.option(
    "--explain",
    is_flag=True,
    help="Also the drivers with their standard errors, hashprice and break-even power.",
)
@command
def forecast(call: Call, months: int, paths: int, explain: bool) -> None:
    """Coins by month: P10 (10 % chance of less), P50, P90, alone and summed."""
    from headframe.codec import to_json
    from headframe.desk import production
    from headframe.report import drivers_table, forecast_table, machines_table

    office = call.office()
    made = production.make(office, months=months, paths=paths)
    shown = [forecast_table(made)]
    if explain:
        price = office.market().index
        shown += [drivers_table(made), machines_table(office.settings().operation, made, price)]
    call.answer("forecast", to_json(made), *shown)
