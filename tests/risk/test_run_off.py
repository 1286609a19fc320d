"""Reducing hedges on the engine's paths: the share left by day, and a second accounting of what it brings."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from headframe.counterparty import CollateralTerms
from headframe.instrument import parse_instrument
from headframe.mandate import Unwind
from headframe.market import sample_market
from headframe.mining import SalePolicy
from headframe.pricing import black76, surface_of
from headframe.risk import (
    DealingCosts,
    HedgedLeg,
    Ladder,
    NettingSet,
    Programme,
    hedge_of,
    ladder,
    left_by_day,
    prepare,
)
from headframe.risk.engine import calendar_of
from headframe.risk.rules import rule_set
from headframe.units import Month, Wrong
from mines import START, mine

SLOW = pytest.mark.slow
MARKET = sample_market()
SURFACE = surface_of(MARKET)
TERMS = CollateralTerms(
    threshold_usd=1e9, minimum_transfer_usd=0.0, rounding_usd=0.0, independent_share=0.0, haircut=0.0
)  # fmt: skip
SETS = (
    NettingSet(name="venue", venue=rule_set(date(2026, 8, 22))[0]),
    NettingSet(name="dealer amber", terms=TERMS),
)
COSTS = DealingCosts(
    option_half_spread=0.02, option_fee_coins=0.0003, option_fee_cap_share=0.125,
    linear_half_spread=0.0002, future_fee_share=0.0005,
)  # fmt: skip
SEPTEMBER, OCTOBER = Month(2026, 9), Month(2026, 10)


def leg(name: str, amount: float, entry: float, netting: str, **months: float) -> HedgedLeg:
    named = {"september": SEPTEMBER, "october": OCTOBER, "july": Month(2026, 7)}
    return HedgedLeg(
        instrument=parse_instrument(name), amount=amount, entry=entry, netting=netting, margined=abs(amount),
        months=tuple((named[name], coins) for name, coins in months.items()),
    )  # fmt: skip


LEGS = (
    leg("BTC-30OCT26", -700_000.0, 77_700.0, "venue", september=4.0, october=5.0),
    leg("BTC_USD-25DEC26-FWD", -6.0, 78_300.0, "dealer amber", september=2.0, october=4.0),
    leg("BTC-25DEC26-70000-P", 10.0, 0.0, "dealer amber", october=10.0),
    leg("BTC-25DEC26-88000-C", -10.0, 0.0, "dealer amber", october=10.0),
    leg("BTC_USD-30OCT26-FWD", -1.0, 77_000.0, "dealer amber", july=1.0),
)


def programme(unwind: Unwind, **changed: Any) -> Programme:
    given: dict[str, Any] = {
        "as_of": MARKET.as_of, "months": 3, "operation": mine(), "start": START, "surface": SURFACE,
        "model": ladder(Ladder.GBM, SURFACE), "hedge": hedge_of(LEGS, SETS, MARKET.as_of),
        "opening": (1e6, 5e5, 10.0, 3.0), "unwind": unwind, "dealing": COSTS,
    }  # fmt: skip
    return Programme(**(given | changed))


def test_what_is_left_follows_the_sales_of_the_month() -> None:
    daily = calendar_of(programme(Unwind.MONTHLY))
    for month in (SEPTEMBER, OCTOBER):
        days = [n for n in range(daily.days) if daily.months[daily.month[n]] == month]
        held = left_by_day(month, daily, Unwind.AT_EXPIRY)
        block = left_by_day(month, daily, Unwind.MONTHLY)
        sold = left_by_day(month, daily, Unwind.AS_SOLD)
        assert (held == 1.0).all()
        assert (block[: days[-1] + 1] == 1.0).all()
        assert (block[days[-1] + 1 :] == 0.0).all()
        assert sold[days[0]] == 1.0
        assert sold[days[9] + 1] == pytest.approx(1.0 - 10.0 / month.days)
        assert (sold[days[-1] + 1 :] == 0.0).all()
    early = left_by_day(Month(2026, 7), daily, Unwind.MONTHLY)
    assert early[0] == 1.0
    assert (early[1:] == 0.0).all(), "a month that is over is closed on the first day"
    late = left_by_day(Month(2027, 12), daily, Unwind.AS_SOLD)
    assert (late == 1.0).all()


def test_month_end_sales_reduce_in_one_block_under_either_policy() -> None:
    operation = replace(mine(), sale_policy=SalePolicy.MONTH_END)
    calendar = calendar_of(programme(Unwind.MONTHLY, operation=operation))
    for month in (SEPTEMBER, OCTOBER):
        block, sold = (
            left_by_day(month, calendar, one) for one in (Unwind.MONTHLY, Unwind.AS_SOLD)
        )
        assert (block == sold).all()


def test_dealers_trades_are_not_bought_back_daily_and_expired_legs_settle_what_is_left() -> None:
    engine = prepare(programme(Unwind.AS_SOLD))
    future, forward, put, _, _ = engine.alive
    assert set(forward.round(9)) == {1.0, round(2.0 / 3.0, 9), 0.0}, "in one block a month"
    assert set(put) == {1.0, 0.0}
    expiry = int(engine.legs[0, 4])
    assert 0.0 < future[expiry] == future[expiry - 1] < 0.2, "30 October leaves two days' coins"
    assert engine.notional[0, 0] == 700_000.0
    assert engine.notional[0, expiry - 1] == pytest.approx(700_000.0 * future[expiry - 1])


def _worth(row: Any, spot: float, day: int, basis: float) -> tuple[float, float]:
    """Return value and cost of closing all of a leg on a day, by formulas of the textbook."""
    sign, inverse, amount, strike, expiry, _ = row
    left = (expiry - day) / 365.0
    growth = SURFACE.forward(expiry / 365.0) / SURFACE.forward(day / 365.0)
    forward = spot * growth * math.exp(basis * left)
    if sign == 0.0 and inverse:
        coins = abs(amount) / forward
        fee = coins * COSTS.future_fee_share * spot
        value = amount * (1.0 / strike - 1.0 / forward) * spot
        return float(value), float(fee + coins * COSTS.linear_half_spread * spot)
    if sign == 0.0:
        return float(amount * (forward - strike)), abs(
            amount
        ) * 3.0 * COSTS.linear_half_spread * forward
    vol = SURFACE.vol_at(left, math.log(strike / forward))
    price = black76(sign, forward, strike, vol, left, 1.0) * spot / forward
    fee = min(COSTS.option_fee_coins * spot, COSTS.option_fee_cap_share * price)
    return float(amount * price), float(abs(amount) * (COSTS.option_half_spread * price + fee))


def _paid(row: Any, spot: float) -> float:
    sign, inverse, amount, strike, _, _ = row
    if sign != 0.0:
        return float(amount * max(sign * (spot - strike), 0.0))
    return float(amount * (spot / strike - 1.0) if inverse else amount * (spot - strike))


def _by_hand(made: Programme, months: Any, spots: Any, basis: Any) -> float:
    """Return what the hedge brings on one path: blocks closed by date, expiries, and what is on at the end.

    Shares are counted from calendar dates here, not from the engine's own schedule.
    """
    total, days = 0.0, len(spots) - 1
    for row, hedged, venue in zip(made.hedge.legs, months, made.hedge.at_venue, strict=True):
        left, coins = 1.0, sum(n for _, n in hedged)
        start, _ = _worth(row, spots[0], 0, 0.0)
        if row[5] == 0:
            total -= start  # the venue has paid for what was before
        for day in range(1, min(int(row[4]), days + 1)):
            now = datetime.fromtimestamp(made.as_of.timestamp() + (day - 0.5) * 86_400.0, UTC)
            target = sum(n for month, n in hedged if not _is_over(month, now)) / coins
            if made.unwind is Unwind.AT_EXPIRY:
                target = 1.0
            elif made.unwind is Unwind.AS_SOLD and venue:
                gone = sum(n * now.day / m.days for m, n in hedged if Month.of(now) == m)
                target = sum(n for m, n in hedged if Month.of(now) <= m) / coins - gone / coins
            value, cost = _worth(row, spots[day], day, basis[day])
            total += (left - target) * value - abs(left - target) * cost
            left = target
        if row[4] <= days:
            total += left * _paid(row, spots[int(row[4])])
        else:
            total += left * _worth(row, spots[-1], days, basis[-1])[0]
    return total


def _is_over(month: Month, now: datetime) -> bool:
    """Return whether a month's last day is this one or before."""
    return now.date() >= month.last_day


@pytest.mark.parametrize("unwind", list(Unwind))
@pytest.mark.parametrize(
    "legs", [pytest.param(LEGS[:2], marks=SLOW), pytest.param(LEGS[4:], marks=SLOW), LEGS]
)
def test_a_second_accounting_of_reduced_hedges_agrees(
    unwind: Unwind, legs: tuple[HedgedLeg, ...]
) -> None:
    used = tuple(one for one in SETS if any(leg.netting == one.name for leg in legs))
    made = programme(unwind, hedge=hedge_of(legs, used, MARKET.as_of))
    engine, count = prepare(made), 5
    out = np.empty((engine.calendar.days + 1, 4, count))
    engine.paths(11, 0, out)
    results = engine.shard(11, 0, count)
    options = any(row[0] != 0.0 for row in made.hedge.legs)
    for path in range(count):
        hand = _by_hand(
            _faced(made), [one.months for one in legs], out[:, 0, path], out[:, 3, path]
        )
        assert results[path, 4] == pytest.approx(hand, abs=9_000.0 if options else 60.0)
        months = len(engine.calendar.months)
        flows = results[path, 10 + 2 * months :] - results[path, 10 + months : 10 + 2 * months]
        if unwind is Unwind.MONTHLY and not options:
            assert flows.sum() == pytest.approx(results[path, 4], abs=60.0), "all is cash"


def _faced(made: Programme) -> Programme:
    """Return the programme with the venue's set numbered 0 and the dealer's 1, whichever are there."""
    rows = made.hedge.legs.copy()
    rows[:, 5] = [0.0 if venue else 1.0 for venue in made.hedge.at_venue]
    return replace(made, hedge=replace(made.hedge, legs=rows, sets=SETS))


def test_marks_of_a_reduced_hedge_are_those_of_what_is_left() -> None:
    engine = prepare(programme(Unwind.MONTHLY))
    worst, rms = engine.marks_error(7)
    assert 0.0 < rms < 3e-4 * 32.0 * MARKET.index
    assert worst < 5e-3 * 32.0 * MARKET.index
    last = engine.tables[:, -1]
    assert np.abs(last).max() == 0.0, "by November everything is closed"


def test_dealing_costs_are_shares() -> None:
    with pytest.raises(Wrong, match="option_half_spread"):
        DealingCosts(option_half_spread=float("nan"))
    with pytest.raises(Wrong, match="future_fee_share"):
        DealingCosts(future_fee_share=1.0)
