"""P&L of a period explained: market moves on what was on, what was dealt and delivered, fees, the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from headframe.book import Accounts, Position
from headframe.desk import users
from headframe.desk.fold import fold
from headframe.desk.office import Office
from headframe.desk.ports import Invalid, NotFound
from headframe.desk.quotes import surface_in
from headframe.desk.state import State
from headframe.desk.valuation import value_now
from headframe.hedge import ProductionMoved, production_moved
from headframe.mining import Forecast
from headframe.pricing import Surface
from headframe.risk import Explained, Moved, explained_trade, position_value_usd
from headframe.risk import explained as explain_all
from headframe.units import BTC, USD, Month, iso, year_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A period, its two prices, and every trade that was on or dealt in it."""

    since: datetime
    until: datetime
    spot_before: float
    spot_after: float
    trades: tuple[Explained, ...]
    production: ProductionMoved | None = None
    """What the period did to the months still to come; none without a forecast on both sides of it."""


def explained(office: Office, since: datetime) -> Explanation:
    """The time from an instant to now, trade by trade."""
    users.allowed(office, users.Action.READ)
    now = value_now(office)
    if since >= now.at:
        raise Invalid(f"a period begins before {iso(now.at)}, was {iso(since)}")
    before = State()
    for record in takewhile(lambda one: one.at <= since, office.journal.read()):
        fold(before, [record])
    if before.market is None:
        raise NotFound(f"no market was known at {iso(since)}")
    spot = before.spot if before.spot is not None else before.market.index
    surface = surface_in(before).at_spot(spot, since)
    on = (*before.positions(), *before.contract_positions(surface, since))
    held = {one.trade.id: one for one in on}
    left = {one.trade.id: one for one in now.positions}
    began, ended = (surface, since), (now.surface, now.at)
    moved = dict(zip(held, explain_all(held.values(), *began, *ended), strict=True))
    rows = [
        _trade(
            _Case(now.state, before, name, held.get(name), left.get(name)),
            moved.get(name, Moved()),
            began,
            ended,
        )
        for name in now.state.booked()
        if name in held or name in left or before.dealt_as(name) is None
    ]
    return Explanation(
        since=since,
        until=now.at,
        spot_before=spot,
        spot_after=now.surface.spot,
        trades=tuple(rows),
        production=_production(before.forecast, now.state.forecast, began, ended),
    )


def _production(
    old: Forecast | None,
    new: Forecast | None,
    began: tuple[Surface, datetime],
    ended: tuple[Surface, datetime],
) -> ProductionMoved | None:
    if old is None or new is None:
        return None

    def forward(market: tuple[Surface, datetime]) -> Callable[[Month], float]:
        surface, at = market
        return lambda month: surface.forward(
            max(year_fraction(at, month.start + (month.end - month.start) / 2), 0.0)
        )

    return production_moved(old, new, Month.of(ended[1]), forward(began), forward(ended))


@dataclass(frozen=True, slots=True)
class _Case:
    """A trade with the books before and after, and what was on then and is on now."""

    state: State
    before: State
    name: str
    held: Position | None
    left: Position | None

    def flows_usd(self, spot: float) -> float:
        """What the trade brought in the period, coins at a price."""
        account = Accounts.hedge(self.name)
        coins, dollars = (
            float(self.before.ledger.balance(account, one))
            - float(self.state.ledger.balance(account, one))
            for one in (BTC, USD)
        )
        return coins * spot + dollars


def _trade(
    case: _Case, moved: Moved, began: tuple[Surface, datetime], ended: tuple[Surface, datetime]
) -> Explained:
    spot, name = ended[0].spot, case.name
    return explained_trade(
        name,
        moved,
        flows=case.flows_usd(spot),
        worth_before=None if case.held is None else position_value_usd(case.held, *began),
        worth_after=0.0 if case.left is None else position_value_usd(case.left, *ended),
        fees=_fees(case.state, case.before, name, spot),
    )


def _fees(state: State, before: State, name: str, spot: float) -> float:
    """Fees of the trade and of its closings that fell into the period, in USD, as a cost."""
    trade = state.dealt_as(name) if before.dealt_as(name) is None else None
    fresh = [] if trade is None else [trade]
    fresh += [
        one
        for closing, one in state.closings.items()
        if state.closes[closing] == name and closing not in before.closings
    ]
    return -sum(
        float(one.fee) * (spot if one.legs[0].instrument.settled_in == "BTC" else 1.0)
        for one in fresh
    )
