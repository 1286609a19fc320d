"""Settlement and delivery prices as records with a source, and what one close needs of them.

A close is at 08:00 UTC of its day. Futures settle at the settlement price of their own expiry; what
expires settles at the delivery price, the mean of the index from 07:30 to 08:00 UTC at Deribit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from headframe.book import MarginTerms, Position, Trade
from headframe.instrument import Instrument, Kind
from headframe.units import Wrong, is_utc

PRICE_MAX = Decimal(10) ** 9
"""No coin has cost as much; a larger figure is one in a smaller unit."""
VENUE_SOURCE = "deribit"
"""The source whose records decide for what is traded there, where several tell a price."""


class PriceKind(StrEnum):
    """What a price settles: futures each day, what expires, or only values coins."""

    SETTLEMENT = "settlement"
    DELIVERY = "delivery"
    INDEX = "index"
    FUNDING = "funding"
    """Rates of a perpetual over the time it was held; no price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementPrice:
    """One price of one close in USD per coin, and who says so.

    ``instrument`` is an index (``btc_usd``) or the venue's name of a future (``BTC-26MAR27``).
    """

    day: date
    instrument: str
    kind: PriceKind
    price: Decimal
    source: str
    observed_at: datetime | None = None
    """When it was observed, where it is not the official price of 08:00 UTC."""

    def __post_init__(self) -> None:
        if self.kind is PriceKind.FUNDING:
            raise Wrong("kind: expected a price, got funding; fix: headframe market funding import")
        if not (self.price.is_finite() and 0 < self.price < PRICE_MAX):
            raise Wrong(f"price: expected USD per coin above 0 and below 1e9, got {self.price}")
        if not self.source.strip() or len(self.source) > 100 or not self.source.isprintable():
            raise Wrong("source: expected a name of 1 to 100 printable characters")
        if self.observed_at is not None and not is_utc(self.observed_at):
            raise Wrong(f"observed_at: expected an instant in UTC, got {self.observed_at}")

    @property
    def key(self) -> str:
        """The fact it states: a second price of the same key is a correction."""
        return f"{self.day} {self.kind} {self.instrument} {self.source}"


def close_at(day: date) -> datetime:
    """Return the instant of a day's close: 08:00 UTC."""
    return datetime.combine(day, time(8), UTC)


def closes_after(at: datetime) -> date:
    """Return the day of the first close strictly after an instant."""
    today = at.date()
    return today if at < close_at(today) else today + timedelta(days=1)


def last_close(at: datetime) -> date:
    """Return the day of the last close at or before an instant."""
    today = at.date()
    return today if at >= close_at(today) else today - timedelta(days=1)


def index_name(coin: str) -> str:
    """Return the name of a coin's index in USD as Deribit writes it."""
    return f"{coin.lower()}_usd"


@lru_cache(maxsize=1024)
def future_of(coin: str, expiry: datetime) -> str:
    """Return the name of a coin's future of an expiry, settled in coin, as Deribit writes it."""
    return Instrument(kind=Kind.FUTURE, coin=coin, settled_in=coin, expiry=expiry).name


def future_name(instrument: Instrument) -> str:
    """Return the name of the future settled in coin that shares an instrument's coin and expiry.

    A perpetual has a price of its own, whatever it settles in.
    """
    if instrument.is_perpetual:
        return instrument.name
    return future_of(instrument.coin, instrument.expiry)


@dataclass(frozen=True, slots=True)
class MissingPrice:
    """A price that a close needs and does not have; ``needed_for`` names trades."""

    day: date
    kind: PriceKind
    instrument: str
    source: str
    needed_for: tuple[str, ...]

    def __str__(self) -> str:
        whose = f" from {self.source}" if self.source else ""
        trades = ", ".join(self.needed_for[:5])
        more = f" and {len(self.needed_for) - 5} more" if len(self.needed_for) > 5 else ""
        what = "rates" if self.kind is PriceKind.FUNDING else "price"
        return f"{self.day}: {self.kind} {what} of {self.instrument}{whose} for {trades}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePrices:
    """Every price one close uses: the index, futures by name, deliveries by trade and instrument."""

    day: date
    index: Decimal | None
    futures: Mapping[str, Decimal]
    deliveries: Mapping[tuple[str, str], Decimal]
    sources: tuple[str, ...] = ()

    def future(self, instrument: Instrument) -> Decimal:
        """Return the settlement price of an instrument's expiry."""
        return self.futures[future_name(instrument)]

    def delivery(self, trade: str, instrument: Instrument) -> Decimal:
        """Return the delivery price at which a leg of a trade settles."""
        return self.deliveries[trade, instrument.name]


class PriceRecords:
    """Settlement prices by what they state, for one coin."""

    def __init__(self, records: Iterable[SettlementPrice], coin: str) -> None:
        self.index_name = index_name(coin)
        self._by_fact: dict[tuple[date, PriceKind, str], list[SettlementPrice]] = {}
        for record in records:
            fact = (record.day, record.kind, record.instrument)
            self._by_fact.setdefault(fact, []).append(record)

    def find(
        self, day: date, kind: PriceKind, instrument: str, source: str = ""
    ) -> SettlementPrice | None:
        """Return the price of a fact: the named source's, else the venue's own, else the last recorded."""
        found = self._by_fact.get((day, kind, instrument), [])
        if source:
            return next((one for one in reversed(found) if one.source == source), None)
        official = (one for one in reversed(found) if one.source == VENUE_SOURCE)
        return next(official, found[-1] if found else None)

    def index(self, day: date) -> SettlementPrice | None:
        """Return the price that values coins at a close: the index, or its delivery price."""
        kinds = (PriceKind.DELIVERY, PriceKind.INDEX)
        return next((r for kind in kinds if (r := self.find(day, kind, self.index_name))), None)

    def delivery(self, day: date, instrument: Instrument, source: str) -> SettlementPrice | None:
        """Return the delivery price of an instrument: its own record, or its index's."""
        own = self.find(day, PriceKind.DELIVERY, future_name(instrument), source)
        return own or self.find(day, PriceKind.DELIVERY, self.index_name, source)


def expires_by(trade: Trade, at: datetime) -> bool:
    """Return whether every leg of a trade has expired at an instant."""
    return trade.expiry <= at


def settles_daily(trade: Trade) -> bool:
    """Return whether variation of a trade is paid each day: futures margined at the venue."""
    linear = any(not leg.instrument.is_option for leg in trade.legs)
    return trade.margin is MarginTerms.VENUE and linear


def prices_for(
    day: date,
    positions: Iterable[Position],
    records: PriceRecords,
    fixing_sources: Mapping[str, str],
) -> ClosePrices | tuple[MissingPrice, ...]:
    """Return every price that the close of a day needs, or what is missing of them.

    Args:
        day: day of the close.
        positions: open positions dealt before the close.
        records: what is known.
        fixing_sources: by trade, the source its confirmation names; other trades take the venue's.
    """
    need = _Need(day, records, fixing_sources)
    for position in positions:
        need.add(position)
    return need.result()


class _Need:
    """Prices gathered for one close, and those that are missing with the trades that need them."""

    def __init__(self, day: date, records: PriceRecords, fixing_sources: Mapping[str, str]) -> None:
        self._day, self._records, self._fixings = day, records, fixing_sources
        self._at = close_at(day)
        self._futures: dict[str, Decimal] = {}
        self._deliveries: dict[tuple[str, str], Decimal] = {}
        self._sources: dict[str, None] = {}
        self._missing: dict[tuple[date, PriceKind, str, str], list[str]] = {}
        self._any = False

    def add(self, position: Position) -> None:
        """Gather what one position needs."""
        self._any = True
        trade = position.trade
        for leg in trade.legs:
            one = leg.instrument
            if one.expiry <= self._at:
                source = self._fixings.get(trade.id, "")
                found = self._records.delivery(one.expiry.date(), one, source)
                if self._took(found, PriceKind.DELIVERY, one, source, trade.id):
                    assert found is not None
                    self._deliveries[trade.id, one.name] = found.price
            elif not one.is_option and trade.margin is MarginTerms.VENUE:
                name = future_name(one)
                found = self._records.find(self._day, PriceKind.SETTLEMENT, name)
                if self._took(found, PriceKind.SETTLEMENT, one, "", trade.id):
                    assert found is not None
                    self._futures[name] = found.price

    def _took(
        self,
        found: SettlementPrice | None,
        kind: PriceKind,
        one: Instrument,
        source: str,
        trade: str,
    ) -> bool:
        if found is not None:
            self._sources[found.source] = None
            return True
        day = one.expiry.date() if kind is PriceKind.DELIVERY else self._day
        self._missing.setdefault((day, kind, future_name(one), source), []).append(trade)
        return False

    def result(self) -> ClosePrices | tuple[MissingPrice, ...]:
        """Return the prices, or what is missing."""
        index = self._records.index(self._day)
        if index is None and self._any:
            fact = (self._day, PriceKind.INDEX, self._records.index_name, "")
            self._missing[fact] = ["the value of coins"]
        if self._missing:
            return tuple(
                MissingPrice(day, kind, name, source, tuple(dict.fromkeys(trades)))
                for (day, kind, name, source), trades in self._missing.items()
            )
        if index is not None:
            self._sources[index.source] = None
        return ClosePrices(
            day=self._day,
            index=None if index is None else index.price,
            futures=self._futures,
            deliveries=self._deliveries,
            sources=tuple(self._sources),
        )
