"""The street's server: JSON-RPC 2.0 over WebSocket on loopback, in Deribit's message shapes."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self, cast

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from headframe.paper.street import RpcError, Street

Json = dict[str, Any]
LARGEST_FRAME = 32_768
CHANNELS = ("block_rfq.taker.", "block_rfq.trades.")


class StreetServer:
    """Serves one street to any number of takers; start it with ``async with``."""

    def __init__(self, street: Street, *, client_id: str, client_secret: str) -> None:
        self.street = street
        self._credentials = (client_id, client_secret)
        self._token = f"token-{client_id}"
        self._server: Server | None = None
        self._subscribers: dict[ServerConnection, set[str]] = {}
        self._signed_in: set[ServerConnection] = set()
        street.listeners.append(self._publish)

    @property
    def url(self) -> str:
        """Where the server listens."""
        assert self._server is not None, "the server was not started"
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        return f"ws://{host}:{port}/ws/api/v2"

    async def __aenter__(self) -> Self:
        self._server = await serve(self._session, "127.0.0.1", 0, max_size=1 << 20)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self.street.listeners.remove(self._publish)

    async def _session(self, connection: ServerConnection) -> None:
        self._subscribers[connection] = set()
        with suppress(ConnectionClosed):
            async for frame in connection:
                if not await self._frame(connection, frame):
                    break
        self._subscribers.pop(connection, None)
        self._signed_in.discard(connection)

    async def _frame(self, connection: ServerConnection, frame: str | bytes) -> bool:
        """Answer one frame; False ends the session, as the venue does on an oversized one."""
        if len(frame) > LARGEST_FRAME:
            error = {"code": -32600, "message": "request entity too large"}
            await connection.send(json.dumps({"jsonrpc": "2.0", "error": error}))
            await connection.close()
            return False
        reply = self._reply(connection, frame)
        await connection.send(json.dumps(reply))
        return True

    def _reply(self, connection: ServerConnection, frame: str | bytes) -> Json:
        stamp = self.street.now_ms() * 1000
        envelope: Json = {
            "jsonrpc": "2.0",
            "testnet": True,
            "usIn": stamp,
            "usOut": stamp,
            "usDiff": 0,
        }
        try:
            call = _call(frame)
        except RpcError as error:
            return envelope | {"error": _error(error)}
        envelope["id"] = call.get("id")
        try:
            result = self._dispatch(connection, str(call.get("method")), _params(call))
        except RpcError as error:
            return envelope | {"error": _error(error)}
        except OSError as error:  # its disk is full: nothing was done, and it says so
            refused = RpcError(11051, "system_maintenance", f"no record can be kept: {error}")
            return envelope | {"error": _error(refused)}
        return envelope | {"result": result}

    def _dispatch(self, connection: ServerConnection, method: str, params: Json) -> object:
        if method in {"private/subscribe", "public/subscribe"}:
            return self._subscribe(connection, params, private=method.startswith("private"))
        if method == "public/auth":
            return self._auth(connection, params)
        handler = self._methods().get(method)
        if handler is None:
            raise RpcError(-32601, "Method not found", method[:60])
        if method.startswith("private/"):
            self._guard(connection, params)
        return handler(params)

    def _guard(self, connection: ServerConnection, params: Json) -> None:
        if connection not in self._signed_in and params.get("access_token") != self._token:
            raise RpcError(13009, "unauthorized", "sign in with public/auth")

    def _methods(self) -> dict[str, Callable[[Json], object]]:
        street = self.street
        return {
            "public/test": lambda _: {"version": "1.2.26"},
            "public/get_time": lambda _: street.now_ms(),
            "public/set_heartbeat": lambda _: "ok",
            "public/get_index_price": lambda _: {
                "index_price": street.snapshot.index,
                "estimated_delivery_price": street.snapshot.index,
            },
            "private/get_block_rfq_makers": lambda _: street.makers(),
            "private/create_block_rfq": street.create,
            "private/accept_block_rfq": street.accept,
            "private/cancel_block_rfq": street.cancel,
            "private/get_block_rfqs": self._list,
            "private/get_block_trades": self._trades,
        }

    def _auth(self, connection: ServerConnection, params: Json) -> Json:
        if params.get("grant_type") != "client_credentials":
            raise RpcError(-32602, "Invalid params", "grant_type must be client_credentials")
        if (params.get("client_id"), params.get("client_secret")) != self._credentials:
            raise RpcError(13004, "invalid_credentials")
        self._signed_in.add(connection)
        return {
            "access_token": self._token,
            "refresh_token": self._token,
            "expires_in": 900,
            "scope": "block_rfq:read_write",
            "token_type": "bearer",
            "enabled_features": [],
        }

    def _subscribe(self, connection: ServerConnection, params: Json, *, private: bool) -> list[str]:
        if private:
            self._guard(connection, params)
        channels = params.get("channels")
        if not isinstance(channels, list):
            raise RpcError(-32602, "Invalid params", "channels must be a list")
        wanted = [str(name) for name in cast("list[object]", channels)]
        known = [name for name in wanted if name.startswith(CHANNELS)]
        self._subscribers[connection].update(known)
        return known

    def _list(self, params: Json) -> Json:
        count = params.get("count", 20)
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 1000:
            raise RpcError(-32602, "Invalid params", "count must lie between 1 and 1000")
        number = params.get("block_rfq_id")
        rows = [self.street.request(number)] if number is not None else self._newest(count)
        return {"block_rfqs": [self._public(row) for row in rows], "continuation": None}

    def _newest(self, count: int) -> list[Json]:
        requests = self.street.memory.requests
        return [requests[key] for key in sorted(requests, reverse=True)[:count]]

    def _public(self, row: Json) -> Json:
        shown = self.street.shown(row)
        shown.pop("block_trade", None)
        return shown

    def _trades(self, params: Json) -> list[Json]:
        request = self.street.request(params.get("block_rfq_id"))
        return [request["block_trade"]] if "block_trade" in request else []

    async def _publish(self, request: Json) -> None:
        data = {key: value for key, value in request.items() if key != "block_trade"}
        for connection, channels in list(self._subscribers.items()):
            for channel in sorted(channels):
                if channel.startswith("block_rfq.taker."):
                    message = {
                        "jsonrpc": "2.0",
                        "method": "subscription",
                        "params": {"channel": channel, "data": data},
                    }
                    with suppress(ConnectionClosed):
                        await connection.send(json.dumps(message))
        await asyncio.sleep(0)


def _call(frame: str | bytes) -> Json:
    try:
        call: object = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise RpcError(-32700, "Parse error") from error
    if not isinstance(call, dict) or not isinstance(cast("Json", call).get("method"), str):
        raise RpcError(-32600, "Invalid Request")
    return cast("Json", call)


def _params(call: Json) -> Json:
    params: object = call.get("params") or {}
    if not isinstance(params, dict):
        raise RpcError(-32602, "Invalid params", "params must be an object")
    return cast("Json", params)


def _error(error: RpcError) -> Json:
    data = {"reason": error.reason} if error.reason else {}
    return {"code": error.code, "message": error.message, "data": data}
