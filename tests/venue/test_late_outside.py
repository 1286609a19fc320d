"""A dealer with a key of its own that is late with the better price, at a street in a process of its own."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import approvals, audit, execution, executions
from headframe.desk.ports import Broken
from headframe.desk.taking import Dealt
from headframe.rfq import RfqState
from headframe.venue import Credentials, JsonRpcClient
from headframe.wiring import open_office, trading
from waiting import LIMIT

SPEED = 6
LATE_SECONDS = 1.5
"""After the response time of 45 s; the award is decided 10 s after it."""


@pytest.fixture
def street(tmp_path: Path) -> Generator[dict[str, str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "headframe", "paper", "serve", "--speed", str(SPEED), "--seed", "4", "--vol", "0", "--json",
         "--key", "desk:hush", "--key", "e:x:emery", "--memory", str(tmp_path / "memory.jsonl")],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0


async def quote_late(url: str, quoted: list[Any]) -> None:
    """Quote each request that emery is asked for, so long after its response time, well inside the mid."""
    async with JsonRpcClient(url, Credentials("e", "x", "client_signature")) as client:
        seen: set[int] = set()
        while True:
            shown: Any = await client.call("private/get_block_rfqs", role="maker", count=10)
            now: Any = await client.call("public/get_time")
            for one in shown["block_rfqs"]:
                number, age = one["block_rfq_id"], (now - one["creation_timestamp"]) / 1000.0
                if one["state"] != "open" or number in seen or age < 45.0 + LATE_SECONDS:
                    continue
                seen.add(number)
                legs = [
                    {key: leg[key] for key in ("instrument_name", "ratio", "direction")}
                    for leg in one["legs"]
                ]
                made = await client.call(
                    "private/add_block_rfq_quote", block_rfq_id=number, direction="sell", legs=legs,
                    amount=one["amount"], price=round(one["mark_price"] - 0.0005, 4),
                )  # fmt: skip
                quoted.append(made)
            await asyncio.sleep(0.02)


def test_the_late_dealer_is_left_out_and_the_request_ends_with_a_trade(
    approved: Path, street: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADFRAME_VENUE_URL", street["ws"])
    monkeypatch.setenv("HEADFRAME_VENUE_CLIENT_ID", "desk")
    monkeypatch.setenv("HEADFRAME_VENUE_SECRET", "hush")
    office = open_office(approved, user="cfo")
    approvals.give(office, "P-1")
    office.user = "trader"
    quoted: list[Any] = []

    async def deal() -> tuple[Dealt, Any]:
        late = asyncio.create_task(quote_late(street["ws"], quoted))
        try:
            async with trading(office, approved) as line:
                dealt = await execution.deal(line, "P-1")
                there: Any = await line.venue._client.call(  # type: ignore[attr-defined]
                    "private/get_block_rfqs", count=10, role="taker"
                )
                return dealt, there["block_rfqs"]
        finally:
            late.cancel()
            with suppress(asyncio.CancelledError, Broken):
                await late

    dealt, there = asyncio.run(deal())
    first, *after = office.state().rfqs.values()
    said = datetime.fromtimestamp(
        quoted[0]["creation_timestamp"] / 1000.0, tz=first.request.respond_by.tzinfo
    )
    late_by = said - first.request.respond_by
    assert timedelta(0) < late_by < timedelta(seconds=10), (
        "else this machine was too busy for the test"
    )
    assert first.state is RfqState.NO_AWARD
    assert first.late[0]["dealers"] == ["emery"]
    assert "to be asked again without emery" in first.outcome
    (second,) = after
    assert "emery" in first.request.panel
    assert "emery" not in second.request.panel
    assert dealt.trade is not None, dealt.outcome
    assert dealt.trade.dealer != "emery"
    assert [(one["label"], one["state"]) for one in there[::-1]] == [
        (first.request.id, "cancelled"), (second.request.id, "filled"),
    ]  # fmt: skip
    assert len(quoted) == 1, "emery was asked once"
    assert executions.latest(office.state(), first.request.id) == second.request.id
    assert audit.verify(office).sound
