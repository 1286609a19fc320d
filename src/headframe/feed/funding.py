"""Deribit's hourly funding rates of a perpetual, read to the end: pages of time.

``public/get_funding_rate_history`` answers up to 744 hours, the newest of the span asked for; an answer that
does not reach back to its start is read on from its oldest hour.
"""

from datetime import datetime, timedelta
from typing import cast

from headframe.codec import funding_rows
from headframe.desk.ports import Malformed
from headframe.feed.settlements import Ask
from headframe.lifecycle import VENUE_SOURCE, FundingRate
from headframe.units import Wrong

_PAGE = timedelta(days=30)
_METHOD = "public/get_funding_rate_history"


def funding_rates(
    ask: Ask, instrument: str, since: datetime, until: datetime
) -> tuple[FundingRate, ...]:
    """Return the hourly funding rates of a perpetual from an instant to another, oldest first.

    Hours that the venue does not tell are left out: the close then says that they are missing. Raises
    Malformed where an answer is no list of hours.
    """
    found: dict[str, FundingRate] = {}
    start = since
    while start < until:
        end = min(start + _PAGE, until)
        params: dict[str, str | int | bool] = {
            "instrument_name": instrument,
            "start_timestamp": _ms(start),
            "end_timestamp": _ms(end),
        }
        answer = ask(_METHOD, params)
        if not isinstance(answer, list):
            raise Malformed(f"{_METHOD}: expected a list, got {str(answer)[:60]!r}")
        try:
            rows = funding_rows(cast("list[object]", answer), _METHOD, instrument, VENUE_SOURCE)
        except Wrong as error:
            raise Malformed(str(error)) from error
        found |= {one.key: one for one in rows}
        start = end
    return tuple(sorted(found.values(), key=lambda one: one.start))


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
