"""The forward curve: what futures and put-call parity say, and between which bounds."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from math import log

from headframe.market import OptionQuote, Snapshot
from headframe.units import year_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One expiry of the forward curve: forward, bounds and basis in USD, carry a year.

    ``bid`` and ``ask`` are what coin-settled calls and puts let one sell and buy the forward at;
    they cross where quotes were not taken at one instant, and are missing without such pairs.
    """

    expiry: datetime
    years: float
    forward: float
    bid: float | None
    ask: float | None
    basis_usd: float
    carry: float

    @property
    def inside(self) -> bool | None:
        """Whether the forward lies within its bounds; None where there are none to hold it to."""
        if self.bid is None or self.ask is None or self.bid > self.ask:
            return None
        return self.bid <= self.forward <= self.ask


def forward_curve(snapshot: Snapshot) -> tuple[CurvePoint, ...]:
    """The curve of a snapshot, by expiry, ACT/365 to 08:00 UTC."""
    by_expiry: dict[datetime, list[OptionQuote]] = defaultdict(list)
    for quote in snapshot.options:
        by_expiry[quote.expiry].append(quote)
    points: list[CurvePoint] = []
    for one in snapshot.forwards:
        years = year_fraction(snapshot.as_of, one.expiry)
        if years <= 0.0:
            continue
        bid, ask = parity_bounds(tuple(by_expiry[one.expiry]))
        points.append(
            CurvePoint(
                expiry=one.expiry,
                years=years,
                forward=one.price,
                bid=bid,
                ask=ask,
                basis_usd=one.price - snapshot.index,
                carry=log(one.price / snapshot.index) / years,
            )
        )
    return tuple(points)


def parity_bounds(quotes: tuple[OptionQuote, ...]) -> tuple[float | None, float | None]:
    """The highest forward one can sell and the lowest one can buy through coin-settled options.

    Parity in coins is c - p = 1 - K/F: selling the call at its bid and buying the put at its ask
    sells at K / (1 - (c_bid - p_ask)).
    """
    puts = {q.strike: q for q in quotes if not q.is_call and q.two_sided}
    bids: list[float] = []
    asks: list[float] = []
    for call in quotes:
        put = puts.get(call.strike) if call.is_call and call.two_sided else None
        if put is None or not (call.bid and call.ask and put.bid and put.ask):
            continue
        if (low := call.bid - put.ask) < 1.0:
            bids.append(call.strike / (1.0 - low))
        if (high := call.ask - put.bid) < 1.0:
            asks.append(call.strike / (1.0 - high))
    return (max(bids) if bids else None), (min(asks) if asks else None)


def parity_forward(quotes: tuple[OptionQuote, ...], index: float) -> float | None:
    """The forward that put-call parity of coin-settled marks implies: c - p = 1 - K/F, near the money.

    The median over the five strikes nearest to the index that carry both marks.
    """
    puts = {quote.strike: quote.mark for quote in quotes if not quote.is_call}
    pairs = [
        (abs(log(quote.strike / index)), quote.strike, quote.mark - put)
        for quote in quotes
        if quote.is_call and quote.mark is not None and (put := puts.get(quote.strike)) is not None
    ]
    implied = sorted(strike / (1.0 - gap) for _, strike, gap in sorted(pairs)[:5] if gap < 1.0)
    return implied[len(implied) // 2] if implied else None
