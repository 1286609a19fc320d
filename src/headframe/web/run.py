"""The execution process as a whole: its requests, its API, and the file that says where it listens."""

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn

from headframe.desk.ports import Declined, DiskTrouble, Invalid
from headframe.web.app import application
from headframe.web.client import PLACE, desk_at
from headframe.web.process import DeskProcess
from headframe.wiring import keep_checkpoint, open_office

Json = dict[str, Any]


class _Quiet(uvicorn.Server):
    """A server that leaves signals to the process."""

    async def run_on(self, listening: socket.socket) -> None:
        """Serve until told to end."""
        await self._serve([listening])


async def serve(
    folder: Path,
    database: str | None,
    user: str | None,
    port: int,
    *,
    told: Callable[[str], None],
    stopped: Callable[[], Awaitable[None]],
) -> None:
    """Run the desk of a workspace until told to stop; its place stands in ``desk.json``."""
    office = open_office(folder, user=user, database=database)
    process = DeskProcess(folder, database, office)
    config = uvicorn.Config(
        application(process),
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=3,
    )
    server = _Quiet(config)
    listening = _listening(port)
    other = desk_at(folder)
    if other is not None:
        listening.close()
        raise Declined(f"a desk runs in this workspace already, at {other.url}")
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    running = asyncio.create_task(process.run())
    serving = asyncio.create_task(server.run_on(listening))
    _say(folder, {"url": url, "pid": os.getpid()})
    told(url)
    try:
        await stopped()
    finally:
        server.should_exit = True
        await serving
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        keep_checkpoint(office, folder)
        (folder / PLACE).unlink(missing_ok=True)


def _listening(port: int) -> socket.socket:
    """A socket on loopback that hears callers before the server has looked; Invalid where it cannot be."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        made.listen(128)
    except OSError as error:
        made.close()
        raise Invalid(
            f"port {port} cannot be listened on: {error.strerror}; name another"
        ) from error
    return made


def _say(folder: Path, place: Json) -> None:
    path = folder / PLACE
    try:
        path.write_text(json.dumps(place), encoding="utf-8")
    except OSError as error:
        raise DiskTrouble(f"{path} cannot be written: {error}") from error
