"""The execution process from outside: its API, its readiness, its keys, and what survives kill -9."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from headframe.desk import audit, users
from headframe.desk.ports import Declined
from headframe.wiring import open_office
from waiting import LIMIT, until

CLI = [sys.executable, "-m", "headframe"]


class Desk:
    """headframe desk run, as anybody would start it."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self.folder, self.env = folder, os.environ | (env or {})
        self.process: Any = None

    def start(self) -> "Desk":
        self.process = subprocess.Popen(
            [*CLI, "desk", "run", "--workspace", str(self.folder), "--json", "--as", "trader"],
            stdout=subprocess.PIPE, text=True, env=self.env,
        )  # fmt: skip
        self.url = json.loads(self.process.stdout.readline())["url"]
        return self

    def ready(self) -> Any:
        until(lambda: self.call("GET", "/readyz")[0] == 200, "the desk to be ready")
        return self.call("GET", "/readyz")[1]

    def call(
        self, method: str, path: str, body: Any = None, raw: bool = False, **headers: str
    ) -> tuple[int, Any]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=LIMIT)
        text = body if raw else None if body is None else json.dumps(body)
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        connection.request(method, path, text, named)
        reply = connection.getresponse()
        found = reply.read()
        connection.close()
        return reply.status, json.loads(found)

    def rfq(self, proposal: str, key: str, wait: int = 60, **headers: str) -> tuple[int, Any]:
        return self.call(
            "POST", f"/api/v1/proposals/{proposal}/rfq?wait={wait}", None, False, Idempotency_Key=key, **headers
        )  # fmt: skip

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=LIMIT)


@pytest.fixture
def desk(approved: Path) -> Generator[Desk]:
    running = Desk(approved)
    try:
        running.start().ready()
        yield running
    finally:
        running.stop()


def test_a_request_is_dealt_once_whatever_is_sent_again(desk: Desk, approved: Path) -> None:
    code, first = desk.rfq("P-1", "key-number-1")
    assert code == 200
    assert first["state"] in {"filled", "no_award"}
    again = [desk.rfq("P-1", "key-number-1") for _ in range(3)]
    assert all(found["id"] == first["id"] for _, found in again)
    code, other = desk.rfq("P-2", "key-number-1")
    assert (code, "something else" in other["detail"]) == (422, True)
    code, bare = desk.call("POST", "/api/v1/proposals/P-2/rfq")
    assert (code, bare["exit"]) == (422, 2)
    assert "Idempotency-Key" in bare["detail"]
    if first["state"] == "filled":
        code, twice = desk.rfq("P-1", "key-number-2")
        assert (code, twice["exit"]) == (403, 4)
        assert "dealt already" in twice["detail"]
    desk.stop()
    office = open_office(approved, user="x")
    assert audit.verify(office).sound
    assert len(office.state().rfqs) == 1
    desk.start()
    desk.ready()
    assert desk.rfq("P-1", "key-number-1")[1]["id"] == first["id"], "the key survives a restart"


def test_the_same_key_at_once_from_many_threads_is_one_request(desk: Desk, approved: Path) -> None:
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(desk.rfq("P-1", "racing-key")))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {code for code, _ in found} == {200}
    assert len({one["id"] for _, one in found}) == 1
    assert len(open_office(approved, user="x").state().rfqs) == 1


def test_one_key_at_once_for_two_things_is_one_request_and_one_refusal(
    desk: Desk, approved: Path
) -> None:
    found: list[Any] = []
    names = ("P-1", "P-2")

    def send(name: str) -> None:
        found.append(desk.rfq(name, "shared-key"))

    threads = [threading.Thread(target=send, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(code for code, _ in found) == [200, 422]
    (made,) = [one for code, one in found if code == 200]
    (record,) = open_office(approved, user="x").state().rfqs.values()
    assert (record.proposal, record.request.id) == (made["proposal"], made["id"])


LATE_EMERY = """
from dataclasses import replace
from headframe.paper import street
real = street.answer
def answer(dealer, **named):
    found = replace(real("amber", **named), dealer=dealer, delay=10.0, life=150.0)
    return replace(found, delay=46.5, life=120.0, shift=-0.0020) if dealer == "emery" else found
street.answer = answer
"""
"""Read by the desk's interpreter as it starts: all are on time but emery, 1.5 s late and best."""


def test_where_a_late_quote_ended_a_request_the_answer_is_the_one_that_followed(
    approved: Path, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(LATE_EMERY)
    desk = Desk(approved, {"PYTHONPATH": str(tmp_path)})
    try:
        desk.start().ready()
        code, made = desk.rfq("P-1", "late-key-1")
        assert (code, made["state"], len(made["earlier"])) == (200, "filled", 1), made["outcome"]
        assert made["follows"] == made["earlier"][0]["id"]
        first = desk.call("GET", f"/api/v1/rfqs/{made['follows']}")[1]
        assert (first["state"], first["trade"], first["followed_by"]) == (
            "no_award", None, made["id"],
        )  # fmt: skip
        assert first["late"][-1]["action"] == "ask_without"
        assert set(first["panel"]) - set(made["panel"]) == {"emery"}
        assert desk.rfq("P-1", "late-key-1")[1]["id"] == made["id"], "the same key again"
        assert len(desk.call("GET", "/api/v1/rfqs")[1]["rfqs"]) == 2
    finally:
        desk.stop()
    assert audit.verify(open_office(approved, user="x")).sound


def test_reading_and_the_documented_interface(desk: Desk) -> None:
    assert desk.call("GET", "/healthz")[1]["status"] == "alive"
    ready = desk.ready()
    assert ready["unknown"] == []
    code, shown = desk.call("GET", "/api/v1/desk")
    assert (code, shown["mode"], shown["halted"]) == (200, "paper", None)
    proposals = desk.call("GET", "/api/v1/proposals")[1]["proposals"]
    assert proposals[0]["approved_by"] == "cfo"
    desk.rfq("P-1", "key-number-1")
    rfq = desk.call("GET", "/api/v1/rfqs")[1]["rfqs"][0]
    assert desk.call("GET", f"/api/v1/rfqs/{rfq['id']}")[1] == rfq
    assert desk.call("GET", "/api/v1/rfqs/none")[0] == 404
    trades = desk.call("GET", "/api/v1/trades")[1]["trades"]
    assert all(isinstance(trade["size"], str) for trade in trades)
    assert desk.call("GET", "/api/v1/audit")[1]["sound"] is True
    interface = desk.call("GET", "/openapi.json")[1]
    assert interface["openapi"].startswith("3.1")
    assert "/api/v1/proposals/{proposal}/rfq" in interface["paths"]


def test_the_kill_switch_stops_what_is_new_and_survives(desk: Desk, approved: Path) -> None:
    code, stop = desk.call("POST", "/api/v1/halt", {"reason": "smoke"}, X_Headframe_User="cfo")
    assert (code, stop["by"]) == (200, "cfo")
    code, refused = desk.rfq("P-1", "key-number-1")
    assert (code, refused["exit"], "halted" in refused["detail"]) == (403, 4, True)
    desk.stop()
    desk.start()
    assert desk.ready()["halted"] == "smoke"
    assert desk.rfq("P-1", "key-number-1")[0] == 403
    assert desk.call("POST", "/api/v1/resume", X_Headframe_User="cfo")[0] == 403
    assert desk.call("POST", "/api/v1/resume", X_Headframe_User="trader")[0] == 403
    assert desk.call("POST", "/api/v1/resume", X_Headframe_User="risk")[0] == 200
    assert desk.rfq("P-1", "key-number-1")[0] == 200


def test_the_command_goes_through_the_desk_that_runs(desk: Desk, approved: Path) -> None:
    def command(*words: str) -> Any:
        return subprocess.run(
            [*CLI, *words, "--workspace", str(approved), "--json"],
            capture_output=True, text=True, timeout=LIMIT, check=False,
        )  # fmt: skip

    done = command("rfq", "P-1", "--as", "trader")
    assert done.returncode in {0, 4}, done.stderr
    assert json.loads(done.stdout)["state"] in {"filled", "no_award"}
    assert json.loads(command("desk", "status").stdout)["ready"] is True
    done = command("rfq", "P-9", "--as", "trader")
    assert (done.returncode, "no proposal" in done.stderr) == (3, True)
    desk.stop()
    assert command("desk", "status").returncode == 3
    assert not (approved / "desk.json").exists()


def test_what_was_heard_is_awarded_by_the_desk_that_runs(spoken: Path) -> None:
    desk = Desk(spoken)
    quotes = ["--quote", "amber=-0.0020/90", "--quote", "basalt=-0.0017"]
    try:
        desk.start().ready()
        done = command(spoken, "voice", "P-1", *quotes, "--as", "trader", "--json")
        assert done.returncode == 4, "the rule's winner is said; nobody has dealt yet"
        done = command(
            spoken, "voice", "P-1", *quotes, "--dealt", "amber", "--as", "trader", "--json"
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["trade"]["dealer"] == "amber"
        done = command(spoken, "voice", "P-1", "--nothing", "--as", "trader", "--json")
        assert json.loads(done.stdout)["settled"] is True
        path = "/api/v1/proposals/P-2/voice"
        for body in (
            {"quotes": [{"dealer": "amber", "price": "nan"}]},
            {"quotes": [{"dealer": "", "price": 1}]},
            {"quotes": [{"price": 1}]},
            {"quotes": [{"dealer": "amber", "price": True}]},
            {"quotes": [{"dealer": "amber", "price": 1, "seconds": 0}]},
            {"quotes": [{"dealer": "amber", "price": 1, "more": 1}]},
            {"quotes": ["amber"]},
            {"quotes": [{"dealer": "amber", "price": 1}] * 51},
            {"quotes": "amber"},
            {"dealt": 1},
        ):
            code, found = desk.call("POST", path, body, Idempotency_Key="key-number-9")
            assert (code, found["exit"]) == (422, 2), body
    finally:
        desk.stop()
    office = open_office(spoken, user="x")
    records = list(office.state().rfqs.values())
    assert [(one.venue, str(one.state)) for one in records] == [
        ("voice", "not_filled"),
        ("voice", "filled"),
    ]
    assert {one.by for one in records} == {"trader"}
    assert len(office.state().trades) == 1
    assert audit.verify(office).sound


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_lost_and_nothing_done_twice(approved: Path) -> None:
    draw = random.Random(5)
    running = Desk(approved).start()
    names = sorted(open_office(approved, user="x").state().proposals)
    for number in range(8):
        running.ready()
        name = names[number % len(names)]

        def send(running: Desk = running, name: str = name, number: int = number) -> None:
            with suppress(OSError, ValueError, http.client.HTTPException):
                running.rfq(name, f"kill-round-{number:03d}")

        thread = threading.Thread(target=send)
        thread.start()
        time.sleep(draw.uniform(0.2, 3.0))
        running.kill()
        thread.join()
        running = Desk(approved).start()
    running.ready()
    assert running.call("GET", "/readyz")[1]["unknown"] == []
    for name in names:  # on a busy machine every round may have been killed before it asked
        running.rfq(name, f"after-the-rounds-{name}")
    running.stop()
    office = open_office(approved, user="x")
    state = office.state()
    assert audit.verify(office).sound
    dealt = [trade.proposal for trade in state.trades.values()]
    assert len(dealt) == len(set(dealt)), "a proposal was dealt twice"
    street = [json.loads(line) for line in (approved / "street.jsonl").read_text().splitlines()]
    there = {row["block_rfq_id"] for row in street if row.get("state") == "filled"}
    assert len(there) == len(state.trades), "the street and the books agree on every fill"


HOSTILE: list[bytes] = [
    b"{", b"[]", b'{"reason": NaN}', b'{"reason": 1e999}', b'{"reason": Infinity}', b'{"reason": 5}', b'{"reason": true}', b"[" * 50_000,
    b'{"a": ' * 20_000, b'{"reason": ' + b"9" * 5_000 + b"}", b'{"reason": "a", "reason": "b"}', b'{"other": 1}', b"\xff\xfe", b'{"reason": "\\ud800"}',
    b'"text"', b"null", b"1_000", '{"reason": "１２"}'.encode()[:-1], b'{"reason": "' + b"x" * 70_000 + b'"}', b'{"reason": ""}' * 2, b"\0",
]  # fmt: skip


def test_hostile_bodies_and_paths_are_refused_in_one_line(desk: Desk) -> None:
    before = desk.call("GET", "/api/v1/desk")[1]["head"]
    for body in HOSTILE:
        for path in (
            "/api/v1/resume",
            "/api/v1/proposals/P-1/approve",
            "/api/v1/proposals/P-1/rfq",
        ):
            code, found = desk.call("POST", path, body, raw=True, Idempotency_Key="hostile-body")
            assert 400 <= code < 500, (body[:40], path, code, found)
            assert found["type"] == "about:blank"
            assert len(json.dumps(found)) < 700
    for path in (
        "/api/v1/rfqs/" + "x" * 500, "/api/v1/rfqs/%00", "/api/v1/proposals/..%2f..%2fetc/rfq", "/api/v1/nothing", "/api/v1/rfqs/%ff%fe",
        "/api/v1/proposals/P-1/rfq?wait=1e999", "/api/v1/proposals/P-1/rfq?wait=99999999999999999999", "/api/v1/proposals/=cmd()/rfq",
    ):  # fmt: skip
        for method in ("GET", "POST", "DELETE"):
            code, found = desk.call(method, path, Idempotency_Key="hostile-path")
            assert 400 <= code < 500, (path, method, code, found)
    for key in ("short", "x" * 101, "with\ttab-inside", "é" * 9):
        code, _ = desk.call("POST", "/api/v1/proposals/P-1/rfq", Idempotency_Key=key)
        assert code == 422, key
    assert desk.call("GET", "/api/v1/desk")[1]["head"] == before


def test_a_port_that_is_taken_is_one_line(desk: Desk, tmp_path: Path, approved: Path) -> None:
    port = desk.url.rpartition(":")[2]
    for words in (["desk", "run", "--workspace", str(approved)], ["paper", "serve"]):
        done = subprocess.run(
            [*CLI, *words, "--port", port],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, ""), done
        assert f"port {port} cannot be listened on" in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_one_desk_a_workspace(desk: Desk, approved: Path) -> None:
    done = subprocess.run(
        [*CLI, "desk", "run", "--workspace", str(approved)],
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    assert (done.returncode, desk.url in done.stderr) == (4, True), done.stderr
    assert json.loads((approved / "desk.json").read_text())["url"] == desk.url
    assert desk.ready()["ready"] is True


def test_pages_in_a_browser_are_not_answered(desk: Desk) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Host": ""}):
        for method, path in (("POST", "/api/v1/resume"), ("GET", "/api/v1/desk")):
            code, found = desk.call(method, path, None, False, **headers)
            assert (code, "browser" in found["detail"]) == (403, True), headers


def command(folder: Path, *words: str, word: str = "", token: str | None = None) -> Any:
    env = dict(os.environ) | ({} if token is None else {"HEADFRAME_TOKEN": token})
    return subprocess.run(
        [*CLI, *words, "--workspace", str(folder), "--json"],
        input=word + "\n", capture_output=True, text=True, env=env, timeout=LIMIT, check=False,
    )  # fmt: skip


def test_users_tokens_roles_over_the_command_line_and_the_api(approved: Path) -> None:
    made = command(
        approved, "user", "put", "ada", "--role", "trader", "--password-stdin", word="long enough"
    )
    assert (made.returncode, "first user is an administrator" in made.stderr) == (4, True)

    def put(name: str, *roles: str, token: str | None = None) -> Any:
        asked = [one for role in roles for one in ("--role", role)]
        return command(
            approved, "user", "put", name, *asked, "--password-stdin", "--as", "root",
            word=f"password of {name}", token=token,
        )  # fmt: skip

    def token_of(name: str, *more: str) -> str:
        done = command(
            approved, "user", "login", name, "--password-stdin", *more, word=f"password of {name}"
        )
        assert done.returncode == 0, done.stderr
        return str(json.loads(done.stdout)["token"])

    assert put("root", "administrator").returncode == 0
    assert put("eve", "trader").returncode == 4, "without a token nobody makes users"
    root = token_of("root")
    assert put("trader", "trader", token=root).returncode == 0
    assert put("cfo", "approver", token=root).returncode == 0
    assert put("root", "auditor", token=root).returncode == 4
    trader, reading = token_of("trader"), token_of("trader", "--scope", "read")
    text = (approved / "headframe.db").read_bytes()
    assert trader.encode() not in text
    assert b"password of" not in text
    wrong = command(approved, "user", "login", "trader", "--password-stdin", word="something else")
    nobody = command(approved, "user", "login", "nobody", "--password-stdin", word="something else")
    assert wrong.stderr == nobody.stderr
    assert wrong.returncode == 4
    bare = command(approved, "rfq", "P-1", "--as", "trader")
    assert (bare.returncode, "HEADFRAME_TOKEN" in bare.stderr) == (4, True)
    other = command(approved, "halt", "x", "--as", "cfo", token=trader)
    assert (other.returncode, "the token is trader's" in other.stderr) == (4, True)
    running = Desk(approved, {"HEADFRAME_TOKEN": trader}).start()
    try:
        running.ready()
        assert running.rfq("P-1", "key-number-1")[0] == 401
        assert running.rfq("P-1", "key-number-1", Authorization="Bearer none")[0] == 401
        code, found = running.rfq("P-1", "key-number-1", Authorization=f"Bearer {reading}")
        assert (code, "may not trade" in found["detail"]) == (403, True)
        approver = token_of("cfo")
        assert running.rfq("P-1", "key-number-1", Authorization=f"Bearer {approver}")[0] == 403
        assert running.rfq("P-1", "key-number-1", Authorization=f"Bearer {trader}")[0] == 200
        done = command(approved, "user", "revoke", "trader", "--as", "trader", token=trader)
        assert json.loads(done.stdout)["tokens"] == 2
        assert running.rfq("P-2", "key-number-2", Authorization=f"Bearer {trader}")[0] == 401
    finally:
        running.stop()
    again = token_of("trader")
    assert command(approved, "halt", "mine by token", token=again).returncode == 0
    assert open_office(approved, user="x").state().halted is not None
    listed = json.loads(command(approved, "user", "list").stdout)
    assert listed["matrix"]["trade"] == ["trader"]
    assert audit.verify(open_office(approved, user="x")).sound


def test_the_matrix_holds_for_every_role_and_action(approved: Path) -> None:
    from datetime import timedelta

    office = open_office(approved, user="root")
    users.put(office, "root", ("administrator",), "long enough!", lambda word: word)
    tokens: dict[str, str] = {}
    for role in users.Role:
        name = f"u-{role}"
        if role is not users.Role.ADMINISTRATOR:
            office.token = tokens.get("root")
        for who, roles in (
            (("root", ()), (name, (str(role),))) if not tokens else ((name, (str(role),)),)
        ):
            if roles:
                office.user = "root"
                users.put(office, who, roles, "long enough!", lambda word: word)
            tokens[who] = f"token-{who}"
            users.login(
                office, who, "long enough!", verify=lambda one, word: one == word, token=tokens[who], life=timedelta(days=1),
            )  # fmt: skip
            office.token = tokens["root"]
    for role in users.Role:
        acting = office.acting(f"u-{role}", tokens[f"u-{role}"])
        for action in users.Action:
            if role in users.MATRIX[action]:
                assert users.allowed(acting, action) == f"u-{role}"
            else:
                with pytest.raises(Declined, match="takes the role"):
                    users.allowed(acting, action)
    stale = office.acting("root", tokens["root"])
    office.state().clock = office.now() + timedelta(days=2)
    with pytest.raises(Declined, match="the token ended"):
        users.allowed(stale, users.Action.READ)
