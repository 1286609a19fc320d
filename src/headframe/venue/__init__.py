"""Places we trade. Each has a client (bytes), a parser (bytes to values, pure) and a venue (the port)."""

from headframe.venue.deribit import DeribitVenue, JsonRpcClient

__all__ = ["DeribitVenue", "JsonRpcClient"]
