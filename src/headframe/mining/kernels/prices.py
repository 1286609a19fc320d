"""Prices that stand in where no scenario engine gives better."""

import math

from headframe.numerics import Array, exp, normals, np, parallel, prange

_CHUNK = 64


@parallel
def lognormal_paths(seed: int, start: float, vol: float, seconds: float, out: Array) -> None:
    """Fill (paths, points) with driftless log-normal prices: the first point is the start.

    Every path's expected price is the start: each step multiplies by exp(s z - s**2 / 2).
    """
    paths, points = out.shape
    step = vol * math.sqrt(seconds / 31_536_000.0)
    for chunk in prange((paths + _CHUNK - 1) // _CHUNK):
        row = np.empty(points)
        for path in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, paths)):
            normals(seed, 5, path, row)
            level = 0.0
            out[path, 0] = start
            for point in range(1, points):
                level += step * row[point] - 0.5 * step * step
                out[path, point] = start * exp(level)
