"""The rules of each proof-of-work chain: subsidy by height, difficulty adjustment, hashprice."""

from headframe.chain.bitcoin import (
    PERIOD,
    POW_LIMIT,
    next_bits,
    next_halving,
    subsidy_satoshi,
)
from headframe.chain.compact import (
    HASHES_PER_DIFFICULTY,
    bits_of_target,
    difficulty_of_bits,
    parse_bits,
    target_of_bits,
    target_of_difficulty,
)
from headframe.chain.findings import checked_history
from headframe.chain.hashprice import (
    block_coins,
    break_even_usd_mwh,
    coin_per_phs_day,
)
from headframe.chain.history import (
    REPORTED_SOURCE,
    Retarget,
    latest,
    retarget_of_bits,
    retargets,
)
from headframe.chain.rule import Adjusted, Adjustment, Block, Chain, Known
from headframe.chain.table import CHAINS, chain_of

__all__ = [
    "CHAINS",
    "HASHES_PER_DIFFICULTY",
    "PERIOD",
    "POW_LIMIT",
    "REPORTED_SOURCE",
    "Adjusted",
    "Adjustment",
    "Block",
    "Chain",
    "Known",
    "Retarget",
    "bits_of_target",
    "block_coins",
    "break_even_usd_mwh",
    "chain_of",
    "checked_history",
    "coin_per_phs_day",
    "difficulty_of_bits",
    "latest",
    "next_bits",
    "next_halving",
    "parse_bits",
    "retarget_of_bits",
    "retargets",
    "subsidy_satoshi",
    "target_of_bits",
    "target_of_difficulty",
]
