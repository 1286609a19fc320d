"""Chance by counter: every draw is a function of (seed, stream, path, step), never of order.

Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
(SC 2011), section 3.2. No state means that a path can be drawn alone, on any thread, again.
"""

import math

from headframe.numerics.compiled import Array, compiled, lane, np, scalar
from headframe.numerics.elementary import exp, log
from headframe.numerics.normal import CENTRAL, NEAR, quantile, quantile_central, quantile_tail

_LOW = 0xFFFFFFFF
_M0 = 0xD2511F53
_M1 = 0xCD9E8D57
_W0 = 0x9E3779B9
_W1 = 0xBB67AE85
_SCALE = 1.0 / 9007199254740992.0  # 2**-53
_WORD_BITS, _LN4 = 32.0, 1.3862943611198906


@lane
def philox_words(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> tuple[int, int, int, int]:
    """Four 32-bit words of the counter (c0..c3) under the key (k0, k1), after ten rounds."""
    a, b, c, d = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    x, y = np.uint64(k0), np.uint64(k1)
    low, shift = np.uint64(_LOW), np.uint64(32)
    for _ in range(10):
        first = np.uint64(_M0) * a
        second = np.uint64(_M1) * c
        a, b, c, d = (
            (second >> shift) ^ b ^ x,
            second & low,
            (first >> shift) ^ d ^ y,
            first & low,
        )
        x = (x + np.uint64(_W0)) & low
        y = (y + np.uint64(_W1)) & low
    return int(a), int(b), int(c), int(d)


@lane
def gaussian_pair(a: int, b: int) -> tuple[float, float]:
    """Two standard normals of two 32-bit words; their error, below 5e-11, is finer than a word's step.

    Box and Muller, Annals of Mathematical Statistics 29 (1958) 610-611: the radius is
    sqrt(-2 ln((a + 1/2) / 2**32)); thirty bits of b are an angle within an eighth of a turn of the
    axis, one changes cosine for sine, one turns both around. The polynomials are minimax ones of
    just the degrees that this asks for.
    """
    bits = np.float64(float(a) + 0.5).view(np.int64)
    power = (bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52)
    m = np.int64(bits - (power << np.int64(52))).view(np.float64)
    f = (m - 1.0) / (m + 1.0)
    q = f * f
    w = q * q
    p = -0.47234941377261913 * w + (-0.5706997131357454 * q - 0.8000077174676801)
    p = p * w + (-1.3333333048087654 * q - 4.000000000016848)
    radius = math.sqrt(p * f + (_WORD_BITS - float(power)) * _LN4)
    word = np.int64(b)
    turn = (float(word & np.int64(0x3FFFFFFF)) - 536870911.5) * 4.656612873077393e-10
    t = turn * turn
    v = t * t
    sine = 0.08099586080537165 * v + (-0.5992013579841285 * t + 2.5501626188716795)
    sine = (sine * v + (-5.167712768818087 * t + 3.1415926535755028)) * turn
    cosine = -0.02544743716085054 * t + 0.23530541257524717
    cosine = cosine * v + (-1.3352619525762226 * t + 4.058712114468917)
    cosine = cosine * v + (-4.934802200480712 * t + 0.9999999999999445)
    other = (word & np.int64(0x40000000)) != 0
    around = (word >> np.int64(31)) << np.int64(63)
    r = np.int64(np.float64(radius).view(np.int64) ^ around).view(np.float64)
    return float(r * (sine if other else cosine)), float(r * (cosine if other else sine))


@lane
def _pair(seed: int, stream: int, path: int, block: int) -> tuple[float, float]:
    key = np.uint64(seed)
    low, shift = np.uint64(_LOW), np.uint64(32)
    a, b, c, d = philox_words(path, block, stream, 0, int(key & low), int(key >> shift))
    one = (float((a >> 5) * 67108864 + (b >> 6)) + 0.5) * _SCALE
    two = (float((c >> 5) * 67108864 + (d >> 6)) + 0.5) * _SCALE
    return one, two


@compiled
def uniforms(seed: int, stream: int, path: int, out: Array) -> None:
    """Fill a row with uniforms strictly between 0 and 1 for one path of one stream."""
    for block in range((out.size + 1) // 2):
        one, two = _pair(seed, stream, path, block)
        out[2 * block] = one
        if 2 * block + 1 < out.size:
            out[2 * block + 1] = two


@compiled
def normals(seed: int, stream: int, path: int, out: Array) -> None:
    """Fill a row with standard normals for one path of one stream, by inversion."""
    uniforms(seed, stream, path, out)
    for index in range(out.size):
        out[index] = quantile(out[index])


@scalar
def normal_rows(seed: int, stream: int, first: int, out: Array) -> None:
    """Fill (draws, paths): column i is the row ``normals`` fills for path ``first`` + i, to the last bit."""
    draws = out.shape[0]
    for block in range(draws // 2):
        normal_pair(seed, stream, first, block, out[2 * block], out[2 * block + 1])
    if draws % 2 == 1:
        odd = out[draws - 1]
        normal_pair(seed, stream, first, draws // 2, odd, odd.copy())


@scalar
def normal_pair(seed: int, stream: int, first: int, block: int, one: Array, two: Array) -> None:
    """Fill two rows of ``normal_rows``: draws 2 ``block`` and the one after it of paths from ``first`` on."""
    for i in range(one.size):
        one[i], two[i] = _pair(seed, stream, first + i, block)
    if _turned(one) + _turned(two) > 0:
        for i in range(one.size):
            u, w = _pair(seed, stream, first + i, block)
            one[i], two[i] = quantile(u), quantile(w)


@scalar
def _turned(row: Array) -> int:
    """Turn uniforms into normals, all at once; returns how many lie so far out that this does not do."""
    far = 0
    for i in range(row.size):
        q = row[i] - 0.5
        r = math.sqrt(-log(row[i] if q < 0.0 else 1.0 - row[i]))
        tail = math.copysign(quantile_tail(r), q)
        row[i] = tail if abs(q) > CENTRAL else quantile_central(q)
        far += 1 if r > NEAR else 0
    return far


@scalar
def _log_factorial(count: float) -> float:
    """ln(count!): a product below 10, else Stirling's series, whose next term is below 1e-13."""
    if count < 10.0:
        product = 1.0
        for factor in range(2, int(count) + 1):
            product *= factor
        return log(product)
    z = count + 1.0
    w = 1.0 / (z * z)
    tail = (
        1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w / 1188.0)))
    ) / z
    return (z - 0.5) * log(z) - z + 0.9189385332046727 + tail


@scalar
def poisson(mean: float, seed: int, stream: int, path: int, block: int) -> int:
    """A Poisson count of any mean, exact in distribution; draws from ``block`` on, up to 64 of them.

    Below 30 by inversion, above by Hormann, "The transformed rejection method for generating
    Poisson random variables", Insurance: Mathematics and Economics 12 (1993) 39-45, algorithm PTRS.
    """
    if mean < 30.0:
        uniform, _ = _pair(seed, stream, path, block)
        chance = exp(-mean)
        count = 0
        while uniform > chance and count < 1000:
            uniform -= chance
            count += 1
            chance *= mean / count
        return count
    log_mean = log(mean)
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    height = 0.9277 - 3.6224 / (b - 2.0)
    found = int(mean)
    for attempt in range(64):
        one, two = _pair(seed, stream, path, block + attempt)
        u = one - 0.5
        us = 0.5 - abs(u)
        found = math.floor((2.0 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and two <= height:
            return found
        if found < 0 or (us < 0.013 and two > us):
            continue
        accept = log(two * inverse / (a / (us * us) + b))
        if accept <= found * log_mean - mean - _log_factorial(found):
            return found
    return max(found, 0)
