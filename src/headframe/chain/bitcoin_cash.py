"""Bitcoin Cash: ASERT, which keeps the chain on one schedule for ever.

Source: bitcoincashorg ``spec/2020-11-15-asert.md`` and the node's integer code; the specification's
Python text floors where C++ truncates, so the 13,998 published vectors decide. Anchor: bchd
``chaincfg/params.go``.
"""

from datetime import UTC, datetime
from fractions import Fraction

from headframe.chain.bitcoin import next_step, subsidy_satoshi
from headframe.chain.compact import TARGET_ONE, bits_of_target, target_of_bits
from headframe.chain.rule import Adjusted, Adjustment, Chain, Known, adjusted

ANCHOR = (661_647, 1_605_447_844, 0x1804DAFE)
"""Height, time of the block before, and bits of the block the schedule is counted from."""
_SPACING = 600
_HALF_LIFE = 172_800
_RADIX = 1 << 16


def next_bits(anchor: tuple[int, int, int], height: int, time: int) -> int:
    """Compact target of the block after one at a height and time (aserti3-2d, half-life two days)."""
    anchor_height, anchor_parent_time, anchor_bits = anchor
    late = time - anchor_parent_time - _SPACING * (height - anchor_height + 1)
    scaled = abs(late) * _RADIX // _HALF_LIFE
    exponent = scaled if late >= 0 else -scaled
    shifts, part = exponent >> 16, exponent & 0xFFFF
    factor = _RADIX + (
        (195_766_423_245_049 * part + 971_821_376 * part**2 + 5_127 * part**3 + (1 << 47)) >> 48
    )
    target = target_of_bits(anchor_bits) * factor
    shifts -= 16
    if shifts > 256:
        return bits_of_target(TARGET_ONE)
    target = target << shifts if shifts >= 0 else target >> min(-shifts, 1024)
    return bits_of_target(min(max(target, 1), TARGET_ONE))


def _adjust(asked: Adjustment) -> Adjusted:
    anchor = asked.anchor or ANCHOR
    return adjusted(next_bits(anchor, asked.need("height"), asked.need("last_time")), asked.bits)


BITCOIN_CASH = Chain(
    coin="BCH",
    name="Bitcoin Cash",
    algorithm="SHA-256d",
    decimals=8,
    spacing_seconds=Fraction(_SPACING),
    coinbase_maturity=100,  # Bitcoin Cash Node src/consensus/consensus.h (COINBASE_MATURITY)
    subsidy=subsidy_satoshi,
    next_step=next_step,
    rule="ASERT, every block: twice as hard for each two days ahead of schedule",
    needs=("height", "last_time"),
    adjust=_adjust,
    sources=("bitcoincashorg spec/2020-11-15-asert.md", "bchd chaincfg/params.go"),
    known=Known(
        position=ANCHOR[0], at=datetime.fromtimestamp(ANCHOR[1] + _SPACING, UTC), source="anchor"
    ),
    notes="blocks since November 2020 keep the anchor's schedule to within days",
)
