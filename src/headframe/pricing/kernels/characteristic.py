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


@scalar
def _log_transform(
    u: complex,
    T: float,
    v0: float,
    kappa: float,
    theta: float,
    xi: float,
    rho: float,
    lam: float,
    jump: float,
    spread: float,
) -> complex:
    """Logarithm of E[exp(iu ln(S_T/F))] under Heston with log-normal jumps."""
    iu = 1j * u
    b = kappa - rho * xi * iu
    d = cmath.sqrt(b * b + xi * xi * (iu + u * u))
    g = (b - d) / (b + d)
    fall = cmath.exp(-d * T)
    steady = (b - d) * T - 2.0 * cmath.log((1.0 - g * fall) / (1.0 - g))
    variance = (b - d) / (xi * xi) * (1.0 - fall) / (1.0 - g * fall)
    mean = math.exp(jump + 0.5 * spread * spread) - 1.0
    jumps = cmath.exp(iu * jump - 0.5 * spread * spread * u * u) - 1.0 - iu * mean
    return kappa * theta / (xi * xi) * steady + v0 * variance + lam * T * jumps


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
    """Value of a European option; absolute error about 1e-12 of the forward.

    v0 variance now, kappa its pull a year towards theta, xi its volatility, rho its correlation
    with the price; lam jumps a year of log size N(jump, spread**2). Integrated panel by panel until
    what is left is below 1e-16, narrow panels first, where 1/(u**2 + 1/4) bends.
    """
    x = math.log(F / K)
    total = max(v0, theta, 1e-8) * T + lam * T * (jump * jump + spread * spread)
    widest = min(max(2.0 / math.sqrt(total), 0.5), 50.0, 6.0 / max(abs(x), 1e-3))
    start, width, value, quiet = 0.0, min(0.5, widest), 0.0, 0
    for _ in range(4000):
        panel = 0.0
        for node in range(len(GAUSS_NODES)):
            u = start + width * GAUSS_NODES[node]
            log_phi = _log_transform(
                u - 0.5j, T, v0, kappa, theta, xi, rho, lam, jump, spread
            ) + complex(0.0, u * x)
            panel += GAUSS_WEIGHTS[node] * cmath.exp(log_phi).real / (u * u + 0.25)
        value += panel * width
        start += width
        width = min(1.5 * width, widest)
        quiet = quiet + 1 if abs(panel * width) < 1e-16 else 0
        if quiet == 3:
            break
    call = F - math.sqrt(F * K) / math.pi * value
    call = min(max(call, F - K, 0.0), F)
    return df * (call if sign > 0.0 else max(call - F + K, 0.0))


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
    chance, counted, value = math.exp(-lam * T), 0.0, 0.0
    for jumps in range(400):
        level = F * math.exp(-lam * mean * T + jumps * (jump + 0.5 * spread * spread))
        deviation = math.sqrt(sigma * sigma * T + jumps * spread * spread)
        value += chance * black76(sign, level, K, deviation, 1.0, df)
        counted += chance
        if 1.0 - counted < 1e-16 and jumps > lam * T:
            break
        chance *= lam * T / (jumps + 1.0)
    return value
