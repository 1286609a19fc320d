"""The engine on a local cluster of two workers, one of them killed at its work."""

import os
import signal
from typing import Any

import pytest

from headframe.cluster import on_cluster
from headframe.desk.ports import Malformed, Unreachable
from headframe.market import sample_market
from headframe.pricing import surface_of
from headframe.risk import Ladder, Programme, engine, ladder, prepare, result_sha256, run
from headframe.risk.hedged import no_hedge
from headframe.units import Wrong
from mines import START, mine

distributed: Any = pytest.importorskip("distributed")
SURFACE = surface_of(sample_market())
PROGRAMME = Programme(
    as_of=sample_market().as_of, months=3, operation=mine(), start=START, surface=SURFACE,
    model=ladder(Ladder.GBM, SURFACE), hedge=no_hedge(), opening=(0.0, 0.0, 0.0, 0.0),
)  # fmt: skip
ENGINE = prepare(PROGRAMME)


def another_hash(_: object) -> str:
    return "another"


@pytest.fixture(scope="module")
def cluster() -> Any:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as local:
        yield local


@pytest.mark.filterwarnings("ignore")
def test_a_worker_killed_at_its_work_changes_no_bit(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SHARD", 1_024)
    paths = 40 * 1_024
    wanted = result_sha256(run(ENGINE, paths=paths, seed=3))
    killed: list[int] = []

    def kill_one(done: int, _: int) -> None:
        if done >= 3 * 1_024 and not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    found = on_cluster(cluster.scheduler_address)(ENGINE, paths, 3, kill_one)
    assert killed, "a worker was killed in mid-run"
    assert result_sha256(found) == wanted


def test_workers_of_another_arithmetic_are_refused(
    cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headframe.cluster.shards.result_sha256", another_hash)
    with pytest.raises(Malformed, match="other bits"):
        on_cluster(cluster.scheduler_address)(ENGINE, 100, 3, None)


def test_a_scheduler_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headframe.cluster.shards._WAIT_SECONDS", 1)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        on_cluster("tcp://127.0.0.1:1")(ENGINE, 100, 3, None)
    with pytest.raises(Wrong, match="tcp://"):
        on_cluster("127.0.0.1:8786")


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_without_workers_and_one_that_goes_away_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("headframe.cluster.shards._WAIT_SECONDS", 1)
    empty = distributed.LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1")
    with empty, pytest.raises(Unreachable, match="gave up"):
        on_cluster(empty.scheduler_address)(ENGINE, 100, 3, None)
    monkeypatch.setattr(engine, "SHARD", 1_024)
    short = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    )

    def leave(done: int, _: int) -> None:
        if done <= 2_048:
            short.close()

    with pytest.raises(Unreachable, match="gave up"):
        on_cluster(short.scheduler_address)(ENGINE, 60 * 1_024, 3, leave)
