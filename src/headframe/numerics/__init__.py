"""Numbers without meaning: compiled kernels, counter-based chance, the normal distribution."""

from headframe.numerics.chance import normals, philox_words, uniforms
from headframe.numerics.compiled import Array, compiled, np, scalar
from headframe.numerics.normal import density, mills, phi, quantile
from headframe.numerics.reduction import quantiles, sorted_columns

__all__ = [
    "Array",
    "compiled",
    "density",
    "mills",
    "normals",
    "np",
    "phi",
    "philox_words",
    "quantile",
    "quantiles",
    "scalar",
    "sorted_columns",
    "uniforms",
]
