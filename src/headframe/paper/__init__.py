"""The simulated street: dealers with habits and a server that speaks Deribit's Block RFQ on loopback."""

from headframe.paper.memory import StreetMemory
from headframe.paper.server import StreetServer
from headframe.paper.street import Street

__all__ = ["Street", "StreetMemory", "StreetServer"]
