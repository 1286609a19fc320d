"""Deribit, and hosts that serve the same API, from the taker's side."""

from headframe.venue.deribit.account import (
    AccountThere,
    DeribitAccount,
    HeldThere,
    Minimums,
    OrderThere,
)
from headframe.venue.deribit.book import DeribitBook
from headframe.venue.deribit.client import Client, HttpClient, JsonRpcClient
from headframe.venue.deribit.errors import VenueError, error_of
from headframe.venue.deribit.records import DeribitRecords, TradeThere, TransactionThere
from headframe.venue.deribit.venue import DeribitVenue

__all__ = [
    "AccountThere",
    "Client",
    "DeribitAccount",
    "DeribitBook",
    "DeribitRecords",
    "DeribitVenue",
    "HeldThere",
    "HttpClient",
    "JsonRpcClient",
    "Minimums",
    "OrderThere",
    "TradeThere",
    "TransactionThere",
    "VenueError",
    "error_of",
]
