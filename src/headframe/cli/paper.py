"""The paper street as a server of its own."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import click

from headframe.cli.frame import Figure, Whole
from headframe.desk.ports import Invalid


@click.group()
def paper() -> None:
    """The simulated street: invented dealers, real protocol."""


@paper.command()
@click.option(
    "--port", type=Whole(0, 65_535), default=0, help="Port on loopback (0: any free one)."
)
@click.option("--seed", type=Whole(0, 2**53), default=1, help="All chance follows from it.")
@click.option(
    "--speed", type=Figure(), default=1.0, help="Waits and lives pass so many times as fast."
)
@click.option(
    "--vol", type=Figure(), default=0.42, help="Yearly volatility of its index; 0 stands still."
)
@click.option(
    "--premium",
    type=Figure(),
    default=0.0,
    help="Premium of perpetuals over the index as a share, of which they pay funding.",
)
@click.option(
    "--market",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of an option chain to start from (default: the sample market).",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    help="ID:SECRET of a taker or ID:SECRET:NAME of a dealer; without any, every key is welcome.",
)
@click.option(
    "--memory",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File in which it remembers trades over a restart.",
)
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as JSON on stdout.")
def serve(
    *,
    port: int,
    seed: int,
    speed: float,
    vol: float,
    premium: float,
    market: Path | None,
    keys: tuple[str, ...],
    memory: Path | None,
    as_json: bool,
) -> None:
    """Serve the street on loopback in Deribit's protocol, until interrupted.

    HTTP at /api/v2 (root POST, method path, GET query), WebSocket at /ws/api/v2. Its clock starts at
    its market's instant. Without --key every client id is welcome and keeps its first secret; ids that
    begin with "maker" are dealers, known by their id in capitals.
    """
    from headframe.market import sample_market

    if not 0.01 <= speed <= 10_000.0:
        raise Invalid(f"--speed lies between 0.01 and 10000, was {speed:g}")
    if not 0.0 <= vol <= 5.0:
        raise Invalid(f"--vol lies between 0 and 5, was {vol:g}")
    if not -0.1 <= premium <= 0.1:
        raise Invalid(f"--premium lies between -0.1 and 0.1, was {premium:g}")
    found = [_key(text) for text in keys]
    if market is None:
        snapshot = sample_market()
    else:
        from headframe.feed import market_from_text, read_text

        snapshot = market_from_text(read_text(market), name=market.name, as_of=None)
    asyncio.run(_serve(snapshot, (port, seed, speed, vol, premium), found, memory, as_json=as_json))


def _key(text: str) -> tuple[str, str, str | None]:
    parts = text.split(":")
    if len(parts) not in {2, 3} or not all(parts):
        raise Invalid("--key is ID:SECRET or ID:SECRET:NAME")
    return parts[0], parts[1], parts[2] if len(parts) == 3 else None


async def _serve(
    snapshot: object,
    settings: tuple[int, int, float, float, float],
    keys: list[tuple[str, str, str | None]],
    memory: Path | None,
    *,
    as_json: bool,
) -> None:
    from headframe.market import Snapshot
    from headframe.wiring import street_served

    assert isinstance(snapshot, Snapshot)
    port, seed, speed, vol, premium = settings
    stop = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    served = street_served(
        snapshot,
        port=port,
        seed=seed,
        speed=speed,
        vol=vol,
        premium=premium,
        keys=keys,
        memory=memory,
    )
    async with served as address:
        where = {"http": f"http://{address}/api/v2", "ws": f"ws://{address}/ws/api/v2"}
        if as_json:
            body = {"schema": "headframe/paper/1", **where, "clock": snapshot.as_of.isoformat()}
            sys.stdout.write(json.dumps(body) + "\n")
            sys.stdout.flush()
        else:
            click.echo(f"the paper street listens at {where['ws']} and {where['http']}", err=True)
        await stop.wait()
