"""Contracts as what is worth the same: against the sums they stand for, drawn paths, and their payoff."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from headframe.book import Contract, ContractTerms, Designation, HeldContract
from headframe.instrument import AveragedOption, HashpriceForward, Kind, StructureKind
from headframe.market import sample_market
from headframe.pricing import Surface, surface_of
from headframe.risk import averaged_worth, averaging_basis, position_value_usd, stand_in
from headframe.units import Month, year_fraction

MARKET = sample_market()
AT = MARKET.as_of
FIRST = date(2026, 10, 20)


@pytest.fixture(scope="module")
def surface() -> Surface:
    return surface_of(MARKET)


def held(terms: ContractTerms) -> HeldContract:
    months = sorted({Month.of(day) for day in terms.days})
    parts = tuple(
        Designation(month=one, coins=Decimal(1), words="", hedge_for_accounts=True)
        for one in months
    )
    contract = Contract(
        id="K-1", dealer="amber", at=AT, terms=terms, price=Decimal(30), designations=parts,
        spot=Decimal(77_000),
    )  # fmt: skip
    return HeldContract(contract=contract)


def forward(fixed: str, *, in_coin: bool = False, days: int = 50) -> HeldContract:
    sold = HashpriceForward(
        first=FIRST, last=FIRST + timedelta(days=days - 1), phs=Decimal(900),
        fixed=Decimal(fixed), in_coin=in_coin,
    )  # fmt: skip
    return held(ContractTerms(kind=StructureKind.HASHPRICE_FORWARD, coin="BTC", forward=sold))


def collar(
    days: int, strikes: tuple[int, int] = (70_000, 95_000), first: date = FIRST
) -> HeldContract:
    last = first + timedelta(days=days - 1)
    options = tuple(
        AveragedOption(
            kind=kind, strike=Decimal(strike), coins=Decimal(coins), first=first, last=last
        )
        for kind, strike, coins in (
            (Kind.PUT, strikes[0], 10),
            (Kind.CALL, strikes[1], -10),
        )
    )
    return held(ContractTerms(kind=StructureKind.AVERAGE_COLLAR, coin="BTC", options=options))


def worth(one: HeldContract, surface: Surface, at: datetime = AT) -> float:
    found = stand_in(one, surface, at, falling)
    assert found is not None
    return position_value_usd(found, surface, at)


def falling(day: date) -> float:
    """Difficulty rises a little every day."""
    return 0.00045 * 0.999 ** (day - FIRST).days


def test_a_hashprice_forward_is_worth_its_days(surface: Surface) -> None:
    one = forward("34.5")
    exact = sum(
        900 * (34.5 - falling(day) * surface.forward(year_fraction(AT, _noon(day))))
        for day in one.days_left
    )
    assert worth(one, surface) == pytest.approx(exact, abs=15.0), (
        "a thousandth of a percent of 1.5 million"
    )
    up = surface.at_spot(surface.spot * 1.6, AT)
    gone = 900 * sum(falling(day) for day in one.days_left)
    slope = (worth(one, up) - worth(one, surface)) / (up.spot - surface.spot)
    ahead = surface.forward(80 / 365.0) / surface.spot
    assert slope == pytest.approx(-gone * ahead, rel=0.002), "it loses its coins' rise"


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def test_one_in_coin_is_worth_the_coins_it_is_ahead(surface: Surface) -> None:
    one = forward("0.00045", in_coin=True)
    ahead = 900 * sum(0.00045 - falling(day) for day in one.days_left)
    assert worth(one, surface) == pytest.approx(ahead * surface.forward(0.22), rel=0.01)


def test_what_is_fixed_counts_no_more(surface: Surface) -> None:
    one = forward("34.5")
    day_worth = 900 * (34.5 - falling(FIRST) * surface.forward(year_fraction(AT, _noon(FIRST))))
    after, _ = one.fixed(FIRST, Decimal(30))
    assert worth(one, surface) - worth(after, surface) == pytest.approx(day_worth, abs=15.0)
    for day in after.days_left:
        after, _ = after.fixed(day, Decimal(30))
    assert stand_in(after, surface, AT, falling) is None


@pytest.mark.parametrize("days", [1, 31, 92])
def test_a_mean_is_marked_as_the_pricing_room_does(surface: Surface, days: int) -> None:
    one = collar(days)
    years = [year_fraction(AT, one.fixes_at(day)) for day in one.days_left]
    put = averaged_worth(-1.0, 70_000.0, surface, years)
    call = averaged_worth(1.0, 95_000.0, surface, years)
    assert worth(one, surface) == pytest.approx(10.0 * (put - call), abs=0.01)


@pytest.mark.slow
def test_a_mean_is_worth_what_drawn_prices_pay(surface: Surface) -> None:
    """Each fixing at its own volatility: 400,000 drawn means, seasoned by ten fixings at 60,000."""
    flat = surface.at_spot(77_000.0, AT)
    one = collar(40, (72_000, 200_000), AT.date() + timedelta(days=1))
    for day in one.days_left[:10]:
        one, _ = one.fixed(day, Decimal(60_000))
    at = one.fixes_at(one.days_left[0]) - timedelta(hours=12)
    years = [year_fraction(at, one.fixes_at(day)) for day in one.days_left]
    count = len(years)
    strike = (40 * 72_000 - 10 * 60_000) / count
    mean = sum(flat.forward(t) for t in years) / count
    variance = [flat.vol_at(t, np.log(strike / mean)) ** 2 * t for t in years]
    draws = np.random.default_rng(7).standard_normal((200_000, count))
    draws = np.concatenate([draws, -draws])
    steps = np.diff([0.0, *variance])
    walk = np.cumsum(draws * np.sqrt(steps) - 0.5 * steps, axis=1)
    forwards = np.array([flat.forward(t) for t in years])
    means = (forwards * np.exp(walk)).sum(axis=1)
    paid = 10.0 * np.maximum(72_000 - (10 * 60_000 + means) / 40, 0.0)
    error = paid.std() / np.sqrt(200_000)
    assert worth(one, flat, at) == pytest.approx(paid.mean(), abs=4.0 * error)


def test_after_a_shock_two_moments_are_near(surface: Surface) -> None:
    """What a stress reads: within a tenth of a percent of today's price, at -60 % and +60 %."""
    one = collar(92)
    found = stand_in(one, surface, AT, falling)
    assert found is not None
    for move in (0.4, 0.8, 1.2, 1.6):
        moved = surface.at_spot(surface.spot * move, AT)
        gap = abs(position_value_usd(found, moved, AT) - worth(one, moved))
        assert gap <= 0.001 * 10 * surface.spot


def test_on_its_last_day_it_is_worth_its_payoff(surface: Surface) -> None:
    one = collar(20)
    for day in one.days_left[:-1]:
        one, _ = one.fixed(day, Decimal(110_000))
    at = one.fixes_at(one.days_left[0])
    now = surface.at_spot(100_000.0, at)
    _, paid = one.fixed(one.days_left[0], Decimal(100_000))
    assert worth(one, now, at) == pytest.approx(float(paid), rel=1e-6)
    assert paid < 0, "its call is exercised"


def test_an_even_mean_against_even_sales_leaves_nothing() -> None:
    days = np.full(30, 1 / 30)
    none, whole = averaging_basis(days, days, 0.5)
    assert none == 0.0
    assert whole == pytest.approx(1.0)
    last = np.zeros(3_000)
    last[-1] = 1.0
    error, r2 = averaging_basis(np.full(3_000, 1 / 3_000), last, 0.5)
    years = 3_000 / 365
    assert error == pytest.approx(0.5 * (years / 3.0) ** 0.5, rel=1e-3), "a third of the variance"
    assert r2 == pytest.approx(0.75, rel=1e-3)
