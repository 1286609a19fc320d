"""A total shared out by weight in whole steps, adding up exactly."""

from collections.abc import Sequence
from decimal import Decimal

from headframe.units.wrong import Wrong


def shared_out(total: Decimal, weights: Sequence[Decimal], step: Decimal) -> list[Decimal]:
    """Shares of a total by weight, each a multiple of ``step``.

    Largest remainders (Hamilton's method): each gets its share rounded down, and the steps left over go one
    each to the largest remainders, the first on a tie.

    Raises:
        Wrong: where the total is no multiple of the step, or a weight is negative or all are zero.
    """
    weight = sum(weights, Decimal(0))
    if total <= 0 or weight <= 0 or any(one < 0 for one in weights):
        raise Wrong("a total is shared out by weights of at least zero, not all zero")
    if total % step:
        raise Wrong(f"what is shared out is a multiple of {step}, was {total}")
    exact = [total * one / weight for one in weights]
    shares = [(one // step) * step for one in exact]
    left = int((total - sum(shares, Decimal(0))) / step)
    order = sorted(range(len(exact)), key=lambda place: (shares[place] - exact[place], place))
    for place in order[:left]:
        shares[place] += step
    return shares
