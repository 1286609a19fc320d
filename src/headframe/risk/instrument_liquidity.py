"""How liquid a book's instruments are: spread, open interest, volume, days and cost to leave."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from headframe.book import Position
from headframe.instrument import Instrument, Kind
from headframe.market import Snapshot
from headframe.pricing import Surface
from headframe.risk.marks import leg_price

STRESS = 3.0
"""In stress a spread is so many times today's, or the widest on record where that is wider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquid:
    """One instrument of the book. Coins but where it says USD; None where nobody said it.

    ``spread`` is bid-ask over mid; ``days`` how long leaving takes at a share of the day's volume; costs are
    half the spread on what is held, in calm and in stress.
    """

    instrument: Instrument
    held: float
    spread: float
    measured: bool
    """Whether it was quoted so; else it is the usual spread of its kind."""
    usual_spread: float | None
    open_interest: float | None
    share: float | None
    volume: float | None
    days: float | None
    depth: float | None
    calm_usd: float
    stress_usd: float


def liquid(
    positions: Iterable[Position],
    snapshots: Sequence[Snapshot],
    surface: Surface,
    *,
    future_spread: float,
    participation: float,
    depths: Mapping[str, float],
) -> tuple[Liquid, ...]:
    """Every instrument held, on the last of the snapshots; those before it say what is usual.

    ``future_spread`` is the spread of futures over their price, ``depths`` coins in the book near its best.
    """
    held: dict[Instrument, float] = {}
    at = snapshots[-1].as_of
    for position in positions:
        for leg in position.trade.legs:
            one = leg.instrument
            amount = float(position.amount(leg))
            coins = amount / float(leg.price) if one.amount_in_usd else amount
            held[one] = held.get(one, 0.0) + coins
    rows: list[Liquid] = []
    for one, coins in sorted(held.items(), key=lambda row: (row[0].expiry, row[0].name)):
        past = [found for shot in snapshots if (found := spread_of(shot, one)) is not None]
        now = spread_of(snapshots[-1], one)
        spread = now if now is not None else snapshots[-1].half_spread * 2.0
        if not one.is_option:
            spread, past = future_spread, []
        interest, volume = _traded(snapshots[-1], one)
        price = leg_price(one, surface, at)
        usd = price * (surface.spot if one.is_option and one.inverse else 1.0)
        calm = 0.5 * spread * usd * abs(coins)
        worst = max([STRESS * spread, *past])
        rows.append(
            Liquid(
                instrument=one,
                held=coins,
                spread=spread,
                measured=now is not None,
                usual_spread=median(past) if past else None,
                open_interest=interest,
                share=abs(coins) / interest if interest else None,
                volume=volume,
                days=abs(coins) / (participation * volume) if volume else None,
                depth=depths.get(one.name),
                calm_usd=calm,
                stress_usd=calm * worst / spread if spread > 0.0 else 0.0,
            )
        )
    return tuple(rows)


def spread_of(snapshot: Snapshot, one: Instrument) -> float | None:
    """Bid-ask over mid of an option as quoted; None where it is not quoted on both sides."""
    for quote in snapshot.options:
        same = (quote.expiry, quote.strike, quote.is_call)
        if one.strike is not None and same == (
            one.expiry,
            float(one.strike),
            one.kind is Kind.CALL,
        ):
            if quote.bid and quote.ask and quote.ask >= quote.bid:
                return 2.0 * (quote.ask - quote.bid) / (quote.ask + quote.bid)
            return None
    return None


def _traded(snapshot: Snapshot, one: Instrument) -> tuple[float | None, float | None]:
    """Open interest and the day's volume, in coins: an option's own, a future's of its expiry."""
    for quote in snapshot.options:
        same = (quote.expiry, quote.strike, quote.is_call)
        if one.strike is not None and same == (
            one.expiry,
            float(one.strike),
            one.kind is Kind.CALL,
        ):
            return quote.open_interest, quote.volume
    forward = snapshot.forward(one.expiry)
    if forward is None:
        return None, None
    return forward.open_interest, None if one.is_option else forward.volume
