"""The rules of a proof-of-work chain: subsidy by height, difficulty adjustment, hashprice."""

from headframe.chain.bitcoin import (
    HALVING_INTERVAL,
    HASHES_PER_DIFFICULTY,
    PERIOD,
    POW_LIMIT,
    SPACING_SECONDS,
    TARGET_TIMESPAN_SECONDS,
    bits_of_target,
    difficulty_of_bits,
    next_bits,
    next_halving,
    subsidy_satoshi,
    target_of_bits,
    target_of_difficulty,
)
from headframe.chain.hashprice import break_even_usd_mwh, coin_per_phs_day
from headframe.chain.history import REPORTED_SOURCE, Retarget, latest, retargets

__all__ = [
    "HALVING_INTERVAL",
    "HASHES_PER_DIFFICULTY",
    "PERIOD",
    "POW_LIMIT",
    "REPORTED_SOURCE",
    "SPACING_SECONDS",
    "TARGET_TIMESPAN_SECONDS",
    "Retarget",
    "bits_of_target",
    "break_even_usd_mwh",
    "coin_per_phs_day",
    "difficulty_of_bits",
    "latest",
    "next_bits",
    "next_halving",
    "retargets",
    "subsidy_satoshi",
    "target_of_bits",
    "target_of_difficulty",
]
