"""Targets of 256 bits, their compact form of 32, and the work they ask for.

Sources: Bitcoin Core ``src/arith_uint256.cpp`` (SetCompact, GetCompact) and ``src/chain.cpp``
(GetBlockProof: a block takes 2**256 / (target + 1) hashes on average).
"""

from headframe.units import Wrong

TARGET_ONE = 0xFFFF << 208
"""The target whose difficulty is 1 on chains that descend from Bitcoin."""
HASHES_PER_DIFFICULTY = 2.0**48 / 65_535.0
"""Expected hashes for a block at difficulty 1; the usual 2**32 is low by 15 parts in a million."""


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


def parse_bits(text: str) -> int:
    """Compact bits typed as eight hexadecimal digits, with or without ``0x``."""
    digits = text.strip(" ").lower().removeprefix("0x")
    if not 1 <= len(digits) <= 8 or not digits.isascii() or set(digits) - set("0123456789abcdef"):
        raise Wrong(f"bits are up to eight hexadecimal digits, like 1d00ffff, was {text[:40]!r}")
    return int(digits, 16)


def difficulty_of_bits(bits: int, target_one: int = TARGET_ONE) -> float:
    """Difficulty: the target of difficulty 1 over this one."""
    target = target_of_bits(bits)
    if target == 0:
        raise Wrong("a target of zero has no difficulty")
    return target_one / target


def target_of_difficulty(difficulty: float) -> int:
    """The target of a difficulty printed as a decimal number."""
    if not 1.0 <= difficulty <= 1e30:
        raise Wrong(f"a difficulty must lie between 1 and 1e30, was {difficulty}")
    return int(TARGET_ONE * 1_000_000 // round(difficulty * 1_000_000))
