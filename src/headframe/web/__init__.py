"""The desk as a service: one process that keeps trading alive, spoken to over HTTP on loopback."""

from headframe.web.app import application
from headframe.web.client import DeskClient, desk_at
from headframe.web.run import serve
from headframe.web.service import Service

__all__ = ["DeskClient", "Service", "application", "desk_at", "serve"]
