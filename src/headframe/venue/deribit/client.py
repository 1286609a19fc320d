"""JSON-RPC 2.0 with the venue, over one WebSocket or over HTTP; nothing is ever retried."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any, Protocol, Self, cast
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from headframe.codec import load_exact
from headframe.desk.ports import Broken, Malformed, Refused, Unreachable
from headframe.venue.deribit.errors import error_of
from headframe.venue.deribit.parse import table
from headframe.venue.keys import Credentials, refuse_withdrawal

Json = dict[str, Any]
LARGEST_FRAME = 32_768
HEARTBEAT_SECONDS = 30
_CALLS_PER_SECOND, _BURST = 20.0, 80.0
"""Half of what the venue's credits allow: 500 credits a call, 10,000 a second, 50,000 at once."""


class Client(Protocol):
    """A signed-in way to call the venue."""

    on_notification: Callable[[Json], None]
    hears: bool
    """Whether notifications come by themselves."""
    scope: str
    """What the key may do."""

    @property
    def key_id(self) -> str:
        """Whose key it is."""
        ...

    async def call(self, method: str, **params: object) -> object:
        """The result of one call; VenueError when refused, Unreachable when no answer came."""
        ...


class _Pace:
    """Calls no faster than the venue allows."""

    def __init__(self) -> None:
        self._credit, self._at = _BURST, time.monotonic()

    async def wait(self) -> None:
        """Return when one more call is within the limits."""
        now = time.monotonic()
        self._credit = min(_BURST, self._credit + (now - self._at) * _CALLS_PER_SECOND) - 1.0
        self._at = now
        if self._credit < 0.0:
            await asyncio.sleep(-self._credit / _CALLS_PER_SECOND)


class JsonRpcClient:
    """One connection. Every failure to get an answer is Unreachable: the outcome may be unknown."""

    hears = True

    def __init__(
        self, url: str, credentials: Credentials, *, timeout_seconds: float = 10.0
    ) -> None:
        self._url = url
        self._credentials = credentials
        self._timeout = timeout_seconds
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._connection: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._pace = _Pace()
        self.on_notification: Callable[[Json], None] = lambda _: None
        self.scope = ""

    @property
    def key_id(self) -> str:
        """Whose key it is."""
        return self._credentials.client_id

    async def __aenter__(self) -> Self:
        try:
            self._connection = await connect(
                self._url, max_size=1 << 22, open_timeout=self._timeout
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise Unreachable(f"cannot reach the venue at {self._url}: {error}") from error
        self._tasks.append(asyncio.create_task(self._read()))
        try:
            await self._sign_in()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _sign_in(self) -> None:
        asked = self._credentials.request(int(time.time() * 1000), secrets.token_hex(8))
        granted = table(await self.call("public/auth", **asked), "token")
        self.scope = str(granted.get("scope", ""))
        refuse_withdrawal(self.scope)
        with suppress(Refused):  # a host without heartbeats is spoken to without
            await self.call("public/set_heartbeat", interval=HEARTBEAT_SECONDS)
        with suppress(Refused):
            await self.call("private/enable_cancel_on_disconnect", scope="connection")
        self._tasks.append(asyncio.create_task(self._renew(granted)))

    async def _renew(self, granted: Json) -> None:
        """Ask for a new token before the old one ends."""
        while True:
            seconds, token = granted.get("expires_in"), granted.get("refresh_token")
            if not isinstance(seconds, int | float) or not isinstance(token, str):
                return
            await asyncio.sleep(max(0.8 * seconds, 1.0))
            try:
                answer = await self.call(
                    "public/auth", grant_type="refresh_token", refresh_token=token
                )
                granted = table(answer, "token")
            except Broken:
                return  # the next call says what is the matter

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        if self._connection is not None:
            await self._connection.close()

    async def call(self, method: str, **params: object) -> object:
        """The result of one call; VenueError when refused, Unreachable when no answer came."""
        if self._connection is None:
            raise Unreachable("not connected to the venue")
        await self._pace.wait()
        number = next(self._ids)
        frame = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        if len(frame) > LARGEST_FRAME:
            raise Refused(f"{method} would exceed the venue's frame of 32 kB; send fewer legs")
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await self._connection.send(frame)
            reply = await asyncio.wait_for(future, self._timeout)
        except (ConnectionClosed, TimeoutError) as error:
            raise Unreachable(f"no answer from the venue to {method}") from error
        finally:
            self._waiting.pop(number, None)
        return _result(reply, method)

    async def _read(self) -> None:
        assert self._connection is not None
        cause: Exception = Unreachable("the venue closed the connection")
        try:
            async for frame in self._connection:
                self._take(frame)
        except ConnectionClosed:
            pass
        except Malformed as error:
            cause = error
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(cause)

    def _take(self, frame: str | bytes) -> None:
        message = _message(frame)
        number = message.get("id")
        future = self._waiting.get(number) if isinstance(number, int) else None
        if future is not None and not future.done():
            future.set_result(message)
        elif message.get("method") == "heartbeat":
            self._heartbeat(message)
        elif "method" in message:
            self.on_notification(message)
        elif "error" in message and number is None:
            raise Malformed(f"the venue refused a frame: {str(message['error'])[:120]}")

    def _heartbeat(self, message: Json) -> None:
        kind = cast("Json", message.get("params") or {}).get("type")
        if kind == "test_request" and self._connection is not None:
            frame: Json = {"jsonrpc": "2.0", "id": next(self._ids), "method": "public/test"}
            self._pong = asyncio.ensure_future(self._connection.send(json.dumps(frame)))


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: a token is not carried elsewhere, and an answer from there is none."""

    def redirect_request(self, *_args: object, **_named: object) -> None:
        """None: the redirect is reported as what it is."""


class HttpClient:
    """The same calls by POST, one request each: what is left where no WebSocket comes through."""

    hears = False

    def __init__(
        self, url: str, credentials: Credentials, *, timeout_seconds: float = 10.0
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise Refused(f"a venue's HTTP address begins with http:// or https://, was {url[:60]}")
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._timeout = timeout_seconds
        self._ids = count(1)
        self._token, self._until = "", 0.0
        self._opener = build_opener(_Stay())
        self._pace = _Pace()
        self.on_notification: Callable[[Json], None] = lambda _: None
        self.scope = ""

    @property
    def key_id(self) -> str:
        """Whose key it is."""
        return self._credentials.client_id

    async def __aenter__(self) -> Self:
        await self._sign_in()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._token = ""

    async def _sign_in(self) -> None:
        asked = self._credentials.request(int(time.time() * 1000), secrets.token_hex(8))
        granted = table(await self._post("public/auth", asked), "token")
        seconds = granted.get("expires_in")
        self._token = str(granted.get("access_token", ""))
        self._until = time.monotonic() + 0.8 * (
            seconds if isinstance(seconds, int | float) else 60.0
        )
        self.scope = str(granted.get("scope", ""))
        refuse_withdrawal(self.scope)

    async def call(self, method: str, **params: object) -> object:
        """The result of one call; VenueError when refused, Unreachable when no answer came."""
        await self._pace.wait()
        if method.startswith("private/") and time.monotonic() > self._until:
            await self._sign_in()
        return await self._post(method, params)

    async def _post(self, method: str, params: Json) -> object:
        number = next(self._ids)
        frame = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        if len(frame) > LARGEST_FRAME:
            raise Refused(f"{method} would exceed the venue's frame of 32 kB; send fewer legs")
        text = await asyncio.to_thread(self._exchange, method, frame.encode())
        return _result(_message(text), method)

    def _exchange(self, method: str, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = Request(f"{self._url}/{method}", data=body, headers=headers)  # noqa: S310 - checked
        try:
            with self._opener.open(request, timeout=self._timeout) as reply:
                return bytes(reply.read(1 << 22))
        except HTTPError as error:
            with error:
                return bytes(error.read(1 << 22))
        except (URLError, OSError, ValueError) as error:
            raise Unreachable(f"no answer from the venue to {method}: {error}") from error


def _message(frame: str | bytes) -> Json:
    try:
        loaded: object = load_exact(frame)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the venue sent what is not JSON: {frame[:60]!r}") from error
    if not isinstance(loaded, dict):
        raise Malformed(f"the venue sent no object: {frame[:60]!r}")
    return cast("Json", loaded)


def _result(reply: Json, method: str) -> object:
    if "error" in reply:
        error = reply["error"]
        if not isinstance(error, dict):
            raise Malformed(f"the venue's error to {method} cannot be read")
        table = cast("Json", error)
        data = table.get("data")
        reason = cast("Json", data).get("reason", "") if isinstance(data, dict) else ""
        code = table.get("code")
        number = code if isinstance(code, int) else 0
        raise error_of(number, str(table.get("message"))[:80], str(reason)[:120])
    if "result" not in reply:
        raise Malformed(f"the venue's answer to {method} has neither result nor error")
    return cast("object", reply["result"])
