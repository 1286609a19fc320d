"""Designations as they stand: coins of each month sold, hedges left over, and the current month."""

from dataclasses import dataclass

from headframe.desk import users
from headframe.desk.office import Office
from headframe.desk.run_off import month_so_far_of, states_of
from headframe.desk.state import State
from headframe.desk.valuation import Valuation, value_now
from headframe.lifecycle import CurrentMonth, DesignationState
from headframe.risk import marks, position_value_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """A hedge left over after its designated coins were sold: size, delta, worth, and whose it is."""

    state: DesignationState
    delta_coins: float
    value_usd: float
    owner: str
    over_hedged: bool
    """Whether it is past the day by which the mandate's policy reduces it."""


def residuals(office: Office) -> tuple[Residual, ...]:
    """Return every hedge left over after its coins were sold."""
    users.allowed(office, users.Action.READ)
    return residuals_of(value_now(office))


def residuals_of(now: Valuation) -> tuple[Residual, ...]:
    """Return the same of a book that is valued already."""
    held = {one.trade.id: one for one in now.positions}
    deltas = {one.trade: one.delta_coins for one in marks(now.positions, now.surface, now.at)}
    found: list[Residual] = []
    for one in states_of(now.state, now.settings):
        position = held.get(one.trade)
        if one.residual <= 0 or position is None:
            continue
        share = float(one.residual / position.coins)
        value = position_value_usd(position, now.surface, now.at)
        found.append(
            Residual(
                state=one,
                delta_coins=share * deltas[one.trade],
                value_usd=share * value,
                owner=_owner(now.state, one.trade),
                over_hedged=one.over_hedged(now.at) > 0,
            )
        )
    return tuple(found)


def _owner(state: State, trade: str) -> str:
    """Return who prepared the trade: the person who proposes its close."""
    proposal = state.proposals.get(state.trades[trade].proposal)
    return "treasurer" if proposal is None else proposal.preparer


def month_so_far(now: Valuation) -> CurrentMonth:
    """Return the current month: mined, sold, to come, hedged."""
    return month_so_far_of(now.state, now.settings, now.at)
