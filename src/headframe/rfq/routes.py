"""Ways of dealing a size side by side before it is dealt: block, lit book at once, over a day, by voice."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from headframe.rfq.quality import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way of dealing a size, before it is dealt: cost against mid in USD and why.

    ``closed`` is why it is not open to us; ``place`` where a request for it would go, if anywhere.
    """

    name: str
    cost_usd: float | None
    words: str
    closed: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What is to be dealt, as every way of dealing it is reckoned from.

    ``sign`` turns a price into a cost (+1 where we buy); ``usd`` is what one unit of the structure's
    price is worth, ``forward`` the underlying's, ``spread_usd`` and ``fee_usd`` half the bid-ask of its
    legs and the venue's fees, both per coin; ``delta`` is coins per coin.
    """

    sign: int
    coins: float
    usd: float
    forward: float
    spread_usd: float
    fee_usd: float
    delta: float
    daily_vol: float

    @property
    def fees(self) -> float:
        """The venue's fees for the whole size."""
        return self.fee_usd * self.coins


def route_name(place: str, *, book: bool) -> str:
    """What the way of dealing at a place is called."""
    return f"lit book at once, {place}" if book else f"block at {place}"


def block_route(lot: Lot, past: Costs, place: str) -> Route:
    """By request for quotes at a venue: what its blocks have cost so far, else the market's half spread."""
    if past.to_mid_bps is None:
        cost, words = (
            lot.spread_usd * lot.coins,
            "no block was dealt yet: the market's half spread",
        )
    else:
        cost = past.to_mid_bps / 1e4 * lot.forward * lot.coins
        words = (
            f"as {past.filled} blocks before it: {past.to_mid_bps:.1f} bp of notional, "
            f"{past.responses_mean or 0.0:.1f} answers each"
        )
    return Route(
        name=route_name(place, book=False),
        cost_usd=cost + lot.fees,
        words=f"{words}; fees {lot.fees:,.0f}",
        place=place,
    )


def sweep_route(lot: Lot, price: float | None, mid: float | None, place: str) -> Route:
    """Taking the whole size out of a lit book at once, leg by leg."""
    name = route_name(place, book=True)
    if price is None or mid is None:
        words = f"the book does not hold {lot.coins:g} coins"
        return Route(name=name, cost_usd=None, words="", closed=words, place=place)
    return Route(
        name=name,
        place=place,
        cost_usd=lot.sign * (price - mid) * lot.usd * lot.coins + lot.fees,
        words=f"mean price {price:.6g} against {mid:.6g}; fees {lot.fees:,.0f}; leg by leg, not all or none",
    )


def worked_route(lot: Lot, share_of_day: float) -> Route:
    """Working the order over a day: half the spread, fees, and the impact of its delta."""
    notional = abs(lot.delta) * lot.coins * lot.forward
    cost = impact_usd(notional, daily_vol=lot.daily_vol, share_of_day=share_of_day)
    cost += 0.5 * lot.spread_usd * lot.coins + lot.fees
    risk = lot.daily_vol * notional
    words = (
        f"at {share_of_day:.1%} of a day's volume, half the spread saved; a day's move risks {risk:,.0f}; "
        f"fees {lot.fees:,.0f}"
    )
    return Route(name="worked over a day", cost_usd=cost, words=words)


def voice_route(lot: Lot) -> Route:
    """Dealers called one by one: no venue's fee."""
    words = "dealers called one by one, at the market's own half spread"
    return Route(name="voice", cost_usd=lot.spread_usd * lot.coins, words=words)


def cheapest(routes: Sequence[Route]) -> tuple[Route, ...]:
    """The cheapest first; ways that are closed come last."""
    return tuple(
        sorted(
            routes,
            key=lambda one: (bool(one.closed), one.cost_usd is None, one.cost_usd or 0.0, one.name),
        )
    )


def best_place(routes: Sequence[Route]) -> str | None:
    """Where a request would cost least among the ways that are open; None where none is."""
    open_ones = [one for one in cheapest(routes) if one.place and not one.closed]
    return open_ones[0].place if open_ones else None


def sweep_price(levels: Sequence[tuple[float, float]], amount: float) -> float | None:
    """Mean price of taking an amount out of a side, best first; None where it does not hold so much."""
    left, paid = amount, 0.0
    for price, size in levels:
        took = min(left, size)
        paid += took * price
        left -= took
        if left <= 1e-9 * amount:
            return paid / amount
    return None


def impact_usd(
    notional_usd: float, *, daily_vol: float, share_of_day: float, factor: float = 1.0
) -> float:
    """Cost of working an order over a day by the square-root law: Y sigma sqrt(Q/V) of its notional.

    Toth and others, Physical Review X 1 (2011) 021006: Y of order one, sigma a day's volatility, Q/V the
    order over the day's volume.
    """
    return factor * daily_vol * sqrt(max(share_of_day, 0.0)) * notional_usd
