"""Realised price by month of production, the cash view beside it, and the bridge between both and P&L.

A month's realised price is what its own coins were sold for plus what its own hedges brought, in whatever
month cash moved. Where only a part of the designated coins has been sold, that part of the hedges' result is
recognised and the rest is deferred to the coins still to be sold.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from headframe.book import Trade
from headframe.instrument import Kind
from headframe.lifecycle.flows import FlowCause
from headframe.lifecycle.month_books import MonthBooks
from headframe.lifecycle.performance import MonthResult
from headframe.lifecycle.results import HedgeResult
from headframe.lifecycle.run_off import Delivered, DesignationState, most_designated
from headframe.units import BTC, USD, Money, Month, booked

_NO_COINS, _NO_USD = Money(BTC, 0), Money(USD, 0)
_UPFRONT = frozenset({FlowCause.PREMIUM})
_FUNDING = frozenset({FlowCause.FUNDING})
_COSTS = frozenset({FlowCause.FEE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RealisedMonth:
    """One month of production: its coins, what they were sold for, and what its own hedges brought.

    Dollars are exact; amounts in coins are worth the price at which they moved. ``intrinsic`` is what the
    hedges would have paid at the prices of the coins' own sales: settlements less it are basis.
    """

    month: Month
    mined: Money = _NO_COINS
    sold: Money = _NO_COINS
    sales: Money = _NO_USD
    designated: Money = _NO_COINS
    designated_sold: Money = _NO_COINS
    settlements: Money = _NO_USD
    premium: Money = _NO_USD
    fees: Money = _NO_USD
    funding: Money = _NO_USD
    """Funding of perpetuals, positive where received."""
    intrinsic: Money = _NO_USD
    open: Money = _NO_COINS
    """Coins of the month whose hedge is still on: its result is to come."""

    @property
    def hedges(self) -> Money:
        """Everything that the month's hedges brought so far."""
        return self.settlements + self.premium + self.fees + self.funding

    @property
    def share(self) -> Fraction:
        """Share of the hedges' result that is recognised: of the designated coins, those that are sold."""
        if not self.designated.smallest:
            return Fraction(1)
        return Fraction(self.designated_sold.smallest, self.designated.smallest)

    def recognised(self, amount: Money) -> Money:
        """Return the part of an amount that belongs to coins already sold, in whole cents."""
        return Money(USD, round(amount.smallest * self.share))

    @property
    def recognised_usd(self) -> Money:
        """What the hedges brought for the coins already sold."""
        parts = (self.settlements, self.premium, self.fees, self.funding)
        return sum_of(self.recognised(one) for one in parts)

    @property
    def deferred_usd(self) -> Money:
        """What the hedges brought for coins that are still to be sold."""
        return self.hedges - self.recognised_usd

    @property
    def basis_usd(self) -> Money | None:
        """Settlements of sold coins less what the hedges would have paid at the coins' own sale prices.

        None while a hedge of the month is still on: what it will settle at is not known.
        """
        if self.open.smallest:
            return None
        return self.recognised(self.settlements) - self.intrinsic

    @property
    def spot_price(self) -> float | None:
        """Average price of the month's own coins in USD; None where none is sold."""
        return _per_coin(self.sales, self.sold)

    @property
    def realised_price(self) -> float | None:
        """What each coin sold brought with its hedges in USD; None where none is sold."""
        return _per_coin(self.sales + self.recognised_usd, self.sold)


def sum_of(amounts: Iterable[Money]) -> Money:
    """Return the sum of amounts in USD."""
    return Money(USD, sum(one.smallest for one in amounts))


def _per_coin(usd: Money, coins: Money) -> float | None:
    return float(usd) / float(coins) if coins.smallest else None


def realised_months(
    books: Mapping[Month, MonthBooks],
    delivered: Sequence[Delivered],
    results: Iterable[HedgeResult],
    designations: Sequence[DesignationState],
    trades: Mapping[str, Trade],
) -> tuple[RealisedMonth, ...]:
    """Return every month that has coins or hedges, oldest first.

    Args:
        books: coins mined by month.
        delivered: which month's coins each sale delivered.
        results: what hedges brought.
        designations: where each designation stands, trades in the order dealt.
        trades: trades by id, contracts on a schedule among them.
    """
    hedged = list(results)
    months = {*books, *(one.month for one in delivered), *(one.month for one in hedged)}
    months |= {one.month for one in designations}
    return tuple(
        _month(
            month,
            books.get(month),
            [one for one in delivered if one.month == month],
            [one for one in hedged if one.month == month],
            [one for one in designations if one.month == month],
            trades,
        )
        for month in sorted(months)
    )


def _month(
    month: Month,
    books: MonthBooks | None,
    delivered: Sequence[Delivered],
    results: Sequence[HedgeResult],
    designations: Sequence[DesignationState],
    trades: Mapping[str, Trade],
) -> RealisedMonth:
    most = most_designated(designations)
    first = min((at for one in designations for at, _ in one.changes), default=None)
    sold = sum(one.coins.smallest for one in delivered if first is not None and one.at >= first)
    return RealisedMonth(
        month=month,
        mined=_NO_COINS if books is None else books.mined,
        sold=Money(BTC, sum(one.coins.smallest for one in delivered)),
        sales=sum_of(one.proceeds for one in delivered),
        designated=booked(most, BTC),
        designated_sold=Money(BTC, min(sold, booked(most, BTC).smallest)),
        settlements=_worth(results, lambda cause: cause not in _UPFRONT | _COSTS | _FUNDING),
        premium=_worth(results, lambda cause: cause in _UPFRONT),
        fees=_worth(results, lambda cause: cause in _COSTS),
        funding=_worth(results, lambda cause: cause in _FUNDING),
        intrinsic=_intrinsic(designations, trades),
        open=_coins(one.open for one in designations),
    )


def _coins(parts: Iterable[Decimal]) -> Money:
    return booked(sum(parts, Decimal(0)), BTC)


def _worth(results: Sequence[HedgeResult], wanted: Callable[[FlowCause], bool]) -> Money:
    return sum_of(one.worth_usd for one in results if wanted(one.cause))


def _intrinsic(
    designations: Sequence[DesignationState],
    trades: Mapping[str, Trade],
) -> Money:
    """Return what the hedges of a month would pay at the prices of its coins' own sales."""
    total = sum(
        (
            coins * intrinsic_per_coin(trades[one.trade], price)
            for one in designations
            for coins, price in one.parts
        ),
        Fraction(0),
    )
    return booked(total, USD)


def intrinsic_per_coin(trade: Trade, price: Fraction) -> Fraction:
    """Return what a trade pays for each coin it hedges at a price of the coin, in USD, premium apart."""
    total = Fraction(0)
    for leg in trade.legs:
        one = leg.instrument
        coins = Fraction(leg.amount) / Fraction(trade.size)
        if one.amount_in_usd:
            coins = coins / Fraction(leg.price)
        if one.strike is None:
            total += coins * (price - Fraction(leg.price))
        else:
            sign = 1 if one.kind is Kind.CALL else -1
            total += coins * max(sign * (price - Fraction(one.strike)), Fraction(0))
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeRow:
    """One month by production and by cash, in exact dollars."""

    month: Month
    own_sales: Money
    own_hedges: Money
    cash_sales: Money
    cash_hedges: Money

    @property
    def difference(self) -> Money:
        """Cash of the month less the result of its own coins: what moved in another month."""
        return self.cash_sales + self.cash_hedges - self.own_sales - self.own_hedges


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """The result by production, by cash, and as P&L at today's price: three views that add up.

    ``inventory_sales`` are of coins that no month of production delivered. ``revaluation`` is what coins
    received from hedges, premium coins among them, have gained since they moved.
    """

    rows: tuple[BridgeRow, ...]
    inventory_sales: Money
    revaluation: Money
    unrealised: Money
    pnl: Money

    @property
    def hedges(self) -> Money:
        """What hedges brought, at the prices when it moved."""
        return sum_of(row.own_hedges for row in self.rows)

    @property
    def holds(self) -> bool:
        """Whether the three views agree to the cent."""
        own = sum_of(row.own_sales + row.own_hedges for row in self.rows) + self.inventory_sales
        cash = sum_of(row.cash_sales + row.cash_hedges for row in self.rows)
        return own == cash and self.hedges + self.revaluation + self.unrealised == self.pnl


def bridge(
    realised: Sequence[RealisedMonth],
    books: Mapping[Month, MonthBooks],
    results: Iterable[HedgeResult],
    price: Fraction,
    unrealised: Money,
) -> Bridge:
    """Return the bridge between production, cash and P&L.

    Args:
        realised: months by production.
        books: months by cash.
        results: what hedges brought.
        price: USD per coin today.
        unrealised: worth of what is on, in USD.
    """
    hedged = list(results)
    own = {one.month: one for one in realised}
    months = sorted({*own, *books, *(one.cash_month for one in hedged)})
    rows = tuple(
        BridgeRow(
            month=month,
            own_sales=own[month].sales if month in own else _NO_USD,
            own_hedges=sum_of(one.worth_usd for one in hedged if one.month == month),
            cash_sales=books[month].proceeds if month in books else _NO_USD,
            cash_hedges=sum_of(one.worth_usd for one in hedged if one.cash_month == month),
        )
        for month in months
    )
    sold = sum_of(row.cash_sales for row in rows)
    coins = sum(one.coins.smallest for one in hedged)
    today = booked(Fraction(coins, BTC.scale) * price, USD) + sum_of(one.usd for one in hedged)
    moved = sum_of(one.worth_usd for one in hedged)
    return Bridge(
        rows=rows,
        inventory_sales=sold - sum_of(row.own_sales for row in rows),
        revaluation=today - moved,
        unrealised=unrealised,
        pnl=today + unrealised,
    )


def month_result(
    own: RealisedMonth, books: MonthBooks | None, known: MonthResult | None
) -> MonthResult:
    """Return a month of production as figures: its own coins and hedges, costs and cash as booked.

    Args:
        own: the month by production, exact.
        books: the month by cash; costs are taken from it.
        known: cash, margin and cash without hedges at the month's last booking; zero where none was.
    """
    last = known or MonthResult.empty(own.month, 0.0)
    return replace(
        last,
        mined=float(own.mined),
        sold=float(own.sold),
        spot_usd=float(own.sales),
        hedge_usd=float(own.recognised_usd),
        premium_usd=float(own.recognised(own.premium)),
        fees_usd=float(own.recognised(own.fees)),
        basis_usd=0.0 if own.basis_usd is None else float(own.basis_usd),
        costs_usd=0.0 if books is None else float(books.costs),
    )
