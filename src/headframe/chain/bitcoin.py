"""Bitcoin.

Sources: Bitcoin Core ``src/pow.cpp`` (CalculateNextWorkRequired), ``src/validation.cpp``
(GetBlockSubsidy), ``src/kernel/chainparams.cpp``; vectors ``src/test/pow_tests.cpp`` and
``src/test/arith_uint256_tests.cpp``.
"""

from fractions import Fraction

from headframe.chain.compact import TARGET_ONE, bits_of_target, target_of_bits
from headframe.chain.history import REPORTED_SOURCE, latest
from headframe.chain.rule import Chain, Known, by_times, halved, next_halved

PERIOD = 2016
"""Blocks between two adjustments of difficulty."""
SPACING_SECONDS = 600
TARGET_TIMESPAN_SECONDS = PERIOD * SPACING_SECONDS
HALVING_INTERVAL = 210_000
POW_LIMIT = TARGET_ONE
_FIRST = 50 * 100_000_000


def subsidy_satoshi(height: int) -> int:
    """New coins of the block at a height, in satoshi."""
    return halved(_FIRST, HALVING_INTERVAL, height)


def next_halving(height: int) -> int:
    """The first height above this one whose subsidy is smaller."""
    return (height // HALVING_INTERVAL + 1) * HALVING_INTERVAL


def next_step(height: int) -> int | None:
    """The same, or none when no subsidy is left to halve."""
    return next_halved(_FIRST, HALVING_INTERVAL, height)


def next_bits(bits: int, first_time: int, last_time: int) -> int:
    """Compact target of the next period from the first and last block times of this one.

    The timespan covers 2,015 intervals, not 2,016: an oversight that became consensus.
    """
    shortest, longest = TARGET_TIMESPAN_SECONDS // 4, TARGET_TIMESPAN_SECONDS * 4
    span = min(max(last_time - first_time, shortest), longest)
    target = target_of_bits(bits) * span // TARGET_TIMESPAN_SECONDS
    return bits_of_target(min(target, POW_LIMIT))


_LATEST = latest()

BITCOIN = Chain(
    coin="BTC",
    name="Bitcoin",
    algorithm="SHA-256d",
    decimals=8,
    spacing_seconds=Fraction(SPACING_SECONDS),
    coinbase_maturity=100,  # Bitcoin Core src/consensus/consensus.h (COINBASE_MATURITY)
    subsidy=subsidy_satoshi,
    next_step=next_step,
    period=PERIOD,
    intervals=PERIOD - 1,
    rule="every 2,016 blocks by the time of 2,015 intervals, within a factor of 4",
    needs=("bits", "first_time", "last_time"),
    adjust=by_times(next_bits),
    sources=("Bitcoin Core src/pow.cpp", "Bitcoin Core src/test/pow_tests.cpp"),
    known=Known(position=_LATEST.height, at=_LATEST.at, source=REPORTED_SOURCE),
)
