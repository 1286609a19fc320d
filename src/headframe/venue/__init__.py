"""Places we trade. Each has a client (bytes), a parser (bytes to values, pure) and a venue (the port)."""

from headframe.venue.clocks import SKEW_SECONDS, FollowedClock, SystemClock
from headframe.venue.deribit import (
    Client,
    DeribitAccount,
    DeribitVenue,
    HttpClient,
    JsonRpcClient,
    VenueError,
)
from headframe.venue.keys import Credentials, refuse_withdrawal, secret_from

__all__ = [
    "SKEW_SECONDS",
    "Client",
    "Credentials",
    "DeribitAccount",
    "DeribitVenue",
    "FollowedClock",
    "HttpClient",
    "JsonRpcClient",
    "SystemClock",
    "VenueError",
    "refuse_withdrawal",
    "secret_from",
]
