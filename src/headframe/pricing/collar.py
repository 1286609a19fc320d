"""The call that pays for a put, on prices one can deal on, snapped to listed strikes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headframe.market import Snapshot
from headframe.pricing.kernels import black76
from headframe.pricing.smile import Surface
from headframe.pricing.tradable import listed_strikes, tradable
from headframe.units import Wrong, year_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroCost:
    """A collar's put and call, its exact call strike, and what is left to pay.

    ``residual`` is coins per coin: the put's ask less the call's bid, positive when one pays.
    """

    put_strike: float
    put_ask: float
    exact_call_strike: float
    call_strike: float
    call_bid: float

    @property
    def residual(self) -> float:
        """Net premium in coin per coin; positive is paid."""
        return self.put_ask - self.call_bid


def zero_cost_call(
    snapshot: Snapshot,
    surface: Surface,
    *,
    put_strike: float,
    expiry: datetime,
    debit_max: float = 0.0,
    fee: Callable[[float], float] = lambda _: 0.0,
) -> ZeroCost | None:
    """Return the highest listed call whose bid pays the put's ask but for ``debit_max``, fees in.

    The put is bought at its ask and the call sold at its bid; ``fee`` is what a leg of such a premium
    costs, in coin per coin. None if the put has no ask, no call brings enough, or the only call that
    does lies below the put.
    """
    put = tradable(snapshot, surface, is_call=False, strike=put_strike, expiry=expiry)
    if put is None:
        return None
    paid = put.ask + fee(put.ask)
    found = _snapped(snapshot, surface, put_strike, expiry, paid, fee)
    best = [one for one in found if one.residual <= debit_max + 1e-12]
    if not best:
        return None
    years = year_fraction(snapshot.as_of, expiry)
    return ZeroCost(
        put_strike=put_strike,
        put_ask=put.ask,
        exact_call_strike=_exact(surface, paid, snapshot, years, put_strike, fee),
        call_strike=best[-1].call_strike,
        call_bid=best[-1].call_bid,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapped:
    """A listed call, its bid, and what is left to pay in coin per coin, fees in: below 0 is received."""

    call_strike: float
    call_bid: float
    residual: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroCostPair:
    """A collar, or with ``lower_strike`` a three-way, at no cost: the exact call and the listed ones beside.

    ``credit`` is the highest listed call that leaves something to receive, ``debit`` the lowest
    that leaves something to pay; None where no listed call above the put does. A three-way is
    no full floor: below the lower strike its protection shrinks.
    """

    put_strike: float
    put_ask: float
    lower_strike: float | None
    lower_bid: float
    exact_call_strike: float | None
    credit: Snapped | None
    debit: Snapped | None


def zero_cost_pair(
    snapshot: Snapshot,
    surface: Surface,
    *,
    put_strike: float,
    expiry: datetime,
    lower_strike: float | None = None,
    fee: Callable[[float], float] = lambda _: 0.0,
) -> ZeroCostPair | None:
    """Both listed answers to a put bought at its ask, and a lower one sold at its bid.

    ``fee`` is what a leg of such a premium costs, in coin per coin. None where a put has no such price.
    """
    if lower_strike is not None and not lower_strike < put_strike:
        raise Wrong(f"the lower put lies below {put_strike:g}, was {lower_strike:g}")
    put = tradable(snapshot, surface, is_call=False, strike=put_strike, expiry=expiry)
    lower_bid = 0.0
    if put is None:
        return None
    paid = put.ask + fee(put.ask)
    if lower_strike is not None:
        lower = tradable(snapshot, surface, is_call=False, strike=lower_strike, expiry=expiry)
        if lower is None:
            return None
        lower_bid = lower.bid
        paid -= lower_bid - fee(lower_bid)
    years = year_fraction(snapshot.as_of, expiry)
    snapped = _snapped(snapshot, surface, put_strike, expiry, paid, fee)
    gains = [one for one in snapped if one.residual <= 1e-12]
    debits = [one for one in snapped if one.residual > 1e-12]
    exact = _exact(surface, paid, snapshot, years, put_strike, fee)
    return ZeroCostPair(
        put_strike=put_strike,
        put_ask=put.ask,
        lower_strike=lower_strike,
        lower_bid=lower_bid,
        exact_call_strike=exact if gains else None,
        credit=gains[-1] if gains else None,
        debit=debits[0] if debits else None,
    )


def _snapped(
    snapshot: Snapshot,
    surface: Surface,
    put_strike: float,
    expiry: datetime,
    paid: float,
    fee: Callable[[float], float] = lambda _: 0.0,
) -> list[Snapped]:
    """Every listed call above the put that can be sold, upwards, with what it leaves to pay."""
    forward = surface.forward(year_fraction(snapshot.as_of, expiry))
    found: list[Snapped] = []
    for strike in listed_strikes(snapshot, expiry, forward):
        if strike > put_strike:
            call = tradable(snapshot, surface, is_call=True, strike=strike, expiry=expiry)
            if call is not None:
                left = paid - (call.bid - fee(call.bid))
                found.append(Snapped(call_strike=strike, call_bid=call.bid, residual=left))
    return found


def _exact(
    surface: Surface,
    paid: float,
    snapshot: Snapshot,
    years: float,
    put_strike: float,
    fee: Callable[[float], float] = lambda _: 0.0,
) -> float:
    """The strike whose bid, on the smile less the half spread and fee, brings what is paid: by bisection."""
    half = snapshot.half_spread
    forward = surface.forward(years)

    def bid(strike: float) -> float:
        price = (1.0 - half) * surface.value(1.0, years, strike) / forward
        return price - fee(price)

    return falling_root(bid, paid, put_strike, 5.0 * forward)


def zero_cost_strike(
    *, forward: float, put_strike: float, put_vol: float, call_vol: float, years: float
) -> float:
    """The call strike worth exactly the put, each at a flat volatility: no spread, no grid."""
    if min(forward, put_strike, put_vol, call_vol, years) <= 0.0:
        raise Wrong("a zero-cost strike needs positive forward, strike, volatilities and years")
    target = black76(-1.0, forward, put_strike, put_vol, years, 1.0)
    return falling_root(
        lambda strike: black76(1.0, forward, strike, call_vol, years, 1.0),
        target,
        put_strike,
        100.0 * forward,
    )


def falling_root(
    falling: Callable[[float], float], target: float, low: float, high: float
) -> float:
    """Where a falling function meets a target, between two ends, to the last bits."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in {low, high}:
            break
        if falling(middle) > target:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
