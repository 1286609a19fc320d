"""The command line from outside: a process, its exit status, its two streams."""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest

from headframe.pricing import black76_greeks, inverse_greeks
from waiting import LIMIT

DEMO_WORDS = (
    "1 MARKET", "2 FORECAST", "3 MANDATE", "REFUSED: feldspar", "4 CANDIDATES", "5 PROPOSAL", "REFUSED: P-1 is not approved",
    "6 REQUEST FOR QUOTES", "received after the response time", "no longer good", "declined:", "booked as T-1", "7 RISK",
    "BEAR course", "STABLE course", "BULL course", "8 LIFE", "days closed through 2026-10-31", "9 RECORD", "books balance", "SUM",
)  # fmt: skip


def run(*arguments: Any, cwd: Any = None, env: Any = None, status: Any = 0) -> Any:
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith("HEADFRAME")
    }
    done = subprocess.run(
        [sys.executable, "-m", "headframe", *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd, env=environment | (env or {}), check=False, timeout=LIMIT,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == status, (done.returncode, done.stdout[-500:], done.stderr[-500:])
    return done


def answer(*arguments: Any, **options: Any) -> Any:
    return json.loads(run(*arguments, "--json", **options).stdout)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("demo") / "mine"
    done = run("demo", folder)
    return folder, done.stdout


def test_the_demo_tells_the_whole_story_and_ends_by_itself(demo: Any) -> None:
    folder, story = demo
    for word in DEMO_WORDS:
        assert word in story, word
    assert "\x1b" not in story, "no colours without a terminal"
    for name in (
        "result.md",
        "result.html",
        "headframe.db",
        "headframe.toml",
        "mandate.toml",
        "counterparties.toml",
    ):
        assert (folder / name).stat().st_size > 1000
    assert len(list((folder / "courses").iterdir())) == 3


def test_every_figure_of_the_demo_comes_from_the_commands(demo: Any) -> None:
    folder, story = demo
    for command in ("trades", "ledger"):
        shown = run(command, "--workspace", folder).stdout
        lines = [line for line in shown.splitlines() if line.strip()]
        assert all(line in story for line in lines), command


def test_a_demo_repeats_byte_for_byte(demo: Any, tmp_path: Path) -> None:
    folder, _ = demo
    run("demo", tmp_path / "again")
    one, two = (
        run("export", "--canonical", "--workspace", place).stdout
        for place in (folder, tmp_path / "again")
    )
    assert one == two
    for course in ("bear", "bull"):
        places = (folder / "courses" / course, tmp_path / "again" / "courses" / course)
        first, second = (
            run("export", "--canonical", "--workspace", place).stdout for place in places
        )
        assert first == second


def test_a_second_demo_into_the_same_folder_is_refused_and_changes_nothing(demo: Any) -> None:
    folder, _ = demo
    before = (folder / "headframe.db").read_bytes()
    done = run("demo", folder, status=2)
    assert done.stderr.count("\n") == 1
    assert "choose another folder" in done.stderr
    assert (folder / "headframe.db").read_bytes() == before


COMMANDS = {
    "check": (["check"], "check", 0), "clock": (["clock"], "clock", 0), "market": (["market", "show"], "market", 0),
    "mandate": (["mandate", "show"], "mandate", 0), "diff": (["mandate", "diff"], "mandate-diff", 0),
    "grid": (["counterparty", "grid"], "counterparty-grid", 0), "asked": (["counterparty", "questionnaire", "amber"], "counterparty-questionnaire", 0),
    "counterparty": (["counterparty", "list"], "counterparties", 0), "forecast": (["forecast"], "forecast", 0),
    "trades": (["trades"], "trades", 0), "ledger": (["ledger"], "ledger", 0), "pnl": (["pnl"], "pnl", 0),
    "margin": (["margin"], "margin", 0), "credit": (["credit"], "credit", 0), "watch": (["watch", "--once"], "watch", 0),
    "report": (["report"], "report", 0), "audit": (["audit", "verify"], "audit", 0), "scenario": (["scenario"], "scenario", 0),
    "plan": (["plan", "--dry-run"], "plan", 0), "simulate": (["simulate", "--paths", "600"], "simulate", 0),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_reading_command_answers_in_json_with_its_schema(name: str, demo: Any) -> None:
    folder, _ = demo
    arguments, schema, status = COMMANDS[name]
    found = answer(*arguments, "--workspace", folder, status=status)
    assert found["schema"] == f"headframe/{schema}/1"
    plain = run(*arguments, "--workspace", folder, status=status).stdout
    assert plain.strip()


def test_help_names_every_command_and_is_documented() -> None:
    listed = run("--help").stdout
    assert listed == run().stdout == run("-h").stdout
    assert run("--version").stdout == "headframe, version 0.1.0\n"
    assert run("check", "--workspace", "x", "--version", status=2).stderr
    for name in ("demo", "init", "plan", "approve", "rfq", "watch", "audit", "price"):
        assert f"  {name} " in listed
        assert "Usage:" in run(name, "--help").stdout


def test_the_worked_example_without_a_workspace(tmp_path: Path) -> None:
    given = [
        "scenario",
        "--coins",
        "100",
        "--cost",
        "30000",
        "--spot",
        "40000",
        "--put",
        "35000",
        "--call",
        "50000",
        "--prices",
        "25000,40000,60000",
    ]
    done = run(*given, "--json", cwd=tmp_path)
    rows = json.loads(done.stdout)["rows"]
    assert rows[0] == {
        "price": 25000.0, "strategy": "unhedged", "revenue_per_coin": 25000.0, "profit_per_coin": -5000.0,
        "revenue": 2500000.0, "profit": -500000.0,
    }  # fmt: skip
    collar = {
        row["price"]: row["profit_per_coin"] for row in rows if row["strategy"] == "costless_collar"
    }
    assert collar == {25000.0: 5000.0, 40000.0: 10000.0, 60000.0: 20000.0}
    for word in ("short_future", "protective_put", "zero cost"):
        assert word in done.stderr
    full = answer(
        *given,
        "--forward",
        "40400.50",
        "--put-premium",
        "2403.02",
        "--call-premium",
        "1767.20",
        cwd=tmp_path,
    )
    assert {row["strategy"] for row in full["rows"]} == {
        "unhedged",
        "short_future",
        "protective_put",
        "costless_collar",
    }


def write(path: Any, *rows: Any) -> Any:
    path.write_text("kind,style,forward,strike,vol,years,discount\n" + "\n".join(rows) + "\n")
    return path


def test_price_appends_five_columns_in_full_precision(tmp_path: Path) -> None:
    file = write(
        tmp_path / "a.csv",
        "call,linear,40000,50000,0.6,0.25,1",
        "put,inverse,40000,35000,0.6,0.25,0.99",
        "forward,linear,40000,39000,,0.5,0.98",
    )
    rows = list(csv.DictReader(StringIO(run("price", file).stdout)))
    assert list(rows[0])[-5:] == ["price", "delta", "gamma", "vega", "theta"]
    call = black76_greeks(1.0, 40_000.0, 50_000.0, 0.6, 0.25, 1.0)
    put = inverse_greeks(-1.0, 40_000.0, 35_000.0, 0.6, 0.25, 0.99)
    for row, wanted in zip(rows, (call, put), strict=False):
        assert [
            float(row[name]) for name in ("price", "delta", "gamma", "vega", "theta")
        ] == pytest.approx(list(wanted), rel=1e-13)
    assert float(rows[2]["price"]) == pytest.approx(980.0)


BAD_ROWS = ["swap,linear,1,1,1,1,1", "call,cubic,1,1,1,1,1", "call,linear,-1,1,1,1,1", "call,linear,nan,1,1,1,1", "call,linear,1,0,1,1,1", "call,linear,1,1,inf,1,1", "call,linear,1,1,1e9,1,1", "call,linear,1,1,,1,1", "call,linear,1,1,1,-1,1", "call,linear,1,1,1,1,0", "call,linear,1_0,1,1,1,1", "call,linear,１,1,1,1,1", "call,linear,1,1,1", "call,linear,1,1,1,1,1,9"]  # fmt: skip


def test_bad_rows_are_named_and_the_others_still_priced(tmp_path: Path) -> None:
    good = "call,linear,40000,50000,0.6,0.25,1"
    done = run("price", write(tmp_path / "a.csv", good, *BAD_ROWS, good), status=2)
    rows = list(csv.DictReader(StringIO(done.stdout)))
    assert len(rows) == len(BAD_ROWS) + 2
    assert rows[0]["price"] == rows[-1]["price"] != ""
    assert all(row["price"] == "" for row in rows[1:-1])
    assert done.stderr.count("a.csv line ") == len(BAD_ROWS)


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "kind,style,forward,strike,vol,years,discount,price\n", "\x00\x01"]
)
def test_a_table_without_its_columns_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert (
        "lacks the columns" in (found := run("price", tmp_path / "a.csv", status=2).stderr)
        or "twice" in found
        or "header line" in found
        or "is there already" in found
        or "text table" in found
    )


def test_init_to_trade_by_hand(tmp_path: Path, real_data: Path) -> None:
    place = ("--workspace", tmp_path / "mine")
    run(
        "init",
        tmp_path / "mine",
        "--market",
        real_data / "deribit_chains" / "btc_chain_20260822T153351Z.csv",
    )
    run("check", *place)
    assert "M-1.1" in run("plan", *place, status=4).stderr
    assert "not a signatory" in run("mandate", "sign", "--as", "treasurer", *place, status=4).stderr
    run("mandate", "sign", "--as", "board", *place)
    run("counterparty", "add", "amber", *place)
    assert (
        "somebody else must approve"
        in run("counterparty", "review", "amber", "--as", "treasurer", *place, status=4).stderr
    )
    for name in ("amber", "basalt", "cobalt", "dolomite", "emery"):
        run("counterparty", "add", name, *place)
        run("counterparty", "review", name, "--as", "risk", *place)
    run("counterparty", "add", "feldspar", *place)
    assert (
        "expired"
        in run("counterparty", "review", "feldspar", "--as", "risk", *place, status=4).stderr
    )
    plan = answer("plan", *place)
    name = plan["proposals"][0]["id"]
    assert "waits for an approval" in run("rfq", name, *place, status=7).stderr
    assert "M-8.2" in run("approve", name, *place, status=4).stderr
    planned = answer("simulate", "--paths", "300", "--hedge", "plan", *place)
    assert planned["legs"] >= 2
    assert answer("simulate", "--paths", "300", *place)["legs"] == 0
    run("approve", name, "--as", "cfo", *place)
    preview = answer("rfq", name, "--dry-run", *place)
    assert preview["schema"] == "headframe/rfq-preview/1"
    dealt = answer("rfq", name, "--as", "trader", *place)
    assert dealt["trade"]["legs"], "real strikes, real quotes"
    on = answer("simulate", "--paths", "300", *place)
    assert on["legs"] == len(dealt["trade"]["legs"])
    assert (
        answer("simulate", "--paths", "300", "--hedge", "plan", *place)["legs"] == planned["legs"]
    )
    anchor = answer("audit", "verify", *place)["anchor"]
    run("clock", "--to", "2026-09-01T00:00:00Z", *place)
    run("audit", "verify", "--anchor", anchor, *place)
    assert "M-7.1" in run("plan", *place, status=6).stderr
    assert "backwards" in run("clock", "--to", "2026-08-01", *place, status=2).stderr
    assert (
        answer("clock", "--course", "bear", "--until", "2026-09-05", *place)["last_day"]
        == "2026-09-05"
    )
    assert (
        "days up to 2026-09-05 are closed"
        in run("clock", "--course", "bear", "--until", "2026-09-05", *place, status=2).stderr
    )
    assert "cannot change" in run("clock", "--course", "bull", *place, status=4).stderr
    run("report", "--write", *place)
    assert (tmp_path / "mine" / "report.html").exists()
    early = answer("ledger", "--as-of", "2026-08-22T15:33:51.7Z", *place)
    assert len(early["balances"]) < len(answer("ledger", *place)["balances"])


def test_a_changed_mandate_voids_what_was_approved(approved: Path) -> None:
    place = ("--workspace", approved)
    policy = approved / "mandate.toml"
    policy.write_text(policy.read_text().replace("ceiling = 0.75", "ceiling = 0.80"))
    assert [change["key"] for change in answer("mandate", "diff", *place)["changes"]] == [
        "cover.bands[1].ceiling"
    ]
    run("rfq", "P-1", "--dry-run", "--as", "trader", *place)
    run("mandate", "sign", "--as", "board", *place)
    assert "mandate changed" in run("rfq", "P-1", "--as", "trader", *place, status=4).stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["nonsense"], 2), (["trades"], 3), (["price", "none.csv"], 3), (["scenario"], 2), (["scenario", "--coins", "x"], 2),
        (["scenario", "--coins", "1e999"], 2), (["scenario", "--prices", "1,,2"], 2), (["forecast", "--paths", "5"], 2),
        (["clock", "--to", "yesterday"], 2), (["trades", "--database", "mysql://x"], 2), (["trades", "--database", "postgresql://127.0.0.1:1/x"], 1), (["audit", "verify", "--anchor", "x"], 3),
        (["init", "/proc/none/x"], 1), (["export"], 2), (["market", "import", "x"], 3), (["watch", "--every", "0"], 2),
        (["scenario", "--coins", "1", "--cost", "1", "--put", "5", "--call", "4", "--prices", "1"], 2),
        (["scenario", "--coins", "-1", "--cost", "1", "--put", "4", "--call", "5", "--prices", "1"], 2),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_with_the_documented_status(
    arguments: Any, status: Any, tmp_path: Path
) -> None:
    done = run(*arguments, cwd=tmp_path, status=status)
    assert done.stderr.strip()
    assert done.stdout == ""


def test_check_finds_a_site_that_draws_too_much(mine: Path) -> None:
    text = (mine / "headframe.toml").read_text()
    (mine / "headframe.toml").write_text(text.replace("capacity_mw = 70.0", "capacity_mw = 60.0"))
    found = run("check", "--workspace", mine, status=2).stdout
    assert "Pecos Flat draws more than its capacity_mw in 2026-12" in found
    assert "2027-04" in found


@pytest.mark.parametrize("file", ["headframe.toml", "mandate.toml", "counterparties.toml"])
@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"= = =", b"[a]\nb = 1\n", None])
def test_broken_files_are_named_and_nothing_is_lost(file: str, text: Any, mine: Path) -> None:
    path = mine / file
    if text is None:
        path.unlink()
    else:
        path.write_bytes(text)
    place = ("--workspace", mine)
    empty = file == "counterparties.toml" and text == b""
    found = run("check", *place, status=0 if empty else (3 if text is None else 2))
    if not empty:
        assert file in found.stdout + found.stderr
    run("audit", "verify", *place)


def test_a_damaged_journal_is_one_clear_line(demo: Any, tmp_path: Path) -> None:
    folder, _ = demo
    place = tmp_path / "mine"
    place.mkdir()
    for name in ("headframe.toml", "mandate.toml", "counterparties.toml"):
        (place / name).write_bytes((folder / name).read_bytes())
    database = place / "headframe.db"
    whole = (folder / "headframe.db").read_bytes()
    for damaged in (
        b"",
        whole[:5000],
        whole.replace(b"amber", b"ambre", 1),
        b"x" * 9000,
    ):
        database.write_bytes(damaged)
        done = run("trades", "--workspace", place, status=1)
        assert done.stderr.count("\n") == 1
        run("audit", "verify", "--workspace", place, status=1)
    database.write_bytes(whole)
    db = apsw.Connection(str(database))
    db.execute(
        "DROP TRIGGER events_never_change; UPDATE events SET author = 'nobody' WHERE seq = 9"
    )
    db.close()
    assert "changed from outside at event 9" in run("trades", "--workspace", place, status=1).stderr
    faults = answer("audit", "verify", "--workspace", place, status=1)["faults"]
    assert [fault["event"] for fault in faults] == [0, 9], (
        "the guards are gone and an event was changed"
    )


def test_a_market_without_the_needed_expiry_is_not_found(demo: Any) -> None:
    folder, _ = demo
    done = run("scenario", "--expiry", "01-JAN-30", "--workspace", folder, status=3)
    assert "listed: 28-AUG-26" in done.stderr


FIGURES = ["--coins", "100", "--cost", "30000", "--prices", "25000,60000", "--put", "35000", "--call", "50000"]  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [
        FIGURES,
        [*FIGURES, "--spot", "40000"],
        [*FIGURES, "--forward", "41000"],
        [*FIGURES, "--put-premium", "900", "--call-premium", "800"],
    ],
)
def test_a_workspace_adds_no_price_to_typed_figures(
    given: list[str], demo: Any, tmp_path: Path
) -> None:
    folder, _ = demo
    alone = json.loads(run("scenario", *given, "--json", cwd=tmp_path).stdout)
    inside = json.loads(run("scenario", *given, "--json", "--workspace", folder).stdout)
    assert inside["rows"] == alone["rows"]


def test_typed_prices_and_an_expiry_of_the_market_exclude_each_other(demo: Any) -> None:
    folder, _ = demo
    given = ("scenario", "--workspace", folder)
    expiry = "25-DEC-26"
    done = run(*given, "--expiry", expiry, "--spot", "40000", status=2)
    assert "--spot" in done.stderr
    run(*given, "--expiry", expiry, "--put", "70000", "--call", "90000")
    incomplete = run(*given, "--spot", "40000", status=2)
    assert "--put, --call" in incomplete.stderr


def test_an_unwritable_stdout_is_an_error_not_a_crash(demo: Any) -> None:
    folder, _ = demo
    if not os.path.exists("/dev/full"):  # noqa: PTH110 - a device
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "headframe", "ledger", "--workspace", str(folder)], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_in_a_terminal_there_is_colour_unless_it_is_not_wanted(demo: Any, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    folder, _ = demo

    def shown(**extra: Any) -> Any:
        parent, child = pty.openpty()
        environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "200"} | extra
        done = subprocess.Popen(
            [sys.executable, "-m", "headframe", "watch", "--once", "--workspace", str(folder)],
            stdout=child,
            stderr=child,
            env=environment,
        )
        os.close(child)
        parts = []
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:
                break
            if not part:
                break
            parts.append(part)
        done.wait()
        os.close(parent)
        return b"".join(parts).decode()

    assert "\x1b[" in shown()
    assert "\x1b[3" not in shown(NO_COLOR="1")


def test_racing_approvals_decide_one_after_the_other(mine: Path) -> None:
    place = ("--workspace", mine)
    name = answer("plan", *place)["proposals"][0]["id"]
    racers = [
        subprocess.Popen([sys.executable, "-m", "headframe", "approve", name, "--as", who, *map(str, place)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for who in ("cfo", "risk") * 4
    ]  # fmt: skip
    for racer in racers:
        racer.communicate()
        assert racer.returncode == 0
    run("audit", "verify", *place)
    assert (
        sum(
            event["kind"] == "approved"
            for event in json.loads(run("export", "--canonical", *place).stdout)["events"]
        )
        == 8
    )


def test_killed_while_dealing_the_next_run_settles_it_once(approved: Path, tmp_path: Path) -> None:
    """kill -9 as soon as the street has written once (the request) or twice (the fill)."""
    for writes in (1, 2):
        mine = tmp_path / f"kill{writes}"
        shutil.copytree(approved, mine)
        memory = mine / "street.jsonl"
        memory.touch()
        deal = [
            sys.executable,
            "-m",
            "headframe",
            "rfq",
            "P-1",
            "--as",
            "trader",
            "--workspace",
            str(mine),
        ]
        dealing = subprocess.Popen(deal, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while dealing.poll() is None and memory.read_bytes().count(b"\n") < writes:
            time.sleep(0.0005)
        dealing.kill()
        dealing.wait()
        again = subprocess.run(deal, capture_output=True, text=True, check=False)
        assert again.returncode in {0, 4}, again.stderr
        run("audit", "verify", "--workspace", mine)
        trades = answer("trades", "--workspace", mine)["trades"]
        filled = {
            json.loads(row)["label"]
            for row in memory.read_text().splitlines()
            if '"state":"filled"' in row
        }
        assert len(trades) == len(filled) == 1


def test_two_programs_walking_the_same_days_close_each_day_once(approved: Path) -> None:
    walk = [sys.executable, "-m", "headframe", "clock", "--course", "bear", "--until", "2026-10-15"]
    racers = [
        subprocess.Popen(
            [*walk, "--workspace", str(approved)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [racer.communicate()[1] for racer in racers]
    assert all("Traceback" not in text for text in said), said
    assert 0 in {racer.returncode for racer in racers} <= {0, 2, 4}
    events = json.loads(run("export", "--canonical", "--workspace", approved).stdout)["events"]
    days = [event["body"]["day"] for event in events if event["kind"] == "day"]
    assert len(days) == len(set(days)) == 45
    run("audit", "verify", "--workspace", approved)


def test_two_programs_never_deal_at_once(approved: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "headframe", "rfq", f"P-{1 + number % 2}", "--as", "trader", "--workspace", str(approved)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        for number in range(4)
    ]  # fmt: skip
    said = [racer.communicate()[1] for racer in racers]
    assert all("Traceback" not in text for text in said)
    assert {racer.returncode for racer in racers} <= {0, 1, 4}
    run("audit", "verify", "--workspace", approved)
    proposals = [trade["proposal"] for trade in answer("trades", "--workspace", approved)["trades"]]
    assert len(proposals) == len(set(proposals)) >= 1


HEADER = "kind,style,forward,strike,vol,years,discount,fixings,first_fixing_years,fixed_so_far,fixings_done,barrier_type,barrier,rebate,spot,carry,rate"  # fmt: skip


def test_price_knows_averages_and_barriers_and_names_bad_ones(tmp_path: Path) -> None:
    rows = (
        "call,linear,40000,50000,0.6,0.25,1,,,,,,,,,,",
        "put,average,78000,70000,0.45,0.25,0.99,30,0.17,,,,,,,,",
        "put,average,78000,70000,0.45,0.05,0.99,30,0.002,76000,12,,,,,,",
        "call,barrier,,90,0.25,0.5,,,,,,down-out,95,3,100,0.04,0.08",
        "call,barrier,102.0201340026756,90,0.25,0.5,0.9607894391523232,,,,,down-out,95,3,100,,",
        "call,barrier,,90,0.25,0.5,,,,,,sideways,95,3,100,0.04,0.08",
        "call,barrier,,90,0.25,0.5,,,,,,up-out,105,3,100,,0.08",
        "call,barrier,,90,0.25,0.5,1,,,,,up-out,105,3,100,0.04,-5",
        "put,average,78000,70000,0.45,0.25,0.99,1_0,0.17,,,,,,,,",
        "forward,average,78000,70000,0.45,0.25,0.99,10,0.17,,,,,,,,",
    )
    file = tmp_path / "a.csv"
    file.write_text("\n".join((HEADER, *rows)) + "\n")
    done = run("price", file, status=2)
    priced = [row["price"] for row in csv.DictReader(StringIO(done.stdout))]
    assert float(priced[3]) == pytest.approx(9.0246, abs=5e-5)
    assert float(priced[4]) == pytest.approx(float(priced[3]), rel=1e-9)
    assert float(priced[1]) == pytest.approx(2687.93, abs=0.01)
    assert priced[5:] == [""] * 5
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        f"a.csv line {line}" for line in (7, 8, 10, 11, 9)
    ]
    (tmp_path / "b.csv").write_text("kind,style,strike,years,vol\ncall,barrier,1,1,1\n")
    assert "spot, barrier_type, barrier" in run("price", tmp_path / "b.csv", status=2).stderr


def test_price_takes_a_volatility_for_each_fixing(tmp_path: Path) -> None:
    """Haug's table 4-28 row by row is of two moments; here the better method, within 0.02 of it."""
    up = ";".join(f"{0.2 - 0.005 * (25 - week):.3f}" for week in range(26))
    flat = "call,average,100,100,0.2,0.5,0.9753099120283326,26,0.019230769230769232"
    bare = flat.replace(",0.2,", ",,")
    rows = (
        f"{flat},",
        f"{flat},{';'.join(['0.2'] * 26)}",
        f"{bare},{up}",
        f"{bare},0.02:0.075; 0.5:0.2",
        f"{bare},",
        f"{bare},0.2;0.3",
        f"{bare},0.5:0.2; 0.1:0.3",
        f"{bare},0.1:x",
    )
    header = "kind,style,forward,strike,vol,years,discount,fixings,first_fixing_years,vols"
    file = tmp_path / "a.csv"
    file.write_text("\n".join((header, *rows)) + "\n")
    done = run("price", file, status=2)
    priced = [row["price"] for row in csv.DictReader(StringIO(done.stdout))]
    assert priced[0] == priced[1], "a flat curve is the single volatility"
    assert float(priced[0]) == pytest.approx(3.2700, abs=0.01)
    assert float(priced[2]) == pytest.approx(2.2819, abs=0.02)
    assert 2.2819 < float(priced[3]) < 3.27, "straight in variance is above straight in volatility"
    assert priced[4:] == [""] * 4
    assert "one volatility for each of the 26 fixings" in done.stderr
    assert done.stderr.count("fix:") == 3
    plain = tmp_path / "b.csv"
    plain.write_text(header.replace(",vols", "") + "\n" + flat + "\n")
    (alone,) = csv.DictReader(StringIO(run("price", plain).stdout))
    assert alone["price"] == priced[0]


def test_simulate_hashes_the_same_whatever_the_threads_and_writes_its_results(
    demo: Any, tmp_path: Path
) -> None:
    place = ("--workspace", demo[0])
    one = answer("simulate", "--paths", "3000", "--seed", "5", "--threads", "1", *place)
    two = answer(
        "simulate", "--paths", "3000", "--seed", "5", "--threads", "2", "--move", "-0.3",
        "--results", tmp_path / "a.npz", "--daily", tmp_path / "d.npz", "--daily-paths", "40", *place,
    )  # fmt: skip
    assert one["result_sha256"] == two["result_sha256"]
    assert one["legs"] > 0
    assert [row["name"] for row in two["scenarios"]][-1] == "own -30%"
    with np.load(tmp_path / "a.npz") as kept:
        assert kept["results"].shape == (3_000, len(kept["columns"]))
        ends = kept["results"][:40, list(kept["columns"]).index("end_price_usd")]
    with np.load(tmp_path / "d.npz") as kept:
        assert kept["price_usd"].shape == (40, len(kept["at"]))
        assert np.allclose(kept["price_usd"][:, -1], ends, rtol=2e-7)
    figures = one["summary"]["figures"]
    assert figures["hedge_usd"]["mean_se"] > 0.0
    assert abs(figures["end_price_usd"]["mean"] / 80_600 - 1.0) < 0.05
    bare = answer("simulate", "--paths", "300", "--hedge", "none", *place)
    assert (bare["legs"], bare["summary"]["figures"]["hedge_usd"]["mean"]) == (0, 0.0)
    shown = run("simulate", "--paths", "200", "--model", "heston_jumps", "--months", "2", *place)
    assert "Liquidity at risk" in shown.stdout
    assert "result_sha256" in shown.stdout
    plain = answer(
        "simulate", "--paths", "200", "--seed", "5", "--model", "gbm", "--months", "2", *place
    )
    at_risk, peak = plain["liquidity_at_risk"], plain["peak_variation"]
    assert at_risk == one["liquidity_at_risk"], "one figure whatever model the run has"
    assert list(at_risk["simulated"]) == ["gbm"]
    assert peak["model"] == "gbm"
    assert peak["vol"] == pytest.approx(plain["model"]["v0"] ** 0.5, rel=0.02)
    for bad in (
        ["--paths", "0"], ["--seed", "-1"], ["--model", "x"], ["--covenant", "nan"], ["--move", "-1"],
        ["--threads", "0"], ["--results", "a.csv"], ["--results", "no/a.npz"],
        ["--daily", "d.csv"], ["--daily", "d.npz", "--daily-paths", "0"], ["--daily", "d.npz", "--results", "./d.npz"], ["--cluster", "localhost"], ["--months", "99"],
    ):  # fmt: skip
        assert "Traceback" not in run("simulate", *bad, *place, status=2).stderr
    assert "no Dask" in run("simulate", "--cluster", "tcp://127.0.0.1:9", *place, status=5).stderr


def test_structures_and_contracts_are_solved_on_the_workspaces_market(
    demo: Any, tmp_path: Path
) -> None:
    place = ("--workspace", demo[0])
    pair = answer("collar", "--put", "70000", "--expiry", "25-DEC-26", *place)
    assert pair["credit"]["residual"] <= 0.0 < pair["debit"]["residual"]
    three = answer("collar", "--put", "70000", "--lower", "55000", "--expiry", "25-DEC-26", *place)
    assert three["exact_call_strike"] > pair["exact_call_strike"]
    assert answer("collar", "--put", "70000", "--expiry", "1-SEP-27", *place)["extrapolated"]
    for bad in (
        ["--put", "nan"],
        ["--put", "70000", "--lower", "80000"],
        ["--put", "-1"],
        ["--put", "1"],
        ["--put", "1e8"],
    ):
        run("collar", *bad, "--expiry", "25-DEC-26", *place, status=2)
    run("collar", "--put", "70000", "--expiry", "25-DEC-20", *place, status=2)
    days = ("--from", "2026-09-01", "--to", "2026-09-30", "--paths", "2000")
    sold = answer("contract", "hashprice", *days, "--phs", "10", "--fixed", "36", *place)
    assert 30.0 < sold["fair"] < 42.0
    coin = answer("contract", "hashprice", *days, "--fixed", "0.00045", "--in-coin", *place)
    assert 0.0004 < coin["fair"] < 0.0005
    swap = answer("contract", "difficulty", *days, "--fixed", "135", *place)
    assert 125.0 < swap["fair"] < 155.0
    run("contract", "hashprice", *days, "--fixed", "0", *place, status=2)
    prices = tmp_path / "btc.csv"
    rows = [
        f"{date(2024, 1, 1) + timedelta(days=day)},{40_000 + 900 * (day % 17)}"
        for day in range(200)
    ]
    prices.write_text("date,price\n" + "\n".join(rows) + "\n")
    assert answer("basis", prices, prices, "--horizon", "5")["ratio"] == pytest.approx(1.0)
    run("basis", prices, prices, "--horizon", "0", status=2)
    run("basis", prices, tmp_path / "none.csv", status=3)
