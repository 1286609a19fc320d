"""Run-off of designations: real coins mined and sold use up the coins a hedge was designated to.

Coins of a month are those mined in it. Sales take the oldest unsold month first; what is sold beyond the
coins mined comes from the opening inventory and delivers no designation. A trade hedges "the first n coins
mined and sold in month m", so trades of one month are used up in the order in which they were dealt.
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
    sold: Decimal
    open: Decimal
    due: datetime

    @property
    def unsold(self) -> Decimal:
        """Designated coins that are still to be sold."""
        return self.designated - self.sold

    @property
    def residual(self) -> Decimal:
        """Coins of hedge beyond the designated coins still to be sold."""
        return max(self.open - self.unsold, _ZERO)

    def over_hedged(self, at: datetime) -> Decimal:
        """Return the residual that the policy would have reduced by an instant."""
        return self.residual if at >= self.due else _ZERO


Part = tuple[Fraction, Fraction]
"""Coins, and the price in USD at which they were sold."""


def parts_by_designation(
    delivered: Sequence[Delivered], designated: Sequence[tuple[str, Month, Decimal]]
) -> dict[tuple[str, Month], list[Part]]:
    """Return the coins that were sold of each designation, with their prices.

    Args:
        delivered: coins by sale, in the order they were sold.
        designated: trade, month and coins, in the order the trades were dealt.
    """
    room = {(trade, month): Fraction(coins) for trade, month, coins in designated}
    found: dict[tuple[str, Month], list[Part]] = {key: [] for key in room}
    for one in delivered:
        left = Fraction(one.coins.smallest, BTC.scale)
        price = Fraction(one.proceeds.smallest, USD.scale) / left
        for key in [key for key in room if key[1] == one.month and room[key] > 0]:
            coins = min(left, room[key])
            if coins > 0:
                found[key].append((coins, price))
                room[key], left = room[key] - coins, left - coins
    return found


@dataclass(frozen=True, slots=True)
class RunOffPolicy:
    """By when a hedge is reduced after its coins are sold: the mandate's policy and its days of grace."""

    unwind: Unwind
    days_max: int

    def due(self, month: Month, trade: Trade) -> datetime:
        """Return when the hedge of a month's sold coins should be gone, at its expiry at the latest.

        A perpetual never expires: it is due with the days of grace after the month, whatever the policy.
        """
        if self.unwind is Unwind.AT_EXPIRY and trade.expiry != NO_EXPIRY:
            return trade.expiry
        return min(month.end + timedelta(days=self.days_max), trade.expiry)


def designation_states(
    trades: Sequence[Trade],
    positions: Sequence[Position],
    sold: Mapping[Month, Decimal],
    policy: RunOffPolicy,
) -> tuple[DesignationState, ...]:
    """Return the state of every designation, in the order of trades.

    Args:
        trades: every trade ever dealt, oldest first.
        positions: those that are open.
        sold: coins of each month's own production that were sold.
        policy: when a hedge is reduced.
    """
    remaining = {one.trade.id: dict(one.remaining) for one in positions}
    used: dict[Month, Decimal] = {}
    found: list[DesignationState] = []
    for trade in trades:
        for part in trade.designations:
            before = used.get(part.month, _ZERO)
            used[part.month] = before + part.coins
            delivered = min(max(sold.get(part.month, _ZERO) - before, _ZERO), part.coins)
            found.append(
                DesignationState(
                    trade=trade.id,
                    month=part.month,
                    designated=part.coins,
                    sold=delivered,
                    open=remaining.get(trade.id, {}).get(part.month, _ZERO),
                    due=policy.due(part.month, trade),
                )
            )
    return tuple(found)


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
