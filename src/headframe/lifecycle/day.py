"""The daily close of a hedged mine, one engine for every source of prices.

A close is at 08:00 UTC, when venues settle. ``close_day`` closes a day of a price scenario: coins are
mined and sold, hedges reduced by the mandate's policy and settled, margin moved, costs paid.
``settle_day`` closes a day of the real world, where coins, sales and costs are recorded from the pool,
the chain and the bank: it settles what the hedges pay, and moves margin and collateral. Everything that
changes hands is booked through balanced entries; model figures enter the books only through the one
rounding.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from headframe.book import (
    CASH,
    CREDIT_LINE,
    Accounts,
    Entry,
    Ledger,
    PendingCall,
    Position,
    Transit,
    coins_mined,
    costs_paid,
    promise,
    settled_on,
)
from headframe.hedge import fee_usd, upfront_usd
from headframe.lifecycle.contract_day import ContractsDay, contracts_of_day
from headframe.lifecycle.daily_margin import margin_of_day
from headframe.lifecycle.day_start import DayStart
from headframe.lifecycle.flows import FlowCause, HedgeFlow, position_flows
from headframe.lifecycle.funding_flows import funding_dues, funding_flows
from headframe.lifecycle.interest import interest_of_day
from headframe.lifecycle.payments import pay_from_books, pay_with_sale, post_all
from headframe.lifecycle.performance import MonthResult
from headframe.lifecycle.settlement_prices import ClosePrices, expires_by, future_name
from headframe.lifecycle.till import Till
from headframe.lifecycle.unwinding import coins_kept, deal_back
from headframe.mining import Forecast
from headframe.risk import Course, leg_price, stand_ins
from headframe.units import BTC, USD, Month, booked

_SAT = Decimal("0.00000001")
_CENT = Decimal("0.01")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnd:
    """What a close leaves behind: entries in order, changed positions, marks, flows of hedges."""

    entries: tuple[Entry, ...]
    positions: tuple[Position, ...]
    shortfall: str
    flows: tuple[HedgeFlow, ...]
    result: MonthResult | None = None
    """The month so far, of a scenario's day."""
    settled: tuple[str, ...] = ()
    transit: tuple[Transit, ...] = ()
    calls: tuple[PendingCall, ...] = ()
    ended: tuple[tuple[str, str], ...] = ()
    """Trades that ended at this close: exercised, expired, or settled."""
    fixed: tuple[tuple[str, date, Decimal], ...] = ()
    """Days of contracts that were fixed: which contract, which day, at what."""


def settle_day(start: DayStart, prices: ClosePrices) -> DayEnd:
    """Close a day on recorded prices: variation, expiry and exercise, then margin and collateral."""
    spot = Fraction(prices.index) if prices.index is not None else Fraction(start.spot)
    till = Till(spot)
    at = start.closes_at
    after = tuple(_settled(position, prices, at, till) for position in start.positions)
    _fund(start, prices, till)
    trial = start.ledger.copy()
    owed = (*settled_on(start.payments, at.date()), *interest_of_day(start))
    paid = pay_from_books(start, trial, till, owed)
    begun = replace(start, ledger=trial)
    held = (*after, *start.later)
    secured = margin_of_day(begun, held) if prices.index is not None else None
    moved = pay_from_books(begun, trial, Till(spot), () if secured is None else secured.entries)
    return DayEnd(
        entries=(*paid.entries, *moved.entries),
        positions=after,
        shortfall="; ".join(words for words in (paid.shortfall, moved.shortfall) if words),
        flows=tuple(till.flows),
        settled=tuple(p.trade.id for p in start.positions if expires_by(p.trade, at)),
        transit=(*paid.transit, *(t for t in moved.transit if t not in paid.transit)),
        calls=start.calls if secured is None else secured.calls,
        ended=tuple(_endings(start.positions, after, till.flows)),
    )


def _fund(start: DayStart, prices: ClosePrices, till: Till) -> None:
    """Take the funding of perpetuals into the close: a cash flow beside the variation."""
    if start.funding is None:
        return
    dues = funding_dues(prices.day, start.positions, start.dealt_back)
    for flow in funding_flows(dues, start.funding):
        till.add(flow)


def _settled(
    position: Position,
    prices: ClosePrices,
    at: datetime,
    till: Till,
    spot_before: Fraction | None = None,
) -> Position:
    """Return a position after its variation and expiry, with the promises of what expired released."""
    flows, after = position_flows(position, prices, at, spot_before)
    for flow in flows:
        till.add(flow)
    return after if after.remaining is position.remaining else _release(position, after, till)


def _release(before: Position, after: Position, till: Till) -> Position:
    """Release the promises of coins that a position no longer hedges."""
    firm, left = before.trade.sells_upside, dict(after.remaining)
    for month, coins in before.remaining:
        gone = booked(coins - left[month], BTC)
        if gone.smallest:
            till.entries.append(promise(month, -gone, firm=firm, memo=before.trade.id))
    return after


def _endings(
    before: Sequence[Position], after: Sequence[Position], flows: Iterable[HedgeFlow]
) -> list[tuple[str, str]]:
    """Return how each trade ended whose last coins went: exercised, expired or settled."""
    paid = [flow for flow in flows if flow.money.smallest]
    exercised = {flow.trade for flow in paid if flow.cause is FlowCause.EXERCISE}
    unwound = {flow.trade for flow in paid if flow.cause is FlowCause.UNWIND}
    found: list[tuple[str, str]] = []
    for old, new in zip(before, after, strict=True):
        if new.coins or not old.coins:
            continue
        name = old.trade.id
        option = any(leg.instrument.is_option for leg in old.trade.legs)
        settled = not option or name in unwound
        how = "settled" if settled else "exercised" if name in exercised else "expired"
        found.append((name, how))
    return found


def close_day(start: DayStart) -> DayEnd:
    """Close a day of a price scenario: everything it does, in the order the money moves."""
    till = Till(Fraction(start.spot))
    prices = _scenario_prices(start)
    after = tuple(_hedge(start, position, prices, till) for position in start.positions)
    mined = booked(start.mined, BTC)
    before = start.so_far or MonthResult.empty(start.month, start.cash_unhedged_usd)
    unsold = Fraction(Decimal(repr(round(before.mined - before.sold, 8)))) + Fraction(start.mined)
    sold = unsold if start.sells else Fraction(0)
    costs = _costs(start)
    contracts = _contracts(start, till)
    secured = margin_of_day(start, (*after, *_left_of(start, contracts)))
    entries = [coins_mined(mined)] if mined.smallest else []
    trial = start.ledger.copy()
    post_all(trial, entries)
    value_dates = settled_on(start.payments, start.closes_at.date())
    paid = pay_with_sale(start, trial, till, sold, (*costs, *value_dates, *secured.entries))
    spot_usd = float(booked(sold * Fraction(start.spot), USD))
    premium, fees = _premium(start, after)
    premium, fees = premium + contracts.premium_usd, fees + contracts.fees_usd
    hedge_usd = float(till.dollars + till.coins * Fraction(start.spot)) + premium + fees
    hedge_usd += start.closed_usd
    costs_usd = sum(float(entry.postings[0].money) for entry in costs)
    result = replace(
        before,
        mined=round(before.mined + float(start.mined), 8),
        sold=round(before.sold + float(sold), 8),
        spot_usd=before.spot_usd + spot_usd,
        hedge_usd=before.hedge_usd + hedge_usd,
        premium_usd=before.premium_usd + premium,
        fees_usd=before.fees_usd + fees + till.fees_usd,
        basis_usd=before.basis_usd + till.basis_usd,
        costs_usd=before.costs_usd + costs_usd,
        margin_usd=_posted(trial, start.spot),
        cash_usd=_cash(trial),
        cash_unhedged_usd=start.cash_unhedged_usd + spot_usd - costs_usd,
    )
    return DayEnd(
        entries=(*entries, *paid.entries),
        positions=after,
        result=result,
        flows=tuple(till.flows),
        settled=tuple(p.trade.id for p in start.positions if expires_by(p.trade, start.closes_at)),
        shortfall=paid.shortfall,
        transit=paid.transit,
        calls=secured.calls,
        fixed=contracts.fixed,
        ended=tuple(_endings(start.positions, after, till.flows)),
    )


def _scenario_prices(start: DayStart) -> ClosePrices:
    """Return the prices a scenario settles at: forwards of its surface, deliveries at its spot."""
    futures: dict[str, Decimal] = {}
    deliveries: dict[tuple[str, str], Decimal] = {}
    for position in start.positions:
        for leg in position.trade.legs:
            one = leg.instrument
            if expires_by(position.trade, start.closes_at):
                deliveries[position.trade.id, one.name] = start.spot
            elif not one.is_option:
                forward = leg_price(one, start.surface, start.closes_at)
                mark = Decimal(repr(forward)).quantize(_CENT, rounding=ROUND_HALF_EVEN)
                futures[future_name(one)] = mark
    return ClosePrices(
        day=start.closes_at.date(), index=start.spot, futures=futures, deliveries=deliveries
    )


def _hedge(start: DayStart, position: Position, prices: ClosePrices, till: Till) -> Position:
    """Settle what expires, mark futures, and reduce what the policy reduces today."""
    before = Fraction(start.spot_of(position))
    after = _settled(position, prices, start.closes_at, till, before)
    if after.coins == 0:
        return after
    kept = coins_kept(start, after)
    deal_back(start, after, kept, till)
    return _release(after, replace(after, remaining=tuple(kept.items())), till)


def _contracts(start: DayStart, till: Till) -> ContractsDay:
    """Fix the contracts of the day: what they pay is paid, what they no longer promise is released."""
    found = contracts_of_day(start)
    held = {one.contract.id: one for one in start.contracts}
    for name, code, amount in found.paid:
        days = [day for contract, day, _ in found.fixed if contract == name]
        months = [Month.of(day) for day in days] or [held[name].remaining[0][0]]
        weights = {month: Decimal(months.count(month)) for month in months}
        till.pay(name, FlowCause.FIXING, (code, amount), weights, amount)
    till.entries += found.released
    return found


def _left_of(start: DayStart, contracts: ContractsDay) -> tuple[Position, ...]:
    """Return what is left of contracts at the day's close, for collateral."""
    if not contracts.after:
        return ()
    assert start.index is not None
    return stand_ins(contracts.after, start.surface, start.closes_at, start.index)


def _premium(start: DayStart, after: tuple[Position, ...]) -> tuple[float, float]:
    """Return premium and fee of the coins no longer hedged: paid at the trade, counted with its coins."""
    premium = fees = 0.0
    for before, left in zip(start.positions, after, strict=True):
        share = float((before.coins - left.coins) / before.trade.size)
        fee = fee_usd(before.trade)
        premium += share * (upfront_usd(before.trade) + fee)
        fees -= share * fee
    return premium, fees


def _posted(ledger: Ledger, spot: Decimal) -> float:
    dollars = float(ledger.total("assets:cash:posted:", USD))
    return dollars + float(ledger.total("assets:coins:posted:", BTC)) * float(spot)


def _cash(ledger: Ledger) -> float:
    """Return cash less what is drawn or overdue."""
    owed = ledger.balance(CREDIT_LINE, USD) + ledger.balance(Accounts.OVERDUE, USD)
    return float(ledger.balance(CASH, USD) + owed)


def _costs(start: DayStart) -> tuple[Entry, ...]:
    """Return cash costs, all on one day at the month's end."""
    if not start.pays_costs:
        return ()
    costs, month = start.operation.costs, start.month
    named = (
        ("power", start.power_usd),
        ("fixed", costs.fixed_usd_month),
        ("debt service", costs.debt_service_usd_month),
        ("capex", costs.capex_usd.get(month, 0.0)),
    )
    paid = ((what, booked(Decimal(repr(amount)), USD)) for what, amount in named)
    return tuple(costs_paid(what, money) for what, money in paid if money.smallest > 0)


def mined_on(forecast: Forecast, course: Course, day: date) -> Decimal:
    """Coins of a day: the month's median in a stable market, fewer in a rally, more in a fall.

    Difficulty follows price: a rally brings the middle of P10 and P50, a fall that of P50 and P90.
    """
    row = forecast.of(Month.of(day))
    band = row.coins
    coins = {
        Course.STABLE: band.p50,
        Course.BULL: 0.5 * (band.p10 + band.p50),
        Course.BEAR: 0.5 * (band.p50 + band.p90),
    }[course]
    exact = Decimal(repr(coins)) / row.month.days
    return exact.quantize(_SAT, rounding=ROUND_HALF_EVEN)
