"""The arithmetic of risk: numbers in, numbers out."""

from headframe.risk.kernels.hedging import bridge, hedge_against_sales

__all__ = ["bridge", "hedge_against_sales"]
