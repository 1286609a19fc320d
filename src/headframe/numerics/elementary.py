"""Elementary functions of our own: the same bits on every machine, and fit for vector units.

Only additions, multiplications, divisions, square roots and integer operations, in one order and
without branches, so that a compiler may run eight at once and no library's version decides the last
bit. Cody and Waite, Software manual for the elementary functions (1980), for the reductions; the
normal tail follows Shepherd and Laframboise, Mathematics of Computation 36 (1981) 249-253, with
coefficients from a Chebyshev expansion in 40 digits. Errors against 50 digits are in the tests.
"""

import math

from headframe.numerics.compiled import lane, np

_ROUND = 6755399441055744.0  # 1.5 * 2**52: adding and subtracting it rounds to the nearest integer
_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_HALF_PI = 1.5707963267948966


@lane
def exp(x: float) -> float:
    """e**x for x from -708 to 709, held there beyond; relative error below 3e-16."""
    x = min(max(x, -708.0), 709.0)
    turned = x * _LOG2E + _ROUND
    whole = turned - _ROUND
    r = (x - whole * _LN2_HIGH) - whole * _LN2_LOW
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 0.0001984126984126984
    p = p * r + 0.001388888888888889
    p = p * r + 0.008333333333333333
    p = p * r + 0.041666666666666664
    p = p * r + 0.16666666666666666
    p = p * r + 0.5
    p = p * r * r + r + 1.0
    scale = np.int64((np.int64(whole) + np.int64(1023)) << np.int64(52)).view(np.float64)
    return float(p * scale)


@lane
def log(x: float) -> float:
    """The natural logarithm of a positive normal number; error below 3e-16 of it or of 1e-16."""
    bits = np.float64(x).view(np.int64)
    shifted = bits - np.int64(0x3FE6A09E667F3BCD)
    power = shifted >> np.int64(52)
    m = np.int64(bits - (power << np.int64(52))).view(np.float64)
    f = (m - 1.0) / (m + 1.0)
    q = f * f
    p = 1.0 / 23.0
    p = p * q + 1.0 / 21.0
    p = p * q + 1.0 / 19.0
    p = p * q + 1.0 / 17.0
    p = p * q + 1.0 / 15.0
    p = p * q + 1.0 / 13.0
    p = p * q + 1.0 / 11.0
    p = p * q + 1.0 / 9.0
    p = p * q + 1.0 / 7.0
    p = p * q + 0.2
    p = p * q + 1.0 / 3.0
    e = float(power)
    small = m - 1.0
    # ln m = 2 f + 2 f^3 p, written so that m - 1, which is exact, carries the leading digits
    tail = small - f * (small - 2.0 * q * p)
    return float(e * _LN2_HIGH + (tail + e * _LN2_LOW))


@lane
def sincos_turn(u: float) -> tuple[float, float]:
    """Sine and cosine of 2 pi u, u from 0 to 1; absolute error below 3e-16."""
    t = 4.0 * u
    turned = t + _ROUND
    quarter = turned - _ROUND
    r = (t - quarter) * _HALF_PI
    q = r * r
    s = -7.647163731819816e-13
    s = s * q + 1.6059043836821613e-10
    s = s * q - 2.505210838544172e-08
    s = s * q + 2.7557319223985893e-06
    s = s * q - 0.0001984126984126984
    s = s * q + 0.008333333333333333
    s = s * q - 0.16666666666666666
    s = s * q * r + r
    c = 4.779477332387385e-14
    c = c * q - 1.1470745597729725e-11
    c = c * q + 2.08767569878681e-09
    c = c * q - 2.755731922398589e-07
    c = c * q + 2.48015873015873e-05
    c = c * q - 0.001388888888888889
    c = c * q + 0.041666666666666664
    c = c * q - 0.5
    c = c * q + 1.0
    place = np.int64(quarter)
    odd = (place & np.int64(1)) != 0
    sine = c if odd else s
    cosine = s if odd else c
    sine = -sine if (place & np.int64(2)) != 0 else sine
    cosine = -cosine if ((place + np.int64(1)) & np.int64(2)) != 0 else cosine
    return float(sine), float(cosine)


@lane
def tail_ratio(a: float) -> float:
    """The normal distribution at -a over exp(-a**2/2), a from 0: relative error below 1e-15.

    (a + 3.75) times it is a polynomial in (a - 3.75)/(a + 3.75).
    """
    y = (a - 3.75) / (a + 3.75)
    p = -2.6522753721969844e-10
    p = p * y + -1.141360612883206e-09
    p = p * y + 1.2612251889676958e-09
    p = p * y + 1.1138767827693362e-08
    p = p * y + 4.553401697462896e-09
    p = p * y + -5.363858255781414e-08
    p = p * y + -7.951494205983876e-08
    p = p * y + 1.5732091193279993e-07
    p = p * y + 5.368771876065736e-07
    p = p * y + -1.630980571706843e-07
    p = p * y + -2.767540134387764e-06
    p = p * y + -1.6469442952452115e-06
    p = p * y + 1.3310114174501423e-05
    p = p * y + 1.706724704863756e-05
    p = p * y + -7.007607454760382e-05
    p = p * y + -0.00011721029753308523
    p = p * y + 0.00046982388276640903
    p = p * y + 0.0006099109085994458
    p = p * y + -0.004162868256006972
    p = p * y + 0.0011683519683181474
    p = p * y + 0.03748932541884373
    p = p * y + -0.1515168654268219
    p = p * y + 0.3529398574780767
    p = p * y + -0.5881884178362791
    p = p * y + 0.7502940722658991
    return p / (a + 3.75)


@lane
def cumulative(z: float) -> float:
    """The standard normal distribution at z, accurate in the lower tail down to about -37."""
    a = abs(z)
    tail = exp(-0.5 * a * a) * tail_ratio(a)
    above = 0.5 + math.copysign(0.5, z)
    return above + (1.0 - 2.0 * above) * tail
