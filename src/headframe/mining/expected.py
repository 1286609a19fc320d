"""Coins that a hashrate should have earned: the audit of a pool's payouts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp, lgamma, log

from headframe.chain import Chain, Retarget
from headframe.numerics import quantile
from headframe.units import Wrong, iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Coins expected from the realised difficulty, with the band of a solo miner's luck.

    ``blocks`` is how many blocks the hashes were worth; ``p10`` and ``p90`` are coins at those counts
    of a Poisson draw. ``simulated_days`` are days after the history's end, taken at its last
    difficulty.
    """

    coin: str
    start: datetime
    end: datetime
    hashrate_hs: float
    coins: float
    subsidy_coins: float
    fee_coins: float
    blocks: float
    p10: float
    p90: float
    luck_sd: float
    mean_difficulty: float
    steps: tuple[int, ...]
    simulated_days: float


def expected(
    chain: Chain,
    history: Sequence[Retarget],
    *,
    hashrate_hs: float,
    start: datetime,
    end: datetime,
    fee_share: float = 0.0,
    pool_fee: float = 0.0,
) -> Expected:
    """Hashes over (difficulty x hashes per difficulty) x reward, split at retargets and reward steps.

    Heights between two rows are taken to pass evenly; a step of the reward inside a period is placed
    to the block. Raises Wrong for a span before the history, and for one that ends more than one
    period after it.
    """
    _sane(hashrate_hs, start, end, fee_share, pool_fee)
    if start < history[0].at:
        raise Wrong(f"the history begins {iso(history[0].at)}, after {iso(start)}")
    spans, beyond = _spans(chain, history, start, end)
    blocks = subsidy = weighted = 0.0
    passed: list[int] = []
    for piece in spans:
        found = hashrate_hs * piece.seconds / (piece.difficulty * chain.hashes_per_difficulty)
        blocks += found
        subsidy += found * piece.reward
        weighted += piece.difficulty * piece.seconds
        if piece.step is not None:
            passed.append(piece.step)
    mean = weighted / (end - start).total_seconds()
    network = mean * chain.hashes_per_difficulty / float(chain.spacing_seconds)
    if hashrate_hs > network:
        raise Wrong(
            f"a hashrate of {hashrate_hs:.3g} H/s is {hashrate_hs / network:,.1f} times the whole network's "
            f"{network:.3g} H/s; check its unit"
        )
    kept = 1.0 - pool_fee
    coins = subsidy * (1.0 + fee_share) * kept
    each = coins / blocks if blocks > 0.0 else 0.0
    return Expected(
        coin=chain.coin,
        start=start,
        end=end,
        hashrate_hs=hashrate_hs,
        coins=coins,
        subsidy_coins=subsidy * kept,
        fee_coins=subsidy * fee_share * kept,
        blocks=blocks,
        p10=poisson_quantile(0.10, blocks) * each,
        p90=poisson_quantile(0.90, blocks) * each,
        luck_sd=blocks**-0.5 if blocks > 0.0 else 0.0,
        mean_difficulty=mean,
        steps=tuple(passed),
        simulated_days=beyond,
    )


def _sane(
    hashrate: float, start: datetime, end: datetime, fee_share: float, pool_fee: float
) -> None:
    if not 0.0 < hashrate <= 1e24:
        raise Wrong(f"a hashrate must lie above 0 and up to 1000 ZH/s, was {hashrate:g} H/s")
    if end <= start:
        raise Wrong(f"--to {iso(end)} must come after --from {iso(start)}")
    if not 0.0 <= fee_share <= 10.0:
        raise Wrong(f"a fee share must lie between 0 and 10, was {fee_share:g}")
    if not 0.0 <= pool_fee < 1.0:
        raise Wrong(f"a pool fee is a share from 0 to below 1, was {pool_fee:g}")


@dataclass(frozen=True, slots=True)
class _Piece:
    seconds: float
    difficulty: float
    reward: float
    step: int | None


def _spans(
    chain: Chain, history: Sequence[Retarget], start: datetime, end: datetime
) -> tuple[list[_Piece], float]:
    """Pieces of constant difficulty and reward, and days that lie after the history."""
    last = history[-1]
    step = chain.period if chain.period > 1 else max(last.height - history[-2].height, 1)
    period = timedelta(seconds=step * float(chain.spacing_seconds))
    if end > last.at + period * 2:
        raise Wrong(
            f"the history ends {iso(last.at)} and cannot say what came until {iso(end)}; extend it"
        )
    closing = Retarget(
        height=last.height + step, at=last.at + period, bits=None, difficulty=last.difficulty
    )
    rows = (*history, closing) if end > last.at else tuple(history)
    if end > closing.at:
        rows = (*rows, _after(closing, step, period))
    pieces: list[_Piece] = []
    for before, after in pairwise(rows):
        first, until = max(start, before.at), min(end, after.at)
        if first < until:
            pieces += _split(chain, before, after, first, until)
    beyond = max((end - max(last.at, start)).total_seconds(), 0.0) / 86_400.0
    return pieces, beyond


def _after(row: Retarget, step: int, period: timedelta) -> Retarget:
    return Retarget(
        height=row.height + step, at=row.at + period, bits=None, difficulty=row.difficulty
    )


def _split(
    chain: Chain, before: Retarget, after: Retarget, first: datetime, until: datetime
) -> list[_Piece]:
    """One period's piece, cut where the reward steps."""
    whole = (after.at - before.at).total_seconds()
    height = before.height + (after.height - before.height) * (
        (first - before.at).total_seconds() / whole
    )
    steps, rewards = chain.steps(int(height), after.height - int(height))
    pieces: list[_Piece] = []
    at = first
    for index, step in enumerate(steps):
        share = (step - before.height) / (after.height - before.height)
        turn = before.at + timedelta(seconds=share * whole)
        if at < turn < until:
            pieces.append(
                _Piece((turn - at).total_seconds(), before.difficulty, rewards[index], step)
            )
            at = turn
    passed = len(pieces)
    pieces.append(_Piece((until - at).total_seconds(), before.difficulty, rewards[passed], None))
    return pieces


def poisson_quantile(share: float, mean: float) -> int:
    """The least count whose chance of that many or fewer reaches a share.

    Summed from the mode outward in logarithms; above a mean of a million by the normal with the
    Cornish-Fisher term for skewness, whose error there is below one block in a thousand.
    """
    if mean <= 0.0:
        return 0
    if mean > 1e6:
        z = quantile(share)
        return round(float(mean + z * mean**0.5 + (z * z - 1.0) / 6.0))
    low = max(int(mean - 12.0 * mean**0.5 - 20.0), 0)
    count, total = low, exp(low * log(mean) - mean - lgamma(low + 1.0))
    term = total
    while total < share and count < mean + 12.0 * mean**0.5 + 40.0:
        count += 1
        term *= mean / count
        total += term
    return count
