"""The ladder and the award: quotes a second, quote to ladder, quote to durable award."""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from measure import line
from websockets.asyncio.server import ServerConnection, serve

from headframe.desk.ports import Draft
from headframe.instrument import Leg, Structure, StructureKind, parse_instrument
from headframe.mandate import recall_approval
from headframe.rfq import AwardRules, Direction, Request, award, rank
from headframe.store import SqliteJournal
from headframe.venue import Credentials, DeribitVenue, JsonRpcClient

AT = datetime(2026, 8, 24, 10, tzinfo=UTC)
PANEL = tuple(f"dealer{number}" for number in range(20))


class Fixed:
    """A clock that is asked for stamps only."""

    def now(self) -> datetime:
        """The present instant."""
        return datetime.now(UTC)

    async def wait_until(self, at: datetime) -> None:
        """Nobody waits here."""


def request(number: int) -> Request:
    """A request for a collar."""
    legs = (
        Leg(parse_instrument("BTC-25DEC26-70000-P"), 1),
        Leg(parse_instrument("BTC-25DEC26-88000-C"), -1),
    )
    now = datetime.now(UTC)
    approval = recall_approval(
        proposal="P-1", envelope_sha256="e", mandate_sha256="m", preparer="a", approver="b", at=now,
        expires_at=now + timedelta(hours=1),
    )  # fmt: skip
    from decimal import Decimal

    return Request(
        id=f"{number:032d}", approval=approval, envelope_sha256="e", structure=Structure(StructureKind.COSTLESS_COLLAR, legs),
        direction=Direction.BUY, size=Decimal(50), amount=Decimal(50), panel=PANEL, disclosed=True, opened_at=now,
        respond_by=now + timedelta(hours=1), limit=Decimal("0.02"), reference=0.0, gross=0.1, forward=78_000.0,
    )  # fmt: skip


def rules(one: Request) -> AwardRules:
    """The mandate's rules for it."""
    return AwardRules(
        direction=one.direction, panel=one.panel, responses_min=2, respond_by=one.respond_by, size=50.0, reference=0.0, gross=0.1,
        distance_max=0.02, limit=0.02, charges={}, venue_matches=True,
    )  # fmt: skip


def message(number: int, prices: list[float]) -> str:
    """A request with so many levels as its taker hears it."""
    asks = [
        {"makers": [PANEL[place % len(PANEL)]], "price": price, "amount": 50.0, "last_update_timestamp": 1, "execution_instruction": "any_part_of"}
        for place, price in enumerate(prices)
    ]  # fmt: skip
    data = {
        "block_rfq_id": number,
        "state": "open",
        "bids": [],
        "asks": asks,
        "sent": time.perf_counter(),
    }
    params = {"channel": "block_rfq.taker.any", "data": data}
    return json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params})


async def quoted(live: int, per_second: float, seconds: float) -> tuple[float, list[float]]:
    """Quotes on so many live requests at a rate; from the venue's send to the ranked ladder."""
    waits: list[float] = []
    done = asyncio.Event()

    async def session(connection: ServerConnection) -> None:
        made = 0
        async for frame in connection:
            call = json.loads(frame)
            made += call["method"] == "private/create_block_rfq"
            result: Any = {"block_rfq_id": made, "expiration_timestamp": 4_000_000_000_000}
            await connection.send(json.dumps({"id": call["id"], "result": result}))
            if made == live:
                break
        begun, sent = time.perf_counter(), 0
        while (gone := time.perf_counter() - begun) < seconds:
            while sent < gone * per_second:
                number = sent % live + 1
                step = sent // live
                prices = [
                    round(0.001 + 0.0001 * ((place + (place == step % 8)) % 7), 4)
                    for place in range(8)
                ]
                await connection.send(message(number, prices))
                sent += 1
            await asyncio.sleep(0.0005)
        done.set()
        await asyncio.sleep(0.2)

    async with serve(session, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        key = Credentials("a", "b")
        async with JsonRpcClient(f"ws://127.0.0.1:{port}/ws", key) as client:
            venue = DeribitVenue(client, Fixed(), "bench")
            asked = [request(number) for number in range(live)]
            client._pace._credit = 1e9  # noqa: SLF001 - the venue's limits are not measured here
            for one in asked:
                await venue.open(one)
            terms = [rules(one) for one in asked]
            heard = client.on_notification

            def ladder(found: dict[str, Any]) -> None:
                heard(found)
                data = found["params"]["data"]
                place = int(data["block_rfq_id"]) - 1
                known = venue.standing(str(place + 1))
                rank(known, terms[place], at=datetime.now(UTC))
                waits.append(time.perf_counter() - data["sent"])

            client.on_notification = ladder
            begun = time.perf_counter()
            await done.wait()
            await asyncio.sleep(0.1)
            return len(waits) / (time.perf_counter() - begun), waits


def p99(values: list[float]) -> float:
    """The 99th of a hundred."""
    return statistics.quantiles(values, n=100)[98]


def durable(work: Callable[[], object], rounds: int = 200) -> float:
    """Median milliseconds."""
    times: list[float] = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return 1e3 * statistics.median(times)


def main() -> None:
    """Every line."""
    for live, rate in ((1, 1_000.0), (200, 1_000.0)):
        got, waits = asyncio.run(quoted(live, rate, 4.0))
        line(
            f"{live} live requests at {rate:,.0f} quotes/s",
            f"{got:,.0f} /s",
            f"quote to ladder p99 {1e3 * p99(waits):.2f} ms, median {1e3 * statistics.median(waits):.2f} ms",
            "1,000 /s, p99 10 ms",
        )
    with tempfile.TemporaryDirectory() as name:
        journal = SqliteJournal(Path(name) / "j.db", create=True)
        count = [0]

        def intent() -> None:
            journal.append(
                [Draft("rfq", {"step": "intend_award"})], at=AT, author="x", after=count[0]
            )
            count[0] += 1

        handle = os.open(Path(name) / "bare", os.O_CREAT | os.O_WRONLY)

        def bare() -> None:
            os.write(handle, b"x" * 4_096)
            os.fsync(handle)

        one = request(1)
        terms = rules(one)
        from headframe.venue.deribit import parse

        shown = json.loads(message(1, [0.001 + 0.0001 * place for place in range(20)]))["params"][
            "data"
        ]

        def awarded() -> None:
            quotes = parse.quotes_of(shown, datetime.now(UTC))
            award(quotes, terms, at=datetime.now(UTC))
            intent()

        synced = durable(bare)
        whole = durable(awarded)
        line(
            "quote to durable award",
            f"{whole:.2f} ms",
            f"bare fsync {synced:.2f} ms",
            "25 ms beyond the fsync",
        )
        os.close(handle)


if __name__ == "__main__":
    main()
