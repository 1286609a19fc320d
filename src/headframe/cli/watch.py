"""Watching: every limit, alerts as they change, and answers to them."""

import json
import signal
import sys
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from headframe.cli.frame import Call, Instant, Whole, command

if TYPE_CHECKING:
    from headframe.desk.alerts import Look
    from headframe.desk.office import Office
    from headframe.desk.ports import Route

_LOOKS_SECONDS = 0.05


@click.command()
@click.option(
    "--once", is_flag=True, help="Look once and leave, for a cron job; status 4 on a breach."
)
@click.option(
    "--every",
    type=Whole(1, 86_400),
    default=60,
    show_default=True,
    help="Seconds between two looks when nothing happens; whatever is written is looked at at once.",
)
@command
def watch(call: Call, once: bool, every: int) -> int:
    """Look at every limit on each new market, forecast, fill or tick of the clock; alert on what changes.

    One alert a cause, with clause, figures, owner and deadline: to this terminal and by the ways that
    [alerts] of headframe.toml names. headframe alert answers them.
    """
    from headframe.desk import alerts, users
    from headframe.report import watch_table
    from headframe.risk import Status
    from headframe.wiring import alert_routes

    office = call.office()
    users.allowed(office, users.Action.READ)
    routes = alert_routes(office.settings(), call.folder)
    if not once:
        return _on(call, office, routes, every)
    closed = _closed(office)
    for line in closed:
        call.talk(line)
    found = alerts.look(office)
    troubles = alerts.deliver(office, routes)
    data = {"limits": _limits(found)} | _changed(found) | {"undelivered": list(troubles)}
    call.answer("watch", data, watch_table(found.watched), *_lines(found, troubles))
    return 4 if any(row.status is Status.BREACH for row in found.watched) else 0


def _closed(office: "Office") -> list[str]:
    """Close the days that are due, where their prices are known; a line for each.

    Who may only read looks and closes nothing.
    """
    from headframe.desk import daily_close
    from headframe.desk.ports import Declined, Invalid, NotFound
    from headframe.wiring import price_fetcher

    try:
        run = daily_close.close_due(office, price_fetcher(office.settings()))
    except (Declined, Invalid, NotFound) as error:
        return [f"cannot close: {error}"]
    if run is None:
        return []
    return [
        *(f"closed {one.day} 08:00 UTC" for one in run.closed),
        *(f"not closed: {one}" for one in run.missing[:3]),
        *([f"not fetched: {run.trouble}"] if run.trouble else []),
    ]


def _limits(found: "Look") -> list[dict[str, Any]]:
    return [
        {
            "clause": row.clause,
            "limit": row.name,
            "used": row.used,
            "allowed": row.allowed,
            "unit": row.unit,
            "at_least": row.low_is_bad,
            "status": str(row.status),
        }
        for row in found.watched
    ]


def _changed(found: "Look") -> dict[str, Any]:
    from headframe.codec import to_json

    return {
        "raised": [to_json(one) for one in found.changes.raised],
        "ended": [to_json(one) for one in found.changes.ended],
    }


def _lines(found: "Look", troubles: tuple[str, ...]) -> list[str]:
    return [
        *(str(one) for one in found.changes.raised),
        *(f"ended {one.id}: {one.clause} {one.limit}" for one in found.changes.ended),
        *(f"not delivered by {words}" for words in troubles),
    ]


def _on(call: Call, office: "Office", routes: "list[Route]", every: int) -> int:
    """Look until interrupted: at once when the journal has grown, else every so often."""
    from headframe.cli.frame import finite
    from headframe.desk import alerts
    from headframe.desk.ports import Broken, Stale

    stop: list[int] = []
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda number, _: stop.append(number))
    told: set[str] = set()
    seen, due = -1, 0.0
    while not stop:
        try:
            head = office.journal.head().count
            if head != seen or time.monotonic() >= due:
                closed = _closed(office)
                found = alerts.look(office)
                troubles = alerts.deliver(office, routes)
                fresh = tuple(one for one in troubles if one not in told)
                lines = [*(one for one in closed if one not in told), *_lines(found, fresh)]
                told = {*troubles, *closed}
                for line in lines:
                    click.echo(line, err=call.as_json)
                if call.as_json and (found.changes.raised or found.changes.ended):
                    click.echo(json.dumps(finite(_changed(found))))
                sys.stdout.flush()
                seen, due = office.journal.head().count, time.monotonic() + every
        except (Broken, Stale) as error:  # what cannot be looked at now is looked at again
            call.talk(f"cannot look: {error}")
            due = time.monotonic() + every
            seen = -2
            time.sleep(1.0)
        time.sleep(_LOOKS_SECONDS)
    return 0


@click.group()
def alert() -> None:
    """Alerts that stand: list them, answer them."""


@alert.command(name="list")
@command
def list_alerts(call: Call) -> int:
    """Alerts that stand, the worst first; status 4 where one is an alarm nobody has answered."""
    from headframe.codec import to_json
    from headframe.desk import alerts
    from headframe.report import alerts_table
    from headframe.risk import Severity

    office = call.office()
    found = alerts.standing(office)
    now = office.now()
    call.answer(
        "alerts",
        {"alerts": [to_json(one) for one in found]},
        alerts_table(
            [(one.alert, one.answered_by, one.reason, one.snoozed_until) for one in found], now
        ),
    )
    open_ones = [one for one in found if not one.quiet(now)]
    return 4 if any(one.alert.severity is Severity.ALARM for one in open_ones) else 0


@alert.command()
@click.argument("name")
@click.argument("reason")
@click.option(
    "--until", type=Instant(), help="Snooze it until then; without it, it is acknowledged."
)
@command
def answer(call: Call, name: str, reason: str, until: datetime | None) -> None:
    """Acknowledge alert NAME, or snooze it, with a REASON; it speaks again when it is worse."""
    from headframe.codec import to_json
    from headframe.desk import alerts
    from headframe.units import iso

    held = alerts.answer(call.office(), name, reason, until)
    words = "acknowledged" if until is None else f"snoozed until {iso(until)}"
    call.answer("alert", to_json(held), f"{name} {words} by {held.answered_by}: {reason}")
