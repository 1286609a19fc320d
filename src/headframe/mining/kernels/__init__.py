"""The machine code of the production forecast: numbers in, numbers out."""

from headframe.mining.kernels.coins import simulate_coins
from headframe.mining.kernels.periods import START
from headframe.mining.kernels.prices import lognormal_paths

__all__ = ["START", "lognormal_paths", "simulate_coins"]
