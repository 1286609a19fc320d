"""Funding of perpetuals: recorded rates, and what a position accrues of them between two instants.

Deribit accrues funding continuously and settles it with the daily close at 08:00 UTC. The rate of a period
is a share of the position's value: longs pay it to shorts where it is positive. A position settled in coin
receives ``-amount / index * rate`` coins (amount in USD), a linear one ``-amount * index * rate`` of its
settlement currency (amount in coins). A record covers a period with one rate and one index; inside it accrual
is even, so a part of the period receives its part of the rate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from headframe.instrument import Instrument, parse_instrument
from headframe.lifecycle.settlement_prices import PRICE_MAX, VENUE_SOURCE
from headframe.units import Month, Wrong, is_utc

RATE_8H_MAX = Decimal("0.05")
"""Ten times Deribit's cap of 0.5 % for 8 hours in BTC: beyond it a figure is in per cent, not a share."""
PERIOD_MAX = timedelta(days=1)
_EIGHT_HOURS = timedelta(hours=8)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRate:
    """Interest of a perpetual over one period, as a share of the position's value, and who says so.

    ``index`` is the price in USD per coin that the value is taken at.
    """

    instrument: str
    start: datetime
    end: datetime
    rate: Decimal
    index: Decimal
    source: str

    def __post_init__(self) -> None:
        if not (is_utc(self.start) and is_utc(self.end) and self.start < self.end):
            raise Wrong(f"end: expected an instant in UTC after {self.start}, got {self.end}")
        if self.end - self.start > PERIOD_MAX:
            raise Wrong(f"end: expected a period of at most 24 hours, got {self.end - self.start}")
        if not parse_instrument(self.instrument).is_perpetual:
            raise Wrong(f"instrument: expected a perpetual, got {self.instrument[:40]!r}")
        if not (self.index.is_finite() and 0 < self.index < PRICE_MAX):
            raise Wrong(f"index: expected USD per coin above 0 and below 1e9, got {self.index}")
        if not self.rate.is_finite() or abs(self.per_8h) > Fraction(RATE_8H_MAX):
            raise Wrong(
                f"rate: expected a share of at most {RATE_8H_MAX} for 8 hours, got {self.rate} for "
                f"{self.end - self.start}; fix: write 0.01 % as 0.0001"
            )
        if not self.source.strip() or len(self.source) > 100 or not self.source.isprintable():
            raise Wrong("source: expected a name of 1 to 100 printable characters")

    @property
    def key(self) -> str:
        """The fact it states: a second rate of the same key is a correction."""
        return f"{self.instrument} {self.start:%Y-%m-%dT%H:%M:%S} {self.end:%Y-%m-%dT%H:%M:%S} {self.source}"

    @property
    def per_8h(self) -> Fraction:
        """The rate as interest for 8 hours, the unit in which the venue states its cap."""
        hours = Fraction((self.end - self.start) // _TICK, _EIGHT_HOURS // _TICK)
        return Fraction(self.rate) / hours


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingDue:
    """A part of a perpetual that was dealt back before a close: its funding is due at that close.

    ``quantity`` is signed as it was held; ``coins`` are those it hedged by month.
    """

    trade: str
    instrument: Instrument
    quantity: Decimal
    start: datetime
    end: datetime
    coins: tuple[tuple[Month, Decimal], ...]


@dataclass(frozen=True, slots=True)
class FundingPiece:
    """The part of one record that lies in a window: its rate for that part, at its index."""

    rate: Fraction
    index: Fraction
    source: str


class FundingRecords:
    """Funding rates by instrument; the venue's own record decides where several sources tell one."""

    def __init__(self, records: Iterable[FundingRate]) -> None:
        self._by_name: dict[str, list[FundingRate]] = {}
        for record in records:
            self._by_name.setdefault(record.instrument, []).append(record)

    def pieces(
        self, instrument: str, start: datetime, end: datetime
    ) -> tuple[tuple[FundingPiece, ...], datetime | None]:
        """Return the records of a window in order, and the first instant that none covers."""
        near = [
            one for one in self._by_name.get(instrument, ()) if one.start < end and one.end > start
        ]
        found: list[FundingPiece] = []
        at = start
        while at < end:
            record = _record_at(near, at)
            if record is None:
                return tuple(found), at
            until = min(record.end, end, *_official_starts(near, record, at))
            share = Fraction((until - at) // _TICK, (record.end - record.start) // _TICK)
            found.append(
                FundingPiece(Fraction(record.rate) * share, Fraction(record.index), record.source)
            )
            at = until
        return tuple(found), None


def _record_at(records: Sequence[FundingRate], at: datetime) -> FundingRate | None:
    """Return the record that covers an instant: the venue's own, else the one recorded last."""
    here = [one for one in records if one.start <= at < one.end]
    official = [one for one in here if one.source == VENUE_SOURCE]
    found = official or here
    return found[-1] if found else None


def _official_starts(
    records: Sequence[FundingRate], used: FundingRate, at: datetime
) -> list[datetime]:
    """Return where the venue's own records begin while another source's is used."""
    if used.source == VENUE_SOURCE:
        return []
    return [one.start for one in records if one.source == VENUE_SOURCE and one.start > at]


def accrued(instrument: Instrument, quantity: Decimal, pieces: Iterable[FundingPiece]) -> Fraction:
    """Return funding received in the settlement currency, exact: shorts receive a positive rate.

    Args:
        instrument: a perpetual.
        quantity: signed, in USD where it settles in coin, else in coins.
        pieces: rates of the time it was held.
    """
    total = Fraction(0)
    for piece in pieces:
        value = 1 / piece.index if instrument.amount_in_usd else piece.index
        total -= Fraction(quantity) * value * piece.rate
    return total
