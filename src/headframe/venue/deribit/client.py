"""JSON-RPC 2.0 over one WebSocket: requests matched by id, notifications handed on, nothing retried."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any, Self, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from headframe.desk.ports import Malformed, Refused, Unreachable

Json = dict[str, Any]
LARGEST_FRAME = 32_768
ADVICE = {
    10009: "not enough funds at the venue: move collateral there first",
    10020: "the venue does not trade this instrument",
    10021: "the size is below the venue's least block or not in whole ratios",
    10028: "too many requests: the venue ends the session; wait before asking again",
    10041: "the venue settles (about 08:00 UTC): ask again in a minute",
    11029: "the venue does not accept these arguments together",
    11044: "the request is no longer open",
    11051: "the venue is under maintenance",
    13004: "the credentials are wrong",
    13009: "the session is not signed in, or its scope lacks block_rfq:read_write",
    13021: "the key's scope lacks what this needs",
}


class VenueError(Refused):
    """The venue's own refusal, with its code."""

    def __init__(self, code: int, message: str, reason: str) -> None:
        advice = f" ({ADVICE[code]})" if code in ADVICE else ""
        detail = f": {reason}" if reason else ""
        super().__init__(f"the venue refused with {code} {message}{detail}{advice}")
        self.code = code
        self.message = message


class JsonRpcClient:
    """One connection. Every failure to get an answer is Unreachable: the outcome may be unknown."""

    def __init__(
        self, url: str, *, client_id: str, client_secret: str, timeout_seconds: float = 10.0
    ) -> None:
        self._url = url
        self._credentials = (client_id, client_secret)
        self._timeout = timeout_seconds
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._connection: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self.on_notification: Callable[[Json], None] = lambda _: None

    async def __aenter__(self) -> Self:
        try:
            self._connection = await connect(
                self._url, max_size=1 << 22, open_timeout=self._timeout
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            raise Unreachable(f"cannot reach the venue at {self._url}: {error}") from error
        self._reader = asyncio.create_task(self._read())
        client_id, client_secret = self._credentials
        await self.call(
            "public/auth",
            grant_type="client_credentials",
            client_id=client_id,
            client_secret=client_secret,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader
        if self._connection is not None:
            await self._connection.close()

    async def call(self, method: str, **params: object) -> object:
        """The result of one call; VenueError when refused, Unreachable when no answer came."""
        if self._connection is None:
            raise Unreachable("not connected to the venue")
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
        try:
            loaded: object = json.loads(frame)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"the venue sent what is not JSON: {frame[:60]!r}") from error
        if not isinstance(loaded, dict):
            raise Malformed(f"the venue sent no object: {frame[:60]!r}")
        message = cast("Json", loaded)
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


def _result(reply: Json, method: str) -> object:
    if "error" in reply:
        error = reply["error"]
        if not isinstance(error, dict):
            raise Malformed(f"the venue's error to {method} cannot be read")
        table = cast("Json", error)
        data = table.get("data")
        reason = cast("Json", data).get("reason", "") if isinstance(data, dict) else ""
        code = table.get("code")
        raise VenueError(
            code if isinstance(code, int) else 0, str(table.get("message"))[:80], str(reason)[:120]
        )
    if "result" not in reply:
        raise Malformed(f"the venue's answer to {method} has neither result nor error")
    return cast("object", reply["result"])
