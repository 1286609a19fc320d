"""Alerts by webhook: signed, to public addresses alone, never redirected.

An address is looked up once, every answer must be a public one, and the connection goes to exactly the
address that was checked: a name that points inside, or that changes between the look and the call, cannot
turn the desk against its own network. ``inside`` allows a receiver of one's own network by name.
"""

import hmac
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from headframe.desk.ports import Refused, Unreachable

Json = dict[str, Any]
_SECONDS = 5
_LARGEST_ANSWER = 65_536


def signature(secret: str, stamp: str, body: bytes) -> str:
    """What a receiver recomputes: HMAC-SHA256 of the time stamp, a full stop and the body."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRoute:
    """One receiver; the secret does not show."""

    name: str
    url: str
    secret: str = field(repr=False)
    clock: Callable[[], float]
    inside: bool = False

    def send(self, told: Json) -> None:
        """POST it, signed; taken where the receiver answers 2xx."""
        parts = urlsplit(self.url)
        host, tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if tls else 80)
        body = json.dumps(told, separators=(",", ":"), sort_keys=True).encode()
        stamp = str(int(self.clock()))
        headers = {
            "Content-Type": "application/json",
            "X-Headframe-Key": str(told["key"]),
            "X-Headframe-Timestamp": stamp,
            "X-Headframe-Signature": f"sha256={signature(self.secret, stamp, body)}",
        }
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line = self._line(host, port, tls=tls)
        try:
            line.request("POST", path, body, headers)
            answer = line.getresponse()
            answer.read(_LARGEST_ANSWER)
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{host} did not take it: {error}") from error
        finally:
            line.close()
        if not 200 <= answer.status < 300:
            raise Refused(f"{host} answered {answer.status}")

    def _line(self, host: str, port: int, *, tls: bool) -> HTTPConnection:
        """A connection to the address that was checked, under the receiver's own name."""
        address = self._address(host, port)
        try:
            plain = socket.create_connection((address, port), timeout=_SECONDS)
        except OSError as error:
            raise Unreachable(f"{host} cannot be reached: {error}") from error
        line = HTTPSConnection(host, port) if tls else HTTPConnection(host, port)
        try:
            context = ssl.create_default_context()
            line.sock = context.wrap_socket(plain, server_hostname=host) if tls else plain
        except OSError as error:
            plain.close()
            raise Unreachable(f"{host} cannot be trusted: {error}") from error
        return line

    def _address(self, host: str, port: int) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unreachable(f"{host} cannot be found: {error}") from error
        addresses = [str(one[4][0]) for one in found]
        closed = [one for one in addresses if not ip_address(one.partition("%")[0]).is_global]
        if closed and not self.inside:
            raise Refused(
                f"{host} lies inside a network ({closed[0]}): alerts go to public addresses; set inside = "
                "true for a receiver of your own"
            )
        return addresses[0]
