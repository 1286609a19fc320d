import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headframe.chain import (
    POW_LIMIT,
    bits_of_target,
    break_even_usd_mwh,
    coin_per_phs_day,
    difficulty_of_bits,
    latest,
    next_bits,
    next_halving,
    retargets,
    subsidy_satoshi,
    target_of_bits,
)
from headframe.units import Wrong

# Bitcoin Core, src/test/pow_tests.cpp
CORE_RETARGETS = [
    (0x1D00FFFF, 1261130161, 1262152739, 0x1D00D86A),
    (0x1D00FFFF, 1231006505, 1233061996, 0x1D00FFFF),
    (0x1C05A3F4, 1279008237, 1279297671, 0x1C0168FD),
    (0x1C387F6F, 1263163443, 1269211443, 0x1D00E1FD),
]
# Bitcoin Core, src/test/arith_uint256_tests.cpp: compact, value, compact again
CORE_COMPACT = [
    (0x00123456, 0, 0),
    (0x01003456, 0, 0),
    (0x02000056, 0, 0),
    (0x03000000, 0, 0),
    (0x04800000, 0, 0),
    (0x01123456, 0x12, 0x01120000),
    (0x02123456, 0x1234, 0x02123400),
    (0x03123456, 0x123456, 0x03123456),
    (0x04123456, 0x12345600, 0x04123456),
    (0x05009234, 0x92340000, 0x05009234),
    (0x20123456, 0x123456 << 232, 0x20123456),
]


@pytest.mark.parametrize(("bits", "first", "last", "expected"), CORE_RETARGETS)
def test_retargets_of_bitcoin_core(bits: Any, first: Any, last: Any, expected: Any) -> None:
    assert next_bits(bits, first, last) == expected


@pytest.mark.parametrize(("bits", "value", "again"), CORE_COMPACT)
def test_compact_vectors_of_bitcoin_core(bits: Any, value: Any, again: Any) -> None:
    assert target_of_bits(bits) == value
    assert bits_of_target(value) == again
    assert bits_of_target(0x80) == 0x02008000


@pytest.mark.parametrize("bits", [0x04923456, 0xFF123456, -1, 1 << 32])
def test_negative_and_overflowing_targets_are_refused(bits: Any) -> None:
    with pytest.raises(Wrong):
        target_of_bits(bits)


@given(st.integers(1, (1 << 256) - 1))
def test_compacting_loses_only_low_digits(target: Any) -> None:
    kept = target_of_bits(bits_of_target(target))
    assert kept <= target < kept + (1 << max(target.bit_length() - 15, 1))


def test_every_full_period_of_real_headers_retargets_as_it_did(real_data: Path) -> None:
    with (real_data / "btc_headers_822528_830592.csv").open() as file:
        rows = list(csv.DictReader(file))
    headers = {int(r["height"]): (int(r["timestamp"]), int(r["nbits"], 16)) for r in rows}
    for start in range(822_528, 830_592, 2016):
        first, bits = headers[start]
        last, _ = headers[start + 2015]
        assert next_bits(bits, first, last) == headers[start + 2016][1]
        wrong = headers[start + 2016][0]
        assert next_bits(bits, first, wrong) != headers[start + 2016][1], (
            "2016 intervals would do too"
        )


def test_the_carried_history_is_the_chain(real_data: Path) -> None:
    with (real_data / "btc_retargets.csv").open() as file:
        rows = list(csv.DictReader(file))
    ours = retargets()
    assert len(ours) == len(rows) == 474
    for row, mine in zip(rows, ours, strict=True):
        assert mine.bits == int(row["nbits"], 16)
        assert mine.at.timestamp() == int(row["start_time_unix"])
    for before, after in pairwise(rows):
        for span in (int(before["implied_timespan_min_s"]), int(before["implied_timespan_max_s"])):
            assert next_bits(int(before["nbits"], 16), 0, span) == int(after["nbits"], 16)


def test_the_newest_period_is_a_reported_figure_and_says_so() -> None:
    newest = latest()
    assert not newest.exact
    assert newest.height == retargets()[-1].height + 2016 == 955_584
    assert abs(newest.difficulty / 133.87e12 - 1) < 1e-4


def test_subsidy_halves_to_nothing() -> None:
    assert subsidy_satoshi(839_999) == 625_000_000
    assert subsidy_satoshi(840_000) == 312_500_000
    assert subsidy_satoshi(210_000 * 32) == 1
    assert subsidy_satoshi(210_000 * 33) == 0
    assert subsidy_satoshi(210_000 * 64) == 0
    assert next_halving(955_584) == 1_050_000
    assert (
        sum(210_000 * subsidy_satoshi(era * 210_000) for era in range(34)) == 2_099_999_997_690_000
    )
    with pytest.raises(Wrong):
        subsidy_satoshi(-1)


def test_difficulty_one_is_the_easiest_target() -> None:
    assert difficulty_of_bits(0x1D00FFFF) == 1.0
    assert target_of_bits(0x1D00FFFF) == POW_LIMIT


def test_hashprice_meets_published_figures() -> None:
    # Luxor, hashrate market lookback August 2025: difficulty 129.045 T, fees 0.025, 114,925 USD.
    assert coin_per_phs_day(129.045e12, 3.125 + 0.025) * 114_925 == pytest.approx(56.44, rel=2e-3)
    # Luxor, 12 January 2026: 39.53 USD/PH/s/day breaks even at 97 USD/MWh with 17 J/TH.
    assert break_even_usd_mwh(39.53, 0.0, 17.0) == pytest.approx(96.9, abs=0.1)
    with pytest.raises(Wrong):
        coin_per_phs_day(0.0, 3.125)
    with pytest.raises(Wrong):
        break_even_usd_mwh(39.53, 0.0, 0.0)
