"""Run-off of designations: real coins mined and sold use up the coins a hedge was designated to.

Coins of a month are those mined in it. Sales take the oldest unsold month first; what is sold beyond the
coins mined comes from the opening inventory and delivers no designation. A trade hedges the first coins of
its month that are sold while it is on, so trades of one month are used up in the order they were dealt in.
Dealing a part back releases designated coins that are not sold, after hedge that has no coins any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from headframe.book import Position, Trade
from headframe.mandate import Unwind
from headframe.units import BTC, NO_EXPIRY, USD, Money, Month, booked

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinSale:
    """Coins sold at an instant, and what they brought in USD less fees."""

    at: datetime
    coins: Money
    proceeds: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Coins of one month of production that one sale delivered, with their share of its proceeds."""

    month: Month
    at: datetime
    coins: Money
    proceeds: Money


def deliveries(mined: Mapping[Month, Money], sales: Sequence[CoinSale]) -> tuple[Delivered, ...]:
    """Return which month's coins each sale delivered, oldest unsold month first.

    Args:
        mined: coins mined by month; a sale takes coins of its own month and of months before it.
        sales: sales in any order; they are taken by instant.
    """
    left = {month: coins.smallest for month, coins in sorted(mined.items())}
    found: list[Delivered] = []
    for sale in sorted(sales, key=lambda one: one.at):
        wanted, paid = sale.coins.smallest, 0
        taken = 0
        for month in [m for m, coins in left.items() if coins > 0 and m <= Month.of(sale.at)]:
            coins = min(left[month], wanted - taken)
            if coins <= 0:
                break
            left[month] -= coins
            taken += coins
            upto = round(Fraction(sale.proceeds.smallest) * taken / wanted)
            found.append(
                Delivered(
                    month=month,
                    at=sale.at,
                    coins=Money(BTC, coins),
                    proceeds=Money(USD, upto - paid),
                )
            )
            paid = upto
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignationState:
    """Where the designation of one trade to one month stands, in coins.

    ``open`` is what the hedge still covers, ``sold`` what of its designated coins has been sold. The
    residual is hedge without coins to hedge: speculative from ``due`` on, when the mandate's policy would
    have reduced it.
    """

    trade: str
    month: Month
    designated: Decimal
    """Coins designated now: what a closing released is designated no more."""
    sold: Decimal
    open: Decimal
    due: datetime
    parts: tuple["Part", ...] = ()
    """The coins sold, with their prices."""
    changes: tuple[tuple[datetime, Decimal], ...] = ()
    """When coins were designated (positive) and released (negative)."""
    to_come: Decimal | None = None
    """Coins of an ended month that are mined and not sold, as far as they are this trade's; None before."""

    @property
    def unsold(self) -> Decimal:
        """Designated coins that are still to be sold: of an ended month at most those that were mined."""
        left = self.designated - self.sold
        return left if self.to_come is None else min(left, self.to_come)

    @property
    def residual(self) -> Decimal:
        """Coins of hedge beyond the designated coins still to be sold."""
        return max(self.open - self.unsold, _ZERO)

    def over_hedged(self, at: datetime) -> Decimal:
        """Return the residual that the policy would have reduced by an instant."""
        return self.residual if at >= self.due else _ZERO


Part = tuple[Fraction, Fraction]
"""Coins, and the price in USD at which they were sold."""


@dataclass(frozen=True, slots=True)
class Designated:
    """Coins of a month that a trade was designated to, from when, and what of it was dealt back when."""

    trade: str
    month: Month
    coins: Decimal
    at: datetime
    expiry: datetime
    closed: tuple[tuple[datetime, Decimal], ...] = ()


def designated(trades: Sequence[Trade], closings: Sequence[tuple[str, Trade]]) -> list[Designated]:
    """Return every designation in the order the trades were dealt.

    Args:
        trades: every trade ever dealt, oldest first.
        closings: name of the trade that was dealt back, whole or in part, and the closing.
    """
    back: dict[tuple[str, Month], list[tuple[datetime, Decimal]]] = {}
    for name, closing in closings:
        for part in closing.designations:
            back.setdefault((name, part.month), []).append((closing.at, part.coins))
    return [
        Designated(
            trade=one.id,
            month=part.month,
            coins=part.coins,
            at=one.at,
            expiry=one.expiry,
            closed=tuple(sorted(back.get((one.id, part.month), ()))),
        )
        for one in trades
        for part in one.designations
    ]


class RunOff:
    """One designation while sales and closings are taken in the order they happened."""

    def __init__(self, one: Designated) -> None:
        self.designation = one
        self.coins = Fraction(one.coins)
        """Designated, as far as it was not released."""
        self.sold = Fraction(0)
        self.parts: list[Part] = []
        self.changes = [(one.at, one.coins)]
        self._on = Fraction(one.coins)
        self._closed = list(one.closed)

    def sell(self, coins: Fraction, price: Fraction, at: datetime) -> Fraction:
        """Take of so many coins sold what this designation has room for; return what is left of them."""
        self.close(at)
        taken = min(coins, self.coins - self.sold) if at >= self.designation.at else Fraction(0)
        if taken > 0:
            self.parts.append((taken, price))
            self.sold += taken
        return coins - max(taken, Fraction(0))

    def close(self, until: datetime | None = None) -> None:
        """Take the closings up to an instant: hedge without coins goes first, then coins are released."""
        while self._closed and (until is None or self._closed[0][0] <= until):
            at, coins = self._closed.pop(0)
            without = max(self._on - (self.coins - self.sold), Fraction(0))
            released = max(Fraction(coins) - without, Fraction(0))
            self._on -= Fraction(coins)
            self.coins -= released
            self.changes.append((at, -_coins(released)))


def parts_by_designation(
    delivered: Sequence[Delivered],
    designations: Sequence[Designated],
    until: datetime | None = None,
) -> dict[tuple[str, Month], RunOff]:
    """Return the coins that were sold of each designation, with their prices.

    Args:
        delivered: coins by sale, in the order they were sold.
        designations: in the order the trades were dealt.
        until: sales and closings after it are left out.
    """
    found = {(one.trade, one.month): RunOff(one) for one in designations}
    by_month: dict[Month, list[RunOff]] = {}
    for (_, month), one in found.items():
        by_month.setdefault(month, []).append(one)
    for sale in delivered:
        if until is not None and sale.at > until:
            continue
        left = Fraction(sale.coins.smallest, BTC.scale)
        price = Fraction(sale.proceeds.smallest, USD.scale) / left
        for one in by_month.get(sale.month, ()):
            left = one.sell(left, price, sale.at)
    for one in found.values():
        one.close(until)
    return found


@dataclass(frozen=True, slots=True)
class RunOffPolicy:
    """By when a hedge is reduced after its coins are sold: the mandate's policy and its days of grace."""

    unwind: Unwind
    days_max: int

    def due(self, month: Month, expiry: datetime) -> datetime:
        """Return when the hedge of a month's sold coins should be gone, at its expiry at the latest.

        A perpetual never expires: it is due with the days of grace after the month, whatever the policy.
        """
        if self.unwind is Unwind.AT_EXPIRY and expiry != NO_EXPIRY:
            return expiry
        return min(month.end + timedelta(days=self.days_max), expiry)


PAYOUT_DAYS = 3
"""A month's last payouts have come by then: what is not mined by that day will not be."""


@dataclass(frozen=True, slots=True)
class Production:
    """Coins mined by month, and the instant at which that is known."""

    mined: Mapping[Month, Money]
    at: datetime

    def to_come(self, month: Month, sold: Fraction) -> Fraction | None:
        """Return the coins of an ended month that are mined and not sold; None while more may be mined."""
        if self.at < month.end + timedelta(days=PAYOUT_DAYS):
            return None
        mined = self.mined.get(month)
        return max(Fraction(0 if mined is None else mined.smallest, BTC.scale) - sold, Fraction(0))


def designation_states(
    designations: Sequence[Designated],
    positions: Sequence[Position],
    delivered: Sequence[Delivered],
    policy: RunOffPolicy,
    production: Production | None = None,
) -> tuple[DesignationState, ...]:
    """Return the state of every designation, in the order of trades.

    Args:
        designations: of every trade ever dealt, oldest first.
        positions: those that are open.
        delivered: coins by sale, in the order they were sold.
        policy: when a hedge is reduced.
        production: coins mined by month; without it every designated coin may still be mined.
    """
    remaining = {one.trade.id: dict(one.remaining) for one in positions}
    sold = {month: Fraction(coins) for month, coins in coins_sold_by_month(delivered).items()}
    runs = parts_by_designation(delivered, designations)
    left: dict[Month, Fraction | None] = {
        month: None
        if production is None
        else production.to_come(month, sold.get(month, Fraction(0)))
        for _, month in runs
    }
    found: list[DesignationState] = []
    for (name, month), run in runs.items():
        free = left[month]
        take = None if free is None else min(free, max(run.coins - run.sold, Fraction(0)))
        if free is not None and take is not None:
            left[month] = free - take
        found.append(
            DesignationState(
                trade=name,
                month=month,
                designated=_coins(run.coins),
                sold=_coins(run.sold),
                open=remaining.get(name, {}).get(month, _ZERO),
                due=policy.due(month, run.designation.expiry),
                parts=tuple(run.parts),
                changes=tuple(run.changes),
                to_come=None if take is None else _coins(take),
            )
        )
    return tuple(found)


def most_designated(states: Sequence[DesignationState]) -> Decimal:
    """Return the most coins that were designated at one time: those that results of hedges belong to.

    What was dealt back and dealt anew, or rolled, is designated once; what was dealt back alone still
    belongs to its coins.
    """
    changes = sorted(change for one in states for change in one.changes)
    total = most = _ZERO
    for _, coins in changes:
        total += coins
        most = max(most, total)
    return most


def _coins(exact: Fraction) -> Decimal:
    """Return whole satoshi as a decimal number of coins."""
    return Decimal(round(exact * BTC.scale)).scaleb(-8)


def coins_sold_by_month(found: Sequence[Delivered]) -> dict[Month, Decimal]:
    """Return coins of each month's production that were sold."""
    sums: dict[Month, int] = {}
    for one in found:
        sums[one.month] = sums.get(one.month, 0) + one.coins.smallest
    return {month: Decimal(coins).scaleb(-8) for month, coins in sums.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentMonth:
    """The month that has begun: its coins so far, what is to come, and how it is hedged."""

    month: Month
    p50: float
    mined: float
    sold: float
    hedged: float
    residual: float
    days_left: int

    @property
    def to_come(self) -> float:
        """Coins still expected: the forecast's median for the days that are left."""
        return self.p50 * self.days_left / self.month.days


def current_month(
    at: datetime,
    p50: float,
    coins: tuple[Money, Money],
    states: Sequence[DesignationState],
) -> CurrentMonth:
    """Return the current month from what was booked and designated.

    Args:
        at: the instant; the month is the one it lies in.
        p50: the forecast's median coins of the whole month, 0 where it does not know the month.
        coins: mined in the month, and sold of them.
        states: every designation.
    """
    month = Month.of(at)
    mine = [one for one in states if one.month == month]
    return CurrentMonth(
        month=month,
        p50=p50,
        mined=float(coins[0]),
        sold=float(coins[1]),
        hedged=float(sum((one.open for one in mine), _ZERO)),
        residual=float(sum((one.residual for one in mine), _ZERO)),
        days_left=(month.end.date() - at.date()).days,
    )


def sale_of(at: datetime, coins: Money, usd: float) -> CoinSale:
    """Return a sale whose proceeds are valued in USD, in whole cents."""
    return CoinSale(at=at, coins=coins, proceeds=booked(usd, USD))
