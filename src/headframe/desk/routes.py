"""Ways of dealing a proposal side by side, before it is asked."""

from dataclasses import replace
from math import sqrt

from headframe.desk import executions, users
from headframe.desk.approvals import proposal_of
from headframe.desk.execution import judged
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Broken, Stopped
from headframe.desk.quotes import surface_in
from headframe.hedge import Candidate
from headframe.mandate import is_order_book
from headframe.rfq import (
    Direction,
    Lot,
    Request,
    Route,
    block_route,
    cheapest,
    costs_of,
    route_name,
    sweep_route,
    voice_route,
    worked_route,
)
from headframe.risk import structure_greeks
from headframe.units import year_fraction


async def compare(trading: Trading, name: str, *, share_of_day: float) -> tuple[Route, ...]:
    """What each way on this line would cost against mid, the cheapest first; closed ways come last.

    A way that the mandate, a limit or the venue's least size closes says so beside its cost.
    ``share_of_day`` is the size over a day's volume of what would be traded: it drives the square-root
    impact of working an order over the day.
    """
    office = trading.office
    users.allowed(office, users.Action.READ)
    proposal = proposal_of(office.state(), name)
    request, rated = _anywhere(office, name, (trading.venue.name, *trading.others))
    lot = _lot(office, request, rated)
    routes = [worked_route(lot, share_of_day)]
    for place in (trading.venue.name, *trading.others):
        line = trading.at(place)
        assert line is not None
        routes.append(await _at(line, name, request, lot))
    if office.mandate().may_deal("voice", proposal.kind):
        routes.append(voice_route(lot))
    return cheapest(routes)


def _anywhere(office: Office, name: str, places: tuple[str, ...]) -> tuple[Request, Candidate]:
    """The request as it would be sent to the first place that takes it; else why the first does not."""
    refusal: Stopped | None = None
    for place in places:
        try:
            request, rated = judged(office, name, place)
        except Stopped as error:
            refusal = refusal or error
            continue
        return request, rated.candidate
    assert refusal is not None
    raise refusal


def _lot(office: Office, request: Request, one: Candidate) -> Lot:
    """The figures every way is reckoned from."""
    index, at = office.market().index, office.now()
    surface = surface_in(office.state())
    years = year_fraction(at, request.structure.expiry)
    return Lot(
        sign=1 if request.direction is Direction.BUY else -1,
        coins=float(request.size),
        usd=1.0 if request.in_usd else index,
        forward=request.forward,
        spread_usd=one.cost_usd - one.fee_usd,
        fee_usd=one.fee_usd,
        delta=structure_greeks(request.structure, surface, at)["delta"],
        daily_vol=surface.vol(years, request.forward) / sqrt(365.0),
    )


async def _at(line: Trading, proposal: str, request: Request, lot: Lot) -> Route:
    """The way of one place on the line, and why it is closed where it is."""
    office, place = line.office, line.venue.name
    closed = ""
    try:
        judged(office, proposal, place)
    except Stopped as error:
        closed = str(error)
    try:
        if is_order_book(place):
            price, mid = await line.venue.sweep(request), await line.venue.mid(request)
            route = sweep_route(lot, price, mid, place)
        else:
            kind = executions.kind_of(office.state().proposals[proposal])
            every = executions.every(office, None, None)
            past = [one for one in every if (one.venue, one.kind) == (place, kind)]
            route = block_route(lot, costs_of(past), place)
            closed = closed or await line.venue.closed(request)
    except Broken as error:
        name = route_name(place, book=is_order_book(place))
        return Route(name=name, cost_usd=None, words="", closed=str(error), place=place)
    return replace(route, closed=route.closed or closed)
