"""The simulated street: dealers with habits, a lit book, and a server that speaks Deribit's protocol."""

from headframe.paper.exchange import Exchange
from headframe.paper.memory import StreetMemory
from headframe.paper.pace import PacedClock
from headframe.paper.server import StreetServer
from headframe.paper.street import Street
from headframe.paper.world import Fees, World

__all__ = [
    "Exchange",
    "Fees",
    "PacedClock",
    "Street",
    "StreetMemory",
    "StreetServer",
    "World",
]
