"""Curtailment as an option: what runs at a hashprice, and what power costs then."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.chain import break_even_usd_mwh
from headframe.mining import (
    KNOWN_MACHINES,
    Batch,
    DemandResponse,
    Pool,
    PoolScheme,
    PowerBlock,
    PricePaths,
    forecast,
    grouped_hours,
    month_edges,
    simulate,
)
from headframe.mining.dispatch import staircase
from headframe.units import Month, Wrong
from mines import START, mine, site

AT = datetime(2026, 8, 22, tzinfo=UTC)
JULY = (datetime(2027, 7, 1, tzinfo=UTC), datetime(2027, 8, 1, tzinfo=UTC))
S21 = Batch(site="a", machine=KNOWN_MACHINES["Antminer S21"], count=1_000)
S19 = Batch(site="a", machine=KNOWN_MACHINES["Antminer S19j Pro"], count=1_000)
S21_MW, S19_MW = 3.5, 3.068


def at(operation: Any, hashprice: float) -> tuple[float, float]:
    """Petahashes and USD an hour of July at a hashprice, by the staircase."""
    stairs = staircase(operation, JULY, ())
    below = int(np.searchsorted(stairs.thresholds, hashprice))
    return stairs.hashes[below] / 1e15, (stairs.usd[below] + stairs.fixed_usd[0]) * 3600.0


def by_hand(operation: Any, hashprice: float) -> tuple[float, float]:  # noqa: C901, PLR0912 - an hour at a time
    """The same, hour by hour and machine by machine, written anew."""
    petahashes = usd = 0.0
    for one in operation.sites:
        prices = one.prices(Month(2027, 7))
        hours_off = 0
        if one.demand_response:
            hours_off = round(one.demand_response.hours_month / 744.0 * len(prices))
            usd -= one.demand_response.credit_usd_mw_month * one.capacity_mw / 744.0
        lots = [b for b in operation.fleet if b.site == one.name]
        lots.sort(key=lambda b: b.machine.joules_per_terahash)
        for hour, price in enumerate(sorted(prices)):
            used = 0.0
            off = hour >= len(prices) - hours_off
            sold = dict.fromkeys(range(len(one.blocks)), 0.0)
            for lot in lots:
                megawatts = lot.count * lot.machine.power_w * one.uptime / 1e6
                start, left = 0.0, megawatts
                while left > 1e-12:
                    place, edge = used, 0.0
                    block = None
                    for k, b in enumerate(one.blocks):
                        edge += b.mw
                        if place < edge - 1e-12:
                            block = k
                            break
                    part = left if block is None else min(left, edge - place)
                    cost = price
                    if block is not None:
                        discount = one.blocks[block].resale_discount_usd_mwh
                        cost = 0.0 if discount is None else max(price - discount, 0.0)
                    cost += one.adder_usd_mwh
                    even = break_even_usd_mwh(
                        hashprice, operation.pool.fee, lot.machine.joules_per_terahash
                    )
                    if not off and (even > cost or not one.curtails):
                        petahashes += (
                            lot.count
                            * lot.machine.hashrate_ths
                            / 1e3
                            * part
                            / megawatts
                            * one.uptime
                            / len(prices)
                        )
                        usd += cost * part / len(prices)
                    used += part
                    left -= part
                    start += part
            for k, b in enumerate(one.blocks):
                discount = b.resale_discount_usd_mwh
                sold[k] = 0.0 if discount is None else max(price - discount, 0.0) * b.mw
                usd += (b.mw * b.usd_mwh - sold[k]) / len(prices)
    return petahashes, usd


def test_a_machine_runs_while_hashprice_pays_for_its_power() -> None:
    operation = mine(sites=(site(curtails=True, power_usd_mwh=(60.0,) * 12),), fleet=(S21, S19))
    even = {b.machine.model: 60.0 * 24 * b.machine.joules_per_terahash / 1000 for b in (S21, S19)}
    assert even["Antminer S21"] == pytest.approx(25.2)
    assert at(operation, 25.1) == (0.0, 0.0)
    assert at(operation, 25.3) == pytest.approx((200.0, S21_MW * 60.0))
    assert at(operation, 42.4)[0] == 200.0
    assert at(operation, 42.6) == pytest.approx((304.0, (S21_MW + S19_MW) * 60.0))
    stubborn = mine(sites=(site(power_usd_mwh=(60.0,) * 12),), fleet=(S21, S19))
    assert at(stubborn, 0.0)[0] == pytest.approx(304.0), "a site that does not curtail always runs"


def test_with_power_bought_ahead_curtailment_is_an_exchange_of_coins_for_power() -> None:
    """Take or pay at 40, sold back at the index less 2: the machine's marginal cost is what resale brings."""
    block = PowerBlock(mw=S21_MW, usd_mwh=40.0, resale_discount_usd_mwh=2.0)
    operation = mine(
        sites=(site(curtails=True, power_usd_mwh=(90.0,) * 12, blocks=(block,)),), fleet=(S21,)
    )
    even = 88.0 * 24 * 17.5 / 1000
    assert at(operation, even + 0.01)[1] == pytest.approx(S21_MW * 40.0)
    assert at(operation, even - 0.01) == pytest.approx((0.0, S21_MW * (40.0 - 88.0)))
    kept = PowerBlock(mw=S21_MW, usd_mwh=40.0)
    lost = mine(
        sites=(site(curtails=True, power_usd_mwh=(90.0,) * 12, blocks=(kept,)),), fleet=(S21,)
    )
    assert at(lost, 0.01) == pytest.approx((200.0, S21_MW * 40.0)), "sunk: it runs at any hashprice"
    gone = PowerBlock(mw=S21_MW, usd_mwh=40.0, until=date(2027, 7, 1))
    over = mine(
        sites=(site(curtails=True, power_usd_mwh=(90.0,) * 12, blocks=(gone,)),), fleet=(S21,)
    )
    assert at(over, even)[1] == 0.0


@given(
    st.floats(5.0, 90.0),
    st.lists(st.floats(-20.0, 300.0), min_size=1, max_size=12),
    st.floats(0.0, 10.0),
    st.lists(
        st.tuples(st.floats(0.5, 4.0), st.one_of(st.none(), st.floats(0.0, 20.0))), max_size=2
    ),
    st.booleans(),
)
def test_the_staircase_is_the_mine_counted_hour_by_hour(
    hashprice: Any, hours: Any, adder: Any, blocks: Any, curtails: Any
) -> None:
    bought = tuple(PowerBlock(mw=mw, usd_mwh=45.0, resale_discount_usd_mwh=d) for mw, d in blocks)
    one = site(
        curtails=curtails,
        power_hours=(tuple(hours),) * 12,
        adder_usd_mwh=adder,
        blocks=bought,
        uptime=0.9,
    )
    operation = mine(sites=(one,), fleet=(S19, S21), pool=Pool(scheme=PoolScheme.FPPS, fee=0.01))
    assert at(operation, hashprice) == pytest.approx(
        by_hand(operation, hashprice), rel=1e-9, abs=1e-9
    )


def test_demand_response_takes_the_dearest_hours_and_pays_for_them() -> None:
    hours = tuple(float(k) for k in range(1, 125))
    response = DemandResponse(credit_usd_mw_month=3_000.0, hours_month=24.0, months=(7,))
    one = site(power_hours=(hours,) * 12, capacity_mw=4.0, demand_response=response)
    operation = mine(sites=(one,), fleet=(S21,))
    found = at(operation, 50.0)
    assert found == pytest.approx(by_hand(operation, 50.0))
    assert found[0] == pytest.approx(200.0 * 120 / 124)
    winter = staircase(
        operation, (datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)), ()
    )
    assert winter.hashes[-1] == pytest.approx(200e15)
    assert winter.fixed_usd[0] == 0.0


def test_hours_are_grouped_without_changing_their_mean() -> None:
    hours = tuple(float(k % 97) for k in range(2_000))
    grouped = grouped_hours((hours,) * 12)[0]
    assert len(grouped) == 256
    assert sum(grouped) / 256 == pytest.approx(sum(hours) / 2_000, rel=1e-12)
    assert grouped_hours(((3.0, 1.0),) * 12)[5] == (1.0, 3.0)


def test_curtailment_on_paths_lowers_coins_when_the_price_falls() -> None:
    operation = mine(sites=(site(curtails=True, power_usd_mwh=(60.0,) * 12),), fleet=(S21, S19))
    edges = month_edges(Month(2026, 9), 2)
    coins: dict[float, float] = {}
    for price in (30_000.0, 60_000.0, 150_000.0):
        flat = PricePaths(np.full((1, 10), price), AT, 864_000.0)
        coins[price] = float(simulate(operation, edges, start=START, prices=flat, paths=500, seed=1).coins.sum(axis=1).mean())  # fmt: skip
    assert coins[30_000.0] < 0.01 * coins[150_000.0]
    assert 0.3 < coins[60_000.0] / coins[150_000.0] < 200 / 304, (
        "the less efficient half stands still"
    )
    prices = PricePaths(
        np.linspace(20_000.0, 140_000.0, 300)[:, None].repeat(60, axis=1).copy(), AT, 604_800.0
    )
    made = forecast(operation, Month(2026, 9), as_of=AT, start=START, prices=prices, paths=300)
    assert made.natural[0].beta > 0.2, "curtailment: production rises with the price"
    assert made.natural[0].share > 1.0, "and so more than all of it is left to hedge"
    assert made.natural[0].beta_se > 0.0
    idle = PricePaths(np.full((1, 10), 100.0), AT, 864_000.0)
    nothing = forecast(
        operation, Month(2026, 9), as_of=AT, start=START, prices=idle, paths=300, months=3
    )
    assert nothing.months[0].coins.p95 == 0.0
    assert nothing.months[0].power_usd == 0.0


def test_what_a_site_cannot_be() -> None:
    for bad in (
        {"uptime": 1.1},
        {"uptime_sd": 0.9},
        {"power_usd_mwh": (50.0,) * 3},
        {"derating": (2.0,) * 12},
        {"power_hours": ((1.0,),)},
        {"capacity_mw": 1.0, "blocks": (PowerBlock(mw=2.0, usd_mwh=40.0),)},
        {"adder_usd_mwh": -1.0},
    ):
        with pytest.raises(Wrong):
            site(**bad)
    for months in ((), (13,)):
        with pytest.raises(Wrong):
            DemandResponse(credit_usd_mw_month=1.0, hours_month=1.0, months=months)
    with pytest.raises(Wrong):
        PowerBlock(mw=0.0, usd_mwh=40.0)


def test_what_the_connection_does_not_carry_stands_still_the_worst_machines_first() -> None:
    operation = mine(sites=(site(capacity_mw=5.0),), fleet=(S19, S21))
    petahashes, usd = at(operation, 50.0)
    assert petahashes == pytest.approx(200.0 + 104.0 * 1.5 / S19_MW)
    assert usd == pytest.approx(5.0 * 50.0)
    made = forecast(operation, Month(2026, 9), as_of=AT, start=START, paths=10, months=1)
    assert any("draws more than its connection carries in 2026-09" in note for note in made.notes)


def test_a_batch_that_may_come_late_takes_no_room_before_it_can_arrive() -> None:
    late = Batch(
        site="a",
        machine=KNOWN_MACHINES["Antminer S21 XP"],
        count=1_000,
        since=date(2026, 11, 1),
        ramp_days=10.0,
        delay_days=20.0,
    )
    block = PowerBlock(mw=3.0, usd_mwh=40.0, until=date(2026, 10, 16), resale_discount_usd_mwh=0.0)
    roomy = mine(sites=(site(capacity_mw=4.0, blocks=(block,)),), fleet=(S21, late))
    edges = month_edges(Month(2026, 9), 5)
    found = simulate(roomy, edges, start=START, paths=500, seed=1)
    alone = simulate(mine(sites=(site(),), fleet=(S21,)), edges, start=START, paths=500, seed=1)
    assert found.coins[:, :2] == pytest.approx(alone.coins[:, :2])
    # two and a half weeks at 40 instead of 50 on the 3 MW of the block, and none after it ends
    saved = alone.power_usd[0, :2] - found.power_usd[0, :2]
    assert saved == pytest.approx([3.0 * 720 * 10.0, 3.0 * 360 * 10.0])
    # from its planned day on its room is kept for it, come or not: 0.355 MW are left for the others
    kept = 0.355 / S21_MW
    most = found.coins[:, 4] / alone.coins[:, 4]
    assert most.max() == pytest.approx(kept + 270.0 / 200.0)
    assert most.min() >= kept - 1e-9


def test_on_paths_a_machine_stops_exactly_where_it_earns_nothing() -> None:
    """Difficulty held still: 1 % above the break-even hashprice everything runs, 1 % below nothing."""
    still = replace(START, model=replace(START.model, drift=0.0, drift_sd=0.0, noise_sd=0.0, memory=0.0, last_deviation=0.0, season_cos=0.0, season_sin=0.0))  # fmt: skip
    operation = mine(sites=(site(curtails=True, power_usd_mwh=(60.0,) * 12),), fleet=(S21, S19))
    edges = month_edges(Month(2026, 9), 1)
    per_coin = 86_400e15 / (START.last.difficulty * START.chain.hashes_per_difficulty) * 3.125
    hashes = 30 * 86_400 / (START.last.difficulty * START.chain.hashes_per_difficulty) * 3.125
    for factor, petahashes in (
        (0.99 * 25.2, 0.0),
        (1.01 * 25.2, 200.0),
        (0.99 * 42.48, 200.0),
        (1.01 * 42.48, 304.0),
    ):
        flat = PricePaths(np.full((1, 10), factor / per_coin), AT, 864_000.0)
        found = simulate(operation, edges, start=still, prices=flat, paths=1, seed=1)
        assert found.coins[0, 0] == pytest.approx(petahashes * 1e15 * hashes, rel=1e-9)
        megawatts = {0.0: 0.0, 200.0: S21_MW, 304.0: S21_MW + S19_MW}[petahashes]
        assert found.power_usd[0, 0] == pytest.approx(megawatts * 60.0 * 720.0)
