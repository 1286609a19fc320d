"""Numbers without meaning: compiled kernels, counter-based chance, the normal distribution."""

from headframe.numerics.chance import (
    normal_pair,
    normal_rows,
    normals,
    philox_words,
    poisson,
    uniforms,
)
from headframe.numerics.compiled import (
    Array,
    Places,
    Singles,
    compiled,
    lane,
    np,
    parallel,
    prange,
    scalar,
    threads,
)
from headframe.numerics.elementary import cumulative, exp, log, sincos_turn, tail_ratio
from headframe.numerics.normal import density, mills, phi, quantile
from headframe.numerics.reduction import column_quantiles, quantiles

__all__ = [
    "Array",
    "Places",
    "Singles",
    "column_quantiles",
    "compiled",
    "cumulative",
    "density",
    "exp",
    "lane",
    "log",
    "mills",
    "normal_pair",
    "normal_rows",
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
    "sincos_turn",
    "tail_ratio",
    "threads",
    "uniforms",
]
