"""The books as other programs read them: their own checker, and a plain reader of our own."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount.loader import load_string
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import hledger
from headframe.cli.app import app
from headframe.desk import audit, days
from headframe.desk.office import Office
from headframe.report import Booked, beancount_text, hledger_text
from headframe.risk import Course
from venues import FakeVenue, deal


@pytest.fixture
def lived(desk: Office) -> Office:
    """A desk that has dealt and closed some days."""
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    days.walk(desk, Course.BEAR, date(2026, 9, 4))
    return desk


def balances(office: Office) -> Any:
    return {
        (line.account, line.balance.currency.code): Decimal(str(line.balance))
        for line in office.state().ledger.trial_balance()
    }


def test_beancount_accepts_it_and_comes_to_the_same_balances(lived: Office) -> None:
    text = beancount_text("Kettle Creek", audit.bookings(lived))
    entries, errors, _ = load_string(text)
    assert errors == []
    sums: dict[Any, Decimal] = {}
    for entry in entries:
        for posting in getattr(entry, "postings", None) or ():
            key = (posting.account, posting.units.currency)
            sums[key] = sums.get(key, Decimal(0)) + posting.units.number
    ours = sorted(value for value in balances(lived).values() if value)
    assert sorted(value for value in sums.values() if value) == ours


def test_hledgers_journal_balances_by_transaction_and_comes_to_the_same(lived: Office) -> None:
    text = hledger_text("Kettle Creek", audit.bookings(lived))
    sums: dict[Any, Decimal] = {}
    transactions = [
        part for part in text.split("\n\n") if re.match(r"\d{4}-\d{2}-\d{2} \* \(\d+\) ", part)
    ]
    assert len(transactions) == len(audit.bookings(lived))
    for part in transactions:
        each: dict[str, Decimal] = {}
        for line in part.splitlines()[1:]:
            match = re.fullmatch(r"    (\S.*?)  (-?[0-9.]+) ([A-Z]+)", line)
            assert match, line
            account, amount, code = match.groups()
            assert "  " not in account
            each[code] = each.get(code, Decimal(0)) + Decimal(amount)
            sums[account, code] = sums.get((account, code), Decimal(0)) + Decimal(amount)
        assert not any(each.values()), part
    assert {key: value for key, value in sums.items() if value} == balances(lived)


def test_hledger_accepts_it_in_strict_mode_and_comes_to_the_same_balances(lived: Office) -> None:
    text = hledger_text("Kettle Creek", audit.bookings(lived))
    hledger.accepts(text)
    ours = {key: value for key, value in balances(lived).items() if value}
    assert hledger.balances(text) == ours
    assert len(ours) > 5


def test_hledger_finds_what_was_tampered_with(lived: Office) -> None:
    text = hledger_text("Kettle Creek", audit.bookings(lived))
    account = re.search(r"^account (\S+)", text, re.MULTILINE)
    assert account
    undeclared = text.replace(f"{account[0]} ", f"; {account[0]} ", 1)
    assert "undeclared account" in hledger.ran(undeclared, "check", "--strict").stderr
    amount = re.search(r"^    \S.*  (-?[0-9]+)\.([0-9]+) USD$", text, re.MULTILINE)
    assert amount
    off = text.replace(amount[0], amount[0].replace(f"{amount[1]}.", f"{amount[1]}1."), 1)
    assert "balance" in hledger.ran(off, "check").stderr


NAME = st.text(min_size=0, max_size=12).map(
    lambda text: text.replace(":", "").replace("\ud800", "")
)
UNITS = {"USD": 2, "BTC": 8, "ETC": 18, "USDC": 6}


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(NAME, NAME, NAME, st.sampled_from(sorted(UNITS)), st.integers(-(10**20), 10**20)),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_whatever_a_name_says_both_programs_read_the_same_books(
    rows: list[tuple[str, str, str, str, int]],
) -> None:
    booked = tuple(
        Booked(seq, date(2026, 9, 1), kind, author, (
            (f"assets:{name}:free", code, f"{Decimal(amount).scaleb(-UNITS[code]):f}"),
            ("income:sold", code, f"{Decimal(-amount).scaleb(-UNITS[code]):f}"),
        ))
        for seq, (kind, author, name, code, amount) in enumerate(rows)
    )  # fmt: skip
    text = hledger_text("odd", booked)
    hledger.accepts(text)
    by_name: dict[tuple[str, str], Decimal] = {}
    for one in booked:
        for account, code, amount in one.postings:
            by_name[account, code] = by_name.get((account, code), Decimal(0)) + Decimal(amount)
    ours = sorted(value for value in by_name.values() if value)
    assert sorted(hledger.balances(text).values()) == ours
    _, errors, _ = load_string(beancount_text("odd", booked))
    assert errors == []


def test_odd_names_stay_apart_and_text_stays_text() -> None:
    booked = (
        Booked(1, date(2026, 9, 1), 'sold";', 'me"\n2026-01-01 open X', (
            ("income:hedge:a b", "USD", "-1.00"), ("income:hedge:a-b", "USD", "-2.00"), ("assets:cash", "USD", "3.00"),
            ("promises:firm:2026-09", "BTC", "0.00000001"), ("promises:production:2026-09", "BTC", "-0.00000001"),
        )),
    )  # fmt: skip
    text = beancount_text('A "mine"', booked)
    _, errors, _ = load_string(text)
    assert errors == []
    assert "Income:Hedge:A-b " in text
    assert beancount_text("Kettle & Pecos Mining", ()).startswith(
        'option "title" "Kettle & Pecos Mining"'
    )
    assert hledger_text("Return; (one)", ()).startswith("; Return one")
    assert "Income:Hedge:A-b-2 " in text
    assert "0.00000001 BTC" in text
    assert hledger_text("x\n2026-01-01 * y", booked).count("2026-01-01 *") == 1
    assert beancount_text("nothing", ()).startswith("option")


def test_the_command_writes_it(approved: Path, tmp_path: Path) -> None:
    for form in ("--hledger", "--beancount"):
        target = tmp_path / form
        done = CliRunner().invoke(
            app, ["export", form, "--output", str(target), "--workspace", str(approved)]
        )
        assert done.exit_code == 0, done.output
        text = target.read_text()
        assert "2026-08-22 * " in text
        assert re.search(r"120\.00000000 BTC", text), "the pledged coins"
    done = CliRunner().invoke(app, ["export", "--workspace", str(approved)])
    assert "--beancount" in str(done.exception)
