"""One expiry as a mixture of log-normals: the density is a density whatever the parameters.

A call on the forward 1 at strike k is worth sum w_j (m_j phi(d1_j) - k phi(d2_j)) with weights that
sum to one and means whose weighted sum is one: convex and falling in k, between (1 - k)+ and 1
(Brigo and Mercurio, "Displaced and mixture diffusions for analytically-tractable smile models",
Mathematical Finance Bachelier Congress 2000 (2002) 151-174).
"""

import math
from collections.abc import Sequence

from headframe.numerics import Array, compiled, np, phi, scalar
from headframe.pricing.kernels.european import otm_value

_INSIDE, _SLOPE_INSIDE, _FAR = 0.6, 0.25, 4.0


@scalar
def mixture_otm(
    k: float, weights: Sequence[float], means: Sequence[float], deviations: Sequence[float]
) -> float:
    """Out-of-the-money value at strike k on a forward of 1: the put below it, the call above.

    Accurate relative to itself far into the wings: nothing cancels.
    """
    value = 0.0
    for j in range(len(weights)):
        m = means[j]
        part = otm_value(m, k, deviations[j])
        if k < 1.0 and k > m:
            part += k - m
        elif k >= 1.0 and k < m:
            part += m - k
        value += weights[j] * part
    return value


@compiled
def unpacked(x: Array, weights: Array, means: Array, deviations: Array) -> None:
    """Weights, means and deviations of the free parameters x (3J - 1): logits, log means, logs.

    The last of x is the shift of the log forward.
    """
    count = weights.size
    top = 0.0
    for j in range(1, count):
        top = max(top, x[j - 1])
    total = 0.0
    for j in range(count):
        weights[j] = math.exp((x[j - 1] if j > 0 else 0.0) - top)
        total += weights[j]
    mean = 0.0
    for j in range(count):
        weights[j] /= total
        means[j] = math.exp(x[count - 2 + j] if j > 0 else 0.0)
        deviations[j] = math.exp(x[2 * count - 2 + j])
        mean += weights[j] * means[j]
    for j in range(count):
        means[j] /= mean


@compiled
def _call(k: float, weights: Array, means: Array, deviations: Array, slopes: Array) -> float:
    """Call at strike k on a forward of 1, and its slopes by x (the last by k)."""
    count = weights.size
    value, by_strike = 0.0, 0.0
    for index in range(slopes.size):
        slopes[index] = 0.0
    by_level = 0.0
    for j in range(count):
        m, s, w = means[j], deviations[j], weights[j]
        d1 = math.log(m / k) / s + 0.5 * s
        up, down = phi(d1), phi(d1 - s)
        one = m * up - k * down
        value += w * one
        by_strike -= w * down
        by_level += w * m * up
        slopes[2 * count - 2 + j] = w * m * 0.3989422804014327 * math.exp(-0.5 * d1 * d1) * s
        if j > 0:
            slopes[j - 1] += w * one
            slopes[count - 2 + j] += w * m * up
    for j in range(1, count):
        w, m = weights[j], means[j]
        slopes[j - 1] -= w * value + by_level * w * (m - 1.0)
        slopes[count - 2 + j] -= by_level * w * m
    slopes[slopes.size - 1] = by_strike
    return value


@compiled
def _bent(r: float) -> tuple[float, float]:
    """What a distance from mid in half spreads counts, and its slope: little inside, less far out."""
    size, sign = abs(r), (1.0 if r >= 0.0 else -1.0)
    if size <= _INSIDE:
        return _SLOPE_INSIDE * r, _SLOPE_INSIDE
    if size <= _FAR:
        return sign * (_SLOPE_INSIDE * _INSIDE + size - _INSIDE), 1.0
    most = _SLOPE_INSIDE * _INSIDE + _FAR - _INSIDE
    return sign * (most + 0.3 * (size - _FAR)), 0.3


@compiled
def _residuals(
    x: Array,
    quotes: Array,
    grid: Array,
    floor: Array,
    prior: Array,
    pull: Array,
    r: Array,
    jacobian: Array,
    parts: Array,
) -> float:
    """Half the sum of squares of everything that is wrong with x, with the Jacobian."""
    free, rows = x.size, quotes.shape[0]
    weights, means, deviations = parts[0], parts[1], parts[2]
    unpacked(x, weights, means, deviations)
    slopes = np.empty(free)
    shift = math.exp(-x[free - 1])
    for row in range(rows):
        k = quotes[row, 0] * shift
        value = _call(k, weights, means, deviations, slopes)
        by_strike = slopes[free - 1]
        if quotes[row, 1] < 0.0:
            value += k - 1.0
            by_strike += 1.0
        distance = (value - quotes[row, 2]) / quotes[row, 3]
        r[row], slope = _bent(distance)
        r[row] *= quotes[row, 4]
        slope *= quotes[row, 4] / quotes[row, 3]
        for column in range(free - 1):
            jacobian[row, column] = slope * slopes[column]
        jacobian[row, free - 1] = -slope * by_strike * k
    for node in range(grid.size):
        row = rows + node
        value = _call(grid[node], weights, means, deviations, slopes)
        lacking = floor[node] - value
        r[row] = 0.0
        for column in range(free):
            jacobian[row, column] = 0.0
        if lacking > 0.0:
            scale = 2e4
            r[row] = scale * lacking
            for column in range(free - 1):
                jacobian[row, column] = -scale * slopes[column]
    for column in range(free):
        row = rows + grid.size + column
        for other in range(free):
            jacobian[row, other] = 0.0
        r[row] = pull[column] * (x[column] - prior[column])
        jacobian[row, column] = pull[column]
    total = 0.0
    for row in range(r.size):
        total += r[row] * r[row]
    return 0.5 * total


@compiled
def _solved(normal: Array, right: Array, out: Array) -> bool:
    """Solve a symmetric positive system by Cholesky, in place; False where it is not one."""
    count = right.size
    for i in range(count):
        for j in range(i + 1):
            total = normal[i, j]
            for k in range(j):
                total -= normal[i, k] * normal[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                normal[i, i] = math.sqrt(total)
            else:
                normal[i, j] = total / normal[j, j]
    for i in range(count):
        total = right[i]
        for k in range(i):
            total -= normal[i, k] * out[k]
        out[i] = total / normal[i, i]
    for i in range(count - 1, -1, -1):
        total = out[i]
        for k in range(i + 1, count):
            total -= normal[k, i] * out[k]
        out[i] = total / normal[i, i]
    return True


@compiled
def fit_mixture(
    quotes: Array, grid: Array, floor: Array, prior: Array, pull: Array, x: Array, parts: Array
) -> float:
    """Levenberg and Marquardt from x to a mixture inside the quotes; returns what is left wrong.

    Args:
        quotes: (quotes, 5): strike over forward, +1 call or -1 put, mid and half spread in forwards,
            weight.
        grid: (nodes,) strikes over forward at which ``floor`` (the earlier expiry's calls) must be
            reached.
        prior, pull: (3J - 1,) where each parameter is drawn to, and how strongly.
        x: start in, best found out. parts: (3, J) its weights, means, deviations.
    """
    free = x.size
    rows = quotes.shape[0] + grid.size + free
    r, jacobian = np.empty(rows), np.empty((rows, free))
    r_new, jacobian_new = np.empty(rows), np.empty((rows, free))
    cost = _residuals(x, quotes, grid, floor, prior, pull, r, jacobian, parts)
    damping = 1e-2
    normal, right, step = np.empty((free, free)), np.empty(free), np.empty(free)
    tried = np.empty(free)
    for _ in range(80):
        for i in range(free):
            total = 0.0
            for row in range(rows):
                total -= jacobian[row, i] * r[row]
            right[i] = total
        gained, found = False, cost
        for _ in range(8):
            for i in range(free):
                for j in range(i + 1):
                    total = 0.0
                    for row in range(rows):
                        total += jacobian[row, i] * jacobian[row, j]
                    normal[i, j] = total
                normal[i, i] = normal[i, i] * (1.0 + damping) + 1e-9
            if not _solved(normal, right, step):
                damping *= 8.0
                continue
            for i in range(free):
                tried[i] = x[i] + min(max(step[i], -0.7), 0.7)
            found = _residuals(tried, quotes, grid, floor, prior, pull, r_new, jacobian_new, parts)
            if found < cost:
                gained = True
                break
            damping *= 8.0
        if not gained:
            break
        better = cost - found
        cost = found
        damping = max(damping * 0.2, 1e-9)
        x[:] = tried
        r, r_new = r_new, r
        jacobian, jacobian_new = jacobian_new, jacobian
        if better < 1e-7 * cost + 1e-12:
            break
    unpacked(x, parts[0], parts[1], parts[2])
    return cost


@compiled
def mixture_calls(strikes: Array, parts: Array, out: Array) -> None:
    """Fill calls on a forward of 1; parts is (3, J): weights, means, deviations."""
    slopes = np.empty(3 * parts.shape[1] - 1)
    for index in range(strikes.size):
        out[index] = _call(strikes[index], parts[0], parts[1], parts[2], slopes)
