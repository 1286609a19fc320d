"""The desk as a process that keeps trading alive, spoken to over HTTP on loopback."""

from headframe.web.app import application
from headframe.web.client import DeskClient, desk_at
from headframe.web.process import DeskProcess
from headframe.web.run import serve

__all__ = ["DeskClient", "DeskProcess", "application", "desk_at", "serve"]
