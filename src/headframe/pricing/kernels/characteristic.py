"""Values by characteristic function: Heston's variance with Merton's jumps, and Merton alone.

Lewis, "A simple option formula for general jump-diffusion and other exponential Levy processes"
(2001), formula 3.11; Heston, Review of Financial Studies 6 (1993) 327-343, in the form that keeps
its logarithm on one branch (Albrecher, Mayer, Schoutens and Tistaert, "The little Heston trap",
Wilmott (2007) 83-92); Bates, Review of Financial Studies 9 (1996) 69-107; Merton, Journal of
Financial Economics 3 (1976) 125-144.
"""

import cmath
import math

from headframe.numerics import compiled, scalar
from headframe.pricing.kernels.european import GAUSS_NODES, GAUSS_WEIGHTS, black76

_NEGLIGIBLE = 1e-18
"""Of the root of forward times strike: what the rest of the integral is let go at."""
_MOST_PANELS = 20_000
_PHASE = 40.0
"""Radians that 32 Gauss nodes follow to the last digit."""


@scalar
def _shrunk(z: complex) -> complex:
    """Return (1 - exp(-z)) / z, by its series where z is small; 1 at 0."""
    if abs(z) > 0.1:
        return (1.0 - cmath.exp(-z)) / z
    term, total = complex(1.0, 0.0), complex(1.0, 0.0)
    for power in range(2, 14):
        term = -term * z / power
        total = total + term
    return total


@scalar
def _log_share(z: complex, above: complex) -> complex:
    """Return ln(1 + z) / z, by its series where z is small; 1 at 0. ``above`` is 1 + z."""
    if abs(z) > 0.1:
        return cmath.log(above) / z
    power, total = complex(1.0, 0.0), complex(1.0, 0.0)
    for place in range(2, 20):
        power = -power * z
        total = total + power / place
    return total


@scalar
def _heston_exponent(
    u: float, T: float, v0: float, kappa: float, theta: float, xi: float, rho: float
) -> complex:
    """Return the logarithm of E[exp(i(u - i/2) ln(S_T/F))] under Heston's variance alone.

    With q = u**2 + 1/4, b = kappa - rho xi (1/2 + iu), d = sqrt(b**2 + xi**2 q), s = (1 - exp(-dT)) / d
    and z = (b - d) s / 2 it is -v0 q s / (2 (1 + z)) + kappa theta q (s ln(1 + z) / z - T) / (b + d):
    Heston's own in the form that keeps its logarithm on one branch, with nothing divided by xi. At xi = 0
    it is that of a variance that runs along its mean.
    """
    q = u * u + 0.25
    b = kappa - rho * xi * complex(0.5, u)
    d = cmath.sqrt(b * b + xi * xi * q)
    # b + d times d - b is xi**2 q: whichever of them would cancel comes from the other
    if b.real >= 0.0:
        together = b + d
        apart = xi * xi * q / together if xi > 0.0 else complex(0.0, 0.0)
    else:
        apart = d - b
        together = xi * xi * q / apart
    s = T * _shrunk(d * T)
    z = -0.5 * apart * s
    above = 1.0 + z
    if abs(above) < 0.1 and abs(d) * T > 0.1:
        above = (together + apart * cmath.exp(-d * T)) / (2.0 * d)
    now = -0.5 * v0 * q * s / above
    if kappa * theta == 0.0:
        return now
    return now + kappa * theta * q / together * (s * _log_share(z, above) - T)


@scalar
def _mean_variance(T: float, v0: float, kappa: float, theta: float) -> float:
    """Return the mean of the variance to come over T, added up."""
    pull = kappa * T
    gone = 0.5 * pull  # share of the time in which the variance is its long-run mean
    if pull > 0.05:
        gone = 1.0 + math.expm1(-pull) / pull
    else:
        term = gone
        for power in range(3, 12):
            term *= -pull / power
            gone += term
    return max(v0 * (1.0 - gone) + theta * gone, 0.0) * T


@scalar
def _jump_exponent(u: float, T: float, lam: float, jump: float, spread: float) -> complex:
    """Return the logarithm of E[exp(i(u - i/2) ln)] of compensated log-normal jumps."""
    iu = complex(0.5, u)
    mean = math.exp(jump + 0.5 * spread * spread) - 1.0
    return lam * T * (cmath.exp(iu * jump + 0.5 * spread * spread * iu * iu) - 1.0 - iu * mean)


@scalar
def _fastest_phase(x: float, T: float, lam: float, jump: float, spread: float) -> float:
    """Return the radians by which the integrand turns for 1 of u, whatever number of jumps has come."""
    expected = lam * T
    drifted = x - expected * (math.exp(jump + 0.5 * spread * spread) - 1.0)
    many = expected * max(1.0, math.exp(0.5 * jump))
    most = many + 9.0 * math.sqrt(many) + 9.0 if expected > 0.0 else 0.0
    return max(abs(x), abs(drifted), abs(drifted + most * jump))


@compiled
def heston_jumps_value(
    sign: float,
    F: float,
    K: float,
    T: float,
    df: float,
    v0: float,
    kappa: float,
    theta: float,
    xi: float,
    rho: float,
    lam: float,
    jump: float,
    spread: float,
) -> float:
    """Return the value of a European option; absolute error below 1e-10 of the greater of F and K.

    v0 variance now, kappa its pull a year towards theta, xi its volatility, rho its correlation
    with the price; lam jumps a year of log size N(jump, spread**2). It is Merton's value at the mean
    variance to come, plus the integral of what the two transforms differ by: nothing at xi = 0, where
    Merton's value is exact, or Black's without jumps. Panels of 32 Gauss nodes grow with u until what is
    left is below 1e-18.

    The bound is that of comparisons with 30 digits over maturities of a day to ten years, xi of 0 to 15,
    correlations to 0.95 either way, no jumps to 100 a year and strikes of a fifth to five forwards, where
    variance now or its mean is at least 0.0025 a year.
    """
    variance = _mean_variance(T, v0, kappa, theta)
    sigma = math.sqrt(variance / T) if T > 0.0 else 0.0
    known = merton_value(sign, F, K, sigma, max(T, 0.0), df, lam, jump, spread)
    if T <= 0.0 or xi <= 0.0 or variance <= 0.0:
        return known
    x = math.log(F / K)
    turns = _PHASE / max(_fastest_phase(x, T, lam, jump, spread), 1e-12)
    mean = math.exp(jump + 0.5 * spread * spread) - 1.0
    width, start, value, quiet = min(0.5, turns), 0.0, 0.0, 0
    for _ in range(_MOST_PANELS):
        panel, most = 0.0, 0.0
        for node in range(len(GAUSS_NODES)):
            u = start + width * GAUSS_NODES[node]
            q = u * u + 0.25
            shared = cmath.exp(_jump_exponent(u, T, lam, jump, spread) + complex(0.0, u * x))
            heston = cmath.exp(_heston_exponent(u, T, v0, kappa, theta, xi, rho))
            merton = math.exp(-0.5 * q * variance)
            panel += GAUSS_WEIGHTS[node] * (shared * (heston - merton)).real / q
            most = max(most, (abs(heston) + merton) / q)
        # jumps of one size come back with every turn of u: their envelope says when all is over
        most *= math.exp(
            lam
            * T
            * (
                math.exp(0.5 * jump + 0.5 * spread * spread * (0.25 - start * start))
                - 1.0
                - 0.5 * mean
            )
        )
        value += panel * width
        start += width
        width = min(max(1.5 * width, 0.3 * start), turns)
        quiet = quiet + 1 if most * start < _NEGLIGIBLE else 0
        if quiet == 2:
            break
    value = known - df * math.sqrt(F * K) / math.pi * value
    bound = F if sign > 0.0 else K
    return min(max(value, df * max(sign * (F - K), 0.0)), df * bound)


@scalar
def merton_value(
    sign: float,
    F: float,
    K: float,
    sigma: float,
    T: float,
    df: float,
    lam: float,
    jump: float,
    spread: float,
) -> float:
    """Value of a European option where log-normal jumps add to Brownian motion: Merton's series.

    lam jumps a year, each N(jump, spread**2) in the logarithm; the drift is such that F is kept.
    """
    mean = math.exp(jump + 0.5 * spread * spread) - 1.0
    expected = lam * T
    shared = expected * (1.0 + mean)  # jumps expected where the price is the numeraire
    chance, first, value = math.exp(-expected), 0, 0.0
    if (
        expected > 100.0
    ):  # the chance of no jump would be held as nothing at all: begin far below the mean
        low = min(expected, shared)
        first = max(int(low - 12.0 * math.sqrt(low)), 0)
        chance = math.exp(first * math.log(expected) - expected - math.lgamma(first + 1.0))
    peak = max(expected, shared)
    for jumps in range(first, first + 400 + int(peak + 30.0 * math.sqrt(peak))):
        level = F * math.exp(-lam * mean * T + jumps * (jump + 0.5 * spread * spread))
        deviation = math.sqrt(sigma * sigma * T + jumps * spread * spread)
        value += chance * black76(sign, level, K, deviation, 1.0, df)
        if jumps > peak and chance * (F + level) < 1e-18 * F:
            break
        chance *= expected / (jumps + 1.0)
    return value
