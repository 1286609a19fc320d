"""Elementary functions of our own: the same bits on every machine, and fit for vector units.

Only additions, multiplications, divisions, square roots and integer operations, in one order and
without branches, so that a compiler may run eight at once and no library's version decides the last
bit. Polynomials are minimax ones (Remez) of the least degree that does, summed by halves and quarters
(Estrin, "Organization of computer systems", Western Joint Computer Conference (1960) 33-40), since
a vector unit waits longer for one long chain than it works. Cody and Waite, Software manual for the
elementary functions (1980), for the reductions; the normal tail follows Shepherd and Laframboise,
Mathematics of Computation 36 (1981) 249-253, with coefficients from a Chebyshev expansion in 40
digits. Errors against 50 digits are in the tests.
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
    q = r * r
    a = 0.16666666666666644 * r + 0.5
    b = 0.008333333333356095 * r + 0.041666666666624316
    c = 0.00019841269785005937 * r + 0.001388888891713588
    d = 2.7557355107983417e-06 * r + 2.4801521399635247e-05
    e = 2.5068322198546283e-08 * r + 2.762004531862043e-07
    p = ((e * q + d) * (q * q) + (c * q + b)) * q + a
    p = p * q + r + 1.0
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
    w = q * q
    a = 0.19999999999949558 * q + 0.3333333333333335
    b = 0.11111105555727821 * q + 0.14285714313066428
    c = 0.07665836686386082 * q + 0.09091445344212042
    p = ((0.07308503712189304 * w + c) * w + b) * w + a
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
    w = q * q
    a = 0.008333333333330924 * q - 0.16666666666666666
    b = 2.755731608764356e-06 * q - 0.0001984126983672596
    c = 1.5917947584918695e-10 * q - 2.5051129062969503e-08
    s = ((c * w + b) * w + a) * q * r + r
    a = -0.0013888888888887387 * q + 0.041666666666666664
    b = -2.7557317265481273e-07 * q + 2.4801587298752072e-05
    d = -1.1382555677958835e-11 * q + 2.0876145097850964e-09
    c = ((d * w + b) * w + a) * w - 0.5 * q + 1.0
    place = np.int64(quarter)
    odd = (place & np.int64(1)) != 0
    sine = c if odd else s
    cosine = s if odd else c
    sine = -sine if (place & np.int64(2)) != 0 else sine
    cosine = -cosine if ((place + np.int64(1)) & np.int64(2)) != 0 else cosine
    return float(sine), float(cosine)


@lane
def lowest_bit(word: int) -> int:
    """Place of the lowest bit that is set in a word of 64, which has one."""
    alone = float(np.int64(word) & -np.int64(word))
    return int(
        ((np.float64(alone).view(np.int64) >> np.int64(52)) & np.int64(0x7FF)) - np.int64(1023)
    )


@lane
def tail_ratio(z: float) -> float:
    """The normal distribution at -z over exp(-z**2/2), z from 0: relative error below 1e-15.

    (z + 3.75) times it is a polynomial in (z - 3.75)/(z + 3.75).
    """
    y = (z - 3.75) / (z + 3.75)
    w = y * y
    v = w * w
    a = -2.6522753721969844e-10
    a = a * v + 4.553401697462896e-09
    a = a * v + 5.368771876065736e-07
    a = a * v + 1.3310114174501423e-05
    a = a * v + 0.00046982388276640903
    a = a * v + 0.03748932541884373
    a = a * v + 0.7502940722658991
    b = 1.1138767827693362e-08
    b = b * v + 1.5732091193279993e-07
    b = b * v - 1.6469442952452115e-06
    b = b * v - 0.00011721029753308523
    b = b * v + 0.0011683519683181474
    b = b * v - 0.5881884178362791
    c = 1.2612251889676958e-09
    c = c * v - 7.951494205983876e-08
    c = c * v - 2.767540134387764e-06
    c = c * v - 7.007607454760382e-05
    c = c * v - 0.004162868256006972
    c = c * v + 0.3529398574780767
    d = -1.141360612883206e-09
    d = d * v - 5.363858255781414e-08
    d = d * v - 1.630980571706843e-07
    d = d * v + 1.706724704863756e-05
    d = d * v + 0.0006099109085994458
    d = d * v - 0.1515168654268219
    p = (d * y + c) * w + (b * y + a)
    return p / (z + 3.75)


@lane
def cumulative(z: float) -> float:
    """The standard normal distribution at z, accurate in the lower tail down to about -37."""
    a = abs(z)
    tail = exp(-0.5 * a * a) * tail_ratio(a)
    above = 0.5 + math.copysign(0.5, z)
    return above + (1.0 - 2.0 * above) * tail
