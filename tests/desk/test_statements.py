"""Statements against the books at their own instant, to the last unit; breaks with age until they agree."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from headframe.cli.app import app
from headframe.codec import read_statement, rows_of
from headframe.desk import audit, days, limits, statements
from headframe.desk.office import Office
from headframe.desk.ports import Invalid
from headframe.risk import Course, Status
from headframe.units import Wrong
from headframe.wiring import open_office
from venues import FakeVenue, deal


def text_of(office: Office, at: str, change: Any = None) -> str:
    """What a custodian that has everything right would state."""
    rows = [
        [line.account, line.balance.currency.code, str(line.balance), at]
        for line in office.state().ledger.trial_balance()
        if line.account.startswith(("assets:", "liabilities:"))
    ]
    if change is not None:
        change(rows)
    return "\n".join(["account,currency,balance,at", *(",".join(row) for row in rows)]) + "\n"


def taken(office: Office, text: str, name: str = "custodian.csv") -> Any:
    office.user = "risk"
    return statements.take(office, read_statement(list(rows_of(text, name)), name), name)


def now(office: Office) -> str:
    office.state()  # days that were closed move the clock
    return office.now().isoformat()


@pytest.fixture
def lived(desk: Office) -> Office:
    deal(desk, FakeVenue(desk.clock))
    desk.user = "treasurer"
    days.walk(desk, Course.STABLE, date(2026, 9, 3))
    return desk


def test_a_statement_that_is_right_leaves_nothing_open(lived: Office) -> None:
    found = taken(lived, text_of(lived, now(lived)))
    assert found.breaks == ()
    assert len(found.agreed) > 3
    assert audit.verify(lived).sound


def wrong_sign(rows: Any) -> None:
    rows[0][2] = rows[0][2].removeprefix("-") if rows[0][2].startswith("-") else f"-{rows[0][2]}"


def test_a_break_keeps_its_age_until_a_later_statement_agrees(lived: Office) -> None:
    (gap,) = taken(lived, text_of(lived, now(lived), wrong_sign)).breaks
    assert (gap.since, gap.owner) == (lived.now(), "cfo")
    assert Decimal(gap.ours) == -Decimal(gap.theirs)
    rows = {row.name: row for row in limits.watch(lived)}
    assert rows["breaks against statements"].status is Status.BREACH
    lived.user = "treasurer"
    days.walk(lived, Course.STABLE, date(2026, 9, 5))
    (again,) = taken(lived, text_of(lived, now(lived), wrong_sign)).breaks
    assert again.since == gap.since
    assert again.at - gap.at == timedelta(days=2)
    taken(lived, text_of(lived, now(lived)))
    assert statements.open_breaks(lived) == ()
    rows = {row.name: row for row in limits.watch(lived)}
    assert rows["breaks against statements"].status is Status.OK


def test_a_statement_of_another_day_is_held_against_the_books_of_that_day(lived: Office) -> None:
    then = text_of(lived, now(lived))
    lived.user = "treasurer"
    days.walk(lived, Course.STABLE, date(2026, 9, 10))
    assert taken(lived, then).breaks == ()
    today = then.replace(then.splitlines()[1].rsplit(",", 1)[1], now(lived))
    assert taken(lived, today).breaks, "the same balances are not those of today"


def test_what_cannot_be_taken_is_refused_whole(lived: Office) -> None:
    head = lived.state().head
    good = text_of(lived, now(lived))
    row = good.splitlines()[1]
    later = (lived.now() + timedelta(days=1)).isoformat()
    for text, words in (
        (good + row + "\n", "twice"),
        (good.replace(now(lived), later), "after our"),
        (
            good.replace(row, "assets:elsewhere,USD,1.00," + now(lived)),
            "does not know: assets:elsewhere",
        ),
    ):
        with pytest.raises(Invalid, match=words):
            taken(lived, text)
    assert lived.state().head == head


BAD = {
    "nothing": ("account,currency,balance,day\n", "states nothing"),
    "no column": ("account,balance\nassets:cash,1\n", "lacks the columns currency"),
    "a currency of another country": (
        "account,currency,balance,day\nassets:cash,XAU,1,2026-09-01\n",
        "line 2: currency 'XAU'",
    ),
    "a third digit": (
        "account,currency,balance,day\nassets:cash,USD,1.001,2026-09-01\n",
        "is ambiguous",
    ),
    "no number": (
        "account,currency,balance,day\nassets:cash,USD,one,2026-09-01\n",
        "expected digits with a point",
    ),
    "no day": ("account,currency,balance,day\nassets:cash,USD,1,1.9.2026\n", "a day is written"),
    "no time at all": ("account,currency,balance\nassets:cash,USD,1\n", "needs at"),
    "no account": ("account,currency,balance,day\n,USD,1,2026-09-01\n", "must not be empty"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_table_that_cannot_be_read_says_where(what: str) -> None:
    text, words = BAD[what]
    with pytest.raises(Wrong, match=words):
        read_statement(list(rows_of(text, "f.csv")), "f.csv")


def test_the_command_takes_and_lists(
    approved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> Any:
        status = app.main(
            [*words, "--workspace", str(approved), "--as", "risk", "--json"], standalone_mode=False
        )
        return status or 0, json.loads(capsys.readouterr().out)

    office = open_office(approved, user="x")
    path = tmp_path / "bank.csv"
    path.write_text(text_of(office, now(office)))
    code, found = run("statement", str(path))
    assert (code, found["breaks"]) == (0, [])
    path.write_text(text_of(office, now(office), wrong_sign))
    code, found = run("statement", str(path))
    assert (code, len(found["breaks"])) == (4, 1)
    assert run("statement")[0] == 4
