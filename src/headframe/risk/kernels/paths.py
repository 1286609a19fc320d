"""Joint paths of price, variance and basis, many lanes at a time, the same bits however they are cut.

Every draw is Philox4x32-10 at the counter (path, day, stream, 0) under the key (seed). Days come in
twos: words 0 and 1 of each day make its normals of price and variance; words 2 and 3 of the first
make the basis' normals of both, and of the second whether the price jumps on the first and on the
second. Variance follows Heston's equation with jumps in price and variance (Duffie, Pan and Singleton,
Econometrica 68 (2000) 1343-1376): the variance of a day's end is drawn from a law with the exact mean and
variance, the price given both ends, and its drift is the one that keeps the mean exactly (the
quadratic-exponential scheme with martingale correction: Andersen, Journal of Computational Finance 11(3)
(2008) 1-42); a day brings a Poisson number of jumps. Or GARCH(1,1) with a bootstrap of its filtered
residuals (Barone-Adesi, Giannopoulos and Vosper, Journal of Futures Markets 19 (1999) 583-602). The
expected price of a day is its forward whatever the model, and exactly so step by step.
"""

import math

from headframe.numerics import (
    Array,
    Places,
    compiled,
    cumulative,
    exp,
    gaussian_pair,
    lane,
    log,
    lowest_bit,
    np,
    parallel,
    philox_words,
    prange,
    scalar,
)

LANES = 64
NUMBERS = 18
GARCH = 1.0
_UNIT = 2.3283064365386963e-10  # 2**-32
_WORDS = 4294967296.0  # 2**32
_DAY = 1.0 / 365.0
_LARGEST_V = 25.0
MOST_JUMPS = 6
"""Jumps of one day that are drawn."""
_LEAST_XI = 1e-3
"""Below it the variance is as good as certain, and Euler's step is exact where rho / xi would cancel."""
_SWITCH = 1.5
"""Variance over squared mean at which Andersen's scheme goes from the quadratic to the exponential law."""

# places in the array of the model
KIND, START, V0, KAPPA, THETA, XI, RHO, LAM, JUMP, SPREAD = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
VJUMP, RHO_J, OMEGA, ALPHA, BETA, BASIS_PULL, BASIS_SD, ANTITHETIC = 10, 11, 12, 13, 14, 15, 16, 17


@lane
def _words(seed: int, stream: int, day: int, path: int) -> tuple[int, int, int, int]:
    """Four words of a path on a day."""
    return philox_words(path, day, stream, 0, seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)


@scalar
def _fill_jump_words(model: Array, rare: Array) -> None:
    """Fill, for each number of jumps from 0 below the most, how many of 2**32 words bring more on a day.

    A day's jumps are Poisson of mean ``LAM``/365; a seventh, of chance 1e-8 at 100 a year, counts as a sixth.
    """
    mean = max(model[LAM], 0.0) * _DAY
    chance = exp(-mean)
    for count in range(MOST_JUMPS):
        tail, term = 0.0, chance * mean / (count + 1.0)
        for later in range(count + 1, count + 60):
            tail += term
            term *= mean / (later + 1.0)
        rare[count] = float(min(np.floor(tail * _WORDS + 0.5), _WORDS))
        chance *= mean / (count + 1.0)


@scalar
def jump_compensator(model: Array, rare: Array) -> float:
    """What the log price must lose a day so that jumps leave its mean alone."""
    mean = exp(model[JUMP] + 0.5 * model[SPREAD] * model[SPREAD])
    mean /= 1.0 - model[RHO_J] * model[VJUMP]
    total, power = 1.0, 1.0
    for count in range(MOST_JUMPS):
        total += rare[count] * _UNIT * power * (mean - 1.0)
        power *= mean
    return log(total)


@parallel
def price_paths(
    seed: int,
    first_path: int,
    model: Array,
    growth: Array,
    residuals: Array,
    moments: Array,
    days_out: Array,
) -> None:
    """Fill the prices of paths day by day, with what marks need.

    Args:
        seed, first_path: row i is path ``first_path`` + i of the seed. With ``ANTITHETIC`` paths 2k
            and 2k + 1 share one set of draws, the second with every sign turned.
        model: (18,) by the places above.
        growth: (days,) log of each day's forward over the day's before.
        residuals: (n,) filtered residuals in order, mean 0 and variance 1; moments: (m,) log of the
            mean of exp(s e) at s evenly from 0 to 0.5, as multiples of s**2/2. For GARCH only.
        days_out: (days + 1, 4, paths): price, its log over the start's, fourth root of the variance a
            year, and what the carry of forwards adds to today's.
    """
    paths, days = days_out.shape[2], days_out.shape[0] - 1
    halved, garch = model[ANTITHETIC] != 0.0, model[KIND] == GARCH
    shift = 1 if halved else 0
    rare = np.empty(MOST_JUMPS)
    _fill_jump_words(model, rare)
    compensator, diffused = jump_compensator(model, rare), model[XI] < _LEAST_XI
    pull, stray = 1.0 - model[BASIS_PULL] * _DAY, model[BASIS_SD] * math.sqrt(_DAY)
    for block in prange((paths + LANES - 1) // LANES):
        first = block * LANES
        width = min(LANES, paths - first)
        path = first_path + first
        words, z1, z2 = np.empty((8, LANES), dtype=np.int64), np.empty(LANES), np.empty(LANES)
        strays, u, root = np.empty((2, LANES)), np.empty(LANES), np.empty(LANES)
        x, v, b = np.zeros(LANES), np.full(LANES, model[V0]), np.zeros(LANES)
        for day in range(days + 1):
            for i in range(LANES):
                root[i] = math.sqrt(max(v[i], 0.0))
            last = first + width
            price, moved = days_out[day, 0, first:last], days_out[day, 1, first:last]
            level, basis = days_out[day, 2, first:last], days_out[day, 3, first:last]
            for i in range(width):
                price[i] = model[START] * exp(x[i])
            for i in range(width):
                moved[i] = x[i]
            for i in range(width):
                level[i] = math.sqrt(root[i])
            for i in range(width):
                basis[i] = b[i]
            if day == days:
                break
            turn = day % 2
            if turn == 0:
                _two_days(seed, day, path, shift, words, strays)
            one, two = words[4 * turn], words[4 * turn + 1]
            if garch:
                for i in range(LANES):
                    u[i] = (float(one[i]) + 0.5) * _UNIT
                    turned = halved and (path + i) % 2 == 1
                    u[i] = 1.0 - u[i] if turned else u[i]
                _garch_day(model, growth[day], residuals, moments, u, x, v)
            else:
                for i in range(LANES):
                    z1[i], z2[i] = gaussian_pair(one[i], two[i])
                if halved:
                    for i in range(1 - path % 2, LANES, 2):
                        z1[i], z2[i] = -z1[i], -z2[i]
                if diffused:
                    _diffused_day(model, growth[day] - compensator, z1, z2, root, x, v)
                else:
                    _heston_day(model, growth[day] - compensator, z1, z2, x, v)
            if rare[0] > 0.0:
                _jumps(model, rare, words[6 + turn], (seed, day, path, shift), x, v)
            stray_now = strays[turn]
            for i in range(LANES):
                b[i] = b[i] * pull + stray * stray_now[i]


@scalar
def _two_days(seed: int, day: int, path: int, shift: int, words: Places, strays: Array) -> None:
    """Fill the words of a day and of the next, four rows each, and the normals of their bases."""
    for i in range(LANES):
        words[0, i], words[1, i], words[2, i], words[3, i] = _words(
            seed, 40, day, (path + i) >> shift
        )
    for i in range(LANES):
        words[4, i], words[5, i], words[6, i], words[7, i] = _words(
            seed, 40, day + 1, (path + i) >> shift
        )
    for i in range(LANES):
        strays[0, i], strays[1, i] = gaussian_pair(words[2, i], words[3, i])
    if shift == 1:
        for i in range(1 - path % 2, LANES, 2):
            strays[0, i], strays[1, i] = -strays[0, i], -strays[1, i]


@scalar
def _diffused_day(
    model: Array, growth: float, z1: Array, z2: Array, sd: Array, x: Array, v: Array
) -> None:
    """One day by Euler's step, the variance's root given: of a variance that has (almost) no volatility."""
    root, across = math.sqrt(_DAY), math.sqrt(max(1.0 - model[RHO] * model[RHO], 0.0))
    kappa, theta, xi, rho = model[KAPPA] * _DAY, model[THETA], model[XI], model[RHO]
    for i in range(LANES):
        vp = max(v[i], 0.0)
        s = sd[i] * root
        x[i] = x[i] + (growth - 0.5 * vp * _DAY) + s * z1[i]
        moved = v[i] + kappa * (theta - vp) + xi * s * (rho * z1[i] + across * z2[i])
        v[i] = min(moved, _LARGEST_V)


@scalar
def _heston_day(model: Array, growth: float, z1: Array, z2: Array, x: Array, v: Array) -> None:
    """One day of Heston's variance by Andersen's quadratic-exponential law, the price's mean kept exactly.

    With m and s2 the mean and variance of tomorrow's v given today's: where s2 is below 1.5 m**2 it is
    a (b + z)**2, elsewhere nothing with some chance and exponential beyond. The log price then moves by
    K2 v' - ln E[exp(A v')] - dt (1 - rho**2) v / 4 + sqrt(dt (1 - rho**2) (v + v') / 2) z, A = K2 + dt
    (1 - rho**2) / 4, K2 = rho / xi + dt (kappa rho / xi - 1/2) / 2.
    """
    kappa, theta, xi, rho = model[KAPPA], model[THETA], model[XI], model[RHO]
    left = exp(-kappa * _DAY)
    pulled = (1.0 - left) / kappa if kappa > 1e-6 else _DAY
    base, slope = theta * kappa * pulled, xi * xi * left * pulled
    rest = 0.5 * theta * xi * xi * kappa * pulled * pulled
    across = 0.25 * _DAY * (1.0 - rho * rho)
    k2 = rho / xi + 0.5 * _DAY * (kappa * rho / xi - 0.5)
    A = k2 + across
    for i in range(LANES):
        m = max(base + v[i] * left, 1e-12)
        s2 = max(v[i] * slope + rest, 1e-30)
        psi = s2 / (m * m)
        if psi <= _SWITCH:
            t = 2.0 / psi
            b2 = t - 1.0 + math.sqrt(t * (t - 1.0))
            a = m / (1.0 + b2)
            drawn = math.sqrt(b2) + z2[i]
            end = a * drawn * drawn
            kept = A * b2 * a / (1.0 - 2.0 * A * a) - 0.5 * log(1.0 - 2.0 * A * a)
        else:
            p = (psi - 1.0) / (psi + 1.0)
            beta = (1.0 - p) / m
            above = cumulative(-z2[i])
            end = max(log((1.0 - p) / max(above, 1e-300)), 0.0) / beta
            kept = log(p + beta * (1.0 - p) / (beta - A))
        swing = math.sqrt(2.0 * across * (v[i] + end))
        x[i] = x[i] + (growth - kept - across * v[i] + k2 * end) + swing * z1[i]
        v[i] = min(end, _LARGEST_V)


@scalar
def _jumps(
    model: Array, rare: Array, words: Places, at: tuple[int, int, int, int], x: Array, v: Array
) -> None:
    """Jumps of price and variance where a word is below ``rare``; their draws are made only now."""
    seed, day, path, shift = at
    hit, bound = 0, int(rare[0])
    for i in range(LANES):
        hit |= (1 if words[i] < bound else 0) << i
    while hit != 0:
        i = lowest_bit(hit)
        hit &= hit - 1
        count = 1.0
        for more in range(1, MOST_JUMPS):
            count += 1.0 if words[i] < rare[more] else 0.0
        a, b, c, d = _words(seed, 41, day, (path + i) >> shift)
        size, _ = gaussian_pair(c, d)
        if shift == 1 and (path + i) % 2 == 1:
            size = -size
        up = 0.0
        if model[VJUMP] > 0.0:
            up -= log((float(b) + 0.5) * _UNIT)
            if count > 1.0:
                up -= log((float(a) + 0.5) * _UNIT)
            if count > 2.0:
                others = _words(seed, 42, day, (path + i) >> shift)
                for place in range(4):
                    if count > place + 2.0:
                        up -= log((float(others[place]) + 0.5) * _UNIT)
            up *= model[VJUMP]
        x[i] += count * model[JUMP] + model[RHO_J] * up + math.sqrt(count) * model[SPREAD] * size
        v[i] = min(v[i] + up, _LARGEST_V)


@scalar
def _garch_day(
    model: Array, growth: float, residuals: Array, moments: Array, u: Array, x: Array, v: Array
) -> None:
    """One day of GARCH(1,1): v is the year's variance of the return now being drawn."""
    count, knots = residuals.size, moments.size
    for i in range(LANES):
        place = min(max(u[i] * count - 0.5, 0.0), count - 1.000001)
        below = int(place)
        e = residuals[below] + (residuals[below + 1] - residuals[below]) * (place - below)
        daily = v[i] * _DAY
        s = math.sqrt(daily)
        at = min(s * 2.0, 0.999999) * (knots - 1)
        knot = int(at)
        held = (moments[knot] + (moments[knot + 1] - moments[knot]) * (at - knot)) * 0.5 * daily
        x[i] = x[i] + growth - held + s * e
        moved = 365.0 * (model[OMEGA] + daily * (model[ALPHA] * e * e + model[BETA]))
        v[i] = min(moved, _LARGEST_V)


@compiled
def garch_deviance(returns: Array, alpha: float, beta: float, residuals: Array) -> float:
    """Fill the residuals of GARCH(1,1) with the sample's own variance; returns the Gaussian deviance."""
    target = 0.0
    for index in range(returns.size):
        target += returns[index] * returns[index]
    target /= returns.size
    variance, total = target, 0.0
    for index in range(returns.size):
        r = returns[index]
        residuals[index] = r / math.sqrt(variance)
        total += log(variance) + r * r / variance
        variance = target * (1.0 - alpha - beta) + alpha * r * r + beta * variance
    return total
