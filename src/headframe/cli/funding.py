"""market funding: funding rates of perpetuals imported, fetched, typed and listed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from headframe.cli.frame import Call, Whole, command

if TYPE_CHECKING:
    from headframe.lifecycle import FundingRate

_DEFAULT = "BTC-PERPETUAL"


@click.group(name="funding")
def funding() -> None:
    """Funding rates of perpetuals: import, fetch or type them, list what is recorded."""


def _recorded(call: Call, rates: "Sequence[FundingRate]") -> None:
    """Record rates and say what was new, known and corrected."""
    from headframe.codec import to_json
    from headframe.desk import funding as desk

    found = desk.record(call.office(), rates)
    corrected = [
        {
            "trade": one.trade,
            "close": one.close.isoformat(),
            "instrument": one.instrument,
            "before": str(one.before),
            "after": str(one.after),
            "currency": one.money.currency.code,
            "amount": str(one.money),
        }
        for one in found.corrected
    ]
    call.answer(
        "funding-rates",
        {"new": to_json(found.new), "known": found.known, "corrected": corrected},
        f"{len(found.new)} funding rates recorded, {found.known} known already",
        *(
            f"{row['trade']}: funding of {row['instrument']} to {row['close']} corrected by "
            f"{row['amount']} {row['currency']}"
            for row in corrected
        ),
    )


@funding.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--instrument", default=_DEFAULT, show_default=True, help="Of a saved answer.")
@click.option("--source", help="Who says so, where the file does not (default: the file's name).")
@command
def import_rates(call: Call, *, file: Path, instrument: str, source: str | None) -> None:
    """Record the funding rates of FILE: CSV, XLSX, or a saved get_funding_rate_history answer.

    Columns: instrument, rate (a share: 0.01 % is 0.0001), index, and start and end, or date: the 24 hours to
    08:00 UTC of that day. A rate that a close has paid and changes is booked as an adjusting event.
    """
    from headframe.codec import read_funding, read_funding_answer
    from headframe.feed import read_table, read_text

    if file.suffix.lower() == ".json":
        text = read_text(file)
        rates = read_funding_answer(text, file.name, instrument.upper(), source or "deribit")
    else:
        rates = read_funding(read_table(file), file.name, source or file.name)
    _recorded(call, rates)


@funding.command(name="fetch")
@click.option(
    "--url",
    help="A server of Deribit's API (HEADFRAME_DERIBIT_URL; the venue's own where neither is).",
)
@click.option("--instrument", default=_DEFAULT, show_default=True)
@click.option("--days", type=Whole(1, 1_000), default=10, show_default=True)
@command
def fetch_rates(call: Call, *, url: str | None, instrument: str, days: int) -> None:
    """Record the venue's own hourly funding rates of a perpetual, so many days back."""
    from datetime import timedelta

    from headframe.feed import fetch_funding
    from headframe.instrument import parse_instrument
    from headframe.wiring import public_url, source_url

    office = call.office()
    now = office.now()
    found = fetch_funding(
        url or source_url("DERIBIT") or public_url(office.settings()),
        parse_instrument(instrument.upper()).name,
        now - timedelta(days=days),
        now,
    )
    # A venue's clock may be ahead of the workspace's.
    _recorded(call, [one for one in found if one.end <= now])


@funding.command(name="add")
@click.option("--instrument", default=_DEFAULT, show_default=True)
@click.option("--date", "day", help="The 24 hours to 08:00 UTC of this day, YYYY-MM-DD.")
@click.option("--start", help="Begin of the period, where it is no whole day.")
@click.option("--end", help="End of the period.")
@click.option("--rate", required=True, help="Interest of the period as a share: 0.01 % is 0.0001.")
@click.option("--index", required=True, help="USD per coin that positions are valued at.")
@click.option("--source", required=True, help="Who says so.")
@command
def add_rate(
    call: Call,
    *,
    instrument: str,
    day: str | None,
    start: str | None,
    end: str | None,
    rate: str,
    index: str,
    source: str,
) -> None:
    """Record one funding rate typed by hand, with its source; the author is who acts."""
    from headframe.codec import read_funding
    from headframe.desk.ports import Invalid

    if (day is None) == (start is None or end is None):
        raise Invalid("date: expected --date, or --start and --end; fix: name one period")
    period = {"date": day} if day is not None else {"start": start or "", "end": end or ""}
    row = {"instrument": instrument, "rate": rate, "index": index, **period}
    _recorded(call, read_funding([(1, row)], "typed rate", source))


@funding.command(name="list")
@command
def list_rates(call: Call) -> None:
    """List the funding rates that are recorded, the newest first."""
    from headframe.codec import to_json
    from headframe.report import funding_table

    state = call.office().state()
    found = sorted(state.funding_rates.values(), key=lambda one: one.end, reverse=True)
    call.answer("funding-rates", {"rates": to_json(found)}, funding_table(found))
