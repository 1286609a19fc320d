"""Difficulty and payouts from a node and an Esplora-style server: recorded messages, then over loopback."""

import json
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from headframe.chain import chain_of, latest, retargets
from headframe.cli.app import app
from headframe.codec import PoolApi, Settings, pool_payouts, read_pool_page, read_settings
from headframe.desk.ports import Invalid, Malformed, Refused, Unreachable
from headframe.feed import esplora, fetch_periods, fetch_pool, fetch_receipts, node
from headframe.feed.esplora import ReceiptRules
from headframe.units import Wrong

# Block 840,000 as an Esplora server gives it (fields as its API documents them; extra ones kept).
BLOCK = {
    "id": "0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5",
    "height": 840000,
    "version": 710926336,
    "timestamp": 1713571767,
    "tx_count": 3050,
    "size": 2325617,
    "weight": 3993281,
    "merkle_root": "031b417c3a1828ddf3d6527fc210daafcc9218e81f98257f88d4d43bd7a5894f",
    "previousblockhash": "0000000000000000000172014ba58d66455762add0512355ad651207918494ab",
    "mediantime": 1713570208,
    "nonce": 3932395645,
    "bits": 386089497,
    "difficulty": 86388558925171.02,
}
# The header of the same block as Bitcoin Core's getblockheader gives it.
HEADER = {
    "hash": "0000000000000000000320283a032748cef8227873ff4872689bf23f1cda83a5",
    "confirmations": 100,
    "height": 840000,
    "version": 710926336,
    "versionHex": "2a5fe000",
    "time": 1713571767,
    "mediantime": 1713570208,
    "nonce": 3932395645,
    "bits": "17034219",
    "difficulty": 86388558925171.02,
    "chainwork": "0000000000000000000000000000000000000000753bdab0e0d745453677442b",
    "nTx": 3050,
}
ADDRESS = "bc1qexampleexampleexampleexample00000000"


def transaction(number: int, day: str, satoshi: int, address: str = ADDRESS) -> dict[str, Any]:
    at = int(datetime.fromisoformat(f"{day}T10:00:00+00:00").timestamp())
    return {
        "txid": f"{number:064x}",
        "vin": [],
        "vout": [
            {"scriptpubkey": "0014", "scriptpubkey_address": address, "value": satoshi},
            {"scriptpubkey": "0014", "scriptpubkey_address": "bc1qother", "value": 777},
            {"scriptpubkey": "6a", "value": 0},
        ],
        "status": {"confirmed": True, "block_height": 1, "block_time": at},
    }


PAID = [transaction(k, f"2026-08-{1 + k % 28:02d}", 100_000 + k) for k in range(60, 0, -1)]


def test_a_recorded_block_is_read_and_a_lying_one_refused() -> None:
    row = esplora.block_from(json.dumps(BLOCK), 840_000)
    assert row.height == 840_000
    assert f"{row.bits:08x}" == "17034219"
    assert row.difficulty == pytest.approx(86388558925171.02, rel=1e-12)
    assert row.at == datetime(2024, 4, 20, 0, 9, 27, tzinfo=UTC)
    for change, words in (
        ({"height": 839_999}, "was asked for"),
        ({"difficulty": 83e12}, "its bits"),
        ({"bits": "x"}, "cannot be read"),
        ({"bits": 2**40}, "cannot be read"),
        ({"timestamp": 10**30}, "cannot be read"),
    ):
        with pytest.raises(Malformed, match=words):
            esplora.block_from(json.dumps(BLOCK | change), 840_000)
    for text in ("", "[]", "null", "{", '{"height": 1}', "[" * 5000):
        with pytest.raises(Malformed):
            esplora.block_from(text, 840_000)


def answers(results: dict[str, Any]) -> Any:
    def post(body: str) -> str:
        asked = json.loads(body)
        return json.dumps({"result": results[asked["method"]], "error": None, "id": asked["id"]})

    return post


def test_a_recorded_header_of_a_node_is_read() -> None:
    post = answers(
        {"getblockcount": 840_123, "getblockhash": HEADER["hash"], "getblockheader": HEADER}
    )
    assert node.tip_height(post) == 840_123
    row = node.period_start(post, 840_000)
    assert (row.height, f"{row.bits:08x}") == (840_000, "17034219")
    with pytest.raises(Malformed, match="was asked for"):
        node.period_start(post, 841_000)
    for bad in ("x", -1, True, None, 10**12):
        with pytest.raises(Malformed):
            node.tip_height(answers({"getblockcount": bad}))
    for header in (None, {}, {"height": 840_000}, HEADER | {"bits": "zz"}):
        with pytest.raises(Malformed):
            node.period_start(answers({"getblockhash": "x", "getblockheader": header}), 840_000)
    refused = json.dumps(
        {"result": None, "error": {"code": -8, "message": "Block height out of range"}, "id": 1}
    )
    with pytest.raises(Refused, match="out of range"):
        node.tip_height(lambda _body: refused)
    for text in ("", "[]", "{"):
        with pytest.raises(Malformed):
            node.tip_height(partial(_same, text))


def _same(text: str, _body: str) -> str:
    return text


class Server(BaseHTTPRequestHandler):
    """A chain of periods that ends at height 957,610, in both languages; some paths misbehave."""

    tip = 957_610

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing on stderr."""

    def reply(self, text: str, status: int = 200, **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        parts = self.path.removeprefix("/api").strip("/").split("/")
        if parts[0] == "blocks":
            self.reply(str(self.tip))
        elif parts[0] == "block-height":
            self.reply(f"{int(parts[1]):064x}")
        elif parts[0] == "block":
            found = self.block(int(parts[1], 16))
            self.reply(json.dumps(found) if found else "Block not found", 200 if found else 404)
        elif parts[0] == "address":
            after = parts[4] if len(parts) > 4 else None
            start = (
                0
                if after is None
                else 1 + next(i for i, t in enumerate(PAID) if t["txid"] == after)
            )
            self.reply(json.dumps(PAID[start : start + 25]))
        elif parts[0] == "moved":
            self.reply("", 302, Location="http://127.0.0.1:9/")
        elif parts[0] == "huge":
            self.reply("9" * (17 * 1024 * 1024))
        else:
            self.reply("no such thing", 404)

    def do_POST(self) -> None:
        if self.headers.get("Authorization") != "Basic bWU6c2VjcmV0":
            self.reply("unauthorized", 401)
            return
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["method"] == "getblockcount":
            result: Any = self.tip
        elif asked["method"] == "getblockchaininfo":
            result = {"chain": "main", "initialblockdownload": False, "blocks": self.tip}
        elif asked["method"] == "getblockhash":
            result = f"{asked['params'][0]:064x}"
        else:
            found = self.block(int(asked["params"][0], 16))
            if found is None:
                error = {"code": -5, "message": "Block not found"}
                self.reply(json.dumps({"result": None, "error": error, "id": 1}), 500)
                return
            result = {
                "height": found["height"],
                "time": found["timestamp"],
                "bits": f"{found['bits']:08x}",
            }
        self.reply(json.dumps({"result": result, "error": None, "id": asked["id"]}))

    def block(self, height: int) -> dict[str, Any] | None:
        late = {955_584: (1_782_525_600, 0x17021A00), 957_600: (1_783_735_200, 0x17021A00)}
        known = {row.height: (int(row.at.timestamp()), row.bits) for row in retargets()}
        time, bits = (known | late).get(height, (0, None))
        if bits is None:
            return None
        return {"height": height, "timestamp": time, "bits": bits}


@contextmanager
def serving(kind: type[Server] = Server) -> Generator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_both_servers_give_the_same_periods_over_loopback() -> None:
    with serving() as host:
        ours = fetch_periods("esplora", f"http://{host}/api", retargets())
        theirs = fetch_periods("node", f"http://me:secret@{host}", retargets())
    exact = max(row.height for row in retargets() if row.exact)
    assert [row.height for row in ours] == list(range(exact + 2016, 957_601, 2016))
    assert ours == theirs


def rules(confirmations: int = 6, **more: Any) -> ReceiptRules:
    return ReceiptRules(chain=chain_of("BTC"), confirmations=confirmations, **more)


def test_receipts_are_gathered_page_by_page_and_none_of_our_own() -> None:
    with serving() as host:
        found = fetch_receipts(f"http://{host}/api", [ADDRESS], rules())
    assert len(found.receipts) == 60
    assert [one.at for one in found.receipts] == sorted(one.at for one in found.receipts)
    assert sum(one.coins for one in found.receipts) == Decimal(
        sum(100_000 + k for k in range(1, 61))
    ).scaleb(-8)
    tip = 957_610
    deep, shallow, own = (transaction(k, "2026-08-02", 5_000) for k in (1, 2, 3))
    deep["status"]["block_height"] = tip - 5
    shallow["status"]["block_height"] = tip - 4
    own["vin"] = [{"prevout": {"scriptpubkey_address": ADDRESS, "value": 9_000}}]
    page = json.dumps([shallow, deep, own])

    def get(path: str) -> str:
        return str(tip) if path.endswith("height") else page

    read = esplora.receipts(get, [ADDRESS], rules())
    (one,), (later,) = read.receipts, read.waiting
    assert (one.txid, one.output, one.address) == (deep["txid"], 0, ADDRESS)
    assert (later.receipt.txid, later.due_height, later.coinbase) == (
        shallow["txid"],
        tip + 1,
        False,
    )
    assert read.transfers == {own["txid"]}
    assert len(esplora.receipts(get, [ADDRESS], rules(5)).receipts) == 2
    for change in ({"status": {"block_time": 1}}, {"vin": None}, {"vin": [3]}):
        bad = json.dumps([{**deep, **change}])

        def told(path: str, bad: str = bad) -> str:
            return str(tip) if path.endswith("height") else bad

        with pytest.raises(Malformed, match=r"no block|no inputs"):
            esplora.receipts(told, [ADDRESS], rules())
    for bad in ("", "../etc", "a b", "x" * 200):
        with pytest.raises(Wrong, match="an address has"):
            fetch_receipts("http://127.0.0.1:9", [bad], rules())


API = """
[pool_api]
url = "http://HOST/pool/payouts?from={since}"
header = "Pool-Auth-Token"
secret = "env:POOL_TOKEN"
rows = "onchain"
id = "tx_id"
at = "resolved_at"
amount = "amount_sats"
unit = "satoshi"
status = "status"
paid = ["confirmed"]
"""
AUGUST = int(datetime(2026, 8, 22, 15, 33, tzinfo=UTC).timestamp())


def pool_row(name: str, sats: Any, at: Any = AUGUST, status: str = "confirmed") -> dict[str, Any]:
    return {"tx_id": name, "amount_sats": sats, "resolved_at": at, "status": status, "more": [1]}


class Pool(Server):
    """A pool that tells its payouts to whom it knows."""

    rows: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.headers.get("Pool-Auth-Token") != "open sesame":
            self.reply("no token", 401)
        else:
            self.reply(json.dumps({"onchain": self.rows, "lightning": []}))


def test_the_pools_own_api_is_booked_once(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    late = AUGUST + 10 * 86_400
    Pool.rows = [
        pool_row("b2", "250000000", AUGUST * 1000),
        pool_row("a1", 100_000_000),
        pool_row("c3", 5, AUGUST, "queued"),
        pool_row("d4", 7, late),
    ]

    def run(*words: str) -> Any:
        app.main(["coins", *words, "--workspace", str(mine), "--json"], standalone_mode=False)
        return json.loads(capsys.readouterr().out)

    file = mine / "headframe.toml"
    plain = file.read_text()
    monkeypatch.setenv("POOL_TOKEN", "open sesame")
    with pytest.raises(Wrong, match="names no pool: add"):
        run("--pool")
    with serving(Pool) as host:
        file.write_text(plain + API.replace("HOST", host))
        settings = read_settings(file.read_text())
        assert isinstance(settings, Settings)
        assert settings.pool_api is not None
        found = fetch_pool(settings.pool_api, "open sesame", date(2026, 8, 1))
        assert Pool.asked[-1] == "/pool/payouts?from=2026-08-01"
        assert [(one.id, str(one.coins)) for one in found.payouts] == [
            ("tx-a1", "1.00000000"),
            ("tx-b2", "2.50000000"),
            ("tx-d4", "0.00000007"),
        ]
        taken = run("--pool", "--since", "2026-08-10")
        assert Pool.asked[-1] == "/pool/payouts?from=2026-08-10"
        assert [one["id"] for one in taken["booked"]] == ["tx-a1", "tx-b2"], "what is later waits"
        again = run("--pool")
        assert Pool.asked[-1] == "/pool/payouts?from=2026-07-23"
        assert (again["booked"], again["known"]) == ([], ["tx-a1", "tx-b2"])
        assert again["coins_free"] == "63.50000000"
        monkeypatch.setenv("POOL_TOKEN", "wrong")
        with pytest.raises(Refused, match="401: no token"):
            run("--pool")
        monkeypatch.delenv("POOL_TOKEN")
        with pytest.raises(Invalid, match="set POOL_TOKEN"):
            run("--pool")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (pool_row("a", "-1"), "no amount"),
        (pool_row("a", "NaN"), "no amount"),
        (pool_row("a", "many"), "has no amount in 'amount_sats'"),
        (pool_row("a", 1, "yesterday"), "of no instant: 'yesterday'"),
        (pool_row("a", 1, 99_999_999_999), "of no instant"),
        (pool_row("", 1), "has no id in 'tx_id'"),
        ({"tx_id": "a", "status": "confirmed"}, "payout 1 of the pool has no 'amount_sats'"),
        ({"tx_id": "a"}, "payout 1 of the pool has no 'status'"),
        (3, "payout 1 of the pool has no 'status'"),
    ],
)
def test_a_payout_that_cannot_be_read_is_refused(row: Any, words: str) -> None:
    api = PoolApi(
        url="https://pool.example/x", id="tx_id", at="resolved_at", amount="amount_sats",
        rows="onchain", unit="satoshi", status="status", paid=("confirmed",),
    )  # fmt: skip
    with pytest.raises(Wrong, match=words):
        pool_payouts([row], api, "BTC")
    with pytest.raises(Wrong, match="tells payout 'a' twice"):
        pool_payouts([pool_row("a", 1), pool_row("a", 2)], api, "BTC")
    again = pool_payouts([pool_row("a", 1)] * 2, api, "BTC")
    assert len(again.payouts) == 1
    assert again.notes == ("the pool's rows left out, the same as another row: 1",)
    for text in ("[]", '{"onchain": {}}', "3"):
        with pytest.raises(
            Wrong, match="a list of up to 100,000 payouts was expected at 'onchain'"
        ):
            read_pool_page(text, api)
    with pytest.raises(Wrong, match="no JSON"):
        read_pool_page("<html>", api)


@pytest.mark.parametrize(
    ("was", "is_", "words"),
    [
        ("http://HOST", "http://pool.example", "begins with https://"),
        ('id = "tx_id"\n', "", "id is missing"),
        ('"satoshi"', '"gwei"', "unit is coin or satoshi"),
        ('paid = ["confirmed"]', "", "give both or neither"),
        ('secret = "env:POOL_TOKEN"', "", "give both or neither"),
        ("env:POOL_TOKEN", "hunter2", "says where it is kept"),
        ("Pool-Auth-Token", "Bad: header", "letters, digits and hyphens"),
    ],
)
def test_a_pool_that_is_none_is_a_problem_of_its_file(
    mine: Path, was: str, is_: str, words: str
) -> None:
    text = (mine / "headframe.toml").read_text() + API.replace(was, is_).replace(
        "HOST", "127.0.0.1:1"
    )
    problems = read_settings(text)
    assert isinstance(problems, tuple)
    assert any(words in str(one) for one in problems), problems


def test_the_command_books_what_the_pool_paid(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = int(datetime(2026, 8, 22, 15, 33, tzinfo=UTC).timestamp())
    paid = [transaction(k, "2026-08-22", 5_000) for k in (1, 2, 3)]
    paid[0]["status"]["block_time"] = paid[1]["status"]["block_time"] = at
    monkeypatch.setattr(sys.modules[__name__], "PAID", paid)
    with serving() as host:
        place = ["--esplora", f"http://{host}/api", "--workspace", str(mine), "--json"]
        for booked, known in ((2, 0), (0, 2)):
            app.main(["coins", "--address", ADDRESS, *place], standalone_mode=False)
            told = json.loads(capsys.readouterr().out)
            assert (len(told["booked"]), len(told["known"])) == (booked, known)
    app.main(["coins", "--sales", "--workspace", str(mine), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["rows"] == []
    with pytest.raises(Wrong, match="give one of"):
        app.main(["coins", "--workspace", str(mine)], standalone_mode=False)


def test_a_server_that_fails_is_told_apart() -> None:
    with serving() as host:
        with pytest.raises(Refused, match="401"):
            fetch_periods("node", f"http://{host}", retargets())
        with pytest.raises(Refused, match="404"):
            fetch_periods("esplora", f"http://{host}/nothing", retargets())
        with pytest.raises(Refused, match="302"):
            fetch_periods("esplora", f"http://{host}/moved", retargets())
        with pytest.raises(Malformed, match="16 MiB"):
            fetch_periods("esplora", f"http://{host}/huge", retargets())
        with pytest.raises(Refused, match="Block not found"):
            fetch_periods(
                "node", f"http://me:secret@{host}", [replace(retargets()[0], height=900_000)]
            )
    with pytest.raises(Unreachable):
        fetch_periods("esplora", "http://127.0.0.1:9", retargets())
    for bad in (
        "ftp://x",
        "file:///etc/passwd",
        "nonsense",
        "http://",
        "http://[::1",
        "http://h:99999",
    ):
        with pytest.raises(Wrong, match="URL"):
            fetch_periods("esplora", bad, retargets())


def _pages(text: str) -> Any:
    def get(path: str) -> str:
        return "957610" if path.endswith("height") else text

    return get


def test_pages_that_are_no_transactions_are_malformed() -> None:
    for text in ("{}", "[1]", '[{"txid": "x"}]', "nope", json.dumps([{"txid": "0" * 64}])):
        with pytest.raises(Malformed):
            esplora.receipts(_pages(text), [ADDRESS], rules())
    assert esplora.receipts(_pages("[]"), [ADDRESS], rules()).receipts == ()


def test_the_command_extends_the_history_of_a_workspace(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a node named in the environment; what lies after the paper clock is left out, and said."""
    at = ["--workspace", str(mine), "--as", "treasurer"]

    def fetched(*options: str) -> Any:
        found = CliRunner().invoke(app, ["history", "fetch", *options, *at, "--json"])
        assert found.exit_code == 0, found.output
        return json.loads(found.stdout), found.stderr

    class Real(Server):
        """The chain as the program's own history has it, and one period from the clock's future."""

        tip = 960_000

        def block(self, height: int) -> dict[str, Any] | None:
            known = {row.height: (int(row.at.timestamp()), row.bits) for row in retargets()}
            first: dict[int, Any] = known | {
                955_584: (1_782_525_600, latest().bits),
                957_600: (1_783_700_000, 0x17020F00),
                959_616: (1_798_000_000, 0x17020F00),
            }
            time, bits = first.get(height, (0, None))
            return None if bits is None else {"height": height, "timestamp": time, "bits": bits}

    with serving(Real) as host:
        monkeypatch.setenv("HEADFRAME_NODE_URL", f"http://me:secret@{host}")
        body, told = fetched()
        last = max(row.height for row in retargets() if row.exact)
        rebuilt = sum(row.height > last for row in retargets())
        assert body["new"] == rebuilt + 2, (
            "times made exact, the reported period, and the one after"
        )
        assert "rows after 2026-08-22T15:33:00Z were left out" in told
        monkeypatch.delenv("HEADFRAME_NODE_URL")
        again, _ = fetched("--esplora", f"http://{host}/api")
        assert again["new"] == 0
    shown = CliRunner().invoke(app, ["history", "show", *at, "--json"])
    assert [row["height"] for row in json.loads(shown.stdout)["rows"][-2:]] == [955_584, 957_600]
    assert "secret" not in (mine / "headframe.db").read_bytes().decode("latin-1")
    refused = CliRunner().invoke(app, ["history", "fetch", *at])
    assert "HEADFRAME_NODE_URL" in str(refused.exception)
