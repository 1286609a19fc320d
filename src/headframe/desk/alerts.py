"""Alerts: what a look at the limits raises, who answers for it, and what has still to be sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from headframe.codec import to_json
from headframe.desk import limits, users
from headframe.desk.known import AlertRecord
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Broken, Draft, Invalid, NotFound, Route
from headframe.mandate import Mandate
from headframe.risk import Alert, Changes, Watched, changes
from headframe.units import iso


@dataclass(frozen=True, slots=True)
class Look:
    """Every limit as it stands, and what that changed."""

    watched: tuple[Watched, ...]
    changes: Changes


@serialised
def look(office: Office) -> Look:
    """Look at every limit and keep what changed; nothing is written where nothing did."""
    users.allowed(office, users.Action.READ)
    watched = limits.watch(office)
    state, mandate, at = office.state(), office.mandate(), office.now()
    standing = {cause: held.alert for cause, held in state.alerts.items()}
    found = changes(
        standing,
        watched,
        at,
        owner=lambda clause: owner_of(mandate, clause),
        first=state.alerts_made + 1,
        lineage="" if state.restored is None else state.restored.lineage,
    )
    drafts = [
        *(Draft("alert", {"alert": to_json(one), "raised": True}) for one in found.raised),
        *(Draft("alert", {"alert": to_json(one), "raised": False}) for one in found.moved),
        *(Draft("alert_ended", {"cause": one.cause}) for one in found.ended),
    ]
    if drafts:
        office.record(*drafts, at=at)
    return Look(watched, found)


def owner_of(mandate: Mandate, clause: str) -> str:
    """Who answers for a clause: money, credit and books the first approver, the programme its preparer."""
    people = mandate.people
    mine = ("M-4", "M-5", "M-10", "CSA", "cash", "loan", "I")
    return people.approvers[0] if clause.startswith(mine) else people.preparers[0]


def standing(office: Office) -> tuple[AlertRecord, ...]:
    """Alerts that stand, the worst first, then the oldest."""
    users.allowed(office, users.Action.READ)
    held = office.state().alerts.values()
    return tuple(sorted(held, key=lambda one: (-one.alert.severity.rank, one.alert.since)))


@serialised
def answer(office: Office, name: str, reason: str, until: datetime | None) -> AlertRecord:
    """Acknowledge an alert, or snooze it until an instant, with a reason.

    It is quiet until it is worse, until its snooze ends, or until its cause ends.
    """
    users.allowed(office, users.Action.READ)
    state, at = office.state(), office.now()
    found = next((one for one in state.alerts.values() if one.alert.id == name), None)
    if found is None:
        known = ", ".join(one.alert.id for one in state.alerts.values()) or "none"
        raise NotFound(f"no alert {name[:20]!r} stands; standing: {known}")
    if not reason.strip() or len(reason) > 500 or not reason.isprintable():
        raise Invalid("an alert is answered with a reason: a line of at most 500 characters")
    if until is not None and until <= at:
        raise Invalid(f"a snooze ends after {iso(at)}, was {iso(until)}")
    body = {
        "cause": found.alert.cause,
        "reason": reason,
        "until": None if until is None else iso(until),
    }
    office.record(Draft("alert_answered", body), at=at)
    return office.state().alerts[found.alert.cause]


def deliver(office: Office, routes: Iterable[Route]) -> tuple[str, ...]:
    """Send what stands, is not taken by anybody and has not gone by a route; why a route failed.

    What a route has taken is kept, so that a restart does not send it again; what failed is sent by the
    next look. A receiver may therefore see one twice, and never not at all: its id tells.
    """
    troubles: list[str] = []
    for route in routes:
        for held in standing(office):
            if route.name in held.sent or held.quiet(office.now()):
                continue
            try:
                route.send(notice(held.alert))
            except Broken as error:
                troubles.append(f"{route.name}: {error}")
                break
            _sent(office, held.alert.cause, route.name)
    return tuple(troubles)


@serialised
def _sent(office: Office, cause: str, route: str) -> None:
    known = office.state().alerts.get(cause)
    if known is not None and route not in known.sent:
        office.record(Draft("alert_sent", {"cause": cause, "route": route}), at=office.now())


def notice(alert: Alert) -> dict[str, object]:
    """An alert as it is sent: its own figures, its words, and an id that a receiver knows it by again."""
    told: dict[str, object] = to_json(alert)
    state = "overdue" if alert.overdue else str(alert.severity)
    return {"schema": "headframe/alert/1", "key": f"{alert.id}/{state}", "text": str(alert), **told}
