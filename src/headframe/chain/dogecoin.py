"""Dogecoin: mined with Litecoin's work, adjusted at every block.

Sources: Dogecoin Core ``src/dogecoin.cpp`` (CalculateDogecoinNextWorkRequired, GetDogecoinBlockSubsidy)
and its ``src/test/dogecoin_tests.cpp`` (DigiShield cases). Rewards before height 145,000 were drawn
from the hash of the block before and do not follow from the height.
"""

from fractions import Fraction

from headframe.chain.compact import bits_of_target, target_of_bits
from headframe.chain.rule import Chain, by_times, checked
from headframe.units import Wrong

FIXED_FROM = 145_000
_STEP = 100_000
_FLAT_FROM = 600_000
_SPACING = 60
_LIMIT = 0x00000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF


def subsidy(height: int) -> int:
    """New coins of the block at a height, in smallest units; Wrong where they were drawn by lot."""
    if checked(height) < FIXED_FROM:
        raise Wrong(f"Dogecoin's rewards before height {FIXED_FROM:,} were random, was {height:,}")
    coins = 500_000 >> height // _STEP if height < _FLAT_FROM else 10_000
    return coins * 100_000_000


def _next_step(height: int) -> int | None:
    subsidy(height)
    return (height // _STEP + 1) * _STEP if height < _FLAT_FROM else None


def next_bits(bits: int, first_time: int, last_time: int) -> int:
    """DigiShield: an eighth of the deviation of one interval, held within 3/4 and 3/2 of a minute.

    The division rounds towards zero, as C++ does.
    """
    off = last_time - first_time - _SPACING
    eighth = abs(off) // 8
    span = _SPACING + (eighth if off > 0 else -eighth)
    span = min(max(span, _SPACING - _SPACING // 4), _SPACING + _SPACING // 2)
    return bits_of_target(min(target_of_bits(bits) * span // _SPACING, _LIMIT))


DOGECOIN = Chain(
    coin="DOGE",
    name="Dogecoin",
    algorithm="Scrypt",
    decimals=8,
    spacing_seconds=Fraction(_SPACING),
    coinbase_maturity=240,  # Dogecoin Core src/chainparams.cpp (digishield nCoinbaseMaturity)
    subsidy=subsidy,
    next_step=_next_step,
    rule="DigiShield, every block: an eighth of the deviation of the last interval",
    needs=("bits", "first_time", "last_time"),
    adjust=by_times(next_bits),
    sources=("Dogecoin Core src/dogecoin.cpp", "Dogecoin Core src/test/dogecoin_tests.cpp"),
    shown_at=_FLAT_FROM,
    merged_with=("LTC",),
    notes="mined with Litecoin: the same scrypt hashes earn both",
)
