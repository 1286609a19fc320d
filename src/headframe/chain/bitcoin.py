"""Bitcoin's consensus arithmetic, in integers.

Sources: Bitcoin Core ``src/pow.cpp`` (CalculateNextWorkRequired), ``src/arith_uint256.cpp``
(SetCompact, GetCompact), ``src/validation.cpp`` (GetBlockSubsidy).
"""

from headframe.units import Wrong

PERIOD = 2016
"""Blocks between two adjustments of difficulty."""
SPACING_SECONDS = 600
TARGET_TIMESPAN_SECONDS = PERIOD * SPACING_SECONDS
HALVING_INTERVAL = 210_000
POW_LIMIT = 0xFFFF << 208
HASHES_PER_DIFFICULTY = 2.0**48 / 65_535.0
"""Expected hashes for a block at difficulty 1; the usual 2**32 is low by 15 parts in a million."""
_SATOSHI = 100_000_000


def subsidy_satoshi(height: int) -> int:
    """New coins of the block at a height, in satoshi."""
    if height < 0:
        raise Wrong(f"a block height must not be negative, was {height}")
    halvings = height // HALVING_INTERVAL
    return (50 * _SATOSHI) >> halvings if halvings < 64 else 0


def next_halving(height: int) -> int:
    """The first height above this one whose subsidy is smaller."""
    return (height // HALVING_INTERVAL + 1) * HALVING_INTERVAL


def target_of_bits(bits: int) -> int:
    """The full target of a compact one; raises Wrong for a negative or overflowing target."""
    if not 0 <= bits <= 0xFFFFFFFF:
        raise Wrong(f"compact bits are 32 bits wide, was {bits:#x}")
    size, word = bits >> 24, bits & 0x007FFFFF
    target = word >> 8 * (3 - size) if size <= 3 else word << 8 * (size - 3)
    if word and bits & 0x00800000:
        raise Wrong(f"a target must not be negative, bits were {bits:08x}")
    if target >> 256:
        raise Wrong(f"a target must fit 256 bits, bits were {bits:08x}")
    return target


def bits_of_target(target: int) -> int:
    """The compact form of a target; digits below the mantissa are cut off, as consensus does."""
    if not 0 <= target < 1 << 256:
        raise Wrong("a target must fit 256 bits")
    size = (target.bit_length() + 7) // 8
    word = target << 8 * (3 - size) if size <= 3 else target >> 8 * (size - 3)
    if word & 0x00800000:
        word >>= 8
        size += 1
    return word | size << 24


def next_bits(bits: int, first_time: int, last_time: int) -> int:
    """Compact target of the next period from the first and last block times of this one.

    The timespan covers 2,015 intervals, not 2,016: an oversight that became consensus.
    """
    shortest, longest = TARGET_TIMESPAN_SECONDS // 4, TARGET_TIMESPAN_SECONDS * 4
    span = min(max(last_time - first_time, shortest), longest)
    target = target_of_bits(bits) * span // TARGET_TIMESPAN_SECONDS
    return bits_of_target(min(target, POW_LIMIT))


def difficulty_of_bits(bits: int) -> float:
    """Difficulty: the easiest target over this one."""
    target = target_of_bits(bits)
    if target == 0:
        raise Wrong("a target of zero has no difficulty")
    return POW_LIMIT / target


def target_of_difficulty(difficulty: float) -> int:
    """The target of a difficulty printed as a decimal number."""
    if not 1.0 <= difficulty <= 1e30:
        raise Wrong(f"a difficulty must lie between 1 and 1e30, was {difficulty}")
    return int(POW_LIMIT * 1_000_000 // round(difficulty * 1_000_000))
