"""Headframe hedges the future production of a proof-of-work mine, from mandate to settlement."""

__version__ = "0.1.0"
