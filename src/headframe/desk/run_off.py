"""Designations as the books stand: which coins each sale delivered, and what every trade still hedges."""

from datetime import datetime

from headframe.codec import Settings
from headframe.desk.state import State
from headframe.lifecycle import (
    CoinSale,
    CurrentMonth,
    Delivered,
    Designated,
    DesignationState,
    Production,
    RunOffPolicy,
    coins_sold_by_month,
    current_month,
    deliveries,
    designated,
    designation_states,
    sale_of,
)
from headframe.mandate import Unwind
from headframe.units import BTC, Money, Month

_DAYS_WITHOUT_MANDATE = 5


def delivered(state: State, settings: Settings) -> tuple[Delivered, ...]:
    """Return which month's coins each sale delivered."""
    mined = {month: books.mined for month, books in state.month_books.items()}
    return deliveries(mined, _sales(state, settings))


def _sales(state: State, settings: Settings) -> list[CoinSale]:
    """Return recorded sales of the mine's coin, and those of price scenarios."""
    found = list(state.scenario_sales)
    for one in state.sales:
        if one.coins.currency.code == settings.operation.coin:
            usd = state.usd_of(one.cash, one.at, settings.bank) or 0.0
            fee = state.usd_of(one.fee, one.at, settings.bank) or 0.0
            found.append(sale_of(one.at, one.coins, usd - fee))
    return found


def states_of(state: State, settings: Settings) -> tuple[DesignationState, ...]:
    """Return every designation as it stands."""
    rules = None if state.mandate is None else state.mandate.cover
    policy = RunOffPolicy(
        Unwind.MONTHLY if rules is None else rules.unwind,
        _DAYS_WITHOUT_MANDATE if rules is None else rules.over_hedged_days_max,
    )
    mined = {month: books.mined for month, books in state.month_books.items()}
    at = state.clock
    return designation_states(
        designations_of(state),
        state.positions(),
        delivered(state, settings),
        policy,
        None if at is None else Production(mined, at),
    )


def designations_of(state: State) -> list[Designated]:
    """Return every designation, with what was dealt back of it."""
    closings = [(state.closes[name], one) for name, one in state.closings.items()]
    return designated(tuple(state.trades.values()), closings)


def over_hedged(state: State, settings: Settings, at: datetime) -> float:
    """Return coins of hedges left over after the mandate's policy would have reduced them."""
    live = {one.trade.id for one in state.live_positions(at)}
    return float(
        sum(one.over_hedged(at) for one in states_of(state, settings) if one.trade in live)
    )


def month_so_far_of(state: State, settings: Settings, at: datetime) -> CurrentMonth:
    """Return the current month from the books, the forecast in force and the designations."""
    month, forecast = Month.of(at), state.forecast
    known = [] if forecast is None else [row for row in forecast.months if row.month == month]
    sold = coins_sold_by_month(delivered(state, settings)).get(month)
    mined = state.month_books[month].mined if month in state.month_books else Money(BTC, 0)
    of_it = Money(BTC, 0 if sold is None else int(sold.scaleb(8)))
    expected = known[0].coins.p50 if known else 0.0
    return current_month(at, expected, (mined, of_it), states_of(state, settings))
