"""Deribit's Block RFQ, and hosts that serve the same API, from the taker's side."""

from headframe.venue.deribit.client import JsonRpcClient
from headframe.venue.deribit.venue import DeribitVenue

__all__ = ["DeribitVenue", "JsonRpcClient"]
