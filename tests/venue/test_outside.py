"""The desk at a venue of its own: another process's protocol, clock and keys, by configuration alone."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import adopting, approvals, audit, execution, fencing, workspace
from headframe.desk.office import Office
from headframe.desk.ports import Declined, Invalid, OutcomeUnknown, Unreachable
from headframe.desk.taking import Dealt
from headframe.venue import (
    Credentials,
    DeribitAccount,
    HttpClient,
    JsonRpcClient,
    refuse_withdrawal,
    secret_from,
)
from headframe.wiring import back_up, main_venue, open_office, restore, trading, venue_client
from waiting import LIMIT

SPEED = 20
_apart = count(1)


@contextmanager
def serving(memory: Path) -> Generator[dict[str, str]]:
    """headframe paper serve, as anybody would start it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "headframe", "paper", "serve", "--speed", str(SPEED), "--seed", "4", "--json", "--key", "desk:hush", "--key", "m1:x:M1", "--memory", str(memory)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    yield json.loads(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, str]]:
    with serving(tmp_path_factory.mktemp("street") / "memory.jsonl") as found:
        yield found


def headframe(folder: Path, *words: str, env: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "headframe", *words, "--workspace", str(folder), "--json"],
        capture_output=True, text=True, env=os.environ | env, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_from_the_market_to_a_booked_trade_over_the_command_line(
    mine: Path, street: dict[str, str]
) -> None:
    env = {
        "HEADFRAME_VENUE_URL": street["ws"],
        "HEADFRAME_VENUE_CLIENT_ID": "desk",
        "HEADFRAME_VENUE_SECRET": "hush",
        "HEADFRAME_DERIBIT_URL": street["http"].removesuffix("/api/v2"),
    }
    done = headframe(mine, "market", "fetch", env=env)
    assert done.returncode == 0, done.stderr
    assert headframe(mine, "plan", "--as", "treasurer", env=env).returncode == 0
    assert headframe(mine, "approve", "P-1", "--as", "cfo", env=env).returncode == 0
    done = headframe(mine, "rfq", "P-1", "--as", "trader", env=env)
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    assert done.returncode in {0, 4}, done.stderr
    assert len(answer["request"]["panel"]) >= 3
    if done.returncode == 0:
        there = json.loads(headframe(mine, "venue", "positions", env=env).stdout)
        legs = {leg["instrument"] for leg in answer["trade"]["legs"]}
        assert legs == {row["instrument"] for row in there["positions"]}
    assert headframe(mine, "audit", "verify", env=env).returncode == 0
    status = json.loads(headframe(mine, "venue", "status", env=env).stdout)
    assert status["client_id"] == "desk"
    assert "hush" not in json.dumps(status)
    text = (mine / "headframe.db").read_bytes()
    assert b"hush" not in text


@pytest.fixture
def outside(approved: Path, street: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADFRAME_VENUE_URL", street["ws"])
    monkeypatch.setenv("HEADFRAME_VENUE_CLIENT_ID", "desk")
    monkeypatch.setenv("HEADFRAME_VENUE_SECRET", "hush")
    office = open_office(approved, user="cfo")
    at = office.now() + timedelta(seconds=next(_apart))
    workspace.advance_clock(office, at)
    for name in office.state().proposals:  # else each test's folder is a copy of the one before
        approvals.give(office, name)
    return approved


@pytest.fixture
def alone(outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """The same at a venue of its own: an account that no other workspace deals on."""
    with serving(tmp_path / "memory.jsonl") as found:
        monkeypatch.setenv("HEADFRAME_VENUE_URL", found["ws"])
        yield outside


def test_a_restored_workspace_adopts_what_the_venue_dealt_and_deals_it_no_second_time(
    alone: Path, tmp_path: Path
) -> None:
    outside = alone
    back_up(outside, None, tmp_path / "kept.headframe")
    office = open_office(outside, user="trader")

    async def deal(office: Office, folder: Path) -> Dealt:
        async with trading(office, folder) as line:
            return await execution.deal(line, "P-1")

    async def adopt(office: Office, folder: Path) -> tuple[adopting.Adoption, ...]:
        async with trading(office, folder) as line:
            return await adopting.adopt(line)

    dealt = asyncio.run(deal(office, outside))
    if not dealt.trades:
        pytest.skip("the dealers did not meet the limit this time")
    target = tmp_path / "restored"
    restore(target, None, tmp_path / "kept.headframe")
    again = open_office(target, user="trader")
    with pytest.raises(OutcomeUnknown, match="headframe reconcile"):
        asyncio.run(deal(again, target))
    found = asyncio.run(adopt(again, target))
    assert [one.adopted for one in found if one.venue == "paper"] == [(dealt.request.id,)]
    assert again.state().trades["T-1"].legs == dealt.trades[0].legs
    again.user = "cfo"
    adopting.attest(again, "voice", "none")
    again.user = "trader"
    with pytest.raises(Declined, match="P-1 was dealt already"):
        asyncio.run(deal(again, target))
    assert audit.verify(again).sound


def test_the_clock_is_the_venues_and_a_venue_of_another_time_gets_nothing(
    outside: Path, street: dict[str, str]
) -> None:
    office = open_office(outside, user="trader")
    error = timedelta(
        seconds=SPEED * 0.5
    )  # of the clock's setting: half a second of a slow machine

    async def run() -> None:
        async with trading(office, outside) as at_work:
            account = DeribitAccount(at_work.venue._client)  # type: ignore[attr-defined]
            for _ in range(4):
                await asyncio.sleep(0.25)
                before = office.now()
                there = (
                    await account.time()
                )  # read between our two readings, however slow the machine
                assert before - error <= there <= office.now() + error
            started = time.monotonic()
            target = office.now() + timedelta(seconds=SPEED)
            await office.clock.wait_until(target)
            assert office.now() >= target
            assert time.monotonic() - started > 0.7, "the venue's clock runs SPEED times as fast"

    asyncio.run(run())
    from headframe.desk.workspace import advance_clock

    ahead = open_office(outside, user="trader")
    advance_clock(ahead, ahead.now() + timedelta(days=30))
    again = open_office(outside, user="trader")

    async def nothing() -> None:
        async with trading(again, outside):
            pass

    with pytest.raises(Declined, match="another time"):
        asyncio.run(nothing())


def test_over_http_where_no_socket_comes_through(
    outside: Path, street: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADFRAME_VENUE_URL", "ws://127.0.0.1:1/ws")
    office = open_office(outside, user="trader")

    async def kind() -> str:
        async with venue_client(main_venue(office.settings()), outside) as client:
            return type(client).__name__

    with pytest.raises(Unreachable):
        asyncio.run(kind())
    monkeypatch.setenv("HEADFRAME_VENUE_HTTP_URL", street["http"])
    assert asyncio.run(kind()) == "HttpClient"

    async def run() -> Any:
        async with trading(office, outside) as at_work:
            return await execution.deal(at_work, "P-1")

    dealt = asyncio.run(run())
    heard = [rung.quote.received_at for rung in dealt.ladder.rungs]
    assert heard, "quotes were read by asking"
    assert min(heard) < dealt.request.respond_by, "and as they came, not only at the end"
    assert audit.verify(office).sound


def test_reading_the_account_and_small_orders_in_the_lit_book(street: dict[str, str]) -> None:
    async def run() -> None:
        from decimal import Decimal

        key = Credentials("m1", "x", "client_signature")
        async with JsonRpcClient(street["ws"], key) as client:
            account = DeribitAccount(client)
            least = await account.minimums("BTC")
            assert least["BTC-25DEC26-70000-P"].block_minimum == 25.0
            assert least["BTC-25DEC26"].block_minimum == 200_000.0
            bids, asks = await account.book("BTC-25DEC26")
            assert bids[0][0] < asks[0][0]
            price = Decimal(repr(asks[5][0]))
            done = await account.order("buy", "BTC-25DEC26", Decimal(500), price, "mine")
            assert (done.state, done.filled) == ("filled", 500.0)
            assert [one.id for one in await account.orders("mine", "BTC")] == [done.id]
            (held,) = [p for p in await account.positions() if p.instrument == "BTC-25DEC26"]
            assert held.size == 500.0
            before = await account.summary("BTC")
            more = await account.simulated("BTC", {"BTC-25DEC26-88000-C": Decimal(-25)})
            _, sell = await account.margins("BTC-25DEC26-88000-C", Decimal(25), Decimal("0.03"))
            assert more.initial_margin - before.initial_margin == pytest.approx(sell, rel=0.05)
            assert await account.cancel_label("mine") == 0

    asyncio.run(run())


def test_classic_blocks_between_two_keys(street: dict[str, str]) -> None:
    async def run() -> None:
        one = Credentials("desk", "hush")
        other = Credentials("m1", "x")
        async with (
            JsonRpcClient(street["ws"], one) as ours,
            HttpClient(street["http"], other) as theirs,
        ):
            mine, their = DeribitAccount(ours), DeribitAccount(theirs)
            stamp = int((await mine.time()).timestamp() * 1000)
            trades = [
                {"instrument_name": "BTC-25DEC26-70000-P", "price": 0.05, "amount": 25.0, "direction": "sell"}
            ]  # fmt: skip
            word = await their.verify_block(trades, "maker", "n1", stamp)
            block = await mine.execute_block(trades, "taker", "n1", stamp, word)
            assert block["trades"][0]["direction"] == "buy"

    asyncio.run(run())


def test_a_key_that_may_withdraw_is_refused() -> None:
    refuse_withdrawal("account:read block_rfq:read_write wallet:read")
    for scope in ("wallet:read_write", "trade:read custody:read_write", "mainaccount"):
        with pytest.raises(Declined, match="withdraw"):
            refuse_withdrawal(scope)


def test_where_secrets_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert secret_from("env:A", {"A": "s"}, tmp_path) == "s"
    for source in ("env:B", "keyring:x/y", "age:none.age", "file:x"):
        with pytest.raises(Invalid):
            secret_from(source, {}, tmp_path)

    class Ring:
        @staticmethod
        def get_password(service: str, user: str) -> str | None:
            return "kept" if (service, user) == ("headframe", "desk") else None

    class Age:
        class DecryptError(Exception):
            pass

        class passphrase:  # noqa: N801 - as the library has it
            @staticmethod
            def decrypt(sealed: bytes, words: str) -> bytes:
                if words != "open":
                    raise Age.DecryptError
                return sealed[::-1] + b"\n"

        class x25519:  # noqa: N801
            class Identity:
                @staticmethod
                def from_str(text: str) -> str:
                    return text

        @staticmethod
        def decrypt(sealed: bytes, keys: list[str]) -> bytes:
            return sealed + keys[0].encode()

    monkeypatch.setitem(sys.modules, "keyring", Ring)
    monkeypatch.setitem(sys.modules, "pyrage", Age)
    assert secret_from("keyring:headframe/desk", {}, tmp_path) == "kept"
    with pytest.raises(Invalid, match="holds no secret"):
        secret_from("keyring:headframe/other", {}, tmp_path)
    (tmp_path / "k.age").write_bytes(b"terces")
    words = {"HEADFRAME_AGE_PASSPHRASE": "open"}
    assert secret_from("age:k.age", words, tmp_path) == "secret"
    with pytest.raises(Invalid, match="cannot be opened"):
        secret_from("age:k.age", {"HEADFRAME_AGE_PASSPHRASE": "shut"}, tmp_path)
    with pytest.raises(Invalid, match="HEADFRAME_AGE_IDENTITY"):
        secret_from("age:k.age", {}, tmp_path)
    (tmp_path / "id").write_text("# a comment\nAGE-SECRET-KEY-1X\n")
    named = {"HEADFRAME_AGE_IDENTITY": str(tmp_path / "id")}
    assert secret_from("age:k.age", named, tmp_path) == "tercesAGE-SECRET-KEY-1X"
    assert "s3cret" not in repr(Credentials("me", "s3cret"))


def test_a_desk_that_lost_its_venue_finds_its_fill_there(
    outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = open_office(outside, user="trader")

    async def lose() -> None:
        async with trading(office, outside) as at_work:
            venue: Any = at_work.venue
            real = venue.accept

            async def accept(*words: Any) -> Any:
                await real(*words)
                raise Unreachable("the line was cut")

            venue.accept = accept
            for name in ("P-1", "P-2", "P-3", "P-4"):
                if name not in office.state().proposals:
                    break
                await execution.deal(at_work, name)

    try:
        asyncio.run(lose())
    except OutcomeUnknown:
        pass
    else:
        pytest.skip("no dealer could win with this seed")
    again = open_office(outside, user="trader")
    told: list[str] = []

    async def settle() -> None:
        async with trading(again, outside) as at_work:
            await fencing.reconcile(at_work, told.append)

    asyncio.run(settle())
    assert "dealt, booked as T-1" in told[0]
    assert audit.verify(again).sound


def test_live_money_is_traded_by_our_own_time_alone(
    tmp_path: Path, street: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from headframe.desk.workspace import advance_clock, sample_file
    from headframe.market import sample_market
    from headframe.wiring import create_office

    folder = tmp_path / "live"
    folder.mkdir()
    text = sample_file("headframe.toml").replace('mode = "paper"', 'mode = "live"')
    named = f'[venue]\nurl = "{street["ws"]}"\nclient_id = "desk"'
    (folder / "headframe.toml").write_text(text.replace("[venue]", named))
    monkeypatch.setenv("HEADFRAME_VENUE_SECRET", "hush")
    office = create_office(folder, sample_market(), user="trader")
    assert office.state().mode == "live"
    from datetime import UTC, datetime

    assert abs((office.now() - datetime.now(UTC)).total_seconds()) < 5.0
    with pytest.raises(Declined, match="our own time"):
        advance_clock(office, office.now() + timedelta(days=1))

    async def run() -> None:
        async with trading(office, folder):
            pass

    with pytest.raises(Declined, match="from the venue's"):
        asyncio.run(run())


def test_no_token_is_carried_elsewhere_by_a_redirect() -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    from headframe.desk.ports import Malformed

    seen: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - as the library has it

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    async def run() -> None:
        async with HttpClient(f"http://127.0.0.1:{server.server_port}", Credentials("a", "b")):
            pass

    try:
        with pytest.raises(Malformed):
            asyncio.run(run())
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert seen == ["/public/auth"]
