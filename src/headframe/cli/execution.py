"""How requests were dealt: the record of each, the dealers, what dealing came to."""

from datetime import datetime

import click

from headframe.cli.frame import Call, Instant, command

_SINCE = click.option("--from", "since", type=Instant(), help="Requests opened from then on.")
_UNTIL = click.option("--to", "until", type=Instant(), help="Requests opened before then.")


@click.command()
@click.argument("request", required=False)
@_SINCE
@_UNTIL
@command
def execution(
    call: Call, request: str | None, since: datetime | None, until: datetime | None
) -> None:
    """The best-execution record of REQUEST (the beginning of its id), or a line for each."""
    from headframe.codec import to_json
    from headframe.desk import executions
    from headframe.report import execution_table, executions_table
    from headframe.rfq import quality_of

    office = call.office()
    if request is not None:
        told = executions.one(office, request)
        quality = quality_of(told)
        data = {"request": to_json(told), "quality": to_json(quality)}
        call.answer("execution", data, execution_table(told, quality))
        return
    rows = tuple((told, quality_of(told)) for told in executions.every(office, since, until))
    data = {"requests": [{"request": to_json(a), "quality": to_json(b)} for a, b in rows]}
    call.answer("executions", data, executions_table(rows))


@click.command()
@_SINCE
@_UNTIL
@command
def tca(call: Call, since: datetime | None, until: datetime | None) -> None:
    """What dealing came to over a period, and the scorecard of every dealer asked."""
    from headframe.codec import to_json
    from headframe.desk import executions
    from headframe.report import costs_table, scorecards_table
    from headframe.rfq import costs_of, scorecards

    rows = executions.every(call.office(), since, until)
    costs, cards = costs_of(rows), scorecards(rows)
    dealers = [
        to_json(one) | {"response_ratio": one.response_ratio, "hit_ratio": one.hit_ratio}
        for one in cards
    ]
    data = {"costs": to_json(costs), "dealers": dealers}
    call.answer("tca", data, costs_table(costs), scorecards_table(cards))
