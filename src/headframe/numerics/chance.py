"""Chance by counter: every draw is a function of (seed, stream, path, step), never of order.

Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
(SC 2011), section 3.2. No state means that a path can be drawn alone, on any thread, again.
"""

from headframe.numerics.compiled import Array, compiled, np, scalar
from headframe.numerics.normal import quantile

_LOW = 0xFFFFFFFF
_M0 = 0xD2511F53
_M1 = 0xCD9E8D57
_W0 = 0x9E3779B9
_W1 = 0xBB67AE85
_SCALE = 1.0 / 9007199254740992.0  # 2**-53


@scalar
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


@scalar
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
