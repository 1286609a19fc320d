"""The normal distribution, accurate in its tails."""

import math

from headframe.numerics.compiled import lane, scalar
from headframe.numerics.elementary import log

_SQRT_HALF = math.sqrt(0.5)
_SQRT_HALF_PI = math.sqrt(0.5 * math.pi)
_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)
CENTRAL = 0.425
"""How far from a half the middle of the distribution reaches."""
NEAR = 5.0
"""The root of minus the logarithm of a tail's share up to which the nearer of two formulas goes."""


@scalar
def density(z: float) -> float:
    """Standard normal density at z."""
    return _INV_SQRT_2PI * math.exp(-0.5 * z * z)


@scalar
def phi(z: float) -> float:
    """Standard normal distribution at z, to full relative accuracy in the lower tail."""
    if z < -5.0:
        return density(z) * mills(z)
    return 0.5 * math.erfc(-z * _SQRT_HALF)


@scalar
def mills(z: float) -> float:
    """Distribution over density at z, for z up to 37: about 1/-z far down, never underflowing.

    Below -5 by the continued fraction 1/(a + 1/(a + 2/(a + 3/...))) with a = -z
    (Abramowitz and Stegun 26.2.14), which 60 levels bring to the last bit there.
    """
    if z > -5.0:
        return _SQRT_HALF_PI * math.exp(0.5 * z * z) * math.erfc(-z * _SQRT_HALF)
    a = -z
    tail = a
    for level in range(60, 0, -1):
        tail = a + level / tail
    return 1.0 / tail


@lane
def quantile_central(q: float) -> float:
    """``quantile`` of a half and ``q``, for q from -0.425 to 0.425."""
    r = 0.180625 - q * q
    top = (
        (
            (
                (
                    (
                        (2.5090809287301226727e3 * r + 3.3430575583588128105e4) * r
                        + 6.7265770927008700853e4
                    )
                    * r
                    + 4.5921953931549871457e4
                )
                * r
                + 1.3731693765509461125e4
            )
            * r
            + 1.9715909503065514427e3
        )
        * r
        + 1.3314166789178437745e2
    ) * r + 3.3871328727963666080e0
    low = (
        (
            (
                (
                    (
                        (5.2264952788528545610e3 * r + 2.8729085735721942674e4) * r
                        + 3.9307895800092710610e4
                    )
                    * r
                    + 2.1213794301586595867e4
                )
                * r
                + 5.3941960214247511077e3
            )
            * r
            + 6.8718700749205790830e2
        )
        * r
        + 4.2313330701600911252e1
    ) * r + 1.0
    return q * top / low


@lane
def quantile_tail(r: float) -> float:
    """The normal above which a share exp(-r**2) lies, for r up to ``NEAR``."""
    r -= 1.6
    top = (
        (
            (
                (
                    (
                        (7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r
                        + 2.41780725177450611770e-1
                    )
                    * r
                    + 1.27045825245236838258e0
                )
                * r
                + 3.64784832476320460504e0
            )
            * r
            + 5.76949722146069140550e0
        )
        * r
        + 4.63033784615654529590e0
    ) * r + 1.42343711074968357734e0
    low = (
        (
            (
                (
                    (
                        (1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r
                        + 1.51986665636164571966e-2
                    )
                    * r
                    + 1.48103976427480074590e-1
                )
                * r
                + 6.89767334985100004550e-1
            )
            * r
            + 1.67638483018380384940e0
        )
        * r
        + 2.05319162663775882187e0
    ) * r + 1.0
    return top / low


@scalar
def quantile(p: float) -> float:
    """The z below which a share p of a standard normal lies, 0 < p < 1.

    Wichura, "Algorithm AS 241", Applied Statistics 37 (1988) 477-484, PPND16: relative error
    about 1e-16.
    """
    q = p - 0.5
    if abs(q) <= CENTRAL:
        return quantile_central(q)
    r = math.sqrt(-log(p if q < 0.0 else 1.0 - p))
    if r <= NEAR:
        size = quantile_tail(r)
        return -size if q < 0.0 else size
    r -= 5.0
    top = (
        (
            (
                (
                    (
                        (2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r
                        + 1.24266094738807843860e-3
                    )
                    * r
                    + 2.65321895265761230930e-2
                )
                * r
                + 2.96560571828504891230e-1
            )
            * r
            + 1.78482653991729133580e0
        )
        * r
        + 5.46378491116411436990e0
    ) * r + 6.65790464350110377720e0
    low = (
        (
            (
                (
                    (
                        (2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r
                        + 1.84631831751005468180e-5
                    )
                    * r
                    + 7.86869131145613259100e-4
                )
                * r
                + 1.48753612908506148525e-2
            )
            * r
            + 1.36929880922735805310e-1
        )
        * r
        + 5.99832206555887937690e-1
    ) * r + 1.0
    return -top / low if q < 0.0 else top / low
