"""close-day."""

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from headframe.cli.frame import Call, command
from headframe.units import Wrong, parse_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headframe.desk.daily_close import CloseRun, Fetched


class Day(click.ParamType[Any]):
    """A day in ISO 8601."""

    name = "day"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return the day, or a usage error."""
        try:
            return parse_day(str(value))
        except Wrong:
            self.fail(f"expected YYYY-MM-DD, got {str(value)[:40]!r}", param, ctx)


@click.command()
@click.option("--until", type=Day(), help="Last close to make (default: the last 08:00 UTC).")
@click.option("--dry-run", is_flag=True, help="Show what would be booked; fetch and write nothing.")
@click.option("--no-fetch", is_flag=True, help="Ask the venue for no missing price.")
@click.option("--venue", is_flag=True, help="Then compare with what the venue says it settled.")
@command
def close_day(call: Call, *, until: date | None, dry_run: bool, no_fetch: bool, venue: bool) -> int:
    """Close each day since the last close, at 08:00 UTC: variation, expiry and exercise, margin, collateral.

    Prices are those recorded by headframe market deliveries, or of a market imported within an hour of the
    close; where the workspace has a venue, a missing one is fetched from its public data first. A day whose
    prices are missing is not closed: what is missing is said, and the status is 6. With --venue, what the
    venue reports and what is booked are compared as headframe venue settlements does; status 4 on a break.
    """
    from headframe.cli.progress import bar
    from headframe.cli.venue import settlements_json, settlements_shown
    from headframe.desk import daily_close
    from headframe.report import closed_days_table
    from headframe.wiring import compare_with_venue, price_fetcher

    office = call.office(dry_run=dry_run)
    with bar("closing days") as progress:
        run = daily_close.close_days(
            office,
            until,
            dry_run=dry_run,
            progress=progress,
            fetch=None if no_fetch else price_fetcher(office.settings()),
        )
    held = compare_with_venue(office, call.folder) if venue and not dry_run else None
    call.answer(
        "close-day",
        _json(run, dry_run=dry_run) | ({} if held is None else {"venue": settlements_json(held)}),
        *([closed_days_table(run.closed)] if run.closed else []),
        *_lines(run, dry_run=dry_run),
        *([] if held is None else settlements_shown(held, office.now())),
    )
    if run.missing:
        return 6
    return 4 if held is not None and held.breaks else 0


def _lines(run: "CloseRun", *, dry_run: bool) -> list[str]:
    """Return what was fetched, what is missing with its remedy, and how far the days are closed."""
    lines = fetched_lines(run.fetched)
    if run.trouble:
        lines.append(f"not fetched: {run.trouble}")
    lines += [f"missing: {one}" for one in run.missing]
    if run.missing:
        lines.append(
            "fix: headframe market deliveries import FILE, or fetch from the venue, or add one by hand"
        )
    if not run.closed and not run.missing:
        lines.append("no day is due: everything is closed")
    if run.through is not None:
        done = "would be closed" if dry_run else "closed"
        lines.append(f"{done} through {run.through} 08:00 UTC; {run.due} days still due")
    return lines


def fetched_lines(fetched: "Sequence[Fetched]") -> list[str]:
    """Return a line for each price that was fetched, and one for the funding rates of each perpetual."""
    from headframe.lifecycle import SettlementPrice

    lines: list[str] = []
    hours: dict[str, int] = {}
    for one in fetched:
        if isinstance(one, SettlementPrice):
            lines.append(f"fetched: {one.kind} price of {one.instrument} {one.day}")
        else:
            hours[one.instrument] = hours.get(one.instrument, 0) + 1
    return lines + [f"fetched: {n} funding rates of {name}" for name, n in hours.items()]


def _json(run: "CloseRun", *, dry_run: bool) -> dict[str, Any]:
    from headframe.codec import to_json

    missing = [
        {
            "day": one.day.isoformat(),
            "kind": str(one.kind),
            "instrument": one.instrument,
            "source": one.source,
            "needed_for": list(one.needed_for),
        }
        for one in run.missing
    ]
    return {
        "closed": to_json(run.closed),
        "through": None if run.through is None else run.through.isoformat(),
        "due": run.due,
        "missing": missing,
        "fetched": len(run.fetched),
        "trouble": run.trouble,
        "dry_run": dry_run,
    }
