"""Replacing a short future by another hedge of the same coins, all or nothing: a roll, or options instead.

Into options the future is the request's hedge leg: it changes hands at a price set beforehand, and the
options are quoted with it. Into a later future the two are one calendar structure at one net price. Contracts
in USD lock dollars, so a roll keeps the dollars and hedges as many coins as they are at the later price.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from headframe.book import MarginTerms, Position
from headframe.hedge.candidates import Candidate
from headframe.hedge.closing import whole_steps
from headframe.hedge.exposure import Bucket, exposure_rows
from headframe.hedge.rating import Rated, rate_again
from headframe.hedge.situation import Situation
from headframe.instrument import Instrument, Leg, Structure, StructureKind, payoff
from headframe.mandate import Stage, judge
from headframe.mining import Forecast
from headframe.rfq import HedgeLeg
from headframe.risk import leg_price
from headframe.units import Wrong

_TICK, _STEP, _CONTRACT = Decimal("0.5"), Decimal("0.1"), Decimal(10)


@dataclass(frozen=True, slots=True)
class Switch:
    """The new hedge, what it replaces, and what closing that crystallises, coins at spot, in USD."""

    rated: Rated
    coins: Decimal
    """Of the trade that is replaced; the new hedge may be of fewer."""
    crystallised_usd: float


def future_of(position: Position) -> Instrument:
    """The future that is to be replaced; Wrong where the trade is no listed future at the venue."""
    legs = position.trade.legs
    if (
        position.trade.margin is not MarginTerms.VENUE
        or len(legs) != 1
        or legs[0].instrument.is_option
    ):
        raise Wrong(
            f"{position.trade.id} is no listed future: close it and plan anew (headframe close)"
        )
    return legs[0].instrument


def coins_of(position: Position, amount: Decimal) -> Decimal:
    """The coins of a trade that dealing an amount of its future back closes: all where none is left."""
    dealt = abs(position.trade.legs[0].amount)
    held = dealt * position.coins / position.trade.size
    if held - amount < _CONTRACT / 2:
        return position.coins
    return min(
        (amount * position.trade.size / dealt).quantize(Decimal("0.00000001")), position.coins
    )


def switched(
    found: Situation,
    forecast: Forecast,
    position: Position,
    kind: StructureKind,
    expiry: datetime,
    coins: Decimal,
    *,
    most: Decimal | None = None,
) -> Switch | None:
    """The switch priced and judged on the market now, as if the replaced coins were open.

    ``most`` bounds the new hedge: after a fall the same dollars are more coins than were approved. None where
    nothing prices it; Wrong where the trade cannot be replaced so: it is no listed future, or the expiry is
    an earlier one or is not listed.
    """
    old = future_of(position)
    if found.snapshot.forward(expiry) is None:
        listed = ", ".join(f"{one.expiry:%d%b%y}".upper() for one in found.snapshot.forwards)
        raise Wrong(f"{expiry:%d%b%y} is not listed; listed: {listed}")
    if kind.is_future and expiry <= old.expiry:
        raise Wrong(f"{old.name} is rolled to a later expiry, not to {expiry:%d%b%y}")
    if expiry < old.expiry:
        raise Wrong(f"{old.name} is replaced at its own expiry or later, not at {expiry:%d%b%y}")
    lighter = _without(found, forecast, position, coins)
    bucket = Bucket(
        expiry=expiry,
        listed=True,
        needs=tuple((month, float(left)) for month, left in position.remaining if left),
        clip=coins,
    )
    rated = rate_again(lighter, bucket, kind)
    if rated is None:
        return None
    amount = _whole(abs(position.trade.legs[0].amount) * coins / position.trade.size)
    near = Decimal(repr(leg_price(old, found.surface, found.at))).quantize(
        _TICK, rounding=ROUND_HALF_EVEN
    )
    if kind.is_future:
        amount, rated = _calendar(lighter, bucket, rated, old, near, amount, most=most)
    else:
        back = HedgeLeg(instrument=old, amount=amount, price=near)
        rated = replace(rated, candidate=replace(rated.candidate, hedge=back))
    flow = payoff(
        old,
        Fraction(-amount),
        Fraction(near),
        Fraction(position.entry(position.trade.legs[0])),
    )
    usd = float(flow) * (found.snapshot.index if old.inverse else 1.0)
    facts = replace(rated.facts, initial_margin_usd=rated.facts.initial_margin_usd + max(-usd, 0.0))
    verdict = judge(found.mandate, facts, Stage.PROPOSE)
    return Switch(
        rated=replace(rated, facts=facts, verdict=verdict),
        coins=coins_of(position, amount),
        crystallised_usd=usd,
    )


def _whole(amount: Decimal) -> Decimal:
    return (amount / _CONTRACT).to_integral_value(ROUND_DOWN) * _CONTRACT


def _without(found: Situation, forecast: Forecast, position: Position, coins: Decimal) -> Situation:
    """The situation as if so many coins of a position were not hedged."""
    kept = (position.coins - coins) / position.coins
    rest = tuple((month, left * kept) for month, left in position.remaining)
    held = tuple(
        replace(one, remaining=rest) if one.trade.id == position.trade.id else one
        for one in found.positions
    )
    rows = exposure_rows(forecast, found.mandate.cover, held, found.at)
    return replace(found, positions=held, rows=rows)


def _calendar(
    found: Situation,
    bucket: Bucket,
    rated: Rated,
    old: Instrument,
    near: Decimal,
    amount: Decimal,
    *,
    most: Decimal | None,
) -> tuple[Decimal, Rated]:
    """The later future sold and the earlier bought back for the same dollars, at the difference of prices."""
    far = rated.candidate.price
    bound = rated.candidate.size if most is None else min(most, rated.candidate.size)
    size = min(whole_steps(amount / far), bound)
    if amount >= (bound + _STEP) * far:
        amount = (bound * far / _CONTRACT).to_integral_value(ROUND_HALF_EVEN) * _CONTRACT
    if size != rated.candidate.size:
        again = rate_again(found, replace(bucket, clip=size), rated.candidate.kind)
        assert again is not None, "a price was there a moment ago"
        rated = again
    one = rated.candidate
    (leg,) = one.structure.legs
    spread: Candidate = replace(
        one,
        structure=Structure(one.kind, (leg, Leg(old, -1))),
        amount=amount,
        price=(far - near).quantize(_TICK),
        mid=one.mid - float(near),
        cost_usd=2.0 * one.cost_usd,
        fee_usd=2.0 * one.fee_usd,
        source="calendar",
    )
    return amount, replace(rated, candidate=spread)
