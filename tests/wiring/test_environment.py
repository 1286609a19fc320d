"""What is read from outside, and what comes first where several places say it."""

from datetime import timedelta
from pathlib import Path

import pytest

from headframe.codec import Settings, read_settings
from headframe.desk.ports import Invalid, NotFound
from headframe.units import iso
from headframe.wiring import (
    alert_routes,
    audit_office,
    back_up,
    colours_wanted,
    credentials_of,
    database_url,
    fork_office,
    has_workspace,
    main_venue,
    open_office,
    password_fits,
    password_hash,
    restore,
    secret_at,
    source_url,
    token_given,
    user_name,
)


def settings(folder: Path, more: str = "") -> Settings:
    found = read_settings((folder / "headframe.toml").read_text() + more)
    assert isinstance(found, Settings)
    return found


def test_what_is_said_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "TOKEN", "DATABASE", "NODE_URL"):
        monkeypatch.delenv(f"HEADFRAME_{name}", raising=False)
    assert (user_name(None), token_given(), database_url(None)) == ("treasurer", None, None)
    assert source_url("NODE") is None
    monkeypatch.setenv("HEADFRAME_USER", "cfo")
    monkeypatch.setenv("HEADFRAME_TOKEN", "t")
    monkeypatch.setenv("HEADFRAME_DATABASE", "postgresql://here")
    monkeypatch.setenv("HEADFRAME_NODE_URL", "http://node")
    assert (user_name(None), user_name("board")) == ("cfo", "board")
    assert token_given() == "t"
    assert (database_url(None), database_url("sqlite:///x")) == ("postgresql://here", "sqlite:///x")
    assert source_url("NODE") == "http://node"
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert colours_wanted()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colours_wanted()


def test_the_main_venue_is_the_settings_unless_the_environment_says_another(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = settings(mine)
    for name in ("URL", "HTTP_URL", "CLIENT_ID"):
        monkeypatch.delenv(f"HEADFRAME_VENUE_{name}", raising=False)
    assert main_venue(held) == held.venue
    with pytest.raises(Invalid, match="paper asks for a key: set its client_id"):
        credentials_of(held.venue, mine)
    monkeypatch.setenv("HEADFRAME_VENUE_URL", "wss://there")
    monkeypatch.setenv("HEADFRAME_VENUE_CLIENT_ID", "me")
    other = main_venue(held)
    assert (other.url, other.client_id, other.http_url) == ("wss://there", "me", "")
    monkeypatch.setenv("HEADFRAME_VENUE_SECRET", "sesame")
    assert credentials_of(other, mine).client_id == "me"


def test_secrets_come_from_where_they_are_kept_and_are_needed_there(
    mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOL_TOKEN", "sesame")
    assert secret_at("env:POOL_TOKEN", mine) == "sesame"
    assert secret_at("", mine) == "", "where none is named none is looked for"
    monkeypatch.delenv("POOL_TOKEN")
    with pytest.raises(Invalid, match="set POOL_TOKEN"):
        secret_at("env:POOL_TOKEN", mine)
    hook = """
[alerts]
file = "alerts.log"
[[alerts.webhooks]]
name = "ops"
url = "https://hooks.example/x"
secret = "env:POOL_TOKEN"
"""
    with pytest.raises(Invalid, match="set POOL_TOKEN"):
        alert_routes(settings(mine, hook), mine)
    monkeypatch.setenv("POOL_TOKEN", "sesame")
    names = [one.name for one in alert_routes(settings(mine, hook), mine)]
    assert names == ["file alerts.log", "webhook ops"]


def test_passwords_are_kept_as_hashes_that_fit_one_word() -> None:
    kept = password_hash("correct horse")
    assert kept.startswith("$argon2id$")
    assert password_fits(kept, "correct horse")
    assert not password_fits(kept, "battery staple")
    assert not password_fits("no hash at all", "correct horse")


def test_a_folder_without_a_journal_is_no_workspace(mine: Path, tmp_path: Path) -> None:
    assert has_workspace(mine, None)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert not has_workspace(empty, None)
    with pytest.raises(NotFound, match="is no workspace"):
        open_office(empty, user="cfo")


def test_a_workspace_goes_on_where_its_journal_ends_in_every_copy(
    mine: Path, tmp_path: Path
) -> None:
    office = open_office(mine, user="treasurer")
    clock = office.state().clock
    assert clock is not None
    assert office.now() == clock
    fork = fork_office(office, mine, tmp_path / "fork")
    assert str(fork.state().head) == str(office.state().head)
    with pytest.raises(Invalid, match="exists already"):
        fork_office(office, mine, tmp_path / "fork")
    file = tmp_path / "kept.zip"
    assert back_up(mine, None, file) == office.state().head
    other = tmp_path / "other"
    assert restore(other, None, file) == office.state().head
    again = open_office(other, user="treasurer")
    assert again.now() == clock
    assert again.state().mandate_sha256 == office.state().mandate_sha256


def test_a_damaged_journal_can_still_be_looked_at(mine: Path) -> None:
    looked = audit_office(mine, user="auditor")
    assert looked.user == "auditor"
    assert looked.now() < open_office(mine, user="x").now() - timedelta(days=365), (
        "nothing is folded"
    )
    assert iso(looked.now()) == "2009-01-03T00:00:00Z"
