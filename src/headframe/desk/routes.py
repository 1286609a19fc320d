"""Ways of dealing a proposal side by side, before it is asked: block, lit book, over a day, by voice."""

from math import sqrt

from headframe.desk import executions, users
from headframe.desk.approvals import proposal_of
from headframe.desk.execution import preview
from headframe.desk.office import Trading
from headframe.desk.ports import Malformed, Refused, Unreachable
from headframe.desk.quotes import surface_in
from headframe.instrument import Leg
from headframe.rfq import Direction, Request, Route, costs_of, impact_usd
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
    request = preview(office, name)
    in_usd = request.gross > 10.0
    state = office.state()
    assert state.market is not None
    unit = 1.0 if in_usd else state.market.index
    coins = float(request.size)
    routes = [
        _block(trading, request, unit),
        await _sweep(trading, request, unit),
        _worked(trading, request, share_of_day),
    ]
    mandate = office.mandate()
    if mandate.may_deal("voice", proposal.kind):
        spread = _half_spread(request, state.market.half_spread) * unit * coins
        words = "dealers called one by one, at the market's own half spread"
        routes.append(Route(name="voice", cost_usd=spread, words=words))
    return tuple(sorted(routes, key=lambda one: (one.cost_usd is None, one.cost_usd or 0.0)))


def _half_spread(request: Request, share: float) -> float:
    """Half the bid-ask of the structure per coin, in its own unit."""
    return request.gross * share


def _block(trading: Trading, request: Request, unit: float) -> Route:
    """By request for quotes: what it has cost so far, else the market's half spread."""
    office = trading.office
    state = office.state()
    assert state.market is not None
    past = costs_of(executions.every(office, None, None))
    coins = float(request.size)
    if past.to_mid_bps is not None:
        cost = past.to_mid_bps / 1e4 * request.forward * coins
        words = f"as {past.filled} blocks before it: {past.to_mid_bps:.1f} bp of notional"
    else:
        cost = _half_spread(request, state.market.half_spread) * unit * coins
        words = "no block was dealt yet: the market's half spread"
    fees = _fees(trading, request.structure.legs, coins, unit)
    return Route(name="block", cost_usd=cost + fees, words=f"{words}; fees {fees:,.0f}")


def _fees(trading: Trading, legs: tuple[Leg, ...], coins: float, unit: float) -> float:
    venue = trading.office.settings().venue
    options = sum(abs(leg.ratio) for leg in legs if leg.instrument.is_option)
    return options * venue.option_fee_coins * coins * (unit if unit > 1.0 else 0.0)


async def _sweep(trading: Trading, request: Request, unit: float) -> Route:
    """Taking the whole size out of the lit book at once."""
    try:
        price = await trading.venue.sweep(request)
        mid = await trading.venue.mid(request)
    except (Unreachable, Malformed, Refused) as error:
        return Route(name="lit book at once", cost_usd=None, words=str(error))
    if price is None or mid is None:
        words = f"the book does not hold {request.size} coins"
        return Route(name="lit book at once", cost_usd=None, words=words)
    sign = 1.0 if request.direction is Direction.BUY else -1.0
    cost = sign * (price - mid) * unit * float(request.size)
    fees = _fees(trading, request.structure.legs, float(request.size), unit)
    return Route(
        name="lit book at once",
        cost_usd=cost + fees,
        words=f"mean price {price:.6g} against {mid:.6g}; fees {fees:,.0f}; leg by leg, not all or none",
    )


def _worked(trading: Trading, request: Request, share_of_day: float) -> Route:
    """Working the delta and crossing half the spread over a day, by the square-root law."""
    state = trading.office.state()
    assert state.market is not None
    surface, at = surface_in(state), trading.office.now()
    greeks = structure_greeks(request.structure, surface, at)
    years = year_fraction(at, request.structure.expiry)
    daily = surface.vol(years, request.forward) / sqrt(365.0)
    coins = float(request.size)
    notional = abs(greeks["delta"]) * coins * request.forward
    unit = 1.0 if request.gross > 10.0 else state.market.index
    cost = impact_usd(notional, daily_vol=daily, share_of_day=share_of_day)
    cost += 0.5 * _half_spread(request, state.market.half_spread) * unit * coins
    risk = daily * notional
    words = f"at {share_of_day:.1%} of a day's volume, half the spread saved; a day's move risks {risk:,.0f}"
    return Route(name="worked over a day", cost_usd=cost, words=words)
