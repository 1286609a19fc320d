"""The execution process: run it, ask how it is."""

import asyncio
import json
import signal
import sys

import click

from headframe.cli.frame import Call, Whole, command


@click.group()
def desk() -> None:
    """The execution process: reconciles first, then trades on request over HTTP on loopback."""


@desk.command()
@click.option(
    "--port", type=Whole(0, 65_535), default=0, help="Port on loopback (0: any free one)."
)
@command
def run(call: Call, port: int) -> None:
    """Keep the execution process alive until interrupted; headframe rfq then goes through it.

    /healthz says whether it lives, /readyz whether it has reconciled and trades, /openapi.json what it
    takes. Every action that trades needs an Idempotency-Key.
    """
    from headframe.web import serve

    def told(url: str) -> None:
        if call.as_json:
            sys.stdout.write(json.dumps({"schema": "headframe/desk/1", "url": url}) + "\n")
            sys.stdout.flush()
        else:
            call.talk(f"the desk listens at {url}")

    async def until() -> None:
        stop = asyncio.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, stop.set)
        await stop.wait()

    asyncio.run(serve(call.folder, call.database, call.user, port, told=told, stopped=until))


@desk.command()
@command
def status(call: Call) -> int:
    """Whether a desk runs here, and whether it is ready."""
    from headframe.web import desk_at

    running = desk_at(call.folder)
    if running is None:
        call.answer("desk-status", {"running": False}, "no desk runs here: headframe desk run")
        return 3
    found = running.readiness()
    call.answer(
        "desk-status",
        {"running": True, "url": running.url, **found},
        f"the desk at {running.url} is {'ready' if found['ready'] else 'not ready'}",
        *(f"{key}: {value}" for key, value in found.items()),
    )
    return 0
