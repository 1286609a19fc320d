"""Every chain's subsidy and difficulty rule against published vectors and its own identities."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.chain import (
    CHAINS,
    Adjustment,
    Block,
    Known,
    Retarget,
    bitcoin_cash,
    chain_of,
    checked_history,
    dogecoin,
    ethereum_classic,
    kaspa,
    litecoin,
    monero,
    parse_bits,
    retargets,
    target_of_bits,
    zcash,
)
from headframe.units import Wrong

BTC = CHAINS["BTC"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_every_litecoin_retarget(real_data: Path) -> None:
    table = rows(real_data / "ltc_retargets.csv")
    met = 0
    for before, after in pairwise(table):
        bits, first = int(before["next_nbits"], 16), int(before["last_block_time_unix"])
        met += litecoin.next_bits(bits, first, int(after["last_block_time_unix"])) == int(
            after["next_nbits"], 16
        )
    assert met == len(table) - 1 == 971


def test_every_asert_vector(real_data: Path) -> None:
    table = rows(real_data / "asert_vectors.csv")
    met = 0
    for row in table:
        anchor = (
            int(row["anchor_height"]),
            int(row["anchor_parent_time"]),
            int(row["anchor_bits"], 16),
        )
        met += bitcoin_cash.next_bits(anchor, int(row["height"]), int(row["time"])) == int(
            row["expected_next_bits"], 16
        )
    assert met == len(table) == 13_998
    assert max(int(row["height"]) for row in table) > 2**62


def test_asert_halves_and_doubles_in_two_days_and_never_overflows() -> None:
    height, parent, bits = bitcoin_cash.ANCHOR
    on_time = bitcoin_cash.next_bits(bitcoin_cash.ANCHOR, height, parent + 600)
    assert on_time == bits
    late = bitcoin_cash.next_bits(bitcoin_cash.ANCHOR, height, parent + 600 + 172_800)
    assert target_of_bits(late) == pytest.approx(2 * target_of_bits(bits), rel=1e-5)
    assert bitcoin_cash.next_bits(bitcoin_cash.ANCHOR, height, 2**62) == 0x1D00FFFF
    assert target_of_bits(bitcoin_cash.next_bits(bitcoin_cash.ANCHOR, 2**63, parent)) == 1


# Dogecoin Core, src/test/dogecoin_tests.cpp: bits, time before, time, next bits
DIGISHIELD = [
    (0x1B499DFD, 1395094427, 1395094679, 0x1B671062),
    (0x1B3439CD, 1395100835, 1395101360, 0x1B4E56B3),
    (0x1B446F21, 1395380517, 1395380447, 0x1B335358),
    (0x1B671062, 1395094679, 1395094727, 0x1B6558A4),
]


@pytest.mark.parametrize(("bits", "first", "last", "wanted"), DIGISHIELD)
def test_digishield_cases(bits: Any, first: Any, last: Any, wanted: Any) -> None:
    assert dogecoin.next_bits(bits, first, last) == wanted


# zcashd, src/test/pow_tests.cpp: mean bits, timespan at 150 seconds a block, next bits
ZCASH_CASES = [
    (0x1D00FFFF, 3570, 0x1D011998),
    (0x1C05A3F4, 458, 0x1C04BCEB),
    (0x1C387F6F, 5815, 0x1C4A93BB),
    (0x1F07FFFF, 3570, 0x1F07FFFF),
]


@pytest.mark.parametrize(("bits", "span", "wanted"), ZCASH_CASES)
def test_zcash_damping_cases(bits: Any, span: Any, wanted: Any) -> None:
    assert zcash.damped_bits(target_of_bits(bits), span, 150) == wanted


def test_zcash_on_schedule_keeps_its_target_but_for_lost_digits() -> None:
    window = tuple((1_700_000_000 + 75 * number, 0x1C2A1115) for number in range(28))
    found = target_of_bits(zcash.next_bits(window))
    assert found == pytest.approx(target_of_bits(0x1C2A1115), rel=1e-5)
    with pytest.raises(Wrong, match="28 blocks"):
        zcash.next_bits(window[1:])


def test_kaspa_subsidy_falls_by_the_twelfth_root_of_two_each_month() -> None:
    # rusty-kaspa, SUBSIDY_BY_MONTH_TABLE: the first seven entries, the 51st, the last
    table = [
        44000000000,
        41530469757,
        39199543598,
        36999442271,
        34922823143,
        32962755691,
        31112698372,
    ]
    assert [kaspa.subsidy_per_second(month) for month in range(7)] == table
    assert kaspa.subsidy_per_second(51) == 2_312_465_141
    assert kaspa.subsidy_per_second(425) == kaspa.subsidy_per_second(10**6) == 0
    for month in range(0, 400, 7):
        exact = 44e9 * 2.0 ** (-month / 12)
        assert kaspa.subsidy_per_second(month) == pytest.approx(exact, abs=max(1.0, exact * 1e-14))
    assert kaspa.subsidy(0) == 500 * 10**8
    assert kaspa.subsidy(kaspa.TEN_BLOCKS_FROM - 1) == 10 * kaspa.subsidy(kaspa.TEN_BLOCKS_FROM) - 2


@given(st.integers(0, 3 * 10**9))
def test_kaspas_next_step_is_the_first_smaller_subsidy(score: Any) -> None:
    one = CHAINS["KAS"]
    step = one.next_step(score)
    if step is None:
        assert one.subsidy(score) == 0
        return
    assert score < step
    assert one.subsidy(step - 1) == one.subsidy(score)
    assert one.subsidy(step) < one.subsidy(score)


def kaspa_window(milliseconds: int, count: int = 661) -> tuple[tuple[int, int], ...]:
    return tuple((number * milliseconds, 0x1B0404CB) for number in range(count))


def test_kaspa_answers_to_the_timespan_of_its_sample() -> None:
    kept = target_of_bits(kaspa.next_bits(kaspa_window(4_000)))
    assert kept == pytest.approx(target_of_bits(0x1B0404CB), rel=1e-5)
    assert target_of_bits(kaspa.next_bits(kaspa_window(8_000))) == pytest.approx(2 * kept, rel=1e-5)
    with pytest.raises(Wrong, match="150"):
        kaspa.next_bits(kaspa_window(4_000, 100))


def test_monero_averages_work_over_time() -> None:
    steady = tuple((120 * number, 3 * 10**11) for number in range(735))
    assert monero.next_difficulty(steady) == 3 * 10**11
    slow = tuple((240 * number, 3 * 10**11) for number in range(735))
    assert monero.next_difficulty(slow) == 15 * 10**10
    newest = (*steady[:720], *((10**9, 1) for _ in range(15)))
    assert monero.next_difficulty(newest) == 3 * 10**11, "the newest 15 do not count"
    rising = tuple((120 * number, 10**9 + 10**6 * number) for number in range(800))
    # of blocks 65 to 799 the oldest 720: work of blocks 126 to 724 over 599 intervals of two minutes
    work = sum(difficulty for _, difficulty in rising[126:725])
    assert monero.next_difficulty(rising) == -(-work * 120 // (599 * 120))
    with pytest.raises(Wrong):
        monero.next_difficulty(steady[:1])


def test_monero_pays_the_tail_for_ever() -> None:
    assert monero.subsidy(0) == 35_184_372_088_831
    assert monero.subsidy(18_440_000 * 10**12) == monero.TAIL == monero.subsidy(2**70)
    assert CHAINS["XMR"].next_step(18_440_000 * 10**12) is None
    step = CHAINS["XMR"].next_step(10**18)
    assert step is not None
    assert monero.subsidy(step) < monero.subsidy(step - 1) == monero.subsidy(10**18)


def test_ethereum_classic_keeps_four_fifths_each_era() -> None:
    assert ethereum_classic.subsidy(5_000_000) == 5 * 10**18
    assert ethereum_classic.subsidy(5_000_001) == 4 * 10**18
    assert ethereum_classic.subsidy(20_000_001) == 2_048 * 10**15
    assert ethereum_classic.subsidy(25_000_001) == 16_384 * 10**14
    assert CHAINS["ETC"].next_step(20_000_001) == 25_000_001
    parent = 10**15
    assert ethereum_classic.next_difficulty(parent, 100, 109, uncles=False) == parent
    assert (
        ethereum_classic.next_difficulty(parent, 100, 101, uncles=False) == parent + parent // 2048
    )
    assert (
        ethereum_classic.next_difficulty(parent, 100, 101, uncles=True)
        == parent + parent // 2048 * 2
    )
    assert (
        ethereum_classic.next_difficulty(parent, 100, 10**6, uncles=False)
        == parent - parent // 2048 * 99
    )
    assert ethereum_classic.next_difficulty(131_072, 100, 10**6, uncles=False) == 131_072
    with pytest.raises(Wrong):
        ethereum_classic.next_difficulty(parent, 100, 100, uncles=False)


def test_zcash_subsidy_halves_after_blossom_and_streams_take_a_fifth() -> None:
    one = CHAINS["ZEC"]
    cases = {1: 62_500, 9_999: 624_937_500, 10_000: 625_062_500, 20_000: 1_250_000_000, 653_599: 1_250_000_000, 653_600: 625_000_000, 1_046_399: 625_000_000, 1_046_400: 312_500_000, 2_726_399: 312_500_000, 2_726_400: 156_250_000}  # fmt: skip
    for height, wanted in cases.items():
        assert one.subsidy(height) == wanted
        assert one.miner_subsidy(height) == wanted * 4 // 5, "four fifths, each stream rounded down"
    assert one.miner_subsidy(4_406_400) == one.subsidy(4_406_400) == 78_125_000
    assert one.next_step(2_000_000) == 2_726_400
    assert one.next_step(2_726_400) == 4_406_400
    # all coins of the chain, as the specification's 21 million
    pieces = [(20_000, 653_600, 1_250_000_000), (653_600, 1_046_400, 625_000_000)]
    total = sum(one.subsidy(h) for h in range(20_000)) + sum((b - a) * s for a, b, s in pieces)
    total += sum(1_680_000 * one.subsidy(1_046_400 + n * 1_680_000) for n in range(40))
    assert total / 1e8 == pytest.approx(21e6, rel=1e-6)


def test_litecoin_and_dogecoin_subsidies() -> None:
    assert litecoin.subsidy(2_519_999) == 1_250_000_000
    assert litecoin.subsidy(2_520_000) == 625_000_000
    assert CHAINS["LTC"].next_step(2_900_000) == 3_360_000
    at = CHAINS["LTC"].step_at(3_360_000)
    assert at is not None
    assert at.year == 2027
    assert dogecoin.subsidy(145_000) == 250_000 * 10**8
    assert dogecoin.subsidy(599_999) == 15_625 * 10**8
    assert dogecoin.subsidy(600_000) == dogecoin.subsidy(10**7) == 10_000 * 10**8
    assert CHAINS["DOGE"].next_step(600_000) is None
    assert CHAINS["DOGE"].next_step(145_000) == 200_000
    with pytest.raises(Wrong, match="random"):
        dogecoin.subsidy(144_999)


def test_bitcoin_steps_and_dates() -> None:
    step = BTC.next_step(955_584)
    assert step == 1_050_000
    at = BTC.step_at(1_050_000)
    assert at is not None
    assert abs(at - datetime(2028, 4, 13, tzinfo=UTC)) < timedelta(days=4)
    known = Known(position=1_000_000, at=datetime(2027, 1, 1, tzinfo=UTC), source="given")
    assert BTC.step_at(1_000_144, known) == datetime(2027, 1, 2, tzinfo=UTC)
    assert BTC.step_at(2**62, known) is None
    assert BTC.coins(BTC.subsidy(840_000)) == "3.12500000"
    assert BTC.next_step(210_000 * 33) is None


@pytest.mark.parametrize("coin", list(CHAINS))
def test_every_chain_is_whole(coin: Any) -> None:
    one = chain_of(coin.lower())
    assert one.coin == coin
    assert one.sources
    assert one.rule
    assert one.spacing_seconds > 0
    verified = {"BTC", "LTC", "DOGE", "BCH"}
    assert ("difficulty rule" in one.unverified) == (coin not in verified)
    with pytest.raises(Wrong):
        one.adjust(Adjustment())
    for absurd in (-1, 2**80):
        with pytest.raises(Wrong):
            one.subsidy(absurd)


def test_rules_are_asked_in_one_way() -> None:
    asked = Adjustment(bits=0x1D00FFFF, first_time=1261130161, last_time=1262152739)
    found = BTC.adjust(asked)
    assert found.bits == 0x1D00D86A
    assert found.change == pytest.approx(0.1828995, abs=1e-6)
    assert CHAINS["LTC"].adjust(asked).bits is not None
    assert CHAINS["DOGE"].adjust(replace(asked, last_time=1261130221)).bits == 0x1D00FFFF
    late = CHAINS["BCH"].adjust(Adjustment(height=661_700, last_time=1_605_480_000))
    assert late.change is None
    etc = CHAINS["ETC"].adjust(Adjustment(difficulty=10**15, first_time=0, last_time=5))
    assert etc.bits is None
    assert etc.difficulty > 10**15
    window = tuple(Block(time=75 * n, bits=0x1C2A1115, difficulty=10**6) for n in range(400))
    for coin in ("ZEC", "KAS", "XMR"):
        assert CHAINS[coin].adjust(Adjustment(window=window)).change is not None


def test_bits_are_typed_in_hexadecimal() -> None:
    assert parse_bits("0x1d00FFFF") == 0x1D00FFFF
    for bad in ("", "1d00fffff", "1d00fg", "１d00ffff"):
        with pytest.raises(Wrong):
            parse_bits(bad)
    with pytest.raises(Wrong, match="coin must be one of"):
        chain_of("DASH")


def test_a_history_is_put_in_order_and_what_cannot_be_is_refused() -> None:
    known = retargets()[-60:]
    clean, notes = checked_history(known, BTC)
    assert (clean, notes) == (known, ())
    shuffled, notes = checked_history((*known[30:], *known[:31]), BTC)
    assert shuffled == known
    assert len(notes) == 2
    day = known[-5].at
    cut, notes = checked_history(known, BTC, until=day)
    assert cut == known[:-4]
    assert "4 rows after" in notes[0]
    with pytest.raises(Wrong, match="misses the period from height"):
        checked_history((*known[:20], *known[21:]), BTC)
    lying = replace(known[10], difficulty=known[10].difficulty * 1.5, bits=None)
    with pytest.raises(Wrong, match="contradict each other"):
        checked_history((*known, lying), BTC)
    with pytest.raises(Wrong, match="no row"):
        checked_history(known, BTC, until=datetime(2010, 1, 1, tzinfo=UTC))


def test_a_vendors_difficulty_that_contradicts_consensus_is_refused() -> None:
    """A vendor printed the old difficulty, 148.26 T, as the new one of 8 January 2026."""
    known = list(retargets())
    place = next(i for i, row in enumerate(known) if abs(row.difficulty / 146.47e12 - 1) < 1e-3)
    known[place] = replace(known[place], difficulty=148.26e12, bits=None)
    with pytest.raises(Wrong, match="contradicts consensus"):
        checked_history(known, BTC)


def test_values_that_cannot_be() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for height, difficulty in ((-1, 1.0), (1, 0.0), (1, float("nan")), (1, 1e31)):
        with pytest.raises(Wrong):
            Retarget(height=height, at=at, bits=None, difficulty=difficulty)


def test_a_new_chain_is_one_value_and_everything_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain made here, in one value and one row: listed, asked for its subsidy, mined."""
    from fractions import Fraction
    from types import MappingProxyType

    from headframe.chain import Chain, table
    from headframe.mining import plain, start_of, steady
    from headframe.report import chain_facts, subsidy_facts
    from headframe.units import Month

    one = Chain(
        coin="NEW",
        name="Newcoin",
        algorithm="SHA-256d",
        decimals=6,
        spacing_seconds=Fraction(120),
        subsidy=lambda height: 10_000_000 if height < 1_000 else 5_000_000,
        next_step=lambda height: 1_000 if height < 1_000 else None,
        rule="every block",
        needs=("bits",),
        adjust=CHAINS["BTC"].adjust,
        sources=("a test",),
        unverified=("difficulty rule",),
        known=Known(position=0, at=datetime(2026, 1, 1, tzinfo=UTC), source="a test"),
    )
    monkeypatch.setattr(table, "CHAINS", MappingProxyType({**CHAINS, "NEW": one}))
    assert table.chain_of("new") is one
    assert subsidy_facts(one, 10)["next_step_subsidy"] == "5.000000"
    assert chain_facts(one, datetime(2026, 1, 2, tzinfo=UTC))["height"] == 720
    rows = tuple(Retarget(height=100 * k, at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=12_000 * k), bits=None, difficulty=1e6) for k in range(12))  # fmt: skip
    start = start_of(one, rows, plain(rows, window=11, drift=False))
    coins = steady(
        start, 1e12, Month(2026, 2), months=1, fee_share=0.0, pool_fee=0.0, paths=2, seed=1
    )
    blocks = 1e12 * 28 * 86_400 / (1e6 * one.hashes_per_difficulty)
    assert coins[0, 0] == pytest.approx(blocks * 5.0, rel=1e-9), "after the step at height 1,000"
