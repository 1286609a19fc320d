"""Contracts on a schedule under the mandate: what the index will pay, fair prices, facts, the envelope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import groupby
from math import ceil

from headframe.book import Contract, ContractTerms, Designation, HeldContract, Position, allocate
from headframe.chain import block_coins, chain_of, coin_per_phs_day
from headframe.hedge.exposure import hedged_share
from headframe.hedge.facts import month_facts, premium_spent, spread_ratio
from headframe.hedge.rating import Placed, Placement, place
from headframe.hedge.situation import Situation
from headframe.instrument import Kind
from headframe.mandate import Facts
from headframe.mining import Forecast, MonthForecast
from headframe.numerics import np
from headframe.pricing import Surface
from headframe.risk import (
    Course,
    Index,
    averaging_basis,
    daily_vols,
    leg_value_usd,
    position_value_usd,
    stand_in,
)
from headframe.units import Month, Wrong, months_to, year_fraction

_CENT, _SAT = Decimal("0.01"), Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractEnvelope:
    """What was approved: the terms and the worst price, until when, at which prices of the coin.

    ``limit`` is the least rate a hashprice forward may be sold at (USD or coins per PH/s and day), or the
    most premium per coin options may cost.
    """

    contract: str
    terms: ContractTerms
    limit: Decimal
    valid_until: datetime
    spot_low: Decimal
    spot_high: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractPriced:
    """A contract on the market: the fair price by the model and what a quote is measured by, coins by month.

    ``fair`` is in the unit of its price; ``gross`` is the rate itself, or the legs' worth per coin added up.
    """

    terms: ContractTerms
    limit: Decimal
    shares: tuple[tuple[Month, Decimal], ...]
    forward_usd: float
    fair: float = 0.0
    gross: float = 0.0

    @property
    def size(self) -> Decimal:
        """Coins it hedges."""
        return sum((coins for _, coins in self.shares), Decimal(0))

    @property
    def units(self) -> float:
        """What its price is per: PH/s times days, or coins."""
        forward = self.terms.forward
        return float(forward.phs) * len(forward.days) if forward else float(self.terms.coins)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRated:
    """A contract priced, and whom it may be dealt with."""

    priced: ContractPriced
    placement: Placement


def index_of(forecast: Forecast, course: Course = Course.STABLE) -> Index:
    """Coins a PH/s earns on a day: the forecast's median difficulty of its month, subsidy and fees.

    On a course difficulty follows the price as the coins mined on it do. Months the forecast does not know
    are taken as the nearest it does.
    """
    chain = chain_of(forecast.coin)

    def index(day: date) -> float:
        row, band = _row(forecast, day), _row(forecast, day).difficulty
        level = {
            Course.STABLE: band.p50,
            Course.BULL: 0.5 * (band.p50 + band.p90),
            Course.BEAR: 0.5 * (band.p10 + band.p50),
        }[course]
        noon = datetime.combine(day, time(12), forecast.start_at.tzinfo)
        blocks = (noon - forecast.start_at).total_seconds() / float(chain.spacing_seconds)
        height = max(forecast.start_height + int(blocks), 0)
        known = row.subsidy_coins > 0.0
        fees = row.fee_coins / row.subsidy_coins if known else forecast.fee_share_median
        coins = block_coins(chain, height, fee_share=fees)
        return coin_per_phs_day(level, coins, chain.hashes_per_difficulty)

    return index


def _row(forecast: Forecast, day: date) -> MonthForecast:
    month = Month.of(day)
    first, last = forecast.months[0], forecast.months[-1]
    if month < first.month:
        return first
    return last if month > last.month else forecast.of(month)


def designated(terms: ContractTerms, index: Index) -> tuple[tuple[Month, Decimal], ...]:
    """Coins by month that a contract hedges.

    A hashprice forward in USD hedges the coins its index is expected to pay; one in coin fixes a number of
    coins, no price, and counts as one satoshi.
    """
    days = terms.days
    if terms.in_coin:
        return ((Month.of(days[-1]), _SAT),)
    weights: dict[Month, Decimal] = {}
    for day in days:
        each = Decimal(1) if terms.forward is None else Decimal(repr(index(day)))
        weights[Month.of(day)] = weights.get(Month.of(day), Decimal(0)) + each
    size = terms.coins
    if terms.forward is not None:
        size = terms.forward.phs * sum(weights.values(), Decimal(0))
    size = size.quantize(_CENT, rounding=ROUND_HALF_EVEN)
    if size <= 0:
        raise Wrong(f"a contract hedges a hundredth of a coin or more, was {size}")
    return tuple(allocate(size, tuple(weights.items())).items())


def contract_of(
    name: str, dealer: str, at: datetime, made: ContractPriced, price: Decimal, spot: Decimal,
    *, fee: Decimal = Decimal(0), for_accounts: bool = True,
) -> Contract:  # fmt: skip
    """The contract that a deal at a price makes, its coins named."""
    terms = made.terms
    if terms.forward is not None:
        terms = replace(terms, forward=replace(terms.forward, fixed=price))
    return Contract(
        id=name,
        dealer=dealer,
        at=at,
        terms=terms,
        price=price,
        designations=tuple(
            Designation(
                month=month,
                coins=coins,
                words=_words(terms, month, coins),
                hedge_for_accounts=for_accounts,
            )
            for month, coins in made.shares
        ),
        spot=spot,
        fee=fee,
    )


def _words(terms: ContractTerms, month: Month, coins: Decimal) -> str:
    if terms.forward is not None and terms.in_coin:
        return f"what {terms.forward.phs:f} PH/s mine from {terms.days[0]} to {terms.days[-1]}"
    first = max(terms.days[0], month.start.date())
    last = min(terms.days[-1], month.last_day)
    return f"the first {coins} coins mined from {first} to {last}"


def price_contract(
    terms: ContractTerms, limit: Decimal, surface: Surface, at: datetime, index: Index
) -> ContractPriced:
    """A contract's fair price by the model and the coins it hedges."""
    days = terms.days
    forwards = [surface.forward(max(year_fraction(at, _noon(day, at)), 0.0)) for day in days]
    weights = [index(day) if terms.forward and not terms.in_coin else 1.0 for day in days]
    pairs = zip(forwards, weights, strict=True)
    mean = sum(one * weight for one, weight in pairs) / sum(weights)
    bare = ContractPriced(
        terms=terms, limit=limit, shares=designated(terms, index), forward_usd=mean
    )
    held = _standing(bare, "", surface, at, index)
    value = position_value_usd(held, surface, at)
    if terms.forward is None:
        legs = [
            leg_value_usd(leg.instrument, float(leg.amount), float(leg.price), surface, at)
            for leg in held.trade.legs
        ]
        gross = sum(abs(one) for one in legs) / bare.units
        return replace(bare, fair=value / bare.units, gross=gross)
    # a unit more of the fixed rate is worth a dollar, or a coin
    unit = _mean_coin(terms, surface, at) if terms.in_coin else 1.0
    fair = float(limit) - value / (bare.units * unit)
    return replace(bare, fair=fair, gross=fair)


def _mean_coin(terms: ContractTerms, surface: Surface, at: datetime) -> float:
    """What a coin for every day of a contract is worth on average."""
    years = [max(year_fraction(at, _noon(day, at)), 0.0) for day in terms.days]
    return sum(surface.forward(one) for one in years) / len(years)


def _noon(day: date, at: datetime) -> datetime:
    return datetime.combine(day, time(12), at.tzinfo)


def _standing(
    made: ContractPriced, dealer: str, surface: Surface, at: datetime, index: Index
) -> Position:
    """What a contract would be with a dealer, at its limit."""
    spot = Decimal(repr(surface.spot))
    dealt = contract_of("hypothetical", dealer, at, made, made.limit, spot)
    position = stand_in(HeldContract(contract=dealt), surface, at, index)
    assert position is not None
    return position


def rate_contract(
    found: Situation,
    terms: ContractTerms,
    limit: Decimal,
    index: Index,
    *,
    on: Sequence[HeldContract] = (),
    repeated: bool = False,
) -> ContractRated:
    """A contract on the market now, and whom it may be dealt with; Wrong where it cannot be dealt.

    ``on`` are the contracts in force, whose hashrate is sold already.
    """
    _possible(found, terms, index, on)
    made = price_contract(terms, limit, found.surface, found.at, index)
    placed = Placed(
        terms.kind,
        made.size,
        lambda dealer: _standing(made, dealer, found.surface, found.at, index),
    )
    plain = _facts(found, made, repeated=repeated)
    return ContractRated(priced=made, placement=place(found, placed, plain))


def _possible(
    found: Situation, terms: ContractTerms, index: Index, on: Sequence[HeldContract]
) -> None:
    """Raises Wrong unless it lies in the months ahead, and hedges no more than they mine on its days.

    The mandate's bands begin with the next full month, and count whole months: a contract on a few days could
    else be many times what is mined on them. Hashrate that is sold on those days already, for USD or in coin,
    counts with it: one in coin is no cover of the price, and no band would see two of them.
    """
    first, last = terms.days[0], terms.days[-1]
    if Month.of(first) <= Month.of(found.at):
        raise Wrong(f"a contract begins with the month after {Month.of(found.at)}, was {first}")
    ahead = {row.month: row for row in found.rows}
    for month, some in groupby(terms.days, Month.of):
        days = tuple(some)
        if month not in ahead:
            raise Wrong(f"{month} is no month of the forecast: a contract cannot run to {last}")
        expected = ahead[month].p50 * len(days) / month.days
        coins = float(terms.coins) * len(days) / len(terms.days)
        if terms.forward is not None:
            coins = float(terms.forward.phs) * sum(index(day) for day in days)
        sold = 0.0 if terms.forward is None else _sold(on, days, index)
        if coins + sold > expected:
            beside = f" beside {sold:.2f} whose hashrate is sold already" if sold else ""
            raise Wrong(
                f"on {len(days)} days of {month} {expected:.2f} coins are expected (P50), "
                f"and the contract is of {coins:.2f}{beside}"
            )


def _sold(on: Sequence[HeldContract], days: Sequence[date], index: Index) -> float:
    """Coins of days whose hashrate is sold forward."""
    forwards = [one.contract.terms.forward for one in on]
    return sum(
        float(forward.phs) * index(day)
        for forward in forwards
        if forward is not None
        for day in days
        if forward.first <= day <= forward.last
    )


def expected_fixing(terms: ContractTerms, index: Index, day: date, spot: Decimal) -> Decimal:
    """What a day is expected to be fixed at: the price, or the index at it, in USD or in coin."""
    if terms.forward is None:
        return spot
    coins = Decimal(repr(index(day)))
    return coins if terms.in_coin else coins * spot


def _facts(found: Situation, made: ContractPriced, *, repeated: bool) -> Facts:
    """The record the mandate judges; dealers and margin are filled in where it is placed."""
    terms, snapshot = made.terms, found.snapshot
    tracking, r2 = _basis(found, made)
    coins: Mapping[Month, float] = {month: float(part) for month, part in made.shares}
    premium = max(float(made.limit), 0.0) * float(made.size) if terms.options else 0.0
    last = datetime.combine(terms.days[-1], time(8), found.at.tzinfo)
    spot_up = snapshot.index * (1.0 + found.mandate.cash.stress_up)
    return Facts(
        at=found.at,
        mandate_signed=bool(found.mandate_sha256),
        preparer=found.preparer,
        structure=terms.kind,
        venue=found.venue,
        months=month_facts(found.rows, coins, firm=not terms.kind.keeps_upside),
        free_coins=found.liquidity.free_coins,
        hedged_share=hedged_share(found.rows, float(made.size)),
        over_hedged_coins=found.over_hedged_coins,
        size_coins=float(made.size),
        notional_usd=float(made.size) * made.forward_usd,
        tracking_error=tracking,
        r2=r2,
        tenor_months=months_to(found.at, last),
        dealers=(),
        premium_usd=premium,
        premium_spent_usd=premium_spent(found.trades),
        debit_share=max(float(made.limit), 0.0) / made.forward_usd if terms.options else 0.0,
        initial_margin_usd=0.0,
        stress_call_usd=0.0,
        liquidity_usd=found.liquidity.at(spot_up),
        live_rfq=False,
        repeated=repeated,
        market_age_minutes=(found.at - snapshot.as_of).total_seconds() / 60.0,
        spread_ratio=spread_ratio(found),
        spot_move=snapshot.spot_move_10m,
        open_interest_share=0.0,
    )


def _basis(found: Situation, made: ContractPriced) -> tuple[float, float]:
    """Tracking error and R2 of the mean it settles on against the sales of what is mined on its days."""
    terms, at = made.terms, found.at
    if terms.in_coin:
        return 0.0, 1.0  # it fixes coins: no price is hedged
    hour = time(8 if terms.options else 12)
    fixings = [datetime.combine(day, hour, at.tzinfo) for day in terms.days]
    count = ceil((fixings[-1] - at).total_seconds() / 86_400.0) + 2
    fixed, sold = np.zeros(count), np.zeros(count)
    unsold, share = 0.0, 1.0 / len(fixings)
    for day, fixing in zip(terms.days, fixings, strict=True):
        fixed[ceil((fixing - at).total_seconds() / 86_400.0) - 1] += share
        unsold += share
        if found.street.sale_policy.sells_on(day) or day == terms.days[-1]:
            ends = datetime.combine(day + timedelta(days=1), time(), at.tzinfo)
            sold[ceil((ends - at).total_seconds() / 86_400.0) - 1] += unsold
            unsold = 0.0
    return averaging_basis(sold, fixed, daily_vols(found.surface, count))


def contract_envelope(found: Situation, name: str, made: ContractPriced) -> ContractEnvelope:
    """What is put to the approver."""
    spot, people = Decimal(repr(found.snapshot.index)), found.mandate.people
    void = Decimal(repr(people.spot_move_void))
    return ContractEnvelope(
        contract=name,
        terms=made.terms,
        limit=made.limit,
        valid_until=found.at + timedelta(minutes=people.approval_minutes),
        spot_low=(spot * (1 - void)).quantize(_CENT),
        spot_high=(spot * (1 + void)).quantize(_CENT),
    )


def describe_contract(terms: ContractTerms) -> str:
    """A contract in one line."""
    window = f"{terms.days[0]} to {terms.days[-1]}"
    words = str(terms.kind).replace("_", " ")
    if terms.forward is not None:
        unit = f"{terms.coin}" if terms.in_coin else "USD"
        return f"{words} {terms.forward.phs.normalize():f} PH/s in {unit}, {window}"
    strikes = "/".join(
        f"{one.strike:,.0f}" for one in sorted(terms.options, key=lambda one: one.kind is Kind.CALL)
    )
    return f"{words} {strikes}, {terms.coins.normalize():f} coins, {window}"
