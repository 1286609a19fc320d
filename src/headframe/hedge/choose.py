"""Choosing: the stated criterion of the mandate, over the candidates it allows."""

from collections.abc import Sequence

from headframe.hedge.candidates import Candidate
from headframe.mandate import Choice, Verdict


def cost_usd(candidate: Candidate, initial_margin_usd: float, rate: float, years: float) -> float:
    """Expected cost per coin: dealing cost, and the cost of money tied up as initial margin."""
    tied = initial_margin_usd / float(candidate.size) * rate * max(years, 0.0)
    return candidate.cost_usd + tied


def score(candidate: Candidate, cost: float, stress_call_usd: float, choice: Choice) -> float:
    """What the criterion maximises, in USD per coin.

    Floor less cost: what the hedge secures after premium, less what dealing it is expected to cost.
    """
    floor = candidate.floor_usd - max(candidate.upfront_usd, 0.0)
    if choice is Choice.LARGEST_FLOOR:
        return floor
    if choice is Choice.LEAST_COST:
        return -cost
    if choice is Choice.LEAST_MARGIN:
        return -stress_call_usd / float(candidate.size)
    return floor - cost


def best(rated: Sequence[tuple[Candidate, Verdict, float]]) -> int | None:
    """Index of the best allowed candidate, the first on a tie; None where the mandate allows none."""
    allowed = [index for index, (_, verdict, _) in enumerate(rated) if verdict.allowed]
    return max(allowed, key=lambda index: (rated[index][2], -index)) if allowed else None
