"""Ways of dealing a proposal side by side, before it is asked."""

from math import sqrt

from headframe.desk import executions, users
from headframe.desk.approvals import proposal_of
from headframe.desk.execution import judged
from headframe.desk.office import Trading
from headframe.desk.ports import Malformed, Refused, Unreachable
from headframe.desk.quotes import surface_in
from headframe.rfq import (
    Direction,
    Lot,
    Request,
    Route,
    block_route,
    cheapest,
    costs_of,
    sweep_route,
    voice_route,
    worked_route,
)
from headframe.risk import structure_greeks
from headframe.units import year_fraction


async def compare(trading: Trading, name: str, *, share_of_day: float) -> tuple[Route, ...]:
    """What each way would cost against mid, the cheapest first; ways that are closed come last.

    ``share_of_day`` is the size over a day's volume of what would be traded: it drives the square-root
    impact of working an order over the day.
    """
    office = trading.office
    users.allowed(office, users.Action.READ)
    proposal = proposal_of(office.state(), name)
    request, rated = judged(office, name)
    one = rated.candidate
    index, at = office.market().index, office.now()
    surface = surface_in(office.state())
    years = year_fraction(at, request.structure.expiry)
    lot = Lot(
        sign=1 if request.direction is Direction.BUY else -1,
        coins=float(request.size),
        usd=1.0 if one.price_currency == "USD" else index,
        forward=request.forward,
        spread_usd=one.cost_usd - one.fee_usd,
        fee_usd=one.fee_usd,
        delta=structure_greeks(request.structure, surface, at)["delta"],
        daily_vol=surface.vol(years, request.forward) / sqrt(365.0),
    )
    routes = [
        block_route(lot, costs_of(executions.every(office, None, None))),
        await _sweep(trading, request, lot),
        worked_route(lot, share_of_day),
    ]
    if office.mandate().may_deal("voice", proposal.kind):
        routes.append(voice_route(lot))
    return cheapest(routes)


async def _sweep(trading: Trading, request: Request, lot: Lot) -> Route:
    """Taking the whole size out of the lit book, as the venue's book stands; why not where it cannot be."""
    try:
        price = await trading.venue.sweep(request)
        mid = await trading.venue.mid(request)
    except (Unreachable, Malformed, Refused) as error:
        return Route(name="lit book at once", cost_usd=None, words=str(error))
    return sweep_route(lot, price, mid)
