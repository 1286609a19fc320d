"""What a venue says it settled, held against what was booked: per day and instrument, to the venue's unit.

The venue nets an account by instrument, so the legs booked for it are added up. A future's amount is the
venue's session profit and loss: variation of the position, and what trades of the session realised.
An option's is its position times its value at delivery. Funding of perpetuals is no settlement of a hedge and
is kept apart.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from headframe.book import Break, Matched
from headframe.lifecycle.flows import LegSettlement
from headframe.lifecycle.settlement_prices import close_at, last_close
from headframe.units import CURRENCIES, Money

PRICE_UNIT = Decimal("0.01")
"""The venue states prices in USD to the cent."""
OPTION_VALUE_UNIT = Decimal("1e-8")
"""The venue states what one option delivers to at least eight decimals of the coin."""
CONTRACT_USD = MappingProxyType({"BTC": Decimal(10)})
"""Size of a contract of futures whose amount is in USD; 1 of other coins."""
_QUANTITY_UNIT = Decimal("1e-8")
_HOURS_AFTER = timedelta(hours=23)


class SettlementKind(StrEnum):
    """What a venue's row tells: a daily settlement, a delivery at expiry, or a loss shared out."""

    SETTLEMENT = "settlement"
    DELIVERY = "delivery"
    BANKRUPTCY = "bankruptcy"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettlement:
    """One row of the venue's settlement history: amounts in ``currency``, prices in USD.

    ``position`` is signed, in the instrument's own unit. ``mark_price`` of an option is what one delivers.
    """

    kind: SettlementKind
    at: datetime
    instrument: str
    currency: str
    position: Decimal
    mark_price: Decimal
    index_price: Decimal
    profit_loss: Decimal
    session_profit_loss: Decimal
    funding: Decimal | None = None

    @property
    def day(self) -> date:
        """The close it belongs to: stamped up to an hour later, anything else with the next."""
        return last_close(self.at + _HOURS_AFTER)

    @property
    def is_option(self) -> bool:
        """Whether its name is an option's."""
        return self.instrument.endswith(("-C", "-P"))

    @property
    def amount(self) -> Decimal:
        """What it moved: an option's value at delivery, a future's session profit and loss."""
        return self.position * self.mark_price if self.is_option else self.session_profit_loss

    @property
    def price(self) -> Decimal:
        """The price in USD at which it settled: an option's is its index."""
        return self.index_price if self.is_option else self.mark_price

    @property
    def pays(self) -> bool:
        """Whether it can move cash: an option pays at its delivery alone."""
        return not self.is_option or self.kind is not SettlementKind.SETTLEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedSettlement:
    """One leg as a close settled it, and what trades of the session realised on its instrument."""

    day: date
    leg: LegSettlement


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResult:
    """What the closing of a future realised before a close."""

    day: date
    instrument: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Booked:
    """What was booked at the closes of a venue's trades: legs, results of sessions, and the days closed."""

    legs: tuple[BookedSettlement, ...]
    results: tuple[SessionResult, ...]
    days: AbstractSet[date]


@dataclass(slots=True)
class _Side:
    """One side's settlement of one instrument on one day."""

    quantity: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    prices: set[Decimal] = field(default_factory=set[Decimal])
    count: int = 0
    rate: Decimal = Decimal(0)
    """What one unit of the position received, the most of all legs."""
    broken: Decimal = Decimal(0)
    """A contract for each leg that is no whole number of contracts, since it was closed in part."""

    def add_leg(self, leg: LegSettlement) -> None:
        """Add a leg as it was booked."""
        amount = _decimal(leg.amount)
        self.add(leg.quantity, amount, leg.price)
        contract = CONTRACT_USD.get(leg.instrument.coin, Decimal(1))
        if leg.instrument.amount_in_usd and leg.quantity % contract:
            self.broken += contract
            self.rate = max(self.rate, abs(amount / leg.quantity))

    def add(self, quantity: Decimal, amount: Decimal, price: Decimal | None) -> None:
        self.quantity += quantity
        self.amount += amount
        self.count += 1
        if price is not None and quantity:
            self.prices.add(price)

    def __str__(self) -> str:
        if not self.count:
            return "nothing"
        prices = " and ".join(format(one.normalize(), "f") for one in sorted(self.prices))
        at = f" at {prices}" if prices else ""
        return f"position {_plain(self.quantity)}{at}, {_plain(self.amount)} received"


_Key = tuple[date, str, str]


def match_settlements(
    booked: Booked,
    theirs: Iterable[VenueSettlement],
    open_breaks: Mapping[str, Break],
    *,
    venue: str,
    owner: str,
) -> Matched:
    """Hold what a venue settled against what was booked, for the days that are closed.

    A break that stood before keeps its age; a break of a closed day that no side speaks of any more has gone.
    """
    ours, reported = _ours(booked), _theirs(theirs, booked.days)
    options = {key for key in (*ours, *reported) if key[1].endswith(("-C", "-P"))}
    agreed: list[str] = []
    breaks: list[Break] = []
    for key in sorted({*ours, *reported}):
        mine, other = ours.get(key, _Side()), reported.get(key, _Side())
        found = _break(key, (mine, other), venue, owner)
        if _agree(key, mine, other, option=key in options):
            agreed.append(found.key)
            continue
        before = open_breaks.get(found.key)
        breaks.append(found if before is None else _aged(found, before))
    spoken = {*agreed, *(one.key for one in breaks)}
    agreed += [
        key
        for key, one in open_breaks.items()
        if key not in spoken and is_settlement(one, venue) and one.at.date() in booked.days
    ]
    return Matched(tuple(agreed), tuple(breaks))


def is_settlement(found: Break, venue: str) -> bool:
    """Return whether a break is one of a venue's settlements."""
    return found.account.startswith(f"{venue} settlement ")


def funding_by_day(theirs: Iterable[VenueSettlement]) -> dict[tuple[date, str, str], Decimal]:
    """Return funding of perpetuals by day, instrument and currency, as the venue says it."""
    found: dict[tuple[date, str, str], Decimal] = {}
    for one in theirs:
        if one.funding is not None:
            key = (one.day, one.instrument, one.currency)
            found[key] = found.get(key, Decimal(0)) + one.funding
    return found


def _ours(booked: Booked) -> dict[_Key, _Side]:
    found: dict[_Key, _Side] = {}
    for one in booked.legs:
        leg = one.leg
        side = found.setdefault((one.day, leg.instrument.name, leg.amount.currency.code), _Side())
        side.add_leg(leg)
    for result in booked.results:
        if result.day in booked.days:
            key = (result.day, result.instrument, result.amount.currency.code)
            found.setdefault(key, _Side()).add(Decimal(0), _decimal(result.amount), None)
    return found


def _theirs(rows: Iterable[VenueSettlement], days: AbstractSet[date]) -> dict[_Key, _Side]:
    found: dict[_Key, _Side] = {}
    for row in rows:
        if row.day in days and row.pays:
            side = found.setdefault((row.day, row.instrument, row.currency), _Side())
            side.add(row.position, row.amount, row.price)
    return found


def _agree(key: _Key, ours: _Side, theirs: _Side, *, option: bool) -> bool:
    """Return whether both sides settled the same, to the venue's own units."""
    known = CURRENCIES.get(key[2])
    unit = Decimal(1).scaleb(-(8 if known is None else known.decimals))
    allowed = unit * (ours.count + 1)
    if option:
        allowed += abs(theirs.quantity) * OPTION_VALUE_UNIT / 2
    apart = abs(ours.quantity - theirs.quantity)
    if ours.broken:
        allowed += apart * ours.rate
    prices = ours.prices | theirs.prices
    near = not prices or max(prices) - min(prices) < PRICE_UNIT
    return (
        apart < max(_QUANTITY_UNIT, ours.broken)
        and abs(ours.amount - theirs.amount) <= allowed
        and near
    )


def _break(key: _Key, sides: tuple[_Side, _Side], venue: str, owner: str) -> Break:
    day, instrument, code = key
    return Break(
        account=f"{venue} settlement {day} {instrument}",
        currency=code,
        at=close_at(day),
        ours=str(sides[0]),
        theirs=str(sides[1]),
        source=f"settlement history of {venue}",
        since=close_at(day),
        owner=owner,
    )


def _aged(found: Break, before: Break) -> Break:
    return Break(
        account=found.account,
        currency=found.currency,
        at=found.at,
        ours=found.ours,
        theirs=found.theirs,
        source=found.source,
        since=before.since,
        owner=before.owner,
    )


def _decimal(money: Money) -> Decimal:
    return Decimal(money.smallest).scaleb(-money.currency.decimals)


def _plain(value: Decimal) -> str:
    """Return a figure without an exponent or idle zeros, to twelve decimals at most."""
    short = round(value, 12).normalize()
    return format(short or Decimal(0), "f")
