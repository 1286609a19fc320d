"""Many prices at once, for quants with a table."""

from headframe.numerics import Array, np
from headframe.pricing.kernels import price_rows

Row = tuple[float, bool, float, float, float, float, float]
"""Kind (+1 call, -1 put, 0 forward), inverse, forward, strike, volatility, years, discount."""


def price_batch(rows: list[Row]) -> Array:
    """Price, delta, gamma, vega and theta of each row: (rows, 5)."""
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 7)
    out = np.empty((len(rows), 5))
    price_rows(np.ascontiguousarray(table.T), out)
    return out
