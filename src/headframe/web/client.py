"""How the commands speak to a desk that runs already."""

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from headframe.desk.ports import (
    Declined,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Pending,
    Stale,
    Stopped,
)

if TYPE_CHECKING:
    from headframe.venue import Spoken

PLACE = "desk.json"
_LOOPBACK = build_opener(ProxyHandler({}))  # whatever proxies the environment names
Json = dict[str, Any]
_KINDS: dict[int, type[Stopped]] = {
    2: Invalid,
    3: NotFound,
    4: Declined,
    5: OutcomeUnknown,
    6: Stale,
    7: Pending,
}


def desk_at(folder: Path) -> "DeskClient | None":
    """The desk that runs in a workspace, if one answers."""
    path = folder / PLACE
    try:
        url = str(json.loads(path.read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not url.startswith("http://127.0.0.1:"):
        return None
    client = DeskClient(url)
    return client if client.alive() else None


class DeskClient:
    """A running desk's HTTP API on loopback."""

    def __init__(self, url: str) -> None:
        self.url = url

    def alive(self) -> bool:
        """Whether it answers."""
        try:
            with _LOOPBACK.open(f"{self.url}/healthz", timeout=2) as reply:
                return bool(reply.status == 200)
        except (OSError, ValueError):
            return False

    def readiness(self) -> Json:
        """What /readyz says."""
        try:
            with _LOOPBACK.open(f"{self.url}/readyz", timeout=5) as reply:
                return cast("Json", json.loads(reply.read()))
        except HTTPError as error:
            with error:
                return cast("Json", json.loads(error.read()))
        except (OSError, ValueError) as error:
            raise OutcomeUnknown(f"the desk at {self.url} does not answer: {error}") from error

    def rfq(self, proposal: str, who: str, token: str | None, venue: str | None = None) -> Json:
        """Ask for quotes and wait for the outcome."""
        path = f"/api/v1/proposals/{quote(proposal, safe='')}/rfq?wait=600"
        if venue is not None:
            path += f"&venue={quote(venue, safe='')}"
        return self._acted(path, b"", who, token)

    def voice(self, proposal: str, who: str, token: str | None, spoken: "Spoken") -> Json:
        """Award on what was heard by chat or telephone, and wait for the outcome."""
        body = {
            "quotes": [
                {"dealer": one.dealer, "price": one.price, "seconds": one.seconds}
                for one in spoken.said
            ],
            "dealt": spoken.dealt,
            "nothing": spoken.nothing,
        }
        path = f"/api/v1/proposals/{quote(proposal, safe='')}/voice"
        return self._acted(path, json.dumps(body).encode(), who, token)

    def _acted(self, path: str, body: bytes, who: str, token: str | None) -> Json:
        """What an action led to; sent once, under a key made for it."""
        headers = {"Idempotency-Key": secrets.token_hex(16), "X-Headframe-User": quote(who)}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = Request(self.url + path, data=body, headers=headers, method="POST")  # noqa: S310
        try:
            with _LOOPBACK.open(request, timeout=630) as reply:
                return cast("Json", json.loads(reply.read()))
        except HTTPError as error:
            with error:
                raise _stopped(error.read()) from error
        except (URLError, OSError, ValueError) as error:
            raise OutcomeUnknown(
                f"the desk at {self.url} stopped answering: {error}; whether it asked is in the journal"
            ) from error


def _stopped(body: bytes) -> Stopped:
    try:
        problem = cast("Json", json.loads(body))
        return _KINDS.get(int(problem.get("exit", 5)), OutcomeUnknown)(str(problem.get("detail")))
    except (ValueError, TypeError):
        return OutcomeUnknown("the desk's answer cannot be read")
