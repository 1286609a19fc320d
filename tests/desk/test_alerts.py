"""Watching a workspace: what is raised, answered, sent once over restarts, and seen as it happens."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from headframe.cli.app import app
from headframe.desk import alerts, audit
from headframe.desk.office import Office
from headframe.desk.ports import Invalid, NotFound, Unreachable
from headframe.desk.workspace import advance_clock
from headframe.risk import Severity
from headframe.units import Wrong
from headframe.wiring import alert_routes, open_office
from waiting import LIMIT, until


class Kept:
    """A way that keeps what it was given, or fails while it is told to."""

    def __init__(self, name: str = "kept") -> None:
        self.name = name
        self.got: list[Any] = []
        self.fails = False

    def send(self, told: Any) -> None:
        if self.fails:
            raise Unreachable("nobody there")
        self.got.append(told)


def stale(office: Office) -> None:
    """Two hours later, with no market since."""
    advance_clock(office, office.now() + timedelta(hours=2))


def test_a_cause_is_raised_once_and_ends(desk: Office) -> None:
    first = alerts.look(desk)
    known = {one.cause for one in first.changes.raised}
    assert alerts.look(desk).changes.raised == (), "nothing has changed"
    head = desk.state().head
    alerts.look(desk)
    assert desk.state().head == head, "and nothing is written"
    stale(desk)
    found = alerts.look(desk)
    (one,) = [alert for alert in found.changes.raised if alert.clause == "M-7.1"]
    assert one.cause not in known
    assert (one.severity, one.owner) == (Severity.ALARM, "treasurer")
    assert audit.verify(desk).sound
    again = open_office(_folder(desk), user="x")
    assert one.cause in again.state().alerts, "it stands after a restart"


def _folder(office: Office) -> Path:
    return Path(str(vars(office.journal)["path"])).parent


def test_what_is_sent_is_remembered_and_what_failed_is_sent_again(desk: Office) -> None:
    stale(desk)
    alerts.look(desk)
    good, bad = Kept("good"), Kept("bad")
    bad.fails = True
    standing = len(desk.state().alerts)
    assert alerts.deliver(desk, [good, bad]) == ("bad: nobody there",)
    assert len(good.got) == standing
    again = open_office(_folder(desk), user="x")
    bad.fails = False
    assert alerts.deliver(again, [good, bad]) == ()
    assert (len(good.got), len(bad.got)) == (standing, standing)
    keys = [one["key"] for one in good.got]
    assert len(set(keys)) == standing
    assert all(one["schema"] == "headframe/alert/1" and one["text"] for one in good.got)


def test_an_answer_quiets_it_until_it_is_worse_or_wakes(desk: Office) -> None:
    stale(desk)
    alerts.look(desk)
    name = next(one.alert.id for one in alerts.standing(desk) if one.alert.clause == "M-7.1")
    with pytest.raises(NotFound, match="standing: A-"):
        alerts.answer(desk, "A-99", "x", None)
    with pytest.raises(Invalid, match="reason"):
        alerts.answer(desk, name, " ", None)
    with pytest.raises(Invalid, match="snooze ends after"):
        alerts.answer(desk, name, "later", desk.now())
    held = alerts.answer(desk, name, "the feed is being mended", desk.now() + timedelta(hours=1))
    assert (held.answered_by, held.quiet(desk.now())) == ("trader", True)
    route = Kept()
    alerts.deliver(desk, [route])
    assert name not in {one["id"] for one in route.got}
    advance_clock(desk, desk.now() + timedelta(hours=1))
    alerts.deliver(desk, [route])
    assert name in {one["id"] for one in route.got}, "it wakes"
    held = alerts.answer(desk, name, "taken", None)
    cause = held.alert.cause
    worse = replace(held.alert, severity=Severity.ALARM, overdue=True)
    from headframe.codec import to_json
    from headframe.desk.ports import Draft

    desk.record(Draft("alert", {"alert": to_json(worse), "raised": True}), at=desk.now())
    assert not desk.state().alerts[cause].quiet(desk.now()), "worse: it must be answered anew"


def test_the_commands_once_list_and_answer(
    approved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> Any:
        status = app.main([*words, "--workspace", str(approved), "--json"], standalone_mode=False)
        return status or 0, json.loads(capsys.readouterr().out)

    path = approved / "headframe.toml"
    path.write_text(path.read_text() + '\n[alerts]\nfile = "alerts.jsonl"\n')
    office = open_office(approved, user="trader")
    stale(office)
    code, found = run("watch", "--once")
    assert code == 4
    assert any(one["clause"] == "M-7.1" for one in found["raised"])
    sent = [json.loads(one) for one in (approved / "alerts.jsonl").read_text().splitlines()]
    assert {one["id"] for one in sent} == {one["id"] for one in found["raised"]}
    code, again = run("watch", "--once")
    assert (code, again["raised"]) == (4, [])
    assert len((approved / "alerts.jsonl").read_text().splitlines()) == len(sent)
    code, listed = run("alert", "list")
    name = next(one["alert"]["id"] for one in listed["alerts"] if one["alert"]["clause"] == "M-7.1")
    code, answered = run("alert", "answer", name, "the feed is being mended", "--as", "cfo")
    assert (code, answered["answered_by"]) == (0, "cfo")


def test_watching_sees_what_others_write_and_ends_when_told(approved: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "headframe", "watch", "--workspace", str(approved), "--every", "3600"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    office = open_office(approved, user="trader")
    until(lambda: office.state().alerts, "the first look")
    stale(office)
    until(
        lambda: any(one.alert.clause == "M-7.1" for one in office.state().alerts.values()),
        "the alert of a stale market",
    )
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, err
    assert "M-7.1 age of the market" in out
    assert out.count("M-7.1 age of the market") == 1, "said once"


def test_ways_are_read_from_the_settings_with_their_secrets_elsewhere(
    approved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = approved / "headframe.toml"
    text = path.read_text()
    good = """
[alerts]
file = "alerts.jsonl"
mail = { host = "smtp.example.com", sender = "a@example.com", to = ["b@example.com"], user = "a", secret = "env:MAIL" }
webhooks = [{ name = "pager", url = "https://hooks.example.com/x", secret = "env:PAGER" }]
"""
    path.write_text(text + good)
    monkeypatch.setenv("MAIL", "one")
    monkeypatch.setenv("PAGER", "two")
    office = open_office(approved, user="x")
    routes = alert_routes(office.settings(), approved)
    assert [one.name for one in routes] == [
        "file alerts.jsonl",
        "mail smtp.example.com",
        "webhook pager",
    ]
    monkeypatch.delenv("PAGER")
    with pytest.raises(Invalid, match="PAGER"):
        alert_routes(office.settings(), approved)
    for bad in (
        good.replace("https://", "http://"),
        good.replace('"env:PAGER"', '"hush"'),
        good.replace('"b@example.com"', '"nobody"'),
        good.replace('"alerts.jsonl"', '"../alerts.jsonl"'),
        good.replace("user =", "starttls = false, user ="),
        good.replace("sender", "port = 0, sender"),
    ):
        path.write_text(text + bad)
        with pytest.raises((Invalid, Wrong)):
            open_office(approved, user="x").settings()


def test_a_number_is_never_given_again_also_after_a_restore(desk: Office, tmp_path: Path) -> None:
    from headframe.wiring import back_up, restore

    alerts.look(desk)
    back_up(_folder(desk), None, tmp_path / "kept.headframe")
    stale(desk)
    (lost,) = [one for one in alerts.look(desk).changes.raised if one.clause == "M-7.1"]
    restore(tmp_path / "again", None, tmp_path / "kept.headframe")
    other = open_office(tmp_path / "again", user="x")
    stale(other)
    (found,) = [one for one in alerts.look(other).changes.raised if one.clause == "M-7.1"]
    assert found.id != lost.id
    assert alerts.notice(found)["key"] != alerts.notice(lost)["key"]
    highest = max(int(one.alert.id.split("-")[1]) for one in other.state().alerts.values())
    assert other.state().alerts_made == highest
