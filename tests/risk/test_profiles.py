"""Exposure through time against closed forms, limits and identities."""

from dataclasses import replace
from datetime import timedelta
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from headframe.counterparty import HOUSE, CollateralTerms
from headframe.instrument import Instrument, Kind
from headframe.risk import (
    Facing,
    HedgedLeg,
    Ladder,
    NettingSet,
    dealer_of,
    faces_of,
    hedge_of,
    marked_on,
    prepare,
    profiles,
    run,
)
from headframe.units import Wrong
from risk.test_engine import MARKET, SURFACE, programme

AT = MARKET.as_of
NORM = NormalDist()

FREE = CollateralTerms(
    threshold_usd=1e10,
    minimum_transfer_usd=0.0,
    rounding_usd=0.0,
    independent_share=0.0,
    haircut=0.0,
)
FULL = replace(FREE, threshold_usd=0.0)
VOL = round(SURFACE.vol_at(0.5, 0.0), 9)
COINS = 100.0


def engine(*terms: CollateralTerms, coins: float = -COINS, months: int = 12) -> Any:
    """One forward sold to each side, at today's forward, under its terms; prices a geometric motion."""
    expiry = (AT + timedelta(days=420)).replace(hour=8, minute=0, second=0, microsecond=0)
    one = Instrument(kind=Kind.FORWARD, coin="BTC", settled_in="USD", expiry=expiry)
    entry = SURFACE.forward((expiry - AT).total_seconds() / 86_400.0 / 365.0)
    legs = [
        HedgedLeg(
            instrument=one, amount=coins, entry=entry, netting=f"dealer {place}", margined=COINS
        )
        for place in range(len(terms))
    ]
    sets = [NettingSet(name=f"dealer {place}", terms=one) for place, one in enumerate(terms)]
    return prepare(programme(Ladder.GBM, hedge=hedge_of(legs, sets, AT), months=months))


def facing(name: str = "0", **changes: Any) -> Facing:
    given: dict[str, Any] = {
        "held_usd": 0.0,
        "posted_usd": 0.0,
        "default_year": 0.02,
        "falls_with_coin": 0.0,
    }
    return Facing(name=name, **(given | changes))


def test_a_forward_without_collateral_is_the_closed_form() -> None:
    found = profiles(engine(FREE), [facing()], paths=40_000, seed=3)[0]
    expiry = 420
    entry = SURFACE.forward(expiry / 365.0)
    for one in found.instants[3::12]:
        years = one.days / 365.0
        root = VOL * sqrt(years)
        # we are short: our gain at t is entry - F(t, T); F is a martingale of the model's mean
        d1 = 0.5 * root
        expected = COINS * entry * (NORM.cdf(d1) - NORM.cdf(-d1))
        assert one.bare_expected == pytest.approx(expected, rel=0.03), one.days
        for share, shown in zip((0.95, 0.975, 0.99), one.bare_quantiles, strict=True):
            low = exp(-0.5 * root * root + root * NORM.inv_cdf(1.0 - share))
            assert shown == pytest.approx(COINS * entry * (1.0 - low), rel=0.025), one.days
        assert one.quantiles == one.bare_quantiles, "a threshold nobody reaches is no collateral"
        assert one.expected == one.bare_expected


def test_full_collateral_leaves_the_margin_period() -> None:
    bare, full = profiles(engine(FREE, FULL), [facing("0"), facing("1")], paths=20_000, seed=3)
    entry = SURFACE.forward(420 / 365.0)
    root = VOL * sqrt(10.0 / 365.0)
    ten = COINS * entry * (2.0 * NORM.cdf(0.5 * root) - 1.0)
    for one in full.instants[2::10]:
        assert one.expected == pytest.approx(ten, rel=0.06), one.days
    assert full.margin_period.days == 10
    assert full.margin_period.expected == pytest.approx(ten, rel=0.03)
    assert full.epe_usd < 0.35 * bare.epe_usd
    assert all(a.quantiles[0] <= a.quantiles[1] <= a.quantiles[2] for a in full.instants)
    high, middle, low = (bare.peak(place).quantiles[place] for place in (2, 1, 0))
    assert high >= middle >= low


def test_what_is_held_and_posted_today_counts_until_collateral_has_moved() -> None:
    made = engine(FULL)
    (plain,) = profiles(made, [facing()], paths=2_000, seed=3)
    (held,) = profiles(made, [facing(held_usd=1e6)], paths=2_000, seed=3)
    (posted,) = profiles(made, [facing(posted_usd=1e6)], paths=2_000, seed=3)
    first, later = 0, 5
    assert held.instants[first].expected < plain.instants[first].expected
    assert posted.instants[first].expected > plain.instants[first].expected
    assert held.instants[later] == plain.instants[later] == posted.instants[later]


def test_without_netting_every_gain_is_claimed_alone() -> None:
    """A forward sold and the same one bought: netted nothing, apart both gains, less collateral of nothing."""
    made = engine(FREE, FREE)
    both = np.array([[1.0], [-1.0]])
    tables = made.tables * both.reshape(2, 1, 1, 1, 1).astype(np.float32)
    opposite = replace(made, tables=tables)
    sold, bought = profiles(opposite, [facing("0"), facing("1")], paths=3_000, seed=3)
    (apart,) = profiles(opposite, [facing()], paths=3_000, seed=3, faces=[0, 0])
    for one, short, long in zip(apart.instants, sold.instants, bought.instants, strict=True):
        assert one.bare_expected == pytest.approx(short.expected + long.expected, rel=1e-5)
        assert one.expected == one.bare_expected, "collateral follows the sum, which is nothing"
    full = engine(FULL, FULL)
    secured = replace(full, tables=full.tables * both.reshape(2, 1, 1, 1, 1).astype(np.float32))
    (still,) = profiles(secured, [facing()], paths=3_000, seed=3, faces=[0, 0])
    assert still.instants[8].expected == pytest.approx(apart.instants[8].expected)
    netted, other = profiles(secured, [facing("0"), facing("1")], paths=3_000, seed=3)
    assert still.epe_usd > 2.0 * (netted.epe_usd + other.epe_usd)
    for bad in ([0], [1, 1], [0, 2], [1, 0]):
        with pytest.raises(Wrong, match="netting sets face"):
            profiles(made, [facing()], paths=3_000, seed=3, faces=bad)


def test_sides_of_sets_stand_together() -> None:
    names = ["venue", "dealer a / T-1", "dealer a / T-3", "dealer b"]
    assert faces_of(names) == ([0, 1, 1, 2], ["venue", "dealer a / T-1", "dealer b"])
    assert [dealer_of(one) for one in names] == ["venue", "a", "a", "b"]
    assert faces_of([]) == ([], [])


def test_the_adjustment_is_loss_times_chance_times_exposure() -> None:
    made = engine(FREE)
    (one,) = profiles(made, [facing(default_year=0.05)], paths=5_000, seed=3)
    yearly, total, before = -log(0.95), 0.0, 1.0
    for row in one.instants:
        left = exp(-yearly * row.days / 365.0)
        total += (before - left) * row.expected
        before = left
    assert one.cva_usd == pytest.approx(HOUSE.loss_given_default * total, rel=1e-6)
    same = pytest.approx(one.cva_usd, rel=1e-12)
    assert one.cva_wrong_way_usd == same, "a side that does not move with the coin"
    (twice,) = profiles(made, [facing(default_year=0.05, falls_with_coin=1.0)], paths=5_000, seed=3)
    assert twice.cva_wrong_way_usd > 1.2 * one.cva_usd, "it owes us most when it is weakest"
    (right,) = profiles(
        engine(FREE, coins=COINS),
        [facing(default_year=0.05, falls_with_coin=1.0)],
        paths=5_000,
        seed=3,
    )
    assert right.cva_wrong_way_usd < right.cva_usd, "a side that owes us on the way up"


def test_the_same_seed_gives_the_same_bits_and_paths_are_those_of_the_engine() -> None:
    made = engine(FULL)
    one, two = (profiles(made, [facing()], paths=3_000, seed=9) for _ in range(2))
    assert one == two
    assert one != profiles(made, [facing()], paths=3_000, seed=10)
    first, more = (profiles(made, [facing()], paths=count, seed=9)[0] for count in (2_048, 4_096))
    rest = [
        2.0 * b.expected - a.expected for a, b in zip(first.instants, more.instants, strict=True)
    ]
    assert min(rest) > 0.0, "the first block's paths are among the larger run's"
    assert first.epe_usd == pytest.approx(more.epe_usd, rel=0.1)


def test_what_cannot_be_profiled_is_refused() -> None:
    made = engine(FULL)
    with pytest.raises(Wrong, match="netting sets"):
        profiles(made, [], paths=1_000, seed=1)
    with pytest.raises(Wrong, match="100 to"):
        profiles(made, [facing()], paths=10, seed=1)


def test_legs_added_up_are_worth_what_they_are_apart() -> None:
    from headframe.instrument import parse_instrument
    from headframe.risk import merged
    from headframe.risk.marks import leg_value_usd

    names = ("BTC-25DEC26", "BTC_USD-25DEC26-FWD", "BTC-25DEC26-70000-P")
    legs = [
        HedgedLeg(
            instrument=parse_instrument(name), amount=side * size, entry=entry, netting="dealer a", margined=1.0
        )
        for name in names
        for side in (1.0, -1.0)
        for size, entry in ((30.0, 70_000.0), (5.0, 81_000.0), (11.0, 60_000.0))
    ]  # fmt: skip
    together = merged(legs)
    assert len(together) == 6
    assert [one.margined for one in together] == [3.0] * 6
    for ratio in (0.5, 1.0, 1.7):
        moved = SURFACE.at_spot(SURFACE.spot * ratio, AT)
        apart = [leg_value_usd(o.instrument, o.amount, o.entry, moved, AT) for o in legs]
        added = [leg_value_usd(o.instrument, o.amount, o.entry, moved, AT) for o in together]
        assert sum(added) == pytest.approx(sum(apart), abs=1e-9 * sum(map(abs, apart)))


def test_marks_on_the_days_of_a_profile_are_enough_for_it_and_for_nothing_else() -> None:
    whole = engine(FULL)
    expiry = (AT + timedelta(days=420)).replace(hour=8, minute=0, second=0, microsecond=0)
    one = Instrument(kind=Kind.FORWARD, coin="BTC", settled_in="USD", expiry=expiry)
    entry = SURFACE.forward((expiry - AT).total_seconds() / 86_400.0 / 365.0)
    leg = HedgedLeg(instrument=one, amount=-COINS, entry=entry, netting="dealer 0", margined=COINS)
    hedge = hedge_of([leg], [NettingSet(name="dealer 0", terms=FULL)], AT)
    some = prepare(programme(Ladder.GBM, hedge=hedge, months=12), marked_on=marked_on)
    assert profiles(some, [facing()], paths=500, seed=3) == profiles(
        whole, [facing()], paths=500, seed=3
    )
    assert 0 in marked_on(365)
    with pytest.raises(Wrong, match="marks on some days alone"):
        run(some, paths=10, seed=1)


def ending(terms: CollateralTerms, days: int = 40) -> Any:
    """Return an engine of one forward sold to one side that expires in so many days."""
    one = Instrument(
        kind=Kind.FORWARD, coin="BTC", settled_in="USD", expiry=AT + timedelta(days=days)
    )
    leg = HedgedLeg(
        instrument=one, amount=-COINS, entry=SURFACE.spot, netting="dealer 0", margined=COINS
    )
    hedge = hedge_of([leg], [NettingSet(name="dealer 0", terms=terms)], AT)
    return prepare(programme(Ladder.GBM, hedge=hedge, months=4))


@pytest.mark.parametrize(
    ("delivery_days", "weekends", "back"),
    [(0, True, 40), (2, True, 42), (3, False, 45)],  # day 40 is a Thursday: Friday, Monday, Tuesday
)
def test_collateral_is_back_when_the_trades_have_ended_by_the_agreements_calendar(
    delivery_days: int, weekends: bool, back: int
) -> None:
    terms = replace(FULL, independent_share=0.2, delivery_days=delivery_days, weekends=weekends)
    assert (AT + timedelta(days=40)).weekday() == 3
    assert (terms.returned(AT + timedelta(days=40)) - AT.date()).days == back
    made = ending(terms)
    assert made.last_days().tolist() == [40]
    (one,) = profiles(made, [facing(posted_usd=1e6, terms=terms)], paths=2_000, seed=3)
    for row in one.instants:
        if row.days < 40:
            assert row.expected > 0.0
        elif row.days >= back:
            assert row.expected == 0.0, row.days
            assert row.quantiles == (0.0, 0.0, 0.0)
        else:
            assert row.expected > 1e6, "posted and not back yet"


def test_collateral_posted_today_is_back_when_trades_end_within_the_margin_period() -> None:
    made = ending(FULL, days=5)
    (one,) = profiles(made, [facing(posted_usd=1e6)], paths=1_000, seed=3)
    assert [row.expected for row in one.instants] == [0.0] * len(one.instants)


def test_profiles_round_collateral_as_calls_do() -> None:
    """Posted a margin period before: below the minimum nothing, else rounded up to the unit."""
    unit = replace(FULL, minimum_transfer_usd=250_000.0, rounding_usd=1e8)
    (one,) = profiles(ending(unit), [facing()], paths=2_000, seed=3)
    row = next(row for row in one.instants if row.days == 28)
    assert row.quantiles[2] > 9e7, "a call of 250,000 rounds to 100 million here"
    (none,) = profiles(
        ending(replace(unit, minimum_transfer_usd=1e9)), [facing()], paths=2_000, seed=3
    )
    assert [row.expected for row in none.instants] == [row.bare_expected for row in none.instants]
