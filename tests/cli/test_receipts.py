"""Coins and production from a pool and from a chain, as a person types them, against servers on loopback."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from headframe.chain import latest
from headframe.cli.app import app
from headframe.desk import audit, checkpoint
from headframe.desk.ports import Broken, Stopped
from headframe.units import Wrong
from headframe.wiring import open_office

ALPHA, BETA = "bc1qalphaalphaalphaalphaalphaalpha00001", "bc1qbetabetabetabetabetabetabeta000002"
POOL, MARKET = "3PoolPoolPoolPoolPoolPoolPoolPool9", "bc1qmarketmarketmarketmarket0000000003"
TIP, START = 966_000, 1_788_220_800
"""1 September 2026, 00:00 UTC; the clock of these workspaces stands at 20 September, noon."""
Answer = Callable[[str], "tuple[int, str]"]


def tx(
    number: int,
    day: float,
    inputs: list[tuple[str, int]],
    outputs: list[tuple[str, int]],
    **more: Any,
) -> dict[str, Any]:
    height = more.get("height", TIP - 2_000 + int(day * 100))
    coinbase = [{"txid": "0" * 64, "vout": 2**32 - 1, "prevout": None, "is_coinbase": True}]
    spent = [
        {"txid": "ef" * 32, "vout": 0, "prevout": {"scriptpubkey_address": a, "value": v}}
        for a, v in inputs
    ]
    return {
        "txid": f"{number:064x}",
        "vin": spent or coinbase,
        "vout": [{"scriptpubkey_address": a, "value": v} for a, v in outputs],
        "status": {
            "confirmed": True,
            "block_height": height,
            "block_time": START + int(day * 86_400),
        },
    }


def explorer(*transactions: dict[str, Any], tip: int = TIP, count: int | None = None) -> Answer:
    """A server that has these transactions, newest first, 25 a page."""

    def of(address: str) -> list[dict[str, Any]]:
        def touches(one: dict[str, Any]) -> bool:
            ins = [row["prevout"]["scriptpubkey_address"] for row in one["vin"] if row["prevout"]]
            return address in ins or address in [row["scriptpubkey_address"] for row in one["vout"]]

        found = [one for one in transactions if touches(one)]
        return sorted(found, key=lambda one: -one["status"]["block_height"])

    def get(path: str) -> tuple[int, str]:
        if path == "/blocks/tip/height":
            return 200, str(tip)
        parts = path.strip("/").split("/")
        rows = of(parts[1])
        if len(parts) == 2:
            total = len(rows) if count is None else count
            return 200, json.dumps({"address": parts[1], "chain_stats": {"tx_count": total}})
        ids = [one["txid"] for one in rows]
        first = ids.index(parts[4]) + 1 if len(parts) > 4 else 0
        return 200, json.dumps(rows[first : first + 25])

    return get


@contextmanager
def serving(get: Answer, post: Callable[[str], str] | None = None) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Nothing on stderr."""

        def reply(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_GET(self) -> None:
            self.reply(*get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            assert post is not None
            self.reply(200, post(body))

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Mine:
    """A workspace whose clock stands at 20 September 2026, and its commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plain = (folder / "headframe.toml").read_text()
        self.run("clock", "--to", "2026-09-20T12:00:00Z")

    def run(self, *words: str) -> Any:
        asked = [*words, "--workspace", str(self.folder), "--json"]
        found = CliRunner().invoke(app, asked)
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        assert found.exit_code == 0, found.output
        return json.loads(found.stdout)

    def pool(self, url: str, **settings: str) -> Any:
        fields = {"id": "id", "at": "at", "amount": "amount"} | settings
        table = "".join(f"{name} = {json.dumps(value)}\n" for name, value in fields.items())
        text = f'{self.plain}\n[pool_api]\nurl = "{url}/payouts?from={{since}}"\n{table}'
        (self.folder / "headframe.toml").write_text(text)
        return self.run("coins", "--pool", "--since", "2026-09-01")

    def mined(self, code: str = "BTC") -> str:
        rows = self.run("ledger")["balances"]
        found = [
            r["balance"] for r in rows if r["account"] == "income:mined" and r["currency"] == code
        ]
        return found[0].removeprefix("-") if found else "0"

    def sound(self) -> None:
        office = open_office(self.folder, user="x")
        assert audit.verify(office).sound
        kept = checkpoint.read(checkpoint.written(office.state()))
        assert kept is not None
        assert kept.payouts == office.state().payouts
        assert kept.matched_payouts == office.state().matched_payouts


@pytest.fixture
def at_work(mine: Path) -> Mine:
    return Mine(mine)


def coins(mine: Mine, url: str, *addresses: str) -> Any:
    named = [word for one in addresses for word in ("--address", one)]
    return mine.run("coins", *named, "--esplora", url)


BATCH = tx(7, 4, [(POOL, 10**10)], [(ALPHA, 41_000_000), (BETA, 17_000_000), (POOL, 9 * 10**9)])


@pytest.mark.parametrize("order", [(ALPHA, BETA), (BETA, ALPHA)])
def test_one_transaction_to_two_addresses_is_booked_output_by_output(
    at_work: Mine, order: tuple[str, str]
) -> None:
    with serving(explorer(BATCH)) as url:
        for address in (*order, *order):
            coins(at_work, url, address)
    assert at_work.mined() == "0.58000000"
    at_work.sound()


def pool_answer(*rows: dict[str, Any]) -> Answer:
    return lambda _: (200, json.dumps(list(rows)))


@pytest.mark.parametrize("pool_first", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_a_payout_told_by_pool_and_chain_at_other_instants_is_one(
    at_work: Mine, *, pool_first: bool, named: bool
) -> None:
    txid = f"{7:064x}"
    row = {"id": txid if named else "pm-1", "at": START + 4 * 86_400 - 1_800, "amount": "0.41"}
    later = {"id": "pm-2", "at": START + 8 * 86_400, "amount": "0.5"}
    with serving(pool_answer(row)) as pool, serving(explorer(BATCH)) as chain:
        steps: list[Callable[[], Any]] = [
            lambda: at_work.pool(pool),
            lambda: coins(at_work, chain, ALPHA),
        ]
        found = [step() for step in (steps if pool_first else steps[::-1])]
        assert len(found[1]["same"]) == 1
        for step in steps:
            assert step()["booked"] == []
    assert at_work.mined() == "0.41000000"
    with serving(pool_answer(row, later)) as pool:
        assert [one["id"] for one in at_work.pool(pool)["booked"]] == ["tx-pm-2"], "others go on"
    at_work.sound()


def test_a_file_that_names_the_transaction_is_the_same_payout(
    at_work: Mine, tmp_path: Path
) -> None:
    file = tmp_path / "pool.csv"
    file.write_text(f"id,kind,at,coins,txid\np-9,payout,2026-09-04,0.41,{7:064x}\n")
    at_work.run("coins", str(file))
    with serving(explorer(BATCH)) as url:
        assert coins(at_work, url, ALPHA)["same"][0]["booked_as"] == "p-9"
        assert coins(at_work, url, BETA)["booked"][0]["coins"]["smallest"] == 17_000_000
    assert at_work.run("coins", str(file))["booked"] == []
    assert at_work.mined() == "0.58000000"


CHANGE = tx(9, 9, [(ALPHA, 41_000_000)], [(MARKET, 20_000_000), (ALPHA, 20_990_000)])
MOVED = tx(10, 10, [(ALPHA, 20_990_000)], [(BETA, 20_980_000)])


def test_change_and_transfers_of_our_own_are_no_income_in_any_command(at_work: Mine) -> None:
    with serving(explorer(BATCH, CHANGE, MOVED)) as url:
        found = coins(at_work, url, ALPHA, BETA)
        assert len(found["booked"]) == 2
        recorded = ["mining", "payouts", "--esplora", url, "--address", ALPHA, "--address", BETA]
        assert at_work.run(*recorded)["new"] == 1
        state = open_office(at_work.folder, user="x").state()
        assert {str(day): text for day, text in state.mined.items()} == {"2026-09-05": "0.58000000"}
    assert at_work.mined() == "0.58000000"


@pytest.mark.parametrize("order", [(ALPHA, BETA), (BETA, ALPHA)])
def test_a_transfer_is_no_income_in_whatever_order_addresses_become_known(
    at_work: Mine, order: tuple[str, str]
) -> None:
    with serving(explorer(BATCH, CHANGE, MOVED)) as url:
        notes = [coins(at_work, url, address)["notes"] for address in (*order, *order)]
    assert at_work.mined() == "0.58000000"
    taken_back = [one for some in notes for one in some if "taken back" in one]
    assert len(taken_back) == (order[0] == BETA)
    months = open_office(at_work.folder, user="x").state().months
    assert next(iter(months.values())).mined == 0.58
    at_work.sound()


def test_addresses_of_the_settings_are_our_own_too(at_work: Mine) -> None:
    text = f'{at_work.plain}\n[wallet]\naddresses = ["{ALPHA}"]\n'
    (at_work.folder / "headframe.toml").write_text(text)
    with serving(explorer(BATCH, CHANGE, MOVED)) as url:
        assert len(coins(at_work, url, BETA)["booked"]) == 1
    assert at_work.mined() == "0.17000000"


def test_coins_of_a_block_reward_wait_until_they_can_be_spent(at_work: Mine) -> None:
    for depth, booked in ((99, 0), (100, 1)):
        reward = tx(30, 19, [], [(ALPHA, 31_500_000)], height=TIP - depth + 1)
        with serving(explorer(reward)) as url:
            found = coins(at_work, url, ALPHA)
            assert len(found["booked"]) == booked
            recorded = ["mining", "payouts", "--esplora", url, "--address", ALPHA]
            assert at_work.run(*recorded)["new"] == booked
        if not booked:
            (said,) = found["notes"]
            assert "1 of block rewards (0.31500000 BTC) wait" in said
            assert f"until height {TIP + 1:,}, about 2026-09-20 16:30 UTC" in said
    shallow = tx(31, 19, [(POOL, 10**9)], [(ALPHA, 1_000_000)], height=TIP - 3)
    with serving(explorer(shallow)) as url:
        (said,) = coins(at_work, url, ALPHA)["notes"]
    assert "1 of payments (0.01000000 BTC) wait" in said


def many(count: int) -> list[dict[str, Any]]:
    return [tx(100 + n, n / 10, [(POOL, 10**9)], [(ALPHA, 1_000_000)]) for n in range(count)]


def test_the_pages_of_an_address_are_all_read_or_refused(at_work: Mine) -> None:
    whole = explorer(*many(60))
    with serving(whole) as url:
        assert len(coins(at_work, url, ALPHA)["booked"]) == 60

    def first_page_only(path: str) -> tuple[int, str]:
        return whole(f"/address/{ALPHA}/txs/chain") if "/txs/chain/" in path else whole(path)

    with serving(first_page_only) as url, pytest.raises(Broken, match="same 25 transactions"):
        coins(at_work, url, ALPHA)
    with (
        serving(explorer(*many(10), count=31)) as url,
        pytest.raises(Broken, match="gave 10 of the 31 confirmed transactions"),
    ):
        coins(at_work, url, ALPHA)


def test_a_server_behind_what_is_known_is_refused_everywhere(at_work: Mine) -> None:
    with serving(explorer(BATCH, tip=955_583)) as url:
        for words in (
            ("coins", "--address", ALPHA, "--esplora", url),
            ("mining", "payouts", "--address", ALPHA, "--esplora", url),
            ("history", "fetch", "--esplora", url),
        ):
            with pytest.raises(Stopped, match=r"tip 955,583 lies below .*to 955,584") as told:
                at_work.run(*words)
            assert told.value.status == 6


def node(info: dict[str, Any] | None, tip: int, **header: Any) -> Callable[[str], str]:
    from headframe.chain import retargets

    last = max((row for row in retargets() if row.exact), key=lambda row: row.height)
    block = {"height": last.height, "time": int(last.at.timestamp()), "bits": f"{last.bits:08x}"}

    def post(body: str) -> str:
        method = json.loads(body)["method"]
        if method == "getblockchaininfo" and info is None:
            return json.dumps({"result": None, "error": {"code": -32601, "message": "no method"}})
        known = {"getblockcount": tip, "getblockhash": "00" * 32, "getblockchaininfo": info}
        return json.dumps({"result": known.get(method, block | header), "error": None})

    return post


MAIN = {"chain": "main", "initialblockdownload": False, "blocks": 963_000, "headers": 963_000}


@pytest.mark.parametrize(
    ("info", "tip", "header", "status", "words"),
    [
        (MAIN, 900_000, {}, 6, "tip 900,000 lies below the heights that are known here"),
        (None, 900_000, {}, 6, "tip 900,000 lies below"),
        (MAIN | {"chain": "testnet4"}, 148_000, {}, 6, r"\(it says: chain testnet4\)"),
        (MAIN | {"chain": "signet"}, 963_000, {}, 5, "another chain than Bitcoin's"),
        (MAIN | {"initialblockdownload": True}, 963_000, {}, 6, "initial block download"),
        (MAIN | {"headers": 963_900}, 963_000, {}, 6, "963,000 of 963,900 blocks read"),
        (None, 963_000, {"bits": "1d00ffff"}, 5, "on another chain: its block .* bits 1d00ffff"),
        (MAIN, 963_000, {"time": 1_700_000_000}, 5, "on another chain: its block"),
    ],
)
def test_a_node_that_lags_or_is_on_another_chain_is_refused(
    at_work: Mine, info: Any, tip: int, header: Any, status: int, words: str
) -> None:
    with (
        serving(lambda _: (404, ""), node(info, tip, **header)) as url,
        pytest.raises((Stopped, Broken), match=words) as told,
    ):
        at_work.run("history", "fetch", "--node", url)
    assert getattr(told.value, "status", 5) == status
    assert not open_office(at_work.folder, user="x").state().retargets


@pytest.mark.parametrize("route", ["file", "workbook", "pool", "address", "record", "payouts"])
def test_coins_in_satoshi_are_refused_on_every_route(
    at_work: Mine, tmp_path: Path, route: str
) -> None:
    from headframe.feed import write_table

    big = tx(50, 5, [(POOL, 10**16)], [(ALPHA, 32_500_000_000_000)])
    file = tmp_path / ("x.xlsx" if route == "workbook" else "x.csv")
    head: list[str | float | int] = ["id", "kind", "at", "coins"]
    row: list[str | float | int] = ["s-1", "payout", "2026-09-03T10:00:00Z", 325_000]
    if route == "record":
        head, row = ["day", "coins"], ["2026-09-03", 325_000]
    write_table(file, [head, row])
    answer = {"id": "s-1", "at": START, "amount": 325_000}

    def get(path: str) -> tuple[int, str]:
        known = urlsplit(path).path == "/payouts"
        return (200, json.dumps([answer])) if known else explorer(big)(path)

    with serving(get) as url:
        steps: dict[str, Callable[[], Any]] = {
            "file": lambda: at_work.run("coins", str(file)),
            "workbook": lambda: at_work.run("coins", str(file)),
            "pool": lambda: at_work.pool(url),
            "address": lambda: coins(at_work, url, ALPHA),
            "record": lambda: at_work.run("mining", "record", str(file)),
            "payouts": lambda: at_work.run(
                "mining", "payouts", "--esplora", url, "--address", ALPHA
            ),
        }
        head_before = open_office(at_work.folder, user="x").state().head
        with pytest.raises(
            (Stopped, Wrong), match=r"expected at most .* got 325,000; fix: .*likely in satoshi"
        ):
            steps[route]()
    assert open_office(at_work.folder, user="x").state().head == head_before


def test_a_payout_booked_once_is_production_too(at_work: Mine, tmp_path: Path) -> None:
    file, record, speed = tmp_path / "p.csv", tmp_path / "r.csv", tmp_path / "h.csv"
    days = [f"2026-09-{n:02d}" for n in range(1, 11)]
    file.write_text(
        "id,kind,at,coins\n" + "".join(f"p-{d},payout,{d}T03:00:00Z,3.25\n" for d in days)
    )
    speed.write_text("day,hashrate\n" + "".join(f"{d},7 EH/s\n" for d in days))
    periods = tmp_path / "periods.csv"
    bits = f"{latest().bits:08x}"
    periods.write_text(
        "height,time,bits\n"
        + "".join(
            f"{955_584 + 2_016 * n},{1_782_525_600 + 1_209_600 * n},{bits}\n" for n in range(6)
        )
    )
    at_work.run("history", "import", str(periods))
    at_work.run("coins", str(file))
    at_work.run("mining", "telemetry", str(speed))
    (month,) = at_work.run("mining", "audit")["months"]
    assert (month["paid"], month["days"], month["payouts"]) == (32.5, 10, 10)
    record.write_text("day,coins\n2026-09-04,3.25\n2026-09-05,3.25\n")
    at_work.run("mining", "record", str(record))
    (again,) = at_work.run("mining", "audit")["months"]
    assert again == month, "a day recorded both ways counts once"
    record.write_text("day,coins\n2026-09-04,3.20\n")
    at_work.run("mining", "record", str(record))
    assert at_work.run("mining", "audit")["months"][0]["paid"] == pytest.approx(32.45)


def test_a_file_whose_rows_name_another_coin_is_read_as_that_coin_or_refused(
    at_work: Mine, tmp_path: Path
) -> None:
    file = tmp_path / "coins.csv"
    for column, word in (("coinName", "DOGE"), ("currency", "doge"), ("asset", "Dogecoin")):
        file.write_text(f"id,kind,at,coins,{column}\n{column},payout,2026-09-03,5000,{word}\n")
        at_work.run("coins", str(file))
    assert (at_work.mined("DOGE"), at_work.mined()) == ("15000.00000000", "0")
    file.write_text("id,kind,at,coins,coin\nx,payout,2026-09-03,5000,PEPE\n")
    with pytest.raises(Wrong, match="not in these books"):
        at_work.run("coins", str(file))
    file.write_text("day,coins,coin\n2026-09-03,3.1,BTC\n2026-09-03,500,DOGE\n")
    with pytest.raises(Wrong, match="line 3: coin: expected BTC, got 'DOGE'"):
        at_work.run("mining", "record", str(file))
