"""Numbers without meaning: compiled kernels, counter-based chance, the normal distribution."""

from headframe.numerics.chance import normals, philox_words, poisson, uniforms
from headframe.numerics.compiled import Array, Places, compiled, np, parallel, prange, scalar
from headframe.numerics.normal import density, mills, phi, quantile
from headframe.numerics.reduction import quantiles, sorted_columns

__all__ = [
    "Array",
    "Places",
    "compiled",
    "density",
    "mills",
    "normals",
    "np",
    "parallel",
    "phi",
    "philox_words",
    "poisson",
    "prange",
    "quantile",
    "quantiles",
    "scalar",
    "sorted_columns",
    "uniforms",
]
