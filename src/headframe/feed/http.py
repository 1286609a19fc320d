"""Plain HTTP: one request at a time, with a limit on time and on size, and no redirects to elsewhere."""

import base64
from collections.abc import Mapping
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from headframe.desk.ports import Malformed, Refused, Unreachable
from headframe.units import Wrong

_SECONDS = 10.0
_LARGEST = 16 * 1024 * 1024


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: an answer from elsewhere is not an answer."""

    def redirect_request(self, *_args: object, **_named: object) -> None:
        """None: the redirect is reported as what it is."""


class Http:
    """A server under one base URL, http or https; a name and a password in the URL go as Basic."""

    def __init__(self, base: str, headers: Mapping[str, str] | None = None) -> None:
        try:
            parts = urlsplit(base)
            port = f":{parts.port}" if parts.port else ""
        except ValueError as error:
            raise Wrong(f"{base[:80]!r} is no URL: {error}") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Wrong(f"a URL like https://host/api was expected, was {base[:80]!r}")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._base = f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
        self._headers = {"User-Agent": "headframe", "Accept": "application/json, text/plain"}
        if parts.username:
            word = f"{parts.username}:{parts.password or ''}".encode()
            self._headers["Authorization"] = "Basic " + base64.b64encode(word).decode()
        self._headers |= headers or {}
        self._opener = build_opener(_Stay())
        self.heard: Mapping[str, str] = {}
        """The headers of the last answer."""

    def get(self, path: str) -> str:
        """The text at a path."""
        return self._read(Request(self._base + path, headers=self._headers))  # noqa: S310 - http(s) only, above

    def post(self, body: str) -> str:
        """The answer to a JSON body at the base itself; a JSON-RPC error comes with a status of 500."""
        headers = {**self._headers, "Content-Type": "application/json"}
        request = Request(self._base, data=body.encode(), headers=headers)  # noqa: S310 - http(s) only
        return self._read(request, errors_speak=True)

    def _read(self, request: Request, *, errors_speak: bool = False) -> str:
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                said = _text(answer.read(_LARGEST + 1))
                self.heard = dict(answer.headers.items())
                return said
        except HTTPError as error:
            with error:
                said = error.read(_LARGEST).decode(errors="replace")
            if errors_speak and error.code == 500 and said.lstrip().startswith("{"):
                return said
            raise Refused(
                f"{self._base} answered {error.code}: {said[:200].strip() or error.reason}"
            ) from error
        except (URLError, OSError, ValueError) as error:
            raise Unreachable(f"{self._base} cannot be reached: {error}") from error


def _text(found: bytes) -> str:
    if len(found) > _LARGEST:
        raise Malformed("the answer is over 16 MiB")
    try:
        return found.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"the answer is no text: {error}") from error
