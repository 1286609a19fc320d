"""The arithmetic of worth: numbers in, numbers out."""

from headframe.pricing.kernels.average import average_figures, average_value
from headframe.pricing.kernels.barrier import barrier_figures, barrier_value
from headframe.pricing.kernels.characteristic import heston_jumps_value, merton_value
from headframe.pricing.kernels.european import (
    black76,
    black76_greeks,
    forward_greeks,
    inverse_greeks,
    log_ratio,
    otm_value,
    price_rows,
)
from headframe.pricing.kernels.implied import implied_deviation, implied_rows
from headframe.pricing.kernels.mixture import fit_mixture, mixture_calls, mixture_otm
from headframe.pricing.kernels.wholesale import price_delta_vega

__all__ = [
    "average_figures",
    "average_value",
    "barrier_figures",
    "barrier_value",
    "black76",
    "black76_greeks",
    "fit_mixture",
    "forward_greeks",
    "heston_jumps_value",
    "implied_deviation",
    "implied_rows",
    "inverse_greeks",
    "log_ratio",
    "merton_value",
    "mixture_calls",
    "mixture_otm",
    "otm_value",
    "price_delta_vega",
    "price_rows",
]
