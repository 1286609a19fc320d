"""Closing a hedge before its coins are sold: priced on the market now, judged by what bears on it."""

from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal

from headframe.book import MarginTerms, Position, released
from headframe.hedge.candidates import Candidate
from headframe.hedge.exposure import Bucket, hedged_share
from headframe.hedge.facts import clip_age
from headframe.hedge.proposal import Proposal
from headframe.hedge.rating import Rated, stress_call
from headframe.hedge.situation import Situation
from headframe.instrument import Kind, Structure, StructureKind
from headframe.mandate import Facts, Stage, judge
from headframe.risk import BasisRisk, leg_price, position_value_usd
from headframe.units import Month, Wrong, year_fraction

_STEP = Decimal("0.1")
_CONTRACT = Decimal(10)
_MOST_COINS = Decimal(10**9)
_EXACT = BasisRisk(
    tracking_error=0.0, r2=1.0, mean_gap_usd=0.0, paths=0, ratio=1.0, ratio_low=1.0, ratio_high=1.0
)


def closing_of(found: Situation, position: Position, structure: Structure, coins: Decimal) -> Rated:
    """The other side of what is on, for so many of its coins, with its verdict.

    A bilateral trade is closed with the dealer it is with; a future margined at the venue with anybody.
    """
    one = _candidate(found, position, structure, coins)
    panel = _panel(found, position)
    facts = _facts(found, position, one, coins)
    return Rated(
        candidate=one,
        facts=facts,
        verdict=judge(found.mandate, facts, Stage.PROPOSE),
        panel=panel,
        left_out=(),
        cost_usd=one.cost_usd,
        score_usd=0.0,
    )


def whole_steps(coins: Decimal) -> Decimal:
    """Coins rounded down to what a request may carry; Wrong for more than there will ever be."""
    if not abs(coins) <= _MOST_COINS:
        raise Wrong(f"{coins:.3g} coins are more than any trade has")
    return coins.quantize(_STEP, rounding=ROUND_DOWN)


def with_remainder(
    made: Proposal, position: Position, asked: Decimal | None, coins: Decimal
) -> Proposal:
    """The proposal with the coins asked for and, by month, what stays once ``coins`` are closed."""
    stays = remainder(position, coins)
    return replace(
        made,
        asked_coins=position.coins if asked is None else asked,
        stays=stays,
        stays_until=position.trade.expiry if stays else None,
    )


def remainder(position: Position, coins: Decimal) -> tuple[tuple[Month, Decimal], ...]:
    """Coins left in each month once so many are closed, shared out as the booking shares them."""
    gone = released(position, coins)
    left = ((month, held - gone.get(month, Decimal(0))) for month, held in position.remaining)
    return tuple((month, rest) for month, rest in left if rest)


def _panel(found: Situation, position: Position) -> tuple[str, ...]:
    if found.by_book:
        return (found.venue,)
    if position.trade.margin is MarginTerms.BILATERAL:
        return (position.trade.dealer,)
    kind = position.trade.structure
    return tuple(name for name in found.approved if kind in found.dossiers[name].credit.products)


def _candidate(
    found: Situation, position: Position, structure: Structure, coins: Decimal
) -> Candidate:
    """Prices as they are quoted: mid by the surface, the other side of it by the street's half spread."""
    street, spot = found.street, found.snapshot.index
    legs = [(leg, leg_price(leg.instrument, found.surface, found.at)) for leg in structure.legs]
    mid = sum(leg.ratio * price for leg, price in legs)
    gross = sum(abs(leg.ratio) * price for leg, price in legs)
    option = legs[0][0].instrument.is_option
    in_coin = option and legs[0][0].instrument.inverse
    bought = not option  # what was sold firm is bought back; options that were bought are sold
    share = found.snapshot.half_spread if option else 0.5 * street.fees.forward_spread
    half = gross * share
    tick = Decimal("0.0001") if in_coin else Decimal("0.5")
    price = Decimal(repr(mid + half if bought else mid - half)).quantize(
        tick, rounding=ROUND_HALF_EVEN
    )
    forward = found.surface.forward(year_fraction(found.at, structure.expiry))
    amount = coins
    if legs[0][0].instrument.amount_in_usd:
        exact = abs(position.trade.legs[0].amount) * coins / position.trade.size
        amount = (exact / _CONTRACT).to_integral_value(ROUND_HALF_EVEN) * _CONTRACT
    usd = spot if in_coin else 1.0
    fee = _fee(found, position, [price for _, price in legs], forward)
    put, call = structure.strike(Kind.PUT), structure.strike(Kind.CALL)
    return Candidate(
        kind=position.trade.structure,
        structure=structure,
        bought=bought,
        size=coins,
        amount=amount,
        price=price,
        mid=mid,
        gross=gross,
        price_currency=position.trade.price_currency,
        forward_usd=forward,
        floor_usd=float(put) if put is not None else float(price),
        ceiling_usd=None if call is None else float(call),
        upfront_usd=-mid * usd if option else 0.0,
        cost_usd=half * usd + fee,
        fee_usd=fee,
        exact_call_strike=None,
        source="closing",
        basis=_EXACT,
        bucket=Bucket(
            expiry=structure.expiry,
            listed=position.trade.margin is MarginTerms.VENUE or in_coin,
            needs=tuple((month, float(left)) for month, left in position.remaining),
            clip=coins,
        ),
    )


def _fee(found: Situation, position: Position, prices: list[float], forward: float) -> float:
    """The venue's fee per coin in USD; none for what is dealt over the counter."""
    fees = found.street.fees
    if position.trade.structure.is_future:
        return fees.future_share * forward
    if position.trade.structure is StructureKind.FORWARD or position.trade.price_currency == "USD":
        return 0.0
    return sum(fees.option_fee(price) for price in prices) * found.snapshot.index


def _facts(found: Situation, position: Position, one: Candidate, coins: Decimal) -> Facts:
    """What the mandate asks of a closing: who, when, on what market, and what it leaves."""
    rest = position.coins - coins
    left = tuple(
        replace(each, remaining=tuple((m, c * rest / position.coins) for m, c in each.remaining))
        if each.trade.id == position.trade.id
        else each
        for each in found.positions
    )
    after = replace(found, positions=left)
    share = float(coins / position.coins)
    loss = max(-position_value_usd(position, found.surface, found.at), 0.0) * share
    snapshot = found.snapshot
    age = (found.at - snapshot.as_of).total_seconds() / 60.0
    spread = snapshot.spread
    return Facts(
        at=found.at,
        mandate_signed=bool(found.mandate_sha256),
        preparer=found.preparer,
        structure=one.kind,
        venue=found.venue,
        months=(),
        free_coins=found.liquidity.free_coins,
        hedged_share=hedged_share(found.rows, -float(coins)),
        size_coins=float(coins),
        notional_usd=one.notional_usd,
        tracking_error=0.0,
        r2=1.0,
        tenor_months=0,
        dealers=(),
        premium_usd=0.0,
        premium_spent_usd=0.0,
        debit_share=0.0,
        initial_margin_usd=loss,
        stress_call_usd=min(stress_call(after, ()), stress_call(found, ())),
        liquidity_usd=found.liquidity.at(snapshot.index * (1.0 + found.mandate.cash.stress_up)),
        live_rfq=one.structure in found.live,
        repeated=False,
        market_age_minutes=age,
        spread_ratio=None if spread is None else spread / found.spread_median,
        spot_move=snapshot.spot_move_10m,
        open_interest_share=0.0,
        clip_age_minutes=clip_age(found),
        closes=True,
    )
