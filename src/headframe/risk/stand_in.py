"""Contracts on a schedule as the forwards and options that are worth the same, for everything that marks.

A hashprice forward in USD is a forward sale of the coins its index pays, month by month: fixed less index
times price is the index's coins times (fixed over those coins, less the price). One in coin is coins promised
bought and the index's coins sold, at no price. An option on a mean is one on the mean's forward that expires
when a price would have spread as far as the mean does on the same surface. Each fixing has a volatility of
its own, so the mean's variance is the sum of w_i (2 (n - i) + 1) over n squared, w_i the total variance at
fixing i of n; the expiry is where the surface's own total variance is that. The fixings done move its strike
and take their share of its amount. That is two moments of the mean; what conditioning on the geometric mean
says more at today's price is carried as cash, so that a mark is the better method's and a price shock's error
that of two moments.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from math import log

from headframe.book import Designation, HeldContract, Position, TradeLeg
from headframe.instrument import AveragedOption, Instrument, Kind
from headframe.pricing import (
    AverageOption,
    Surface,
    equivalent_years,
    fixing_vols,
    mean_variance,
)
from headframe.risk.marks import leg_value_usd
from headframe.units import Month, year_fraction

Index = Callable[[date], float]
"""Coins that a PH/s is expected to earn on a day."""
_SAT, _TINY = Decimal("0.00000001"), Decimal("0.01")


def stand_ins(
    contracts: Iterable[HeldContract], surface: Surface, at: datetime, index: Index
) -> tuple[Position, ...]:
    """What is left of contracts, those that are over left out."""
    found = (stand_in(one, surface, at, index) for one in contracts)
    return tuple(one for one in found if one is not None)


def stand_in(held: HeldContract, surface: Surface, at: datetime, index: Index) -> Position | None:
    """What is left of a contract as a position; None where every day is fixed."""
    days = held.days_left
    if not days:
        return None
    contract = held.contract
    remaining = held.remaining
    trade = replace(
        contract.trade,
        size=sum((coins for _, coins in remaining), Decimal(0)),
        legs=tuple(_legs(held, days, surface, at, index)),
        designations=tuple(
            Designation(month=month, coins=coins, words="", hedge_for_accounts=True)
            for month, coins in remaining
        ),
    )
    return Position(trade=trade, remaining=remaining)


def _legs(
    held: HeldContract, days: Sequence[date], surface: Surface, at: datetime, index: Index
) -> Iterator[TradeLeg]:
    terms = held.contract.terms
    if terms.forward is None:
        for one in terms.options:
            yield from _averaged(held, one, terms.coin, surface, at)
        return
    phs, fixed = float(terms.forward.phs), float(terms.forward.fixed)
    for _, some in groupby(days, Month.of):
        month = list(some)
        expiry = _middle(month, at)
        instrument = Instrument(kind=Kind.FORWARD, coin=terms.coin, settled_in="USD", expiry=expiry)
        coins = phs * sum(index(day) for day in month)
        promised = phs * fixed * len(month)
        if terms.in_coin:  # two legs, since only what the index pays moves with difficulty
            yield _leg(instrument, promised, 0.0)
            yield _leg(instrument, -coins, 0.0)
        else:
            yield _leg(instrument, -coins, promised / coins)


def _middle(days: Sequence[date], at: datetime) -> datetime:
    begin, end = days[0], days[-1] + timedelta(days=1)
    start = max(datetime.combine(begin, time(), at.tzinfo), at)
    stop = max(datetime.combine(end, time(), at.tzinfo), start)
    return start + (stop - start) / 2


def _leg(instrument: Instrument, amount: float, price: float) -> TradeLeg:
    return TradeLeg(
        instrument=instrument,
        amount=Decimal(repr(round(amount, 8))),
        price=Decimal(repr(round(price, 8))),
    )


def _averaged(
    held: HeldContract, one: AveragedOption, coin: str, surface: Surface, at: datetime
) -> Iterator[TradeLeg]:
    """The option on the forward of the mean of the fixings to come, and what the better method says more."""
    coming, every = len(held.days_left), len(one.days)
    done = float(sum((price for _, price in held.fixings), Decimal(0)))
    strike = (every * float(one.strike) - done) / coming
    years = [max(year_fraction(at, held.fixes_at(day)), 0.0) for day in held.days_left]
    mean = sum(surface.forward(t) for t in years) / coming
    spread = _spread_years(strike, mean, surface, years)
    scale = surface.forward(spread) / mean
    expiry = at + timedelta(days=365.0 * spread)
    coins = float(one.coins) * coming / every
    if strike <= 0.0 and one.kind is Kind.CALL:  # certain to be exercised
        instrument = Instrument(kind=Kind.FORWARD, coin=coin, settled_in="USD", expiry=expiry)
        yield _leg(instrument, coins / scale, strike * scale)
        return
    struck = max(Decimal(repr(round(strike * scale, 6))), _TINY)
    instrument = Instrument(
        kind=one.kind, coin=coin, settled_in="USD", expiry=expiry, strike=struck
    )
    leg = _leg(instrument, coins / scale, 0.0)
    yield leg
    if spread > 0.0 and strike > 0.0:
        sign = 1.0 if one.kind is Kind.CALL else -1.0
        better = coins * averaged_worth(sign, strike, surface, years)
        plain = leg_value_usd(instrument, float(leg.amount), 1.0, surface, at)
        yield _cash(coin, expiry, better - plain, surface, at)


def _cash(coin: str, expiry: datetime, usd: float, surface: Surface, at: datetime) -> TradeLeg:
    """Dollars as a forward of a satoshi: worth the same at any price."""
    instrument = Instrument(kind=Kind.FORWARD, coin=coin, settled_in="USD", expiry=expiry)
    forward = surface.forward(max(year_fraction(at, expiry), 0.0))
    side = 1.0 if usd >= 0.0 else -1.0
    return TradeLeg(
        instrument=instrument,
        amount=_SAT.copy_sign(Decimal(int(side))),
        price=Decimal(repr(round(forward - abs(usd) * 1e8, 6))),
    )


def _spread_years(strike: float, mean: float, surface: Surface, years: Sequence[float]) -> float:
    """When a price has spread as far, at the moneyness of the strike, as the mean of the fixings does.

    A strike at or below zero has no moneyness: that of the forward is taken.
    """
    struck = strike if strike > 0.0 else mean
    variance = mean_variance(years, fixing_vols(surface, years, struck))
    return equivalent_years(surface, variance, log(struck / mean), years[-1])


def averaged_worth(sign: float, strike: float, surface: Surface, years: Sequence[float]) -> float:
    """What a coin's option on the mean of fixings to come, at these times, is worth: 1 a call, -1 a put.

    By conditioning on the geometric mean, each fixing at its own volatility on the surface, on the mean
    of the forwards.
    """
    count, first, last = len(years), max(years[0], 1e-9), max(years[-1], 1e-9)
    vols = fixing_vols(surface, years, strike)
    price, _ = AverageOption(
        sign=sign,
        forward=sum(surface.forward(t) for t in years) / count,
        strike=strike,
        vol=vols[-1],
        years=last,
        discount=1.0,
        fixings=count,
        first_fixing_years=first,
        vols=vols,
    ).figures()
    return price[0]
