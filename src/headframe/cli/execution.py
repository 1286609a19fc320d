"""How requests were dealt: the record of each, the dealers, what dealing came to."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, Figure, Instant, command

if TYPE_CHECKING:
    from headframe.rfq import Route

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
    from headframe.rfq import costs_by_kind, costs_of, scorecards

    rows = executions.every(call.office(), since, until)
    costs, cards = costs_of(rows), scorecards(rows)
    dealers = [
        to_json(one) | {"response_ratio": one.response_ratio, "hit_ratio": one.hit_ratio}
        for one in cards
    ]
    kinds = costs_by_kind(rows)
    data = {
        "costs": to_json(costs),
        "kinds": [{"kind": kind} | to_json(one) for kind, one in kinds],
        "dealers": dealers,
    }
    breaks = [
        f"{name[:8]}: the cost found is beyond 10 % of notional; it is in no figure: look at the request "
        "(headframe execution)"
        for name in costs.breaks
    ]
    call.answer(
        "tca", data, costs_table((("all", costs), *kinds)), scorecards_table(cards), *breaks
    )


@click.command()
@click.argument("proposal")
@click.option(
    "--share-of-day",
    type=Figure(0.0, 1.0),
    default=0.05,
    show_default=True,
    help="The size over a day's volume, for working it over a day.",
)
@command
def routes(call: Call, proposal: str, share_of_day: float) -> None:
    """Blocks and order books of every venue, a day's work, voice: what each would cost PROPOSAL."""
    from headframe.codec import to_json
    from headframe.report import routes_table

    found = ways_of(call, proposal, share_of_day)
    call.answer("routes", {"routes": [to_json(one) for one in found]}, routes_table(found))


def ways_of(call: Call, proposal: str, share_of_day: float = 0.05) -> "tuple[Route, ...]":
    """Every way of dealing a proposal at every venue of the settings, the cheapest first."""
    from headframe.desk import routes as ways
    from headframe.desk.ports import Broken, Stopped
    from headframe.rfq import Route, cheapest
    from headframe.wiring import trading

    office = call.office()
    settings = office.settings()

    async def at(venue: str) -> tuple[Route, ...]:
        async with trading(office, call.folder, database=call.database, venue=venue) as line:
            return await ways.compare(line, proposal, share_of_day=share_of_day)

    found = list(asyncio.run(at(settings.venue.name)))
    known = {one.name for one in found}
    for other in settings.venues:
        try:
            found += [one for one in asyncio.run(at(other.name)) if one.name not in known]
        except (Broken, Stopped) as error:
            closed = Route(name=other.name, cost_usd=None, words="", closed=str(error))
            found.append(closed)
    return cheapest(found)
