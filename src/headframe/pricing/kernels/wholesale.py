"""Black-76 by the million: price, delta and vega, many options at once, the same bits everywhere.

The single-price kernels keep every digit of far options; these keep 1e-15 of the forward, run
without a branch, and share one exponential between both normal tails and the density:
exp(-d2**2/2) is exp(-d1**2/2) F/K.
"""

import math

from headframe.numerics import Array, exp, log, parallel, prange, tail_ratio

_CHUNK = 4_096


@parallel
def price_delta_vega(columns: Array, out: Array) -> None:
    """Fill (3, rows): price, delta per unit of forward, vega per 1.00 of volatility.

    ``columns`` is (6, rows): sign (+1 call, -1 put), F, K, sigma, T, df; F, K and df above zero.
    No volatility or no time left is the intrinsic value. Price error below 2e-15 of F.
    """
    rows = columns.shape[1]
    for chunk in prange((rows + _CHUNK - 1) // _CHUNK):
        first = chunk * _CHUNK
        last = min(first + _CHUNK, rows)
        sign, forward, strike = (
            columns[0, first:last],
            columns[1, first:last],
            columns[2, first:last],
        )
        sigma, years, discount = (
            columns[3, first:last],
            columns[4, first:last],
            columns[5, first:last],
        )
        price, delta, vega = out[0, first:last], out[1, first:last], out[2, first:last]
        for i in range(last - first):
            F, K, side = forward[i], strike[i], sign[i]
            root = math.sqrt(years[i])
            s = max(sigma[i] * root, 1e-100)
            ratio = F / K
            d1 = log(ratio) / s + 0.5 * s
            d2 = d1 - s
            bell = exp(-0.5 * d1 * d1)
            up, down = bell * tail_ratio(abs(d1)), bell * ratio * tail_ratio(abs(d2))
            over1, over2 = 0.5 + math.copysign(0.5, side * d1), 0.5 + math.copysign(0.5, side * d2)
            n1 = over1 + (1.0 - 2.0 * over1) * up
            n2 = over2 + (1.0 - 2.0 * over2) * down
            price[i] = max(discount[i] * side * (F * n1 - K * n2), 0.0)
            delta[i] = discount[i] * side * n1
            vega[i] = discount[i] * F * bell * 0.3989422804014327 * root
