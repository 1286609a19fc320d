"""Replacing a short future by another hedge of the same coins, all or nothing: a roll, or options instead.

Into options the future is the request's hedge leg: it changes hands at a price set beforehand, and the
options are quoted with it. Into a later future the two are one calendar structure at one net price, both legs
of the same dollars. Contracts in USD lock dollars: after a rise they are fewer coins at the later price, and
the months' other coins are open again; after a fall they are more, and still hedge the months' own coins, as
the trade did before it was rolled. No month is ever promised more than what was released.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from headframe.book import MarginTerms, Position, released
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

_TICK, _CONTRACT = Decimal("0.5"), Decimal(10)


@dataclass(frozen=True, slots=True)
class Switch:
    """The new hedge, what it replaces, and what closing that crystallises, coins at spot, in USD."""

    rated: Rated
    coins: Decimal
    """Of the trade that is replaced, as asked; the new hedge may be of fewer."""
    crystallised_usd: float

    @property
    def opened(self) -> Decimal:
        """Coins that were hedged and are hedged no more."""
        return self.coins - self.rated.candidate.size


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


def switched(
    found: Situation,
    forecast: Forecast,
    position: Position,
    kind: StructureKind,
    expiry: datetime,
    coins: Decimal,
    *,
    size: Decimal | None = None,
) -> Switch | None:
    """The switch priced and judged on the market now, as if the replaced coins were open.

    ``size`` is the new hedge's coins where they were approved; a roll takes what its dollars are at the later
    price, ``coins`` at most, where none is given. None where nothing prices it; Wrong where the trade cannot
    be replaced so: it is no listed future, or the expiry is an earlier one or is not listed.
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
        needs=tuple((month, float(part)) for month, part in released(position, coins).items()),
        clip=coins if size is None else size,
    )
    rated = rate_again(lighter, bucket, kind)
    if rated is None:
        return None
    amount = _contracts(abs(position.trade.legs[0].amount) * coins / position.trade.size)
    near = Decimal(repr(leg_price(old, found.surface, found.at))).quantize(
        _TICK, rounding=ROUND_HALF_EVEN
    )
    if kind.is_future:
        rated = _calendar(lighter, bucket, rated, Bought(old, near, amount), size)
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
        coins=coins,
        crystallised_usd=usd,
    )


def _contracts(amount: Decimal) -> Decimal:
    """Return the whole contracts of ten dollars nearest an amount."""
    return (amount / _CONTRACT).to_integral_value(ROUND_HALF_EVEN) * _CONTRACT


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


@dataclass(frozen=True, slots=True)
class Bought:
    """The earlier future of a roll, bought back: at a price, for so many dollars."""

    instrument: Instrument
    price: Decimal
    amount: Decimal


def _calendar(
    found: Situation, bucket: Bucket, rated: Rated, near: Bought, size: Decimal | None
) -> Rated:
    """The later future sold and the earlier bought back for the same dollars, at the difference of prices."""
    far = rated.candidate.price
    most = bucket.clip or near.amount
    wanted = min(whole_steps(near.amount / far), most) if size is None else size
    if wanted != rated.candidate.size:
        again = rate_again(found, replace(bucket, clip=wanted), rated.candidate.kind)
        assert again is not None, "a price was there a moment ago"
        rated = again
    one = rated.candidate
    (leg,) = one.structure.legs
    # costs and margin are of the dollars dealt, which after a fall are more than the coins they hedge
    scale = float(near.amount / (one.size * far))
    spread: Candidate = replace(
        one,
        size=wanted,
        structure=Structure(one.kind, (leg, Leg(near.instrument, -1))),
        amount=near.amount,
        price=(far - near.price).quantize(_TICK),
        mid=one.mid - float(near.price),
        cost_usd=2.0 * one.cost_usd * scale,
        fee_usd=2.0 * one.fee_usd * scale,
        source="calendar",
    )
    margin = rated.facts.initial_margin_usd * max(scale, 1.0)
    facts = replace(rated.facts, initial_margin_usd=margin)
    return replace(rated, candidate=spread, facts=facts)
