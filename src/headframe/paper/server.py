"""The street's server on loopback: JSON-RPC 2.0 over HTTP (root POST, method path, GET query) and WebSocket.

Served at ``/api/v2`` and ``/ws/api/v2``. A frame or body above 32 kB is refused without an id and ends
the connection, as the venue does.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Self, cast
from urllib.parse import parse_qsl

import uvicorn

from headframe.desk.ports import Invalid
from headframe.paper.exchange import Exchange
from headframe.paper.rpc import Json, RpcError
from headframe.paper.session import Session

LARGEST_FRAME = 32_768
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class _Quiet(uvicorn.Server):
    """A server that leaves the program's signals alone."""

    def install_signal_handlers(self) -> None:
        """None are installed."""

    async def run_on(self, listening: socket.socket) -> None:
        """Serve until told to end."""
        await self._serve([listening])


class StreetServer:
    """Serves one exchange to any number of callers; start it with ``async with``."""

    def __init__(self, exchange: Exchange, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.exchange = exchange
        self._host, self._port = host, port
        self._server: _Quiet | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self._host}:{self._port}"

    @property
    def url(self) -> str:
        """Where the WebSocket listens."""
        return f"ws://{self.address}/ws/api/v2"

    async def __aenter__(self) -> Self:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((self._host, self._port))
        except OSError as error:
            listening.close()
            raise Invalid(
                f"port {self._port} cannot be listened on: {error.strerror}; name another"
            ) from error
        self._port = int(listening.getsockname()[1])
        config = uvicorn.Config(
            self.application,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            ws="websockets-sansio",
            ws_max_size=1 << 20,
            ws_ping_interval=None,
            timeout_graceful_shutdown=2,
        )
        self._server = _Quiet(config)
        self._task = asyncio.create_task(self._server.run_on(listening))
        listening.listen(128)  # callers may come before the server has looked
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            with suppress(asyncio.CancelledError):
                await self._task

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP request or one WebSocket."""
        path = str(scope["path"])
        if scope["type"] == "websocket":
            if path.rstrip("/") != "/ws/api/v2":
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._socket(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    # ---- WebSocket ----------------------------------------------------------
    async def _socket(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})

        async def say(text: str) -> None:
            with suppress(RuntimeError, OSError):
                await send({"type": "websocket.send", "text": text})

        session = Session(send=say)
        self.exchange.sessions.open.add(session)
        pulse: asyncio.Task[None] | None = None
        try:
            while (frame := _frame(await receive())) is not None and not session.closed:
                code = await self._frame(session, say, frame)
                if code:
                    await send({"type": "websocket.close", "code": code})
                    break
                if session.heartbeat and pulse is None:
                    pulse = asyncio.create_task(self._pulse(session, send))
        finally:
            session.closed = True
            if pulse is not None:
                pulse.cancel()
            self.exchange.left(session)
            await self.exchange.settle()

    async def _frame(
        self, session: Session, say: Callable[[str], Awaitable[None]], frame: str
    ) -> int:
        """Answer one frame; the code the session ends with, 0 where it goes on."""
        session.spoken = True
        if len(frame.encode("utf-8", "replace")) > LARGEST_FRAME:
            error = {"code": -32600, "message": "request entity too large"}
            await say(json.dumps({"jsonrpc": "2.0", "error": error}))
            return 1009
        reply, _ = await self.answer(session, frame)
        await say(json.dumps(reply))
        await self.exchange.settle()
        return 1000 if session.closed or _ends(reply) else 0

    async def _pulse(self, session: Session, send: Send) -> None:
        """The heart of one connection: ask the silent to speak, close on those who do not."""
        while not session.closed:
            await asyncio.sleep(session.heartbeat or 1.0)
            if session.heartbeat <= 0.0:
                continue
            if session.awaiting and not session.spoken:
                await send({"type": "websocket.close", "code": 4000, "reason": "heartbeat close"})
                session.closed = True
                return
            kind = "heartbeat" if session.spoken else "test_request"
            session.awaiting, session.spoken = kind == "test_request", False
            message = {"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": kind}}
            if session.send is not None:
                await session.send(json.dumps(message))

    # ---- HTTP ---------------------------------------------------------------
    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            body += cast("bytes", event.get("body", b""))
            if len(body) > LARGEST_FRAME:
                error = {"code": -32600, "message": "request entity too large"}
                await _respond(send, 413, {"jsonrpc": "2.0", "error": error})
                return
            if not event.get("more_body"):
                break
        path = str(scope["path"])
        if not path.startswith("/api/v2"):
            await _respond(send, 404, {"error": "not found"})
            return
        method = path.removeprefix("/api/v2").strip("/")
        text = _as_frame(scope, method, body.decode("utf-8", "replace"))
        session = Session()
        try:
            self._sign_in(scope, session, body.decode("utf-8", "replace"))
        except RpcError as error:
            reply = self._envelope() | {"error": error.shown()}
            await _respond(send, 401 if error.code in {13009, 13004} else 400, reply)
            return
        reply, code = await self.answer(session, text, method)
        await _respond(send, code, reply)
        await self.exchange.settle()

    def _sign_in(self, scope: Scope, session: Session, body: str) -> None:
        headers = {key.decode("latin1").lower(): value for key, value in scope["headers"]}
        header = headers.get("authorization")
        if header is None:
            return
        query = bytes(scope.get("query_string", b"")).decode("latin1")
        raw = bytes(scope.get("raw_path") or str(scope["path"]).encode()).decode("latin1")
        uri = raw + (f"?{query}" if query else "")
        account, granted = self.exchange.accounts.by_header(
            header.decode("latin1"), str(scope["method"]), uri, body
        )
        session.account, session.scope = account, granted

    # ---- both ---------------------------------------------------------------
    def _envelope(self) -> Json:
        stamp = self.exchange.world.now_ms() * 1000
        return {
            "jsonrpc": "2.0",
            "testnet": True,
            "usIn": stamp,
            "usOut": stamp,
            "usDiff": 0,
        }

    async def answer(self, session: Session, frame: str, path: str = "") -> tuple[Json, int]:
        """The reply to one frame, and the HTTP status it would travel under."""
        envelope = self._envelope()
        try:
            call = _call(frame, path)
        except RpcError as error:
            return envelope | {"error": error.shown()}, 400
        if "id" in call:
            envelope["id"] = call["id"]
        try:
            session.spend(asyncio.get_running_loop().time())
            result = await self.exchange.call(session, str(call["method"]), _params(call))
        except RpcError as error:
            unsigned = {13009, 13004}
            return envelope | {"error": error.shown()}, 401 if error.code in unsigned else 400
        except OSError as error:  # its disk is full: nothing was done, and it says so
            refused = RpcError(11051, "system_maintenance", f"no record can be kept: {error}")
            return envelope | {"error": refused.shown()}, 500
        except Exception as error:  # noqa: BLE001 - one caller's trouble is not another's
            sys.stderr.write(f"headframe paper: {call['method']}: {error!r}\n")
            wrong = RpcError(-32603, "Internal error")
            return envelope | {"error": wrong.shown()}, 500
        return envelope | {"result": result}, 200


def _frame(event: dict[str, Any]) -> str | None:
    """The text of a frame, or None where the caller has gone."""
    if event["type"] == "websocket.disconnect":
        return None
    text: str | None = event.get("text")
    return text if text is not None else bytes(event.get("bytes") or b"").decode("utf-8", "replace")


async def _respond(send: Send, code: int, reply: Json) -> None:
    body = json.dumps(reply).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _as_frame(scope: Scope, method: str, body: str) -> str:
    """An HTTP request as a frame: a body as it is, a query as parameters."""
    if scope["method"] == "POST" or body:
        return body
    pairs = parse_qsl(
        bytes(scope.get("query_string", b"")).decode("latin1"), keep_blank_values=True
    )
    return json.dumps({"jsonrpc": "2.0", "id": None, "method": method, "params": dict(pairs)})


def _call(frame: str, path: str) -> Json:
    try:
        call: object = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise RpcError(-32700, "Parse error") from error
    if not isinstance(call, dict):
        raise RpcError(-32600, "Invalid Request")
    found = cast("Json", call)
    if not isinstance(found.get("method"), str):
        if path:  # the venue wants the method in the body too, as observed live
            raise RpcError(11050, "bad_request", "the body must name its method")
        raise RpcError(-32600, "Invalid Request")
    return found


def _params(call: Json) -> Json:
    params: object = call.get("params") or {}
    if not isinstance(params, dict):
        raise RpcError(-32602, "Invalid params", "params must be an object")
    return cast("Json", params)


def _ends(reply: Json) -> bool:
    """Whether the venue ends the session after this answer."""
    error: object = reply.get("error")
    return isinstance(error, dict) and cast("Json", error).get("code") == 10028
