"""Zcash.

Sources: protocol specification 7.7.3 (difficulty adjustment) and 7.8 (subsidy, founders' reward,
funding streams), ZIP 208 (Blossom), ZIP 1014, ZIP 1015, ZIP 1016; zcashd ``src/pow.cpp`` with
``src/test/pow_tests.cpp``; zebra ``zebra-chain/src/parameters``.
"""

from datetime import UTC, datetime
from fractions import Fraction

from headframe.chain.compact import bits_of_target, target_of_bits
from headframe.chain.rule import Adjusted, Adjustment, Chain, Known, adjusted, checked
from headframe.units import Wrong

BLOSSOM = 653_600
FIRST_HALVING = 1_046_400
SECOND_HALVING = 2_726_400
HALVING_INTERVAL = 1_680_000
_SLOW_START = 20_000
_FULL = 1_250_000_000
_SPACING = 75
_WINDOW, _MEDIAN = 17, 11
_LIMIT = 0x0007FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF
_LIMIT_BITS = 0x1F07FFFF
_STREAMS = ((7, 8, 5), (8, 12))
"""Percent of the subsidy paid to funding streams and the lockbox, after each of the two halvings."""


def subsidy(height: int) -> int:
    """New coins of the block at a height, in zatoshi, miner and streams together."""
    if checked(height) < _SLOW_START:
        return _FULL // _SLOW_START * (height + (height >= _SLOW_START // 2))
    if height < BLOSSOM:
        return _FULL
    halvings = (2 * (BLOSSOM - _SLOW_START // 2) + height - BLOSSOM) // HALVING_INTERVAL
    return _FULL // 2 >> halvings if halvings < 64 else 0


def miner_share(height: int) -> int:
    """What the miner keeps of the subsidy, in zatoshi; every stream is rounded down on its own."""
    whole = subsidy(height)
    if height < FIRST_HALVING:
        return whole - whole // 5
    streams = _STREAMS[height >= SECOND_HALVING] if height < _third_halving() else ()
    return whole - sum(whole * percent // 100 for percent in streams)


def _third_halving() -> int:
    return SECOND_HALVING + HALVING_INTERVAL


def _next_step(height: int) -> int | None:
    if not subsidy(height) and height:
        return None
    for step in (_SLOW_START, BLOSSOM, FIRST_HALVING):
        if height < step:
            return step
    return FIRST_HALVING + ((height - FIRST_HALVING) // HALVING_INTERVAL + 1) * HALVING_INTERVAL


def damped_bits(mean_target: int, actual: int, spacing: int = _SPACING) -> int:
    """Compact target from a mean target and the timespan between two medians.

    A quarter of the deviation, rounded towards zero, held within -16 % and +32 %.
    """
    wanted = _WINDOW * spacing
    off = actual - wanted
    span = wanted + (abs(off) // 4 if off > 0 else -(abs(off) // 4))
    span = min(max(span, wanted * 84 // 100), wanted * 132 // 100)
    return bits_of_target(min(mean_target // wanted * span, _LIMIT))


def next_bits(window: tuple[tuple[int, int], ...]) -> int:
    """Compact target after the last 28 blocks as (time, bits), oldest first."""
    if len(window) < _WINDOW + _MEDIAN:
        raise Wrong(f"Zcash's rule needs {_WINDOW + _MEDIAN} blocks, was {len(window)}")
    times = [time for time, _ in window]
    mean = sum(target_of_bits(bits) for _, bits in window[-_WINDOW:]) // _WINDOW
    last = sorted(times[-_MEDIAN:])[_MEDIAN // 2]
    first = sorted(times[-_MEDIAN - _WINDOW : -_WINDOW])[_MEDIAN // 2]
    return damped_bits(mean, last - first)


def _adjust(asked: Adjustment) -> Adjusted:
    window = tuple((block.time, block.bits) for block in asked.window)
    before = window[-1][1] if window else None
    return adjusted(next_bits(window), before, target_of_bits(_LIMIT_BITS))


ZCASH = Chain(
    coin="ZEC",
    name="Zcash",
    algorithm="Equihash 200,9",
    decimals=8,
    spacing_seconds=Fraction(_SPACING),
    coinbase_maturity=100,  # zcashd src/consensus/consensus.h (COINBASE_MATURITY)
    subsidy=subsidy,
    next_step=_next_step,
    miner_share=miner_share,
    target_one=target_of_bits(_LIMIT_BITS),
    hashes_per_difficulty=2.0**256 / (target_of_bits(_LIMIT_BITS) + 1),
    rule="every block: the mean target of 17 blocks by the time between medians, a quarter damped",
    needs=("window",),
    adjust=_adjust,
    sources=(
        "Zcash protocol specification 7.7.3, 7.8",
        "ZIP 1014, 1015, 1016",
        "zcashd src/pow.cpp",
    ),
    unverified=("difficulty rule", "funding streams after height 3,146,400"),
    known=Known(
        position=SECOND_HALVING,
        at=datetime(2024, 11, 23, tzinfo=UTC),
        source="halving of November 2024",
    ),
    notes="four fifths of the subsidy are the miner's until the third halving",
)
