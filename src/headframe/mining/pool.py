"""How a pool pays: by expectation or by the blocks it finds, and which fees it counts."""

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from headframe.mining.machines import between
from headframe.numerics import phi, quantile
from headframe.units import refuse


class PoolScheme(StrEnum):
    """What is paid by expectation and what by luck.

    Rosenfeld, "Analysis of bitcoin pooled mining reward systems" (2011), sections 3 and 4.
    """

    FPPS = "fpps"
    """Subsidy and fees by expectation: no luck."""
    PPS_PLUS = "pps+"
    """Subsidy by expectation, fees from the blocks found."""
    PPLNS = "pplns"
    """Both from the blocks the pool finds, split by shares."""
    SOLO = "solo"
    """Both from one's own blocks."""


class FeeAveraging(StrEnum):
    """Which fees an FPPS pool counts."""

    MEAN = "mean"
    """The mean of all blocks."""
    TRIMMED = "trimmed"
    """The mean without the dearest and the cheapest 5 % of blocks (SpiderPool's published rule)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The pool's terms.

    ``share`` is what part of the pool's hashrate is ours (PPLNS and PPS+); ``fee_block_log_sd`` the
    spread of the logarithm of fees from block to block, which a trimmed mean loses the tail of.
    """

    scheme: PoolScheme
    fee: float
    fee_averaging: FeeAveraging = FeeAveraging.MEAN
    fee_block_log_sd: float = 0.0
    share: float | None = None

    def __post_init__(self) -> None:
        between("pool fee", self.fee, 0.0, 0.5)
        between("fee_block_log_sd", self.fee_block_log_sd, 0.0, 3.0)
        if self.share is not None:
            between("share of the pool", self.share, 1e-9, 1.0)
        elif self.scheme in {PoolScheme.PPLNS, PoolScheme.PPS_PLUS}:
            refuse(f"a {self.scheme} pool needs share: what part of its hashrate is yours")

    @property
    def fees_counted(self) -> float:
        """Share of a block's mean fees that the averaging rule pays out.

        For log-normal fees the part between two quantiles has the mean
        (Phi(z_hi - s) - Phi(z_lo - s)) / (hi - lo) of the whole.
        """
        if self.fee_averaging is FeeAveraging.MEAN or self.fee_block_log_sd == 0.0:
            return 1.0
        z, s = quantile(0.95), self.fee_block_log_sd
        return (phi(z - s) - phi(-z - s)) / 0.90

    @property
    def part_of_pool(self) -> float:
        """Our part of the hashrate whose blocks pay us; 1 for solo."""
        return 1.0 if self.share is None or self.scheme is PoolScheme.SOLO else self.share

    @property
    def lucky(self) -> tuple[bool, bool]:
        """Whether the subsidy, and whether the fees, depend on blocks found."""
        subsidy = self.scheme in {PoolScheme.PPLNS, PoolScheme.SOLO}
        return subsidy, subsidy or self.scheme is PoolScheme.PPS_PLUS


def luck_sd(expected_blocks: float) -> float:
    """Standard deviation of blocks found over blocks expected: one over the root of the latter."""
    return 1.0 / sqrt(expected_blocks) if expected_blocks > 0.0 else 0.0
