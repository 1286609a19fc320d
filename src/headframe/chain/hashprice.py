"""What a petahash per second earns in a day, from first principles.

Luxor, "Bitcoin hashprice index" glossary: 86,400 s x 1e15 hashes over the expected hashes of a
block, times subsidy and fees of a block.
"""

from math import isfinite

from headframe.chain.compact import HASHES_PER_DIFFICULTY
from headframe.chain.rule import Chain
from headframe.units import Wrong

_HASHES_PER_PHS_DAY = 86_400.0 * 1e15


def coin_per_phs_day(
    difficulty: float, block_coins: float, hashes_per_difficulty: float = HASHES_PER_DIFFICULTY
) -> float:
    """Coins a PH/s earns in a day at a difficulty; ``block_coins`` is subsidy plus fees."""
    if not (0.0 < difficulty <= 1e30 and 0.0 <= block_coins <= 1e9):
        raise Wrong(f"no hashprice at difficulty {difficulty} and {block_coins} coins a block")
    return _HASHES_PER_PHS_DAY / (difficulty * hashes_per_difficulty) * block_coins


def break_even_usd_mwh(hashprice_usd: float, pool_fee: float, joules_per_terahash: float) -> float:
    """The power price at which a machine earns nothing, in USD/MWh."""
    if not (isfinite(joules_per_terahash) and joules_per_terahash > 0.0):
        raise Wrong(f"efficiency must be positive J/TH, was {joules_per_terahash}")
    return hashprice_usd * (1.0 - pool_fee) * 1000.0 / (24.0 * joules_per_terahash)


def block_coins(
    chain: Chain, position: int, *, fees: float | None = None, fee_share: float | None = None
) -> float:
    """Coins of a block for its miner: subsidy at a position, with fees in coins or as its share."""
    if fees is not None and fee_share is not None:
        raise Wrong("fees are said in coins per block or as a share of the subsidy, not both")
    subsidy = chain.miner_subsidy(position) / chain.scale
    added = fees if fees is not None else subsidy * (fee_share or 0.0)
    if added < 0.0:
        raise Wrong(f"fees must not be negative, was {added:g}")
    return subsidy + added
