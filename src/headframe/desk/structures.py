"""Structures on the workspace's market: collars at no cost with the venue's fees, contracts on production."""

from dataclasses import dataclass
from datetime import datetime, time

from headframe.book import ContractTerms
from headframe.desk import history, production, quotes
from headframe.desk.office import Office
from headframe.desk.ports import Invalid, NotFound
from headframe.desk.programme import fee_schedule
from headframe.desk.valuation import value_now
from headframe.instrument import DifficultySwap, HashpriceForward, Kind
from headframe.pricing import ZeroCostPair, zero_cost_pair
from headframe.risk import (
    Ladder,
    Outlook,
    Worth,
    averaged_worth,
    difficulty_worth,
    hashprice_worth,
    ladder,
)
from headframe.units import Wrong, expiry_label, year_fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """A pair and the price of a coin it is shown in dollars with."""

    pair: ZeroCostPair
    expiry: datetime
    spot: float
    extrapolated: bool


def collar(
    office: Office, *, put_strike: float, expiry: datetime, lower_strike: float | None
) -> Solved:
    """The call that pays for a put, exactly and on the listed strikes to either side."""
    seen = quotes.show(office)
    fees = fee_schedule(office.settings().venue)
    years = (expiry - seen.snapshot.as_of).total_seconds() / (365.0 * 86_400.0)
    if years <= 0.0:
        raise Invalid(f"{expiry_label(expiry)} has expired at {seen.snapshot.as_of:%Y-%m-%d %H:%M}")
    forward = seen.surface.forward(years)
    for strike in (put_strike, lower_strike):
        if strike is not None and not 0.1 * forward <= strike <= 5.0 * forward:
            raise Invalid(
                f"a strike lies between a tenth and five times the forward {forward:,.0f}, was {strike:,.0f}"
            )
    listed = any(one.expiry == expiry for one in seen.snapshot.forwards)
    try:
        pair = zero_cost_pair(
            seen.snapshot,
            seen.surface,
            put_strike=put_strike,
            expiry=expiry,
            lower_strike=lower_strike,
            fee=fees.option_fee if listed else lambda _: 0.0,
        )
    except Wrong as error:
        raise Invalid(str(error)) from error
    if pair is None:
        raise NotFound(
            f"no put of {expiry_label(expiry)} at {put_strike:,.0f} can be dealt on two sides"
        )
    return Solved(
        pair=pair,
        expiry=expiry,
        spot=seen.snapshot.index,
        extrapolated=seen.surface.extrapolated(years),
    )


def hashprice_forward(office: Office, contract: HashpriceForward, *, paths: int) -> Worth:
    """What hashrate sold forward is worth to its seller, and the fair rate."""
    try:
        return hashprice_worth(contract, outlook(office, paths))
    except Wrong as error:
        raise Invalid(str(error)) from error


def difficulty_swap(office: Office, contract: DifficultySwap, *, paths: int) -> Worth:
    """What a swap of mean difficulty is worth to its buyer, and the fair level."""
    made = outlook(office, paths)
    past = history.known(office.state(), made.operation.coin, made.at)
    try:
        return difficulty_worth(contract, made, past)
    except Wrong as error:
        raise Invalid(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Averages:
    """Options on a mean: the fair premium and each leg's worth per coin, the mean's forward, in USD."""

    fair: float
    forward: float
    legs: tuple[tuple[str, float], ...]


def averages(office: Office, terms: ContractTerms) -> Averages:
    """What options on a mean are worth, by conditioning on the geometric mean."""
    now = value_now(office)
    on = now.at
    days = terms.days
    times = [year_fraction(on, datetime.combine(day, time(8), on.tzinfo)) for day in days]
    if times[0] <= 0.0:
        raise Invalid(f"the first fixing lies after {on:%Y-%m-%d %H:%M}, was {terms.days[0]}")
    legs: list[tuple[str, float]] = []
    for one in terms.options:
        sign = 1.0 if one.kind is Kind.CALL else -1.0
        each = averaged_worth(sign, float(one.strike), now.surface, times)
        legs.append((f"{one.kind} {one.strike:,.0f}", each if one.coins > 0 else -each))
    forward = sum(now.surface.forward(t) for t in times) / len(times)
    return Averages(fair=sum(value for _, value in legs), forward=forward, legs=tuple(legs))


def outlook(office: Office, paths: int) -> Outlook:
    """The workspace's chain, fees and market, prices by the real-world model."""
    now, prepared = value_now(office), production.gather(office)
    closes = history.prices(office, prepared.settings.history, now.at)
    return Outlook(
        at=now.at,
        start=prepared.start,
        operation=prepared.case.operation,
        surface=now.surface,
        model=ladder(Ladder.BOOTSTRAP, now.surface, [price for _, price in closes]),
        seed=now.state.seed,
        paths=paths,
    )
