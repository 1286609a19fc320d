"""Shards handed to workers, taken again from those that are lost, put together in order.

A shard is a function of the engine, the seed and its first path, so it does not matter who works it
out, nor how often. Before anything is handed out every worker repeats a few paths: one that runs
another version, or another arithmetic, is found by their hash.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError
from importlib import import_module
from typing import Any

from headframe.desk.ports import Malformed, Unreachable
from headframe.numerics import Singles
from headframe.risk import Engine, gathered, result_sha256, shards
from headframe.units import Wrong

Progress = Callable[[int, int], None]
_WAIT_SECONDS = 10
_RETRIES = 8
_PROBED = 64


def on_cluster(url: str) -> Callable[[Engine, int, int, Progress | None], Singles]:
    """A runner of simulations on the scheduler at a URL like tcp://host:8786."""
    if not url.startswith(("tcp://", "tls://")):
        raise Wrong(f"a cluster is named like tcp://host:8786, was {url[:60]!r}")

    def run(engine: Engine, paths: int, seed: int, progress: Progress | None) -> Singles:
        try:
            distributed: Any = import_module("distributed")
        except ImportError as error:
            raise Wrong("clusters need the extra: pip install 'headframe[cluster]'") from error
        try:
            client = distributed.Client(url, timeout=_WAIT_SECONDS, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise Unreachable(f"no Dask scheduler answers at {url[:60]}: {error}") from error
        with client:
            try:
                return _worked_out(distributed, client, engine, (paths, seed), progress)
            except (OSError, TimeoutError, distributed.KilledWorker, CancelledError) as error:
                raise Unreachable(
                    f"the cluster at {url[:60]} gave up: {error or type(error).__name__}"
                ) from error

    return run


def _worked_out(
    distributed: Any, client: Any, engine: Engine, asked: tuple[int, int], progress: Progress | None
) -> Singles:
    """Every shard from some worker; a lost worker's are handed out again."""
    paths, seed = asked
    client.wait_for_workers(1, timeout=_WAIT_SECONDS)
    _checked(client, engine, seed)
    sent = client.scatter(engine, broadcast=True, hash=False)
    futures: dict[Any, tuple[int, int]] = {
        client.submit(_shard, sent, seed, first, count, retries=_RETRIES, pure=False): (
            first,
            count,
        )
        for first, count in shards(paths)
    }
    found: dict[int, Singles] = {}
    done = 0
    for future in distributed.as_completed(list(futures), loop=client.loop):
        first, count = futures[future]
        found[first] = future.result()
        future.release()
        done += count
        if progress is not None:
            progress(done, paths)
    return gathered(found, paths, engine.columns)


def _checked(client: Any, engine: Engine, seed: int) -> None:
    """Refuse workers whose first paths differ from ours by a single bit."""
    wanted = result_sha256(engine.shard(seed, 0, _PROBED))
    answers: dict[str, str] = client.run(_hash_of_first, engine, seed)
    strangers = sorted(worker for worker, answer in answers.items() if answer != wanted)
    if strangers:
        raise Malformed(
            f"{len(strangers)} of {len(answers)} workers compute other bits than this machine "
            f"({strangers[0]}): install the same version of headframe and numba everywhere"
        )


def _shard(engine: Engine, seed: int, first: int, count: int) -> Singles:
    return engine.shard(seed, first, count)


def _hash_of_first(engine: Engine, seed: int) -> str:
    return result_sha256(engine.shard(seed, 0, _PROBED))
