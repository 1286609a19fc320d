"""The ledger is opened once, with the figures of the files as they stand then; until then the files rule."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import workspaces
from headframe.book import CASH, COINS_FREE, COINS_PLEDGED, LOAN
from headframe.codec import Problem, read_flows
from headframe.desk import (
    audit,
    checkpoint,
    flows,
    outlook,
    policy,
    production,
    statements,
    workspace,
)
from headframe.desk.fold import fold
from headframe.desk.office import Office
from headframe.desk.opening import EVENT
from headframe.desk.ports import Declined, Draft, Invalid, JournalBroken, Record
from headframe.desk.state import State
from headframe.market import sample_market
from headframe.store import MemoryJournal
from headframe.units import BTC, USD, booked, instant, iso
from headframe.wiring import back_up, create_office, fork_office, open_office, restore


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """A new workspace: nothing signed, nothing opened."""
    create_office(tmp_path / "mine", sample_market(), user="treasurer")
    return tmp_path / "mine"


def edit(folder: Path, **figures: str) -> None:
    file = folder / "headframe.toml"
    text = file.read_text()
    for key, value in figures.items():
        text, count = re.subn(rf"^{key} =.*", f"{key} = {value}", text, count=1, flags=re.MULTILINE)
        assert count == 1, key
    file.write_text(text)


def at(folder: Path, user: str = "treasurer") -> Office:
    return open_office(folder, user=user)


def kinds(office: Office) -> list[str]:
    return [record.kind for record in office.journal.read()]


def test_until_the_opening_every_read_shows_the_edited_files(begun: Path) -> None:
    edit(
        begun, cash_usd="1234567.25", coins_free="7.5", loan_usd="1000.0", seed="5", name='"north"'
    )
    office = at(begun)
    state = office.state()
    assert state.opened is None
    assert (state.seed, state.name) == (5, "north")
    assert state.ledger.balance(CASH, USD) == booked("1234567.25", USD)
    assert state.ledger.balance(COINS_FREE, BTC) == booked("7.5", BTC)
    assert state.ledger.balance(LOAN, USD) == booked("-1000", USD)
    assert production.make(office).forecast.seed == 5
    edit(begun, cash_usd="2.0")
    assert office.state().ledger.balance(CASH, USD) == booked("2", USD), (
        "the same desk sees the edit"
    )
    assert kinds(office) == ["market", "forecast_prepared"]
    assert audit.verify(office).sound
    assert workspace.opening_problems(office) == ()


def test_the_mandate_coming_into_force_opens_the_ledger_once(begun: Path) -> None:
    edit(begun, cash_usd="3000000.0")
    office = at(begun, "board")
    policy.sign(office)
    assert kinds(office) == ["market", "mandate_signed", "opened"]
    opened = office.state().opened
    assert opened == office.now()
    file = begun / "mandate.toml"
    file.write_text(file.read_text() + "\n# amended\n")
    policy.sign(office)
    assert kinds(office) == ["market", "mandate_signed", "opened", "mandate_signed"]
    assert office.state().opened == opened
    assert office.state().ledger.balance(CASH, USD) == booked(3_000_000, USD)


def test_the_last_of_two_signatures_opens(begun: Path) -> None:
    file = begun / "mandate.toml"
    file.write_text(
        file.read_text().replace('signatories = ["board"]', 'signatories = ["board", "chair"]')
    )
    policy.sign(at(begun, "board"))
    assert at(begun).state().opened is None
    edit(begun, cash_usd="77.0")
    policy.sign(at(begun, "chair"))
    state = at(begun).state()
    assert state.opened is not None
    assert state.ledger.balance(CASH, USD) == booked(77, USD)


def test_signing_with_a_broken_settings_file_writes_nothing(begun: Path) -> None:
    edit(begun, cash_usd="-1.0")
    with pytest.raises(Invalid, match="cash_usd"):
        policy.sign(at(begun, "board"))
    assert kinds(at(begun)) == ["market"]


def test_open_by_itself_and_never_twice(begun: Path) -> None:
    balances = workspace.open_ledger(at(begun))
    assert kinds(at(begun)) == ["market", "opened"]
    assert at(begun).state().opening == balances
    with pytest.raises(Declined, match="opened"):
        workspace.open_ledger(at(begun))
    policy.sign(at(begun, "board"))
    assert kinds(at(begun)).count("opened") == 1


def _open(folder: Path, url: str | None) -> str:
    try:
        workspace.open_ledger(open_office(folder, user="treasurer", database=url))
    except Declined:
        return "declined"
    return "opened"


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_two_at_once_open_exactly_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else None
    folder = tmp_path / "mine"
    create_office(folder, sample_market(), user="treasurer", database=url)
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(_open, [folder] * 4, [url] * 4))
    assert sorted(ends) == ["declined", "declined", "declined", "opened"]
    office = open_office(folder, user="x", database=url)
    assert kinds(office) == ["market", "opened"]
    assert audit.verify(office).sound


def test_what_books_is_refused_before_and_writes_nothing(begun: Path) -> None:
    office = at(begun)
    row = {"id": "a", "kind": "capital", "at": iso(office.now()), "usd": "5.00"}
    with pytest.raises(Declined, match="headframe open"):
        flows.take(office, read_flows([(1, row)], "f.csv"), "f.csv")
    with pytest.raises(Declined, match="headframe open"):
        statements.take(office, (), "bank")
    with pytest.raises(Declined, match="mandate sign"):
        office.record(Draft("flows", {"flows": [], "months": [], "postings": []}))
    assert kinds(office) == ["market"]


def test_check_names_each_figure_that_is_not_the_ledgers(begun: Path) -> None:
    policy.sign(at(begun, "board"))
    assert workspace.opening_problems(at(begun)) == ()
    edit(
        begun, cash_usd="2000000.0", coins_free="61.0", coins_pledged="119.0", loan_usd="4200001.0",
        credit_line_usd="1.0", seed="5", name='"south"', mode='"live"',
    )  # fmt: skip
    found = workspace.opening_problems(at(begun))
    fields = [one.text.split(":")[0] for one in found]
    assert fields == [
        "workspace.name", "workspace.mode", "workspace.seed", "treasury.cash_usd", "treasury.coins_free",
        "treasury.coins_pledged", "treasury.loan_usd", "treasury.credit_line_usd",
    ]  # fmt: skip
    cash = found[3].text
    assert "got 2000000.00 in the file" in cash
    assert "--correct" in cash
    lines = (begun / "headframe.toml").read_text().split("\n")
    assert all(
        lines[one.line - 1].startswith(one.text.split(":")[0].split(".")[1]) for one in found
    )
    edit(begun, coins_free="-1.0")
    left: tuple[Problem, ...] = workspace.opening_problems(at(begun))
    assert len(left) == 7, "a figure that cannot be read hides none of the others"


def test_check_notes_what_was_signed_or_put_on_record_otherwise(mine: Path) -> None:
    assert outlook.unrecorded(at(mine)) == ()
    policy_file, dealers = mine / "mandate.toml", mine / "counterparties.toml"
    text = re.sub(
        r"^distance_max =.*", "distance_max = 0.2", policy_file.read_text(), flags=re.MULTILINE
    )
    policy_file.write_text(text)
    text = re.sub(r"line_usd = [0-9_.e]+", "line_usd = 4.0", dealers.read_text(), count=1)
    dealers.write_text(text)
    mandate, dealer = outlook.unrecorded(at(mine))
    assert "rfq.distance_max: expected" in mandate
    assert "got 0.2; fix" in mandate
    assert "credit.line_usd: expected" in dealer
    assert "counterparty add amber" in dealer


def test_a_correction_is_booked_by_a_signatory_with_a_reason(begun: Path) -> None:
    policy.sign(at(begun, "board"))
    before = at(begun).state().ledger.copy()
    edit(begun, cash_usd="2000000.0", coins_pledged="119.5", credit_line_usd="7000000.0")
    with pytest.raises(Declined, match="signatory"):
        workspace.correct_opening(at(begun), "counted anew")
    with pytest.raises(Invalid, match="reason"):
        workspace.correct_opening(at(begun, "board"), " ")
    assert len(workspace.correct_opening(at(begun, "board"), "counted anew")) == 3
    office = at(begun)
    assert kinds(office)[-1] == "opening_corrected"
    ledger = office.state().ledger
    assert ledger.balance(CASH, USD) == booked(2_000_000, USD)
    assert ledger.balance(COINS_PLEDGED, BTC) == booked("119.5", BTC)
    assert ledger.balance(COINS_FREE, BTC) == before.balance(COINS_FREE, BTC)
    assert ledger.balance(LOAN, USD) == before.balance(LOAN, USD)
    assert not ledger.imbalance()
    assert audit.verify(office).sound
    assert workspace.opening_problems(office) == ()
    state = office.state()
    kept = checkpoint.read(checkpoint.written(state))
    assert kept is not None
    assert kept.opening == state.opening
    with pytest.raises(Declined, match="none that differs"):
        workspace.correct_opening(at(begun, "board"), "again")


def test_a_correction_that_overdraws_is_refused_whole(begun: Path) -> None:
    policy.sign(at(begun, "board"))
    office = at(begun)
    row = {"id": "a", "kind": "distribution", "at": iso(office.now()), "usd": "100.00"}
    flows.take(office, read_flows([(1, row)], "f.csv"), "f.csv")
    head = office.journal.head()
    edit(begun, cash_usd="50.0")
    with pytest.raises(Declined, match="cannot be booked"):
        workspace.correct_opening(at(begun, "board"), "counted anew")
    assert at(begun).journal.head() == head


def test_backup_restore_and_fork_keep_what_is_not_open_unopened(
    begun: Path, tmp_path: Path
) -> None:
    back_up(begun, None, tmp_path / "kept")
    restore(tmp_path / "again", None, tmp_path / "kept")
    edit(tmp_path / "again", cash_usd="5.0")
    again = at(tmp_path / "again")
    assert again.state().opened is None
    assert again.state().ledger.balance(CASH, USD) == booked(5, USD)
    workspace.open_ledger(again)
    assert audit.verify(at(tmp_path / "again")).sound
    fork = fork_office(at(begun), begun, tmp_path / "fork")
    assert fork.state().opened is None
    shutil.rmtree(tmp_path / "fork")


def test_a_checkpoint_of_an_unopened_journal_holds_no_figures_of_files(begun: Path) -> None:
    office = at(begun)
    assert office.state().ledger.balance(CASH, USD).smallest > 0
    kept = checkpoint.read(checkpoint.written(office.journal_state()))
    assert kept is not None
    assert kept.ledger.balance(CASH, USD).smallest == 0
    assert kept.opening is None


def test_an_old_journal_that_opened_at_its_first_event_reads_as_opened(begun: Path) -> None:
    """As written before: the opening first, without a credit line; the market after it."""
    office = at(begun)
    (market,) = office.journal.read()
    postings = [
        ["assets:cash", "USD", "2500000.00"], ["assets:coins:free", "BTC", "60.00000000"],
        ["assets:coins:pledged", "BTC", "120.00000000"], ["liabilities:loan", "USD", "-4200000.00"],
        ["equity:opening", "USD", "1700000.00"], ["equity:opening", "BTC", "-180.00000000"],
    ]  # fmt: skip
    body = {"name": "kettle", "mode": "paper", "seed": 20260917, "postings": postings}
    journal = MemoryJournal()
    old = Office(journal=journal, clock=office.clock, files=office.files, user="board")
    journal.append(
        [Draft(EVENT, body), Draft("market", dict(market.body))],
        at=market.at,
        author="board",
        after=0,
    )
    state = old.state()
    assert state.opened == market.at
    assert state.ledger.balance(CASH, USD) == booked(2_500_000, USD)
    policy.sign(old)
    assert kinds(old) == ["opened", "market", "mandate_signed"]
    assert all("credit_line" not in one.text for one in workspace.opening_problems(old))


def test_a_journal_with_two_openings_is_refused() -> None:
    body = {"name": "a", "mode": "paper", "seed": 1, "postings": []}
    when = instant("2026-08-22T15:33:00Z")
    twice = [Record(n, when, "x", EVENT, body, "") for n in (1, 2)]
    with pytest.raises(JournalBroken, match="opened before"):
        fold(State(), twice)


def test_a_signed_sample_is_open(office: Office) -> None:
    assert office.state().opened is not None
    assert workspaces.DEALERS[0] in office.state().dossiers
