"""The hedges a block could be: future or forward, put, collar, each with its figures."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Protocol

from headframe.book import Designation, MarginTerms, Position, Trade, TradeLeg, allocate
from headframe.hedge.exposure import Bucket
from headframe.instrument import Instrument, Kind, Leg, Structure, StructureKind, perpetual_of
from headframe.mandate import Unwind, is_order_book
from headframe.market import Snapshot
from headframe.mining import SalePolicy
from headframe.pricing import (
    Surface,
    Tradable,
    listed_strikes,
    tradable,
    zero_cost_call,
)
from headframe.rfq import HedgeLeg
from headframe.risk import BasisRisk, DealingCosts, basis_risk, closing_weights, sale_weights
from headframe.units import NO_EXPIRY, Month, Wrong, year_fraction

_COIN_TICK = Decimal("0.0001")
_USD_TICK = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeSchedule:
    """What the venue takes: coins per option leg and coin, and a share of a future's notional.

    The fee of an option leg is capped at a share of its premium.
    """

    option_coins: float
    option_cap_share: float
    future_share: float
    forward_spread: float
    financing_rate: float

    def dealing(self, option_half_spread: float) -> DealingCosts:
        """Return the costs of closing a hedge in the market."""
        return DealingCosts(
            option_half_spread=option_half_spread,
            option_fee_coins=self.option_coins,
            option_fee_cap_share=self.option_cap_share,
            linear_half_spread=0.5 * self.forward_spread,
            future_fee_share=self.future_share,
        )

    def option_fee(self, premium_coins: float) -> float:
        """Fee of one option leg per coin, in coins."""
        return min(self.option_coins, self.option_cap_share * premium_coins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """What a block can be built from: the market, its surface, fees, and how hedges are reduced."""

    snapshot: Snapshot
    surface: Surface
    fees: FeeSchedule
    sale_policy: SalePolicy
    unwind: Unwind
    put_strike_share: float
    debit_share_max: float
    seed: int
    perpetuals: bool = False
    """Whether the mandate names perpetuals among its structures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One hedge of one block; prices per coin.

    ``price`` is the net price we would deal at, in ``price_currency``: paid where the structure is
    bought, received where it is sold. ``mid`` is the model's price of the same. ``upfront_usd`` is
    what is paid at once, ``cost_usd`` what dealing is expected to cost: half spreads and, of it,
    ``fee_usd`` the venue's fees.
    """

    kind: StructureKind
    structure: Structure
    bought: bool
    size: Decimal
    amount: Decimal
    price: Decimal
    mid: float
    gross: float
    price_currency: str
    forward_usd: float
    floor_usd: float
    ceiling_usd: float | None
    upfront_usd: float
    cost_usd: float
    fee_usd: float
    exact_call_strike: float | None
    source: str
    basis: BasisRisk
    bucket: Bucket = field(repr=False)
    hedge: HedgeLeg | None = None
    """The future that changes hands with it, where it replaces one."""

    @property
    def needs(self) -> tuple[tuple[Month, float], ...]:
        """Months it is shared out to, by weight."""
        return self.bucket.needs

    @property
    def notional_usd(self) -> float:
        """Coins at the forward."""
        return float(self.size) * self.forward_usd

    @property
    def debit_share(self) -> float:
        """Upfront payment over the forward."""
        return max(self.upfront_usd, 0.0) / self.forward_usd


_PUT_SHARE_MIN = 0.5
"""A put below half of the forward is no floor of a producer."""
_DUST = 1e-9


def candidates(street: Street, bucket: Bucket) -> tuple[Candidate, ...]:
    """Every hedge that can be priced for a block, in the order of the strategy table."""
    return tuple(_built(street, bucket))


def _built(street: Street, bucket: Bucket) -> Iterator[Candidate]:
    if bucket.expiry != NO_EXPIRY:
        yield _linear(street, bucket)
    if street.perpetuals and bucket.listed and street.snapshot.perpetual is not None:
        yield _perpetual(street, bucket, street.snapshot.perpetual.price)
    if bucket.expiry == NO_EXPIRY:
        return
    put_strike = _put_strike(street, bucket)
    put = tradable(
        street.snapshot, street.surface, is_call=False, strike=put_strike, expiry=bucket.expiry
    )
    if put is None:
        return
    yield _option(street, bucket, put_strike, put, None)
    collar = _collar(street, bucket)
    if collar is not None:
        yield collar


def _collar(street: Street, bucket: Bucket) -> Candidate | None:
    """Return the collar that meets the mandate's debit (M-5.4) with fees, its put nearest to the wanted one.

    Puts are tried downwards from the mandate's share of the forward: a lower floor is paid by a higher
    call. None if no listed pair meets it with its call at the forward or above.
    """
    forward = _forward(street, bucket)
    debit = street.debit_share_max * forward / street.snapshot.index
    for strike in _puts_downwards(street, bucket):
        pair = zero_cost_call(
            street.snapshot,
            street.surface,
            put_strike=strike,
            expiry=bucket.expiry,
            debit_max=debit,
            fee=street.fees.option_fee if bucket.listed else _no_fee,
        )
        if pair is None or pair.call_strike < forward:
            continue
        put, call = (
            tradable(
                street.snapshot, street.surface, is_call=is_call, strike=one, expiry=bucket.expiry
            )
            for is_call, one in ((False, strike), (True, pair.call_strike))
        )
        assert put is not None, "the solver took this put"
        assert call is not None, "the solver took this call"
        found = _option(
            street, bucket, strike, put, (pair.call_strike, call, pair.exact_call_strike)
        )
        if found.debit_share <= street.debit_share_max + _DUST:
            return found
    return None


def _no_fee(_: float) -> float:
    """No venue's fee: what is dealt over the counter has its cost in the price."""
    return 0.0


def _puts_downwards(street: Street, bucket: Bucket) -> list[float]:
    """Return listed put strikes from the wanted one down to the least share of the forward."""
    forward, wanted = _forward(street, bucket), _put_strike(street, bucket)
    strikes = listed_strikes(street.snapshot, bucket.expiry, forward)
    least = _PUT_SHARE_MIN * forward
    return sorted((one for one in strikes if least <= one <= wanted), reverse=True)


def _forward(street: Street, bucket: Bucket) -> float:
    return street.surface.forward(year_fraction(street.snapshot.as_of, bucket.expiry))


def _put_strike(street: Street, bucket: Bucket) -> float:
    """The listed strike nearest to the mandate's share of the forward."""
    forward = _forward(street, bucket)
    strikes = listed_strikes(street.snapshot, bucket.expiry, forward)
    if not strikes:
        raise Wrong(f"no strikes are listed for {bucket.expiry:%d-%b-%y}")
    wanted = street.put_strike_share * forward
    return min(strikes, key=lambda strike: (abs(strike - wanted), strike))


def _instrument(street: Street, bucket: Bucket, kind: Kind, strike: float | None) -> Instrument:
    coin = street.snapshot.coin
    return Instrument(
        kind=kind,
        coin=coin,
        settled_in=coin if bucket.listed else "USD",
        expiry=bucket.expiry,
        strike=None if strike is None else Decimal(repr(strike)).normalize(),
    )


def basis_under(
    street: Street, bucket: Bucket, put: float, call: float, unwind: Unwind
) -> BasisRisk:
    """Return the basis risk of a hedge of a block, reduced as a policy says; a strike of 0 is no leg."""
    snapshot = street.snapshot
    forward = _forward(street, bucket)
    years = year_fraction(snapshot.as_of, bucket.ends)
    return basis_risk(
        spot=snapshot.index,
        forward=forward,
        vol=street.surface.vol(years, forward),
        weights=sale_weights(bucket.needs, snapshot.as_of, bucket.ends, street.sale_policy),
        closes=closing_weights(
            bucket.needs, snapshot.as_of, bucket.ends, street.sale_policy, unwind
        ),
        put_strike=put,
        call_strike=call,
        costs=street.fees.dealing(snapshot.half_spread),
        listed=bucket.listed,
        seed=street.seed,
    )


def _linear(street: Street, bucket: Bucket) -> Candidate:
    """A listed future sold, or a forward where none is listed, at mid less half the spread."""
    forward = _forward(street, bucket)
    listed = bucket.listed
    half = 0.5 * street.fees.forward_spread * (1.0 if listed else 3.0)
    price = Decimal(repr(forward * (1.0 - half))).quantize(_USD_TICK, rounding=ROUND_HALF_EVEN)
    kind = Kind.FUTURE if listed else Kind.FORWARD
    instrument = _instrument(street, bucket, kind, None)
    amount = bucket.size
    if listed:
        amount = (bucket.size * price / 10).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * 10
    fee = street.fees.future_share * forward if listed else 0.0
    return Candidate(
        kind=StructureKind.SHORT_FUTURE if listed else StructureKind.FORWARD,
        structure=Structure(
            StructureKind.SHORT_FUTURE if listed else StructureKind.FORWARD, (Leg(instrument, 1),)
        ),
        bought=False,
        size=bucket.size,
        amount=amount,
        price=price,
        mid=forward,
        gross=forward,
        price_currency="USD",
        forward_usd=forward,
        floor_usd=float(price),
        ceiling_usd=float(price),
        upfront_usd=0.0,
        cost_usd=forward * half + fee,
        fee_usd=fee,
        exact_call_strike=None,
        source="listed future" if listed else "OTC forward, extrapolated",
        basis=basis_under(street, bucket, 0.0, 0.0, street.unwind),
        bucket=bucket,
    )


def _perpetual(street: Street, bucket: Bucket, mark: float) -> Candidate:
    """A perpetual sold for a block's months, at its mark less half the spread.

    It has no expiry: it is dealt back as the mandate's policy says, and pays or receives funding until then,
    which is not in its cost.
    """
    dated = _linear(street, bucket)
    half = 0.5 * street.fees.forward_spread
    price = Decimal(repr(mark * (1.0 - half))).quantize(_USD_TICK, rounding=ROUND_HALF_EVEN)
    fee = street.fees.future_share * mark
    open_ended = replace(bucket, expiry=NO_EXPIRY)
    kind = StructureKind.SHORT_PERPETUAL
    return replace(
        dated,
        kind=kind,
        structure=Structure(kind, (Leg(perpetual_of(street.snapshot.coin), 1),)),
        amount=(bucket.size * price / 10).quantize(Decimal(1), rounding=ROUND_HALF_EVEN) * 10,
        price=price,
        mid=mark,
        gross=mark,
        forward_usd=mark,
        floor_usd=float(price),
        ceiling_usd=float(price),
        cost_usd=mark * half + fee,
        fee_usd=fee,
        source="perpetual",
        basis=basis_under(street, open_ended, 0.0, 0.0, street.unwind),
        bucket=open_ended,
    )


def _option(
    street: Street,
    bucket: Bucket,
    put_strike: float,
    put: Tradable,
    call: tuple[float, Tradable, float] | None,
) -> Candidate:
    """A put bought at its ask, alone or paid for by a call sold at its bid."""
    forward = _forward(street, bucket)
    legs = [Leg(_instrument(street, bucket, Kind.PUT, put_strike), 1)]
    net, mid, gross = put.ask, put.mid, put.mid
    spread = put.ask - put.mid
    fee = street.fees.option_fee(put.ask)
    if call is not None:
        legs.append(Leg(_instrument(street, bucket, Kind.CALL, call[0]), -1))
        net, mid, gross = net - call[1].bid, mid - call[1].mid, gross + call[1].mid
        spread += call[1].mid - call[1].bid
        fee += street.fees.option_fee(call[1].bid)
    kind = StructureKind.PROTECTIVE_PUT if call is None else StructureKind.COSTLESS_COLLAR
    unit = 1.0 if bucket.listed else forward
    tick = _COIN_TICK if bucket.listed else _USD_TICK
    spot = street.snapshot.index
    fee = fee if bucket.listed else 0.0
    return Candidate(
        kind=kind,
        structure=Structure(kind, tuple(legs)),
        bought=True,
        size=bucket.size,
        amount=bucket.size,
        price=Decimal(repr(net * unit)).quantize(tick, rounding=ROUND_HALF_EVEN),
        mid=mid * unit,
        gross=gross * unit,
        price_currency=street.snapshot.coin if bucket.listed else "USD",
        forward_usd=forward,
        floor_usd=put_strike,
        ceiling_usd=None if call is None else call[0],
        upfront_usd=net * spot + fee * spot,
        cost_usd=(spread + fee) * spot,
        fee_usd=fee * spot,
        exact_call_strike=None if call is None else call[2],
        source=put.source,
        basis=basis_under(
            street, bucket, put_strike, 0.0 if call is None else call[0], street.unwind
        ),
        bucket=bucket,
    )


class Priced(Protocol):
    """A hedge with its terms: a candidate, or a proposal made of one."""

    @property
    def kind(self) -> StructureKind:
        """What it is."""
        ...

    @property
    def structure(self) -> Structure:
        """Its legs."""
        ...

    @property
    def bought(self) -> bool:
        """Our side."""
        ...

    @property
    def size(self) -> Decimal:
        """Coins hedged."""
        ...

    @property
    def amount(self) -> Decimal:
        """As the venue counts it: coins, or USD."""
        ...

    @property
    def price(self) -> Decimal:
        """Net price per coin."""
        ...

    @property
    def price_currency(self) -> str:
        """The currency of it."""
        ...

    @property
    def needs(self) -> tuple[tuple[Month, float], ...]:
        """Months it is shared out to, by weight."""
        ...


def hypothetical(candidate: Priced, dealer: str, at: datetime) -> Position:
    """The position a hedge would be with a dealer: for limits asked before anything is sent."""
    venue = candidate.kind.is_future or is_order_book(dealer)
    side = Decimal(1) if candidate.bought else Decimal(-1)
    shares = allocate(
        candidate.size,
        tuple((month, Decimal(repr(need))) for month, need in candidate.needs),
    )
    trade = Trade(
        id="hypothetical",
        proposal="hypothetical",
        rfq="hypothetical",
        structure=candidate.kind,
        dealer=dealer,
        margin=MarginTerms.VENUE if venue else MarginTerms.BILATERAL,
        at=at,
        size=candidate.size,
        net_price=candidate.price,
        price_currency=candidate.price_currency,
        legs=tuple(
            TradeLeg(
                instrument=leg.instrument,
                amount=candidate.amount * leg.ratio * side,
                price=candidate.price,
            )
            for leg in candidate.structure.legs
        ),
        designations=tuple(
            Designation(month=month, coins=coins, words="", hedge_for_accounts=True)
            for month, coins in shares.items()
        ),
        fee=Decimal(0),
        spot=Decimal(1),
    )
    return Position(trade=trade, remaining=tuple(shares.items()))
