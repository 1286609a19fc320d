"""Reductions over paths in one fixed order, so that threads never change a figure."""

from headframe.numerics.compiled import Array, np


def quantiles(ordered: Array, shares: tuple[float, ...]) -> Array:
    """Quantiles of sorted rows, linear between order statistics: (shares, rows).

    Hyndman and Fan, "Sample quantiles in statistical packages", The American Statistician 50
    (1996) 361-365, definition 7.
    """
    count = ordered.shape[1]
    out = np.empty((len(shares), ordered.shape[0]))
    for row, share in enumerate(shares):
        place = share * (count - 1)
        below = int(place)
        above = min(below + 1, count - 1)
        weight = place - below
        out[row] = ordered[:, below] * (1.0 - weight) + ordered[:, above] * weight
    return out


def column_quantiles(values: Array, shares: tuple[float, ...]) -> Array:
    """Quantiles of each column of (rows, columns): (shares, columns), by definition 7.

    Only the order statistics that are needed are brought to their places.
    """
    count = values.shape[0]
    places = [share * (count - 1) for share in shares]
    needed = sorted({min(int(place) + step, count - 1) for place in places for step in (0, 1)})
    out = np.empty((len(shares), values.shape[1]))
    for column in range(values.shape[1]):
        ordered = np.partition(values[:, column], needed)
        out[:, column] = quantiles(ordered[None, :], shares)[:, 0]
    return out
