"""Places we trade. Each has a client (bytes), a parser (bytes to values, pure) and a venue (the port)."""

from headframe.venue.clocks import SKEW_SECONDS, FollowedClock, SystemClock
from headframe.venue.deribit import (
    Client,
    DeribitAccount,
    DeribitBook,
    DeribitRecords,
    DeribitVenue,
    HttpClient,
    JsonRpcClient,
    VenueError,
)
from headframe.venue.keys import Credentials, refuse_withdrawal, secret_from
from headframe.venue.voice import Said, Spoken, VoiceVenue

__all__ = [
    "SKEW_SECONDS",
    "Client",
    "Credentials",
    "DeribitAccount",
    "DeribitBook",
    "DeribitRecords",
    "DeribitVenue",
    "FollowedClock",
    "HttpClient",
    "JsonRpcClient",
    "Said",
    "Spoken",
    "SystemClock",
    "VenueError",
    "VoiceVenue",
    "refuse_withdrawal",
    "secret_from",
]
