"""Hedge effectiveness of every designated trade, on every view of the market the journal has."""

from dataclasses import dataclass
from datetime import datetime

from headframe.book import Trade
from headframe.codec import from_json
from headframe.desk import users
from headframe.desk.office import Office
from headframe.desk.valuation import value_now
from headframe.market import Snapshot
from headframe.pricing import Surface, surface_of
from headframe.risk import Relationship, relationship


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A trade with what was expected of it when it was proposed, and what became of it."""

    trade: Trade
    for_accounts: bool
    expected_r2: float
    expected_tracking: float
    found: Relationship


def measured(office: Office) -> tuple[Measured, ...]:
    """Every trade that still hedges coins, oldest first."""
    users.allowed(office, users.Action.READ)
    now = value_now(office)
    views = [*_views(office), (now.at, now.surface)]
    rows: list[Measured] = []
    for position in now.positions:
        trade = position.trade
        before = [one for one in views if one[0] <= trade.at]
        since = [*before[-1:], *(one for one in views if one[0] > trade.at)]
        found = relationship(position, since)
        contract = now.state.contracts.get(trade.id)
        facts = contract.facts if contract else now.state.proposals[trade.proposal].facts
        if found is not None:
            rows.append(
                Measured(
                    trade=trade,
                    for_accounts=all(part.hedge_for_accounts for part in trade.designations),
                    expected_r2=facts.r2,
                    expected_tracking=facts.tracking_error,
                    found=found,
                )
            )
    return tuple(rows)


def _views(office: Office) -> list[tuple[datetime, Surface]]:
    """The market at every import and at the close of every day, in order."""
    views: list[tuple[datetime, Surface]] = []
    surface: Surface | None = None
    for record in office.journal.read():
        if record.kind == "market":
            fitted = record.body.get("surface")
            surface = (
                surface_of(from_json(Snapshot, record.body["snapshot"]))
                if fitted is None
                else from_json(Surface, fitted)
            )
            views.append((record.at, surface))
        elif record.kind == "day" and surface is not None:
            views.append((record.at, surface.at_spot(record.body["spot"], record.at)))
    return views
