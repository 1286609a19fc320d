"""A trade's life: where each stands, from draft to its end, and all that happened to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from headframe.book import Trade
from headframe.desk import users
from headframe.desk.office import Office
from headframe.desk.ports import Json, NotFound, Record
from headframe.desk.state import State
from headframe.units import Month


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A proposal or trade and where it stands; ``version`` counts its amendments."""

    name: str
    stage: str
    version: int = 1

    @property
    def words(self) -> str:
        """The stage, and the version where it was amended."""
        return (
            self.stage if self.version == 1 else f"{self.stage}, amended (version {self.version})"
        )


def lives(office: Office) -> tuple[Life, ...]:
    """Every proposal that is not dealt whole, then every trade, oldest first."""
    users.allowed(office, users.Action.READ)
    state, at = office.state(), office.now()
    waiting = [
        Life(name=name, stage="approved" if name in state.approvals else "draft")
        for name in state.proposals
        if not state.traded(name)
    ]
    contracts = (Life(name=name, stage=one.stage) for name, one in state.contracts.items())
    return (*waiting, *(of_trade(state, name, at) for name in state.trades), *contracts)


def of_trade(state: State, name: str, at: datetime) -> Life:
    """Where a trade stands: executed, confirmed, active, settled, expired, exercised, closed, rolled."""
    version = 1 + sum(bool(one.approved_by) and one.after.id == name for one in state.amendments)
    on = any(coins > 0 for coins in state.remaining[name].values())
    return Life(
        name=name, stage=_on(state, name, at) if on else _over(state, name), version=version
    )


OUTSTANDING = "expired, settlement outstanding"
"""The stage of a trade that has expired and whose settlement is not booked."""


def _on(state: State, name: str, at: datetime) -> str:
    if state.trades[name].expiry <= at:
        return OUTSTANDING
    held = state.confirmed.get(name)
    if held is None or held.differences:
        return "executed" if held is None else "executed, confirmation differs"
    return "active" if min(state.remaining[name]) <= Month.of(at) else "confirmed"


def _over(state: State, name: str) -> str:
    last = [closing for closing, closed in state.closes.items() if closed == name]
    if name in state.ended or not last:
        return state.ended.get(name, "settled")
    new = next((one for one, closing in state.came_with.items() if closing == last[-1]), None)
    if new is None:
        return "closed out"
    rolled = state.trades[new].structure is state.trades[name].structure
    return f"rolled into {new}" if rolled else f"switched into {new}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One event of a trade's life."""

    at: datetime
    by: str
    what: str


def history(office: Office, name: str) -> tuple[Passage, ...]:
    """Everything that happened to a trade or a contract, from its proposal on."""
    users.allowed(office, users.Action.READ)
    if name in office.state().contracts:
        steps = ((record, _contract(record, name)) for record in office.journal.read())
        return tuple(
            Passage(at=record.at, by=record.author, what=what) for record, what in steps if what
        )
    trade = trade_of(office.state(), name)
    found = ((record, _told(record, trade)) for record in office.journal.read())
    return tuple(
        Passage(at=record.at, by=record.author, what=what) for record, what in found if what
    )


_STEPS: Mapping[str, str] = MappingProxyType(
    {
        "contract_drafted": "draft",
        "contract_approved": "approved",
        "contract_declined": "declined",
        "contract_confirmed": "confirmed",
        "contract_closing": "close proposed",
        "contract_closed": "closed out",
    }
)


def _contract(record: Record, name: str) -> str:
    """What an event was to a contract; empty where it is of another."""
    body = record.body
    days = [f"{day} fixed at {at}" for one, day, at in body.get("fixed", ()) if one == name]
    if days:
        return ", ".join(days)
    if name in body.get("trades", ()):
        return f"{body['name']} became {body['into']}"
    if body.get("contract", {}).get("id") != name:
        return ""
    if record.kind == "contract_dealt":
        return f"executed with {body['contract']['held']['contract']['dealer']}"
    return _STEPS.get(record.kind, "")


def trade_of(state: State, name: str) -> Trade:
    """A trade by its id, or NotFound."""
    trade = state.trades.get(name)
    if trade is None:
        raise NotFound(f"no trade {name[:20]!r}; known: {', '.join(state.trades) or 'none'}")
    return trade


def _told(record: Record, trade: Trade) -> str:
    """What an event was to a trade; empty where it is of another."""
    tell = _TELLERS.get(record.kind)
    return "" if tell is None else tell(record.body, trade)


def _drafted(body: Json, trade: Trade) -> str:
    return f"draft {trade.proposal}" if body["proposal"]["id"] == trade.proposal else ""


def _approved(body: Json, trade: Trade) -> str:
    return "approved" if body["approval"]["proposal"] == trade.proposal else ""


def _asked(body: Json, trade: Trade) -> str:
    return f"asked, request {trade.rfq[:8]}" if body["request"]["id"] == trade.rfq else ""


def _dealt(body: Json, trade: Trade) -> str:
    if "trade" in body and body["trade"]["id"] == trade.id:
        return f"executed with {body['trade']['dealer']}"
    return f"closed with {body['closing']['id']}" if body.get("closes") == trade.id else ""


def _confirmed(body: Json, trade: Trade) -> str:
    if body["trade"] != trade.id:
        return ""
    return "confirmation differs" if body["differences"] else "confirmed"


def _amended(body: Json, trade: Trade) -> str:
    one = body["amendment"]
    if one["after"]["id"] != trade.id:
        return ""
    how = "approved" if one["approved_by"] else "proposed"
    return f"amendment {one['number']} {'declined' if one.get('declined_by') else how}"


def _merged(body: Json, trade: Trade) -> str:
    return f"{body['name']} became {body['into']}" if trade.id in body["trades"] else ""


def _day(body: Json, trade: Trade) -> str:
    return str(dict(body.get("ended", ())).get(trade.id, ""))


def _closed(body: Json, trade: Trade) -> str:
    """Return what a recorded close was to a trade that it settled or ended."""
    prices = [
        f"{row['instrument']} at {row['price']}"
        for row in body["settlements"]
        if row["trade"] == trade.id and row["cause"] != "variation"
    ]
    how = str(dict(body["ended"]).get(trade.id, ""))
    return f"{how}: {', '.join(prices)}" if how and prices else how


def _corrected(body: Json, trade: Trade) -> str:
    if body["trade"] != trade.id:
        return ""
    return f"{body['instrument']} of {body['close']} corrected from {body['before']} to {body['after']}"


def _funding_corrected(body: Json, trade: Trade) -> str:
    if body["trade"] != trade.id:
        return ""
    return (
        f"funding of {body['instrument']} to {body['close']} corrected from {body['before']} to "
        f"{body['after']}"
    )


_TELLERS: Mapping[str, Callable[[Json, Trade], str]] = MappingProxyType(
    {
        "proposed": _drafted,
        "approved": _approved,
        "asked": _asked,
        **dict.fromkeys(
            ("filled", "dealt_also", "closed_out", "closed_also", "switched", "switched_also"),
            _dealt,
        ),
        "confirmed": _confirmed,
        "amendment_proposed": _amended,
        "amendment_approved": _amended,
        "amendment_declined": _amended,
        "counterparty_merged": _merged,
        "day": _day,
        "day_closed": _closed,
        "settlement_corrected": _corrected,
        "funding_corrected": _funding_corrected,
    }
)
