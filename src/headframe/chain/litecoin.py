"""Litecoin: Bitcoin's rule without Bitcoin's oversight.

Sources: Litecoin Core ``src/pow.cpp`` (the last block of the period before opens the timespan, so
2,016 intervals count; the target is halved for the product where it would not fit),
``src/validation.cpp``; electrum-ltc ``blockchain.py`` (get_target) and its checkpoints.
"""

from datetime import UTC, datetime
from fractions import Fraction

from headframe.chain.compact import bits_of_target, target_of_bits
from headframe.chain.rule import Chain, Known, by_times, halved, next_halved

PERIOD = 2016
HALVING_INTERVAL = 840_000
_FIRST = 50 * 100_000_000
_TIMESPAN = 302_400
_LIMIT = 0x00000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF


def subsidy(height: int) -> int:
    """New coins of the block at a height, in litoshi."""
    return halved(_FIRST, HALVING_INTERVAL, height)


def _next_step(height: int) -> int | None:
    return next_halved(_FIRST, HALVING_INTERVAL, height)


def next_bits(bits: int, first_time: int, last_time: int) -> int:
    """Compact target of the next period; ``first_time`` is that of the last block before this one."""
    span = min(max(last_time - first_time, _TIMESPAN // 4), _TIMESPAN * 4)
    target = target_of_bits(bits)
    shift = 1 if target.bit_length() > _LIMIT.bit_length() - 1 else 0
    target = ((target >> shift) * span // _TIMESPAN) << shift
    return bits_of_target(min(target, _LIMIT))


LITECOIN = Chain(
    coin="LTC",
    name="Litecoin",
    algorithm="Scrypt",
    decimals=8,
    spacing_seconds=Fraction(150),
    coinbase_maturity=100,  # Litecoin Core src/consensus/consensus.h (COINBASE_MATURITY)
    subsidy=subsidy,
    next_step=_next_step,
    period=PERIOD,
    intervals=PERIOD,
    rule="every 2,016 blocks by the time of 2,016 intervals, within a factor of 4",
    needs=("bits", "first_time", "last_time"),
    adjust=by_times(next_bits),
    sources=("Litecoin Core src/pow.cpp", "electrum-ltc checkpoints (971 retargets)"),
    known=Known(
        position=1_959_551,
        at=datetime.fromtimestamp(1_607_208_636, UTC),
        source="electrum-ltc checkpoints",
    ),
    merged_with=("DOGE",),
)
