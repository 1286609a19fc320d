"""close-day."""

from datetime import date
from typing import Any

import click

from headframe.cli.frame import Call, command


class Day(click.ParamType[Any]):
    """A day in ISO 8601."""

    name = "day"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return the day, or a usage error."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"expected YYYY-MM-DD, got {str(value)[:40]!r}", param, ctx)


@click.command()
@click.option("--until", type=Day(), help="Last close to make (default: the last 08:00 UTC).")
@click.option("--dry-run", is_flag=True, help="Show what would be booked; write nothing.")
@command
def close_day(call: Call, *, until: date | None, dry_run: bool) -> int:
    """Close each day since the last close, at 08:00 UTC: variation, expiry and exercise, margin, collateral.

    Prices are those recorded by headframe market deliveries, or of a market imported within an hour of the
    close. A day whose prices are missing is not closed: what is missing is said, and the status is 6.
    """
    from headframe.cli.progress import bar
    from headframe.codec import to_json
    from headframe.desk import daily_close
    from headframe.report import closed_days_table

    office = call.office()
    with bar("closing days") as progress:
        run = daily_close.close_days(office, until, dry_run=dry_run, progress=progress)
    lines = [f"missing: {one}" for one in run.missing]
    if run.missing:
        lines.append(
            "fix: headframe market deliveries import FILE, or fetch from the venue, or add one by hand"
        )
    if not run.closed and not run.missing:
        lines.append("no day is due: everything is closed")
    if run.through is not None:
        done = "would be closed" if dry_run else "closed"
        lines.append(f"{done} through {run.through} 08:00 UTC; {run.due} days still due")
    call.answer(
        "close-day",
        {
            "closed": to_json(run.closed),
            "through": None if run.through is None else run.through.isoformat(),
            "due": run.due,
            "missing": [
                {
                    "day": one.day.isoformat(),
                    "kind": str(one.kind),
                    "instrument": one.instrument,
                    "source": one.source,
                    "needed_for": list(one.needed_for),
                }
                for one in run.missing
            ],
            "dry_run": dry_run,
        },
        *([closed_days_table(run.closed)] if run.closed else []),
        *lines,
    )
    return 6 if run.missing else 0
