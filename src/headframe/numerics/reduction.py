"""Reductions over paths in one fixed order, so that threads never change a figure."""

from headframe.numerics.compiled import Array, np


def sorted_columns(values: Array) -> Array:
    """Each column of (paths, columns) sorted upwards, as (columns, paths)."""
    return np.sort(np.ascontiguousarray(values.T), axis=1)


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
