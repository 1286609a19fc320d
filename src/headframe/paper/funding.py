"""The street's funding of perpetuals: hourly rates from its premium over the index, and what they accrue.

The premium stands still, so the rate does; the index moves. Hours begin at full hours UTC, and
an hour's index is the mean of its two ends, as in the venue's history.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from headframe.instrument import Instrument, funding_rate_8h
from headframe.paper.rpc import Json, Params, invalid
from headframe.paper.world import World, instant_of, ms

_HOUR = timedelta(hours=1)
_MOST_HOURS = 744
"""Hours of one answer, as at the venue."""


class PerpetualFunding:
    """Rates of every perpetual of the street, and funding of positions between two instants."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def rate_8h(self) -> Decimal:
        """The rate for 8 hours at the street's premium."""
        premium = Decimal(repr(self._world.premium))
        return funding_rate_8h(1 + premium, Decimal(1))

    @property
    def rate_1h(self) -> Decimal:
        """The rate of one hour, as the history states it."""
        return round(self.rate_8h / 8, 12)

    def accrued(
        self, terms: Instrument, amount: Fraction, start: datetime, end: datetime
    ) -> Fraction:
        """Return funding received on an amount held between two instants, in the settlement currency."""
        total = Fraction(0)
        for begin, stop, before, after in self._hours(start, end):
            held = (min(stop, end) - max(begin, start)) / _HOUR
            index = (Fraction(str(before)) + Fraction(str(after))) / 2
            value = 1 / index if terms.amount_in_usd else index
            total -= amount * value * Fraction(self.rate_1h) * Fraction(held)
        return total

    def _hours(
        self, start: datetime, end: datetime
    ) -> Iterator[tuple[datetime, datetime, float, float]]:
        """Yield each full hour that overlaps a span, with the index at its ends."""
        begin = start.replace(minute=0, second=0, microsecond=0)
        while begin < end:
            stop = begin + _HOUR
            yield begin, stop, self._world.index_at(begin), self._world.index_at(stop)
            begin = stop

    def history(self, params: Params) -> list[Json]:
        """public/get_funding_rate_history: the hours that ended in a span, oldest first."""
        self._perpetual(params)
        now = self._world.clock.now()
        start = instant_of(params.whole("start_timestamp"))
        end = min(instant_of(params.whole("end_timestamp", high=2**45)), now)
        rows = [
            {
                "timestamp": ms(stop),
                "prev_index_price": before,
                "index_price": after,
                "interest_1h": float(self.rate_1h),
                "interest_8h": float(self.rate_8h),
            }
            for _, stop, before, after in self._hours(max(start, self._world.start - _HOUR), end)
            if start <= stop <= end
        ]
        return rows[-_MOST_HOURS:]

    def chart(self, params: Params) -> Json:
        """public/get_funding_chart_data: the trailing 8-hour rate by hour."""
        self._perpetual(params)
        hours = {"8h": 8, "24h": 24, "1m": 720}[params.choice("length", ("8h", "24h", "1m"), "8h")]
        now = self._world.clock.now().astimezone(UTC)
        rate = float(self.rate_8h)
        data = [
            {"timestamp": ms(stop), "index_price": after, "interest_8h": rate}
            for _, stop, _, after in self._hours(now - hours * _HOUR, now)
            if stop <= now
        ]
        return {"current_interest": rate, "interest_8h": rate, "data": data}

    def _perpetual(self, params: Params) -> None:
        if not self._world.find(params.text("instrument_name")).perpetual:
            raise invalid("instrument_name", "is no perpetual")
