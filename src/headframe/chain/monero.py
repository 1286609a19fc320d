"""Monero.

Sources: ``src/cryptonote_config.h``, ``src/cryptonote_basic/cryptonote_basic_impl.cpp``
(get_block_reward), ``src/cryptonote_basic/difficulty.cpp`` (next_difficulty).
"""

from fractions import Fraction

from headframe.chain.rule import Adjusted, Adjustment, Chain
from headframe.units import Wrong

TAIL = 600_000_000_000
"""The least subsidy of a two-minute block, in piconero, for ever."""
_SUPPLY = (1 << 64) - 1
_WINDOW, _LAG, _CUT = 720, 15, 60
_SPACING = 120


def subsidy(generated: int) -> int:
    """New coins of the next block, in piconero, from all that were generated before it."""
    if not 0 <= generated < 1 << 80:
        raise Wrong(f"piconero generated must lie between 0 and 2**80, was {str(generated)[:30]}")
    return max(max(_SUPPLY - generated, 0) >> 19, TAIL)


def _next_step(generated: int) -> int | None:
    """Coins generated at which the next smaller subsidy begins; none on the tail."""
    if subsidy(generated) == TAIL:
        return None
    return _SUPPLY - (subsidy(generated) << 19) + 1


def next_difficulty(blocks: tuple[tuple[int, int], ...]) -> int:
    """Difficulty after up to 735 blocks as (time, difficulty of the block), oldest first.

    The newest 15 are left out; of the sorted times 60 are cut at each end.
    """
    if len(blocks) < 2:
        raise Wrong(f"Monero's rule needs at least two blocks, was {len(blocks)}")
    kept = blocks[-(_WINDOW + _LAG) :][:_WINDOW]
    times = sorted(time for time, _ in kept)
    total = 0
    work = [total := total + difficulty for _, difficulty in kept]
    count, inner = len(kept), _WINDOW - 2 * _CUT
    begin, end = 0, count
    if count > inner:
        begin = (count - inner + 1) // 2
        end = begin + inner
    span = max(times[end - 1] - times[begin], 1)
    return (  # the quotient, rounded up
        (work[end - 1] - work[begin]) * _SPACING + span - 1
    ) // span


def _adjust(asked: Adjustment) -> Adjusted:
    found = next_difficulty(tuple((block.time, block.difficulty) for block in asked.window))
    before = Fraction(asked.window[-1].difficulty) if asked.window[-1].difficulty else None
    return Adjusted(bits=None, difficulty=Fraction(found), before=before)


MONERO = Chain(
    coin="XMR",
    name="Monero",
    algorithm="RandomX",
    decimals=12,
    spacing_seconds=Fraction(_SPACING),
    position="atomic units generated",
    coinbase_maturity=60,  # Monero src/cryptonote_config.h (CRYPTONOTE_MINED_MONEY_UNLOCK_WINDOW)
    subsidy=subsidy,
    next_step=_next_step,
    hashes_per_difficulty=1.0,
    rule="every block: work over time of 720 blocks, 60 cut at each end, the newest 15 left out",
    needs=("window",),
    adjust=_adjust,
    sources=("Monero src/cryptonote_config.h", "Monero src/cryptonote_basic/difficulty.cpp"),
    unverified=("difficulty rule",),
    shown_at=18_440_000 * 10**12,
    notes="0.6 coins a block for ever since 2022, less a penalty for blocks above the median weight",
)
