"""Funding rates of perpetuals into the journal: imported, fetched or typed, each with its source.

A rate that a closed day was paid on is not overwritten: the difference is an adjusting event.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from headframe.book import hedge_flow
from headframe.codec import to_json
from headframe.desk import users
from headframe.desk.booking import funded
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, Invalid, Json
from headframe.desk.state import State, postings_json
from headframe.instrument import parse_instrument
from headframe.lifecycle import (
    FlowCause,
    FundingDue,
    FundingRate,
    FundingRecords,
    accrued,
    close_at,
    split,
)
from headframe.units import CURRENCIES, Money, Month, booked, instant

_FAR = Decimal(3)
"""An index further than this factor from the last known price is of another coin or unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingCorrection:
    """What corrected rates change of one funding payment that a close has made."""

    trade: str
    close: date
    instrument: str
    before: Money
    after: Money
    coins: tuple[tuple[Month, Decimal], ...]

    @property
    def money(self) -> Money:
        """More received, or less where negative."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class RecordedRates:
    """Rates that were new, how many were known, and payments that they correct."""

    new: tuple[FundingRate, ...]
    known: int
    corrected: tuple[FundingCorrection, ...] = ()


@serialised
def record(office: Office, rates: Iterable[FundingRate]) -> RecordedRates:
    """Record funding rates; a changed rate of a closed day becomes an adjusting event.

    Raises Invalid where a rate is of another coin, of the future, or its index out of proportion.
    """
    users.allowed(office, users.Action.PREPARE)
    return _record(office, rates)


@serialised
def record_official(office: Office, rates: Iterable[FundingRate]) -> RecordedRates:
    """Record rates that the desk itself fetched from the venue, on nobody's behalf."""
    return _record(office, rates)


def _record(office: Office, rates: Iterable[FundingRate]) -> RecordedRates:
    state, now = office.state(), office.now()
    coin = office.settings().operation.coin
    rows = list({rate.key: rate for rate in rates}.values())
    new: list[FundingRate] = []
    for rate in rows:
        _check(state, rate, coin)
        if rate.end > now:
            raise Invalid(
                f"{rate.instrument}: expected a period that has ended at {now:%Y-%m-%dT%H:%MZ}, got one to "
                f"{rate.end:%Y-%m-%dT%H:%MZ}; fix: record it afterwards"
            )
        if state.funding_rates.get(rate.key) != rate:
            new.append(rate)
    if not new:
        return RecordedRates((), len(rows))
    corrected = list(_corrections(office, state, new))
    drafts = [Draft("funding_rates", {"rows": to_json(new)})]
    drafts += [_adjusting(office, state, one) for one in corrected]
    office.record(*drafts, at=now)
    return RecordedRates(tuple(new), len(rows) - len(new), tuple(corrected))


def _check(state: State, rate: FundingRate, coin: str) -> None:
    """Raise Invalid where a rate cannot be one of the mine's coin."""
    if parse_instrument(rate.instrument).coin != coin:
        raise Invalid(
            f"instrument: expected a perpetual of {coin}, got {rate.instrument!r}; fix: leave it out"
        )
    near = _price_near(state, rate.end.date())
    if near is not None and not near / _FAR <= rate.index <= near * _FAR:
        raise Invalid(
            f"index: expected USD per coin near the {near:,.2f} last known, got {rate.index}; "
            "fix: check the unit and the coin of the file"
        )


def _price_near(state: State, day: date) -> Decimal | None:
    known = [
        (abs((one.day - day).days), one.price)
        for one in state.settlement_prices.values()
        if abs((one.day - day).days) <= 31
    ]
    if state.market is not None:
        off = abs((state.market.as_of.date() - day).days)
        known.append((off, Decimal(repr(state.market.index))))
    return min(known)[1] if known else None


def _corrections(
    office: Office, state: State, new: Sequence[FundingRate]
) -> Iterator[FundingCorrection]:
    """Yield what new rates change of funding that closes have paid, earlier corrections counted in."""
    through = state.closed_through
    if through is None or all(rate.start >= close_at(through) for rate in new):
        return
    after = FundingRecords((state.funding_rates | {rate.key: rate for rate in new}).values())
    before = FundingRecords(state.funding_rates.values())
    for row in office.journal.read():
        for one in dues_of(row.body) if row.kind == "day_closed" else ():
            if any(_touches(rate, one) for rate in new):
                made = FundingCorrection(
                    trade=one.trade,
                    close=date.fromisoformat(row.body["close"]),
                    instrument=one.instrument.name,
                    before=_money(one, before),
                    after=_money(one, after),
                    coins=one.coins,
                )
                if made.money.smallest:
                    yield made


def _touches(rate: FundingRate, one: FundingDue) -> bool:
    return rate.instrument == one.instrument.name and rate.start < one.end and rate.end > one.start


def _money(one: FundingDue, records: FundingRecords) -> Money:
    pieces, _ = records.pieces(one.instrument.name, one.start, one.end)
    exact = accrued(one.instrument, one.quantity, pieces)
    return booked(exact, CURRENCIES[one.instrument.settled_in])


def dues_of(body: Json) -> Iterator[FundingDue]:
    """Yield what accrued funding at a close, as its event says."""
    for trade, name, quantity, start, end, coins in body.get("funding", ()):
        yield FundingDue(
            trade=trade,
            instrument=parse_instrument(name),
            quantity=Decimal(quantity),
            start=instant(start),
            end=instant(end),
            coins=tuple((Month.parse(month), Decimal(part)) for month, part in coins),
        )


def _adjusting(office: Office, state: State, one: FundingCorrection) -> Draft:
    """Return the adjusting event of a correction, shared to the months as at the close."""
    spot = Decimal(repr(state.spot if state.spot is not None else 1.0))
    entries = funded(office, state, [hedge_flow(one.trade, one.money, "correction")], spot)
    shares = split(one.money, dict(one.coins))
    code = one.money.currency.code
    months = [[str(month), str(part)] for month, part in shares if part.smallest]
    return Draft(
        "funding_corrected",
        {
            "trade": one.trade,
            "close": one.close.isoformat(),
            "instrument": one.instrument,
            "before": str(one.before),
            "after": str(one.after),
            "flows_by_month": [[one.trade, FlowCause.FUNDING.value, code, months]],
            "postings": postings_json(entries),
        },
    )
