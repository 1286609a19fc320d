"""What an instrument is worth and how that changes: curve, smile, value, greeks, zero-cost strike."""

from headframe.pricing.averaging import (
    equivalent_years,
    fixing_vols,
    mean_variance,
    term_vols,
)
from headframe.pricing.batch import price_batch, price_wholesale
from headframe.pricing.collar import (
    Snapped,
    ZeroCost,
    ZeroCostPair,
    zero_cost_call,
    zero_cost_pair,
    zero_cost_strike,
)
from headframe.pricing.curve import CurvePoint, forward_curve, parity_forward
from headframe.pricing.exotic import AverageOption, BarrierOption, Greeks, carry_and_rate
from headframe.pricing.implied import NoVolatility, implied_batch
from headframe.pricing.kernels import (
    black76,
    black76_greeks,
    heston_jumps_value,
    inverse_greeks,
    merton_value,
)
from headframe.pricing.smile import Mixture, Smile, Surface
from headframe.pricing.surface import (
    Arbitrage,
    Fit,
    Quality,
    arbitrage,
    fit_of,
    quality_of,
    surface_of,
)
from headframe.pricing.tradable import Tradable, listed_strikes, option_value, tradable

__all__ = [
    "Arbitrage",
    "AverageOption",
    "BarrierOption",
    "CurvePoint",
    "Fit",
    "Greeks",
    "Mixture",
    "NoVolatility",
    "Quality",
    "Smile",
    "Snapped",
    "Surface",
    "Tradable",
    "ZeroCost",
    "ZeroCostPair",
    "arbitrage",
    "black76",
    "black76_greeks",
    "carry_and_rate",
    "equivalent_years",
    "fit_of",
    "fixing_vols",
    "forward_curve",
    "heston_jumps_value",
    "implied_batch",
    "inverse_greeks",
    "listed_strikes",
    "mean_variance",
    "merton_value",
    "option_value",
    "parity_forward",
    "price_batch",
    "price_wholesale",
    "quality_of",
    "surface_of",
    "term_vols",
    "tradable",
    "zero_cost_call",
    "zero_cost_pair",
    "zero_cost_strike",
]
