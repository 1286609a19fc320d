"""Many prices at once, for quants with a table."""

from headframe.numerics import Array, np
from headframe.pricing.kernels import price_delta_vega, price_rows
from headframe.units import Wrong

Row = tuple[float, bool, float, float, float, float, float]
"""Kind (+1 call, -1 put, 0 forward), inverse, forward, strike, volatility, years, discount."""


def price_batch(rows: list[Row]) -> Array:
    """Price, delta, gamma, vega and theta of each row: (rows, 5)."""
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 7)
    out = np.empty((len(rows), 5))
    price_rows(np.ascontiguousarray(table.T), out)
    return out


def price_wholesale(columns: Array) -> Array:
    """Price, delta and vega of millions of linear options, the same bits everywhere: (3, rows).

    ``columns`` is (6, rows): +1 call or -1 put, forward, strike, volatility, years, discount. Prices
    keep 2e-15 of the forward, deltas 3e-16 over the deviation; ``price_batch`` keeps the digits of
    far options too.
    """
    if columns.ndim != 2 or columns.shape[0] != 6:
        raise Wrong(f"wholesale prices take (6, rows), was {columns.shape}")
    good = (columns[[1, 2, 5]] > 0.0).all() and (columns[[3, 4]] >= 0.0).all()
    if not good or not np.isfinite(columns).all() or not (np.abs(columns[0]) == 1.0).all():
        raise Wrong("every forward, strike and discount is above zero, every side +1 or -1")
    out = np.empty((3, columns.shape[1]))
    price_delta_vega(np.ascontiguousarray(columns, dtype=np.float64), out)
    return out
