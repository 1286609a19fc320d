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
) -> ZeroCost | None:
    """The highest listed call whose bid pays the put's ask, but for a debit of at most ``debit_max``.

    The put is bought at its ask and the call sold at its bid. None where the put has no ask, no
    call brings enough, or the only call that does lies below the put.
    """
    put = tradable(snapshot, surface, is_call=False, strike=put_strike, expiry=expiry)
    if put is None:
        return None
    years = year_fraction(snapshot.as_of, expiry)
    best: tuple[float, float] | None = None
    for strike in listed_strikes(snapshot, expiry, surface.forward(years)):
        if strike <= put_strike:
            continue
        call = tradable(snapshot, surface, is_call=True, strike=strike, expiry=expiry)
        if call is not None and put.ask - call.bid <= debit_max + 1e-12:
            best = (strike, call.bid)
    if best is None:
        return None
    return ZeroCost(
        put_strike=put_strike,
        put_ask=put.ask,
        exact_call_strike=_exact(surface, put.ask, snapshot, years, put_strike),
        call_strike=best[0],
        call_bid=best[1],
    )


def _exact(
    surface: Surface, put_ask: float, snapshot: Snapshot, years: float, put_strike: float
) -> float:
    """The strike whose bid, on the smile less the half spread, equals the put's ask: by bisection."""
    half = snapshot.half_spread
    forward = surface.forward(years)

    def bid(strike: float) -> float:
        return (1.0 - half) * surface.value(1.0, years, strike) / forward

    return falling_root(bid, put_ask, put_strike, 5.0 * forward)


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
