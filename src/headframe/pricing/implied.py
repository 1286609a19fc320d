"""Implied volatility: every price is answered, with a volatility or with the reason there is none."""

from enum import StrEnum

from headframe.numerics import Array, np
from headframe.pricing.kernels import implied_rows

PriceRow = tuple[float, bool, float, float, float, float, float]
"""Kind (+1 call, -1 put), inverse, forward, strike, price, years, discount."""


class NoVolatility(StrEnum):
    """Why a price implies no volatility."""

    BELOW_INTRINSIC = "the price lies below the intrinsic value"
    ABOVE_BOUND = "the price reaches the most an option can be worth"
    NO_TIME = "the option has no time left"
    NOT_A_PRICE = "a figure is missing or not a number above zero"


_REASONS = (
    None,
    NoVolatility.BELOW_INTRINSIC,
    NoVolatility.ABOVE_BOUND,
    NoVolatility.NO_TIME,
    NoVolatility.NOT_A_PRICE,
)


def implied_batch(rows: list[PriceRow]) -> tuple[Array, tuple[NoVolatility | None, ...]]:
    """Volatility a year of each row, NaN where its reason says why there is none.

    At exactly the intrinsic value the volatility is nothing. A price beside its intrinsic value says
    only as much of the volatility as the digits of the difference hold.
    """
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 7)
    vols, reasons = np.empty(len(rows)), np.empty(len(rows))
    implied_rows(np.ascontiguousarray(table.T), vols, reasons)
    return vols, tuple(_REASONS[int(code)] for code in reasons)
