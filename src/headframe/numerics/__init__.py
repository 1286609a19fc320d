"""Numbers without meaning: compiled kernels, counter-based chance, the normal distribution."""

from headframe.numerics.chance import (
    gaussian_pair,
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
    thread_count,
    threads,
)
from headframe.numerics.elementary import cumulative, exp, log, lowest_bit, sincos_turn, tail_ratio
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
    "gaussian_pair",
    "lane",
    "log",
    "lowest_bit",
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
    "thread_count",
    "threads",
    "uniforms",
]
