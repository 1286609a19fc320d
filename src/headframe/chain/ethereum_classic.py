"""Ethereum Classic.

Sources: ECIP-1017 (5 coins less a fifth every 5,000,000 blocks; uncles), ECIP-1041 (the difficulty
bomb removed), ECIP-1054 (the Byzantium adjustment of EIP-100), core-geth ``consensus/ethash``.
"""

from fractions import Fraction

from headframe.chain.rule import Adjusted, Adjustment, Chain, checked
from headframe.units import Wrong

ERA = 5_000_000
_FIRST = 5 * 10**18
_MINIMUM = 131_072


def subsidy(height: int) -> int:
    """What the winner of the block at a height gets, in wei, uncles aside."""
    era = max(checked(height) - 1, 0) // ERA
    if era > 300:
        return 0
    return int(_FIRST * 4**era // 5**era)


def _next_step(height: int) -> int | None:
    return ((max(height, 1) - 1) // ERA + 1) * ERA + 1 if subsidy(height) else None


def next_difficulty(parent: int, parent_time: int, time: int, *, uncles: bool) -> int:
    """Difficulty of a block from its parent's: a 2048th for each nine seconds off, at most 99."""
    if time <= parent_time:
        raise Wrong(f"a block's time must exceed its parent's {parent_time}, was {time}")
    steps = max((2 if uncles else 1) - (time - parent_time) // 9, -99)
    return max(parent + parent // 2048 * steps, _MINIMUM)


def _adjust(asked: Adjustment) -> Adjusted:
    before = asked.need("difficulty")
    found = next_difficulty(
        before, asked.need("first_time"), asked.need("last_time"), uncles=asked.uncles
    )
    return Adjusted(bits=None, difficulty=Fraction(found), before=Fraction(before))


ETHEREUM_CLASSIC = Chain(
    coin="ETC",
    name="Ethereum Classic",
    algorithm="Etchash",
    decimals=18,
    spacing_seconds=Fraction(13),
    subsidy=subsidy,
    next_step=_next_step,
    hashes_per_difficulty=1.0,
    rule="every block: a 2048th of the parent for each nine seconds off",
    needs=("difficulty", "first_time", "last_time"),
    adjust=_adjust,
    sources=("ECIP-1017", "ECIP-1041", "ECIP-1054"),
    unverified=("difficulty rule", "block interval"),
    shown_at=20_000_001,
    notes="an interval of about 13 seconds is an observation, not a rule",
)
