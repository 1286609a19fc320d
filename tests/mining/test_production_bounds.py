"""What can have been paid and hashed: bounds that follow from the chain and the mine's own plan."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.chain import CHAINS, chain_of, latest, retargets
from headframe.mining import (
    PaidAmount,
    ProductionScale,
    check_coins,
    check_hashrate,
)
from headframe.units import Wrong
from mines import mine as operation

HISTORY = (*retargets(), latest())
SCALE = ProductionScale(chain=chain_of("BTC"), history=HISTORY, operation=operation())
DAY = date(2026, 5, 4)


def paid(*rows: tuple[str, date, str]) -> list[PaidAmount]:
    return [PaidAmount(name=name, day=day, coins=Decimal(coins)) for name, day, coins in rows]


@pytest.mark.parametrize(
    ("at", "coins"),
    [
        (datetime(2012, 11, 1, tzinfo=UTC), 50 * 144),
        (datetime(2016, 8, 1, tzinfo=UTC), 12.5 * 144),
        (datetime(2024, 3, 1, tzinfo=UTC), 6.25 * 144),
        (datetime(2026, 9, 20, tzinfo=UTC), 3.125 * 144),
    ],
)
def test_the_network_mines_its_subsidy_in_144_blocks_a_day(at: datetime, coins: float) -> None:
    assert SCALE.network_coins_a_day(at) == pytest.approx(coins)


def test_the_network_of_other_chains_is_their_own() -> None:
    at = datetime(2026, 9, 20, tzinfo=UTC)
    known = {"LTC": 6.25 * 576, "DOGE": 10_000 * 1_440, "BCH": 3.125 * 144, "ZEC": 1.25 * 1_152}
    for coin, coins in known.items():
        found = ProductionScale(chain=chain_of(coin)).network_coins_a_day(at)
        assert found >= coins * 0.999, coin
        assert found <= coins * 2.001, coin
    for chain in CHAINS.values():
        assert ProductionScale(chain=chain).network_coins_a_day(at) > 0.0


def test_satoshi_are_refused_with_figure_bound_and_unit() -> None:
    with pytest.raises(Wrong) as told:
        check_coins(SCALE, paid(("sp-7", DAY, "325000000")), {})
    words = str(told.value)
    assert words.startswith("sp-7: coins: expected at most ")
    assert "got 325,000,000; fix: the figure is likely in satoshi, which are 3.25 BTC" in words
    assert "the whole network mines 450 BTC a day before fees" in words
    with pytest.raises(Wrong, match=r"likely in mBTC, which are 3\.2505 BTC"):
        check_coins(SCALE, paid(("x", DAY, "3250.5")), {DAY - timedelta(days=1): Decimal(3)})


def test_many_rows_of_one_day_are_one_amount() -> None:
    before = {DAY - timedelta(days=1): Decimal(3)}
    rows = paid(*((f"r-{n}", DAY, "2") for n in range(10)))
    check_coins(SCALE, rows, before)
    with pytest.raises(
        Wrong, match=r"r-0: .* got 2 \(with others of 2026-05-04 40\); fix: check the"
    ):
        check_coins(SCALE, rows * 2, before)


@pytest.mark.parametrize("days", [1, 7, 14, 31])
def test_an_honest_payout_of_any_rhythm_passes_and_a_thousandfold_never(days: int) -> None:
    before = {DAY - timedelta(days=days): Decimal(1)}
    earned = 450 * days * SCALE.mine_hs(DAY, DAY) / (SCALE.network_hs(noon()) or 1.0)
    honest = Decimal(round(earned * 1.3, 8))
    check_coins(SCALE, paid(("a", DAY, str(honest))), before)
    for factor in (1_000, 10**8):
        with pytest.raises(Wrong, match="expected at most"):
            check_coins(SCALE, paid(("a", DAY, str(honest * factor))), before)


def noon() -> datetime:
    return datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)


@given(st.decimals("0.00000001", "1e6", places=8, allow_nan=False))
def test_without_a_plan_the_network_alone_bounds(coins: Decimal) -> None:
    scale = ProductionScale(chain=chain_of("BTC"), history=HISTORY)
    before = {DAY - timedelta(days=2): Decimal(1)}
    rows = paid(("a", DAY, str(coins)))
    if coins <= 2 * 450 * 2:
        check_coins(scale, rows, before)
    else:
        with pytest.raises(Wrong, match="expected at most 1,800 BTC"):
            check_coins(scale, rows, before)


def test_a_lucky_block_of_a_small_solo_mine_is_no_error() -> None:
    from dataclasses import replace

    from headframe.mining import Pool, PoolScheme

    small = replace(
        operation(),
        fleet=tuple(replace(one, count=1) for one in operation().fleet[:1]),
        pool=Pool(scheme=PoolScheme.SOLO, fee=0.01),
    )
    scale = replace(SCALE, operation=small)
    check_coins(scale, paid(("block", DAY, "3.1551")), {DAY - timedelta(days=1): Decimal(0)})
    with pytest.raises(Wrong, match="likely in satoshi"):
        check_coins(scale, paid(("block", DAY, "315510000")), {})


def test_a_hashrate_beyond_the_networks_or_far_beyond_the_plan_is_refused() -> None:
    check_hashrate(SCALE, DAY, 7e18)
    check_hashrate(SCALE, DAY, 0.0)
    with pytest.raises(Wrong, match=r"got 9,800.00 EH/s; fix: .* likely 9.80 EH/s"):
        check_hashrate(SCALE, DAY, 9.8e21)
    with pytest.raises(Wrong, match=r"100 times the planned hashrate.*set the fleet"):
        check_hashrate(SCALE, DAY, 101 * SCALE.planned_hs(DAY))
    bare = ProductionScale(chain=chain_of("LTC"))
    assert bare.network_hs(noon()) is None
    check_hashrate(bare, DAY, 1e23)


def test_recorded_hashrates_widen_what_a_mine_can_be_paid() -> None:
    grown: Any = ProductionScale(
        chain=chain_of("BTC"), history=HISTORY, operation=operation(), hashrates={DAY: 70e18}
    )
    assert grown.mine_hs(DAY, DAY) == 70e18
    assert grown.planned_hs(DAY) == SCALE.planned_hs(DAY)
