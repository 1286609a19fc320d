"""The liquidity of what is on, against the market's own record of the last twenty days."""

from collections.abc import Mapping
from datetime import timedelta

from headframe.codec import from_json
from headframe.desk import users
from headframe.desk.office import Office
from headframe.desk.valuation import value_now
from headframe.market import Snapshot
from headframe.risk import Liquid, liquid

DAYS = 20


def of_book(
    office: Office, *, participation: float, depths: Mapping[str, float] | None = None
) -> tuple[Liquid, ...]:
    """Every instrument held; ``depths`` are what the venue's books show, where somebody looked."""
    users.allowed(office, users.Action.READ)
    now = value_now(office)
    since = office.market().as_of - timedelta(days=DAYS)
    shots = [
        shot
        for record in office.journal.read()
        if record.kind == "market"
        and (shot := from_json(Snapshot, record.body["snapshot"])).as_of >= since
    ]
    return liquid(
        now.dealt,
        shots,
        now.surface,
        future_spread=now.settings.venue.forward_spread,
        participation=participation,
        depths=depths or {},
    )


def names(office: Office) -> tuple[str, ...]:
    """The instruments held, by name."""
    found = {
        leg.instrument.name
        for one in office.state().live_positions(office.now())
        for leg in one.trade.legs
    }
    return tuple(sorted(found))
