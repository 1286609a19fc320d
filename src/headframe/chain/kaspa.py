"""Kaspa.

Sources: rusty-kaspa ``consensus/src/processes/coinbase.rs`` (the table of monthly subsidies, a
deflation of 2**(-1/12) a month, spread over ten blocks a second since the Crescendo upgrade),
``consensus/src/processes/difficulty.rs`` (sampled window, KIP-4), KIP-14 (activation at DAA score
110,165,000 on 5 May 2025).
"""

from datetime import UTC, datetime
from fractions import Fraction
from math import isqrt

from headframe.chain.compact import bits_of_target, target_of_bits
from headframe.chain.rule import Adjusted, Adjustment, Chain, Known, adjusted, checked
from headframe.units import Wrong

DEFLATION_FROM = 15_519_600
TEN_BLOCKS_FROM = 110_165_000
_BEFORE = 500 * 100_000_000
_MONTH_SECONDS = 2_629_800
_FIRST = 440 * 100_000_000
_MONTHS = 426
_LIMIT = (1 << 255) - 1
_BLOCK_MS = 100
_SAMPLE_RATE = 40
_LEAST_WINDOW = 150


def subsidy_per_second(month: int) -> int:
    """Sompi a second in a month of deflation: the whole part of 440 x 2**(-month/12) coins.

    In integers: floor(2**-(r/12) x) is the twelfth root of x**12 / 2**r, taken exactly.
    """
    if month >= _MONTHS:
        return 0
    years, rest = divmod(month, 12)
    scaled = _FIRST**12 << 960
    root = _twelfth_root(scaled >> rest)
    return root >> 80 + years


def _twelfth_root(value: int) -> int:
    """The whole part of a twelfth root: a square root of a square root of a cube root."""
    return _cube_root(isqrt(isqrt(value)))


def _cube_root(value: int) -> int:
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        if middle**3 <= value:
            low = middle
        else:
            high = middle - 1
    return low


def _month(score: int) -> int:
    fast = max(score - TEN_BLOCKS_FROM, 0)
    slow = min(score, TEN_BLOCKS_FROM) - DEFLATION_FROM
    return (slow + fast // 10) // _MONTH_SECONDS


def subsidy(score: int) -> int:
    """New coins of a block at a DAA score, in sompi: rounded up to a tenth of the second's."""
    if checked(score, "a DAA score") < DEFLATION_FROM:
        return _BEFORE
    second = subsidy_per_second(_month(score))
    return second if score < TEN_BLOCKS_FROM else -(-second // 10)


def _next_step(score: int) -> int | None:
    """The first DAA score of the next month of deflation."""
    if checked(score, "a DAA score") < DEFLATION_FROM:
        return DEFLATION_FROM
    if not subsidy(score):
        return None
    seconds = (_month(score) + 1) * _MONTH_SECONDS
    slow = TEN_BLOCKS_FROM - DEFLATION_FROM
    if score < TEN_BLOCKS_FROM:
        return DEFLATION_FROM + min(seconds, slow)
    return TEN_BLOCKS_FROM + (seconds - slow) * 10


def next_bits(window: tuple[tuple[int, int], ...]) -> int:
    """Compact target after a sampled window of (time in milliseconds, bits).

    The earliest block only opens the timespan: the mean target is taken over the others.
    """
    if len(window) < _LEAST_WINDOW:
        raise Wrong(f"Kaspa's rule needs {_LEAST_WINDOW} sampled blocks, was {len(window)}")
    ordered = sorted(window)
    rest = ordered[1:]
    mean = sum(target_of_bits(bits) for _, bits in rest) // len(rest)
    measured = max(ordered[-1][0] - ordered[0][0], 1)
    expected = _BLOCK_MS * _SAMPLE_RATE * len(rest)
    return bits_of_target(min(mean * measured // expected, _LIMIT))


def _adjust(asked: Adjustment) -> Adjusted:
    window = tuple((block.time, block.bits) for block in asked.window)
    before = max(asked.window, key=lambda block: block.time).bits if asked.window else None
    return adjusted(next_bits(window), before, _LIMIT)


KASPA = Chain(
    coin="KAS",
    name="Kaspa",
    algorithm="kHeavyHash",
    decimals=8,
    spacing_seconds=Fraction(1, 10),
    position="DAA score",
    coinbase_maturity=1_000,  # rusty-kaspa consensus/core/src/config/params.rs, after Crescendo
    subsidy=subsidy,
    next_step=_next_step,
    target_one=_LIMIT,
    hashes_per_difficulty=2.0,
    rule="every block: the mean target of a sampled window of 2,641 seconds by its timespan",
    needs=("window",),
    adjust=_adjust,
    sources=("rusty-kaspa consensus/src/processes/coinbase.rs", "KIP-4", "KIP-14"),
    unverified=("difficulty rule",),
    known=Known(position=TEN_BLOCKS_FROM, at=datetime(2025, 5, 5, 15, tzinfo=UTC), source="KIP-14"),
)
